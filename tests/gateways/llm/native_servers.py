"""The scripted server in the formats of Anthropic and Gemini."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

from tests.gateways.llm.server import Fail, Received, Say, ScriptedServer, in_pieces


class ScriptedAnthropicServer(ScriptedServer):
    """POST /v1/messages as Anthropic serves it."""

    def key_of(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("x-api-key")

    def problem(self, received: Received) -> str | None:
        body = received.json
        if received.path != "/v1/messages":
            return f"no such path {received.path}"
        if received.headers.get("anthropic-version") != "2023-06-01":
            return "anthropic-version: header is required"
        if not body.get("messages") or "max_tokens" not in body or "model" not in body:
            return "model, max_tokens and messages are required"
        if any(m["role"] not in {"user", "assistant"} for m in body["messages"]):
            return "messages: system belongs in the top-level system parameter"
        roles = [m["role"] for m in body["messages"]]
        if any(role == after for role, after in itertools.pairwise(roles)):
            return "messages: roles must alternate"
        return None

    def wants_stream(self, received: Received) -> bool:
        return bool(received.json.get("stream"))

    def error(self, failure: Fail) -> dict[str, Any]:
        kind = failure.code or "invalid_request_error"
        return {"type": "error", "error": {"type": kind, "message": failure.message}}

    def whole(self, say: Say, received: Received) -> dict[str, Any]:
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": received.json["model"],
            "content": [
                {"type": "thinking", "thinking": "", "signature": "c2ln"},
                *([{"type": "text", "text": say.text}] if say.text else []),
                *(
                    {
                        "type": "tool_use",
                        "id": call.id,
                        "name": call.name,
                        "input": json.loads(call.arguments),
                    }
                    for call in say.calls
                ),
            ],
            "stop_reason": say.finish or ("tool_use" if say.calls else "end_turn"),
            "usage": _anthropic_usage(30) if say.usage else None,
        }

    def events(self, say: Say, received: Received) -> list[str]:
        start = {**self.whole(say, received), "content": [], "stop_reason": None}
        if say.usage:
            start["usage"] = _anthropic_usage(1)
        parts: list[dict[str, Any]] = [
            {"type": "message_start", "message": start},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
            {"type": "ping"},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "thinking_delta", "thinking": "not for the reader"},
            },
        ]
        parts += [
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "text_delta", "text": piece},
            }
            for piece in in_pieces(say.text, say.pieces)
        ]
        for number, call in enumerate(say.calls, start=2):
            block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
            parts.append({"type": "content_block_start", "index": number, "content_block": block})
            parts += [
                {
                    "type": "content_block_delta",
                    "index": number,
                    "delta": {"type": "input_json_delta", "partial_json": piece},
                }
                for piece in in_pieces(call.arguments, say.pieces)
            ]
        end: dict[str, Any] = {
            "type": "message_delta",
            "delta": {"stop_reason": say.finish or ("tool_use" if say.calls else "end_turn")},
        }
        if say.usage:
            end["usage"] = {"output_tokens": 30}
        parts += [{"type": "content_block_stop", "index": 1}, end, {"type": "message_stop"}]
        return [f"event: {part['type']}\ndata: {json.dumps(part)}\n\n" for part in parts]


def _anthropic_usage(output_tokens: int) -> dict[str, int]:
    return {
        "input_tokens": 90,
        "cache_creation_input_tokens": 10,
        "cache_read_input_tokens": 20,
        "output_tokens": output_tokens,
    }


class ScriptedGeminiServer(ScriptedServer):
    """POST /v1beta/models/MODEL:generateContent as Gemini serves it."""

    prefix = "/v1beta"

    def key_of(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("x-goog-api-key")

    def problem(self, received: Received) -> str | None:
        if not received.path.startswith("/v1beta/models/") or not received.json.get("contents"):
            return "contents are required"
        roles = [c["role"] for c in received.json["contents"]]
        if not set(roles) <= {"user", "model"}:
            return "Please use a valid role: user, model."
        if any(role == after for role, after in itertools.pairwise(roles)):
            return "Please ensure that multiturn requests alternate between user and model."
        return None

    def wants_stream(self, received: Received) -> bool:
        return received.path.endswith(":streamGenerateContent?alt=sse")

    def error(self, failure: Fail) -> dict[str, Any]:
        return {
            "error": {
                "code": failure.status,
                "message": failure.message,
                "status": failure.code or "INVALID_ARGUMENT",
            }
        }

    def whole(self, say: Say, received: Received) -> dict[str, Any]:
        thought = {"text": "not for the reader", "thought": True}
        parts = [thought, *([{"text": say.text}] if say.text else []), *_gemini_calls(say)]
        return self._part(parts, say, received, last=True)

    def events(self, say: Say, received: Received) -> list[str]:
        pieces: list[dict[str, Any]] = [{"text": text} for text in in_pieces(say.text, say.pieces)]
        pieces += _gemini_calls(say)
        parts = [
            self._part([piece], say, received, last=number == len(pieces))
            for number, piece in enumerate(pieces, start=1)
        ]
        return [f"data: {json.dumps(part)}\r\n\r\n" for part in parts]

    def _part(
        self, parts: list[dict[str, Any]], say: Say, received: Received, *, last: bool
    ) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}}
        if last:
            candidate["finishReason"] = say.finish or "STOP"
        answer: dict[str, Any] = {
            "candidates": [candidate],
            "modelVersion": received.path.split("/models/")[1].split(":")[0],
        }
        if say.usage:
            answer["usageMetadata"] = {
                "promptTokenCount": 120,
                "cachedContentTokenCount": 20,
                "candidatesTokenCount": 25,
                "thoughtsTokenCount": 5,
            }
        return answer


def _gemini_calls(say: Say) -> list[dict[str, Any]]:
    return [
        {
            "functionCall": {"name": call.name, "args": json.loads(call.arguments)},
            "thoughtSignature": f"signature of {call.name}",
        }
        for call in say.calls
    ]
