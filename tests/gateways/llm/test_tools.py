"""Tools, sampling and headers, in each provider's own words, over a real socket."""

import json
from typing import Any

import pytest

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
from tests.gateways.llm.conftest import Setup, request
from tests.gateways.llm.server import Say

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
                        {
                            "type": "tool_use",
                            "id": "call_2",
                            "name": "clock",
                            "input": {},
                            "cache_control": {"type": "ephemeral"},
                        },
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


async def test_errors_keep_the_number_of_requests_sent(setup: Setup) -> None:
    with pytest.raises(LlmError) as caught:
        await setup.model.complete(asking(tool_choice="oracle"))
    assert caught.value.attempts == 0
