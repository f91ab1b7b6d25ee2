import pytest

from desktop_chat.domain.requests import GenerationParameters
from desktop_chat.domain.settings import PARAMETERS, SETTINGS, Settings, SettingValue, parameters_from


@pytest.mark.parametrize("spec", SETTINGS, ids=lambda spec: spec.name)
def test_every_default_is_valid(spec) -> None:  # type: ignore[no-untyped-def]
    assert spec.problem_with(spec.default) is None
    assert spec.description.endswith(".")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("appearance.theme", "pink", "one of"),
        ("appearance.font_size", 200, "between 9 and 32"),
        ("appearance.font_size", "15", "whole number"),
        ("appearance.font_size", True, "whole number"),
        ("network.idle_timeout", float("nan"), "finite"),
        ("appearance.reduce_motion", 1, "true or false"),
    ],
)
def test_a_wrong_value_is_refused_in_words(name: str, value: SettingValue, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settings().with_value(name, value)


def test_only_what_differs_from_the_default_is_kept() -> None:
    changed = Settings().with_value("appearance.theme", "dark")
    assert changed.values == {"appearance.theme": "dark"}
    assert changed.with_value("appearance.theme", "system").values == {}


def test_typed_parameters_become_values() -> None:
    typed = {"temperature": " 0.3 ", "top_p": "", "max_tokens": "100", "stop": "END\n\nHALT", "seed": "7"}
    assert parameters_from(typed) == GenerationParameters(
        temperature=0.3, max_tokens=100, stop=("END", "HALT"), seed=7
    )


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("temperature", "hot", "Temperature must be a number"),
        ("temperature", "3", "between 0 and 2"),
        ("top_p", "-0.1", "between 0 and 1"),
        ("max_tokens", "1.5", "Max tokens must be a whole number"),
        ("max_tokens", "0", "between 1 and"),
        ("seed", "nan", "Seed must be a whole number"),
        ("temperature", "nan", "finite"),
    ],
)
def test_a_typed_parameter_out_of_range_is_named(name: str, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parameters_from({name: text})


def test_every_parameter_has_its_field() -> None:
    assert {spec.name for spec in PARAMETERS} == set(GenerationParameters.__struct_fields__)
