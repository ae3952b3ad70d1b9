"""When a deployment rests and how it comes back."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.gateways.llm.port import LlmAuthError, LlmRateLimitedError, LlmUnavailableError
from soullink.gateways.llm.routing.circuit import Circuit
from soullink.gateways.llm.routing.port import CircuitRules, Deployment, RetryRules, Route
from soullink.gateways.llm.routing.router import Router
from tests.gateways.llm.routing.support import (
    BookedInMemory,
    Played,
    VirtualTime,
    dawdling,
    failing,
    request,
    unavailable,
)

RULES = CircuitRules(failures=3, cooldown_seconds=5.0, longest_seconds=18.0)


def opened(now: float = 0.0) -> Circuit:
    circuit = Circuit(RULES)
    for _ in range(3):
        circuit.failed("llm_unavailable", now, probe=False)
    return circuit


def test_three_failures_in_a_row_open_it_and_an_answer_between_does_not() -> None:
    circuit = Circuit(RULES)
    for _ in range(5):
        circuit.failed("llm_unavailable", 0.0, probe=False)
        circuit.failed("llm_unavailable", 0.0, probe=False)
        circuit.answered(probe=False)
    assert circuit.state(0.0) == "closed"
    assert opened().state(0.0) == "open"


def test_every_failed_probe_doubles_the_rest_up_to_the_longest() -> None:
    circuit = opened()
    now = 0.0
    for rest in (5.0, 10.0, 18.0, 18.0):
        assert circuit.wait_seconds(now) == rest
        assert not circuit.admits(now + rest - 0.01)
        now += rest
        assert circuit.state(now) == "half_open"
        assert circuit.admits(now)
        assert circuit.enter()
        assert not circuit.admits(now)
        circuit.failed("llm_unavailable", now, probe=True)
    now += 18.0
    assert circuit.enter()
    circuit.answered(probe=True)
    assert circuit.state(now) == "closed"
    for _ in range(3):
        circuit.failed("llm_unavailable", now, probe=False)
    assert circuit.wait_seconds(now) == 5.0


def test_an_abandoned_probe_leaves_its_place_to_the_next() -> None:
    circuit = opened()
    assert circuit.enter()
    circuit.abandoned(probe=True)
    assert circuit.admits(5.0)


def test_what_was_sent_before_it_opened_neither_closes_nor_prolongs_it() -> None:
    circuit = opened()
    circuit.answered(probe=False)
    circuit.failed("llm_unavailable", 3.0, probe=False)
    assert circuit.wait_seconds(0.0) == 5.0


def test_a_wrong_key_opens_it_at_once_and_a_rate_limit_for_as_long_as_it_says() -> None:
    circuit = Circuit(RULES)
    circuit.failed("llm_auth", 0.0, probe=False, at_once=True)
    assert circuit.state(0.0) == "open"
    circuit = Circuit(RULES)
    circuit.told_to_rest("llm_rate_limited", 7.0, 0.0, probe=False)
    assert circuit.wait_seconds(0.0) == 7.0
    circuit.told_to_rest("llm_rate_limited", 3.0, 1.0, probe=False)
    assert circuit.wait_seconds(1.0) == 6.0
    circuit.told_to_rest("llm_rate_limited", 9000.0, 1.0, probe=False)
    assert circuit.wait_seconds(1.0) == 18.0


events = st.lists(st.sampled_from(["answer", "fail", "auth", "rest", "drop", "tick"]), max_size=60)


@given(events)
def test_at_most_one_probe_is_out_whatever_happens(course: list[str]) -> None:
    circuit = Circuit(RULES)
    now = 0.0
    in_flight: list[bool] = []
    for event in course:
        if event == "tick":
            now += 2.5
            while circuit.admits(now) and len(in_flight) < 4:
                in_flight.append(circuit.enter())
            assert sum(in_flight) <= 1
        elif in_flight:
            probe = in_flight.pop(0)
            if event == "answer":
                circuit.answered(probe=probe)
            elif event == "drop":
                circuit.abandoned(probe=probe)
            elif event == "rest":
                circuit.told_to_rest("llm_rate_limited", 4.0, now, probe=probe)
            else:
                circuit.failed("llm_x", now, probe=probe, at_once=event == "auth")
    # However it went, it comes back: nothing is held by a request that has ended.
    for probe in in_flight:
        circuit.abandoned(probe=probe)
    assert circuit.admits(now + RULES.longest_seconds)


@pytest.mark.anyio
async def test_under_concurrency_exactly_one_probe_decides_for_all() -> None:
    time = VirtualTime()
    model = Played("a", unavailable())
    route = Route(
        "r",
        (Deployment("a", model),),
        retry=RetryRules(attempts=1),
        circuit=CircuitRules(failures=1, cooldown_seconds=5.0),
    )
    router = Router([route], ledger=BookedInMemory(), monotonic=time)
    routed = router.model("r")
    with pytest.raises(type(unavailable())):
        await routed.complete(request())
    assert router.states()[0].circuit == "open"
    assert router.states()[0].until_seconds == 5.0

    time.now += 5.0
    assert router.states()[0].circuit == "half_open"
    held = asyncio.Event()
    told: list[int] = []

    async def answer(_: object) -> str:
        told.append(model.in_flight)
        await held.wait()
        return "back again"

    model.answers = [answer]
    calls = [asyncio.ensure_future(routed.complete(request())) for _ in range(50)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert told == [1]
    held.set()
    replies = await asyncio.gather(*calls)
    assert {reply.text for reply in replies} == {"back again"}
    assert router.states()[0].circuit == "closed"
    assert len(model.requests) == 51


@pytest.mark.anyio
async def test_a_cancelled_probe_does_not_lock_the_deployment_out() -> None:
    time = VirtualTime()
    model = Played("a", unavailable(), dawdling(60.0), "back")
    route = Route(
        "r",
        (Deployment("a", model),),
        retry=RetryRules(attempts=1),
        circuit=CircuitRules(failures=1, cooldown_seconds=5.0),
    )
    router = Router([route], ledger=BookedInMemory(), monotonic=time)
    with pytest.raises(type(unavailable())):
        await router.model("r").complete(request())
    time.now += 5.0
    probe = asyncio.ensure_future(router.model("r").complete(request()))
    await asyncio.sleep(0.01)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert (await router.model("r").complete(request())).text == "back"


@pytest.mark.anyio
async def test_while_all_rest_calls_wait_or_hear_at_once_when_that_would_be_too_long() -> None:
    time = VirtualTime()
    model = Played(
        "a", failing(LlmRateLimitedError("slow down"), retry_after_seconds=4.0), "better late"
    )
    route = Route("r", (Deployment("a", model),), retry=RetryRules(attempts=1))
    router = Router([route], ledger=BookedInMemory(), monotonic=time, sleep=time.sleep)
    with pytest.raises(LlmRateLimitedError):
        await router.model("r").complete(request())
    with pytest.raises(LlmRateLimitedError) as caught:
        await router.model("r").complete(request(timeout_seconds=3.0))
    assert caught.value.retry_after_seconds == pytest.approx(4.0)
    assert caught.value.attempts == 0
    assert caught.value.may_be_billed is False
    started = time.now
    assert (await router.model("r").complete(request())).text == "better late"
    assert time.now - started == pytest.approx(4.0, abs=0.01)


@pytest.mark.anyio
async def test_a_wrong_key_is_not_tried_again_by_the_next_call() -> None:
    time = VirtualTime()
    barred, good = Played("a", LlmAuthError("wrong key")), Played("b")
    route = Route("r", (Deployment("a", barred), Deployment("b", good, priority=1)), "priority")
    router = Router([route], ledger=BookedInMemory(), monotonic=time, sleep=time.sleep)
    for _ in range(4):
        assert (await router.model("r").complete(request())).text == "This is b."
    assert len(barred.requests) == 1


@pytest.mark.anyio
async def test_nobody_waits_for_a_refused_key_and_one_call_in_each_rest_tries_it_again() -> None:
    time = VirtualTime()
    model = Played("a", LlmAuthError("wrong key"), LlmAuthError("wrong key"), "mended")
    router = Router(
        [Route("r", (Deployment("a", model),))],
        ledger=BookedInMemory(),
        monotonic=time,
        sleep=time.sleep,
    )
    routed = router.model("r")
    for rest in (5.0, 10.0):
        with pytest.raises(LlmAuthError):
            await routed.complete(request())
        began = time.now
        for _ in range(3):
            with pytest.raises(LlmUnavailableError, match="llm_auth") as caught:
                await routed.complete(request())
            assert caught.value.may_be_billed is False
        assert time.now == began
        time.now += rest
    assert (await routed.complete(request())).text == "mended"
    assert len(model.requests) == 3
