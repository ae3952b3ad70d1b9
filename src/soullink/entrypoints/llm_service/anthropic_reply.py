"""Anthropic's messages, as they go out, whole and in pieces.

Source of the format: https://docs.anthropic.com/en/api/messages-streaming.
"""

from typing import Any, Final

import msgspec

from soullink.entrypoints.llm_service.faults import body_of
from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    FinishReason,
    LlmOutputError,
    ToolCall,
    ToolCallPiece,
    Usage,
)

_FINISHES: Final[dict[FinishReason, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "refusal": "refusal",
    "tool_calls": "tool_use",
    "other": "end_turn",
}

_encode = msgspec.json.Encoder().encode


def whole(reply: ChatReply, model: str, call_id: str) -> bytes:
    """Return the body of an answer. Raises LlmOutputError for arguments that are not JSON."""
    content: list[dict[str, Any]] = []
    if reply.text or not reply.tool_calls:
        content.append({"type": "text", "text": reply.text})
    for call in reply.tool_calls:
        tool = {"type": "tool_use", "id": call.id, "name": call.name, "input": _input(call)}
        content.append(tool)
    return _encode(
        _message(model, call_id, _usage(reply.usage)) | {"content": content} | _ending(reply)
    )


class Events:
    """One answer in pieces. Its methods return the bytes of server-sent events.

    Blocks come one after the other: the text, then each tool's call.
    """

    __slots__ = ("_block", "_call_id", "_model", "_open", "_said_text", "_tools")

    def __init__(self, model: str, call_id: str) -> None:
        self._model = model
        self._call_id = call_id
        self._block = -1
        self._open = ""
        self._said_text = False
        self._tools: set[int] = set()

    def begin(self) -> bytes:
        """Say who speaks; what it used is not known before the end."""
        message = _message(self._model, self._call_id, _usage(Usage()))
        return _event("message_start", {"message": message})

    def piece(self, chunk: ChatChunk) -> bytes:
        """Say a piece. Raises LlmOutputError when calls of tools are mixed up."""
        said = b""
        if chunk.text:
            if self._open != "text":
                said = self._begin_block("text", {"type": "text", "text": ""})
            self._said_text = True
            said += self._delta({"type": "text_delta", "text": chunk.text})
        if chunk.tool_call is not None:
            said += self._tool(chunk.tool_call)
        return said

    def end(self, reply: ChatReply) -> bytes:
        """Say why it ended and what it used."""
        said = b""
        if reply.text and not self._said_text:  # it came all at once, e.g. from the cache
            said = self.piece(ChatChunk(reply.text))
        if not self._tools:
            for at, call in enumerate(reply.tool_calls):
                said += self._tool(ToolCallPiece(at, call.id, call.name, call.arguments))
        said += self._end_block()
        said += _event("message_delta", {"delta": _ending(reply), "usage": _usage(reply.usage)})
        return said + _event("message_stop", {})

    def failed(self, error: Exception) -> bytes:
        """Say that it broke off; the SDKs raise what stands under `error`."""
        return b"event: error\ndata: %b\n\n" % body_of(error, "anthropic", self._call_id)

    def _tool(self, piece: ToolCallPiece) -> bytes:
        said = b""
        name = f"tool {piece.index}"
        if self._open != name:
            if piece.index in self._tools:
                raise LlmOutputError("The model mixed up the calls of two tools; ask again.")
            self._tools.add(piece.index)
            block = {"type": "tool_use", "id": piece.id, "name": piece.name, "input": {}}
            said = self._begin_block(name, block)
        if piece.arguments:
            said += self._delta({"type": "input_json_delta", "partial_json": piece.arguments})
        return said

    def _begin_block(self, name: str, block: dict[str, Any]) -> bytes:
        said = self._end_block()
        self._block += 1
        self._open = name
        return said + _event("content_block_start", {"index": self._block, "content_block": block})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _event("content_block_delta", {"index": self._block, "delta": delta})

    def _end_block(self) -> bytes:
        if not self._open:
            return b""
        self._open = ""
        return _event("content_block_stop", {"index": self._block})


def _event(name: str, fields: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode({"type": name, **fields}))


def _message(model: str, call_id: str, usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"msg_{call_id}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _ending(reply: ChatReply) -> dict[str, Any]:
    asked = reply.tool_calls and reply.finish_reason == "stop"
    reason = "tool_use" if asked else _FINISHES[reply.finish_reason]
    return {"stop_reason": reason, "stop_sequence": None}


def _usage(usage: Usage) -> dict[str, Any]:
    """Return the counts; Anthropic's input_tokens leaves out those that came from a cache."""
    return {
        "input_tokens": usage.input_tokens - usage.cached_input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_input_tokens,
        "output_tokens": usage.output_tokens,
    }


def _input(call: ToolCall) -> dict[str, Any]:
    try:
        return msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise LlmOutputError(
            f"The model called {call.name[:60]!r} with arguments that are no JSON object."
        ) from error
