"""Whose turn it is: places in flight, shared among tenants by start-time fair queueing."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from heapq import heappop, heappush, heapreplace
from itertools import count
from typing import Any, Final

from soullink.gateways.llm.limits.rates import EPSILON_SECONDS, Limiter

CALL_COST: Final = 100
"""What a call costs its tenant's share beside its tokens, so that no call is free."""


class Waiting:
    """What the queue keeps of one call; `visits.Visit` is the whole of it.

    claims: limiters that have held this call up. The first claimant by turn alone may take from
    a limiter, so that a large call is not starved by small ones that always fit.
    parked: the limiter it waits for now; None while it only waits for its turn.
    """

    __slots__ = (
        "admitted",
        "claims",
        "future",
        "lane",
        "limiters",
        "parked",
        "queued",
        "sequence",
        "since",
        "tokens",
        "waited_seconds",
    )

    lane: "Lane"
    limiters: tuple[Limiter, ...]
    tokens: int
    waited_seconds: float
    admitted: bool
    queued: bool
    sequence: int
    since: float
    future: asyncio.Future[None] | None
    claims: list[Limiter]
    parked: Limiter | None


class Lane:
    """The calls of one tenant that share all their limiters, first come first served."""

    __slots__ = ("limiters", "tenant", "waiting")

    def __init__(self, tenant: "Tenant", limiters: tuple[Limiter, ...]) -> None:
        self.tenant = tenant
        self.limiters = limiters
        self.waiting: OrderedDict[Waiting, None] = OrderedDict()

    @property
    def head(self) -> Waiting:
        return next(iter(self.waiting))


class Tenant:
    """One tenant's share. tag: virtual start time of its next call. ready: lanes not parked.

    credit: cost that turned out not to be needed, taken off the next call's; below 0 it is owed.
    record: its one valid entry in the order of tenants.
    """

    __slots__ = ("credit", "lanes", "name", "ready", "record", "tag", "waiting", "weight")

    def __init__(self, name: str, weight: int) -> None:
        self.name = name
        self.weight = weight
        self.tag = 0.0
        self.credit = 0.0
        self.lanes: dict[tuple[Limiter, ...], Lane] = {}
        self.ready: list[Lane] = []
        self.waiting = 0
        self.record: tuple[float, int, Tenant] | None = None

    def join(self, virtual: float) -> None:
        """Begin to wait: a share that was not used is not saved up."""
        self.tag = max(virtual, self.tag - self.credit / self.weight)
        self.credit = 0.0

    def pay(self, cost: int) -> None:
        """Move on by `cost`; never back, because heaps trust a tag while calls wait."""
        due = cost - self.credit
        self.credit = max(0.0, -due)
        self.tag += max(0.0, due) / self.weight


