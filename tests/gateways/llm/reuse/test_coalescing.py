"""Equal calls in flight share one, whoever leaves."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soullink.gateways.llm.port import (
    ChatReply,
    LlmAuthError,
    LlmTimeoutError,
    LlmUnavailableError,
    Usage,
)
from soullink.gateways.llm.reuse.coalescing import Coalescer
from tests.gateways.llm.reuse.replies import reply

pytestmark = pytest.mark.anyio


class Provider:
    """Answers when told to; counts calls, and those that were cancelled."""

    def __init__(self) -> None:
        self.calls = 0
        self.cancelled = 0
        self.answer = asyncio.Event()
        self.error: Exception | None = None

    async def start(self) -> ChatReply:
        self.calls += 1
        number = self.calls
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return reply(f"answer {number}")


async def steps(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


Run = Callable[..., "asyncio.Task[ChatReply]"]


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def coalescer() -> Coalescer:
    return Coalescer()


@pytest.fixture
def run(provider: Provider, coalescer: Coalescer) -> Run:
    def asked(key: str = "k", **options: float) -> "asyncio.Task[ChatReply]":
        call: Coroutine[Any, Any, ChatReply] = coalescer.run(key, provider.start, **options)
        return asyncio.get_running_loop().create_task(call)

    return asked


async def test_equal_calls_share_one_and_only_the_first_pays(
    provider: Provider, coalescer: Coalescer, run: Run
) -> None:
    first, second, third = run(), run(), run()
    await steps()
    assert (provider.calls, coalescer.in_flight) == (1, 1)
    provider.answer.set()
    led, *followed = await asyncio.gather(first, second, third)
    assert (led.text, led.cost_nano_usd, led.reused) == ("answer 1", 1200, "")
    for got in followed:
        assert (got.text, got.cost_nano_usd, got.reused) == ("answer 1", 0, "coalesced")
        assert got.latency_seconds < 0.5
    assert coalescer.in_flight == 0
    assert (await run()).text == "answer 2"


async def test_other_keys_do_not_share(provider: Provider, run: Run) -> None:
    provider.answer.set()
    one, other = await asyncio.gather(run("tenant a"), run("tenant b"))
    assert {one.reused, other.reused} == {""}
    assert provider.calls == 2


async def test_a_follower_who_leaves_disturbs_nobody(provider: Provider, run: Run) -> None:
    leader, follower, other = run(), run(), run()
    await steps()
    follower.cancel()
    with pytest.raises(asyncio.CancelledError):
        await follower
    provider.answer.set()
    assert (await leader).text == (await other).text == "answer 1"
    assert (provider.calls, provider.cancelled) == (1, 0)


async def test_the_call_outlives_its_leader_while_somebody_waits(
    provider: Provider, run: Run
) -> None:
    leader, follower = run(), run()
    await steps()
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    joined = run()
    await steps()
    provider.answer.set()
    assert (await follower).text == (await joined).text == "answer 1"
    assert (provider.calls, provider.cancelled) == (1, 0)


async def test_the_last_to_leave_cancels_the_call_and_sees_it_end(
    provider: Provider, coalescer: Coalescer, run: Run
) -> None:
    callers = [run(), run()]
    await steps()
    for caller in callers:
        caller.cancel()
    assert all(
        isinstance(end, asyncio.CancelledError)
        for end in await asyncio.gather(*callers, return_exceptions=True)
    )
    assert (provider.cancelled, coalescer.in_flight) == (1, 0)
    provider.answer.set()
    assert (await run()).text == "answer 2"


async def test_a_caller_cancelled_before_the_first_step_leaves_nothing_behind(
    provider: Provider, coalescer: Coalescer, run: Run
) -> None:
    caller = run()
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert coalescer.in_flight == 0
    provider.answer.set()
    assert (await run()).reused == ""


async def test_an_error_is_shared_and_charged_once(provider: Provider, run: Run) -> None:
    provider.error = LlmUnavailableError("down")
    provider.error.usage = Usage(7, 0)
    provider.error.retry_after_seconds = 3.0
    leader, follower = run(), run()
    await steps()
    provider.answer.set()
    with pytest.raises(LlmUnavailableError) as led:
        await leader
    with pytest.raises(LlmUnavailableError, match="down") as followed:
        await follower
    assert (led.value.usage, led.value.may_be_billed) == (Usage(7, 0), True)
    assert (followed.value.usage, followed.value.may_be_billed) == (None, False)
    assert followed.value.retry_after_seconds == 3.0
    assert followed.value is not led.value


async def test_a_bug_reaches_everybody(provider: Provider, run: Run) -> None:
    provider.error = ZeroDivisionError()
    provider.answer.set()
    ends = await asyncio.gather(run(), run(), return_exceptions=True)
    assert [type(end) for end in ends] == [ZeroDivisionError, ZeroDivisionError]


async def test_a_follower_waits_no_longer_than_it_said(provider: Provider, run: Run) -> None:
    leader = run(timeout_seconds=60.0)
    await steps()
    with pytest.raises(LlmTimeoutError, match=r"0\.01 seconds") as late:
        await run(timeout_seconds=0.01)
    assert late.value.may_be_billed is False
    provider.answer.set()
    assert (await leader).text == "answer 1"
    assert (provider.calls, provider.cancelled) == (1, 0)


async def test_a_follower_left_alone_cancels_the_call_when_its_time_is_up(
    provider: Provider, run: Run
) -> None:
    leader = run(timeout_seconds=60.0)
    follower = run(timeout_seconds=0.02)
    await steps()
    leader.cancel()
    with pytest.raises(LlmTimeoutError):
        await follower
    assert provider.cancelled == 1


async def test_nobody_joins_a_call_that_may_end_long_before_its_own_time(
    provider: Provider, run: Run
) -> None:
    short, long, longer = (run(timeout_seconds=s) for s in (1.0, 60.0, 60.0))
    await steps()
    assert provider.calls == 2
    provider.answer.set()
    assert [(await each).text for each in (short, long, longer)] == [
        "answer 1",
        "answer 2",
        "answer 2",
    ]


async def test_closing_tells_everybody_even_before_the_first_step(
    provider: Provider, coalescer: Coalescer, run: Run
) -> None:
    callers = [run("a"), run("a"), run("b")]
    await steps()
    callers.append(run("c"))
    await asyncio.sleep(0)  # its call is a task that has not begun
    await coalescer.close()
    ends = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(end) for end in ends] == [LlmUnavailableError] * 4
    assert (provider.cancelled, coalescer.in_flight) == (2, 0)
    await coalescer.close()


PLANS = st.lists(
    st.tuples(
        st.integers(0, 12),  # when the caller comes
        st.one_of(st.none(), st.integers(0, 12)),  # how many steps later it is cancelled
        st.sampled_from("ab"),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(PLANS, st.integers(1, 8), st.booleans())
def test_whoever_leaves_every_caller_gets_an_answer_or_its_own_cancellation(
    plan: list[tuple[int, int | None, str]], duration: int, fails: bool
) -> None:
    asyncio.run(_play(plan, duration, fails))


async def _play(plan: list[tuple[int, int | None, str]], duration: int, fails: bool) -> None:
    coalescer = Coalescer()
    running = {"a": 0, "b": 0}
    given_out: list[str] = []

    def starting(key: str) -> Callable[[], Coroutine[Any, Any, ChatReply]]:
        async def start() -> ChatReply:
            assert running[key] == 0, "two calls for one key at the same time"
            running[key] += 1
            try:
                await steps(duration)
            finally:
                running[key] -= 1
            if fails:
                raise LlmAuthError("no")
            given_out.append(key)
            return reply(f"{key} {len(given_out)}")

        return start

    callers: list[tuple[asyncio.Task[ChatReply], bool]] = []
    for now in range(40):
        for index, (comes, goes, key) in enumerate(plan):
            if comes == now:
                call = asyncio.create_task(coalescer.run(key, starting(key)), name=str(index))
                callers.append((call, goes is not None))
            if goes is not None and comes + goes == now:
                next(task for task, _ in callers if task.get_name() == str(index)).cancel()
        await asyncio.sleep(0)
    paid: dict[str, int] = {}
    for caller, was_cancelled in callers:
        (end,) = await asyncio.gather(caller, return_exceptions=True)
        if isinstance(end, ChatReply):
            paid[end.text] = paid.get(end.text, 0) + (end.cost_nano_usd or 0)
        elif isinstance(end, asyncio.CancelledError):
            assert was_cancelled
        else:
            assert fails
            assert isinstance(end, LlmAuthError)
    assert all(cost <= 1200 for cost in paid.values())  # one bill for one call at most
    assert (coalescer.in_flight, running) == (0, {"a": 0, "b": 0})
