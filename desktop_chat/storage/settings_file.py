"""The settings file: JSON that a person can edit, and that survives their mistakes.

    {"appearance.theme": "dark", "default_profile_id": "mistral", "profiles": [{"id": "mistral", ...}], ...}

Settings are top-level keys named as in `domain.settings.SETTINGS`; only what differs from the default is there.
What this version does not know (a newer one wrote it) is kept when it saves.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from desktop_chat.domain.errors import StorageError
from desktop_chat.domain.profiles import DEMO_PROFILE, DEMO_PROFILE_ID, Dialect, Profile
from desktop_chat.domain.settings import DEFAULT_PROFILES, SPEC_BY_NAME, Settings, SettingValue
from desktop_chat.domain.text import without_lone_surrogates
from desktop_chat.storage.atomic_file import keep_aside, write_atomically

log = logging.getLogger(__name__)

_PROFILE_FIELDS: Final = frozenset(Profile.__struct_fields__)
_OWN_KEYS: Final = frozenset({"profiles", "default_profile_id", "dismissed", *SPEC_BY_NAME})

Warn = Callable[[str], None]


class SettingsFile:
    """Reads and writes one settings file. Blocking, a fraction of a millisecond to read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> tuple[Settings, list[str]]:
        """The settings, and a sentence for each thing in the file that could not be used. Never raises.

        A file that cannot be read at all is kept aside under another name, so this is said once.
        """
        warnings: list[str] = []
        try:
            content = self._read()
        except (OSError, ValueError, RecursionError) as error:
            return Settings(), [self._keep_broken_aside(error)]
        settings = _settings(content, warnings.append)
        for warning in warnings:
            log.info("settings: %s", warning)
        return settings, warnings

    def save(self, settings: Settings) -> None:
        """Write all settings at once or not at all. Raises StorageError."""
        try:
            previous = self._read()
        except (OSError, ValueError, RecursionError) as error:
            self._keep_broken_aside(error)
            previous = {}
        text = json.dumps(_content(settings, previous), ensure_ascii=False, indent=2) + "\n"
        try:
            write_atomically(self.path, without_lone_surrogates(text).encode())
        except OSError as error:
            raise StorageError(
                str(error),
                sentence=f"The settings could not be saved: {error.strerror or error}.",
                advice=f"Check the free space and that you may write to {self.path.parent}.",
            ) from error

    def _read(self) -> dict[str, Any]:
        """The file's object; empty when there is no file. Raises OSError, ValueError or RecursionError."""
        try:
            text = self.path.read_text(encoding="utf-8-sig")  # editors on Windows begin with a BOM
        except FileNotFoundError:
            return {}
        content = json.loads(text)
        if not isinstance(content, dict):
            raise ValueError("the file holds no JSON object")  # noqa: TRY004 - the text is wrong, not a type
        return content

    def _keep_broken_aside(self, error: Exception) -> str:
        log.info("%s is not readable: %s", self.path, error)
        try:
            aside = keep_aside(self.path)
        except OSError as problem:
            log.warning("%s cannot be kept aside: %s", self.path, problem)
            return f"The settings file {self.path} could not be read, so the defaults are used."
        return f"The settings file could not be read, so the defaults are used. It was kept as {aside.name}."


def _settings(content: dict[str, Any], warn: Warn) -> Settings:
    profiles = _profiles(content.get("profiles"), warn)
    default_id = content.get("default_profile_id", DEMO_PROFILE_ID)
    if not isinstance(default_id, str) or default_id not in {profile.id for profile in profiles}:
        warn(f"The default provider {json.dumps(default_id)[:40]} is not there; the demo is used instead.")
        default_id = DEMO_PROFILE_ID
    dismissed = content.get("dismissed", [])
    if not isinstance(dismissed, list):
        warn("The list of closed notices was not readable and starts anew.")
        dismissed = []
    return Settings(
        values=_values(content, warn),
        profiles=profiles,
        default_profile_id=default_id,
        dismissed=tuple(item for item in dismissed if isinstance(item, str)),
    )


def _values(content: dict[str, Any], warn: Warn) -> dict[str, SettingValue]:
    values: dict[str, SettingValue] = {}
    for name, spec in SPEC_BY_NAME.items():
        if name not in content:
            continue
        value = content[name]
        problem = spec.problem_with(value)
        if problem:
            warn(
                f"{problem} The file says {json.dumps(value)[:40]}; {json.dumps(spec.default)} is used instead."
            )
        elif value != spec.default:
            values[name] = float(value) if isinstance(spec.default, float) else value
    return values


def _profiles(items: object, warn: Warn) -> tuple[Profile, ...]:
    if items is None:
        return DEFAULT_PROFILES
    if not isinstance(items, list):
        warn("The list of providers was not readable; the usual ones are used.")
        return DEFAULT_PROFILES
    profiles: dict[str, Profile] = {}
    for item in items:
        profile = _profile(item, warn)
        if profile is None:
            continue
        if profile.id in profiles:
            warn(f"Two providers have the id {profile.id!r}; the first one is used.")
        else:
            profiles[profile.id] = DEMO_PROFILE if profile.is_demo else profile
    if DEMO_PROFILE_ID not in profiles:
        return (DEMO_PROFILE, *profiles.values())
    return tuple(profiles.values())


def _profile(item: object, warn: Warn) -> Profile | None:
    """A profile from its object; fields that are wrong cost only themselves. ``None`` without a usable id."""
    if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not item["id"]:
        warn("A provider without an id was left out; it stays in the file.")
        return None
    fields: dict[str, Any] = {"name": item["id"], "base_url": ""}
    for name in _PROFILE_FIELDS & item.keys():
        try:
            fields[name] = msgspec.convert(item[name], _PROFILE_TYPES[name])
        except msgspec.ValidationError:
            warn(f"The provider {item['id']!r} has an unusable {name!r} ({json.dumps(item[name])[:40]}).")
    return Profile(**fields)


_PROFILE_TYPES: Final = {field.name: field.type for field in msgspec.structs.fields(Profile)}


def _content(settings: Settings, previous: dict[str, Any]) -> dict[str, Any]:
    """The file's new object: ours, and what the previous one held that is not ours."""
    unknown = {key: value for key, value in previous.items() if key not in _OWN_KEYS}
    return {
        **settings.values,
        "default_profile_id": settings.default_profile_id,
        "dismissed": list(settings.dismissed),
        "profiles": _profile_objects(settings.profiles, previous.get("profiles")),
        **unknown,
    }


def _profile_objects(profiles: tuple[Profile, ...], previous: object) -> list[Any]:
    before = previous if isinstance(previous, list) else []
    by_id = {
        item["id"]: item for item in before if isinstance(item, dict) and isinstance(item.get("id"), str)
    }
    objects: list[Any] = []
    for profile in profiles:
        old = by_id.get(profile.id, {})
        unknown = {key: value for key, value in old.items() if key not in _PROFILE_FIELDS}
        # A dialect only a newer version knows is kept while nobody chose another one here.
        newer = profile.dialect is Dialect.OPENAI and old.get("dialect") not in (None, *Dialect)
        kept = {"dialect": old["dialect"]} if newer else {}
        objects.append({**msgspec.to_builtins(profile), **kept, **unknown})
    usable = [
        item for item in before if isinstance(item, dict) and isinstance(item.get("id"), str) and item["id"]
    ]
    return objects + [item for item in before if item not in usable]
