"""API keys: from the environment, for this run only, in the system keychain, or in a file the user asked for.

A key stands in no ``repr``, log line or error. Reading a keychain may wait for a person (it asks for a password) or
for ever (a session bus that does not answer), so it happens on a thread of its own that nothing waits for.
"""

from __future__ import annotations

import asyncio
import enum
import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from desktop_chat.domain.errors import ConfigurationError, StorageError
from desktop_chat.storage.atomic_file import keep_aside, write_atomically
from desktop_chat.storage.log_file import redactor
from desktop_chat.storage.waiting import result_of

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

    from desktop_chat.domain.profiles import Profile

T = TypeVar("T")

log = logging.getLogger(__name__)

SERVICE: Final = "desktop-chat"
"""The name under which the keychain lists the keys; the user name there is the profile's id."""


class SecretPlace(enum.StrEnum):
    """Where a key is."""

    ENVIRONMENT = "environment"
    THIS_RUN = "this_run"
    KEYCHAIN = "keychain"
    FILE = "file"


class KeychainError(Exception):
    """The keychain is missing, locked, or does not answer. The message names no key."""


class Keychain:
    """The system keychain through ``keyring``, one call at a time.

    Args:
        patience_s: how long a call may take; long enough for a person to type the keychain's password.
    """

    def __init__(self, *, patience_s: float = 30.0) -> None:
        self._patience_s = patience_s
        self._turn = asyncio.Lock()
        self._hanging: Future[Any] | None = None

    async def available(self) -> bool:
        """Whether there is a keychain that keeps keys safely, and it answers."""
        try:
            return await self._call(_backend) is not None
        except KeychainError:
            return False

    async def get(self, name: str) -> str | None:
        """The key, or ``None`` when there is none or no keychain. Raises KeychainError."""

        def get() -> str | None:
            backend = _backend()
            return None if backend is None else backend.get_password(SERVICE, name)

        return await self._call(get)

    async def set(self, name: str, secret: str) -> None:
        """Raises KeychainError, also when there is no keychain."""

        def put() -> None:
            backend = _backend()
            if backend is None:
                raise KeychainError("there is no system keychain")
            backend.set_password(SERVICE, name, secret)

        await self._call(put)

    async def delete(self, name: str) -> None:
        """Raises KeychainError; a key or keychain that is not there is no error."""

        def delete() -> None:
            backend = _backend()
            if backend is not None and backend.get_password(SERVICE, name) is not None:
                backend.delete_password(SERVICE, name)

        await self._call(delete)

    async def _call(self, function: Callable[[], T]) -> T:
        async with self._turn:
            if self._hanging is not None and not self._hanging.done():
                raise KeychainError("the system keychain does not answer")
            answer: Future[T] = Future()
            # A daemon: an executor would wait for its thread at exit, and this one may hang.
            threading.Thread(target=_carry_out, args=(function, answer), name="keychain", daemon=True).start()
            try:
                return await result_of(answer, self._patience_s)
            except TimeoutError:
                self._hanging = answer
                raise KeychainError("the system keychain does not answer") from None


def _carry_out(function: Callable[[], T], answer: Future[T]) -> None:
    try:
        answer.set_result(function())
    except KeychainError as error:
        answer.set_exception(error)
    except Exception as error:  # noqa: BLE001 - backends raise what they like, down to D-Bus errors
        # Only the kind is passed on: a backend may name what it was given.
        answer.set_exception(KeychainError(f"the system keychain failed ({type(error).__name__})"))


def _backend() -> KeyringBackend | None:
    """The system's keychain; ``None`` when ``keyring`` finds none, or only one that writes plain text.

    Recommended backends have a priority of 1 and more; the failing, null and plain-text ones have less, and a chain
    is worth what is in it.
    """
    import keyring

    backend = keyring.get_keyring()
    links = getattr(backend, "backends", None)
    best = max((link.priority for link in links), default=0) if links is not None else backend.priority
    return backend if best >= 1 else None


