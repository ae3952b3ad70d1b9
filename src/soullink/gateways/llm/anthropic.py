"""Anthropic's own wire format: POST /v1/messages, version 2023-06-01."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from soullink.gateways.llm.complaints import THINKING_TOKENS, is_refused, is_unsupported
from soullink.gateways.llm.hearing import Heard
from soullink.gateways.llm.http_model import HttpLanguageModel, unsent
from soullink.gateways.llm.port import (
    ChatRequest,
    FinishReason,
    LlmError,
    LlmOutputError,
    Message,
    Tool,
    ToolCall,
    Usage,
)
from soullink.gateways.llm.pricing import PriceList
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.schemas import Refused, Remembered, closed, in_words, of_arguments
from soullink.gateways.llm.sse import ServerEvent
from soullink.gateways.llm.wire import CONNECTIONS, Secret, Wire

ANTHROPIC_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"

_SAMPLES = re.compile(
    r"^claude-(?:[23]|instant|(?:opus|sonnet|haiku)-4(?:-[0-6])?(?:-\d{8}|$|-latest))"
)
"""Models up to 4.6: they take a temperature, and think only when asked to."""

_FINISH: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
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
    "billing_error": 402,
    "invalid_request_error": 400,
    "not_found_error": 404,
    "request_too_large": 413,
}


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Block(msgspec.Struct):
    type: str = ""
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Delta(msgspec.Struct):
    type: str = ""
    text: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class _Fault(msgspec.Struct):
    type: str = ""
    message: str = ""


class _Answer(msgspec.Struct):
    """A message, and in a stream any of its events: their fields do not collide."""

    type: str = ""
    index: int = 0
    content: list[_Block] | None = None
    content_block: _Block | None = None
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
        self.reserve = THINKING_TOKENS if self._thinks else 0
        self._without: set[str] = {"temperature", "top_p"} if self._thinks else {"effort"}
        self._formats = Remembered(closed)
        self._refused: Refused[dict[str, Any]] = Refused()
        self._tools = Remembered(_tools)

    def path(self, *, streaming: bool) -> str:  # noqa: ARG002 - the body tells, not the path
        return "/v1/messages"

    def body(self, request: ChatRequest, *, streaming: bool) -> dict[str, Any]:
        system = [m.content for m in request.messages if m.role == "system"]
        turns = _turns(request.messages)
        if not turns:
            # The format wants a user's turn; a request of system text alone becomes one.
            turns, system = [{"role": "user", "content": "\n\n".join(system)}], []
        _mark_history(turns)
        output = self._output(request.json_schema, system)
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": request.max_output_tokens + self.reserve,
            "messages": turns,
        }
        if system:
            blocks: list[dict[str, Any]] = [
                {"type": "text", "text": text} for text in system if text and not text.isspace()
            ]
            # The persona is the same on every turn: reading it from the cache costs a tenth.
            if blocks:
                blocks[-1]["cache_control"] = _CACHED
            body["system"] = blocks
        if output:
            body["output_config"] = output
        self._sample(request, body)
        if request.stop:
            body["stop_sequences"] = list(request.stop)
        if request.tools:
            body["tools"] = self._tools(request.tools)
            if request.tool_choice != "auto":
                body["tool_choice"] = _choice(request.tool_choice)
        if streaming:
            body["stream"] = True
        return body

    def read(self, payload: bytes, heard: Heard, wire: Wire) -> None:
        answer = _DECODER.decode(payload)
        if answer.type == "error" or answer.error is not None:
            raise _fault(answer, wire)
        if answer.content is None:
            raise LlmOutputError(f"anthropic:{self.model} answered without content.")
        heard.model = answer.model or ""
        self._count(answer.usage, heard, final=True)
        self._stop(answer.stop_reason, heard)
        for number, block in enumerate(answer.content):
            if block.type == "text" and block.text:
                heard.words.append(block.text)
            elif block.type == "tool_use":
                arguments = bytes(block.input).decode()
                heard.take_call(number, block.id or "", block.name or "", arguments)

    def hear(self, event: ServerEvent, heard: Heard, wire: Wire) -> str:
        part = _DECODER.decode(event.data)
        delta = part.delta
        if part.type == "content_block_delta" and delta is not None:
            if delta.type == "text_delta":
                return delta.text or ""
            if delta.type == "input_json_delta" and delta.partial_json:
                heard.take_call(part.index, "", "", delta.partial_json)
        elif part.type == "content_block_start" and part.content_block is not None:
            block = part.content_block
            if block.type == "tool_use":
                # Its input is an empty object here, and comes in pieces afterwards.
                heard.take_call(part.index, block.id or "", block.name or "", "")
            return block.text or "" if block.type == "text" else ""
        elif part.type == "message_start" and part.message is not None:
            heard.model = part.message.model or ""
            self._count(part.message.usage, heard, final=False)
        elif part.type == "message_delta":
            self._count(part.usage, heard, final=True)
            self._stop(delta.stop_reason if delta else None, heard)
        elif part.type == "error":
            raise _fault(part, wire)
        return ""

    def adapt(self, complaint: str, sent: Mapping[str, Any]) -> bool:
        output = sent.get("output_config", {})
        if "temperature" in sent and "top_p" in sent and "both" in complaint.lower():
            # Some models take either of them; who names top_p means it.
            self._without.add("both")
            return True
        for name in ("temperature", "top_p"):
            if name in sent and is_unsupported(complaint, name):
                self._without.add(name)
                return True
        if "effort" in output and is_unsupported(complaint, "effort", "output_config"):
            self._without.add("effort")
            return True
        if "format" in output and is_refused(
            complaint, "output_config", "output format", "structured output", "json_schema"
        ):
            self._refused.add(output["format"]["schema"])
            return True
        return False

    def _output(self, schema: Mapping[str, Any] | None, system: list[str]) -> dict[str, Any]:
        """Return the output_config; a schema that it cannot hold goes into `system`, in words."""
        output: dict[str, Any] = {}
        if "effort" not in self._without:
            output["effort"] = "low"
        if schema is not None:
            form = self._formats(schema)
            if form in self._refused:
                system.append(in_words(schema))
            else:
                output["format"] = {"type": "json_schema", "schema": form}
        return output

    def _sample(self, request: ChatRequest, body: dict[str, Any]) -> None:
        without = self._without
        if request.top_p is not None and "top_p" not in without:
            body["top_p"] = request.top_p
        if "temperature" not in without and ("top_p" not in body or "both" not in without):
            body["temperature"] = min(request.temperature, 1.0)

    def _stop(self, reason: str | None, heard: Heard) -> None:
        if reason == "refusal":
            heard.declined = f"The content filter of anthropic stopped {self.model}."
        if reason is not None:
            heard.finish = _FINISH.get(reason, "other")

    def _count(self, usage: _Usage | None, heard: Heard, *, final: bool) -> None:
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
        heard.usage = Usage(
            fresh + cached + creation,
            output,
            cached,
            estimated=not final or usage.output_tokens is None,
        )


_DECODER = msgspec.json.Decoder(_Answer)
_OBJECT = msgspec.json.Decoder(dict[str, Any])
_CACHED = {"type": "ephemeral"}


def _fault(answer: _Answer, wire: Wire) -> LlmError:
    """Return the error for an error object inside an answer that had begun well."""
    fault = answer.error or _Fault("api_error", "no reason given")
    status = _FAULT_STATUS.get(fault.type, 500)
    return wire.error_from(status, fault.message or fault.type, billed=True)


def _turns(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Return the turns, users and assistants in alternation: neighbours of one role are merged."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        content: str | list[dict[str, Any]] = message.content
        if message.role == "tool" or message.tool_calls:
            content = _blocks(message)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] = _as_blocks(turns[-1]["content"]) + _as_blocks(content)
        else:
            turns.append({"role": role, "content": content})
    return turns


def _mark_history(turns: list[dict[str, Any]]) -> None:
    """Have all before the last user's turn kept in the cache, so that the next one reads it there.

    A request takes four marks; this is the second. What is looked for in the cache are the marks
    themselves and the 20 blocks before each:
    https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching.
    """
    last = max((at for at, turn in enumerate(turns) if turn["role"] == "user"), default=0)
    if last == 0:
        return
    history = turns[last - 1]
    blocks = list(_as_blocks(history["content"]))
    # The format refuses a mark on a text without words.
    if blocks and not blocks[-1].get("text", "-").isspace():
        blocks[-1] = {**blocks[-1], "cache_control": _CACHED}
        history["content"] = blocks


def _as_blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(content, str):
        # The format refuses blocks without text.
        return [{"type": "text", "text": content}] if content else []
    return content


def _blocks(message: Message) -> list[dict[str, Any]]:
    """Return a message that asks for tool calls, or answers one."""
    if message.role == "tool":
        return [
            {
                "type": "tool_result",
                "tool_use_id": message.tool_call_id,
                "content": message.content,
            }
        ]
    return [
        *_as_blocks(message.content),
        *(
            {
                "type": "tool_use",
                "id": call.id,
                "name": call.name,
                "input": arguments_of(call, "anthropic"),
            }
            for call in message.tool_calls
        ),
    ]


def arguments_of(call: ToolCall, provider: str) -> dict[str, Any]:
    """Return the arguments of an earlier call as an object, which some formats ask for."""
    try:
        return _OBJECT.decode(call.arguments or "{}")
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise unsent(
            f"The arguments of the call {call.id} of {call.name} are no JSON object; "
            f"{provider} takes no others."
        ) from error


def _tools(tools: tuple[Tool, ...]) -> list[dict[str, Any]]:
    described = []
    for tool in tools:
        shown: dict[str, Any] = {"name": tool.name}
        if tool.description:
            shown["description"] = tool.description
        shown["input_schema"] = of_arguments(tool.parameters)
        described.append(shown)
    return described


def _choice(choice: str) -> dict[str, Any]:
    if choice == "none":
        return {"type": "none"}
    if choice == "required":
        return {"type": "any"}
    return {"type": "tool", "name": choice}


def anthropic_model(
    model: str,
    *,
    key: Secret | None,
    base_url: str | None = None,
    retry: Retry | None = None,
    prices: PriceList | None = None,
    connections: int = CONNECTIONS,
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
        connections=connections,
    )
    return HttpLanguageModel(AnthropicDialect(model), wire, patience, prices)
