"""What a call costs, in integers: your own prices over the list shipped with genai-prices."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

from soullink.gateways.llm.port import Usage
from soullink.kernel.errors import InvalidInputError

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

NANO_PER_USD: Final = 1_000_000_000
TOKENS_PER_PRICE: Final = 1_000_000
_CACHED_LOOKUPS: Final = 10_000
_SECONDS_PER_MOMENT: Final = 60


@dataclass(frozen=True, slots=True)
class Price:
    """What a model's tokens cost: integer nano-dollars for every `per` tokens of a kind.

    request: what a call costs by itself, in nano-dollars / `per`. tiers: prices that hold for the
    whole call once it has more input tokens than the number beside them, the largest first.
    """

    input: int
    cached_input: int
    cache_write: int
    output: int
    request: int = 0
    tiers: "tuple[tuple[int, Price], ...]" = ()
    per: int = TOKENS_PER_PRICE

    def cost(self, usage: Usage, cache_write_tokens: int = 0) -> int:
        """Return nano-dollars, rounded once, half to even.

        cache_write_tokens: part of the input tokens, as cached_input_tokens are. Where the parts
        are more than the whole, each part is charged.
        """
        price = self
        fresh = usage.input_tokens
        for above, dearer in self.tiers:
            if fresh > above:
                price = dearer
                break
        cached = usage.cached_input_tokens
        fresh -= cached + cache_write_tokens
        total = price.request + cached * price.cached_input + usage.output_tokens * price.output
        if fresh > 0:
            total += fresh * price.input
        if cache_write_tokens:
            total += cache_write_tokens * price.cache_write
        nano, rest = divmod(total, self.per)
        rest += rest
        return nano + 1 if rest > self.per or (rest == self.per and nano & 1) else nano

    def bound(self, input_tokens: int, output_tokens: int) -> int:
        """Return the most that so many tokens can cost, however cached; rounded up."""
        total = (
            self.request
            + input_tokens * max(self.input, self.cached_input, self.cache_write)
            + output_tokens * self.output
        )
        bound = -(-total // self.per)
        for _, price in self.tiers:
            bound = max(bound, price.bound(input_tokens, output_tokens))
        return bound


class PriceText(Protocol):
    """One model's prices as an operator writes them: US dollars a million tokens, decimal text."""

    @property
    def input(self) -> str: ...

    @property
    def output(self) -> str: ...

    @property
    def cached_input(self) -> str | None: ...

    @property
    def cache_write(self) -> str | None: ...


class PriceList:
    """Finds prices; asking again for the same model costs one look into a dictionary.

    overrides: by "provider:model", before the shipped list. Raises InvalidInputError for a price
    that is no number or has more than nine decimals.
    """

    def __init__(self, overrides: Mapping[str, PriceText] | None = None) -> None:
        self._overrides = {name: _written(name, text) for name, text in (overrides or {}).items()}
        self._found: dict[tuple[str, str, str | None, str | None], _Found | Price | None] = {}

    def find(
        self,
        *,
        provider: str,
        model: str,
        seller: str | None = None,
        api_url: str | None = None,
        moment: datetime | None = None,
    ) -> Price | None:
        """Return the price of `model`, or None when it is not known.

        provider: ours, for the overrides. seller: "openai", "anthropic" or "google"; otherwise
        api_url tells who sells. moment: when the call was made, because some prices change with
        the date or the time of day (to the minute); None means now.
        """
        question = (provider, model, seller, api_url)
        try:
            found = self._found[question]
        except KeyError:
            found = self._look_up(provider, model, seller, api_url)
            if len(self._found) >= _CACHED_LOOKUPS:
                # Names come from servers too, and those may never end.
                self._found.clear()
            self._found[question] = found
        return found.at(moment) if isinstance(found, _Found) else found

    def fixed(
        self, *, provider: str, model: str, seller: str | None = None, api_url: str | None = None
    ) -> Price | None:
        """Return what `find` does where that is the same at any moment, else None."""
        self.find(provider=provider, model=model, seller=seller, api_url=api_url)
        found = self._found[provider, model, seller, api_url]
        return None if isinstance(found, _Found) else found

    def _look_up(
        self, provider: str, model: str, seller: str | None, api_url: str | None
    ) -> "_Found | Price | None":
        override = self._overrides.get(f"{provider}:{model}")
        if override is not None:
            return override
        if seller is None and api_url is None:
            return None
        # Imported here: 12 MB of prices and a web client, which no start should wait for.
        from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415

        try:
            _, info = get_snapshot().find_provider_model(model, None, seller, api_url)
        except LookupError:
            return None
        if isinstance(info.prices, list) and len(info.prices) > 1:
            return _Found(info)
        return _listed(info.get_prices(datetime.now(UTC)))


