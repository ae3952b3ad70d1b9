"""A real HTTP server on loopback that speaks a provider's format and misbehaves on request."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from soullink.gateways.llm.port import ToolCall


@dataclass(frozen=True)
class Say:
    """Answer these words; a mapping is answered as JSON.

    pieces: into how many events a streamed answer is cut. delay_seconds: before each of them,
    and before the whole answer when it is not streamed. usage False: counts are left out.
    finish: in the provider's own words; None takes its normal one. refusal: the model declines.
    calls: tools that the model asks for, whose arguments are cut into `pieces` too.
    """

    words: str | Mapping[str, Any] = ""
    pieces: int = 3
    delay_seconds: float = 0.0
    usage: bool = True
    finish: str | None = None
    refusal: str | None = None
    calls: tuple[ToolCall, ...] = ()

    @property
    def text(self) -> str:
        if isinstance(self.words, str):
            return self.words
        return json.dumps(self.words, ensure_ascii=False)


@dataclass(frozen=True)
class Fail:
    """Answer an error status. retry_after: the header, in seconds or as an HTTP date."""

    status: int
    message: str = "the test server fails"
    code: str | None = None
    retry_after: str | None = None


@dataclass(frozen=True)
class Cut:
    """Promise an answer, send half of it and cut the connection."""

    words: str = "Half of these words will never arrive at the other side."


@dataclass(frozen=True)
class Hang:
    """Accept the request and say nothing for so long."""

    seconds: float = 30.0


@dataclass(frozen=True)
class Raw:
    """Answer exactly these bytes."""

    body: bytes
    content_type: str = "application/json"
    status: int = 200


Behaviour = Say | Fail | Cut | Hang | Raw
Answer = Behaviour | str | Mapping[str, Any]
Script = list[Answer] | Callable[[dict[str, Any]], Answer]


@dataclass(frozen=True)
class Received:
    """One request as it came in. path: with its query."""

    path: str
    headers: Mapping[str, str]
    json: dict[str, Any] = field(repr=False)


class ScriptedServer:
    """Serves one wire format; subclasses say which. An async context manager.

    script: a list, used up from the front (a request after its end is a 400), or a function
    from the request's JSON to the answer. A plain string or mapping stands for Say(...).
    requests: what came in, in order. api_key: other keys get 401. rejects: parameters (dotted)
    that are answered with 400, as newer or older models do. left: how many clients went away
    before their answer had ended.
    """

    prefix = ""

    def __init__(
        self,
        script: Script | None = None,
        *,
        api_key: str | None = None,
        rejects: Mapping[str, str] | None = None,
    ) -> None:
        self.script: Script = [] if script is None else script
        self.requests: list[Received] = []
        self.left = 0
        self.api_key = api_key
        self.rejects = dict(rejects or {})
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}{self.prefix}"

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_post("/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            application, shutdown_timeout=0.1, access_log=None, handler_cancellation=True
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    # What a wire format fills in.

    def key_of(self, headers: Mapping[str, str]) -> str | None:
        raise NotImplementedError

    def problem(self, received: Received) -> str | None:
        """Return why the format does not allow the request, or None."""
        raise NotImplementedError

    def wants_stream(self, received: Received) -> bool:
        raise NotImplementedError

    def error(self, failure: Fail) -> dict[str, Any]:
        raise NotImplementedError

    def whole(self, say: Say, received: Received) -> dict[str, Any]:
        raise NotImplementedError

    def events(self, say: Say, received: Received) -> list[str]:
        """Return the events of a streamed answer, each with its blank line."""
        raise NotImplementedError

    # The same for all.

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        received = Received(request.path_qs, dict(request.headers), await request.json())
        self.requests.append(received)
        behaviour = self._objection(received) or self._next(received)
        try:
            return await self._behave(request, received, behaviour)
        except (asyncio.CancelledError, ConnectionResetError):
            self.left += 1
            raise

    async def _behave(
        self, request: web.Request, received: Received, behaviour: Behaviour
    ) -> web.StreamResponse:
        match behaviour:
            case Fail():
                return self._failure(behaviour)
            case Raw(body=body, content_type=kind, status=status):
                return web.Response(body=body, content_type=kind, status=status)
            case Hang():
                await asyncio.sleep(behaviour.seconds)
                return self._failure(Fail(504))
            case Cut():
                return await self._cut(request, received, behaviour)
            case Say():
                return await self._say(request, received, behaviour)

    def _objection(self, received: Received) -> Fail | None:
        key = self.key_of(received.headers)
        if self.api_key is not None and key != self.api_key:
            return Fail(401, f"Incorrect API key provided: {key}")
        for name, complaint in self.rejects.items():
            if _holds(received.json, name.split(".")):
                return Fail(400, complaint)
        problem = self.problem(received)
        return None if problem is None else Fail(400, problem)

    def _next(self, received: Received) -> Behaviour:
        if callable(self.script):
            answer = self.script(received.json)
        elif self.script:
            answer = self.script.pop(0)
        else:
            answer = Fail(400, "the script of the test server is used up")
        return Say(answer) if isinstance(answer, str | Mapping) else answer

    def _failure(self, failure: Fail) -> web.Response:
        headers = {} if failure.retry_after is None else {"Retry-After": failure.retry_after}
        return web.json_response(self.error(failure), status=failure.status, headers=headers)

    async def _say(self, request: web.Request, received: Received, say: Say) -> web.StreamResponse:
        if not self.wants_stream(received):
            await asyncio.sleep(say.delay_seconds)
            return web.json_response(self.whole(say, received))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in self.events(say, received):
            await asyncio.sleep(say.delay_seconds)
            await response.write(event.encode())
        await response.write_eof()
        return response

    async def _cut(self, request: web.Request, received: Received, cut: Cut) -> web.StreamResponse:
        say = Say(cut.words, pieces=6)
        if self.wants_stream(received):
            events = self.events(say, received)
            half = "".join(events[: len(events) // 2]).encode()
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        else:
            body = json.dumps(self.whole(say, received)).encode()
            half = body[: len(body) // 2]
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            response.content_length = len(body)
        await response.prepare(request)
        await response.write(half)
        # The half has to leave before the connection goes.
        await asyncio.sleep(0.02)
        if request.transport is not None:
            request.transport.abort()
        return response


class ScriptedOpenAiServer(ScriptedServer):
    """POST /v1/chat/completions as OpenAI serves it."""

    prefix = "/v1"

    def key_of(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("Authorization", "").removeprefix("Bearer ") or None

    def problem(self, received: Received) -> str | None:
        body = received.json
        if received.path != "/v1/chat/completions":
            return f"no such path {received.path}"
        if not body.get("model") or not body.get("messages"):
            return "model and messages are required"
        asked: set[str] = set()
        for message in body["messages"]:
            calls = message.get("tool_calls", [])
            if message["role"] == "tool":
                if message.get("tool_call_id") not in asked:
                    return "a message of role tool must answer a preceding tool_calls"
            elif set(message) - {"tool_calls"} != {"role", "content"}:
                return "a message has a role and content"
            asked.update(call["id"] for call in calls)
        return None

    def wants_stream(self, received: Received) -> bool:
        return bool(received.json.get("stream"))

    def error(self, failure: Fail) -> dict[str, Any]:
        return {"error": {"message": failure.message, "type": "error", "code": failure.code}}

    def whole(self, say: Say, received: Received) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": None if say.refusal or (say.calls and not say.text) else say.text,
            "refusal": say.refusal,
        }
        if say.calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in say.calls
            ]
        normal = "tool_calls" if say.calls else "stop"
        answer: dict[str, Any] = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": received.json["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": say.finish or normal}],
        }
        if say.usage:
            answer["usage"] = USAGE_OPENAI
        return answer

    def events(self, say: Say, received: Received) -> list[str]:
        def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
            return {
                "object": "chat.completion.chunk",
                "model": received.json["model"],
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            }

        key, text = ("refusal", say.refusal) if say.refusal else ("content", say.text)
        parts = [chunk({"role": "assistant", "content": ""})]
        parts += [chunk({key: piece}) for piece in in_pieces(text, say.pieces)]
        for number, call in enumerate(say.calls):
            start = {"index": number, "id": call.id, "type": "function"}
            parts.append(
                chunk({"tool_calls": [{**start, "function": {"name": call.name, "arguments": ""}}]})
            )
            parts += [
                chunk({"tool_calls": [{"index": number, "function": {"arguments": piece}}]})
                for piece in in_pieces(call.arguments, say.pieces)
            ]
        parts.append(chunk({}, say.finish or ("tool_calls" if say.calls else "stop")))
        if say.usage and received.json.get("stream_options", {}).get("include_usage"):
            parts.append({**chunk({}), "choices": [], "usage": USAGE_OPENAI})
        return [f"data: {json.dumps(part)}\n\n" for part in parts] + ["data: [DONE]\n\n"]


USAGE_OPENAI = {
    "prompt_tokens": 120,
    "completion_tokens": 30,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 20},
}
"""What every scripted provider says a call used: 120 in, 20 of them cached, 30 out."""


def in_pieces(text: str, count: int) -> list[str]:
    """Return `text` cut into at most `count` pieces of about one size."""
    size = max(1, -(-len(text) // count))
    return [text[start : start + size] for start in range(0, len(text), size)]


def _holds(document: object, names: list[str]) -> bool:
    if not names:
        return True
    return (
        isinstance(document, dict)
        and names[0] in document
        and _holds(document[names[0]], names[1:])
    )
