"""The settings file survives its editors: people, crashes, older and newer versions."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop_chat.domain.errors import StorageError
from desktop_chat.domain.profiles import DEMO_PROFILE, MISTRAL_PROFILE, OPENAI_PROFILE, Dialect, Profile
from desktop_chat.domain.settings import SPEC_BY_NAME, Settings
from desktop_chat.storage.settings_file import SettingsFile


@pytest.fixture
def file(tmp_path: Path) -> SettingsFile:
    return SettingsFile(tmp_path / "settings.json")


def written(file: SettingsFile) -> dict[str, Any]:
    content = json.loads(file.path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def write(file: SettingsFile, content: object) -> None:
    file.path.write_text(json.dumps(content), encoding="utf-8")


def test_without_a_file_there_are_defaults_and_no_words(file: SettingsFile) -> None:
    assert file.load() == (Settings(), [])
    assert not file.path.exists()


def test_what_is_saved_is_loaded(file: SettingsFile) -> None:
    own = Profile(id="lab", name="Labör", base_url="http://127.0.0.1:8080/v1", dialect=Dialect.LLAMACPP)
    saved = msgspec.structs.replace(
        Settings().with_value("appearance.theme", "dark").with_value("network.idle_timeout", 90),
        profiles=(own, DEMO_PROFILE, MISTRAL_PROFILE),
        default_profile_id="lab",
        dismissed=("mistral-key",),
    )
    file.save(saved)
    loaded, warnings = file.load()
    assert loaded == saved
    assert warnings == []
    assert type(loaded.get("network.idle_timeout")) in {float, int}
    file.save(loaded)
    assert file.load() == (saved, [])


def test_the_file_is_private_whole_and_readable_by_people(file: SettingsFile) -> None:
    file.save(Settings().with_value("appearance.theme", "dark"))
    assert '"appearance.theme": "dark"' in file.path.read_text(encoding="utf-8").splitlines()[1]
    assert os.name != "posix" or stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [entry.name for entry in file.path.parent.iterdir()] == [
        "settings.json"
    ]  # nothing temporary stays


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1, 2]", b"null", b"\xff\xfe\x00", b'{"a": 1}}', b"[" * 100_000, b"theme = dark"],
)
def test_a_broken_file_is_kept_aside_and_said_once(file: SettingsFile, content: bytes) -> None:
    file.path.write_bytes(content)
    loaded, (warning,) = file.load()
    assert loaded == Settings()
    (aside,) = file.path.parent.iterdir()
    assert aside.name.startswith("settings.broken-")
    assert aside.name in warning
    assert aside.read_bytes() == content
    assert file.load() == (Settings(), [])

    file.path.write_bytes(content)  # again within the same second
    file.load()
    assert len(list(file.path.parent.iterdir())) == 2


def test_saving_over_a_file_broken_meanwhile_keeps_it_aside(file: SettingsFile) -> None:
    file.path.write_text("{half an edit")
    file.save(Settings())
    assert len(list(file.path.parent.glob("settings.broken-*"))) == 1
    assert file.load() == (Settings(), [])


def test_an_invalid_value_costs_only_itself(file: SettingsFile) -> None:
    write(
        file,
        {
            "appearance.theme": "purple",
            "appearance.font_size": 4000,
            "network.retries": "two",
            "network.idle_timeout": True,
            "composer.send_key": "ctrl+enter",
        },
    )
    loaded, warnings = file.load()
    assert loaded == Settings(values={"composer.send_key": "ctrl+enter"})
    assert len(warnings) == 4
    assert "Theme must be one of system, light, dark" in warnings[0]
    assert '"purple"' in warnings[0]
    assert all(warning.endswith(".") for warning in warnings)


def test_what_a_newer_version_wrote_is_kept(file: SettingsFile) -> None:
    future_profile = {
        "id": "lab",
        "name": "Lab",
        "base_url": "https://lab.example/v1",
        "dialect": "telepathy",
        "organisation": "physics",
    }
    write(
        file,
        {
            "appearance.theme": "dark",
            "appearance.sparkles": 7,
            "schema": {"version": 9},
            "profiles": [future_profile, {"handle": "no id here"}],
        },
    )
    loaded, warnings = file.load()
    lab = loaded.profile("lab")
    assert lab is not None
    assert (lab.name, lab.dialect) == ("Lab", Dialect.OPENAI)
    assert len(warnings) == 2

    file.save(loaded.with_value("appearance.theme", "light"))
    content = written(file)
    assert (content["appearance.theme"], content["appearance.sparkles"]) == ("light", 7)
    assert content["schema"] == {"version": 9}
    kept = next(item for item in content["profiles"] if item.get("id") == "lab")
    assert kept.items() >= future_profile.items()
    assert {"handle": "no id here"} in content["profiles"]

    chosen = msgspec.structs.replace(lab, dialect=Dialect.VLLM)
    file.save(msgspec.structs.replace(loaded, profiles=(DEMO_PROFILE, chosen)))
    assert file.load()[0].profile("lab") == chosen


def test_a_value_back_at_its_default_leaves_the_file(file: SettingsFile) -> None:
    file.save(Settings().with_value("appearance.theme", "dark"))
    file.save(Settings())
    assert "appearance.theme" not in written(file)


def test_the_demo_is_always_there_as_it_is(file: SettingsFile) -> None:
    write(file, {"profiles": [{"id": "openai", "name": "Mine"}]})
    loaded, _ = file.load()
    assert loaded.profiles[0] == DEMO_PROFILE
    assert [profile.id for profile in loaded.profiles] == ["demo", "openai"]
    write(file, {"profiles": [{"id": "a"}, {"id": "demo", "base_url": "https://elsewhere.example/v1"}]})
    assert file.load()[0].profiles[1] == DEMO_PROFILE


def test_a_removed_profile_stays_removed(file: SettingsFile) -> None:
    file.save(Settings())
    file.save(Settings(profiles=(DEMO_PROFILE, OPENAI_PROFILE)))
    assert [profile.id for profile in file.load()[0].profiles] == ["demo", "openai"]


def test_wrong_shapes_are_replaced_and_said(file: SettingsFile) -> None:
    write(file, {"profiles": "all of them", "default_profile_id": ["x"], "dismissed": 3})
    loaded, warnings = file.load()
    assert loaded == Settings()
    assert len(warnings) == 3
    twins = [{"id": "a", "name": "first"}, {"id": "a", "name": "second"}, {"id": "b", "needs_key": "perhaps"}]
    write(file, {"profiles": twins})
    loaded, warnings = file.load()
    assert [(profile.id, profile.name) for profile in loaded.profiles[1:]] == [("a", "first"), ("b", "b")]
    assert len(warnings) == 2


def test_an_editor_that_writes_a_byte_order_mark_is_understood(file: SettingsFile) -> None:
    file.path.write_bytes(b'\xef\xbb\xbf{"appearance.theme": "dark"}\r\n')
    assert file.load() == (Settings(values={"appearance.theme": "dark"}), [])


@pytest.mark.skipif(os.name != "posix", reason="links need no privilege on POSIX")
def test_a_link_to_the_settings_stays_a_link(file: SettingsFile, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "chat.json"
    real.parent.mkdir()
    file.path.symlink_to(real)
    file.save(Settings().with_value("appearance.theme", "dark"))
    assert file.path.is_symlink()
    assert "dark" in real.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_to_is_said(unprivileged_folder: Path) -> None:
    file = SettingsFile(unprivileged_folder / "settings.json")
    file.save(Settings().with_value("appearance.theme", "dark"))
    unprivileged_folder.chmod(0o500)
    with pytest.raises(StorageError) as caught:
        file.save(Settings())
    assert "settings could not be saved" in caught.value.sentence
    assert str(unprivileged_folder) in caught.value.advice
    assert file.load()[0].text("appearance.theme") == "dark"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
profile_objects = st.dictionaries(
    st.sampled_from([*Profile.__struct_fields__, "new"]), json_values, max_size=5
)


@given(
    content=st.dictionaries(
        st.sampled_from([*SPEC_BY_NAME, "profiles", "default_profile_id", "dismissed", "unknown"]),
        json_values | st.lists(profile_objects, max_size=3),
        max_size=6,
    )
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_loads_and_saving_it_settles(file: SettingsFile, content: dict[str, Any]) -> None:
    write(file, content)
    loaded, _ = file.load()
    assert DEMO_PROFILE in loaded.profiles
    assert all(SPEC_BY_NAME[name].problem_with(value) is None for name, value in loaded.values.items())
    file.save(loaded)
    assert file.load()[0] == loaded
