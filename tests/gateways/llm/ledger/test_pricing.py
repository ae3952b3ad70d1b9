"""Prices in integers say what the list says, to the nano-dollar."""

import random
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from genai_prices import Usage as PricedUsage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider, TieredPrices

from soullink.gateways.llm.config import PriceConfig
from soullink.gateways.llm.port import Usage
from soullink.gateways.llm.pricing import Price, PriceList, cost_nano_usd
from soullink.kernel.errors import InvalidInputError

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _listed(
    provider: Provider, model: ModelInfo, usage: Usage, writes: int, moment: datetime
) -> int | None:
    counted = PricedUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_input_tokens,
        cache_write_tokens=writes,
    )
    total = model.calc_price(counted, provider, genai_request_timestamp=moment).total_price
    return int((total * 1_000_000_000).to_integral_value(ROUND_HALF_EVEN))


def _usage(draw: random.Random) -> tuple[Usage, int]:
    size = draw.choice([10, 5_000, 150_000, 300_000, 2_000_000])
    total = draw.randint(0, size)
    cached = draw.choice([0, draw.randint(0, total)])
    writes = draw.choice([0, draw.randint(0, total - cached)])
    return Usage(total, draw.randint(0, size), cached), writes


def test_every_model_of_the_list_costs_what_the_list_says() -> None:
    draw = random.Random(11)  # noqa: S311
    prices = PriceList()
    seen = tiered = by_date = 0
    for provider in get_snapshot().providers:
        for model in provider.models:
            moment = datetime(2024, 6, 1, tzinfo=UTC) + timedelta(minutes=draw.randint(0, 1 << 20))
            # The list's own way to a model is by patterns, which may lead to another one first.
            name = model.id
            try:
                _, reached = get_snapshot().find_provider_model(name, None, provider.id, None)
            except LookupError:
                continue
            price = prices.find(provider="x", model=name, seller=provider.id, moment=moment)
            rates = reached.get_prices(moment).__dict__.values()
            if price is None:
                assert reached.get_prices(moment).input_mtok is None
                continue
            seen += 1
            tiered += any(isinstance(rate, TieredPrices) for rate in rates)
            by_date += isinstance(reached.prices, list)
            for _ in range(3):
                usage, writes = _usage(draw)
                assert price.cost(usage, writes) == _listed(
                    provider, reached, usage, writes, moment
                ), (provider.id, name, usage, writes)
    # So that the loop cannot pass by looking at nothing.
    assert seen > 1500
    assert tiered > 50
    assert by_date > 50


def test_a_price_that_depends_on_the_hour_follows_it() -> None:
    prices = PriceList()

    def cost(hour: int) -> int:
        price = prices.find(
            provider="openai",
            model="deepseek-chat",
            seller="deepseek",
            moment=datetime(2025, 7, 1, hour, 29, 59, tzinfo=UTC),
        )
        assert price is not None
        return price.cost(Usage(1_000_000, 0))

    # Dear from 00:30 to 16:30 UTC in 2025.
    assert cost(20) < cost(12)
    assert cost(20) == cost(22)
    assert cost(16) == cost(12)


def test_half_a_nano_dollar_goes_to_the_even_side() -> None:
    price = Price(input=500_000, cached_input=0, cache_write=0, output=0)
    assert [price.cost(Usage(tokens, 0)) for tokens in (1, 2, 3, 5)] == [0, 1, 2, 2]


def test_own_prices_come_before_the_list_and_stand_for_unlisted_models() -> None:
    prices = PriceList(
        {
            "openai:gpt-5-mini": PriceConfig(input="1", output="2.5", cached_input="0.1"),
            "openai:qwen": PriceConfig(input="0.000000001", output="0"),
        }
    )
    mini = prices.find(provider="openai", model="gpt-5-mini", seller="openai")
    assert mini is not None
    assert mini.cost(Usage(1_000, 100, 400)) == 600 * 1000 + 400 * 100 + 100 * 2500
    assert mini.cost(Usage(1_000, 0), cache_write_tokens=500) == 1_000_000
    own = prices.find(provider="openai", model="qwen", api_url="http://127.0.0.1:8000/v1")
    assert own == Price(input=1, cached_input=1, cache_write=1, output=0)
    listed = prices.find(provider="openai", model="gpt-5-nano", seller="openai")
    assert listed is not None
    assert prices.find(provider="openai", model="no-such-model", seller="openai") is None


def test_a_price_finer_than_a_nano_dollar_is_refused_with_its_name() -> None:
    with pytest.raises(InvalidInputError, match=r"openai:qwen.*nine decimals"):
        PriceList({"openai:qwen": PriceConfig(input="0.0000000001", output="0")})


def test_the_bound_is_never_below_the_cost() -> None:
    draw = random.Random(5)  # noqa: S311
    prices = PriceList()
    for seller, model in (
        ("anthropic", "claude-sonnet-4-5"),
        ("google", "gemini-2.5-pro"),
        ("openai", "gpt-5-mini"),
        ("openrouter", "google/gemini-3.7-flash"),
    ):
        price = prices.find(provider="x", model=model, seller=seller, moment=MOMENT)
        assert price is not None
        for _ in range(300):
            usage, writes = _usage(draw)
            assert price.cost(usage, writes) <= price.bound(usage.input_tokens, usage.output_tokens)


def test_parts_beyond_the_whole_are_charged_and_never_paid_back() -> None:
    price = Price(input=10**9, cached_input=10**8, cache_write=0, output=0)
    assert price.cost(Usage(10, 0, 50)) == 50 * 100
    assert cost_nano_usd(Usage(10, 10, 50), "gpt-5-mini", seller="openai") is None


def test_the_list_is_exact_where_it_has_more_decimals_than_nano_dollars() -> None:
    price = PriceList().find(
        provider="x", model="google/gemini-3.7-flash", seller="openrouter", moment=MOMENT
    )
    assert price is not None
    assert price.per > 1_000_000
    exact = Decimal("0.0416666666666667") * 999_999 * 1000
    assert price.cost(Usage(999_999, 0), cache_write_tokens=999_999) == round(exact)
