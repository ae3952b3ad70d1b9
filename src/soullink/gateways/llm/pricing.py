"""What a call cost, from the price list shipped with genai-prices; never from the network."""

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from soullink.gateways.llm.port import Usage

NANO_PER_USD = Decimal(1_000_000_000)


def cost_nano_usd(
    usage: Usage,
    model: str,
    *,
    seller: str | None = None,
    api_url: str | None = None,
    cache_write_tokens: int = 0,
    moment: datetime | None = None,
) -> int | None:
    """Return the cost in nano-dollars (1e-9 USD), or None when the price is not known.

    seller: "openai", "anthropic" or "google"; otherwise api_url tells who sells.
    cache_write_tokens: part of the input tokens, dearer where writing to a cache is charged.
    moment: when the call was made, because prices change; None means now.
    """
    if seller is None and api_url is None:
        return None
    counted = PricedUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_input_tokens,
        cache_write_tokens=cache_write_tokens,
    )
    try:
        if seller is not None:
            price = calc_price(counted, model, provider_id=seller, genai_request_timestamp=moment)
        else:
            price = calc_price(
                counted, model, provider_api_url=api_url, genai_request_timestamp=moment
            )
    except (LookupError, ValueError):
        # An unlisted model, or counts that contradict each other: better none than a wrong one.
        return None
    return int((price.total_price * NANO_PER_USD).to_integral_value(ROUND_HALF_EVEN))
