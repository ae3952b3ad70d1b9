"""A time limit around work that may or may not wait."""

import asyncio

import pytest

from soullink.gateways.llm.routing.in_time import TimeLimits

pytestmark = pytest.mark.anyio


async def _nothing() -> None:
    return


async def test_work_that_does_not_wait_is_done_whatever_time_there_is() -> None:
    await TimeLimits().finish(_nothing(), -1.0)


async def test_work_that_waits_goes_on_and_its_errors_come_through() -> None:
    async def failing() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        raise KeyError("x")

    await TimeLimits().finish(asyncio.sleep(0.001), 5.0)
    with pytest.raises(KeyError):
        await TimeLimits().finish(failing(), 5.0)


async def test_work_that_takes_too_long_is_cancelled_and_the_task_goes_on() -> None:
    ended: list[str] = []

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    with pytest.raises(TimeoutError):
        await TimeLimits().finish(long(), 0.01)
    assert ended == ["cancelled"]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_an_error_of_the_work_at_its_limit_leaves_no_cancellation_behind() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise KeyError("x") from None

    with pytest.raises(KeyError):
        await TimeLimits().finish(stubborn(), 0.01)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_cancellation_by_others_stays_one() -> None:
    async def waiting() -> None:
        await TimeLimits().finish(asyncio.sleep(60), 30.0)

    task = asyncio.ensure_future(waiting())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_many_limits_go_by_one_timer_and_each_ends_its_own_wait() -> None:
    limits = TimeLimits()
    loop = asyncio.get_running_loop()
    ended: list[tuple[float, float]] = []

    async def waiting(seconds: float, work_seconds: float) -> None:
        began = loop.time()
        try:
            await limits.finish(asyncio.sleep(work_seconds), seconds)
        except TimeoutError:
            ended.append((seconds, loop.time() - began))

    waits = [(30.0, 0.02), (0.05, 60.0), (0.02, 60.0), (0.08, 60.0), (0.03, 0.0)]
    await asyncio.gather(*(waiting(*wait) for wait in waits))
    assert [seconds for seconds, _ in ended] == [0.02, 0.05, 0.08]
    assert all(seconds - 0.002 <= took < seconds + 5.0 for seconds, took in ended)
    with pytest.raises(TimeoutError):
        await limits.finish(asyncio.sleep(60), 0.01)
