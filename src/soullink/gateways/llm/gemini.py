"""Google Gemini's own wire format: generateContent and streamGenerateContent, v1beta."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from soullink.gateways.llm.anthropic import arguments_of
from soullink.gateways.llm.complaints import THINKING_TOKENS, is_refused, is_unknown, is_unsupported
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
from soullink.gateways.llm.schemas import Refused, Remembered, in_words, open_api
from soullink.gateways.llm.sse import ServerEvent
from soullink.gateways.llm.wire import CONNECTIONS, Secret, Wire

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


class _FunctionCall(msgspec.Struct):
    name: str = ""
    args: msgspec.Raw = msgspec.Raw(b"{}")
    id: str | None = None


class _Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool = False
    function_call: _FunctionCall | None = None
    thought_signature: str | None = None


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
    tool_use_prompt_token_count: int | None = None


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

    reserve = THINKING_TOKENS

    def __init__(self, model: str) -> None:
        self.model = model.removeprefix("models/")
        self._without: set[str] = set()
        self._schemas = Remembered(open_api)
        self._refused: Refused[Any] = Refused()
        self._refused_older: Refused[Any] = Refused()
        self._declarations = Remembered(_declarations)
        self._older_declarations = Remembered(_older_declarations)
        self._thinking = _thinking(self.model)
        self._signatures: dict[str, str] = {}

    def path(self, *, streaming: bool) -> str:
        method = "streamGenerateContent?alt=sse" if streaming else "generateContent"
        return f"/models/{quote(self.model, safe='')}:{method}"

    def body(self, request: ChatRequest, *, streaming: bool) -> dict[str, Any]:  # noqa: ARG002 - the path tells
        without = self._without
        system = [m.content for m in request.messages if m.role == "system"]
        contents = self._contents(request.messages)
        config = self._config(request)
        if request.json_schema is not None and "responseMimeType" not in config:
            system.append(in_words(request.json_schema))
        if not contents:
            # The format wants a user's turn; a request of system text alone becomes one.
            contents, system = [{"role": "user", "parts": [{"text": "\n\n".join(system)}]}], []
        body: dict[str, Any] = {
            "contents": contents,
            "generationConfig": {
                name: value
                for name, value in config.items()
                if value is not None and name not in without
            },
        }
        if system:
            body["systemInstruction"] = {"parts": [{"text": text} for text in system]}
        if request.tools:
            older = "parametersJsonSchema" in without
            describe = self._older_declarations if older else self._declarations
            body["tools"] = [{"functionDeclarations": describe(request.tools)}]
            if request.tool_choice != "auto":
                body["toolConfig"] = {"functionCallingConfig": _choice(request.tool_choice)}
        return body

    def read(self, payload: bytes, heard: Heard, wire: Wire) -> None:
        answer = _DECODER.decode(payload)
        if answer.error is not None:
            raise _fault(answer.error, wire)
        text = self._take(answer, heard)
        if text:
            heard.words.append(text)
        if not answer.candidates and not heard.declined:
            raise LlmOutputError(f"gemini:{self.model} answered without a candidate.")

    def hear(self, event: ServerEvent, heard: Heard, wire: Wire) -> str:
        part = _DECODER.decode(event.data)
        if part.error is not None:
            raise _fault(part.error, wire)
        return self._take(part, heard)

    def adapt(self, complaint: str, sent: Mapping[str, Any]) -> bool:
        config = sent.get("generationConfig", {})
        for name, words in (
            ("thinkingConfig", _THINKING),
            ("temperature", ("temperature",)),
            ("topP", ("topP", "top_p")),
            ("seed", ("seed",)),
        ):
            if name in config and is_unsupported(complaint, *words):
                self._without.add(name)
                return True
        for name, marks, refused in (
            (
                "responseJsonSchema",
                ("responseJsonSchema", "response_json_schema"),
                self._refused,
            ),
            (
                "responseSchema",
                ("responseSchema", "response_schema", "json mode", "mime"),
                self._refused_older,
            ),
        ):
            if name in config and is_refused(complaint, *marks):
                refused.add(config[name])
                return True
        if sent.get("tools") and is_unknown(
            complaint, "parametersJsonSchema", "parameters_json_schema"
        ):
            if "parametersJsonSchema" in self._without:
                return False
            self._without.add("parametersJsonSchema")
            return True
        return False

    def _config(self, request: ChatRequest) -> dict[str, Any]:
        config: dict[str, Any] = {
            "maxOutputTokens": request.max_output_tokens + self.reserve,
            "candidateCount": 1,
            "temperature": request.temperature,
            "topP": request.top_p,
            "seed": request.seed,
            "stopSequences": list(request.stop) or None,
            "thinkingConfig": self._thinking,
        }
        if request.json_schema is None:
            return config
        if request.json_schema not in self._refused:
            config["responseMimeType"] = "application/json"
            config["responseJsonSchema"] = dict(request.json_schema)
        elif (older := self._schemas(request.json_schema)) not in self._refused_older:
            config["responseMimeType"] = "application/json"
            config["responseSchema"] = older
        return config

    def _contents(self, messages: tuple[Message, ...]) -> list[dict[str, Any]]:
        """Return the turns, users and models in alternation: neighbours of one role are merged."""
        contents: list[dict[str, Any]] = []
        names: dict[str, str] = {}
        for message in messages:
            if message.role == "system":
                continue
            role = "model" if message.role == "assistant" else "user"
            if message.role == "tool":
                parts = [_response(message, names)]
            elif message.tool_calls:
                names.update((call.id, call.name) for call in message.tool_calls)
                parts = [{"text": message.content}] if message.content else []
                parts += [self._call(call) for call in message.tool_calls]
            else:
                parts = [{"text": message.content}]
            if contents and contents[-1]["role"] == role:
                contents[-1]["parts"] += parts
            else:
                contents.append({"role": role, "parts": parts})
        return contents

    def _call(self, call: ToolCall) -> dict[str, Any]:
        part: dict[str, Any] = {
            "functionCall": {"name": call.name, "args": arguments_of(call, "gemini")}
        }
        signature = self._signatures.get(call.id)
        if signature is None and self._signs:
            # What Google names for calls whose signature is not at hand, e.g. another model's.
            signature = "skip_thought_signature_validator"
        if signature is not None:
            part["thoughtSignature"] = signature
        return part

    @property
    def _signs(self) -> bool:
        """Return whether the model refuses its own calls without their signature: from 3 on."""
        return self._thinking is not None and "thinkingLevel" in self._thinking

    def _take(self, part: _Answer, heard: Heard) -> str:
        heard.model = part.model_version or heard.model
        counts = part.usage_metadata
        if counts is not None and counts.prompt_token_count is not None:
            heard.usage = Usage(
                input_tokens=counts.prompt_token_count + (counts.tool_use_prompt_token_count or 0),
                output_tokens=(counts.candidates_token_count or 0)
                + (counts.thoughts_token_count or 0),
                cached_input_tokens=counts.cached_content_token_count or 0,
            )
        blocked = part.prompt_feedback.block_reason if part.prompt_feedback else None
        if blocked:
            heard.declined = f"The content filter of gemini declined the prompt ({blocked})."
        if not part.candidates:
            return ""
        first = part.candidates[0]
        if first.finish_reason in _DECLINED:
            heard.declined = (
                f"The content filter of gemini stopped the answer ({first.finish_reason})."
            )
        if first.finish_reason is not None:
            heard.finish = _FINISH.get(first.finish_reason, "other")
        parts = first.content.parts if first.content and first.content.parts else []
        for piece in parts:
            if piece.function_call is not None:
                self._take_call(piece, piece.function_call, heard)
        return "".join([p.text for p in parts if p.text and not p.thought])

    def _take_call(self, part: _Part, call: _FunctionCall, heard: Heard) -> None:
        number = len(heard.drafts)
        arguments = bytes(call.args).decode()
        heard.take_call(
            number, call.id or "", call.name, "{}" if arguments == "null" else arguments
        )
        if part.thought_signature is not None:
            if len(self._signatures) >= _KEPT_SIGNATURES:
                self._signatures.pop(next(iter(self._signatures)))
            self._signatures[heard.drafts[number].id] = part.thought_signature


_DECODER = msgspec.json.Decoder(_Answer)
_THINKING = (
    "thinking",
    "thinkingConfig",
    "thinking_config",
    "thinkingLevel",
    "thinking_level",
    "thinkingBudget",
    "thinking_budget",
)
_KEPT_SIGNATURES = 4096
"""Signatures of calls that may still be answered; the oldest go first."""


def _thinking(model: str) -> dict[str, Any] | None:
    """Return the least thinking: 2.5 models take a budget, later ones a level, others none."""
    if model.startswith("gemini-2.5"):
        return {"thinkingBudget": 128 if "pro" in model else 0}
    return (
        {"thinkingLevel": "low"}
        if model.startswith("gemini-") and (model[7:8].isdigit() and model[7:8] >= "3")
        else None
    )


def _fault(fault: _Fault, wire: Wire) -> LlmError:
    """Return the error for an error object inside an answer that had begun well."""
    return wire.error_from(fault.code, f"{fault.message} ({fault.status})", billed=True)


def _response(message: Message, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the answer to a call. The format names the function, and wants an object."""
    name = names.get(message.tool_call_id)
    if name is None:
        raise unsent(
            f"A tool message answers {message.tool_call_id!r}, but no assistant's message before "
            "it asks for that call."
        )
    return {"functionResponse": {"name": name, "response": _object(message.content)}}


