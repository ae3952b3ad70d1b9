"""What is particular to one provider's way with tools, sampling and schemas."""

import json
from typing import Any

import msgspec
import pytest

from soullink.gateways.llm.anthropic import AnthropicDialect, anthropic_model
from soullink.gateways.llm.gemini import GeminiDialect, gemini_model
from soullink.gateways.llm.openai import OpenAiDialect, openai_model
from soullink.gateways.llm.port import ChatRequest, LlmRequestError, Message
from tests.gateways.llm.conftest import SCHEMA, request
from tests.gateways.llm.native_servers import ScriptedAnthropicServer, ScriptedGeminiServer
from tests.gateways.llm.server import Fail, Raw, Say, ScriptedOpenAiServer
from tests.gateways.llm.test_tools import CLOCK, PARIS, TALK, WEATHER, asking, listen

pytestmark = pytest.mark.anyio


async def test_calls_without_ids_and_numbers_are_told_apart() -> None:
    whole = {
        "choices": [
            {
                "message": {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"function": {"name": "clock", "arguments": {"zone": "UTC"}}},
                        {"function": {"name": "clock", "arguments": ""}},
                    ],
                },
                "finish_reason": "stop",
            }
        ]
    }
    part = {
        "choices": [
            {
                "delta": {
                    "tool_calls": [
                        {"index": 0, "id": "a", "function": {"name": "clock", "arguments": "{}"}}
                    ]
                }
            }
        ]
    }
    again = json.loads(json.dumps(part).replace('"a"', '"b"'))
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    stream = b"".join(b"data: %b\n\n" % json.dumps(p).encode() for p in (part, again, end))
    async with ScriptedOpenAiServer(
        [Raw(json.dumps(whole).encode()), Raw(stream, "text/event-stream")]
    ) as server:
        model = openai_model("m", key=None, base_url=server.base_url)
        first, second = (await model.complete(asking())).tool_calls
        _, _, reply = await listen(model, asking())
        await model.close()
    assert first.id != second.id
    assert (json.loads(first.arguments), second.arguments) == ({"zone": "UTC"}, "{}")
    assert [call.id for call in reply.tool_calls] == ["a", "b"]
    assert reply.finish_reason == "tool_calls"


async def test_a_model_that_takes_either_temperature_or_top_p_gets_top_p() -> None:
    class Either(ScriptedAnthropicServer):
        def problem(self, received: Any) -> str | None:
            if {"temperature", "top_p"} <= set(received.json):
                return "`temperature` and `top_p` cannot both be specified for this model."
            return super().problem(received)

    async with Either(["One.", "Two."]) as server:
        model = anthropic_model("claude-sonnet-4-5", key=None, base_url=server.base_url)
        assert (await model.complete(request(top_p=0.5))).attempts == 2
        assert (await model.complete(request())).attempts == 1
        await model.close()
    assert [("temperature" in r.json, "top_p" in r.json) for r in server.requests[1:]] == [
        (False, True),
        (True, False),
    ]


async def test_gemini_gets_its_signature_back_with_the_call() -> None:
    async with ScriptedGeminiServer([Say(calls=(PARIS,)), "Grey."]) as server:
        model = gemini_model("gemini-2.5-flash", key=None, base_url=server.base_url)
        (call,) = (await model.complete(asking())).tool_calls
        answered = (
            Message("user", "How is it in Paris?"),
            Message("assistant", "", tool_calls=(call,)),
            Message("tool", "[1]", tool_call_id=call.id),
        )
        await model.complete(ChatRequest(answered, tools=(WEATHER,)))
        await model.close()
    parts = server.requests[1].json["contents"][1]["parts"]
    assert parts[0]["thoughtSignature"] == "signature of weather"


def test_gemini_3_gets_a_stand_in_for_a_signature_of_another_model() -> None:
    body = GeminiDialect("gemini-3-pro").body(asking(), streaming=False)
    signed = [part for part in body["contents"][1]["parts"] if "functionCall" in part]
    assert [part["thoughtSignature"] for part in signed] == ["skip_thought_signature_validator"] * 2


def test_gemini_names_the_function_of_an_answer_and_refuses_one_without_a_call() -> None:
    lost = ChatRequest((Message("tool", "noon", tool_call_id="call_7"),))
    with pytest.raises(LlmRequestError, match="call_7"):
        GeminiDialect("gemini-2.5-flash").body(lost, streaming=False)


