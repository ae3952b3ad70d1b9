"""OpenAI's chat completions, as they come in.

Source of the format: https://platform.openai.com/docs/api-reference/chat/create. Fields that change
nothing we could do otherwise are ignored; those that would change the answer are refused.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from soullink.entrypoints.llm_service.access import Caller
from soullink.entrypoints.llm_service.faults import BadCallError
from soullink.entrypoints.llm_service.reading import (
    read_json,
    refuse,
    seed_of,
    whole_number,
    within,
)
from soullink.gateways.llm.port import ChatRequest, Message, Role, Tool, ToolCall

_MOST_STOPS: Final = 4


class _Part(msgspec.Struct):
    type: str
    text: str | None = None
    refusal: str | None = None


class _Function(msgspec.Struct):
    name: str
    arguments: str = ""


class _Call(msgspec.Struct):
    id: str
    function: _Function | None = None
    type: str = "function"


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    function_call: Any = None


class _Definition(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Tool(msgspec.Struct):
    type: str
    function: _Definition | None = None


class _Named(msgspec.Struct):
    name: str


class _Choice(msgspec.Struct):
    type: str
    function: _Named | None = None


class _JsonSchema(msgspec.Struct):
    schema: dict[str, Any] | None = None


class _Format(msgspec.Struct):
    type: str
    json_schema: _JsonSchema | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Body(msgspec.Struct):
    model: str
    messages: list[_Message]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    tools: list[_Tool] | None = None
    tool_choice: str | _Choice | None = None
    parallel_tool_calls: bool | None = None
    response_format: _Format | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, float] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    modalities: list[str] | None = None
    audio: Any = None
    functions: Any = None
    function_call: Any = None
    web_search_options: Any = None


_DECODER: Final = msgspec.json.Decoder(_Body)
_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a request gets that does not say. max_output_tokens: OpenAI's protocol only."""

    timeout_seconds: float = 600.0
    max_output_tokens: int = 4096


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat that is asked for, and how it is to be answered."""

    model: str
    request: ChatRequest
    stream: bool
    include_usage: bool = False


def read_chat(body: bytes, caller: Caller, defaults: Defaults) -> Chat:
    """Return what is asked for. Raises BadCallError."""
    asked = read_json(_DECODER, body)
    _refuse_what_is_missing_here(asked)
    tools = tuple([_tool(tool, at) for at, tool in enumerate(asked.tools or ())])
    name = "max_tokens" if asked.max_completion_tokens is None else "max_completion_tokens"
    wanted = getattr(asked, name)
    temperature = within(asked.temperature, "temperature", 2.0)
    request = ChatRequest(
        messages=_messages(asked.messages),
        max_output_tokens=whole_number(wanted, name, defaults.max_output_tokens),
        temperature=1.0 if temperature is None else temperature,
        json_schema=_schema(asked.response_format),
        seed=seed_of(asked.seed),
        timeout_seconds=defaults.timeout_seconds,
        purpose=caller.purpose,
        top_p=within(asked.top_p, "top_p", 1.0),
        stop=_stop(asked.stop),
        tools=tools,
        tool_choice=_tool_choice(asked.tool_choice, tools),
        attribution=caller.attribution,
        request_id=caller.call_id,
    )
    options = asked.stream_options
    return Chat(
        asked.model,
        request,
        stream=bool(asked.stream),
        include_usage=options is not None and bool(options.include_usage),
    )


def _refuse_what_is_missing_here(asked: _Body) -> None:
    refuse(asked.n is not None and asked.n != 1, "n", "ask once for each answer")
    refuse(asked.logprobs or asked.top_logprobs, "logprobs")
    refuse(asked.logit_bias, "logit_bias")
    refuse(asked.presence_penalty, "presence_penalty")
    refuse(asked.frequency_penalty, "frequency_penalty")
    refuse(asked.audio or (asked.modalities or ["text"]) != ["text"], "modalities", "text only")
    refuse(asked.functions, "functions", "send tools")
    refuse(asked.function_call, "function_call", "send tool_choice")
    refuse(asked.web_search_options is not None, "web_search_options")
    refuse(asked.tools and asked.parallel_tool_calls is False, "parallel_tool_calls: false")


def _messages(given: list[_Message]) -> tuple[Message, ...]:
    if not given:
        raise BadCallError("messages must hold at least one message.", "messages")
    return tuple([_message(message, at) for at, message in enumerate(given)])


def _message(given: _Message, at: int) -> Message:
    role = _ROLES.get(given.role)
    if role is None:
        raise BadCallError(
            f"messages[{at}].role is system, developer, user, assistant or tool, not "
            f"{given.role[:40]!r}.",
            f"messages[{at}].role",
        )
    content = given.content
    if isinstance(content, list):
        content = _text(content, f"messages[{at}].content")
    if role in {"user", "system"}:
        if content is None:
            raise BadCallError(f"messages[{at}].content is missing.", f"messages[{at}].content")
        return Message(role, content)
    if role == "tool":
        if not given.tool_call_id:
            raise BadCallError(
                f"messages[{at}].tool_call_id must name the call that it answers.",
                f"messages[{at}].tool_call_id",
            )
        return Message(role, content or "", tool_call_id=given.tool_call_id)
    refuse(given.function_call, f"messages[{at}].function_call", "send tool_calls")
    return Message(role, content or "", _calls(given.tool_calls, at))


def _calls(given: list[_Call] | None, at: int) -> tuple[ToolCall, ...]:
    if not given:
        return ()
    calls = []
    for call in given:
        if call.function is None:
            refuse(call.type, f"messages[{at}].tool_calls", "only functions are called")
        else:
            calls.append(ToolCall(call.id, call.function.name, call.function.arguments))
    return tuple(calls)


def _text(parts: list[_Part], place: str) -> str:
    texts = []
    for at, part in enumerate(parts):
        text = part.text if part.type == "text" else part.refusal
        if text is None or part.type not in {"text", "refusal"}:
            raise BadCallError(
                f"{place}[{at}] is {part.type[:40]!r}; this gateway takes text only, no images, "
                "audio or files.",
                f"{place}[{at}].type",
            )
        texts.append(text)
    return "\n".join(texts)


def _tool(given: _Tool, at: int) -> Tool:
    if given.type != "function" or given.function is None or not given.function.name:
        raise BadCallError(
            f"tools[{at}] must be a function with a name; nothing else can be called.",
            f"tools[{at}]",
        )
    found = given.function
    parameters = found.parameters or {"type": "object", "properties": {}}
    return Tool(found.name, found.description or "", parameters)


def _tool_choice(given: str | _Choice | None, tools: tuple[Tool, ...]) -> str:
    if given is None:
        return "auto"
    if isinstance(given, str):
        if given not in {"auto", "none", "required"}:
            raise BadCallError(
                "tool_choice is auto, none, required or the name of a function.", "tool_choice"
            )
        return given
    if given.type != "function" or given.function is None:
        raise BadCallError("tool_choice can name a function, nothing else.", "tool_choice")
    if all(tool.name != given.function.name for tool in tools):
        raise BadCallError("tool_choice names a function that tools does not.", "tool_choice")
    return given.function.name


def _schema(given: _Format | None) -> dict[str, Any] | None:
    if given is None or given.type == "text":
        return None
    if given.type == "json_object":
        return {"type": "object"}
    if given.type != "json_schema":
        raise BadCallError(
            "response_format.type is text, json_object or json_schema.", "response_format.type"
        )
    if given.json_schema is None or given.json_schema.schema is None:
        raise BadCallError(
            "response_format.json_schema.schema is missing.", "response_format.json_schema"
        )
    return given.json_schema.schema


def _stop(given: str | list[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    found = (given,) if isinstance(given, str) else tuple(given)
    if len(found) > _MOST_STOPS or "" in found:
        raise BadCallError(f"stop is at most {_MOST_STOPS} texts, none of them empty.", "stop")
    return found
