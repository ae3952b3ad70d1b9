"""Tools, sampling and headers, in each provider's own words, over a real socket."""

import json
from typing import Any

import pytest

from soullink.gateways.llm.anthropic import AnthropicDialect, anthropic_model
from soullink.gateways.llm.gemini import GeminiDialect, gemini_model
from soullink.gateways.llm.openai import OpenAiDialect, openai_model
from soullink.gateways.llm.port import (
    ChatReply,
    ChatRequest,
    LanguageModel,
    LlmError,
    LlmRequestError,
    Message,
    Tool,
    ToolCall,
    ToolCallPiece,
)
from tests.gateways.llm.conftest import SCHEMA, Setup, request
from tests.gateways.llm.native_servers import ScriptedAnthropicServer, ScriptedGeminiServer
from tests.gateways.llm.server import Fail, Raw, Say, ScriptedOpenAiServer

pytestmark = pytest.mark.anyio

WEATHER = Tool(
    "weather",
    "Tells the weather of a place.",
    {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
)
CLOCK = Tool("clock")
PARIS = ToolCall("call_1", "weather", '{"place": "Paris"}')
NOW = ToolCall("call_2", "clock", "{}")

TALK = (
    Message("system", "You are Ada."),
    Message("system", "Be brief."),
    Message("user", "How is it in Paris?"),
    Message("user", "And what time is it?"),
    Message("assistant", "Let me look.", tool_calls=(PARIS, NOW)),
    Message("tool", '{"sky": "grey"}', tool_call_id="call_1"),
    Message("tool", "noon", tool_call_id="call_2"),
    Message("user", "Well?"),
)


def asking(**changes: Any) -> ChatRequest:
    return ChatRequest(
        TALK,
        **{"tools": (WEATHER, CLOCK), "timeout_seconds": 5.0, "max_output_tokens": 50, **changes},
    )


async def listen(
    model: LanguageModel, asked: ChatRequest
) -> tuple[str, list[ToolCallPiece], ChatReply]:
    text, pieces, replies = "", [], []
    async for chunk in model.stream(asked):
        text += chunk.text
        if chunk.tool_call is not None:
            pieces.append(chunk.tool_call)
        if chunk.reply is not None:
            replies.append(chunk.reply)
    (reply,) = replies
    return text, pieces, reply


def joined(pieces: list[ToolCallPiece]) -> list[ToolCall]:
    """Put streamed pieces together as a reader of the port does."""
    calls: dict[int, ToolCall] = {}
    for piece in pieces:
        so_far = calls.get(piece.index, ToolCall("", "", ""))
        calls[piece.index] = ToolCall(
            so_far.id + piece.id, so_far.name + piece.name, so_far.arguments + piece.arguments
        )
    return [calls[index] for index in sorted(calls)]


def same(calls: Any, expected: tuple[ToolCall, ...], provider: str) -> bool:
    """Compare calls; Gemini gives no ids, so ours must be there and differ."""
    ids = [call.id for call in calls]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    if provider != "gemini":
        assert ids == [call.id for call in expected]
    return [(c.name, json.loads(c.arguments or "{}")) for c in calls] == [
        (c.name, json.loads(c.arguments)) for c in expected
    ]


@pytest.mark.parametrize("words", ["", "One moment."])
async def test_tool_calls_come_whole(setup: Setup, words: str) -> None:
    setup.server.script = [Say(words, calls=(PARIS, NOW))]
    reply = await setup.model.complete(asking())
    assert (reply.text, reply.finish_reason) == (words, "tool_calls")
    assert same(reply.tool_calls, (PARIS, NOW), setup.provider)
    assert not reply.usage.estimated


@pytest.mark.parametrize("words", ["", "One moment."])
async def test_tool_calls_come_in_pieces_and_whole_at_the_end(setup: Setup, words: str) -> None:
    setup.server.script = [Say(words, calls=(PARIS, NOW))]
    text, pieces, reply = await listen(setup.model, asking())
    assert text == reply.text == words
    assert reply.finish_reason == "tool_calls"
    assert same(reply.tool_calls, (PARIS, NOW), setup.provider)
    assert same(joined(pieces), (PARIS, NOW), setup.provider)
    assert [call.id for call in joined(pieces)] == [call.id for call in reply.tool_calls]


async def test_a_conversation_with_tools_goes_back_as_each_format_writes_it(setup: Setup) -> None:
    setup.server.script = ["Grey, at noon."]
    assert (await setup.model.complete(asking())).text == "Grey, at noon."
    sent = setup.server.requests[0].json
    match setup.provider:
        case "openai":
            assert sent["messages"][4:7] == [
                {
                    "role": "assistant",
                    "content": "Let me look.",
                    "tool_calls": [
                        {
                            "id": "call_1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"place": "Paris"}'},
                        },
                        {
                            "id": "call_2",
                            "type": "function",
                            "function": {"name": "clock", "arguments": "{}"},
                        },
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": '{"sky": "grey"}'},
                {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
            ]
            assert [tool["function"] for tool in sent["tools"]] == [
                {
                    "name": "weather",
                    "description": "Tells the weather of a place.",
                    "parameters": WEATHER.parameters,
                },
                {"name": "clock", "parameters": {"type": "object", "properties": {}}},
            ]
        case "anthropic":
            assert [block["text"] for block in sent["system"]] == ["You are Ada.", "Be brief."]
            assert sent["messages"] == [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "How is it in Paris?"},
                        {"type": "text", "text": "And what time is it?"},
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "Let me look."},
                        {
                            "type": "tool_use",
                            "id": "call_1",
                            "name": "weather",
                            "input": {"place": "Paris"},
                        },
                        {"type": "tool_use", "id": "call_2", "name": "clock", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "call_1",
                            "content": '{"sky": "grey"}',
                        },
                        {"type": "tool_result", "tool_use_id": "call_2", "content": "noon"},
                        {"type": "text", "text": "Well?"},
                    ],
                },
            ]
            assert sent["tools"][1] == {
                "name": "clock",
                "input_schema": {"type": "object", "properties": {}},
            }
        case _:
            assert sent["contents"] == [
                {
                    "role": "user",
                    "parts": [{"text": "How is it in Paris?"}, {"text": "And what time is it?"}],
                },
                {
                    "role": "model",
                    "parts": [
                        {"text": "Let me look."},
                        {"functionCall": {"name": "weather", "args": {"place": "Paris"}}},
                        {"functionCall": {"name": "clock", "args": {}}},
                    ],
                },
                {
                    "role": "user",
                    "parts": [
                        {"functionResponse": {"name": "weather", "response": {"sky": "grey"}}},
                        {"functionResponse": {"name": "clock", "response": {"result": "noon"}}},
                        {"text": "Well?"},
                    ],
                },
            ]
            assert sent["tools"] == [
                {
                    "functionDeclarations": [
                        {
                            "name": "weather",
                            "description": "Tells the weather of a place.",
                            "parametersJsonSchema": WEATHER.parameters,
                        },
                        {"name": "clock", "description": "clock"},
                    ]
                }
            ]


