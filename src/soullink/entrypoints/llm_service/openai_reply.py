"""OpenAI's chat completions, as they go out, whole and in pieces."""

import time
from typing import Any, Final

import msgspec

from soullink.entrypoints.llm_service.faults import body_of
from soullink.gateways.llm.port import ChatChunk, ChatReply, FinishReason, ToolCall, Usage

_FINISHES: Final[dict[FinishReason, str]] = {
    "stop": "stop",
    "length": "length",
    "refusal": "content_filter",
    "tool_calls": "tool_calls",
    "other": "stop",
}


class _Cached(msgspec.Struct):
    cached_tokens: int


class _Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _Cached


class _Function(msgspec.Struct):
    name: str
    arguments: str


class _Call(msgspec.Struct):
    id: str
    function: _Function
    type: str = "function"


class _Message(msgspec.Struct):
    content: str | None
    tool_calls: list[_Call] | msgspec.UnsetType = msgspec.UNSET
    role: str = "assistant"
    refusal: None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str
    index: int = 0
    logprobs: None = None


class _Completion(msgspec.Struct):
    id: str
    created: int
    model: str
    choices: tuple[_Choice]
    usage: _Usage
    object: str = "chat.completion"


_encode = msgspec.json.Encoder().encode


def whole(reply: ChatReply, model: str, call_id: str) -> bytes:
    """Return the body of an answer. model: the name that the caller used."""
    calls: list[_Call] | msgspec.UnsetType = msgspec.UNSET
    if reply.tool_calls:
        calls = [_Call(call.id, _Function(call.name, call.arguments)) for call in reply.tool_calls]
    text = reply.text or (None if reply.tool_calls else "")
    choice = _Choice(_Message(text, calls), _finish(reply))
    return _encode(
        _Completion(f"chatcmpl-{call_id}", int(time.time()), model, (choice,), _usage(reply.usage))
    )


class Chunks:
    """One answer in pieces. Its methods return the bytes of server-sent events."""

    __slots__ = ("_call_id", "_head", "_include_usage", "_said_text", "_said_tools")

    def __init__(self, model: str, call_id: str, *, include_usage: bool) -> None:
        head = (
            b'data: {"id":%b,"object":"chat.completion.chunk","created":%d,"model":%b,"choices":['
        )
        self._head = head % (_encode(f"chatcmpl-{call_id}"), int(time.time()), _encode(model))
        self._call_id = call_id
        self._include_usage = include_usage
        self._said_text = self._said_tools = False

    def begin(self) -> bytes:
        """Say who speaks."""
        return self._choice(b'{"role":"assistant","content":"","refusal":null}')

    def piece(self, chunk: ChatChunk) -> bytes:
        """Say a piece; empty when it holds nothing for the caller."""
        said = b""
        if chunk.text:
            self._said_text = True
            said = self._choice(b'{"content":%b}' % _encode(chunk.text))
        tool = chunk.tool_call
        if tool is not None:
            call: dict[str, Any] = {"index": tool.index}
            if tool.id:
                call |= {"id": tool.id, "type": "function"}
            function = {"name": tool.name} if tool.name else {}
            call["function"] = function | {"arguments": tool.arguments}
            said += self._tool(call)
        return said

    def end(self, reply: ChatReply) -> bytes:
        """Say why it ended and what it used."""
        said = b""
        if reply.text and not self._said_text:  # it came all at once, e.g. from the cache
            said = self.piece(ChatChunk(reply.text))
        if not self._said_tools:
            said += b"".join(
                [self._tool(_whole_call(at, call)) for at, call in enumerate(reply.tool_calls)]
            )
        said += self._choice(b"{}", _encode(_finish(reply)))
        if self._include_usage:
            said += b'%b],"usage":%b}\n\n' % (self._head, _encode(_usage(reply.usage)))
        return said + b"data: [DONE]\n\n"

    def failed(self, error: Exception) -> bytes:
        """Say that it broke off; the SDKs raise what stands under `error`."""
        return b"data: %b\n\n" % body_of(error, "openai", self._call_id)

    def _tool(self, call: dict[str, Any]) -> bytes:
        self._said_tools = True
        return self._choice(b'{"tool_calls":[%b]}' % _encode(call))

    def _choice(self, delta: bytes, finish: bytes = b"null") -> bytes:
        return b'%b{"index":0,"delta":%b,"logprobs":null,"finish_reason":%b}]}\n\n' % (
            self._head,
            delta,
            finish,
        )


def _whole_call(at: int, call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"index": at, "id": call.id, "type": "function", "function": function}


def _finish(reply: ChatReply) -> str:
    if reply.tool_calls and reply.finish_reason == "stop":
        return "tool_calls"
    return _FINISHES[reply.finish_reason]


def _usage(usage: Usage) -> _Usage:
    return _Usage(
        usage.input_tokens,
        usage.output_tokens,
        usage.input_tokens + usage.output_tokens,
        _Cached(usage.cached_input_tokens),
    )
