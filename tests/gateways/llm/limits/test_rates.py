"""Calls and tokens a minute: how much passes in any window, and who waits for whom."""

import asyncio
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.gateways.llm.limits.admission import FairAdmission
from soullink.gateways.llm.limits.port import Demand, RateLimit
from soullink.gateways.llm.port import LlmRateLimitedError
from tests.gateways.llm.limits.calls import assert_clean, call
from tests.gateways.llm.limits.virtual_time import now, run


def assert_within(
    taken: Sequence[tuple[float, float]], a_minute: float, burst: float, largest: float = 0.0
) -> None:
    """In any window no more passed than the burst and the rate; `largest` may add a debt."""
    for first, (start, _) in enumerate(taken):
        total = 0.0
        for moment, amount in taken[first:]:
            total += amount
            assert total <= burst + largest + (moment - start) * a_minute / 60.0 + 1e-2


@given(
    per_minute=st.integers(1, 600),
    burst_seconds=st.sampled_from([1.0, 10.0, 60.0]),
    gaps=st.lists(st.floats(0.0, 20.0), min_size=1, max_size=60),
)
def test_no_window_passes_more_calls_than_burst_and_rate(
    per_minute: int, burst_seconds: float, gaps: list[float]
) -> None:
    async def main() -> list[float]:
        admission = FairAdmission(
            8,
            100,
            tenants={"a": RateLimit(requests_per_minute=per_minute)},
            burst_seconds=burst_seconds,
            monotonic=now,
        )
        tasks = []
        for gap in gaps:
            await asyncio.sleep(gap)
            tasks.append(asyncio.ensure_future(call(admission, Demand("a", "", "m", 5))))
        entered = list(await asyncio.gather(*tasks))
        assert_clean(admission)
        return entered

    entered = run(main())
    assert entered == sorted(entered)  # first come, first served
    burst = max(1.0, per_minute * burst_seconds / 60.0)
    assert_within([(moment, 1.0) for moment in entered], per_minute, burst)