class _Found:
    """A model whose price depends on the moment; the last minute's price is kept."""

    __slots__ = ("_info", "_minute", "_price")

    def __init__(self, info: "ModelInfo") -> None:
        self._info = info
        self._minute = -1
        self._price: Price | None = None

    def at(self, moment: datetime | None) -> Price | None:
        seconds = time.time() if moment is None else moment.timestamp()
        minute = int(seconds // _SECONDS_PER_MOMENT)
        if minute != self._minute:
            start = datetime.fromtimestamp(minute * _SECONDS_PER_MOMENT, UTC)
            self._price = _listed(self._info.get_prices(start))
            self._minute = minute
        return self._price


def cost_nano_usd(
    usage: Usage,
    model: str,
    *,
    seller: str | None = None,
    api_url: str | None = None,
    cache_write_tokens: int = 0,
    moment: datetime | None = None,
) -> int | None:
    """Return the cost in nano-dollars (1e-9 USD) by the shipped list, or None when not known.

    None, too, where the counts contradict each other: better none than a wrong one. Otherwise as
    `PriceList.find` and `Price.cost`.
    """
    price = _SHIPPED.find(provider="", model=model, seller=seller, api_url=api_url, moment=moment)
    if price is None or usage.cached_input_tokens + cache_write_tokens > usage.input_tokens:
        return None
    return price.cost(usage, cache_write_tokens)


def _written(name: str, text: PriceText) -> Price:
    def nano(decimal: str) -> int:
        scaled = Decimal(decimal) * NANO_PER_USD
        if scaled != int(scaled) or scaled < 0:
            raise InvalidInputError(
                f"The price {decimal} of {name} has more than nine decimals or is below nought;"
                " write US dollars a million tokens."
            )
        return int(scaled)

    fresh = nano(text.input)
    return Price(
        input=fresh,
        cached_input=fresh if text.cached_input is None else nano(text.cached_input),
        cache_write=fresh if text.cache_write is None else nano(text.cache_write),
        output=nano(text.output),
    )


def _listed(prices: "ModelPrice") -> Price | None:
    """Return what the list says of input, cached input, cache writes, output and requests.

    Nothing else is counted by the models that we call. None where it prices none of the first
    and last: it is then listed without a price, not free.
    """
    rates: dict[str, Any] = {
        "input": prices.input_mtok,
        "cached_input": prices.cache_read_mtok,
        "cache_write": prices.cache_write_mtok,
        "output": prices.output_mtok,
        "request": prices.requests_kcount,
    }
    if rates["input"] is None and rates["output"] is None and rates["request"] is None:
        return None
    numbers = [
        number
        for rate in rates.values()
        if rate is not None
        for number in (
            [rate.base, *(tier.price for tier in rate.tiers)] if hasattr(rate, "tiers") else [rate]
        )
    ]
    # A few sellers list more decimals than a nano-dollar has; then `per` grows, and all is exact.
    per = TOKENS_PER_PRICE
    while any((number * NANO_PER_USD * (per // TOKENS_PER_PRICE)) % 1 for number in numbers):
        per *= 10
    starts = sorted(
        {tier.start for rate in rates.values() for tier in getattr(rate, "tiers", ())}, reverse=True
    )
    tiers = tuple((start, _flat(rates, start + 1, per)) for start in starts)
    base = _flat(rates, 0, per)
    return Price(
        base.input, base.cached_input, base.cache_write, base.output, base.request, tiers, per
    )


def _flat(rates: Mapping[str, Any], input_tokens: int, per: int) -> Price:
    """Return the price that holds at so many input tokens."""

    def nano(name: str, otherwise: int) -> int:
        rate = rates[name]
        if rate is None:
            return otherwise
        number = getattr(rate, "base", rate)
        for tier in getattr(rate, "tiers", ()):
            if input_tokens > tier.start:
                number = tier.price
        return int(number * NANO_PER_USD * (per // TOKENS_PER_PRICE))

    fresh = nano("input", 0)
    return Price(
        input=fresh,
        cached_input=nano("cached_input", fresh),
        cache_write=nano("cache_write", fresh),
        output=nano("output", 0),
        # Listed for a thousand requests; `cost` divides by `per`, which is a million or more.
        request=nano("request", 0) * (TOKENS_PER_PRICE // 1000),
        per=per,
    )


_SHIPPED: Final = PriceList()