class SecretStore:
    """The keys of all profiles, by profile id.

    Args:
        file: where keys are kept if, and only if, `set` is told to use a file.
        environment: the variables to look into; the process's own by default.
    """

    def __init__(
        self, file: Path, *, environment: Mapping[str, str] | None = None, keychain: Keychain | None = None
    ) -> None:
        self._file = file
        self._environment = os.environ if environment is None else environment
        self._keychain = keychain or Keychain()
        self._this_run: dict[str, str] = {}
        self._from_keychain: dict[
            str, str | None
        ] = {}  # asked once: a keychain takes milliseconds or a dialog

    async def get(self, profile: Profile) -> str | None:
        """The key, from the first of: environment, this run, keychain, file.

        Raises:
            ConfigurationError: what the environment holds cannot be a key.
        """
        found = await self._find(profile)
        return found[1] if found else None

    async def origin(self, profile: Profile) -> SecretPlace | None:
        """Where `get` finds the key; ``None`` when there is none. Raises as `get`."""
        found = await self._find(profile)
        return found[0] if found else None

    async def set(self, profile_id: str, key: str, where: SecretPlace) -> SecretPlace:
        """Keep a key; returns the place that took it: without a keychain that is THIS_RUN.

        Raises:
            ConfigurationError: the text cannot be a key.
            StorageError: the file cannot be written.
        """
        key = checked_key(key)
        redactor.protect(key)
        if where is SecretPlace.KEYCHAIN:
            try:
                await self._keychain.set(profile_id, key)
            except KeychainError as error:
                log.info("a key is kept for this run only: %s", error)
                where = SecretPlace.THIS_RUN
            else:
                self._from_keychain[profile_id] = key
                self._this_run.pop(profile_id, None)
                await self._put_into_file(profile_id, None)
        elif where is SecretPlace.FILE:
            await self._put_into_file(profile_id, key)
            await self._remove_from_keychain(profile_id)  # it would come first
            self._this_run.pop(profile_id, None)
        elif where is SecretPlace.ENVIRONMENT:
            raise ValueError("the environment is not ours to write")
        if where is SecretPlace.THIS_RUN:
            self._this_run[profile_id] = key
        return where

    async def delete(self, profile_id: str) -> None:
        """Forget the key everywhere but in the environment. Raises StorageError when a place keeps it."""
        self._this_run.pop(profile_id, None)
        await self._put_into_file(profile_id, None)
        await self._remove_from_keychain(profile_id)

    async def keychain_available(self) -> bool:
        """Whether this computer has a keychain that answers."""
        return await self._keychain.available()

    async def _find(self, profile: Profile) -> tuple[SecretPlace, str] | None:
        if profile.is_demo:
            return None
        variable = profile.key_environment
        if variable and (value := self._environment.get(variable, "").strip()):
            return self._told(SecretPlace.ENVIRONMENT, checked_key(value, f"The variable {variable}"))
        if key := self._this_run.get(profile.id):
            return self._told(SecretPlace.THIS_RUN, key)
        if key := await self._keychain_key(profile.id):
            return self._told(SecretPlace.KEYCHAIN, key)
        if key := self._read_file().get(profile.id):
            return self._told(SecretPlace.FILE, key)
        return None

    @staticmethod
    def _told(place: SecretPlace, key: str) -> tuple[SecretPlace, str]:
        redactor.protect(key)
        return place, key

    async def _keychain_key(self, profile_id: str) -> str | None:
        if profile_id not in self._from_keychain:
            try:
                self._from_keychain[profile_id] = await self._keychain.get(profile_id)
            except KeychainError as error:
                log.warning("keys in the keychain cannot be read: %s", error)
                return None
        return self._from_keychain[profile_id]

    async def _remove_from_keychain(self, profile_id: str) -> None:
        try:
            await self._keychain.delete(profile_id)
        except KeychainError as error:
            raise StorageError(
                str(error),
                sentence="The key could not be removed from the system keychain.",
                advice=f"Unlock the keychain and try again, or remove the entry “{SERVICE}” there yourself.",
            ) from error
        self._from_keychain[profile_id] = None

    def _read_file(self) -> dict[str, str]:
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
            if os.name == "posix" and self._file.stat().st_mode & 0o077:
                log.warning("%s was open to others; it is closed to them now", self._file)
                self._file.chmod(0o600)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            self._keep_broken_aside(error)
            return {}
        entries = content.items() if isinstance(content, dict) else ()
        return {name: key for name, key in entries if isinstance(key, str)}

    def _keep_broken_aside(self, error: Exception) -> None:
        kind = type(error).__name__  # its words may quote what stands in the file
        try:
            log.warning(
                "the file with keys is not readable (%s); kept as %s", kind, keep_aside(self._file).name
            )
        except OSError as problem:
            log.warning("the file with keys is not readable (%s): %s", kind, problem)

    async def _put_into_file(self, profile_id: str, key: str | None) -> None:
        """Set or remove one key; no file is made for nothing. Raises StorageError."""
        keys = self._read_file()
        if keys.get(profile_id) == key:
            return
        if key is None:
            del keys[profile_id]
        else:
            keys[profile_id] = key
        content = json.dumps(keys, indent=2).encode()
        try:
            await asyncio.to_thread(write_atomically, self._file, content)
        except OSError as error:
            raise StorageError(
                error.strerror or "",
                sentence=f"The file with keys could not be written: {error.strerror}.",
                advice=f"Check the free space and that you may write to {self._file.parent}.",
            ) from None


def checked_key(key: str, what: str = "The key") -> str:
    """The key without surrounding space. Raises ConfigurationError, which never repeats it.

    An HTTP header takes visible ASCII only (RFC 9110, section 5.5); a line break in it would begin another header.
    """
    key = key.strip()
    if not key:
        problem = "is empty"
    elif any(character.isspace() for character in key):
        problem = "has a space or line break in it"
    elif not (key.isascii() and key.isprintable()):
        problem = "has characters in it that no key has"
    else:
        return key
    raise ConfigurationError(
        sentence=f"{what} {problem}.",
        advice="Copy the key again from the provider's page, all of it and nothing else.",
    )
