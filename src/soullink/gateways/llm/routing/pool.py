"""The deployments of one route: which may take a call now, and who waits for one."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from soullink.gateways.llm.limits.rates import EPSILON_SECONDS
from soullink.gateways.llm.port import (
    ChatRequest,
    EmbeddingRequest,
    LlmAuthError,
    LlmContextTooLongError,
    LlmError,
    LlmRateLimitedError,
    LlmTimeoutError,
    LlmUnavailableError,
)
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.routing.affinity import prefer, prefix_key
from soullink.gateways.llm.routing.port import Strategy
from soullink.gateways.llm.routing.strategies import STRATEGIES
from soullink.gateways.llm.routing.upstream import ModelT, Upstream
from soullink.gateways.llm.usage import estimate_messages, estimate_tokens

RequestT = TypeVar("RequestT", bound=ChatRequest | EmbeddingRequest)

WARM_SHARE = 0.5
"""What a call costs where its beginning is warm, against cold, until it has been seen."""

UNTRIED_SHARE = 0.25
"""What a call costs at a deployment never asked, against the others of its route."""

_SHORTEST_WAIT_SECONDS = 0.001


class Needs(Generic[ModelT, RequestT]):
    """What one call asks of a deployment. Numbers that cost time are made when first asked for.

    passed: deployments that are not asked (again). larger_than: only those that take more tokens
    are; sized: nor those of which nobody knows. probe: whether the place taken last is a
    circuit's probe.
    """

    __slots__ = (
        "_bounds",
        "_key",
        "_tokens",
        "deadline",
        "larger_than",
        "passed",
        "probe",
        "request",
        "sized",
    )

    def __init__(self, request: RequestT, deadline: float) -> None:
        self.request = request
        self.deadline = deadline
        self.passed: set[Upstream[ModelT]] | None = None
        self.larger_than: int | None = None
        self.sized = False
        self.probe = False
        self._tokens: int | None = None
        self._key: int | None = None
        self._bounds: dict[str, int | None] | None = None

    def tokens(self) -> int:
        """Return about how many tokens the call takes, the most output included."""
        if self._tokens is None:
            self._tokens = _count(self.request)
        return self._tokens

    def key(self) -> int:
        """Return what stands for the cacheable beginning."""
        if self._key is None:
            request = self.request
            self._key = prefix_key(request) if isinstance(request, ChatRequest) else 0
        return self._key

    def bound(self, upstream: Upstream[ModelT]) -> int | None:
        """Return the most that the call can cost at `upstream`, kept for the attempt."""
        if self._bounds is None:
            self._bounds = {}
        if upstream.id not in self._bounds:
            self._bounds[upstream.id] = upstream.model.bound_nano_usd(self.request)  # type: ignore[arg-type]
        return self._bounds[upstream.id]


@dataclass(slots=True, eq=False)
class _Waiter(Generic[ModelT]):
    needs: Needs[ModelT, Any]
    place: "asyncio.Future[Upstream[ModelT] | None]"


class Pool(Generic[ModelT]):
    """Deployments behind one name. See port.Route for the fields.

    waiting: calls that found no deployment, in the order of their coming.
    """

    def __init__(
        self,
        name: str,
        upstreams: tuple[Upstream[ModelT], ...],
        *,
        retry: Retry,
        strategy: Strategy = "priority",
        affinity: bool = False,
        hedge_after_seconds: float | None = None,
        fallbacks: Mapping[str, tuple[str, ...]] | None = None,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.name = name
        self.upstreams = upstreams
        self.retry = retry
        self.fallbacks = fallbacks or {}
        self.hedge_after_seconds = hedge_after_seconds
        self.waiting: list[_Waiter[ModelT]] = []
        self.learns = strategy == "cost"
        self._tiers = strategy == "priority"
        self._choose = STRATEGIES[strategy]
        self._affinity = affinity
        self._counts = any(u.rate is not None for u in upstreams)
        self._sized = any(u.context_tokens is not None for u in upstreams)
        self._sleep = sleep
        self._turn = len(upstreams)
        self._averages: list[float | None] = [None, None]
        for upstream in upstreams:
            upstream.pools.append(self)

    def take(self, needs: Needs[ModelT, Any], now: float) -> Upstream[ModelT] | None:
        """Take a place at the best deployment that is free now, behind those who wait already."""
        return None if self.waiting else self._take(needs, now)

    def fitting(self, needs: Needs[ModelT, Any]) -> list[Upstream[ModelT]]:
        """Return the deployments that may take the call, though perhaps not now."""
        passed = needs.passed or ()
        return [u for u in self.upstreams if u not in passed and self._fits(u, needs)]

    async def wait(self, needs: Needs[ModelT, Any], until: float) -> Upstream[ModelT] | None:
        """Take the first place that becomes free; None when `until` passes before.

        Raises LlmError at once when all that fit rest, or are at their limits, beyond `until`.
        """
        waiter = _Waiter(needs, asyncio.get_running_loop().create_future())
        self.waiting.append(waiter)
        try:
            while True:
                now = self.retry.monotonic()
                # Also after a call to look again: a place may have become free since.
                self.dispatch(now, changed=False)
                if waiter.place.done():
                    upstream = waiter.place.result()
                    if upstream is not None:
                        return upstream
                    waiter.place = asyncio.get_running_loop().create_future()
                    continue
                left = until - now
                if left <= 0.0:
                    return None
                self._check(needs, left, now)
                delay = self._next_chance(needs, left, now) if self._is_head(waiter) else left
                await self._first(waiter.place, delay)
        except BaseException:
            place = waiter.place
            if place.done() and (upstream := place.result()) is not None:
                upstream.abandoned(self.retry.monotonic(), probe=needs.probe)
            raise
        finally:
            head = self._is_head(waiter)
            self.waiting.remove(waiter)
            if head and self.waiting and not self.waiting[0].place.done():
                self.waiting[0].place.set_result(None)

    def dispatch(self, now: float, *, changed: bool) -> None:
        """Give free places to those who wait, first come first served.

        changed: a circuit opened or closed, so that the others must look again.
        """
        for waiter in self.waiting:
            if waiter.place.done():
                continue
            upstream = self._take(waiter.needs, now)
            if upstream is not None or changed:
                waiter.place.set_result(upstream)
            elif all(u.wait_seconds(0, now) > 0.0 for u in self.upstreams):
                return

    def resting(self, needs: Needs[ModelT, Any], now: float) -> LlmError:
        """Return the error for a call that none of the deployments takes in time."""
        fitting = self.fitting(needs)
        error: LlmError
        if not fitting:
            largest = max((u.context_tokens or 0 for u in self.upstreams), default=0)
            error = LlmContextTooLongError(
                f"{self.name} takes {largest} tokens at most and the request has about "
                f"{needs.tokens()}; shorten it or add a deployment with a larger context."
            )
            error.may_be_billed = False
            return error
        wait, first = min(
            ((u.wait_seconds(needs.tokens(), now), u) for u in fitting), key=lambda pair: pair[0]
        )
        if first.circuit.opened and first.circuit.because != LlmRateLimitedError.code:
            error = LlmUnavailableError(
                f"All deployments of {self.name} rest after failures ({first.circuit.because}); "
                "try again later."
            )
        elif first.circuit.opened or first.rate is not None:
            error = LlmRateLimitedError(
                f"All deployments of {self.name} are at their rate limits; try again later."
            )
        else:
            error = self.busy()
        error.may_be_billed = False
        error.retry_after_seconds = None if math.isinf(wait) else wait
        return error

    def busy(self) -> LlmTimeoutError:
        """Return the error for a call whose time ran out before anything could be sent."""
        error = LlmTimeoutError(
            f"No deployment of {self.name} became free in time; raise max_in_flight or add one."
        )
        error.may_be_billed = False
        return error

    def learn(
        self, needs: Needs[ModelT, Any], upstream: Upstream[ModelT], cost: int, now: float
    ) -> None:
        """Take in what the call did cost at `upstream`."""
        bound = needs.bound(upstream)
        if bound:
            warm = upstream.is_warm(needs.key(), now)
            share = cost / bound
            upstream.learn(share, warm=warm)
            known = self._averages[warm]
            self._averages[warm] = share if known is None else known + 0.1 * (share - known)
        upstream.warm_up(needs.key(), now)

    def _take(self, needs: Needs[ModelT, Any], now: float) -> Upstream[ModelT] | None:
        passed = needs.passed
        sizes = self._sized or needs.sized
        tokens = needs.tokens() if self._counts else 0
        soon = now + EPSILON_SECONDS
        ready = [
            u
            for u in self.upstreams
            if u.in_flight < u.max_in_flight
            and (not u.circuit.opened or u.circuit.admits(now))
            and (u.rate is None or u.rate.ready_at(tokens) <= soon)
            and (passed is None or u not in passed)
            and (not sizes or self._fits(u, needs))
        ]
        if not ready:
            return None
        upstream = ready[0] if len(ready) == 1 else self._best(ready, needs, now)
        self._turn += 1
        needs.probe = upstream.take(tokens, self._turn, now)
        return upstream

    def _best(
        self, ready: list[Upstream[ModelT]], needs: Needs[ModelT, Any], now: float
    ) -> Upstream[ModelT]:
        if self._affinity:
            if self._tiers:
                first = min(u.priority for u in ready)
                ready = [u for u in ready if u.priority == first]
            return prefer(needs.key(), ready)
        if not self.learns:
            return self._choose(ready, now, _free)  # type: ignore[return-value]
        return self._choose(ready, now, lambda u: self._price(needs, u, now))  # type: ignore[arg-type,return-value]

    def _price(self, needs: Needs[ModelT, Any], upstream: Upstream[ModelT], now: float) -> float:
        # The bound knows the prices and this request; the learned share, what comes of it.
        bound = needs.bound(upstream)
        if bound is None:
            return math.inf
        return bound * self._share(upstream, warm=upstream.is_warm(needs.key(), now))

    def _share(self, upstream: Upstream[ModelT], *, warm: bool) -> float:
        share = upstream.share(warm=warm)
        if share is not None:
            return share
        cold = upstream.share(warm=False)
        if cold is not None:
            return cold * WARM_SHARE
        # Hopeful, so that who was never asked is asked once, unless its prices rule that out.
        usual = self._averages[False]
        return UNTRIED_SHARE * (1.0 if usual is None else usual)

    def _fits(self, upstream: Upstream[ModelT], needs: Needs[ModelT, Any]) -> bool:
        size = upstream.context_tokens
        if size is None:
            return not needs.sized
        if needs.larger_than is not None and size <= needs.larger_than:
            return False
        return needs.tokens() <= size

    def _check(self, needs: Needs[ModelT, Any], left: float, now: float) -> None:
        fitting = self.fitting(needs)
        waits = [u.wait_seconds(needs.tokens(), now) for u in fitting]
        if all(left < wait < math.inf for wait in waits):
            raise self.resting(needs, now)
        # A key that was refused is not mended by waiting; one call in each rest tries it again.
        refused = (u.circuit.opened and u.circuit.because == LlmAuthError.code for u in fitting)
        if all(refused) and 0.0 < min(waits) < math.inf:
            raise self.resting(needs, now)

    def _is_head(self, waiter: _Waiter[ModelT]) -> bool:
        return self.waiting[0] is waiter

    def _next_chance(self, needs: Needs[ModelT, Any], left: float, now: float) -> float:
        """Return when to look again. Only the first who waits looks, on behalf of all."""
        waits = [u.wait_seconds(needs.tokens(), now) for u in self.upstreams]
        return max(_SHORTEST_WAIT_SECONDS, min([left, *(w for w in waits if w > 0.0)]))

    async def _first(self, place: "asyncio.Future[Upstream[ModelT] | None]", delay: float) -> None:
        timer = asyncio.ensure_future(self._sleep(delay))
        try:
            await asyncio.wait((place, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()


def _free(upstream: object) -> float:  # noqa: ARG001 - where prices are not looked at
    return 0.0


def _count(request: ChatRequest | EmbeddingRequest) -> int:
    if isinstance(request, EmbeddingRequest):
        return sum(estimate_tokens(text) for text in request.texts)
    return request.max_output_tokens + estimate_messages(request.messages)
