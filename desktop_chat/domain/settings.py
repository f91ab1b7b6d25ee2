"""Settings as one declarative table: the dialog, the settings file and ``--help`` are made from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from desktop_chat.domain.profiles import (
    DEMO_PROFILE,
    DEMO_PROFILE_ID,
    MISTRAL_PROFILE,
    OPENAI_PROFILE,
    Profile,
)
from desktop_chat.domain.requests import GenerationParameters, Timeouts

SettingValue = str | int | float | bool


class SettingSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One setting.

    Attributes:
        name: its key in the settings file, ``section.name``.
        default: also gives the type (``bool``, ``int``, ``float`` or ``str``).
        minimum / maximum: inclusive, for numbers.
        choices: for strings with a closed set, value to label.
        unit: shown after the number ("s", "pt").
    """

    name: str
    label: str
    description: str
    default: SettingValue
    minimum: float | None = None
    maximum: float | None = None
    choices: Mapping[str, str] = {}
    unit: str = ""

    def problem_with(self, value: object) -> str | None:
        """Why ``value`` cannot be this setting, as a sentence; ``None`` when it can."""
        kind = type(self.default)
        if type(value) is not kind and not (kind is float and type(value) is int):
            return f"{self.label} must be {_KIND_NAMES[kind]}."
        if self.choices and value not in self.choices:
            return f"{self.label} must be one of {', '.join(self.choices)}."
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _range_problem(self.label, value, self.minimum, self.maximum)
        return None


