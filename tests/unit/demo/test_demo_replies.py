"""The written pages: each is found, each keeps its promises."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_chat import resources
from desktop_chat.demo.prompts import EXAMPLE_PROMPTS, PYTHON
from desktop_chat.demo.replies import _topic_of, reply_to
from desktop_chat.demo.tokens import cut, pieces
from desktop_chat.demo.validation import ChatCall, Refused

PAGES = sorted(page.name.removesuffix(".md") for page in resources.resource("demo").iterdir())


def answer(question: str, model: str = "demo-tour") -> str:
    return "".join(reply_to(ChatCall(model=model, texts=(question,), question=question)).tokens)


@given(st.text())
def test_pieces_join_to_the_text(text: str) -> None:
    tokens = pieces(text)
    assert "".join(tokens) == text
    assert all(tokens)


@given(st.text(), st.integers(0, 50))
def test_cut_keeps_the_first_characters(text: str, length: int) -> None:
    assert "".join(cut(pieces(text), length)) == text[:length]


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("Hello!", "hello"),
        ("hi", "hello"),
        ("Who are you?", "identity"),
        ("Are you a model?", "identity"),
        ("thanks", "thanks"),
        ("What can you do?", "tour"),
        ("Show me what you can do.", "tour"),
        ("How does streaming work?", "streaming"),
        ("Show me a table", "tables"),
        ("Do you support LaTeX formulas?", "math"),
        ("some rust code please", "code"),
        ("What does TTFT mean?", "metrics"),
        ("How do I stop an answer?", "stopping"),
        ("Where is my history saved?", "conversations"),
        ("Is this private? Where are my keys?", "privacy"),
        ("can I use it in a shell script", "commandline"),
        ("How do I connect Ollama?", "providers"),
        ("Which keyboard shortcuts are there?", "shortcuts"),
        ("help", "help"),
        ("write 500 words", "long"),
        ("Write a long essay", "long"),
        ("What is the capital of France?", "fallback"),
        ("", "fallback"),
    ],
)
def test_questions_find_their_page(question: str, topic: str) -> None:
    assert _topic_of(question) == topic


@pytest.mark.parametrize("prompt", EXAMPLE_PROMPTS)
def test_example_prompts_have_pages_of_their_own(prompt: str) -> None:
    assert answer(prompt) == answer(prompt.upper() + "!")
    assert answer(prompt) != answer("What is the capital of France?")
    assert len({answer(other) for other in EXAMPLE_PROMPTS}) == len(EXAMPLE_PROMPTS)


@pytest.mark.parametrize("page", PAGES)
def test_each_page_says_that_it_is_no_model(page: str) -> None:
    beginning = resources.read_text(f"demo/{page}.md")[:900]
    assert re.search(r"no model|demo server", beginning)


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_tidy(page: str) -> None:
    text = resources.read_text(f"demo/{page}.md")
    assert text.endswith("\n")
    assert "\t" not in text
    assert text.count("\n```") % 2 == 0
    assert not re.search(r"[^ ] +\n", text)


def test_code_of_the_python_page_passes_its_own_tests(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", answer(PYTHON), re.DOTALL | re.MULTILINE)
    (tmp_path / "test_merged.py").write_text("\n".join(blocks), encoding="utf-8")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert "8 passed" in run.stdout


def test_directive_applies_to_the_question_after_it() -> None:
    call = ChatCall(model="demo-tour", texts=(), question="/slow 2.5 Show me a table")
    reply = reply_to(call)
    assert reply.delay_s == pytest.approx(2.5)
    assert "".join(reply.tokens) == answer("Show me a table")


def test_an_error_that_was_had_is_not_had_again_with_the_next_question() -> None:
    joined = "/error 401\n\n/error 429\n\nShow me a table"
    assert "".join(reply_to(ChatCall(model="demo-tour", texts=(), question=joined)).tokens) == answer(
        "Show me a table"
    )
    for asked in ("/error 401", "/error 429\n\n/error 401", "/error 401 and a table"):
        with pytest.raises(Refused) as refused:
            reply_to(ChatCall(model="demo-tour", texts=(), question=asked))
        assert refused.value.status == 401


@pytest.mark.parametrize(
    "question",
    ["/nonsense 5", "/ what", "/usr/bin/python", "/slow nonsense", "/cut 1.2.3", "/tokens x", "/..."],
)
def test_odd_directives_get_an_answer(question: str) -> None:
    assert reply_to(ChatCall(model="demo-tour", texts=(), question=question)).tokens
