"""What one caller's refused request changes for the others: nothing but what it is about."""

import copy
from typing import Any

import pytest

from soullink.gateways.llm.anthropic import AnthropicDialect
from soullink.gateways.llm.complaints import is_unsupported
from soullink.gateways.llm.gemini import GeminiDialect
from soullink.gateways.llm.http_model import Dialect
from soullink.gateways.llm.openai import OpenAiDialect
from soullink.gateways.llm.port import ChatRequest, Message, Tool
from tests.gateways.llm.conftest import SCHEMA

OPENAI = OpenAiDialect("gpt-4.1", official=True)
CLAUDE = AnthropicDialect("claude-opus-4-7")
ODD: dict[str, Any] = {
    "type": "object",
    "properties": {"temperature": {"oneOf": [{"type": "string"}]}},
    "required": ["temperature"],
    "additionalProperties": False,
}


def asked(schema: dict[str, Any], **changes: Any) -> ChatRequest:
    messages = (Message("system", "You are Ada."), Message("user", "Hello?"))
    return ChatRequest(messages, json_schema=schema, seed=7, top_p=0.5, **changes)


@pytest.mark.parametrize(
    ("dialect", "complaint"),
    [
        (
            OPENAI,
            (
                "Invalid schema for response_format 'answer': In context=('properties', "
                "'temperature'), 'oneOf' is not permitted. (invalid_request_error)"
            ),
        ),
        (
            CLAUDE,
            "output_config.format.schema: For 'object' type, property 'oneOf' is not supported",
        ),
        (
            GeminiDialect("gemini-2.5-flash"),
            "'generation_config.response_json_schema.properties[0].value': Cannot find field.",
        ),
    ],
    ids=["openai", "anthropic", "gemini"],
)
def test_a_schema_that_is_not_taken_is_asked_in_words_and_no_other(
    dialect: Dialect, complaint: str
) -> None:
    before = copy.deepcopy(dialect.body(asked(SCHEMA), streaming=False))
    for _ in range(4):
        odd = dialect.body(asked(ODD), streaming=False)
        if "follows this JSON Schema" in str(odd):
            break
        assert dialect.adapt(complaint.replace("response_json_schema", _form(odd)), odd)
    assert "follows this JSON Schema" in str(odd)
    assert dialect.body(asked(SCHEMA), streaming=False) == before


def _form(sent: dict[str, Any]) -> str:
    older = "responseSchema" in sent.get("generationConfig", {})
    return "response_schema" if older else "response_json_schema"


@pytest.mark.parametrize(
    ("dialect", "complaint"),
    [
        (OPENAI, "Invalid schema for function 'seed': In context=(), 'oneOf' is not permitted."),
        (CLAUDE, "tools.0.custom.input_schema: property 'effort' is not supported"),
        (
            GeminiDialect("gemini-2.5-flash"),
            "tools[0].function_declarations[0].parameters_json_schema.properties[seed]: unexpected",
        ),
    ],
    ids=["openai", "anthropic", "gemini"],
)
def test_a_tool_that_is_not_taken_takes_no_parameter_away(dialect: Dialect, complaint: str) -> None:
    plain = asked(SCHEMA, tools=(Tool("seed"), Tool("clock")))
    before = copy.deepcopy(dialect.body(plain, streaming=False))
    assert not dialect.adapt(complaint, before)
    assert dialect.body(plain, streaming=False) == before


@pytest.mark.parametrize(
    ("complaint", "names", "unsupported"),
    [
        ("Unsupported parameter: 'temperature' is not supported.", ("temperature",), True),
        ("`temperature` is deprecated for this model.", ("temperature",), True),
        ("generation_config.seed: unknown field", ("seed",), True),
        ("seed is not supported by get_answer", ("seed",), True),
        ("get_seed is not supported", ("seed",), False),
        ("seed.inner: extra inputs are not permitted", ("seed",), False),
        ("body.max_tokens: extra inputs are not permitted", (".max_tokens",), True),
        ("seed is too large", ("seed",), False),
    ],
)
def test_a_parameter_is_meant_where_its_whole_name_stands(
    complaint: str, names: tuple[str, ...], unsupported: bool
) -> None:
    assert is_unsupported(complaint, *names) is unsupported
