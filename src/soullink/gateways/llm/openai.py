"""OpenAI-compatible chat completions: OpenAI itself, vLLM, Ollama, llama-server and others."""

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
from soullink.gateways.llm.schemas import NAME, closed, in_words, is_strict
from soullink.gateways.llm.sse import ServerEvent
from soullink.gateways.llm.wire import Secret, Wire

OPENAI_URL = "https://api.openai.com/v1"

_THINKS = re.compile(r"^(?:o\d|gpt-(?:[5-9]|\d\d))(?!.*chat)")
"""Models that reason: they want max_completion_tokens and refuse a temperature."""

_FINISH: dict[str, FinishReason] = {"stop": "stop", "length": "length", "eos": "stop"}


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None


class _Words(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


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
        self._length = "max_completion_tokens" if official else "max_tokens"
        self._without: set[str] = {"temperature"} if self._thinks else {"reasoning_effort"}

    def path(self, *, streaming: bool) -> str:  # noqa: ARG002 - the body tells, not the path
        return "/chat/completions"

    def body(self, request: ChatRequest, *, streaming: bool) -> dict[str, Any]:
        messages = [{"role": m.role, "content": m.content} for m in request.messages]
        reserve = THINKING_TOKENS if self._thinks else 0
        optional: dict[str, Any] = {
            "temperature": request.temperature,
            "reasoning_effort": "low",
        }
        if request.seed is not None:
            optional["seed"] = request.seed
        if request.json_schema is not None:
            optional["response_format"] = self._format(request.json_schema)
            if "response_format" in self._without:
                # Into the last message: many chat templates allow one system message only.
                last = messages[-1]
                asked = f"{last['content']}\n\n{in_words(request.json_schema)}"
                messages[-1] = {"role": last["role"], "content": asked}
        if streaming:
            optional["stream_options"] = {"include_usage": True}
        body: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            self._length: request.max_output_tokens + reserve,
        }
        body.update({k: v for k, v in optional.items() if k not in self._without})
        if streaming:
            body["stream"] = True
        return body

    def read(self, payload: bytes) -> Heard:
        answer = msgspec.json.decode(payload, type=_Completion)
        if not answer.choices or answer.choices[0].message is None:
            raise LlmOutputError(f"{self.provider}:{self.model} answered without a choice.")
        heard = Heard()
        heard.text = self._take(answer, answer.choices[0].message, heard)
        return heard

    def hear(self, event: ServerEvent, heard: Heard, wire: Wire) -> str:
        if event.data == "[DONE]":
            # Some servers end without a finish reason; the marker is the end all the same.
            heard.finish = heard.finish or "other"
            return ""
        part = msgspec.json.decode(event.data, type=_Completion)
        if part.error is not None:
            fault = part.error if isinstance(part.error, _Fault) else _Fault(part.error)
            status = fault.code if isinstance(fault.code, int) else 503
            raise wire.error_from(status, f"{fault.message} ({fault.code or fault.type})")
        words = part.choices[0].delta if part.choices else None
        return self._take(part, words or _Words(), heard)

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
        for name in ("temperature", "reasoning_effort", "seed", "stream_options"):
            if name in sent and is_unsupported(complaint, name):
                self._without.add(name)
                return True
        if "response_format" in sent and is_unsupported(
            complaint, "response_format", "json_schema", "structured output"
        ):
            self._without.add("response_format")
            return True
        return False

    def _format(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        # Local servers compile the whole schema into a grammar; OpenAI takes a part of it.
        shown = closed(schema) if self._official else dict(schema)
        return {
            "type": "json_schema",
            "json_schema": {"name": NAME, "schema": shown, "strict": is_strict(shown)},
        }

    def _take(self, part: _Completion, words: _Words, heard: Heard) -> str:
        heard.model = part.model or heard.model
        if part.usage is not None and part.usage.prompt_tokens is not None:
            details = part.usage.prompt_tokens_details or _PromptDetails()
            heard.usage = Usage(
                input_tokens=part.usage.prompt_tokens,
                output_tokens=part.usage.completion_tokens or 0,
                cached_input_tokens=details.cached_tokens or 0,
            )
        reason = part.choices[0].finish_reason if part.choices else None
        if reason == "content_filter":
            raise LlmRefusedError(f"The content filter of {self.provider} stopped the answer.")
        if reason is not None and heard.finish != "refusal":
            heard.finish = _FINISH.get(reason, "other")
        if words.refusal:
            heard.finish = "refusal"
        return words.content or words.refusal or ""


def openai_model(
    model: str, *, key: Secret | None, base_url: str | None = None, retry: Retry | None = None
) -> HttpLanguageModel:
    """Return the model `model` of OpenAI, or of the compatible server at `base_url`."""
    patience = retry or Retry()
    official = base_url is None or base_url.rstrip("/") == OPENAI_URL
    wire = Wire(
        base_url or OPENAI_URL,
        provider="openai",
        key=key,
        auth=("Authorization", "Bearer "),
        headers={},
        retry=patience,
    )
    return HttpLanguageModel(OpenAiDialect(model, official=official), wire, patience)
