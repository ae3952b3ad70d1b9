"""Keys that bring their own limit along."""

import pytest

from soullink.gateways.llm.limits.admission import FairAdmission
from soullink.gateways.llm.limits.port import Demand, RateLimit
from soullink.gateways.llm.port import LlmRateLimitedError
from tests.gateways.llm.limits.virtual_time import now, run

KNOWN = {"narrow": RateLimit(requests_per_minute=2), "wide": RateLimit()}


@pytest.mark.parametrize(("key", "passes"), [("narrow", 2), ("wide", 9), ("unknown", 9), ("", 9)])
def test_a_keys_own_limit_holds_for_it_alone(key: str, passes: int) -> None:
    async def main() -> int:
        admission = FairAdmission(50, 50, limit_of_key=KNOWN.get, monotonic=now)
        return await _passed(admission, key, 9)

    assert run(main()) == passes


def test_the_limit_that_the_operator_names_comes_first() -> None:
    async def main() -> int:
        admission = FairAdmission(
            50, 50, keys={"narrow": RateLimit(5)}, limit_of_key=KNOWN.get, monotonic=now
        )
        return await _passed(admission, "narrow", 9)

    assert run(main()) == 5


def test_a_key_that_becomes_known_is_limited_from_then_on() -> None:
    async def main() -> tuple[int, int]:
        known: dict[str, RateLimit] = {}
        admission = FairAdmission(50, 50, limit_of_key=known.get, monotonic=now)
        before = await _passed(admission, "late", 5)
        known["late"] = RateLimit(requests_per_minute=1)
        after = await _passed(admission, "late", 5)
        known.clear()  # what remembers keys may forget them
        return before, after + await _passed(admission, "late", 5)

    assert run(main()) == (5, 1)


def test_a_changed_limit_holds_from_the_next_call_on() -> None:
    async def main() -> list[int]:
        known = {"key": RateLimit(requests_per_minute=2)}
        admission = FairAdmission(50, 50, limit_of_key=known.get, monotonic=now)
        passed = [await _passed(admission, "key", 9)]
        known["key"] = RateLimit(requests_per_minute=5)
        passed.append(await _passed(admission, "key", 9))
        known["key"] = RateLimit()
        passed.append(await _passed(admission, "key", 9))
        return passed

    assert run(main()) == [2, 5, 9]


async def _passed(admission: FairAdmission, key: str, calls: int) -> int:
    """Return how many of `calls` are let in without a wait."""
    passed = 0
    for _ in range(calls):
        try:
            async with admission.enter(Demand("acme", key, "m", 1), 0.1):
                passed += 1
        except LlmRateLimitedError:
            continue
    return passed
