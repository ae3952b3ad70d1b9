"""Calls through an admission, and what must be left when all of them are over."""

import asyncio

from soullink.gateways.llm.limits.admission import FairAdmission
from soullink.gateways.llm.limits.port import Admission, Demand
from tests.gateways.llm.limits.virtual_time import now

HOUR = 3600.0


async def call(
    admission: Admission,
    demand: Demand,
    *,
    seconds: float = 0.0,
    timeout_seconds: float = HOUR,
    actual: int | None = None,
) -> float:
    """Make one call of `seconds` and return when it was let in."""
    async with admission.enter(demand, timeout_seconds) as ticket:
        entered = now()
        await asyncio.sleep(seconds)
        if actual is not None:
            ticket.correct(actual)
    return entered


def assert_clean(admission: FairAdmission) -> None:
    """Nothing is in flight, nothing waits, and every place can still be had."""
    assert admission.in_flight == admission.waiting == admission.turns.tenants == 0
    limiters = [*admission._keys.values(), *admission._models.values()]
    limiters += [*admission._other_keys]
    limiters += [one for one in admission._tenants.values() if one] + [*admission._other_tenants]
    for limiter in limiters:
        assert not limiter.claims
        assert limiter.timer is None
        assert limiter.queued == limiter.calls_out == limiter.tokens_out == 0
