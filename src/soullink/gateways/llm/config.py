"""The gateway's configuration: routes, limits, prices and caching, from one YAML file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from soullink.gateways.llm.config_faults import (
    faults_of_names,
    faults_of_routes,
    in_words,
    told,
)
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


def _decimal_text(value: Any) -> Any:
    """Return a number as it is written; YAML takes 0.15 without quotation marks for a float."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return format(Decimal(repr(value)), "f")
    return value


_DollarText: TypeAlias = Annotated[
    str, BeforeValidator(_decimal_text), Field(pattern=r"^\d+(\.\d+)?$")
]


class PriceConfig(_Strict):
    """US dollars per million tokens, as decimal text, e.g. "0.15", or a number."""

    input: _DollarText
    output: _DollarText
    cached_input: _DollarText | None = None
    cache_write: _DollarText | None = None


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


_SETTINGS = frozenset(
    name
    for part in (
        _Document, RouteConfig, DeploymentConfig, TenantConfig, CacheConfig, PriceConfig
    )
    for name in part.model_fields
)  # fmt: skip


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
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(f"{path} is not YAML{_where(error)}.") from error
    try:
        read = _Document.model_validate(document or {})
    except ValidationError as error:
        wrong = [in_words(fault, _SETTINGS) for fault in error.errors()]
        # Not from the error: it shows values, and somebody may have put a key among them.
        raise InvalidInputError(f"{path}: {told(wrong)}") from None
    wrong = faults_of_routes(read.routes)
    wrong += faults_of_names(read.routes, read.models, read.prices)
    if wrong:
        raise InvalidInputError(f"{path}: {told(wrong)}")
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


def _where(error: Exception) -> str:
    """Return where YAML was no longer understood, and what stood in its way."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f" at line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return ": it is not UTF-8" if isinstance(error, UnicodeDecodeError) else ""
