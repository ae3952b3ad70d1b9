"""Anthropic's own wire format: POST /v1/messages, version 2023-06-01."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from soullink.gateways.llm.complaints import THINKING_TOKENS, is_unsupported
from soullink.gateways.llm.http_model import Heard, HttpLanguageModel
from soullink.gateways.llm.port import (
    ChatRequest,
    FinishReason,
    LlmOutputError,
    LlmRefusedError,
    Usage,
)
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.schemas import closed, in_words
from soullink.gateways.llm.sse import ServerEvent
from soullink.gateways.llm.wire import Secret, Wire

ANTHROPIC_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"

_SAMPLES = re.compile(
    r"^claude-(?:[23]|instant|(?:opus|sonnet|haiku)-4(?:-[0-6])?(?:-\d{8}|$|-latest))"
)
"""Models up to 4.6: they take a temperature, and think only when asked to."""

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}
_FAULT_STATUS = {
    "overloaded_error": 529,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "authentication_error": 401,
    "permission_error": 403,
}


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Block(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _Delta(msgspec.Struct):
    type: str = ""
    text: str | None = None
    stop_reason: str | None = None


class _Fault(msgspec.Struct):
    type: str = ""
    message: str = ""


class _Answer(msgspec.Struct):
    """A message, and in a stream any of its events: their fields do not collide."""

    type: str = ""
    content: list[_Block] | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None
    message: "_Answer | None" = None
    delta: _Delta | None = None
    error: _Fault | None = None


class AnthropicDialect:
    """Writes and reads Anthropic messages."""

    provider = "anthropic"
    seller: str | None = "anthropic"

    def __init__(self, model: str) -> None:
        self.model = model
        self._thinks = not _SAMPLES.match(model)
        self._without: set[str] = {"temperature"} if self._thinks else {"effort"}

    def path(self, *, streaming: bool) -> str:  # noqa: ARG002 - the body tells, not the path
        return "/v1/messages"

    def body(self, request: ChatRequest, *, streaming: bool) -> dict[str, Any]:
        system = [m.content for m in request.messages if m.role == "system"]
        turns = [
            {"role": m.role, "content": m.content} for m in request.messages if m.role != "system"
        ]
        if not turns:
            # The format wants a user's turn; a request of system text alone becomes one.
            turns, system = [{"role": "user", "content": "\n\n".join(system)}], []
        output: dict[str, Any] = {}
        if "effort" not in self._without:
            output["effort"] = "low"
        if request.json_schema is not None:
            if "format" in self._without:
                system.append(in_words(request.json_schema))
            else:
                output["format"] = {"type": "json_schema", "schema": closed(request.json_schema)}
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": request.max_output_tokens + (THINKING_TOKENS if self._thinks else 0),
            "messages": turns,
        }
        if system:
            blocks = [{"type": "text", "text": text} for text in system if text.strip()]
            # The persona is the same on every turn: reading it from the cache costs a tenth.
            body["system"] = [
                *blocks[:-1], {**blocks[-1], "cache_control": {"type": "ephemeral"}}
            ] if blocks else []  # fmt: skip
        if output:
            body["output_config"] = output
        if "temperature" not in self._without:
            body["temperature"] = min(request.temperature, 1.0)
        if streaming:
            body["stream"] = True
        return body

    def read(self, payload: bytes) -> Heard:
        answer = msgspec.json.decode(payload, type=_Answer)
        if answer.content is None:
            raise LlmOutputError(f"anthropic:{self.model} answered without content.")
        heard = Heard(model=answer.model or "")
        self._stop(answer.stop_reason, heard)
        self._count(answer.usage, heard)
        heard.text = "".join(b.text or "" for b in answer.content if b.type == "text")
        return heard

    def hear(self, event: ServerEvent, heard: Heard, wire: Wire) -> str:
        part = msgspec.json.decode(event.data, type=_Answer)
        if part.type == "error":
            fault = part.error or _Fault("api_error", "no reason given")
            raise wire.error_from(_FAULT_STATUS.get(fault.type, 400), fault.message or fault.type)
        if part.type == "message_start" and part.message is not None:
            heard.model = part.message.model or ""
            self._count(part.message.usage, heard)
        elif part.type == "message_delta":
            self._count(part.usage, heard)
            self._stop(part.delta.stop_reason if part.delta else None, heard)
        elif part.type == "content_block_delta" and part.delta is not None:
            return (part.delta.text or "") if part.delta.type == "text_delta" else ""
        return ""

    def adapt(self, complaint: str, sent: Mapping[str, Any]) -> bool:
        output = sent.get("output_config", {})
        if "temperature" in sent and is_unsupported(complaint, "temperature"):
            self._without.add("temperature")
            return True
        if "effort" in output and is_unsupported(complaint, "effort", "output_config"):
            self._without.add("effort")
            return True
        if "format" in output and is_unsupported(
            complaint, "output_config", "output format", "structured output", "json_schema"
        ):
            self._without.add("format")
            return True
        return False

    def _stop(self, reason: str | None, heard: Heard) -> None:
        if reason == "refusal":
            raise LlmRefusedError(f"The content filter of anthropic stopped {self.model}.")
        if reason is not None:
            heard.finish = _FINISH.get(reason, "other")

    def _count(self, usage: _Usage | None, heard: Heard) -> None:
        """Take cumulative counts; here the cached tokens are not part of input_tokens."""
        if usage is None:
            return
        before = heard.usage or Usage()
        read = usage.cache_read_input_tokens
        written = usage.cache_creation_input_tokens
        cached = before.cached_input_tokens if read is None else read
        creation = heard.cache_write_tokens if written is None else written
        fresh = (
            before.input_tokens - before.cached_input_tokens - heard.cache_write_tokens
            if usage.input_tokens is None
            else usage.input_tokens
        )
        output = before.output_tokens if usage.output_tokens is None else usage.output_tokens
        heard.cache_write_tokens = creation
        heard.usage = Usage(fresh + cached + creation, output, cached)


def anthropic_model(
    model: str, *, key: Secret | None, base_url: str | None = None, retry: Retry | None = None
) -> HttpLanguageModel:
    """Return the model `model` of Anthropic, or of a server at `base_url` that speaks like it."""
    patience = retry or Retry()
    wire = Wire(
        base_url or ANTHROPIC_URL,
        provider="anthropic",
        key=key,
        auth=("x-api-key", ""),
        headers={"anthropic-version": VERSION},
        retry=patience,
    )
    return HttpLanguageModel(AnthropicDialect(model), wire, patience)
