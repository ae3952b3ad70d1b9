"""Admission in one process: limits a minute first, then a fair turn."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final

from soullink.gateways.llm.limits.port import Demand, RateLimit
from soullink.gateways.llm.limits.rates import EPSILON_SECONDS, Limiter, PassingLimiters, Scope
from soullink.gateways.llm.limits.turns import CALL_COST, Turns, Waiting
from soullink.gateways.llm.port import LlmRateLimitedError

SHORTEST_RETRY_SECONDS: Final = 1.0
"""What a caller is told at least, where the end of a queue cannot be foreseen."""


class FairAdmission:
    """Admission by rate and by fair turn, for one event loop. Implements limits.port.Admission.

    capacity: calls in flight at once. queue: calls of one tenant that may wait. tenants, keys,
    models: limits by name; a tenant that is not named has `default_tenant`'s. weights: shares by
    tenant, `default_weight` where not named. limit_of_key: tells the limit of a key that `keys`
    does not name; it is asked at every call, and where it answers None, what it said before holds.
    burst_seconds: how much of a minute's allowance may be taken at once after a pause.
    monotonic: seconds; waits themselves are the event loop's.

    A tenant costs memory while it waits, is owed to, or has not its whole allowance back; a key
    that is looked up too.
    """

    __slots__ = (
        "_burst_seconds",
        "_default",
        "_keys",
        "_limit_of_key",
        "_models",
        "_other_keys",
        "_other_tenants",
        "_queue",
        "_tenants",
        "limited",
        "monotonic",
        "turns",
    )

    def __init__(
        self,
        capacity: int,
        queue: int,
        *,
        tenants: Mapping[str, RateLimit] | None = None,
        keys: Mapping[str, RateLimit] | None = None,
        models: Mapping[str, RateLimit] | None = None,
        weights: Mapping[str, int] | None = None,
        default_tenant: RateLimit | None = None,
        default_weight: int = 1,
        limit_of_key: Callable[[str], RateLimit | None] | None = None,
        burst_seconds: float = 60.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        shares = dict(weights or {})
        if min(capacity, queue, default_weight, *shares.values()) < 1 or burst_seconds <= 0:
            raise ValueError("capacity, queue, weights and burst_seconds must be above 0")
        self._queue = queue
        self._burst_seconds = burst_seconds
        self.monotonic = monotonic
        self.turns = Turns(capacity, lambda name: shares.get(name, default_weight), monotonic)
        self._tenants: dict[str, Limiter | None] = {
            name: self._limiter("tenant", name, limit) for name, limit in (tenants or {}).items()
        }
        self._keys = self._limiters("key", keys)
        self._models = self._limiters("model", models)
        self._default = default_tenant if default_tenant and _limits(default_tenant) else None
        self._other_tenants = PassingLimiters("tenant", burst_seconds)
        self._limit_of_key = limit_of_key
        self._other_keys = PassingLimiters("key", burst_seconds)
        self.limited = bool(
            limit_of_key
            or self._default
            or self._keys
            or self._models
            or any(self._tenants.values())
        )

    @property
    def in_flight(self) -> int:
        """Return how many calls hold a place."""
        return self.turns.in_flight

    @property
    def waiting(self) -> int:
        """Return how many calls wait."""
        return self.turns.waiting

    def enter(self, demand: Demand, timeout_seconds: float) -> "Visit":
        """Return the wait and the place of one call, to be entered once with `async with`."""
        return Visit(self, demand, timeout_seconds)

    def limiters_of(self, demand: Demand) -> tuple[Limiter, ...]:
        """Return what limits a call, the narrowest first."""
        key = self._keys.get(demand.key)
        if key is None and self._limit_of_key is not None and demand.key:
            limit = self._limit_of_key(demand.key)
            key = self._other_keys.get(demand.key, limit, self.monotonic)
        model = self._models.get(demand.model)
        name = demand.tenant
        if name in self._tenants:
            tenant = self._tenants[name]
        else:
            tenant = self._other_tenants.get(name, self._default, self.monotonic)
        if key is None:
            if tenant is None:
                return () if model is None else (model,)
            return (tenant,) if model is None else (tenant, model)
        if tenant is None:
            return (key,) if model is None else (key, model)
        return (key, tenant) if model is None else (key, tenant, model)

    async def wait(self, visit: "Visit") -> None:
        """Wait for leave. Raises LlmRateLimitedError; leaves nothing behind when cancelled."""
        turns = self.turns
        now = self.monotonic()
        self._refuse_hopeless(visit, now)
        turns.join(visit, visit.demand.tenant, now)
        turns.dispatch()
        if visit.admitted:
            return
        if visit.lane.tenant.waiting > self._queue:
            raise self._full(visit, now)
        loop = asyncio.get_running_loop()
        visit.future = loop.create_future()
        timer = loop.call_later(visit.timeout_seconds, self._expire, visit)
        try:
            await visit.future
        except asyncio.CancelledError:
            if visit.admitted:
                visit.return_unused()
            else:
                turns.abandon(visit)
                turns.dispatch()
            raise
        finally:
            timer.cancel()
        if not visit.admitted:
            raise self._late(visit)

    def _expire(self, visit: "Visit") -> None:
        if visit.queued and visit.future is not None and not visit.future.done():
            visit.future.set_result(None)
            self.turns.abandon(visit)
            self.turns.dispatch()

    def _refuse_hopeless(self, visit: "Visit", now: float) -> None:
        """Raise where a limit is so far off that waiting is surely in vain."""
        if not visit.limiters:
            return
        tenant = self.turns.find(visit.demand.tenant)
        lane = tenant.lanes.get(visit.limiters) if tenant else None
        in_lane = len(lane.waiting) if lane else 0
        for limiter in visit.limiters:
            # Others at a shared limit may go after us; our own lane goes before.
            ahead = in_lane if limiter.shared else limiter.queued
            wait = limiter.earliest_at(visit.tokens, ahead) - now
            if wait > visit.timeout_seconds + EPSILON_SECONDS:
                raise _refusal(f"The {limiter}, which is used up", wait)

    def _full(self, visit: "Visit", now: float) -> LlmRateLimitedError:
        """Take `visit`, which is one too many, out again and return what to raise."""
        tenant = visit.lane.tenant
        self.turns.abandon(visit)
        self.turns.dispatch()
        # Who is at the head now has waited about as long as a newcomer would.
        oldest = min((lane.head.since for lane in tenant.lanes.values()), default=now)
        return _refusal(
            f"Tenant {tenant.name!r} has {self._queue} calls waiting, as many as its queue takes",
            max(now - oldest, SHORTEST_RETRY_SECONDS),
        )

    def _late(self, visit: "Visit") -> LlmRateLimitedError:
        now = self.monotonic()
        waits = [(limiter.ready_at(visit.tokens) - now, limiter) for limiter in visit.limiters]
        longest, slowest = max(waits, key=lambda wait: wait[0], default=(0.0, None))
        if slowest and longest > 0.0:
            return _refusal(f"The {slowest}, which is used up", longest)
        return _refusal(
            f"No place became free within {visit.timeout_seconds:g} s: all "
            f"{self.turns.capacity} are taken and others wait too",
            max(now - visit.since, SHORTEST_RETRY_SECONDS),
        )

    def _limiters(self, scope: Scope, limits: Mapping[str, RateLimit] | None) -> dict[str, Limiter]:
        made = {name: self._limiter(scope, name, limit) for name, limit in (limits or {}).items()}
        return {name: limiter for name, limiter in made.items() if limiter is not None}

    def _limiter(self, scope: Scope, name: str, limit: RateLimit) -> Limiter | None:
        return Limiter(scope, name, limit, self._burst_seconds) if _limits(limit) else None


class Visit(Waiting):
    """One call's wait and place: an asynchronous context manager and its own ticket."""

    __slots__ = ("_admission", "_held", "demand", "timeout_seconds")

    def __init__(self, admission: FairAdmission, demand: Demand, timeout_seconds: float) -> None:
        self._admission = admission
        self._held = 0
        self.demand = demand
        self.timeout_seconds = timeout_seconds
        self.waited_seconds = 0.0
        self.admitted = self.queued = False

    async def __aenter__(self) -> "Visit":
        admission = self._admission
        turns = admission.turns
        demand = self.demand
        self.tokens = tokens = demand.tokens
        self.future = None
        if not admission.limited:
            self.limiters = ()
            if not turns.waiting and turns.in_flight < turns.capacity:
                turns.in_flight += 1
                return self
            await admission.wait(self)
            return self
        self.limiters = limiters = admission.limiters_of(demand)
        if not turns.waiting and turns.in_flight < turns.capacity:
            now = admission.monotonic()
            soon = now + EPSILON_SECONDS
            for limiter in limiters:
                if limiter.ready_at(tokens) > soon:
                    break
            else:
                for limiter in limiters:
                    limiter.take(tokens, now)
                turns.in_flight += 1
                self._held = tokens
                return self
        await admission.wait(self)
        self._held = tokens
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.limiters:
            held, self._held = self._held, 0
            for limiter in self.limiters:
                limiter.calls_out -= 1
                limiter.tokens_out -= held
        self._admission.turns.leave()

    def correct(self, tokens: int) -> None:
        """Charge what the call really took; each time the difference to the time before."""
        more = tokens - self.tokens
        self.tokens = tokens
        held, self._held = self._held, 0
        if self.admitted:  # by the queue, which charged its tenant's share
            self.lane.tenant.credit -= more
        if not self.limiters:
            return
        admission = self._admission
        now = admission.monotonic()
        for limiter in self.limiters:
            limiter.tokens_out -= held
            limiter.charge(more, now)
            if more < 0 and limiter.claims:
                admission.turns.wake(limiter, now)
        if more < 0 and admission.turns.waiting:
            admission.turns.dispatch()

    def return_unused(self) -> None:
        """Give back a place and an allowance that came too late to be used."""
        admission, now = self._admission, self._admission.monotonic()
        for limiter in self.limiters:
            limiter.calls_out -= 1
            limiter.tokens_out -= self.tokens
            limiter.give_back_call()
            limiter.charge(-self.tokens, now)
            if limiter.claims:
                admission.turns.wake(limiter, now)
        self.lane.tenant.credit += CALL_COST + self.tokens
        admission.turns.leave()


def _limits(limit: RateLimit) -> bool:
    return limit.requests_per_minute is not None or limit.tokens_per_minute is not None


def _refusal(reason: str, retry_after_seconds: float) -> LlmRateLimitedError:
    seconds = math.ceil(retry_after_seconds)
    error = LlmRateLimitedError(f"{reason}; try again in {seconds} s.")
    error.retry_after_seconds = retry_after_seconds
    error.may_be_billed = False
    return error
