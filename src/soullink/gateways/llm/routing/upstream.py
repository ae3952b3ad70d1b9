"""What is known of a deployment while it serves: load, rate, health, latency, prices."""

import math
from typing import Any, Generic, Protocol, TypeVar

from soullink.gateways.llm.limits.port import RateLimit
from soullink.gateways.llm.limits.rates import EPSILON_SECONDS
from soullink.gateways.llm.port import EmbeddingModel, LanguageModel, LlmError
from soullink.gateways.llm.routing.affinity import hash_text
from soullink.gateways.llm.routing.circuit import Circuit
from soullink.gateways.llm.routing.port import (
    CircuitRules,
    Deployment,
    DeploymentState,
    EmbeddingDeployment,
)
from soullink.gateways.llm.routing.reactions import reaction_to

LATENCY_SECONDS = 60.0
"""Time constant of the moving average: after that long an observation weighs 1/e."""

BURST_SECONDS = 10.0
"""How much of a minute's rate may go out at once."""

WARM_SECONDS = 300.0
"""How long providers keep the beginning of a prompt at least (Anthropic's shorter cache)."""

_WARM_ENTRIES = 4096
_LEARNING_RATE = 0.1

ModelT = TypeVar("ModelT", bound=LanguageModel | EmbeddingModel)


class Rate:
    """A deployment's own limits: requests and tokens a minute, in buckets that may go into debt.

    Each bucket is the moment at which it will be full again, as in limits.rates.Limiter: every
    call looks at every deployment of its route. What is not limited costs no time.
    """

    __slots__ = (
        "_burst_tokens",
        "_request_seconds",
        "_request_slack",
        "_requests_full_at",
        "_token_seconds",
        "_tokens_full_at",
    )

    def __init__(self, limit: RateLimit) -> None:
        requests, tokens = limit.requests_per_minute, limit.tokens_per_minute
        self._request_seconds = 60.0 / requests if requests else 0.0
        self._request_slack = max(0.0, BURST_SECONDS - self._request_seconds) if requests else 0.0
        self._token_seconds = 60.0 / tokens if tokens else 0.0
        self._burst_tokens = max(1.0, tokens * BURST_SECONDS / 60.0) if tokens else 0.0
        self._requests_full_at = self._tokens_full_at = -math.inf

    def ready_at(self, tokens: int) -> float:
        """Return when a request of `tokens` may go; one larger than the bucket needs it full."""
        requests = self._requests_full_at - self._request_slack
        room = self._burst_tokens - tokens
        if room <= 0.0:
            at = self._tokens_full_at
        else:
            at = self._tokens_full_at - room * self._token_seconds
        return at if at > requests else requests  # noqa: FURB136 - max() takes as long as the rest

    def wait_seconds(self, tokens: int, now: float) -> float:
        """Return how long until a request of `tokens` may go."""
        wait = self.ready_at(tokens) - now
        return wait if wait > EPSILON_SECONDS else 0.0

    def take(self, tokens: int, now: float) -> None:
        """Charge one request of `tokens`."""
        full_at = self._requests_full_at
        self._requests_full_at = (max(now, full_at)) + self._request_seconds
        full_at = self._tokens_full_at
        self._tokens_full_at = (max(now, full_at)) + tokens * self._token_seconds

    def correct(self, tokens: int, now: float) -> None:
        """Charge the difference (less: negative) to what was taken."""
        full_at = self._tokens_full_at
        self._tokens_full_at = (max(now, full_at)) + tokens * self._token_seconds


class Queue(Protocol):
    """Where calls wait for a deployment. waiting: false where nobody does."""

    waiting: list[Any]

    def dispatch(self, now: float, *, changed: bool) -> None:
        """Serve who can be served; changed: the others look again how long they have to wait."""
        ...


