"""Whose turn it is: shares, places, full queues, cancelling and forgetting."""

import asyncio
import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from soullink.gateways.llm.limits.admission import FairAdmission
from soullink.gateways.llm.limits.port import Demand, RateLimit
from soullink.gateways.llm.limits.turns import CALL_COST
from soullink.gateways.llm.port import LlmRateLimitedError
from tests.gateways.llm.limits.calls import assert_clean, call
from tests.gateways.llm.limits.virtual_time import now, run


@given(
    weights=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    capacity=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_shares_follow_the_weights_within_the_bound_of_start_time_fair_queueing(
    weights: list[int], capacity: int, seed: int
) -> None:
    """Goyal, Vin and Cheng (1997), theorem 1: |Wf/rf - Wm/rm| <= lf/rf + lm/rm."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, no secret
    names = [str(number) for number in range(len(weights))]
    served: list[tuple[str, int]] = []

    async def main() -> None:
        admission = FairAdmission(
            capacity,
            1000,
            weights=dict(zip(names, weights, strict=True)),
            monotonic=now,
        )
        first = [
            asyncio.ensure_future(call(admission, Demand("first", "", "m", 0), seconds=1.0))
            for _ in range(capacity)
        ]
        await asyncio.sleep(0.0)

        async def one(name: str, tokens: int) -> None:
            async with admission.enter(Demand(name, "", "m", tokens), 1e6):
                served.append((name, tokens + CALL_COST))
                await asyncio.sleep(chance.random())

        calls = [(name, chance.randrange(1000)) for name in names for _ in range(40)]
        chance.shuffle(calls)
        await asyncio.gather(*first, *(one(*each) for each in calls))
        assert_clean(admission)

    run(main())
    assert len(served) == 40 * len(names)
    weight = dict(zip(names, weights, strict=True))
    left = dict.fromkeys(names, 40)
    had = dict.fromkeys(names, 0.0)
    most = {name: max(cost for who, cost in served if who == name) / weight[name] for name in names}
    for name, cost in served:
        if not all(left.values()):
            break  # from here on not everyone waits
        left[name] -= 1
        had[name] += cost / weight[name]
        for one in names:
            for other in names:
                assert abs(had[one] - had[other]) <= most[one] + most[other] + 1e-6


def test_what_a_call_did_not_take_after_all_is_no_burden_to_its_tenant() -> None:
    async def main() -> dict[str, int]:
        admission = FairAdmission(4, 1000, monotonic=now)
        served = {"careful": 0, "exact": 0}

        async def work(name: str, bound: int) -> None:
            while now() < 500.0:
                await call(admission, Demand(name, "", "m", bound), seconds=1.0, actual=500)
                served[name] += 1

        await asyncio.gather(
            *(work("careful", 5000) for _ in range(8)), *(work("exact", 500) for _ in range(8))
        )
        assert_clean(admission)
        return served

    served = run(main())
    assert sum(served.values()) >= 4 * 499
    assert served["careful"] == pytest.approx(served["exact"], rel=0.05)


def test_a_newcomer_does_not_wait_for_the_backlog_of_others() -> None:
    async def main() -> float:
        admission = FairAdmission(1, 1000, monotonic=now)
        backlog = [
            asyncio.ensure_future(call(admission, Demand("busy", "", "m", 10), seconds=1.0))
            for _ in range(100)
        ]
        await asyncio.sleep(10.5)
        entered = await call(admission, Demand("new", "", "m", 10), seconds=1.0)
        for task in backlog:
            task.cancel()
        await asyncio.gather(*backlog, return_exceptions=True)
        assert_clean(admission)
        return entered - 10.5

    assert run(main()) <= 2.0


def test_a_share_that_was_not_used_is_not_saved_up() -> None:
    async def main() -> dict[str, int]:
        admission = FairAdmission(1, 1000, monotonic=now)
        served = {"busy": 0, "back": 0}

        async def work(name: str) -> None:
            while now() < 300.0:
                await call(admission, Demand(name, "", "m", 10), seconds=1.0)
                if now() > 200.0:
                    served[name] += 1

        busy = [asyncio.ensure_future(work("busy")) for _ in range(5)]
        await call(admission, Demand("back", "", "m", 10), seconds=1.0)
        await asyncio.sleep(200.0 - now())
        await asyncio.gather(*busy, *(work("back") for _ in range(5)))
        assert_clean(admission)
        return served

    served = run(main())
    assert served["back"] == pytest.approx(served["busy"], abs=4)


def test_a_share_that_its_own_limit_kept_a_tenant_from_is_not_saved_up() -> None:
    async def main() -> tuple[int, int]:
        admission = FairAdmission(
            2, 1000, tenants={"a": RateLimit(tokens_per_minute=6000)}, monotonic=now
        )
        await call(admission, Demand("a", "", "m", 12_000))  # a debt that a minute pays
        served = {"a": 0, "b": 0}

        async def work(name: str) -> None:
            while now() < 119.0:
                await call(admission, Demand(name, "", "m", 10), seconds=1.0)
                if now() > 62.0:
                    served[name] += 1

        await asyncio.gather(*(work(name) for name in "ab" for _ in range(5)))
        assert_clean(admission)
        return served["a"], served["b"]

    limited, other = run(main())
    assert limited == pytest.approx(other, abs=6)


def test_a_full_queue_refuses_its_own_tenant_only() -> None:
    async def main() -> LlmRateLimitedError:
        admission = FairAdmission(1, 3, monotonic=now)
        calls = [
            asyncio.ensure_future(call(admission, Demand("a", "", "m", 1), seconds=10.0))
            for _ in range(4)
        ]
        await asyncio.sleep(4.0)
        with pytest.raises(LlmRateLimitedError, match="'a' has 3 calls waiting") as caught:
            await call(admission, Demand("a", "", "m", 1))
        assert now() == 4.0
        calls.append(asyncio.ensure_future(call(admission, Demand("b", "", "m", 1))))
        await asyncio.gather(*calls)
        assert_clean(admission)
        return caught.value

    error = run(main())
    assert error.retry_after_seconds == pytest.approx(4.0)  # as long as the first has waited
    assert error.may_be_billed is False


def test_a_full_queue_behind_one_key_lets_another_key_through() -> None:
    async def main() -> float:
        admission = FairAdmission(
            4, 2, keys={"batch": RateLimit(requests_per_minute=1)}, monotonic=now
        )
        stuck = [
            asyncio.ensure_future(call(admission, Demand("a", "batch", "m", 1))) for _ in range(3)
        ]
        await asyncio.sleep(1.0)
        assert admission.waiting == 2
        entered = await call(admission, Demand("a", "live", "m", 1))
        await asyncio.gather(*stuck)
        assert_clean(admission)
        return entered

    assert run(main()) == 1.0


def test_a_wait_for_a_place_ends_when_its_time_is_over() -> None:
    async def main() -> LlmRateLimitedError:
        admission = FairAdmission(1, 10, monotonic=now)
        long = asyncio.ensure_future(call(admission, Demand("a", "", "m", 1), seconds=100.0))
        await asyncio.sleep(0.0)
        with pytest.raises(LlmRateLimitedError, match="within 5 s: all 1 are taken") as caught:
            await call(admission, Demand("b", "", "m", 1), timeout_seconds=5.0)
        assert now() == 5.0
        await long
        assert_clean(admission)
        return caught.value

    assert run(main()).retry_after_seconds == pytest.approx(5.0)


def test_tickets_say_how_long_the_queue_took() -> None:
    async def main() -> list[float]:
        admission = FairAdmission(1, 10, monotonic=now)
        waited = []

        async def one() -> None:
            async with admission.enter(Demand("a", "", "m", 1), 60.0) as ticket:
                waited.append(ticket.waited_seconds)
                await asyncio.sleep(2.0)

        await asyncio.gather(one(), one(), one())
        return waited

    assert run(main()) == [0.0, 2.0, 4.0]


def test_an_error_inside_gives_the_place_back() -> None:
    async def main() -> None:
        admission = FairAdmission(1, 10, monotonic=now)
        with pytest.raises(RuntimeError, match="inside"):
            async with admission.enter(Demand("a", "", "m", 1), 60.0):
                raise RuntimeError("inside")
        assert_clean(admission)

    run(main())


def test_a_place_given_to_a_call_cancelled_at_that_moment_goes_to_the_next() -> None:
    async def main() -> float:
        admission = FairAdmission(
            1, 10, tenants={"a": RateLimit(requests_per_minute=2)}, monotonic=now
        )
        holder = admission.enter(Demand("b", "", "m", 1), 60.0)
        await holder.__aenter__()
        given = asyncio.ensure_future(call(admission, Demand("a", "", "m", 1)))
        await asyncio.sleep(0.0)
        later = asyncio.ensure_future(call(admission, Demand("b", "", "m", 1)))
        await asyncio.sleep(0.0)
        await holder.__aexit__(None, None, None)
        assert admission.in_flight == 1
        given.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given
        entered = await later
        # Its allowance came back too: both of the minute's calls are left.
        for _ in range(2):
            assert await call(admission, Demand("a", "", "m", 1)) == 0.0
        assert_clean(admission)
        return entered

    assert run(main()) == 0.0


def assert_conserving(admission: FairAdmission) -> None:
    """Nobody who could go waits while a place is free."""
    turns = admission.turns
    if turns.in_flight < turns.capacity:
        for tenant in turns._tenants.values():
            for lane in tenant.lanes.values():
                assert lane.head.parked is not None or (lane.head.future or asyncio.Future()).done()
    assert 0 <= turns.in_flight <= turns.capacity
    assert turns.waiting == sum(
        len(lane.waiting) for tenant in turns._tenants.values() for lane in tenant.lanes.values()
    )


@hypothesis_settings(max_examples=150)
@given(seed=st.integers(0, 2**32))
def test_calls_cancelled_late_wrong_or_refused_leave_everything_as_it_was(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable, no secret

    def limit() -> RateLimit:
        return RateLimit(
            chance.choice([None, 1, 30, 600]), chance.choice([None, 100, 3000, 100_000])
        )

    async def main() -> None:
        admission = FairAdmission(
            chance.randint(1, 4),
            chance.choice([1, 5, 100]),
            tenants={"a": limit()},
            keys={"k": limit(), "l": limit()},
            models={"m": limit(), "n": limit()},
            default_tenant=limit(),
            weights={"b": 3},
            burst_seconds=chance.choice([1.0, 60.0]),
            monotonic=now,
        )
        served, broken = 0, 0
        refused: list[LlmRateLimitedError] = []

        async def one() -> None:
            nonlocal served, broken
            demand = Demand(
                chance.choice("abc"),
                chance.choice(["", "k", "l"]),
                chance.choice(["m", "n", "o"]),
                chance.choice([0, 50, 500, 5000]),
            )
            timeout = chance.choice([0.0, 0.5, 5.0, 1e9])
            try:
                async with admission.enter(demand, timeout) as ticket:
                    assert_conserving(admission)
                    await asyncio.sleep(chance.choice([0.0, 0.1, 2.0]))
                    if chance.random() < 0.5:
                        ticket.correct(chance.choice([0, 50, 7000]))
                    if chance.random() < 0.1:
                        _ = 1 / 0
                served += 1
            except LlmRateLimitedError as error:
                refused.append(error)
            except ZeroDivisionError:
                broken += 1

        tasks = []
        for _ in range(chance.randint(1, 80)):
            tasks.append(asyncio.ensure_future(one()))
            if chance.random() < 0.4:
                await asyncio.sleep(chance.choice([0.0, 0.0, 0.01, 1.0]))
            if chance.random() < 0.3:
                chance.choice(tasks).cancel()
            assert_conserving(admission)
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        cancelled = sum(isinstance(end, asyncio.CancelledError) for end in ended)
        assert all(end is None or isinstance(end, asyncio.CancelledError) for end in ended)
        assert served + broken + len(refused) + cancelled == len(tasks)
        for error in refused:
            assert error.retry_after_seconds is not None
            assert 0.0 < error.retry_after_seconds < math.inf
        assert_clean(admission)

    run(main())


def test_nothing_is_kept_of_tenants_that_are_gone() -> None:
    async def main() -> tuple[int, int]:
        admission = FairAdmission(
            2,
            100,
            default_tenant=RateLimit(requests_per_minute=60, tokens_per_minute=60_000),
            limit_of_key=lambda _: RateLimit(tokens_per_minute=60_000),
            tenants={"always": RateLimit()},
            monotonic=now,
        )
        stop = asyncio.Event()

        async def always() -> None:
            while not stop.is_set():
                await call(admission, Demand("always", "", "m", 10), seconds=0.1)

        crowd = [asyncio.ensure_future(always()) for _ in range(8)]
        shares, limiters = 0, 0
        for number in range(3000):
            demand = Demand(f"passing {number}", f"key {number}", "m", 10)
            await call(admission, demand, seconds=0.1)
            shares = max(shares, admission.turns.tenants)
            limiters = max(limiters, len(admission._other_tenants), len(admission._other_keys))
        stop.set()
        await asyncio.gather(*crowd)
        assert_clean(admission)
        return shares, limiters

    shares, limiters = run(main())
    assert shares <= 200
    assert limiters <= 200


def test_calls_of_one_tenant_keep_their_order_also_when_some_leave() -> None:
    async def main() -> list[int]:
        admission = FairAdmission(1, 1000, monotonic=now)
        order: list[int] = []

        async def one(number: int) -> None:
            async with admission.enter(Demand("a", "", "m", number), 1e6):
                order.append(number)
                await asyncio.sleep(1.0)

        tasks = [asyncio.ensure_future(one(number)) for number in range(60)]
        await asyncio.sleep(5.5)
        for task in tasks[::3]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert_clean(admission)
        return order

    order = run(main())
    assert len(order) > 40
    assert all(first < second for first, second in pairwise(order))


@pytest.mark.parametrize(
    "wrong",
    [{"capacity": 0}, {"queue": 0}, {"weights": {"a": 0}}, {"burst_seconds": 0.0}],
)
def test_numbers_that_would_let_nobody_in_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        FairAdmission(**{"capacity": 1, "queue": 1, **wrong})  # type: ignore[arg-type]
