"""What the dialects of chat-completions mean, one fixture each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fault_server.reading import Answer
from hypothesis import given
from hypothesis import strategies as st

from desktop_chat.api.codec import ChatCompletionsDecoder
from desktop_chat.api.sse import ServerSentEvent
from desktop_chat.domain.deltas import (
    Finished,
    ReasoningDelta,
    ServerTimings,
    StreamDelta,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from desktop_chat.domain.errors import ProtocolError


def event(payload: object, name: str = "message") -> ServerSentEvent:
    return ServerSentEvent(name, payload if isinstance(payload, str) else json.dumps(payload))


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def decoded(*payloads: object, split_think_tags: bool = True) -> list[StreamDelta]:
    decoder = ChatCompletionsDecoder(split_think_tags=split_think_tags)
    return [*decoder.decode_all(map(event, payloads)), *decoder.flush()]


def answer_of(*payloads: object, split_think_tags: bool = True) -> Answer:
    answer = Answer()
    answer.add_all(decoded(*payloads, split_think_tags=split_think_tags))
    return answer


class TestText:
    def test_a_string(self) -> None:
        assert decoded(chunk(content="Hello")) == [TextDelta("Hello")]

    @pytest.mark.parametrize("content", [None, "", [], [{"type": "reference", "reference_ids": [1]}]])
    def test_nothing_gives_no_delta(self, content: object) -> None:
        assert decoded(chunk(content=content)) == []

    def test_typed_chunks_of_mistral(self) -> None:
        content = [
            {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
            {"type": "text", "text": "Hel"},
            {"type": "image_url", "image_url": "x"},
            {"type": "text", "text": "lo"},
        ]
        assert decoded(chunk(content=content)) == [ReasoningDelta("hm"), TextDelta("Hello")]

    def test_other_choices_are_not_the_answer(self) -> None:
        payload = {
            "choices": [{"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": {"content": "yes"}}]
        }
        assert decoded(payload) == [TextDelta("yes")]

    def test_a_refusal_is_shown(self) -> None:
        assert decoded(chunk(content=None, refusal="I can't.")) == [TextDelta("I can't.")]

    @pytest.mark.parametrize("payload", [{}, {"choices": []}, {"choices": None}, {"choices": [{"index": 0}]}])
    def test_chunks_without_choices_are_nothing(self, payload: object) -> None:
        assert decoded(payload) == []


class TestReasoning:
    @pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
    def test_its_fields(self, field: str) -> None:
        assert decoded(chunk(**{field: "hm", "content": None})) == [ReasoningDelta("hm")]

    def test_details_alone(self) -> None:
        details = [
            {"type": "reasoning.summary", "summary": "sum"},
            {"type": "reasoning.text", "text": "hm"},
            {"type": "reasoning.encrypted", "data": "zzz"},
        ]
        assert decoded(chunk(reasoning_details=details)) == [ReasoningDelta("sumhm")]

    def test_the_same_text_in_three_fields_is_shown_once(self) -> None:
        details = [{"type": "reasoning.text", "text": "hm"}]
        both = chunk(reasoning="hm", reasoning_content="hm", reasoning_details=details)
        assert decoded(both) == [ReasoningDelta("hm")]

    def test_details_that_follow_the_field_repeat_it(self) -> None:
        details = [{"type": "reasoning.text", "text": "hm"}]
        assert decoded(chunk(reasoning="hm"), chunk(reasoning_details=details)) == [ReasoningDelta("hm")]


class TestThinkTags:
    TEXT = "<think>\nhm <b>\n</think>\n\nHello </think> <think>"
    REASONING, ANSWER = "hm <b>\n", "Hello </think> <think>"

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
    def test_cut_anywhere(self, size: int) -> None:
        pieces = [self.TEXT[at : at + size] for at in range(0, len(self.TEXT), size)]
        answer = answer_of(*(chunk(content=piece) for piece in pieces))
        assert (answer.reasoning, answer.text) == (self.REASONING, self.ANSWER)

    def test_only_at_the_start(self) -> None:
        text = "Use <think>hm</think> like this"
        answer = answer_of(*(chunk(content=character) for character in text))
        assert (answer.reasoning, answer.text) == ("", text)

    def test_left_alone_on_request(self) -> None:
        answer = answer_of(chunk(content=self.TEXT), split_think_tags=False)
        assert (answer.reasoning, answer.text) == ("", self.TEXT)

    @pytest.mark.parametrize("text", ["<thi", "  ", "<", " \n<think", "<thinking>no"])
    def test_what_only_looks_like_a_tag_is_text(self, text: str) -> None:
        assert answer_of(*(chunk(content=character) for character in text)).text == text

    @given(
        st.lists(
            st.sampled_from(["<think>", "</think>", "<", "/think>", "a", "\n", " ", "</", "é"]), max_size=12
        )
    )
    def test_nothing_but_tags_and_the_space_around_them_is_lost(self, pieces: list[str]) -> None:
        text = "".join(pieces)
        cut = answer_of(*(chunk(content=piece) for piece in pieces))
        whole = answer_of(chunk(content=text)) if text else Answer()
        assert (cut.text, cut.reasoning) == (whole.text, whole.reasoning)
        kept = (cut.reasoning + cut.text).replace("\n", "").replace(" ", "")
        bare = text.replace("\n", "").replace(" ", "")
        assert kept in (
            bare,
            bare.replace("<think>", "", 1),
            bare.replace("<think>", "", 1).replace("</think>", "", 1),
        )


class TestSurrogates:
    HIGH, LOW = r"\ud83d", r"\ude00"

    def raw(self, field: str, text: str) -> str:
        return f'{{"choices":[{{"index":0,"delta":{{"{field}":"{text}"}}}}]}}'

    @pytest.mark.parametrize("field", ["content", "reasoning_content"])
    def test_halves_in_two_deltas_become_one_character(self, field: str) -> None:
        answer = answer_of(self.raw(field, "a" + self.HIGH), self.raw(field, self.LOW + "b"))
        assert answer.text + answer.reasoning == "a😀b"

    def test_halves_of_different_channels_do_not_meet(self) -> None:
        answer = answer_of(self.raw("content", self.HIGH), self.raw("reasoning", self.LOW))
        assert (answer.text, answer.reasoning) == ("\ufffd", "\ufffd")

    @pytest.mark.parametrize(
        ("pieces", "text"),
        [
            ([HIGH, "x"], "\ufffdx"),
            ([LOW], "\ufffd"),
            ([HIGH], "\ufffd"),
            ([HIGH, HIGH, LOW], "\ufffd😀"),
            ([HIGH + LOW + HIGH, LOW], "😀😀"),
        ],
    )
    def test_lone_halves_become_the_replacement_character(self, pieces: list[str], text: str) -> None:
        assert answer_of(*(self.raw("content", piece) for piece in pieces)).text == text

    def test_in_the_arguments_of_a_tool_call(self) -> None:
        call = '{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"%s"}}]}}]}'
        answer = answer_of(call % self.HIGH, call % self.LOW)
        assert answer.tool_calls == [{"id": "", "name": "f", "arguments": "😀"}]


class TestToolCalls:
    @staticmethod
    def piece(**call: Any) -> dict[str, Any]:
        function = {key: call.pop(key) for key in ("name", "arguments") if key in call}
        return chunk(tool_calls=[{**call, "function": function}])

    def test_whole_and_without_an_index(self) -> None:
        answer = answer_of(
            self.piece(id="a", name="look", arguments='{"x": 1}'),
            self.piece(id="b", name="find", arguments={"y": "é"}),
        )
        assert answer.tool_calls == [
            {"id": "a", "name": "look", "arguments": '{"x": 1}'},
            {"id": "b", "name": "find", "arguments": '{"y": "é"}'},
        ]

    def test_in_pieces_without_id_and_with_an_empty_name(self) -> None:
        answer = answer_of(
            self.piece(index=0, id="a", name="look", arguments=""),
            self.piece(index=0, id="", name="", arguments='{"x"'),
            self.piece(index=0, id=None, name=None, arguments=": 1}"),
        )
        assert answer.tool_calls == [{"id": "a", "name": "look", "arguments": '{"x": 1}'}]

    def test_pieces_that_repeat_id_and_name(self) -> None:
        answer = answer_of(
            *(self.piece(index=0, id="a", name="look", arguments=part) for part in ("{", "}")),
        )
        assert answer.tool_calls == [{"id": "a", "name": "look", "arguments": "{}"}]

    def test_interleaved_by_index(self) -> None:
        answer = answer_of(
            self.piece(index=0, id="a", name="f", arguments="1"),
            self.piece(index=1, id="b", name="g", arguments="2"),
            self.piece(index=0, arguments="3"),
            self.piece(index=1, arguments="4"),
        )
        assert [call["arguments"] for call in answer.tool_calls] == ["13", "24"]

    def test_whole_calls_that_are_all_number_0(self) -> None:
        answer = answer_of(
            self.piece(index=0, id="a", name="f", arguments="1"),
            self.piece(index=0, id="b", name="g", arguments="2"),
        )
        assert [call["name"] for call in answer.tool_calls] == ["f", "g"]

    def test_whole_calls_with_neither_index_nor_id(self) -> None:
        answer = answer_of(self.piece(name="f", arguments="1"), self.piece(name="g", arguments="2"))
        assert [call["name"] for call in answer.tool_calls] == ["f", "g"]

    def test_a_string_as_index(self) -> None:
        answer = answer_of(
            self.piece(index="0", id="a", name="f", arguments="1"), self.piece(index="0", arguments="2")
        )
        assert [call["arguments"] for call in answer.tool_calls] == ["12"]

    def test_the_old_function_call(self) -> None:
        deltas = decoded(
            chunk(function_call={"name": "f", "arguments": "{"}), chunk(function_call={"arguments": "}"})
        )
        assert deltas == [ToolCallDelta(0, name="f", arguments="{"), ToolCallDelta(0, arguments="}")]


class TestUsage:
    def last(self, *payloads: object) -> Any:
        return [delta for delta in decoded(*payloads) if isinstance(delta, UsageReport)][-1]

    def test_the_last_value_wins_and_is_kept_raw(self) -> None:
        first, last = {"completion_tokens": 1}, {"prompt_tokens": 3, "completion_tokens": 2, "odd": [1]}
        usage = self.last({"choices": [], "usage": first}, {"choices": [], "usage": last}).usage
        assert (usage.prompt_tokens, usage.completion_tokens, usage.raw) == (3, 2, last)

    def test_details(self) -> None:
        usage = self.last(
            {
                "usage": {
                    "completion_tokens_details": {"reasoning_tokens": 5},
                    "prompt_tokens_details": {"cached_tokens": 6},
                    "cost": 0.25,
                }
            }
        ).usage
        assert (usage.reasoning_tokens, usage.cached_tokens, usage.cost) == (5, 6, 0.25)

    def test_wrong_types_count_as_absent(self) -> None:
        usage = self.last(
            {"usage": {"prompt_tokens": "3", "completion_tokens": True, "total_tokens": -1, "cost": "x"}}
        ).usage
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, usage.cost) == (None,) * 4

    def test_xai_ticks_and_deepseek_cache(self) -> None:
        usage = self.last(
            {"usage": {"cost_in_usd_ticks": 25_000_000_000, "prompt_cache_hit_tokens": 4}}
        ).usage
        assert (usage.cost, usage.cached_tokens) == (2.5, 4)

    def test_under_x_groq_with_times(self) -> None:
        raw = {"completion_tokens": 50, "completion_time": 0.5, "prompt_time": 0.1}
        report = self.last({**chunk("stop"), "x_groq": {"usage": raw}})
        assert report.usage.raw == raw
        assert report.timings == ServerTimings(
            prompt_seconds=0.1, completion_seconds=0.5, tokens_per_second=100.0, completion_tokens=50
        )

    def test_inside_the_choice(self) -> None:
        payload = {
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"prompt_tokens": 9}}]
        }
        assert self.last(payload).usage.prompt_tokens == 9

    def test_timings_of_llamacpp_are_milliseconds(self) -> None:
        timings = self.last(
            {
                "choices": [],
                "timings": {
                    "prompt_ms": 500,
                    "predicted_ms": 2000.0,
                    "predicted_n": 10,
                    "predicted_per_second": 5.0,
                },
            }
        ).timings
        assert timings == ServerTimings(
            prompt_seconds=0.5, completion_seconds=2.0, tokens_per_second=5.0, completion_tokens=10
        )


class TestEnd:
    @pytest.mark.parametrize(
        "reason", ["stop", "length", "tool_calls", "model_length", "abort", "something_new"]
    )
    def test_reasons_are_an_open_set(self, reason: str) -> None:
        decoder = ChatCompletionsDecoder()
        assert decoder.decode(event(chunk(reason))) == [Finished(reason)]
        assert (decoder.finish_reason, decoder.complete, decoder.done) == (reason, True, False)

    def test_a_second_finish_is_told_once(self) -> None:
        assert decoded(chunk("stop"), chunk("stop")) == [Finished("stop")]

    def test_an_empty_reason_from_the_first_chunk_on_means_none(self) -> None:
        decoder = ChatCompletionsDecoder()
        decoder.decode_all([event(chunk("", content="a")), event(chunk("", content="b"))])
        assert not decoder.complete

    def test_done_with_space_around(self) -> None:
        decoder = ChatCompletionsDecoder()
        decoder.decode(event(" [DONE] "))
        assert decoder.done

    def test_nothing_counts_after_done(self) -> None:
        assert decoded("[DONE]", chunk(content="x")) == []

    def test_held_back_text_comes_before_the_finish(self) -> None:
        assert decoded(chunk(content="<thi"), chunk("stop")) == [TextDelta("<thi"), Finished("stop")]


class TestWholeCompletion:
    def test_it_is_an_answer_too(self) -> None:
        body = {
            "choices": [
                {
                    "message": {
                        "content": "<think>hm</think>Hello",
                        "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}],
                    },
                    "finish_reason": "tool_calls",
                }
            ],
            "usage": {"prompt_tokens": 1},
        }
        decoder = ChatCompletionsDecoder()
        answer = Answer()
        answer.add_all(decoder.decode_completion(json.dumps(body).encode()))
        assert (answer.text, answer.reasoning) == ("Hello", "hm")
        assert answer.tool_calls == [{"id": "a", "name": "f", "arguments": "{}"}]
        assert answer.usage is not None
        assert (decoder.done, decoder.finish_reason) == (True, "tool_calls")

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"choices": []}', b"[" * 100_000])
    def test_anything_else_is_not(self, body: bytes) -> None:
        with pytest.raises(ProtocolError):
            ChatCompletionsDecoder().decode_completion(body)


NAMES = st.sampled_from(["choices", "delta", "content", "index", "error", "usage", "finish_reason"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=5,
)
DELTA_NAMES = st.sampled_from(
    [
        "content",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "tool_calls",
        "function_call",
        "refusal",
    ]
)
CHUNKS = st.dictionaries(DELTA_NAMES, JSON, max_size=3).map(lambda delta: {"choices": [{"delta": delta}]})


@given(st.lists(JSON | CHUNKS, max_size=4))
def test_no_shape_at_all_makes_it_raise(payloads: list[object]) -> None:
    decoder = ChatCompletionsDecoder()
    deltas = [*decoder.decode_all(map(event, payloads)), *decoder.flush()]
    assert all(delta.text for delta in deltas if isinstance(delta, TextDelta | ReasoningDelta))
    assert all(delta.text.encode() for delta in deltas if isinstance(delta, TextDelta | ReasoningDelta))