CHOICES: dict[str, Any] = {
    "openai": {
        "auto": None,
        "none": "none",
        "required": "required",
        "clock": {"type": "function", "function": {"name": "clock"}},
    },
    "anthropic": {
        "auto": None,
        "none": {"type": "none"},
        "required": {"type": "any"},
        "clock": {"type": "tool", "name": "clock"},
    },
    "gemini": {
        "auto": None,
        "none": {"functionCallingConfig": {"mode": "NONE"}},
        "required": {"functionCallingConfig": {"mode": "ANY"}},
        "clock": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["clock"]}},
    },
}


@pytest.mark.parametrize("choice", ["auto", "none", "required", "clock"])
async def test_the_choice_of_a_tool_is_sent_in_the_providers_words(
    setup: Setup, choice: str
) -> None:
    setup.server.script = ["Yes."]
    await setup.model.complete(asking(tool_choice=choice))
    sent = setup.server.requests[0].json
    place = "toolConfig" if setup.provider == "gemini" else "tool_choice"
    assert sent.get(place) == CHOICES[setup.provider][choice]


@pytest.mark.parametrize(
    "changes", [{"tool_choice": "oracle"}, {"tool_choice": "required", "tools": ()}]
)
async def test_a_choice_that_no_tool_can_meet_is_refused_before_anything_is_sent(
    setup: Setup, changes: dict[str, Any]
) -> None:
    with pytest.raises(LlmRequestError, match="tool_choice") as caught:
        await setup.model.complete(asking(**changes))
    assert setup.server.requests == []
    assert not caught.value.may_be_billed


