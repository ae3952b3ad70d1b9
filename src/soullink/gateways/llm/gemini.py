"""Google Gemini's own wire format: generateContent and streamGenerateContent, v1beta."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

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
from soullink.gateways.llm.schemas import in_words, open_api
from soullink.gateways.llm.sse import ServerEvent
from soullink.gateways.llm.wire import Secret, Wire

GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta"

_FINISH: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
}
_DECLINED = frozenset(
    {"SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "RECITATION", "LANGUAGE", "MODEL_ARMOR",
     "ESCALATION"}
)  # fmt: skip


class _Part(msgspec.Struct):
    text: str | None = None
    thought: bool = False


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None


class _Counts(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None


class _Fault(msgspec.Struct):
    code: int = 503
    message: str = ""
    status: str = ""


class _Answer(msgspec.Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Counts | None = None
    model_version: str | None = None
    error: _Fault | None = None


class GeminiDialect:
    """Writes and reads Gemini's generateContent."""

    provider = "gemini"
    seller: str | None = "google"

    def __init__(self, model: str) -> None:
        self.model = model.removeprefix("models/")
        self._without: set[str] = set()

    def path(self, *, streaming: bool) -> str:
        method = "streamGenerateContent?alt=sse" if streaming else "generateContent"
        return f"/models/{quote(self.model, safe='')}:{method}"

    def body(self, request: ChatRequest, *, streaming: bool) -> dict[str, Any]:  # noqa: ARG002 - the path tells
        system = [m.content for m in request.messages if m.role == "system"]
        turns = [m for m in request.messages if m.role != "system"]
        contents = [
            {"role": "model" if m.role == "assistant" else "user", "parts": [{"text": m.content}]}
            for m in turns
        ]
        thinking = self._thinking()
        config: dict[str, Any] = {
            "maxOutputTokens": request.max_output_tokens + THINKING_TOKENS,
            "candidateCount": 1,
            "temperature": request.temperature,
            "seed": request.seed,
            "thinkingConfig": thinking,
        }
        if request.json_schema is not None:
            if "responseSchema" in self._without:
                system.append(in_words(request.json_schema))
            else:
                config["responseMimeType"] = "application/json"
                if "responseJsonSchema" in self._without:
                    config["responseSchema"] = open_api(request.json_schema)
                else:
                    config["responseJsonSchema"] = dict(request.json_schema)
        if not contents:
            # The format wants a user's turn; a request of system text alone becomes one.
            contents, system = [{"role": "user", "parts": [{"text": "\n\n".join(system)}]}], []
        body: dict[str, Any] = {
            "contents": contents,
            "generationConfig": {
                name: value
                for name, value in config.items()
                if value is not None and name not in self._without
            },
        }
        if system:
            body["systemInstruction"] = {"parts": [{"text": text} for text in system]}
        return body

    def read(self, payload: bytes) -> Heard:
        answer = msgspec.json.decode(payload, type=_Answer)
        heard = Heard()
        heard.text = self._take(answer, heard)
        if not answer.candidates:
            raise LlmOutputError(f"gemini:{self.model} answered without a candidate.")
        return heard

    def hear(self, event: ServerEvent, heard: Heard, wire: Wire) -> str:
        part = msgspec.json.decode(event.data, type=_Answer)
        if part.error is not None:
            raise wire.error_from(part.error.code, f"{part.error.message} ({part.error.status})")
        return self._take(part, heard)

    def adapt(self, complaint: str, sent: Mapping[str, Any]) -> bool:
        config = sent.get("generationConfig", {})
        for name, words in (
            ("thinkingConfig", ("thinking",)),
            ("temperature", ("temperature",)),
            ("seed", ("seed",)),
            ("responseJsonSchema", ("responseJsonSchema", "response_json_schema")),
            ("responseSchema", ("responseSchema", "response_schema", "json mode", "mime")),
        ):
            if name in config and is_unsupported(complaint, *words):
                self._without.add(name)
                return True
        return False

    def _thinking(self) -> dict[str, Any] | None:
        """Return the least thinking: 2.5 models take a budget, later ones a level, others none."""
        if self.model.startswith("gemini-2.5"):
            return {"thinkingBudget": 128 if "pro" in self.model else 0}
        return (
            {"thinkingLevel": "low"}
            if self.model.startswith("gemini-")
            and (self.model[7:8].isdigit() and self.model[7:8] >= "3")
            else None
        )

    def _take(self, part: _Answer, heard: Heard) -> str:
        heard.model = part.model_version or heard.model
        blocked = part.prompt_feedback.block_reason if part.prompt_feedback else None
        if blocked:
            raise LlmRefusedError(f"The content filter of gemini declined the prompt ({blocked}).")
        counts = part.usage_metadata
        if counts is not None and counts.prompt_token_count is not None:
            heard.usage = Usage(
                input_tokens=counts.prompt_token_count,
                output_tokens=(counts.candidates_token_count or 0)
                + (counts.thoughts_token_count or 0),
                cached_input_tokens=counts.cached_content_token_count or 0,
            )
        if not part.candidates:
            return ""
        first = part.candidates[0]
        if first.finish_reason in _DECLINED:
            raise LlmRefusedError(
                f"The content filter of gemini stopped the answer ({first.finish_reason})."
            )
        if first.finish_reason is not None:
            heard.finish = _FINISH.get(first.finish_reason, "other")
        parts = first.content.parts if first.content and first.content.parts else []
        return "".join(p.text or "" for p in parts if not p.thought)


def gemini_model(
    model: str, *, key: Secret | None, base_url: str | None = None, retry: Retry | None = None
) -> HttpLanguageModel:
    """Return the model `model` of Google, or of a server at `base_url` that speaks like it."""
    patience = retry or Retry()
    wire = Wire(
        base_url or GEMINI_URL,
        provider="gemini",
        key=key,
        auth=("x-goog-api-key", ""),
        headers={},
        retry=patience,
    )
    return HttpLanguageModel(GeminiDialect(model), wire, patience)
