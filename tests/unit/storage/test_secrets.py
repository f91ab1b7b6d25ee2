"""Keys: found in the right order, kept in the right place, shown nowhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.chainer
import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend

from desktop_chat.domain.errors import ConfigurationError, StorageError
from desktop_chat.domain.profiles import DEMO_PROFILE, MISTRAL_PROFILE, Profile
from desktop_chat.storage.log_file import redactor
from desktop_chat.storage.secrets import SERVICE, Keychain, SecretPlace, SecretStore

LAB = Profile(id="lab", name="Lab", base_url="https://lab.example/v1")
REPOSITORY = Path(__file__).parents[3]


class MemoryKeyring(KeyringBackend):
    """A keychain that works, and counts."""

    priority = 5

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.reads = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.reads += 1
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class BrokenKeyring(MemoryKeyring):
    """A keychain that fails in its own way and tells what it was given."""

    def get_password(self, service: str, username: str) -> str | None:
        raise OSError("D-Bus is gone")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"cannot keep {password}")


class HangingKeyring(MemoryKeyring):
    """A keychain behind a session bus that does not answer until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answering = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.answering.wait()
        return super().get_password(service, username)


class PlainTextKeyring(MemoryKeyring):
    priority = 0.5  # type: ignore[assignment]  # as keyrings.alt gives its unencrypted file


@contextlib.contextmanager
def using(backend: KeyringBackend) -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.set_keyring(before)


@pytest.fixture
def keychain() -> Iterator[MemoryKeyring]:
    backend = MemoryKeyring()
    with using(backend):
        yield backend


class EmptyChain(keyring.backends.chainer.ChainerBackend):
    backends = ()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secrets.json"


def exists(file: Path) -> bool:
    return file.exists()


def is_private(file: Path) -> bool:
    return os.name != "posix" or stat.S_IMODE(file.stat().st_mode) == 0o600


def key_file(file: Path) -> dict[str, str]:
    content: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return content


async def test_the_environment_comes_first(keychain: MemoryKeyring, file: Path) -> None:
    environment = {"MISTRAL_API_KEY": " from-environment\n"}
    secrets = SecretStore(file, environment=environment)
    await secrets.set("mistral", "from-keychain", SecretPlace.KEYCHAIN)
    assert await secrets.get(MISTRAL_PROFILE) == "from-environment"
    assert await secrets.origin(MISTRAL_PROFILE) is SecretPlace.ENVIRONMENT
    assert (
        await SecretStore(file, environment={"MISTRAL_API_KEY": " "}).get(MISTRAL_PROFILE) == "from-keychain"
    )


async def test_a_key_in_the_keychain_is_there_after_a_restart(keychain: MemoryKeyring, file: Path) -> None:
    secrets = SecretStore(file, environment={})
    assert await secrets.keychain_available()
    assert await secrets.get(LAB) is None
    assert await secrets.set("lab", "  secret-key-1\n", SecretPlace.KEYCHAIN) is SecretPlace.KEYCHAIN
    assert keychain.kept == {(SERVICE, "lab"): "secret-key-1"}

    again = SecretStore(file, environment={})
    assert (await again.get(LAB), await again.origin(LAB)) == ("secret-key-1", SecretPlace.KEYCHAIN)
    reads = keychain.reads
    await again.get(LAB)
    assert keychain.reads == reads  # asked once a run
    await again.delete("lab")
    assert (await again.get(LAB), keychain.kept) == (None, {})
    await again.delete("lab")


async def test_this_run_only_means_that(keychain: MemoryKeyring, file: Path) -> None:
    secrets = SecretStore(file, environment={})
    assert await secrets.set("lab", "short-lived-key", SecretPlace.THIS_RUN) is SecretPlace.THIS_RUN
    assert (await secrets.get(LAB), await secrets.origin(LAB)) == ("short-lived-key", SecretPlace.THIS_RUN)
    assert await SecretStore(file, environment={}).get(LAB) is None
    assert not exists(file)


async def test_a_key_in_the_file_is_private_and_in_no_other_place(
    keychain: MemoryKeyring, file: Path
) -> None:
    secrets = SecretStore(file, environment={})
    await secrets.set("lab", "older-key", SecretPlace.KEYCHAIN)
    assert await secrets.set("lab", "newer-key", SecretPlace.FILE) is SecretPlace.FILE
    assert key_file(file) == {"lab": "newer-key"}
    assert is_private(file)
    assert keychain.kept == {}
    again = SecretStore(file, environment={})
    assert (await again.get(LAB), await again.origin(LAB)) == ("newer-key", SecretPlace.FILE)

    await again.set("lab", "newest-key", SecretPlace.KEYCHAIN)  # back: the plain text goes
    assert key_file(file) == {}
    assert await again.get(LAB) == "newest-key"


async def test_no_file_is_made_for_nothing(file: Path) -> None:
    secrets = SecretStore(file, environment={})
    await secrets.delete("lab")
    await secrets.set("lab", "for-this-run", SecretPlace.THIS_RUN)
    assert not exists(file)


@pytest.mark.parametrize(
    "backend",
    [
        keyring.backends.fail.Keyring,
        keyring.backends.null.Keyring,
        EmptyChain,
        PlainTextKeyring,
    ],
)
async def test_without_a_real_keychain_a_key_is_for_this_run(
    backend: type[KeyringBackend], file: Path
) -> None:
    with using(backend()):
        secrets = SecretStore(file, environment={})
        assert not await secrets.keychain_available()
        assert await secrets.set("lab", "given-key", SecretPlace.KEYCHAIN) is SecretPlace.THIS_RUN
        assert await secrets.get(LAB) == "given-key"
        await secrets.delete("lab")
        assert await secrets.get(LAB) is None


