"""Anthropic's messages, as they come in.

Source of the format: https://docs.anthropic.com/en/api/messages. Fields that change nothing we
could do otherwise (metadata, cache_control, service_tier, effort) are ignored; those that would
change the answer are refused.
"""

from typing import Any, Final

import msgspec

from soullink.entrypoints.llm_service.access import Caller
from soullink.entrypoints.llm_service.faults import BadCallError
from soullink.entrypoints.llm_service.openai_request import Chat, Defaults
from soullink.entrypoints.llm_service.reading import read_json, refuse, whole_number, within
from soullink.gateways.llm.port import ChatRequest, Message, Tool, ToolCall


class _Block(msgspec.Struct):
    type: str
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw(b"{}")
    tool_use_id: str | None = None
    content: "str | list[_Block] | None" = None
    is_error: bool | None = None


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Block]


class _Tool(msgspec.Struct):
    name: str
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    type: str | None = None


class _Choice(msgspec.Struct):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class _Thinking(msgspec.Struct):
    type: str


class _Format(msgspec.Struct):
    type: str
    schema: dict[str, Any] | None = None


class _OutputConfig(msgspec.Struct):
    format: _Format | None = None


class _Body(msgspec.Struct):
    model: str
    messages: list[_Message]
    max_tokens: int | None = None
    system: str | list[_Block] | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    tools: list[_Tool] | None = None
    tool_choice: _Choice | None = None
    thinking: _Thinking | None = None
    output_config: _OutputConfig | None = None
    container: Any = None
    mcp_servers: list[Any] | None = None


_DECODER: Final = msgspec.json.Decoder(_Body)
_THOUGHTS: Final = frozenset({"thinking", "redacted_thinking"})


def read_message(
    body: bytes, caller: Caller, defaults: Defaults, *, counting: bool = False
) -> Chat:
    """Return what is asked for. counting: max_tokens may be missing. Raises BadCallError."""
    asked = read_json(_DECODER, body)
    if asked.max_tokens is None and not counting:
        raise BadCallError("max_tokens is missing.", "max_tokens")
    refuse(asked.top_k is not None, "top_k")
    refuse(asked.container or asked.mcp_servers, "container and mcp_servers")
    refuse(asked.thinking is not None and asked.thinking.type != "disabled", "thinking")
    tools = tuple([_tool(tool, at) for at, tool in enumerate(asked.tools or ())])
    stops = tuple(asked.stop_sequences or ())
    if "" in stops:
        raise BadCallError("stop_sequences must hold no empty text.", "stop_sequences")
    temperature = within(asked.temperature, "temperature", 1.0)
    request = ChatRequest(
        messages=_messages(asked),
        max_output_tokens=whole_number(asked.max_tokens, "max_tokens", defaults.max_output_tokens),
        temperature=1.0 if temperature is None else temperature,
        json_schema=_schema(asked.output_config),
        timeout_seconds=defaults.timeout_seconds,
        purpose=caller.purpose,
        top_p=within(asked.top_p, "top_p", 1.0),
        stop=stops,
        tools=tools,
        tool_choice=_tool_choice(asked.tool_choice, tools),
        attribution=caller.attribution,
        request_id=caller.call_id,
    )
    return Chat(asked.model, request, stream=bool(asked.stream))


def _messages(asked: _Body) -> tuple[Message, ...]:
    messages: list[Message] = []
    if asked.system:
        system = asked.system
        text = system if isinstance(system, str) else _text(system, "system")
        messages.append(Message("system", text))
    if not asked.messages:
        raise BadCallError("messages must hold at least one message.", "messages")
    for at, given in enumerate(asked.messages):
        place = f"messages.{at}"
        if given.role == "user":
            messages += _of_user(given.content, f"{place}.content")
        elif given.role == "assistant":
            messages.append(_of_assistant(given.content, f"{place}.content"))
        else:
            raise BadCallError(
                f"{place}.role is user or assistant, not {given.role[:40]!r}; instructions go "
                "into system.",
                f"{place}.role",
            )
    return tuple(messages)


def _of_user(content: str | list[_Block], place: str) -> list[Message]:
    """Return the results of tools, each as a message of its own, and then what the user says."""
    if isinstance(content, str):
        return [Message("user", content)]
    messages: list[Message] = []
    texts: list[_Block] = []
    for at, block in enumerate(content):
        if block.type != "tool_result":
            texts.append(block)
            continue
        if not block.tool_use_id:
            raise BadCallError(f"{place}.{at}.tool_use_id is missing.", f"{place}.{at}")
        found = block.content or ""
        text = found if isinstance(found, str) else _text(found, f"{place}.{at}.content")
        if block.is_error:  # the port has no place of its own for it
            text = f"Error: {text}"
        messages.append(Message("tool", text, tool_call_id=block.tool_use_id))
    if texts or not messages:
        messages.append(Message("user", _text(texts, place)))
    return messages


def _of_assistant(content: str | list[_Block], place: str) -> Message:
    if isinstance(content, str):
        return Message("assistant", content)
    calls = []
    texts = []
    for at, block in enumerate(content):
        if block.type == "tool_use":
            if not block.id or not block.name:
                raise BadCallError(f"{place}.{at} needs an id and a name.", f"{place}.{at}")
            calls.append(ToolCall(block.id, block.name, bytes(block.input).decode()))
        elif block.type not in _THOUGHTS:  # what a model thought is never given to another
            texts.append(block)
    return Message("assistant", _text(texts, place), tuple(calls))


def _text(blocks: list[_Block], place: str) -> str:
    texts = []
    for block in blocks:
        if block.type != "text" or block.text is None:
            raise BadCallError(
                f"{place} holds {block.type[:40]!r}; this gateway takes text, tool_use and "
                "tool_result only, no images or documents.",
                place,
            )
        texts.append(block.text)
    return "\n".join(texts)


def _tool(given: _Tool, at: int) -> Tool:
    if given.type not in {None, "custom"} or given.input_schema is None or not given.name:
        raise BadCallError(
            f"tools.{at} needs a name and an input_schema; tools that the provider runs are not "
            "supported.",
            f"tools.{at}",
        )
    return Tool(given.name, given.description or "", given.input_schema)


def _tool_choice(given: _Choice | None, tools: tuple[Tool, ...]) -> str:
    if given is None:
        return "auto"
    refuse(given.disable_parallel_tool_use, "tool_choice.disable_parallel_tool_use")
    if given.type == "tool":
        if given.name is None or all(tool.name != given.name for tool in tools):
            raise BadCallError("tool_choice names a tool that tools does not.", "tool_choice")
        return given.name
    found = {"auto": "auto", "none": "none", "any": "required"}.get(given.type)
    if found is None:
        raise BadCallError("tool_choice.type is auto, any, tool or none.", "tool_choice")
    return found


def _schema(given: _OutputConfig | None) -> dict[str, Any] | None:
    if given is None or given.format is None:
        return None
    if given.format.type != "json_schema" or given.format.schema is None:
        raise BadCallError(
            "output_config.format is a json_schema with its schema.", "output_config.format"
        )
    return given.format.schema