async def test_an_older_gemini_gets_tools_in_openapi_words() -> None:
    refused = Fail(400, 'Unknown name "parametersJsonSchema"')
    async with ScriptedGeminiServer([refused, "Yes."]) as server:
        model = gemini_model("gemini-1.5-flash", key=None, base_url=server.base_url)
        assert (await model.complete(asking())).attempts == 2
        await model.close()
    described = server.requests[1].json["tools"][0]["functionDeclarations"]
    assert described[0]["parameters"]["type"] == "OBJECT"
    assert described[1] == {"name": "clock", "description": "clock"}


def test_a_model_that_reasons_gets_no_top_p() -> None:
    body = OpenAiDialect("gpt-5-mini", official=True).body(request(top_p=0.4), streaming=False)
    assert not {"top_p", "temperature"} & set(body)


def test_llama_cpp_is_offered_the_chosen_tool_alone() -> None:
    dialect = OpenAiDialect("m", provider="llamacpp", official=False)
    body = dialect.body(asking(tool_choice="clock"), streaming=False)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["clock"]
    assert body["tool_choice"] == "required"


def test_what_is_sent_follows_a_schema_that_its_owner_changes() -> None:
    schema = json.loads(json.dumps(SCHEMA))
    dialect = OpenAiDialect("gpt-4.1", official=True)
    asked = request(json_schema=schema)
    dialect.body(asked, streaming=False)
    schema["properties"]["mood"] = {"type": "string"}
    body = dialect.body(asked, streaming=False)
    assert "mood" in body["response_format"]["json_schema"]["schema"]["properties"]


def test_a_schema_in_words_leaves_the_answer_of_a_tool_alone() -> None:
    dialect = OpenAiDialect("m", official=False)
    asked = ChatRequest(TALK[:-1], tools=(WEATHER, CLOCK), json_schema=SCHEMA)
    sent = dialect.body(asked, streaming=False)
    assert dialect.adapt("'response_format' is not supported", sent)
    messages = msgspec.to_builtins(dialect.body(asked, streaming=False))["messages"]
    assert messages[-2]["content"] == "noon"
    assert "JSON Schema" in messages[-1]["content"]
    assert messages[-1]["role"] == "user"


def test_a_temperature_above_one_is_clamped_for_anthropic_alone() -> None:
    asked = request(temperature=1.7)
    assert AnthropicDialect("claude-sonnet-4-5").body(asked, streaming=False)["temperature"] == 1.0
    assert OpenAiDialect("m", official=False).body(asked, streaming=False)["temperature"] == 1.7


def cached(turns: list[dict[str, Any]]) -> list[str]:
    """Return the words of the blocks that Anthropic keeps in its cache, up to and with them."""
    return [
        block.get("text") or block["type"]
        for turn in turns
        if not isinstance(turn["content"], str)
        for block in turn["content"]
        if "cache_control" in block
    ]


def test_a_growing_history_is_kept_in_anthropics_cache_up_to_the_last_question() -> None:
    dialect = AnthropicDialect("claude-sonnet-4-5")
    talk: tuple[Message, ...] = (Message("system", "You are Ada."), Message("user", "Hello"))
    talk += (Message("assistant", "Hi."), Message("user", "Who are you?"))
    later = (*talk, Message("assistant", "I am Ada."), Message("user", "And I?"))
    marks = []
    for messages in (talk[:2], talk, later, (*later, Message("assistant", "You"))):
        body = dialect.body(ChatRequest(messages), streaming=False)
        assert cached([{"content": body["system"]}]) == ["You are Ada."]
        marks.append(cached(body["messages"]))
    assert marks == [[], ["Hi."], ["I am Ada."], ["I am Ada."]]
    assert cached(dialect.body(asking(), streaming=False)["messages"]) == ["tool_use"]


@pytest.mark.parametrize("said", ["", " \n"])
def test_words_that_cannot_be_marked_are_left_as_they_are(said: str) -> None:
    talk = (Message("user", "Hello"), Message("assistant", said), Message("user", "Well?"))
    body = AnthropicDialect("claude-sonnet-4-5").body(ChatRequest(talk), streaming=False)
    assert body["messages"][1]["content"] == said
    alone = AnthropicDialect("claude-sonnet-4-5").body(ChatRequest(talk[1:2]), streaming=False)
    assert cached(alone["messages"]) == []
