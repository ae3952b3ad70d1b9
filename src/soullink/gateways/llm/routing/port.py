"""Routes: which deployments may answer a name, in which order, and what happens when one fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from soullink.gateways.llm.limits.port import RateLimit
from soullink.gateways.llm.port import LanguageModel

Strategy: TypeAlias = Literal["round_robin", "least_in_flight", "latency", "cost", "priority"]


@dataclass(frozen=True, slots=True)
class Deployment:
    """One model at one address, opened without retries of its own: the router decides on those.

    id: unique in its gateway. priority: smaller is asked first (strategy "priority").
    weight: share under round_robin. context_tokens: what it takes, None where unknown.
    """

    id: str
    model: LanguageModel
    priority: int = 0
    weight: int = 1
    max_in_flight: int = 256
    limit: RateLimit = field(default_factory=RateLimit)
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class RetryRules:
    """attempts: requests for one call at most, fallbacks included. Backoff as in `retry`."""

    attempts: int = 4
    first_seconds: float = 0.25
    longest_seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class CircuitRules:
    """A deployment that fails `failures` times in a row rests for cooldown_seconds (doubled each
    time, up to longest_seconds), then one probe decides whether it comes back (half-open)."""

    failures: int = 3
    cooldown_seconds: float = 5.0
    longest_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Route:
    """A name that callers use, and what stands behind it.

    fallbacks: names of other routes by error code ("llm_refused", "llm_context_too_long", ...) or
    "any", tried in order when this route cannot answer.
    hedge_after_seconds: send a second request elsewhere when the first is silent that long; the
    loser is cancelled. None: never.
    affinity: send prompts with the same beginning to the same deployment, whose cache is warm.
    """

    name: str
    deployments: tuple[Deployment, ...]
    strategy: Strategy = "least_in_flight"
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hedge_after_seconds: float | None = None
    affinity: bool = False
    retry: RetryRules = RetryRules()
    circuit: CircuitRules = CircuitRules()