_KIND_NAMES: Final[Mapping[type, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
}


def _range_problem(label: str, value: float, low: float | None, high: float | None) -> str | None:
    if not -math.inf < value < math.inf:  # math.isfinite fails on an int too large for a float
        return f"{label} must be a finite number."
    if low is not None and high is not None and not low <= value <= high:
        return f"{label} must be between {low:g} and {high:g}."
    if low is not None and value < low:
        return f"{label} must be at least {low:g}."
    return None


SETTINGS: Final[tuple[SettingSpec, ...]] = (
    SettingSpec(
        name="appearance.theme",
        label="Theme",
        description="Light, dark, or as the system says.",
        default="system",
        choices={"system": "Follow the system", "light": "Light", "dark": "Dark"},
    ),
    SettingSpec(
        name="appearance.font_size",
        label="Text size",
        description="Size of the text in the conversation.",
        default=15,
        minimum=9,
        maximum=32,
        unit="px",
    ),
    SettingSpec(
        name="appearance.reduce_motion",
        label="Reduce motion",
        description="No breathing cursor and no animated transitions.",
        default=False,
    ),
    SettingSpec(
        name="composer.send_key",
        label="Send with",
        description="Which key sends; the other one breaks the line.",
        default="enter",
        choices={"enter": "Enter", "ctrl+enter": "Ctrl+Enter"},
    ),
    SettingSpec(
        name="network.connect_timeout",
        label="Connect limit",
        description="How long to wait for the connection.",
        default=10.0,
        minimum=1,
        maximum=120,
        unit="s",
    ),
    SettingSpec(
        name="network.first_payload_timeout",
        label="First token limit",
        description="How long to wait for the first token; long prompts and queues take minutes.",
        default=300.0,
        minimum=5,
        maximum=3600,
        unit="s",
    ),
    SettingSpec(
        name="network.idle_timeout",
        label="Idle limit",
        description="How long a started answer may pause.",
        default=60.0,
        minimum=5,
        maximum=3600,
        unit="s",
    ),
    SettingSpec(
        name="network.retries",
        label="Automatic retries",
        description="How often a failed request is repeated before anything was received.",
        default=2,
        minimum=0,
        maximum=5,
    ),
    SettingSpec(
        name="demo.tokens_per_second",
        label="Demo speed",
        description="How fast the demo server answers.",
        default=60,
        minimum=1,
        maximum=5000,
        unit="tok/s",
    ),
    SettingSpec(
        name="privacy.find_local_servers",
        label="Look for local servers",
        description="At start, ask the usual loopback ports whether a model server runs there.",
        default=True,
    ),
    SettingSpec(
        name="privacy.file_secrets",
        label="Keep keys in a file",
        description="Only where there is no system keychain: keep keys in a file that only you can read.",
        default=False,
    ),
)
SPEC_BY_NAME: Final[Mapping[str, SettingSpec]] = {spec.name: spec for spec in SETTINGS}

DEFAULT_PROFILES: Final = (DEMO_PROFILE, MISTRAL_PROFILE, OPENAI_PROFILE)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings at one moment; immutable, so that a reader never sees half a change.

    Attributes:
        values: only what differs from the default, by setting name; already validated.
        profiles: in the user's order; the demo profile is always among them.
        default_profile_id: the profile of new conversations.
        dismissed: identifiers of banners the user closed for good.
    """

    values: Mapping[str, SettingValue] = {}
    profiles: tuple[Profile, ...] = DEFAULT_PROFILES
    default_profile_id: str = DEMO_PROFILE_ID
    dismissed: tuple[str, ...] = ()

    def get(self, name: str) -> SettingValue:
        """The value of a setting, or its default. Raises KeyError for an unknown name."""
        return self.values.get(name, SPEC_BY_NAME[name].default)

    def text(self, name: str) -> str:
        return str(self.get(name))

    def number(self, name: str) -> float:
        return float(self.get(name))

    def whole(self, name: str) -> int:
        return int(self.get(name))

    def flag(self, name: str) -> bool:
        return bool(self.get(name))

    def with_value(self, name: str, value: SettingValue) -> Settings:
        """A copy with one value changed. Raises ValueError with a sentence for people."""
        spec = SPEC_BY_NAME[name]
        problem = spec.problem_with(value)
        if problem:
            raise ValueError(problem)
        changed = {key: old for key, old in self.values.items() if key != name}
        if value != spec.default:
            changed[name] = value
        return msgspec.structs.replace(self, values=changed)

    def profile(self, profile_id: str) -> Profile | None:
        return next((profile for profile in self.profiles if profile.id == profile_id), None)

    @property
    def default_profile(self) -> Profile:
        return self.profile(self.default_profile_id) or DEMO_PROFILE

    @property
    def timeouts(self) -> Timeouts:
        return Timeouts(
            connect=self.number("network.connect_timeout"),
            first_payload=self.number("network.first_payload_timeout"),
            idle=self.number("network.idle_timeout"),
        )


class ParameterSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One generation parameter with its range; ``parse`` turns typed text into its value."""

    name: str
    label: str
    description: str
    minimum: float | None = None
    maximum: float | None = None
    parse: Callable[[str], float | int | tuple[str, ...]]

    def value_from(self, text: str) -> float | int | tuple[str, ...] | None:
        """The value typed, ``None`` for an empty field. Raises ValueError with a sentence for people."""
        if not text.strip():
            return None
        try:
            value = self.parse(text)
        except ValueError:
            kind = "a whole number" if self.parse is int else "a number"
            raise ValueError(f"{self.label} must be {kind}.") from None
        if isinstance(value, (int, float)):
            problem = _range_problem(self.label, value, self.minimum, self.maximum)
            if problem:
                raise ValueError(problem)
        return value


def _stop_sequences(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.split("\n") if line)


PARAMETERS: Final[tuple[ParameterSpec, ...]] = (
    ParameterSpec(
        name="temperature",
        label="Temperature",
        description="0 is repeatable, higher is more varied (Mistral accepts up to 1.5).",
        minimum=0,
        maximum=2,
        parse=float,
    ),
    ParameterSpec(
        name="top_p",
        label="Top-p",
        description="Sample from the most likely tokens that together reach this probability.",
        minimum=0,
        maximum=1,
        parse=float,
    ),
    ParameterSpec(
        name="max_tokens",
        label="Max tokens",
        description="The answer ends after this many tokens.",
        minimum=1,
        maximum=10_000_000,
        parse=int,
    ),
    ParameterSpec(
        name="stop",
        label="Stop sequences",
        description="The answer ends before any of these texts, one a line.",
        parse=_stop_sequences,
    ),
    ParameterSpec(
        name="seed",
        label="Seed",
        description="The same seed gives the same answer where the server can.",
        minimum=0,
        maximum=2**63 - 1,
        parse=int,
    ),
)
PARAMETER_BY_NAME: Final[Mapping[str, ParameterSpec]] = {spec.name: spec for spec in PARAMETERS}


def parameters_from(texts: Mapping[str, str]) -> GenerationParameters:
    """Generation parameters from typed fields by name. Raises ValueError with a sentence for people."""
    values = {name: PARAMETER_BY_NAME[name].value_from(text) for name, text in texts.items()}
    return msgspec.convert(
        {name: value for name, value in values.items() if value is not None}, GenerationParameters
    )
