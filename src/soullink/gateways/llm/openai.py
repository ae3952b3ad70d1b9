"""OpenAI-compatible chat completions: OpenAI itself, vLLM, Ollama, llama-server and others."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from soullink.gateways.llm.complaints import THINKING_TOKENS, is_refused, is_unsupported
from soullink.gateways.llm.hearing import Heard
from soullink.gateways.llm.http_model import HttpLanguageModel
from soullink.gateways.llm.port import (
    ChatRequest,
    FinishReason,
    LlmError,
    LlmOutputError,
    Message,
    Tool,
    Usage,
)
from soullink.gateways.llm.pricing import PriceList
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.schemas import (
    NAME,
    Refused,
    Remembered,
    closed,
    in_words,
    is_strict,
    of_arguments,
)
from soullink.gateways.llm.sse import ServerEvent
from soullink.gateways.llm.wire import CONNECTIONS, Secret, Wire

OPENAI_URL = "https://api.openai.com/v1"

_THINKS = re.compile(r"^(?:o\d|gpt-(?:[5-9]|\d\d))(?!.*chat)")
"""Models that reason: they want max_completion_tokens and refuse a temperature."""

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "eos": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    """prompt_cache_hit_tokens: where DeepSeek counts what others count in the details."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_cache_hit_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _Call(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _Words(msgspec.Struct):
    content: str | list[_Part] | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    message: _Words | None = None
    delta: _Words | None = None
    finish_reason: str | None = None


class _Fault(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None
    type: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice] = []
    model: str | None = None
    usage: _Usage | None = None
    error: _Fault | str | None = None


class OpenAiDialect:
    """Writes and reads POST /chat/completions.

    official: talking to OpenAI itself, which is stricter in what it takes than local servers.
    """

    def __init__(self, model: str, *, provider: str = "openai", official: bool) -> None:
        self.model = model
        self.provider = provider
        self.seller: str | None = "openai" if official else None
        self._official = official
        self._thinks = official and bool(_THINKS.match(model))
        self.reserve = THINKING_TOKENS if self._thinks else 0
        self._length = "max_completion_tokens" if official else "max_tokens"
        self._without: set[str] = {"temperature", "top_p"} if self._thinks else {"reasoning_effort"}
        self._formats = Remembered(self._format)
        self._refused: Refused[dict[str, Any]] = Refused()
        self._tools = Remembered(_tools)

    def path(self, *, streaming: bool) -> str:  # noqa: ARG002 - the body tells, not the path
        return "/chat/completions"

    def body(self, request: ChatRequest, *, streaming: bool) -> dict[str, Any]:
        without = self._without
        messages: list[Message | dict[str, Any]] = list(request.messages)
        for at, message in enumerate(request.messages):
            # What has none of these is in the format as it is: nothing empty is written.
            if message.role == "tool" or message.tool_calls:
                messages[at] = _with_calls(message)
            elif message.tool_call_id:
                messages[at] = Message(message.role, message.content)
        body: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            self._length: request.max_output_tokens + self.reserve,
        }
        self._sample(request, body)
        if request.stop:
            body["stop"] = list(request.stop)
        if request.tools:
            tools, choice = request.tools, _choice(request.tool_choice)
            if isinstance(choice, dict) and self.provider == "llamacpp":
                # llama.cpp reads words only; being offered one tool alone comes to the same.
                tools = tuple(tool for tool in tools if tool.name == request.tool_choice)
                choice = "required"
            body["tools"] = self._tools(tools)
            if choice != "auto":
                body["tool_choice"] = choice
        if request.json_schema is not None:
            form = self._formats(request.json_schema)
            if form in self._refused:
                _ask_in_words(messages, request.json_schema)
            else:
                body["response_format"] = form
        if streaming:
            if "stream_options" not in without:
                body["stream_options"] = {"include_usage": True}
            body["stream"] = True
        return body

    def read(self, payload: bytes, heard: Heard, wire: Wire) -> None:
        answer = _DECODER.decode(payload)
        if answer.error is not None:
            raise _fault(answer.error, wire)
        if not answer.choices or answer.choices[0].message is None:
            raise LlmOutputError(f"{self.provider}:{self.model} answered without a choice.")
        text = self._take(answer, answer.choices[0].message, heard)
        if text:
            heard.words.append(text)

    def hear(self, event: ServerEvent, heard: Heard, wire: Wire) -> str:
        if event.data == "[DONE]":
            # Some servers end without a finish reason; the marker is the end all the same.
            heard.finish = heard.finish or "other"
            return ""
        part = _DECODER.decode(event.data)
        if part.error is not None:
            raise _fault(part.error, wire)
        words = part.choices[0].delta if part.choices else None
        return self._take(part, words or _NOTHING, heard)

    def adapt(self, complaint: str, sent: Mapping[str, Any]) -> bool:
        other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
        length = self._length if self._length in sent else other[self._length]
        if is_unsupported(complaint, f"'{length}'", f'"{length}"', f".{length}", f"`{length}`"):
            if length in self._without:
                # Another call in flight has swapped the names already, or neither is taken.
                return self._length != length
            self._without.add(length)
            self._length = other[length]
            return True
        for name in ("temperature", "top_p", "reasoning_effort", "seed", "stream_options"):
            if name in sent and is_unsupported(complaint, name):
                self._without.add(name)
                return True
        if "response_format" in sent and is_refused(
            complaint, "response_format", "json_schema", "structured output"
        ):
            self._refused.add(sent["response_format"])
            return True
        return False

    def _sample(self, request: ChatRequest, body: dict[str, Any]) -> None:
        without = self._without
        if "temperature" not in without:
            body["temperature"] = request.temperature
        if "reasoning_effort" not in without:
            body["reasoning_effort"] = "low"
        if request.top_p is not None and "top_p" not in without:
            body["top_p"] = request.top_p
        if request.seed is not None and "seed" not in without:
            body["seed"] = request.seed

    def _format(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        # Local servers compile the whole schema into a grammar; OpenAI takes a part of it.
        shown = closed(schema) if self._official else dict(schema)
        return {
            "type": "json_schema",
            "json_schema": {"name": NAME, "schema": shown, "strict": is_strict(shown)},
        }

    def _take(self, part: _Completion, words: _Words, heard: Heard) -> str:
        if part.model:
            heard.model = part.model
        if part.usage is not None and part.usage.prompt_tokens is not None:
            heard.usage = _counted(part.usage)
        reason = part.choices[0].finish_reason if part.choices else None
        if reason == "content_filter":
            heard.declined = f"The content filter of {self.provider} stopped the answer."
        if reason is not None and heard.finish != "refusal":
            heard.finish = _FINISH.get(reason, "other")
        for place, call in enumerate(words.tool_calls or ()):
            function = call.function or _Function()
            arguments = function.arguments or ""
            heard.take_call(
                place if call.index is None else call.index,
                call.id or "",
                function.name or "",
                arguments
                if isinstance(arguments, str)
                else msgspec.json.encode(arguments).decode(),
            )
        if words.refusal:
            heard.finish = "refusal"
        content = words.content or words.refusal or ""
        if isinstance(content, str):
            return content
        return "".join(p.text or "" for p in content if p.type == "text")


_DECODER = msgspec.json.Decoder(_Completion)
_NOTHING = _Words()


def _counted(usage: _Usage) -> Usage:
    details = usage.prompt_tokens_details
    cached = details.cached_tokens if details is not None else None
    return Usage(
        input_tokens=usage.prompt_tokens or 0,
        output_tokens=usage.completion_tokens or 0,
        cached_input_tokens=cached or usage.prompt_cache_hit_tokens or 0,
        estimated=usage.completion_tokens is None,
    )


def _fault(error: _Fault | str, wire: Wire) -> LlmError:
    """Return the error for an error object inside an answer that had begun well."""
    fault = error if isinstance(error, _Fault) else _Fault(error)
    status = fault.code if isinstance(fault.code, int) and fault.code >= 400 else 503
    marks = dict.fromkeys(str(mark) for mark in (fault.code, fault.type) if mark is not None)
    reason = " ".join([fault.message or "", *(f"({mark})" for mark in marks)])
    return wire.error_from(status, reason, billed=True)


def _with_calls(message: Message) -> dict[str, Any]:
    """Return a message that asks for tool calls, or answers one."""
    if message.role == "tool":
        return {
            "role": "tool",
            "tool_call_id": message.tool_call_id,
            "content": message.content,
        }
    return {
        "role": message.role,
        "content": message.content or None,
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ],
    }