class Upstream(Generic[ModelT]):
    """A deployment at work. Belongs to one event loop.

    A request begins with `take`, where `wait_seconds` was 0, and ends with one of `answered`,
    `failed` and `abandoned`. turn, credit, in_flight: see strategies.Candidate. pools: routes that
    it serves.
    """

    __slots__ = (
        "_averages",
        "_latency",
        "_latency_at",
        "_warm",
        "circuit",
        "context_tokens",
        "credit",
        "errors",
        "hash",
        "id",
        "in_flight",
        "max_in_flight",
        "model",
        "model_name",
        "pools",
        "priority",
        "provider",
        "rate",
        "requests",
        "turn",
        "weight",
    )

    model: ModelT

    def __init__(
        self,
        deployment: Deployment | EmbeddingDeployment,
        model: ModelT,
        rules: CircuitRules,
        turn: int,
    ) -> None:
        self.id = deployment.id
        self.model = model
        self.provider, _, self.model_name = model.name.partition(":")
        self.priority = deployment.priority
        self.max_in_flight = deployment.max_in_flight
        self.weight = 1
        self.context_tokens: int | None = None
        if isinstance(deployment, Deployment):
            self.weight = deployment.weight
            self.context_tokens = deployment.context_tokens
        limit = deployment.limit
        limited = limit.requests_per_minute is not None or limit.tokens_per_minute is not None
        self.rate = Rate(limit) if limited else None
        self.circuit = Circuit(rules)
        self.hash = hash_text(self.id)
        self.in_flight = self.requests = self.errors = self.credit = 0
        self.turn = turn
        self.pools: list[Queue] = []
        self._latency: float | None = None
        self._latency_at = 0.0
        self._warm: dict[int, float] = {}
        self._averages: list[float | None] = [None, None]

    def wait_seconds(self, tokens: int, now: float) -> float:
        """Return how long until a request may go; infinity: that hangs on another's end."""
        if self.in_flight >= self.max_in_flight:
            return math.inf
        circuit = self.circuit
        wait = 0.0
        if circuit.opened:
            rest = circuit.wait_seconds(now)
            if rest is None:
                return math.inf
            wait = rest
        if self.rate is not None:
            wait = max(wait, self.rate.wait_seconds(tokens, now))
        return wait

    def take(self, tokens: int, turn: int, now: float) -> bool:
        """Begin a request; return whether it is the circuit's probe."""
        self.in_flight += 1
        self.turn = turn
        if self.rate is not None:
            self.rate.take(tokens, now)
        return self.circuit.opened and self.circuit.enter()

    def answered(self, seconds: float, now: float, *, probe: bool) -> None:
        """The request was answered after `seconds`."""
        self.observe(seconds, now)
        circuit = self.circuit
        changed = circuit.opened
        if changed or circuit.failures:
            circuit.answered(probe=probe)
        self._leave(now, changed=changed)

    def failed(self, error: LlmError, now: float, *, probe: bool) -> None:
        """The request ended with `error`; what that says of the deployment is in `reactions`."""
        health = reaction_to(error).health
        if health == "answers":
            self.circuit.answered(probe=probe)
        elif health == "fails" and error.retry_after_seconds is not None:
            self.errors += 1
            self.circuit.told_to_rest(error.code, error.retry_after_seconds, now, probe=probe)
        else:
            self.errors += 1
            self.circuit.failed(error.code, now, probe=probe, at_once=health == "barred")
        self._leave(now, changed=True)

    def abandoned(self, now: float, *, probe: bool) -> None:
        """Nobody waited for the end of the request."""
        self.circuit.abandoned(probe=probe)
        self._leave(now, changed=probe)

    def observe(self, seconds: float, now: float) -> None:
        """Take one latency into the moving average.

        A peak counts at once, what is faster with time: w = exp(-dt / LATENCY_SECONDS), as in
        Finagle's "peak EWMA".
        """
        known = self._latency
        if known is None:
            self._latency = seconds
        else:
            w = math.exp((self._latency_at - now) / LATENCY_SECONDS)
            aged = known * w
            self._latency = seconds if seconds > aged else aged + seconds * (1.0 - w)
        self._latency_at = now

    def peak_seconds(self, now: float) -> float | None:
        """Return the moving average as it fades, so that who was slow is tried again."""
        if self._latency is None:
            return None
        return self._latency * math.exp((self._latency_at - now) / LATENCY_SECONDS)

    def is_warm(self, key: int, now: float) -> bool:
        """Return whether the beginning `key` was sent here lately."""
        return now - self._warm.get(key, -math.inf) < WARM_SECONDS

    def warm_up(self, key: int, now: float) -> None:
        """Remember that the beginning `key` was sent here."""
        self._warm.pop(key, None)
        self._warm[key] = now
        if len(self._warm) > _WARM_ENTRIES:
            del self._warm[next(iter(self._warm))]

    def learn(self, share: float, *, warm: bool) -> None:
        """Take in which share of its bound a request did cost, with and without a warm cache."""
        known = self._averages[warm]
        self._averages[warm] = share if known is None else known + _LEARNING_RATE * (share - known)

    def share(self, *, warm: bool) -> float | None:
        """Return the share of its bound that a request costs here, None before the first."""
        return self._averages[warm]

    def state(self, now: float) -> DeploymentState:
        """Return how it does now."""
        return DeploymentState(
            id=self.id,
            model=self.model.name,
            in_flight=self.in_flight,
            latency_seconds=self._latency,
            failures=self.circuit.failures,
            circuit=self.circuit.state(now),
            until_seconds=max(0.0, self.circuit.until - now) if self.circuit.opened else 0.0,
            requests=self.requests,
            errors=self.errors,
        )

    def _leave(self, now: float, *, changed: bool) -> None:
        self.in_flight -= 1
        for pool in self.pools:
            if pool.waiting:
                pool.dispatch(now, changed=changed)