async def test_arguments_that_are_no_object_are_refused_where_the_format_wants_one(
    setup: Setup,
) -> None:
    broken = Message("assistant", "", tool_calls=(ToolCall("call_9", "clock", '{"half'),))
    asked = ChatRequest((Message("user", "Time?"), broken), tools=(CLOCK,))
    setup.server.script = ["Noon."]
    if setup.provider == "openai":
        assert (await setup.model.complete(asked)).text == "Noon."
        return
    with pytest.raises(LlmRequestError, match="call_9") as caught:
        await setup.model.complete(asked)
    assert not caught.value.may_be_billed


async def test_stop_words_and_top_p_are_sent(setup: Setup) -> None:
    setup.server.script = ["Yes."]
    await setup.model.complete(request(stop=("END", "\n\n"), top_p=0.4))
    sent = setup.server.requests[0].json
    match setup.provider:
        case "openai":
            assert (sent["stop"], sent["top_p"]) == (["END", "\n\n"], 0.4)
        case "anthropic":
            assert (sent["stop_sequences"], sent["top_p"]) == (["END", "\n\n"], 0.4)
        case _:
            config = sent["generationConfig"]
            assert (config["stopSequences"], config["topP"]) == (["END", "\n\n"], 0.4)


@pytest.mark.parametrize("mode", ["complete", "stream"])
async def test_the_request_id_goes_into_a_header_and_only_where_there_is_one(
    setup: Setup, mode: str
) -> None:
    setup.server.script = ["One.", "Two."]
    for asked in (request(request_id="01890000-7000"), request()):
        if mode == "complete":
            await setup.model.complete(asked)
        else:
            await listen(setup.model, asked)
    first, second = setup.server.requests
    assert first.headers["X-Client-Request-Id"] == "01890000-7000"
    assert "X-Client-Request-Id" not in second.headers
    assert "01890000-7000" not in json.dumps(first.json)


@pytest.mark.parametrize("bad", ["a\r\nX-Evil: 1", "café"])
async def test_a_request_id_that_no_header_can_carry_is_refused(setup: Setup, bad: str) -> None:
    with pytest.raises(LlmRequestError, match="request_id"):
        await setup.model.complete(request(request_id=bad))
    assert setup.server.requests == []


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
    messages = dialect.body(asked, streaming=False)["messages"]
    assert messages[-2]["content"] == "noon"
    assert "JSON Schema" in messages[-1]["content"]
    assert messages[-1]["role"] == "user"


def test_a_temperature_above_one_is_clamped_for_anthropic_alone() -> None:
    asked = request(temperature=1.7)
    assert AnthropicDialect("claude-sonnet-4-5").body(asked, streaming=False)["temperature"] == 1.0
    assert OpenAiDialect("m", official=False).body(asked, streaming=False)["temperature"] == 1.7


async def test_errors_keep_the_number_of_requests_sent(setup: Setup) -> None:
    with pytest.raises(LlmError) as caught:
        await setup.model.complete(asking(tool_choice="oracle"))
    assert caught.value.attempts == 0