def _tools(tools: tuple[Tool, ...]) -> list[dict[str, Any]]:
    described = []
    for tool in tools:
        function: dict[str, Any] = {"name": tool.name}
        if tool.description:
            function["description"] = tool.description
        function["parameters"] = of_arguments(tool.parameters)
        described.append({"type": "function", "function": function})
    return described


def _choice(choice: str) -> str | dict[str, Any]:
    if choice in {"auto", "none", "required"}:
        return choice
    return {"type": "function", "function": {"name": choice}}


def _ask_in_words(messages: list[Message | dict[str, Any]], schema: Mapping[str, Any]) -> None:
    """Ask for `schema` in the last message: many chat templates allow one system message only."""
    last = messages[-1]
    if isinstance(last, Message) and last.role in {"user", "system"}:
        messages[-1] = Message(last.role, f"{last.content}\n\n{in_words(schema)}")
    else:
        messages.append(Message("user", in_words(schema)))


def openai_model(
    model: str,
    *,
    key: Secret | None,
    base_url: str | None = None,
    retry: Retry | None = None,
    prices: PriceList | None = None,
    connections: int = CONNECTIONS,
) -> HttpLanguageModel:
    """Return the model `model` of OpenAI, or of the compatible server at `base_url`."""
    patience = retry or Retry()
    wire = openai_wire(key, base_url, patience, connections)
    dialect = OpenAiDialect(model, official=is_official(base_url))
    return HttpLanguageModel(dialect, wire, patience, prices)


def is_official(base_url: str | None) -> bool:
    """Return whether `base_url` is OpenAI's own."""
    return base_url is None or base_url.rstrip("/") == OPENAI_URL


def openai_wire(
    key: Secret | None, base_url: str | None, retry: Retry, connections: int = CONNECTIONS
) -> Wire:
    """Return the way to OpenAI, or to the compatible server at `base_url`."""
    return Wire(
        base_url or OPENAI_URL,
        provider="openai",
        key=key,
        auth=("Authorization", "Bearer "),
        headers={},
        retry=retry,
        connections=connections,
    )
