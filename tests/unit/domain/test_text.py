from hypothesis import given
from hypothesis import strategies as st

from desktop_chat.domain.text import occurrences_in, sanitized_input, title_from, without_lone_surrogates

any_text = st.text(alphabet=st.characters() | st.characters(categories=["Cs"]), max_size=60)


@given(any_text)
def test_sanitized_text_can_be_stored_and_sent(text: str) -> None:
    clean = sanitized_input(text)
    clean.encode("utf-8")
    assert "\x00" not in clean
    assert "\r" not in clean


@given(st.text())
def test_text_without_surrogates_is_left_alone(text: str) -> None:
    assert without_lone_surrogates(text) == text


def test_surrogate_halves_that_meet_become_their_character() -> None:
    assert without_lone_surrogates("a\ud83d\ude00b\ud83d") == "a😀b\ufffd"


def test_titles_are_the_first_line_with_words_cut_between_words() -> None:
    assert title_from("\n\n  # Hello   world \nmore") == "Hello world"
    assert title_from("") == ""
    long = title_from("word " * 40)
    assert len(long) <= 61
    assert long.endswith("word…")
    assert title_from("x" * 500) == "x" * 60 + "…"


@given(
    st.lists(
        st.sampled_from(["ΟΔΟΣ", "Σ", " ", "\n", "x" * 30_000, "\u0307", "ö" * 20_000, "."]), max_size=12
    )
)
def test_long_texts_are_counted_in_as_lower_case_has_them(parts: list[str]) -> None:
    text = "".join(parts) * 3
    for needle in ("ς", "σ", "ος", "xo", "ö.", "\n"):
        assert occurrences_in(text, needle) == text.lower().count(needle)
