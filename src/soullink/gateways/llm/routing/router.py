"""Routes at work: every name a model, every deployment watched."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from soullink.gateways.llm.ledger.port import Ledger
from soullink.gateways.llm.port import EmbeddingModel, LanguageModel, LlmRequestError
from soullink.gateways.llm.response.port import ReplyCheck
from soullink.gateways.llm.retry import Retry, RetryPolicy
from soullink.gateways.llm.routing.calls import RoutedModel
from soullink.gateways.llm.routing.embeddings import RoutedEmbedder
from soullink.gateways.llm.routing.means import Means
from soullink.gateways.llm.routing.pool import Pool
from soullink.gateways.llm.routing.port import (
    Deployment,
    DeploymentState,
    EmbeddingDeployment,
    EmbeddingRoute,
    RetryRules,
    Route,
)
from soullink.gateways.llm.routing.upstream import ModelT, Upstream
from soullink.kernel.clock import Clock, SystemClock
from soullink.kernel.errors import InvalidInputError


class Router:
    """Sends every attempt to a deployment, books it, and decides what follows an error.

    Belongs to the event loop that first uses it. The ledger stays the caller's to close. The same
    deployment in two routes is one: its load, rate and circuit are shared (the first route's
    circuit rules hold). wait_seconds: how long a call waits at a stretch while deployments are
    busy, rest or are at their limits; None: as long as the call has. seed: for the jitter of
    pauses; None takes one from the system. sleep, monotonic, clock: for tests.

    Raises InvalidInputError for a route without deployments, an id that stands for two
    deployments, and a fallback that is no route.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        ledger: Ledger,
        embeddings: Sequence[EmbeddingRoute] = (),
        check: ReplyCheck | None = None,
        wait_seconds: float | None = None,
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        seed: int | None = None,
    ) -> None:
        self._means = Means(ledger, check, clock or SystemClock(), monotonic, sleep, wait_seconds)
        self._seed = seed
        self._seen: dict[str, Deployment | EmbeddingDeployment] = {}
        self._upstreams: dict[str, Upstream[LanguageModel]] = {}
        self._embedding_upstreams: dict[str, Upstream[EmbeddingModel]] = {}
        self._pools: dict[str, Pool[LanguageModel]] = {}
        for route in routes:
            self._pools[route.name] = self._open(route)
        for route in routes:
            self._check_fallbacks(route)
        self._models = {
            name: RoutedModel(pool, self._pools, self._means) for name, pool in self._pools.items()
        }
        self._embedders = {
            route.name: RoutedEmbedder(self._open_embeddings(route), self._means)
            for route in embeddings
        }

    def model(self, name: str) -> LanguageModel:
        """Return the route `name` as a model. Raises LlmRequestError for an unknown name."""
        try:
            return self._models[name]
        except KeyError:
            raise LlmRequestError(f"There is no route called {name!r}.") from None

    def embedder(self, name: str) -> EmbeddingModel:
        """Return the embedding route `name`. Raises LlmRequestError for an unknown name."""
        try:
            return self._embedders[name]
        except KeyError:
            raise LlmRequestError(f"There is no embedding route called {name!r}.") from None

    def states(self) -> list[DeploymentState]:
        """Return how every deployment does now, in the order of the routes."""
        now = self._means.monotonic()
        return [
            *(upstream.state(now) for upstream in self._upstreams.values()),
            *(upstream.state(now) for upstream in self._embedding_upstreams.values()),
        ]

    async def close(self) -> None:
        """Close every deployment's model; calling it twice does no harm."""
        for upstream in self._upstreams.values():
            await upstream.model.close()
        for embedding in self._embedding_upstreams.values():
            await embedding.model.close()

    def _open(self, route: Route) -> Pool[LanguageModel]:
        upstreams = []
        for deployment in route.deployments:
            self._register(deployment)
            upstream = self._upstreams.get(deployment.id)
            if upstream is None:
                turn = len(self._upstreams)
                upstream = Upstream(deployment, deployment.model, route.circuit, turn)
                self._upstreams[deployment.id] = upstream
            upstreams.append(upstream)
        return Pool(
            route.name,
            _filled(route.name, upstreams),
            retry=self._retry(route.retry),
            strategy=route.strategy,
            affinity=route.affinity,
            hedge_after_seconds=route.hedge_after_seconds,
            fallbacks=route.fallbacks,
            sleep=self._means.sleep,
        )

    def _open_embeddings(self, route: EmbeddingRoute) -> Pool[EmbeddingModel]:
        upstreams = []
        for deployment in route.deployments:
            self._register(deployment)
            upstream = self._embedding_upstreams.get(deployment.id)
            if upstream is None:
                turn = len(self._embedding_upstreams)
                upstream = Upstream(deployment, deployment.model, route.circuit, turn)
                self._embedding_upstreams[deployment.id] = upstream
            upstreams.append(upstream)
        return Pool(
            route.name,
            _filled(route.name, upstreams),
            retry=self._retry(route.retry),
            sleep=self._means.sleep,
        )

    def _register(self, deployment: Deployment | EmbeddingDeployment) -> None:
        if self._seen.setdefault(deployment.id, deployment) != deployment:
            raise InvalidInputError(
                f"Two deployments are called {deployment.id!r}; give each its own id."
            )

    def _check_fallbacks(self, route: Route) -> None:
        for names in route.fallbacks.values():
            for name in names:
                if name not in self._pools:
                    raise InvalidInputError(
                        f"The route {route.name!r} falls back to {name!r}, which is no route."
                    )

    def _retry(self, rules: RetryRules) -> Retry:
        policy = RetryPolicy(rules.attempts, rules.first_seconds, rules.longest_seconds)
        means = self._means
        return Retry(
            policy,
            seed=self._seed,
            sleep=means.sleep,
            monotonic=means.monotonic,
            clock=means.clock,
        )


def _filled(name: str, upstreams: list[Upstream[ModelT]]) -> tuple[Upstream[ModelT], ...]:
    if not upstreams:
        raise InvalidInputError(f"The route {name!r} has no deployments; add one.")
    return tuple(upstreams)
