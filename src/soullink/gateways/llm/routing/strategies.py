"""Which of the deployments that may take a request gets it. Pure: no clock, no I/O."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias, TypeVar

from soullink.gateways.llm.routing.port import Strategy

UNTRIED_SECONDS = 1e6
"""Load of a deployment whose first answer is still out: behind every one that is known."""


class Candidate(Protocol):
    """What a strategy sees of a deployment.

    turn: number of the request that it got last, so that equals take turns. credit: kept by
    round_robin.
    """

    weight: int
    priority: int
    in_flight: int
    turn: int
    credit: int

    def peak_seconds(self, now: float) -> float | None:
        """Return the moving average of the latency; None before the first answer."""
        ...


C = TypeVar("C", bound=Candidate)
Price: TypeAlias = Callable[[C], float]
Chooser: TypeAlias = Callable[[Sequence[C], float, Price[C]], C]
"""Candidates (at least one), now, and what a request would cost at each, to the chosen one."""


def round_robin(candidates: Sequence[C], now: float, price: Price[C]) -> C:  # noqa: ARG001
    """Take turns by weight, evenly spread rather than in blocks.

    Smooth weighted round-robin (I. Sysoev, nginx, 2012): everybody earns its weight, the richest
    is chosen and pays the sum. Over sum(weights) requests each gets exactly its weight.
    """
    total = 0
    best = candidates[0]
    for candidate in candidates:
        total += candidate.weight
        candidate.credit += candidate.weight
        if candidate.credit > best.credit:
            best = candidate
    best.credit -= total
    return best


def least_in_flight(candidates: Sequence[C], now: float, price: Price[C]) -> C:  # noqa: ARG001
    """Return the one with the fewest requests in flight."""
    best = candidates[0]
    for candidate in candidates:
        if candidate.in_flight < best.in_flight or (
            candidate.in_flight == best.in_flight and candidate.turn < best.turn
        ):
            best = candidate
    return best


def latency(candidates: Sequence[C], now: float, price: Price[C]) -> C:  # noqa: ARG001
    """Return the one where a request is likely to be answered first.

    Latency times requests in flight, this one included, after Finagle's "peak EWMA" balancer
    (Twitter, 2014). One that nobody knows yet gets a single request, then waits for its answer.
    """

    def load(candidate: C) -> tuple[float, int]:
        seconds = candidate.peak_seconds(now)
        if seconds is None:
            waiting = candidate.in_flight
            return (UNTRIED_SECONDS + waiting if waiting else 0.0), candidate.turn
        return seconds * (candidate.in_flight + 1), candidate.turn

    return min(candidates, key=load)


def cost(candidates: Sequence[C], now: float, price: Price[C]) -> C:  # noqa: ARG001
    """Return the one where this request is expected to cost least; equals share by load."""
    return min(candidates, key=lambda one: (price(one), one.in_flight, one.turn))


def priority(candidates: Sequence[C], now: float, price: Price[C]) -> C:  # noqa: ARG001
    """Return the first in the operator's order; equals share by load."""
    return min(candidates, key=lambda one: (one.priority, one.in_flight, one.turn))


STRATEGIES: Mapping[Strategy, Chooser[Candidate]] = {
    "round_robin": round_robin,
    "least_in_flight": least_in_flight,
    "latency": latency,
    "cost": cost,
    "priority": priority,
}
