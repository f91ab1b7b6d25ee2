"""What the user set and a server did not take is said in the window, once."""

from __future__ import annotations

import asyncio
import json

import msgspec
from fault_server.server import FaultServer
from fault_server.wire import ANSWER, ANSWER_TEXT, head, response
from gui import test_window

from desktop_chat.domain.profiles import Profile
from desktop_chat.domain.requests import GenerationParameters

Start = test_window.Start
start = test_window.start
until = test_window.until


async def test_a_refused_seed_is_said_once(start: Start) -> None:
    run = await start()
    refusal = response("400 Bad Request", json.dumps({"error": {"message": "Unknown parameter: 'seed'."}}))
    async with FaultServer([refusal], [head(), ANSWER]) as server:
        profile = Profile(
            id="strict", name="Strict", base_url=server.base_url, default_model="m", needs_key=False
        )
        settings = run.controller.preferences.settings
        await run.controller.preferences.change(
            msgspec.structs.replace(
                settings, profiles=(*settings.profiles, profile), default_profile_id=profile.id
            )
        )
        conversation = await run.controller.library.create()
        await run.controller.library.configure(conversation.id, parameters=GenerationParameters(seed=7))
        await run.controller.open(conversation.id)
        run.type("hello")
        await run.answered()
        assert run.newest().text == ANSWER_TEXT
        assert run.window.toast.text == "The server does not accept “seed”; the request went without it."
        run.window.toast.hide()
        run.type("hello again")
        await run.answered()
        assert len(server.requests) == 3
        assert not run.window.toast.isVisible()
        await run.close()
        await asyncio.wait_for(server.all_clients_left(), 10)
