"""Every scenario of the fault server, through the public client, over real sockets."""

from __future__ import annotations

import asyncio

import pytest
from fault_server.reading import read_answer
from fault_server.scenario import Scenario
from fault_server.scenarios import SCENARIOS
from fault_server.server import FaultServer

from desktop_chat.api.client import ChatClient
from desktop_chat.domain.profiles import Dialect

CATCH_S = 30.0
"""Ends a test that hangs; nothing is asserted about time."""


def test_there_are_enough_scenarios_with_names_of_their_own() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS) >= 60


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_scenario(scenario: Scenario) -> None:
    scripts = (scenario.script, scenario.then) if scenario.then else (scenario.script,)
    async with asyncio.timeout(CATCH_S), FaultServer(*scripts) as server:
        async with ChatClient(
            server.base_url, Dialect.OPENAI, "sk-test", timeouts=scenario.timeouts
        ) as client:
            answer = await read_answer(client)
        await server.all_clients_left()
    error = answer.error
    assert (error.kind if error else None) == scenario.kind, error and error.report()
    assert answer.text == scenario.text
    assert answer.reasoning == scenario.reasoning
    assert answer.tool_calls == scenario.tool_calls
    assert answer.finish_reason == scenario.finish_reason
    if error:
        report = error.report()
        assert scenario.sentence in report.sentence
        assert report.sentence.endswith((".", "…"))
        assert report.advice
        assert scenario.message in report.message
        assert {name: getattr(error, name) for name in scenario.facts} == scenario.facts
    assert any(scenario.warning in warning for warning in answer.warnings or ("",))
    assert bool(answer.warnings) == bool(scenario.warning)
