"""What is particular to one provider's wire format."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from soullink.gateways.llm.anthropic import AnthropicDialect, anthropic_model
from soullink.gateways.llm.gemini import GeminiDialect
from soullink.gateways.llm.openai import OpenAiDialect, openai_model
from soullink.gateways.llm.port import (
    LlmAuthError,
    LlmRefusedError,
    LlmRequestError,
    LlmUnavailableError,
)
from soullink.gateways.llm.retry import Retry
from tests.gateways.llm.conftest import SCHEMA, Sleeps, request
from tests.gateways.llm.native_servers import ScriptedAnthropicServer, ScriptedGeminiServer
from tests.gateways.llm.server import Fail, Raw, Say, ScriptedOpenAiServer

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("dialect", "streaming", "expected"),
    [
        (
            OpenAiDialect("llama3", official=False),
            True,
            {
                "model": "llama3",
                "max_tokens": 50,
                "temperature": 0.5,
                "seed": 7,
                "stream": True,
                "stream_options": {"include_usage": True},
            },
        ),
        (
            OpenAiDialect("gpt-4.1", official=True),
            False,
            {"model": "gpt-4.1", "max_completion_tokens": 50, "temperature": 0.5, "seed": 7},
        ),
        (
            OpenAiDialect("gpt-5-mini", official=True),
            False,
            {
                "model": "gpt-5-mini",
                "max_completion_tokens": 2098,
                "reasoning_effort": "low",
                "seed": 7,
            },
        ),
        (
            AnthropicDialect("claude-sonnet-4-5"),
            True,
            {
                "model": "claude-sonnet-4-5",
                "max_tokens": 50,
                "temperature": 0.5,
                "stream": True,
                "system": [
                    {
                        "type": "text",
                        "text": "You are Ada.",
                        "cache_control": {"type": "ephemeral"},
                    }
                ],
            },
        ),
        (
            AnthropicDialect("claude-opus-5-5"),
            False,
            {
                "model": "claude-opus-5-5",
                "max_tokens": 2098,
                "output_config": {"effort": "low"},
                "system": [
                    {
                        "type": "text",
                        "text": "You are Ada.",
                        "cache_control": {"type": "ephemeral"},
                    }
                ],
            },
        ),
        (
            GeminiDialect("gemini-2.5-flash"),
            False,
            {
                "systemInstruction": {"parts": [{"text": "You are Ada."}]},
                "generationConfig": {
                    "maxOutputTokens": 2098,
                    "candidateCount": 1,
                    "temperature": 0.5,
                    "seed": 7,
                    "thinkingConfig": {"thinkingBudget": 0},
                },
            },
        ),
        (
            GeminiDialect("gemini-3.8-flash"),
            False,
            {
                "systemInstruction": {"parts": [{"text": "You are Ada."}]},
                "generationConfig": {
                    "maxOutputTokens": 2098,
                    "candidateCount": 1,
                    "temperature": 0.5,
                    "seed": 7,
                    "thinkingConfig": {"thinkingLevel": "low"},
                },
            },
        ),
    ],
)
def test_each_family_of_models_gets_the_parameters_it_takes(
    dialect: Any, streaming: bool, expected: Mapping[str, Any]
) -> None:
    asked = request(max_output_tokens=50, temperature=0.5, seed=7)
    body = dialect.body(asked, streaming=streaming)
    body.pop("messages", None)
    body.pop("contents", None)
    assert body == expected


def test_schemas_are_sent_in_the_form_each_provider_takes() -> None:
    asked = request(json_schema=SCHEMA)
    local = OpenAiDialect("llama3", official=False).body(asked, streaming=False)
    official = OpenAiDialect("gpt-4.1", official=True).body(asked, streaming=False)
    claude = AnthropicDialect("claude-opus-5-5").body(asked, streaming=False)
    gemini = GeminiDialect("gemini-2.5-flash").body(asked, streaming=False)
    narrowed = {
        "type": "object",
        "properties": {
            "words": {"type": "string", "description": "{maxLength: 200}"},
            "act": {"type": "string", "enum": ["ask", "joke"]},
        },
        "required": ["words", "act"],
        "additionalProperties": False,
    }
    assert local["response_format"]["json_schema"]["schema"] == SCHEMA
    assert official["response_format"]["json_schema"] == {
        "name": "answer",
        "schema": narrowed,
        "strict": True,
    }
    assert claude["output_config"]["format"] == {"type": "json_schema", "schema": narrowed}
    assert gemini["generationConfig"]["responseJsonSchema"] == SCHEMA
    assert gemini["generationConfig"]["responseMimeType"] == "application/json"


async def test_an_older_gemini_gets_the_schema_in_openapi_words() -> None:
    async with ScriptedGeminiServer(
        ["{}"], rejects={"generationConfig.responseJsonSchema": "Unknown name responseJsonSchema"}
    ) as server:
        model = _gemini(server)
        await model.complete(request(json_schema=SCHEMA))
        await model.close()
    schema = server.requests[-1].json["generationConfig"]["responseSchema"]
    assert schema["type"] == "OBJECT"
    assert schema["properties"]["act"] == {"type": "STRING", "enum": ["ask", "joke"]}
    assert "additionalProperties" not in schema


async def test_openai_words_of_refusal_are_a_reply_marked_refusal() -> None:
    async with ScriptedOpenAiServer([Say(refusal="I cannot say that."), Say(refusal="No.")]) as it:
        model = openai_model("m", key=None, base_url=it.base_url)
        whole = await model.complete(request())
        last = [chunk async for chunk in model.stream(request())][-1].reply
        await model.close()
    assert (whole.text, whole.finish_reason) == ("I cannot say that.", "refusal")
    assert last is not None
    assert (last.text, last.finish_reason) == ("No.", "refusal")


async def test_a_server_that_wants_the_other_name_for_length_gets_it() -> None:
    complaint = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead."
    )
    async with ScriptedOpenAiServer(["Yes."], rejects={"max_tokens": complaint}) as server:
        model = openai_model("m", key=None, base_url=server.base_url)
        reply = await model.complete(request(max_output_tokens=33))
        server.script = ["Yes."] * 3
        await asyncio.gather(*(model.complete(request()) for _ in range(3)))
        await model.close()
    assert reply.attempts == 2
    assert server.requests[1].json["max_completion_tokens"] == 33
    assert len(server.requests) == 5


async def test_calls_in_flight_survive_the_swap_and_a_server_that_takes_neither_is_an_error() -> (
    None
):
    one = {"max_tokens": "'max_tokens' is not supported"}
    both = {**one, "max_completion_tokens": "'max_completion_tokens' is not supported"}
    async with ScriptedOpenAiServer(lambda _: "Yes.", rejects=one) as server:
        model = openai_model("m", key=None, base_url=server.base_url)
        replies = await asyncio.gather(*(model.complete(request()) for _ in range(5)))
        assert [reply.text for reply in replies] == ["Yes."] * 5
        server.rejects = both
        with pytest.raises(LlmRequestError, match="not supported"):
            await model.complete(request())
        await model.close()


async def test_no_credit_is_not_tried_again() -> None:
    async with ScriptedOpenAiServer(
        [Fail(429, "You exceeded your quota", code="insufficient_quota")]
    ) as server:
        model = openai_model("m", key=None, base_url=server.base_url)
        with pytest.raises(LlmAuthError, match="no credit"):
            await model.complete(request())
        await model.close()
    assert len(server.requests) == 1


async def test_an_error_inside_a_stream_is_told_apart_by_its_kind() -> None:
    overloaded = (
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}'
    )
    sleeps = Sleeps()
    async with ScriptedAnthropicServer(
        [Raw(overloaded + b"\n\n", "text/event-stream"), "Now."]
    ) as server:
        model = anthropic_model(
            "claude-opus-5-5",
            key=None,
            base_url=server.base_url,
            retry=Retry(seed=1, sleep=sleeps),
        )
        replies = [chunk.reply async for chunk in model.stream(request()) if chunk.reply]
        await model.close()
    assert [(reply.text, reply.attempts) for reply in replies] == [("Now.", 2)]
    assert len(sleeps.seconds) == 1


async def test_an_openai_stream_that_ends_without_its_end_mark_is_cut() -> None:
    torn = b'data: {"choices":[{"delta":{"content":"Half"},"finish_reason":null}]}\n\n'
    async with ScriptedOpenAiServer([Raw(torn, "text/event-stream")]) as server:
        model = openai_model("m", key=None, base_url=server.base_url)
        with pytest.raises(LlmUnavailableError, match="cut"):
            _ = [chunk async for chunk in model.stream(request())]
        await model.close()


async def test_gemini_may_decline_the_prompt_itself() -> None:
    async with ScriptedGeminiServer([Raw(b'{"promptFeedback":{"blockReason":"SAFETY"}}')]) as it:
        model = _gemini(it)
        with pytest.raises(LlmRefusedError, match="SAFETY"):
            await model.complete(request())
        await model.close()


async def test_a_bad_gemini_key_comes_as_400_and_is_an_auth_error() -> None:
    async with ScriptedGeminiServer([Fail(400, "API key not valid. Please pass one.")]) as server:
        model = _gemini(server)
        with pytest.raises(LlmAuthError):
            await model.complete(request())
        await model.close()


def _gemini(server: ScriptedGeminiServer) -> Any:
    from soullink.gateways.llm.gemini import gemini_model

    return gemini_model("gemini-2.5-flash", key=None, base_url=server.base_url)
