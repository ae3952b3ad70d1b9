"""Routes: which deployments may answer a name, in which order, and what happens when one fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from soullink.gateways.llm.limits.port import RateLimit
from soullink.gateways.llm.port import EmbeddingModel, LanguageModel

Strategy: TypeAlias = Literal["round_robin", "least_in_flight", "latency", "cost", "priority"]
CircuitState: TypeAlias = Literal["closed", "open", "half_open"]


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


@dataclass(frozen=True, slots=True)
class EmbeddingDeployment:
    """One embedding model at one address; fields as in Deployment."""

    id: str
    model: EmbeddingModel
    priority: int = 0
    max_in_flight: int = 256
    limit: RateLimit = field(default_factory=RateLimit)


@dataclass(frozen=True, slots=True)
class EmbeddingRoute:
    """A name for embeddings, asked in the order of priority.

    Its deployments serve ONE model: vectors of different models cannot be compared, so there are
    no fallbacks to other routes.
    """

    name: str
    deployments: tuple[EmbeddingDeployment, ...]
    retry: RetryRules = RetryRules()
    circuit: CircuitRules = CircuitRules()


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """How a deployment does now.

    latency_seconds: moving average (EWMA) of an attempt, None before the first. failures: in a
    row. until_seconds: how long an open circuit still rests, else 0. requests: sent so far;
    errors: those of them that count against the deployment.
    """

    id: str
    model: str
    in_flight: int
    latency_seconds: float | None
    failures: int
    circuit: CircuitState
    until_seconds: float
    requests: int
    errors: int
