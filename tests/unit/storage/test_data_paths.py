"""Where things live, and what is said where they cannot."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from desktop_chat.domain.errors import ConfigurationError, Fault, StorageError
from desktop_chat.storage.paths import DataPaths


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_is_under_the_chosen_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "portable"
    paths = DataPaths.choose(folder)
    assert not folder.exists()  # nothing is made by asking
    paths.create()
    for path in (paths.database, paths.settings, paths.secrets, paths.log, paths.cache):
        assert path.is_relative_to(folder)
        assert path.parent.is_dir()
    paths.create()  # a second start


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_folders_are_for_their_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    paths = DataPaths.choose()
    paths.config.mkdir(parents=True, mode=0o755)  # as an older version or a person made it
    paths.create()
    for folder in (paths.data, paths.config, paths.logs, paths.cache):
        assert mode(folder) == 0o700, folder


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_folder_the_person_made_keeps_its_mode(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir(mode=0o750)
    own.chmod(0o750)
    DataPaths.under(own).create()
    assert mode(own) == 0o750
    assert mode(own / "logs") == 0o700


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigurationError) as caught:
            DataPaths.under(path).create()
        assert str(path) in caught.value.sentence
        assert "--data-dir" in caught.value.advice
        assert caught.value.report().fault is Fault.USER


def test_a_folder_that_cannot_be_written_to(
    unprivileged_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unprivileged_folder.chmod(0o500)
    for path in (unprivileged_folder, unprivileged_folder / "new"):
        with pytest.raises(ConfigurationError) as caught:
            DataPaths.under(path).create()
        assert "permission denied" in caught.value.sentence
    for kind in ("DATA", "CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(unprivileged_folder))
    with pytest.raises(StorageError, match="denied"):
        DataPaths.choose().create()


def test_a_home_sign_and_a_relative_folder_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert DataPaths.choose("~/chats").database == tmp_path / "chats" / "conversations.db"
    assert DataPaths.choose("chats").database == tmp_path / "chats" / "conversations.db"


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
@pytest.mark.parametrize("length", [1, 60, 200])
def test_the_socket_path_is_never_too_long(
    tmp_path: Path, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        paths = DataPaths.under(tmp_path / ("d" * length))
        paths.create()
        other = DataPaths.under(tmp_path / ("e" * length))
        assert paths.socket != other.socket
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(paths.socket))
        assert mode(paths.socket.parent) & 0o077 == 0


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a folder away")
def test_a_socket_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    paths = DataPaths.under(tmp_path / ("d" * 120))
    paths.runtime.mkdir()
    os.chown(paths.runtime, 65534, 65534)
    with pytest.raises(ConfigurationError, match="another user"):
        paths.create()