async def test_a_failing_keychain_is_survived_and_repeats_no_key(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with using(BrokenKeyring()):
        secrets = SecretStore(file, environment={})
        assert await secrets.get(LAB) is None
        assert await secrets.set("lab", "unspeakable-key", SecretPlace.KEYCHAIN) is SecretPlace.THIS_RUN
        with pytest.raises(StorageError) as caught:
            await secrets.delete("lab")
        assert "could not be removed" in caught.value.sentence
    assert "cannot be read" in caplog.text
    assert "unspeakable" not in caplog.text


async def test_a_hanging_keychain_holds_up_nothing(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    backend = HangingKeyring()
    with using(backend):
        secrets = SecretStore(file, environment={}, keychain=Keychain(patience_s=0.05))
        results = await asyncio.gather(*(secrets.get(LAB) for _ in range(3)))
        assert results == [None, None, None]
        assert threading.active_count() <= 3  # one waits, the others did not join it
        assert await secrets.set("lab", "given-key", SecretPlace.KEYCHAIN) is SecretPlace.THIS_RUN

        backend.kept[SERVICE, "lab"] = "kept-key"
        backend.answering.set()
        fresh = SecretStore(file, environment={})
        assert await fresh.get(LAB) == "kept-key"  # it answers again
    assert "does not answer" in caplog.text


def test_a_hanging_keychain_does_not_keep_the_program_alive(tmp_path: Path) -> None:
    program = f"""
import asyncio, threading, keyring
from keyring.backend import KeyringBackend
from pathlib import Path
from desktop_chat.domain.profiles import MISTRAL_PROFILE
from desktop_chat.storage.secrets import Keychain, SecretStore
class Hanging(KeyringBackend):
    priority = 9
    def get_password(self, service, username): threading.Event().wait()
    def set_password(self, *arguments): ...
    def delete_password(self, *arguments): ...
keyring.set_keyring(Hanging())
secrets = SecretStore(Path({str(tmp_path / "s.json")!r}), environment={{}}, keychain=Keychain(patience_s=0.05))
print(asyncio.run(secrets.get(MISTRAL_PROFILE)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "None"


async def test_the_demo_and_a_set_variable_ask_no_keychain(keychain: MemoryKeyring, file: Path) -> None:
    secrets = SecretStore(file, environment={"MISTRAL_API_KEY": "from-environment"})
    assert await secrets.get(DEMO_PROFILE) is None
    assert await secrets.get(MISTRAL_PROFILE) == "from-environment"
    assert keychain.reads == 0


@pytest.mark.parametrize(
    "key", ["", "  \n", "two words", "line\nbreak", "bell\x07", "clé-secrète", "zero\u200bwidth"]
)
async def test_what_cannot_be_a_key_is_refused_without_repeating_it(file: Path, key: str) -> None:
    secrets = SecretStore(file, environment={"MISTRAL_API_KEY": key or "a b"})
    with pytest.raises(ConfigurationError) as caught:
        await secrets.set("lab", key, SecretPlace.THIS_RUN)
    words = f"{caught.value!r} {caught.value.sentence} {caught.value.advice} {caught.value.report()}"
    assert not key.strip() or key.strip() not in words
    assert "key" in caught.value.sentence
    assert await secrets.get(LAB) is None
    if key.strip():
        with pytest.raises(ConfigurationError, match="MISTRAL_API_KEY"):
            await secrets.get(MISTRAL_PROFILE)


async def test_keys_stand_in_no_repr_and_every_key_is_told_to_the_log(file: Path) -> None:
    secrets = SecretStore(file, environment={"MISTRAL_API_KEY": "environment-key"})
    await secrets.set("lab", "typed-key-123", SecretPlace.THIS_RUN)
    await secrets.get(MISTRAL_PROFILE)
    assert "typed-key-123" not in repr(secrets)
    assert redactor.redacted("typed-key-123, environment-key") == "[removed], [removed]"


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
async def test_a_file_open_to_others_is_closed(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    prepare(file, '{"lab": "exposed-key"}', 0o644)
    assert await SecretStore(file, environment={}).get(LAB) == "exposed-key"
    assert is_private(file)
    assert "open to others" in caplog.text


def prepare(file: Path, content: str, mode: int = 0o600) -> None:
    file.write_text(content, encoding="utf-8")
    file.chmod(mode)


@pytest.mark.parametrize("content", ["{broken", "[]", '{"lab": 7}', ""])
async def test_a_broken_file_is_no_key_and_is_not_destroyed(
    file: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    prepare(file, content)
    secrets = SecretStore(file, environment={})
    assert await secrets.get(LAB) is None
    await secrets.set("lab", "typed-key", SecretPlace.FILE)
    assert await SecretStore(file, environment={}).get(LAB) == "typed-key"
    if content in {"{broken", ""}:
        assert [aside.read_text() for aside in file.parent.glob("secrets.broken-*")] == [content]


async def test_a_file_that_cannot_be_written_is_said(unprivileged_folder: Path) -> None:
    secrets = SecretStore(unprivileged_folder / "missing" / "secrets.json", environment={})
    with pytest.raises(StorageError) as caught:
        await secrets.set("lab", "typed-key", SecretPlace.FILE)
    assert "could not be written" in caught.value.sentence
    assert "typed-key" not in repr(caught.value)


async def test_nothing_is_written_into_the_environment(file: Path) -> None:
    with pytest.raises(ValueError, match="environment"):
        await SecretStore(file, environment={}).set("lab", "typed-key", SecretPlace.ENVIRONMENT)