@given(
    per_minute=st.integers(60, 60_000),
    sizes=st.lists(st.integers(0, 20_000), min_size=1, max_size=40),
    seed=st.integers(0, 9),
)
def test_no_window_passes_more_tokens_than_burst_debt_and_rate(
    per_minute: int, sizes: list[int], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable, no secret

    async def main() -> list[tuple[float, float]]:
        admission = FairAdmission(
            8,
            100,
            models={"m": RateLimit(tokens_per_minute=per_minute)},
            burst_seconds=10.0,
            monotonic=now,
        )
        taken: list[tuple[float, float]] = []

        async def one(tenant: str, size: int) -> None:
            taken.append(
                (await call(admission, Demand(tenant, "", "m", size), timeout_seconds=1e6), size)
            )

        tasks = []
        for size in sizes:
            await asyncio.sleep(chance.random())
            tasks.append(asyncio.ensure_future(one(chance.choice("abc"), size)))
        await asyncio.gather(*tasks)
        assert_clean(admission)
        return taken

    taken = run(main())
    assert len(taken) == len(sizes)
    assert_within(taken, per_minute, max(1.0, per_minute / 6.0), largest=max(sizes))


def test_the_full_rate_is_used() -> None:
    async def main() -> float:
        admission = FairAdmission(
            8, 1000, keys={"k": RateLimit(requests_per_minute=60)}, monotonic=now
        )
        await asyncio.gather(*(call(admission, Demand("a", "k", "m", 1)) for _ in range(180)))
        return now()

    assert run(main()) == pytest.approx(120.0)  # 60 at once, then one a second


def test_tokens_given_back_may_be_used_at_once_and_overuse_is_charged() -> None:
    async def main() -> tuple[float, float]:
        admission = FairAdmission(
            8, 1000, tenants={"a": RateLimit(tokens_per_minute=600)}, monotonic=now
        )
        whole = Demand("a", "", "m", 600)
        frugal = asyncio.ensure_future(call(admission, whole, seconds=5.0, actual=100))
        await asyncio.sleep(1.0)
        second = await call(admission, Demand("a", "", "m", 500), actual=1100)
        await frugal
        third = await call(admission, Demand("a", "", "m", 1))
        return second, third

    second, third = run(main())
    assert second == pytest.approx(5.0)  # when the first call said what it really took
    # 600 + 500 were taken by then, 10 a second come back: 100 - 600 - 550 + 50 in the bucket.
    assert third == pytest.approx(5.0 + (1100 - 550 + 1) / 10.0)


@pytest.mark.parametrize("crowded", ["by tenants that wait too", "by tenants that just came"])
def test_a_call_larger_than_the_bucket_goes_when_it_is_full_though_small_ones_always_fit(
    crowded: str,
) -> None:
    async def main() -> float:
        admission = FairAdmission(
            8,
            1000,
            models={"m": RateLimit(tokens_per_minute=600)},
            burst_seconds=10.0,
            monotonic=now,
        )

        async def waiting(tenant: str) -> None:
            while True:
                await call(admission, Demand(tenant, "", "m", 10))

        async def coming() -> None:
            number = 0
            while True:
                number += 1
                tasks.append(asyncio.ensure_future(call(admission, small(f"new {number}"))))
                await asyncio.sleep(1.0)

        def small(tenant: str) -> Demand:
            return Demand(tenant, "", "m", 10)

        tasks: list[asyncio.Future[float | None]] = []
        if crowded == "by tenants that wait too":
            tasks += [asyncio.ensure_future(waiting(f"small {number}")) for number in range(5)]
        else:
            await call(admission, Demand("first", "", "m", 100))
            tasks.append(asyncio.ensure_future(coming()))
        await asyncio.sleep(100.0)
        large = Demand("large", "", "m", 5000)
        entered = await asyncio.wait_for(call(admission, large), 60.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert_clean(admission)
        return entered - 100.0

    assert run(main()) == pytest.approx(10.0, abs=2.0)  # the bucket takes ten seconds to fill


def test_a_large_call_is_starved_by_neither_its_siblings_nor_other_tenants() -> None:
    async def main() -> float:
        admission = FairAdmission(
            8,
            1000,
            tenants={"a": RateLimit(tokens_per_minute=600)},
            models={"m": RateLimit(tokens_per_minute=600)},
            burst_seconds=10.0,
            monotonic=now,
        )

        async def small(tenant: str, model: str) -> None:
            while True:
                await call(admission, Demand(tenant, "", model, 10))

        crowd = [asyncio.ensure_future(small("a", "other")) for _ in range(3)]
        crowd += [asyncio.ensure_future(small("b", "m")) for _ in range(3)]
        await asyncio.sleep(50.0)
        entered = await call(admission, Demand("a", "", "m", 100))
        for task in crowd:
            task.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)
        assert_clean(admission)
        return entered - 50.0

    assert run(main()) < 60.0


def test_who_waits_for_a_limit_of_its_own_does_not_hold_a_shared_one_back() -> None:
    async def main() -> tuple[float, float]:
        admission = FairAdmission(
            8,
            1000,
            tenants={"a": RateLimit(tokens_per_minute=600)},
            models={"m": RateLimit(requests_per_minute=6)},
            burst_seconds=60.0,
            monotonic=now,
        )
        for _ in range(6):
            await call(admission, Demand("b", "", "m", 1))
        held_up = asyncio.ensure_future(call(admission, Demand("a", "", "m", 600)))
        await asyncio.sleep(5.0)  # it waits for the model; its own allowance goes elsewhere
        assert await call(admission, Demand("a", "", "other", 600)) == 5.0
        for _ in range(3):  # others have had more than their share already
            await call(admission, Demand("c", "", "other", 5000))
        await asyncio.sleep(4.0)
        shared = await call(admission, Demand("c", "", "m", 1))
        return shared, await held_up

    shared, held_up = run(main())
    assert shared == pytest.approx(10.0)
    assert held_up == pytest.approx(65.0)


def test_a_tenant_at_its_limit_holds_up_no_other_tenant_nor_a_key_another_key() -> None:
    async def main() -> tuple[list[float], list[float]]:
        admission = FairAdmission(
            2,
            1000,
            tenants={"slow": RateLimit(requests_per_minute=1)},
            keys={"batch": RateLimit(requests_per_minute=1)},
            models={"m": RateLimit(requests_per_minute=6000)},
            monotonic=now,
        )
        stuck = [asyncio.ensure_future(call(admission, Demand("slow", "", "m", 1))) for _ in "123"]
        stuck += [asyncio.ensure_future(call(admission, Demand("b", "batch", "m", 1))) for _ in "1"]
        stuck += [asyncio.ensure_future(call(admission, Demand("b", "batch", "m", 1))) for _ in "1"]
        await asyncio.sleep(0.0)
        assert admission.waiting == 3
        begun = now()
        others = [await call(admission, Demand("c", "", "m", 1)) - begun for _ in range(50)]
        others += [await call(admission, Demand("b", "live", "m", 1)) - begun for _ in range(50)]
        return others, list(await asyncio.gather(*stuck))

    others, stuck = run(main())
    assert others == [0.0] * 100
    assert stuck == pytest.approx([0.0, 60.0, 120.0, 0.0, 60.0])


def test_tenants_without_a_limit_of_their_own_have_the_defaults_each() -> None:
    async def main() -> list[float]:
        admission = FairAdmission(
            8,
            100,
            tenants={"free": RateLimit()},
            default_tenant=RateLimit(requests_per_minute=1),
            monotonic=now,
        )
        names = ["a", "a", "b", "b", "free", "free"]
        return list(
            await asyncio.gather(*(call(admission, Demand(name, "", "m", 1)) for name in names))
        )

    assert run(main()) == pytest.approx([0.0, 60.0, 0.0, 60.0, 0.0, 0.0])


@pytest.mark.parametrize("scope", ["tenants", "keys", "models"])
def test_a_wait_that_would_pass_the_timeout_is_refused_at_once_with_the_time_to_wait(
    scope: str,
) -> None:
    async def main() -> LlmRateLimitedError:
        limits = {scope: {"x": RateLimit(requests_per_minute=6)}}
        admission = FairAdmission(8, 100, burst_seconds=10.0, monotonic=now, **limits)  # type: ignore[arg-type]
        demand = Demand("x", "x", "x", 1)
        await call(admission, demand)
        ahead = asyncio.ensure_future(call(admission, demand))
        await asyncio.sleep(4.0)
        with pytest.raises(LlmRateLimitedError) as caught:
            await call(admission, demand, timeout_seconds=15.0)
        assert now() == 4.0
        assert await call(admission, demand, timeout_seconds=16.1) == pytest.approx(20.0)
        await ahead
        assert_clean(admission)
        return caught.value

    error = run(main())
    assert error.retry_after_seconds == pytest.approx(16.0)
    assert error.may_be_billed is False
    assert error.attempts == 0
    assert str(error).endswith(
        "'x' is limited to 6 calls a minute, which is used up; try again in 16 s."
    )


def test_tokens_that_calls_in_flight_may_give_back_are_waited_for() -> None:
    async def main() -> float:
        admission = FairAdmission(
            8, 100, tenants={"a": RateLimit(tokens_per_minute=600)}, monotonic=now
        )
        whole = Demand("a", "", "m", 600)
        frugal = asyncio.ensure_future(call(admission, whole, seconds=2.0, actual=0))
        await asyncio.sleep(0.0)
        entered = await call(admission, whole, timeout_seconds=5.0)
        await frugal
        with pytest.raises(LlmRateLimitedError):
            await call(admission, whole, timeout_seconds=5.0)
        assert now() == 2.0
        return entered

    assert run(main()) == pytest.approx(2.0)
