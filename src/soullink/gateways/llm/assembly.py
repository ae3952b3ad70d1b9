"""Puts the parts together: all that a call passes through on its way, in one place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from soullink.gateways.llm.config import DeploymentConfig, GatewayConfig, RouteConfig
from soullink.gateways.llm.door import Door, EmbeddingDoor, Passage
from soullink.gateways.llm.gateway import ModelCard, TooManyModelsError
from soullink.gateways.llm.ledger.port import Accounts, Ledger
from soullink.gateways.llm.limits.admission import FairAdmission
from soullink.gateways.llm.limits.port import RateLimit
from soullink.gateways.llm.opening import check_address, open_embedder, open_model
from soullink.gateways.llm.port import (
    EmbeddingModel,
    LanguageModel,
    LlmAuthError,
    LlmError,
    LlmRequestError,
    ModelAddress,
)
from soullink.gateways.llm.pricing import PriceList
from soullink.gateways.llm.response.check import AnswerCheck
from soullink.gateways.llm.response.filters import filter_from
from soullink.gateways.llm.retry import Retry, RetryPolicy
from soullink.gateways.llm.reuse.cache import cache_from
from soullink.gateways.llm.reuse.coalescing import Coalescer
from soullink.gateways.llm.routing.port import (
    CircuitRules,
    Deployment,
    DeploymentState,
    EmbeddingDeployment,
    EmbeddingRoute,
    RetryRules,
    Route,
)
from soullink.gateways.llm.routing.router import Router

ONE_ATTEMPT = RetryPolicy(max_attempts=1)
"""The router decides on attempts, because each is reserved and booked."""


@dataclass(frozen=True, slots=True)
class Books:
    """Where calls are paid from, and who reads that."""

    ledger: Ledger
    accounts: Accounts


MOST_DIRECT: Final = 256
"""Models called by PROVIDER:MODEL: each keeps connections and what is known of it."""


class AssembledGateway:
    """Implements Gateway. Belongs to one event loop; nothing is sent before the first call.

    wait_seconds: how long a call waits, to be let in and for a deployment each; None as long as
    it has. At most MOST_DIRECT models are opened that are no route.
    """

    def __init__(
        self,
        config: GatewayConfig,
        environ: Mapping[str, str],
        books: Books,
        *,
        base_url: str | None = None,
        limit_of_key: Callable[[str], RateLimit | None] | None = None,
        wait_seconds: float | None = None,
    ) -> None:
        self._config = config
        self._environ = environ
        self._books = books
        self._base_url = base_url
        self._prices = PriceList(config.prices)
        self._check = AnswerCheck()
        self._passage = Passage(
            admission=_admission(config, limit_of_key),
            filters=tuple(filter_from(name) for name in config.filters),
            cache=cache_from(config.cache),
            coalescer=Coalescer() if config.coalesce else None,
            wait_seconds=wait_seconds,
        )
        self._wait_seconds = wait_seconds
        self._routers: dict[str, Router] = {}
        self._doors: dict[str, Door] = {}
        self._embedders: dict[str, EmbeddingDoor] = {}
        self._configured: Router | None = None
        self._closed = False

    @property
    def accounts(self) -> Accounts:
        return self._books.accounts

    def model(self, name: str) -> LanguageModel:
        door = self._doors.get(name)
        if door is None:
            door = Door(self._router(name, "chat").model(name), self._passage)
            self._doors[name] = door
        return door

    def embedder(self, name: str) -> EmbeddingModel:
        door = self._embedders.get(name)
        if door is None:
            door = EmbeddingDoor(self._router(name, "embedding").embedder(name), self._passage)
            self._embedders[name] = door
        return door

    def models(self) -> list[ModelCard]:
        return [ModelCard(name, route.kind) for name, route in self._config.routes.items()]

    def check(self) -> None:
        self._check_all(self._config.routes)
        for name, route in self._config.routes.items():
            if route.kind == "chat":
                self.model(name)
            else:
                self.embedder(name)

    def states(self) -> list[DeploymentState]:
        """Return how every deployment does that was opened so far."""
        routers = [*self._routers.values(), *([self._configured] if self._configured else [])]
        return [state for router in routers for state in router.states()]

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._passage.close()
        for router in (*self._routers.values(), self._configured):
            if router is not None:
                await router.close()
        await self._books.ledger.close()

    def _router(self, name: str, kind: Literal["chat", "embedding"]) -> Router:
        if self._closed:
            raise LlmRequestError("The gateway is closed.")
        route = self._config.routes.get(name)
        if route is not None:
            if route.kind != kind:
                raise LlmRequestError(f"{name} is a route for {route.kind}, not for {kind}.")
            self._check_all(self._reached_from(name))
            if self._configured is None:
                self._configured = self._new_router(
                    {n: r for n, r in self._config.routes.items() if self._opens(n)}
                )
            return self._configured
        if ":" not in name:
            known = ", ".join(self._config.routes) or "none"
            raise LlmRequestError(
                f"There is no model {name!r}: configured are {known}; or write PROVIDER:MODEL."
            )
        place = f"{kind} {name}"
        if place not in self._routers:
            if len(self._routers) >= MOST_DIRECT:
                raise TooManyModelsError(
                    f"{MOST_DIRECT} models are open already, as many as may be called by "
                    "PROVIDER:MODEL; name routes in a configuration."
                )
            alone = RouteConfig(deployments=[DeploymentConfig(model=name)], kind=kind)
            self._check_all({name: alone})
            self._routers[place] = self._new_router({name: alone})
        return self._routers[place]

    def _reached_from(self, name: str) -> dict[str, RouteConfig]:
        """Return the route `name` and all that calls to it may fall back to."""
        reached: dict[str, RouteConfig] = {}
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one not in reached:
                reached[one] = self._config.routes[one]
                for others in reached[one].fallbacks.values():
                    waiting += others
        return reached

    def _opens(self, name: str) -> bool:
        """Tell whether nothing is missing for the route; what other routes lack is not its."""
        try:
            self._check_all(self._reached_from(name))
        except (LlmAuthError, LlmRequestError):
            return False
        return True

    def _new_router(self, routes: Mapping[str, RouteConfig]) -> Router:
        chats = [self._chat(name, route) for name, route in routes.items() if route.kind == "chat"]
        embeddings = [
            self._embedding(name, route)
            for name, route in routes.items()
            if route.kind == "embedding"
        ]
        return Router(
            chats,
            ledger=self._books.ledger,
            check=self._check,
            embeddings=embeddings,
            wait_seconds=self._wait_seconds,
        )

    def _check_all(self, routes: Mapping[str, RouteConfig]) -> None:
        """Raise one error that tells of every wrong name and missing key."""
        faults: list[LlmError] = []
        for route in routes.values():
            for deployment in route.deployments:
                try:
                    address = _address(deployment, self._environ, self._base_url)
                    check_address(address, self._environ, embedding=route.kind == "embedding")
                except (LlmAuthError, LlmRequestError) as error:
                    faults.append(error)
        if faults:
            raise type(faults[0])(" ".join(dict.fromkeys(map(str, faults))))

    def _chat(self, name: str, route: RouteConfig) -> Route:
        return Route(
            name=name,
            deployments=tuple(
                Deployment(
                    id=f"{name}/{number}",
                    model=open_model(
                        _address(d, self._environ, self._base_url),
                        self._environ,
                        retry=Retry(ONE_ATTEMPT),
                        prices=self._prices,
                        connections=d.max_in_flight,
                    ),
                    priority=d.priority,
                    weight=d.weight,
                    max_in_flight=d.max_in_flight,
                    limit=d.limit(),
                    context_tokens=d.context_tokens,
                )
                for number, d in enumerate(route.deployments, start=1)
            ),
            strategy=route.strategy,
            fallbacks={code: tuple(names) for code, names in route.fallbacks.items()},
            hedge_after_seconds=route.hedge_after_seconds,
            affinity=route.affinity,
            retry=RetryRules(attempts=route.attempts),
            circuit=CircuitRules(route.failures_before_cooldown, route.cooldown_seconds),
        )

    def _embedding(self, name: str, route: RouteConfig) -> EmbeddingRoute:
        return EmbeddingRoute(
            name=name,
            deployments=tuple(
                EmbeddingDeployment(
                    id=f"{name}/{number}",
                    model=open_embedder(
                        _address(d, self._environ, self._base_url),
                        self._environ,
                        retry=Retry(ONE_ATTEMPT),
                        prices=self._prices,
                        connections=d.max_in_flight,
                    ),
                    priority=d.priority,
                    max_in_flight=d.max_in_flight,
                    limit=d.limit(),
                )
                for number, d in enumerate(route.deployments, start=1)
            ),
            retry=RetryRules(attempts=route.attempts),
            circuit=CircuitRules(route.failures_before_cooldown, route.cooldown_seconds),
        )


def _address(
    deployment: DeploymentConfig, environ: Mapping[str, str], base_url: str | None = None
) -> ModelAddress:
    key = None
    if deployment.api_key_env is not None:
        key = environ.get(deployment.api_key_env)
        if not key:
            raise LlmAuthError(
                f"{deployment.model} needs an API key: set {deployment.api_key_env}."
            )
    return ModelAddress(deployment.model, deployment.base_url or base_url, key)


def _admission(
    config: GatewayConfig, limit_of_key: Callable[[str], RateLimit | None] | None
) -> FairAdmission:
    return FairAdmission(
        config.capacity,
        config.queue,
        tenants={name: tenant.limit() for name, tenant in config.tenants.items()},
        keys={name: limit.limit() for name, limit in config.keys.items()},
        models={name: limit.limit() for name, limit in config.models.items()},
        weights={name: tenant.weight for name, tenant in config.tenants.items()},
        default_tenant=config.default_tenant.limit(),
        default_weight=config.default_tenant.weight,
        limit_of_key=limit_of_key,
    )
