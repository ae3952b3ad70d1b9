"""The gateway's configuration: routes, limits, prices and caching, from one YAML file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from soullink.gateways.llm.limits.port import RateLimit
from soullink.gateways.llm.routing.port import Strategy
from soullink.kernel.errors import InvalidInputError

Count = Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitConfig(_Strict):
    """Calls and tokens a minute."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None

    def limit(self) -> RateLimit:
        """Return the contract's form."""
        return RateLimit(self.requests_per_minute, self.tokens_per_minute)


class DeploymentConfig(LimitConfig):
    """One model at one address. api_key_env: the variable that holds the key, never the key."""

    model: str
    base_url: str | None = None
    api_key_env: str | None = None
    priority: int = 0
    weight: Count = 1
    max_in_flight: Count = 256
    context_tokens: Count | None = None


class RouteConfig(_Strict):
    """What stands behind a name."""

    deployments: Annotated[list[DeploymentConfig], Field(min_length=1)]
    kind: Literal["chat", "embedding"] = "chat"
    strategy: Strategy = "least_in_flight"
    fallbacks: dict[str, list[str]] = {}
    hedge_after_seconds: Annotated[float, Field(gt=0)] | None = None
    affinity: bool = False
    attempts: Count = 4
    cooldown_seconds: Annotated[float, Field(gt=0)] = 5.0
    failures_before_cooldown: Count = 3


class TenantConfig(LimitConfig):
    """A tenant's share of the capacity and its limits."""

    weight: Count = 1


class CacheConfig(_Strict):
    """exact: equal requests are answered from the cache for ttl_seconds.

    deterministic_only: only requests with temperature 0 or a seed may be answered so.
    """

    policy: Literal["off", "exact"] = "off"
    ttl_seconds: Annotated[float, Field(gt=0)] = 3600.0
    max_entries: Count = 10_000
    max_bytes: Count = 64 * 1024 * 1024
    deterministic_only: bool = True


class PriceConfig(_Strict):
    """US dollars per million tokens, as decimal text, e.g. "0.15"."""

    input: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")]
    output: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")]
    cached_input: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")] | None = None
    cache_write: Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")] | None = None


class _Document(_Strict):
    routes: dict[str, RouteConfig] = {}
    prices: dict[str, PriceConfig] = {}
    tenants: dict[str, TenantConfig] = {}
    keys: dict[str, LimitConfig] = {}
    models: dict[str, LimitConfig] = {}
    default_tenant: TenantConfig = TenantConfig()
    cache: CacheConfig = CacheConfig()
    coalesce: bool = True
    capacity: Count = 256
    queue: Count = 10_000
    filters: list[str] = []


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """What an operator decides about language models.

    routes: by the name that callers use. prices: by "provider:model", over the shipped list.
    tenants, keys, models: limits by name, key id and route. capacity: calls in flight at once;
    queue: calls waiting per tenant at most. filters: names of content filters, in order.
    """

    routes: Mapping[str, RouteConfig] = field(default_factory=dict)
    prices: Mapping[str, PriceConfig] = field(default_factory=dict)
    tenants: Mapping[str, TenantConfig] = field(default_factory=dict)
    keys: Mapping[str, LimitConfig] = field(default_factory=dict)
    models: Mapping[str, LimitConfig] = field(default_factory=dict)
    default_tenant: TenantConfig = field(default_factory=TenantConfig)
    cache: CacheConfig = field(default_factory=CacheConfig)
    coalesce: bool = True
    capacity: int = 256
    queue: int = 10_000
    filters: tuple[str, ...] = ()


def read_config(path: Path) -> GatewayConfig:
    """Return the configuration in `path`. Raises InvalidInputError, naming what to change."""
    try:
        document = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} is not YAML: {error}.") from error
    try:
        read = _Document.model_validate(document or {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise InvalidInputError(f"{path}: {place}: {first['msg']}.") from error
    for name, route in read.routes.items():
        for other in (other for others in route.fallbacks.values() for other in others):
            if other not in read.routes:
                raise InvalidInputError(
                    f"{path}: routes.{name}.fallbacks names {other!r}, which is no route."
                )
    return GatewayConfig(
        routes=read.routes,
        prices=read.prices,
        tenants=read.tenants,
        keys=read.keys,
        models=read.models,
        default_tenant=read.default_tenant,
        cache=read.cache,
        coalesce=read.coalesce,
        capacity=read.capacity,
        queue=read.queue,
        filters=tuple(read.filters),
    )