class Turns:
    """Places in flight and who gets the next one.

    Start-time fair queueing (Goyal, Vin and Cheng, "Start-Time Fair Queueing", IEEE/ACM
    Transactions on Networking 5(5), 1997) over tenants: each call costs its tokens (and
    CALL_COST) divided by the tenant's weight, and the tenant that has had least goes next. A tag
    is given when a call comes to its turn, so that calls that leave the queue cost nothing.

    A call held up by a limiter is parked there and holds up its own lane alone. All of it runs
    on one event loop, without locks: no method waits.
    """

    __slots__ = (
        "_numbers",
        "_order",
        "_tenants",
        "_tenants_kept",
        "_virtual",
        "capacity",
        "in_flight",
        "monotonic",
        "waiting",
        "weight_of",
    )

    def __init__(
        self,
        capacity: int,
        weight_of: Callable[[str], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.capacity = capacity
        self.weight_of = weight_of
        self.monotonic = monotonic
        self.in_flight = 0
        self.waiting = 0
        self._virtual = 0.0
        self._numbers = count()
        self._tenants: dict[str, Tenant] = {}
        self._tenants_kept = 64
        self._order: list[tuple[float, int, Tenant]] = []

    @property
    def tenants(self) -> int:
        """Return how many tenants are remembered."""
        return len(self._tenants)

    def find(self, name: str) -> Tenant | None:
        """Return a tenant's share, or None while there is nothing to remember of it."""
        return self._tenants.get(name)

    def join(self, call: Waiting, name: str, now: float) -> None:
        """Queue `call` at the end of its lane; `dispatch` may let it in at once."""
        tenant = self._tenants.get(name)
        if tenant is None:
            self._forget_idle_tenants()
            tenant = self._tenants[name] = Tenant(name, self.weight_of(name))
        if not tenant.waiting:
            tenant.join(self._virtual)
        lane = tenant.lanes.get(call.limiters)
        if lane is None:
            lane = tenant.lanes[call.limiters] = Lane(tenant, call.limiters)
            self._ready(lane)
        call.lane = lane
        call.sequence = next(self._numbers)
        call.since = now
        call.claims = []
        call.parked = None
        call.queued = True
        lane.waiting[call] = None
        tenant.waiting += 1
        self.waiting += 1
        for limiter in call.limiters:
            limiter.queued += 1

    def dispatch(self) -> None:
        """Let in whoever may go, in turn, until there is no place or nobody who may."""
        order = self._order
        if not order or self.in_flight >= self.capacity:
            return
        now = self.monotonic()
        while order and self.in_flight < self.capacity:
            record = order[0]
            tenant = record[2]
            if record is not tenant.record:
                heappop(order)
                continue
            if not tenant.ready:
                heappop(order)
                tenant.record = None
                continue
            if record[0] != tenant.tag:
                tenant.record = (tenant.tag, next(self._numbers), tenant)
                heapreplace(order, tenant.record)
                continue
            call = min((lane.head for lane in tenant.ready), key=_sequence)
            if call.future is not None and call.future.done():
                self.abandon(call)  # cancelled, and its task has not run yet
                continue
            blocker = self._blocker(call, now) if call.limiters else None
            if blocker is not None:
                self._park(call, blocker, now)
            else:
                self._admit(call, tenant, now)

    def leave(self) -> None:
        """Give a place back."""
        self.in_flight -= 1
        if self.waiting:
            self.dispatch()

    def abandon(self, call: Waiting) -> None:
        """Take `call` out of the queue, wherever it stands; twice does no harm."""
        if call.queued:
            self._remove(call)
            self._release(call, self.monotonic())
            self._rest()

    def wake(self, limiter: Limiter, now: float) -> None:
        """Let the first claimant of `limiter` take its turn, or set the timer for it."""
        if limiter.timer is not None:
            limiter.timer.cancel()
            limiter.timer = None
        first = _first_claimant(limiter)
        if first is None or first.parked is not limiter:
            return  # a first claimant who waits elsewhere wakes the next one when it goes
        ready_at = limiter.ready_at(first.tokens)
        if ready_at > now + EPSILON_SECONDS:  # as `_blocker` has it, to the last bit
            loop = asyncio.get_running_loop()
            limiter.timer = loop.call_later(ready_at - now, self._ring, limiter)
        else:
            self._unpark(first)

    def _ring(self, limiter: Limiter) -> None:
        limiter.timer = None
        self.wake(limiter, self.monotonic())
        self.dispatch()

    def _ready(self, lane: Lane) -> None:
        tenant = lane.tenant
        tenant.ready.append(lane)
        if tenant.record is None or tenant.tag < tenant.record[0]:
            tenant.record = (tenant.tag, next(self._numbers), tenant)
            heappush(self._order, tenant.record)

    def _blocker(self, call: Waiting, now: float) -> Limiter | None:
        soon = now + EPSILON_SECONDS
        for limiter in call.limiters:
            if limiter.claims:
                first = _first_claimant(limiter)
                if first is not None and first is not call and _turn(first) < _turn(call):
                    return limiter
            if limiter.ready_at(call.tokens) > soon:
                return limiter
        return None

    def _park(self, call: Waiting, limiter: Limiter, now: float) -> None:
        call.parked = limiter
        call.lane.tenant.ready.remove(call.lane)
        if limiter not in call.claims:
            call.claims.append(limiter)
            claim = (call.lane.tenant.tag, call.sequence, next(self._numbers), call)
            heappush(limiter.claims, claim)
        if not limiter.shared:
            # Who waits for a limit of its own must not hold a shared one back from others.
            for other in [claimed for claimed in call.claims if claimed.shared]:
                call.claims.remove(other)
                self.wake(other, now)
        self.wake(limiter, now)

    def _unpark(self, call: Waiting) -> None:
        tenant = call.lane.tenant
        if call.parked is not None and not call.parked.shared and not tenant.ready:
            tenant.tag = max(tenant.tag, self._virtual)
        call.parked = None
        self._ready(call.lane)

    def _admit(self, call: Waiting, tenant: Tenant, now: float) -> None:
        for limiter in call.limiters:
            limiter.take(call.tokens, now)
        self._remove(call)
        self.in_flight += 1
        self._virtual = max(self._virtual, tenant.tag)
        tenant.pay(CALL_COST + call.tokens)
        call.admitted = True
        call.waited_seconds = now - call.since
        if call.future is not None:
            call.future.set_result(None)
        self._release(call, now)
        self._rest()

    def _remove(self, call: Waiting) -> None:
        lane, tenant = call.lane, call.lane.tenant
        call.queued = False
        was_parked = call.parked is not None
        call.parked = None
        del lane.waiting[call]
        tenant.waiting -= 1
        self.waiting -= 1
        for limiter in call.limiters:
            limiter.queued -= 1
        if not lane.waiting:
            del tenant.lanes[lane.limiters]
            if not was_parked:
                tenant.ready.remove(lane)
        elif was_parked:
            self._ready(lane)  # only heads are parked: another call leads the lane now

    def _release(self, call: Waiting, now: float) -> None:
        claims, call.claims = call.claims, []
        for limiter in claims:
            self.wake(limiter, now)

    def _rest(self) -> None:
        if not self.waiting:
            # Nobody is owed anything once nobody waits.
            self._virtual = 0.0
            self._tenants.clear()
            self._order.clear()
            self._tenants_kept = 64

    def _forget_idle_tenants(self) -> None:
        if len(self._tenants) < self._tenants_kept:
            return
        for name, tenant in list(self._tenants.items()):
            if not tenant.waiting and tenant.tag <= self._virtual:
                del self._tenants[name]
        self._tenants_kept = 64 + 2 * len(self._tenants)


def _sequence(call: Waiting) -> int:
    return call.sequence


def _turn(call: Waiting) -> tuple[float, int]:
    return call.lane.tenant.tag, call.sequence


def _first_claimant(limiter: Limiter) -> Any:
    """Return the claimant whose turn is first, or None; claims are brought up to date lazily."""
    claims = limiter.claims
    while claims:
        tag, sequence, number, call = claims[0]
        if limiter not in call.claims:
            heappop(claims)
        elif call.lane.tenant.tag != tag:
            heapreplace(claims, (call.lane.tenant.tag, sequence, number, call))
        else:
            return call
    return None
