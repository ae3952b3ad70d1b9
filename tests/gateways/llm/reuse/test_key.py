"""What makes two requests the same."""

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from soullink.gateways.llm.port import (
    Attribution,
    ChatRequest,
    EmbeddingRequest,
    LlmRequestError,
    Message,
    Tool,
    ToolCall,
)
from soullink.gateways.llm.reuse.key import embedding_key, is_deterministic, request_key
from soullink.gateways.llm.reuse.recording import (
    chat_document,
    document_key,
    embedding_document,
)
from tests.gateways.llm.conftest import SCHEMA, request

WEATHER = Tool("weather", "Tells the weather.", {"type": "object", "properties": {}})


@pytest.mark.parametrize(
    "changes",
    [
        {"messages": (Message("system", "You are Ada."), Message("user", "Other words"))},
        {"messages": (Message("user", "You are Ada."), Message("user", "How was your day?"))},
        {"messages": (Message("system", "You are Ada.How was your day?"),)},
        {
            "messages": (
                Message("system", "You are Ada."),
                Message("user", "How was your day?", (ToolCall("1", "weather", "{}"),)),
            )
        },
        {"max_output_tokens": 5},
        {"temperature": 0.7},
        {"json_schema": SCHEMA},
        {"seed": 0},
        {"purpose": "simulation.turn"},
        {"top_p": 0.9},
        {"stop": ("\n",)},
        {"tools": (WEATHER,)},
        {"tool_choice": "none"},
    ],
)
def test_everything_that_can_change_the_answer_changes_the_key(changes: dict[str, Any]) -> None:
    assert request_key("a:b", replace(request(), **changes)) != request_key("a:b", request())


def test_the_model_changes_the_key_and_time_account_and_id_do_not() -> None:
    key = request_key("a:b", request())
    assert request_key("a:c", request()) != key
    assert len(key) == 32
    other = replace(
        request(),
        timeout_seconds=1.0,
        attribution=Attribution(tenant="t", key="k", run="r", prompt="p"),
        request_id="id",
    )
    assert request_key("a:b", other) == key


def test_equal_values_of_other_types_have_one_key() -> None:
    left = request(temperature=1, json_schema=SCHEMA, top_p=1)
    turned = dict(reversed(SCHEMA.items()))
    right = request(temperature=1.0, json_schema=MappingProxyType(turned), top_p=1.0)
    assert request_key("a:b", left) == request_key("a:b", right)


def test_a_request_that_cannot_be_written_is_refused_in_words() -> None:
    with pytest.raises(LlmRequestError, match="cannot be written"):
        request_key("a:b", request("half \ud83d"))
    with pytest.raises(LlmRequestError, match="cannot be written"):
        request_key("a:b", request(json_schema={"enum": [object()]}))


def test_texts_and_dimensions_make_an_embedding_the_same() -> None:
    asked = EmbeddingRequest(("one", "two"))
    key = embedding_key("a:b", asked)
    assert key == embedding_key("a:b", replace(asked, timeout_seconds=1.0, request_id="x"))
    assert key != embedding_key("a:b", EmbeddingRequest(("onetwo",)))
    assert key != embedding_key("a:b", replace(asked, dimensions=64))
    assert document_key("a:b", embedding_document(asked)) == key.hex()


def test_only_temperature_zero_or_a_seed_asks_for_the_one_answer() -> None:
    assert is_deterministic(request(temperature=0.0))
    assert is_deterministic(request(seed=0))
    assert not is_deterministic(request(temperature=0.1))


_WORDS = st.text(max_size=20)
_CALLS = st.builds(ToolCall, _WORDS, _WORDS, _WORDS)
_JSON = st.dictionaries(
    _WORDS,
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), _WORDS),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(_WORDS, inner)),
        max_leaves=6,
    ),
)
_MESSAGES = st.builds(
    Message,
    st.sampled_from(["system", "user", "assistant", "tool"]),
    _WORDS,
    st.lists(_CALLS, max_size=2).map(tuple),
    _WORDS,
)
REQUESTS = st.builds(
    ChatRequest,
    messages=st.lists(_MESSAGES, max_size=3).map(tuple),
    max_output_tokens=st.integers(1, 10_000),
    temperature=st.one_of(st.integers(0, 2), st.floats(0, 2)),
    json_schema=st.one_of(st.none(), _JSON),
    seed=st.one_of(st.none(), st.integers(0, 2**31)),
    purpose=_WORDS,
    top_p=st.one_of(st.none(), st.floats(0, 1)),
    stop=st.lists(_WORDS, max_size=2).map(tuple),
    tools=st.lists(st.builds(Tool, _WORDS, _WORDS, _JSON), max_size=2).map(tuple),
    tool_choice=st.sampled_from(["auto", "none", "required", "weather"]),
)


@given(REQUESTS)
def test_a_recorded_request_has_the_key_of_the_request(asked: ChatRequest) -> None:
    assert document_key("a:b", chat_document(asked)) == request_key("a:b", asked).hex()
