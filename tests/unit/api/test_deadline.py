"""A time limit for waits that follow each other ends the one that lasts too long, and no other."""

from __future__ import annotations

import asyncio
import math

import pytest

from desktop_chat.api.deadline import Deadline


def soon() -> float:
    return asyncio.get_running_loop().time() + 0.01


async def test_a_wait_beyond_it_ends_with_a_timeout_and_the_task_goes_on() -> None:
    deadline = Deadline(soon())
    with pytest.raises(TimeoutError), deadline:
        await asyncio.sleep(60)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_moving_it_prolongs_the_waits_with_the_same_timer() -> None:
    loop = asyncio.get_running_loop()
    deadline = Deadline(soon())
    timers = set()
    begun = loop.time()
    while loop.time() < begun + 0.1:
        with deadline:
            timers.add(deadline._timer)
            await asyncio.sleep(0.002)
        deadline.at = soon() + 0.02
    assert 1 <= len(timers - {None}) < 20  # of 50 waits
    deadline.close()


async def test_an_earlier_moment_counts_from_the_next_wait_on() -> None:
    deadline = Deadline(asyncio.get_running_loop().time() + 60)
    with deadline:
        await asyncio.sleep(0)
    deadline.at = soon()
    with pytest.raises(TimeoutError), deadline:
        await asyncio.sleep(60)


async def test_between_waits_it_ends_nothing() -> None:
    deadline = Deadline(soon())
    with deadline:
        await asyncio.sleep(0)
    await asyncio.sleep(0.03)
    deadline.at = math.inf
    with deadline:
        await asyncio.sleep(0)


async def test_a_moment_that_has_passed_ends_the_next_wait() -> None:
    deadline = Deadline(asyncio.get_running_loop().time() - 1)
    with pytest.raises(TimeoutError), deadline:
        await asyncio.sleep(60)


async def test_a_cancellation_of_others_stays_one() -> None:
    entered = asyncio.Event()

    async def wait() -> None:
        with Deadline(soon() + 60):
            entered.set()
            await asyncio.sleep(120)

    task = asyncio.create_task(wait())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_that_comes_together_with_it_wins() -> None:
    async def wait() -> None:
        deadline = Deadline()
        with deadline:
            deadline.at = 0.0
            deadline._ring()
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(60)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(wait())


async def test_other_errors_pass_through() -> None:
    with pytest.raises(ValueError, match="x"), Deadline(soon()):
        raise ValueError("x")
