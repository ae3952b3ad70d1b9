"""Events, token estimates, prices, schemas and addresses, without a network."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.gateways.llm.opening import open_model
from soullink.gateways.llm.port import (
    LlmAuthError,
    LlmOutputError,
    LlmRequestError,
    ModelAddress,
    Usage,
)
from soullink.gateways.llm.pricing import cost_nano_usd
from soullink.gateways.llm.schemas import closed, is_strict, open_api
from soullink.gateways.llm.sse import EventDecoder, ServerEvent
from soullink.gateways.llm.usage import estimate_tokens
from soullink.gateways.llm.wire import Secret, is_local

STREAM = (
    ": hello\r\n\r\nevent: ping\ndata: {}\n\ndata: één\r\ndata:  两行\r\n\r\n"
    "id: 4\rdata\r\rdata: 🙂\n\n"
).encode()
EVENTS = [
    ServerEvent("ping", "{}"),
    ServerEvent("message", "één\n 两行"),
    ServerEvent("message", ""),
    ServerEvent("message", "🙂"),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_are_the_same_wherever_the_bytes_are_cut(places: list[int]) -> None:
    edges = [0, *sorted(places), len(STREAM)]
    decoder = EventDecoder()
    events: list[ServerEvent] = []
    for start, end in itertools.pairwise(edges):
        events += decoder.feed(STREAM[start:end])
    assert events == EVENTS


def test_an_event_without_end_is_refused() -> None:
    decoder = EventDecoder()
    line = b"data: " + b"x" * 400_000 + b"\n"
    assert decoder.feed(line) == decoder.feed(line) == []
    with pytest.raises(LlmOutputError):
        decoder.feed(line)


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("abcd", 1), ("abcde", 2), ("你好，世界", 5), ("你好 ok", 3)]
)
def test_tokens_are_estimated_by_script(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


def test_cost_is_exact_in_nano_dollars() -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    usage = Usage(input_tokens=1000, output_tokens=500, cached_input_tokens=200)
    # 3 $ and 15 $ per million, cached input 0.30 $, writing to the cache 3.75 $.
    plain = cost_nano_usd(usage, "claude-sonnet-4-5", seller="anthropic", moment=moment)
    writing = cost_nano_usd(
        usage, "claude-sonnet-4-5", seller="anthropic", cache_write_tokens=100, moment=moment
    )
    assert plain == 800 * 3000 + 200 * 300 + 500 * 15000
    assert writing == 700 * 3000 + 100 * 3750 + 200 * 300 + 500 * 15000


def test_an_unknown_price_is_none_and_not_nought() -> None:
    usage = Usage(10, 10)
    assert cost_nano_usd(usage, "no-such-model", seller="openai") is None
    assert cost_nano_usd(usage, "llama3", api_url="http://127.0.0.1:11434/v1") is None
    assert cost_nano_usd(usage, "gpt-5-mini") is None
    assert cost_nano_usd(Usage(10, 10, 50), "gpt-5-mini", seller="openai") is None


NESTED: dict[str, Any] = {
    "type": "object",
    "description": "A scene.",
    "properties": {
        "title": {"type": ["string", "null"], "minLength": 3},
        "sides": {"type": "array", "maxItems": 2, "items": {"type": "object", "properties": {}}},
        "minimum": {"type": "integer", "minimum": 1, "enum": [1, 2]},
    },
    "required": ["title", "sides", "minimum"],
}


def test_a_closed_schema_keeps_its_constraints_in_words() -> None:
    assert not is_strict(NESTED)
    narrow = closed(NESTED)
    assert is_strict(narrow)
    assert narrow["properties"]["title"]["description"] == "{minLength: 3}"
    assert narrow["properties"]["sides"]["items"]["additionalProperties"] is False
    assert narrow["properties"]["minimum"] == {
        "type": "integer",
        "enum": [1, 2],
        "description": "{minimum: 1}",
    }
    assert "additionalProperties" not in NESTED


def test_a_schema_with_an_optional_key_is_not_strict() -> None:
    assert not is_strict({**closed(NESTED), "required": ["title"]})


def test_openapi_schemas_have_one_type_each() -> None:
    schema = open_api(NESTED)
    assert schema["properties"]["title"] == {"type": "STRING", "nullable": True, "minLength": 3}
    assert schema["properties"]["sides"]["items"] == {"type": "OBJECT", "properties": {}}


@pytest.mark.parametrize("spec", ["", "openai", "openai:", "fake:x", "mistral:large", "gpt-5"])
def test_an_address_that_names_no_model_says_what_to_write(spec: str) -> None:
    with pytest.raises(LlmRequestError, match="openai:MODEL"):
        open_model(ModelAddress(spec), {})


@pytest.mark.parametrize(
    ("spec", "variable"),
    [("openai:m", "OPENAI_API_KEY"), ("anthropic:m", "ANTHROPIC_API_KEY"),
     ("gemini:m", "GEMINI_API_KEY")],
)  # fmt: skip
def test_a_missing_key_says_which_variable_to_set(spec: str, variable: str) -> None:
    with pytest.raises(LlmAuthError, match=variable):
        open_model(ModelAddress(spec), {variable: "  "})
    assert open_model(ModelAddress(spec), {variable: "abc"}).name == spec
    assert open_model(ModelAddress(spec, api_key="abc"), {}).name == spec


@pytest.mark.parametrize("key", ["kéy", "a b", "a\nb"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(LlmAuthError) as caught:
        open_model(ModelAddress("openai:m", api_key=key), {})
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "environ",
    [
        {"SOULLINK_LLM_BASE_URL": "http://localhost:8000/v1"},
        {"OPENAI_BASE_URL": "http://192.168.1.5:11434/v1"},
    ],
)
def test_a_local_server_needs_no_key(environ: dict[str, str]) -> None:
    assert open_model(ModelAddress("openai:qwen3:8b"), environ).name == "openai:qwen3:8b"


def test_our_own_variable_goes_before_the_providers() -> None:
    environ = {"SOULLINK_LLM_BASE_URL": "http://one/v1", "OPENAI_BASE_URL": "http://two/v1"}
    model: Any = open_model(ModelAddress("openai:m"), environ)
    named: Any = open_model(ModelAddress("openai:m", base_url="http://three/v1"), environ)
    assert (model._wire.base_url.host, named._wire.base_url.host) == ("one", "three")


@pytest.mark.parametrize(
    "url", ["ftp://x/v1", "localhost:8000", "http://", "http://me:secret@x/v1", "http://x/v1?k=1"]
)
def test_a_base_url_that_cannot_work_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(LlmRequestError, match="base URL") as caught:
        open_model(ModelAddress("openai:m", base_url=url, api_key="k"), {})
    assert "secret" not in str(caught.value)


def test_local_is_this_machine_and_its_private_network() -> None:
    assert all(
        is_local(f"http://{host}/v1")
        for host in ("localhost", "127.0.0.1", "[::1]", "10.0.0.2", "ollama", "box.local")
    )
    assert not any(is_local(f"https://{host}/v1") for host in ("api.openai.com", "8.8.8.8"))


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("topsecretkey")
    assert "topsecretkey" not in f"{secret} {secret!r} {[secret]}"
    assert secret.hide_in("it is topsecretkey") == "it is [key]"
    assert "abc-key" not in repr(ModelAddress("openai:m", api_key="abc-key"))