def _object(content: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        found = content
    return found if isinstance(found, dict) else {"result": found}


def _declarations(tools: tuple[Tool, ...]) -> list[dict[str, Any]]:
    described = []
    for tool in tools:
        shown: dict[str, Any] = {"name": tool.name, "description": tool.description or tool.name}
        if tool.parameters:
            shown["parametersJsonSchema"] = dict(tool.parameters)
        described.append(shown)
    return described


def _older_declarations(tools: tuple[Tool, ...]) -> list[dict[str, Any]]:
    """Return the tools in the OpenAPI subset, which older models and servers take."""
    described = []
    for tool in tools:
        shown: dict[str, Any] = {"name": tool.name, "description": tool.description or tool.name}
        if tool.parameters.get("properties"):
            shown["parameters"] = open_api(tool.parameters)
        described.append(shown)
    return described


def _choice(choice: str) -> dict[str, Any]:
    if choice == "none":
        return {"mode": "NONE"}
    if choice == "required":
        return {"mode": "ANY"}
    return {"mode": "ANY", "allowedFunctionNames": [choice]}


def gemini_model(
    model: str,
    *,
    key: Secret | None,
    base_url: str | None = None,
    retry: Retry | None = None,
    prices: PriceList | None = None,
    connections: int = CONNECTIONS,
) -> HttpLanguageModel:
    """Return the model `model` of Google, or of a server at `base_url` that speaks like it."""
    patience = retry or Retry()
    wire = gemini_wire(key, base_url, patience, connections)
    return HttpLanguageModel(GeminiDialect(model), wire, patience, prices)


def gemini_wire(
    key: Secret | None, base_url: str | None, retry: Retry, connections: int = CONNECTIONS
) -> Wire:
    """Return the way to Google, or to a server at `base_url` that speaks like it."""
    return Wire(
        base_url or GEMINI_URL,
        provider="gemini",
        key=key,
        auth=("x-goog-api-key", ""),
        headers={},
        retry=retry,
        connections=connections,
    )
