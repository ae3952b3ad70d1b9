"""What a call can cost at most, known before it is made."""

import json
import timeit
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soullink.gateways.llm.anthropic import AnthropicDialect, anthropic_model
from soullink.gateways.llm.bounds import most_input_tokens
from soullink.gateways.llm.config import PriceConfig
from soullink.gateways.llm.gemini import GeminiDialect, gemini_model
from soullink.gateways.llm.http_model import HttpLanguageModel
from soullink.gateways.llm.openai import OpenAiDialect, openai_model
from soullink.gateways.llm.opening import open_model
from soullink.gateways.llm.port import (
    ChatRequest,
    Message,
    ModelAddress,
    Tool,
    ToolCall,
    Usage,
)
from soullink.gateways.llm.pricing import PriceList
from tests.gateways.llm.conftest import SCHEMA, request
from tests.gateways.llm.native_servers import ScriptedAnthropicServer
from tests.gateways.llm.server import Say

MODELS: dict[str, HttpLanguageModel] = {
    "openai": openai_model("gpt-4o-mini", key=None),
    "thinking": openai_model("gpt-5-mini", key=None),
    "anthropic": anthropic_model("claude-sonnet-4-5", key=None),
    "gemini": gemini_model("gemini-2.5-pro", key=None),
}
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)
TALKS = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), WORDS),
    min_size=1,
    max_size=6,
)
CALLS = (ToolCall("call_1", "weather", '{"place": "Paris"}'),)
USE = (
    Message("assistant", "", tool_calls=CALLS),
    Message("tool", "grey", tool_call_id="call_1"),
)


def most_output(body: dict[str, Any]) -> int:
    """Return the output tokens that a body allows, in whichever words."""
    config = body.get("generationConfig", {})
    names = ("max_tokens", "max_completion_tokens", "maxOutputTokens")
    (found,) = [part[name] for part in (body, config) for name in names if name in part]
    return int(found)


@pytest.mark.parametrize("name", sorted(MODELS))
@given(
    TALKS,
    st.integers(1, 5000),
    st.tuples(st.booleans(), st.booleans()),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@settings(max_examples=60, deadline=None)
def test_no_answer_that_a_request_allows_costs_more_than_its_bound(
    name: str,
    talk: list[Message],
    tokens: int,
    extras: tuple[bool, bool],
    shares: tuple[float, float],
) -> None:
    (tools, schema), (read, wrote) = extras, shares
    asked = ChatRequest(
        (*talk, *(USE if tools else ())),
        max_output_tokens=tokens,
        tools=(Tool("weather", "Tells.", SCHEMA),) if tools else (),
        json_schema=SCHEMA if schema else None,
    )
    model = MODELS[name]
    body = model._dialect.body(asked, streaming=False)
    # The worst: every byte of the words is a token, and the wrapping of each message eight more.
    most = sum(len(message.content.encode()) + 8 for message in asked.messages)
    most += len(json.dumps(SCHEMA)) * (tools + schema) + 600 * tools
    cached = int(most * read)
    written = int((most - cached) * wrote)
    worst = Usage(most, most_output(body), cached)
    bound = model.bound_nano_usd(asked)
    price = model._price("")
    assert bound is not None
    assert price is not None
    assert price.cost(worst, written) <= bound


def test_thoughts_are_reserved_only_where_they_are_asked_for() -> None:
    plain = OpenAiDialect("gpt-4o-mini", official=True)
    assert (plain.reserve, OpenAiDialect("o3", official=True).reserve) == (0, 2048)
    assert AnthropicDialect("claude-sonnet-4-5").reserve == 0
    for dialect in (plain, AnthropicDialect("claude-opus-5-5"), GeminiDialect("gemini-3-pro")):
        body = dialect.body(request(max_output_tokens=70), streaming=False)
        assert most_output(body) == 70 + dialect.reserve


def test_a_model_without_a_price_has_no_bound_unless_the_operator_gives_it_one() -> None:
    local = ModelAddress("openai:qwen3:8b", base_url="http://127.0.0.1:9/v1")
    assert open_model(local, {}).bound_nano_usd(request()) is None
    prices = PriceList({"openai:qwen3:8b": PriceConfig(input="1", output="2")})
    asked = request(max_output_tokens=100)
    bound = open_model(local, {}, prices=prices).bound_nano_usd(asked)
    assert bound == most_input_tokens(asked) * 1000 + 100 * 2000


@pytest.mark.anyio
async def test_the_cost_is_by_the_model_asked_for_whatever_the_server_calls_it() -> None:
    prices = PriceList({"anthropic:house": PriceConfig(input="1", output="10", cached_input="0.1",
                                                       cache_write="2")})  # fmt: skip
    async with ScriptedAnthropicServer([Say("Yes."), Say("No.", finish="refusal")]) as server:
        model = anthropic_model("house", key=None, base_url=server.base_url, prices=prices)
        reply = await model.complete(request())
        await model.close()
    # 90 fresh, 10 written, 20 read, 30 out
    assert reply.cost_nano_usd == 90 * 1000 + 10 * 2000 + 20 * 100 + 30 * 10_000


def test_a_bound_is_found_in_microseconds() -> None:
    model = MODELS["openai"]
    asked = ChatRequest(tuple(Message("user", "I said I needed time. " * 40) for _ in range(12)))
    seconds = min(timeit.repeat(lambda: model.bound_nano_usd(asked), number=200, repeat=5)) / 200
    # About 4 on an idle machine; the limit is for busy ones.
    assert seconds < 100e-6
