"""A provider that misbehaves by a seed and keeps an account of its own of what it counted."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias

from aiohttp import web

from soullink.gateways.llm.port import Usage

Behaviour: TypeAlias = Literal["answer", "silent", "cut", "reset", "hang", "500", "429"]

_BEHAVIOURS: list[Behaviour] = ["answer", "silent", "cut", "reset", "hang", "500", "429"]
_SHARES = [76, 7, 5, 3, 2, 4, 3]


@dataclass(frozen=True, slots=True)
class Served:
    """What became of one request. usage: what the answer said it used, None where it said none."""

    number: str
    behaviour: Behaviour
    usage: Usage | None


class CountingServer:
    """POST /v1/chat/completions on loopback; an async context manager.

    What it does with the nth request of a call depends on the seed, the call's number (its last
    message) and n. served: by X-Client-Request-Id. times: how often each id came.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._asked: Counter[str] = Counter()
        self._over = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.served: dict[str, Served] = {}
        self.times: Counter[str] = Counter()
        self.base_url = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_post("/v1/chat/completions", self._handle)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._over.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        number = body["messages"][-1]["content"]
        request_id = request.headers["X-Client-Request-Id"]
        self._asked[number] += 1
        draw = random.Random(f"{self._seed}:{number}:{self._asked[number]}")  # noqa: S311
        (behaviour,) = draw.choices(_BEHAVIOURS, _SHARES)
        usage = None
        if behaviour == "answer":
            prompt = draw.randint(1, len(number))
            usage = Usage(prompt, draw.randint(1, body["max_tokens"]), draw.randint(0, prompt))
        self.times[request_id] += 1
        self.served[request_id] = Served(number, behaviour, usage)
        await asyncio.sleep(draw.uniform(0.0, 0.03))
        if behaviour in ("500", "429"):
            error = {"error": {"message": "not now", "type": "error", "code": None}}
            return web.json_response(error, status=int(behaviour))
        if behaviour == "hang":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), 10.0)
        if behaviour in ("reset", "hang"):
            return self._abort(request, web.Response(status=500))
        whole = _events(body, usage) if body.get("stream") else [_answer(body, usage)]
        return await self._send(request, b"".join(whole), behaviour, stream=body.get("stream"))

    async def _send(
        self, request: web.Request, payload: bytes, behaviour: Behaviour, *, stream: bool | None
    ) -> web.StreamResponse:
        kind = "text/event-stream" if stream else "application/json"
        response = web.StreamResponse(headers={"Content-Type": kind})
        if not stream:
            response.content_length = len(payload)
        # A caller that goes away in the middle is part of what is tested.
        with contextlib.suppress(ConnectionResetError):
            await response.prepare(request)
            if behaviour == "cut":
                await response.write(payload[: len(payload) // 2])
                return self._abort(request, response)
            await response.write(payload)
            await response.write_eof()
        return response

    def _abort(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return response


def _counts(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens},
    }


def _answer(body: dict[str, Any], usage: Usage | None) -> bytes:
    message = {"role": "assistant", "content": "Some words that say nothing much."}
    answer: dict[str, Any] = {
        "object": "chat.completion",
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    if usage is not None:
        answer["usage"] = _counts(usage)
    return json.dumps(answer).encode()


def _events(body: dict[str, Any], usage: Usage | None) -> list[bytes]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {"object": "chat.completion.chunk", "model": body["model"], "choices": [choice]}

    parts = [chunk({"role": "assistant", "content": "Some "}), chunk({"content": "words."})]
    parts.append(chunk({}, "stop"))
    if usage is not None:
        parts.append({**chunk({}), "choices": [], "usage": _counts(usage)})
    return [f"data: {json.dumps(part)}\n\n".encode() for part in parts] + [b"data: [DONE]\n\n"]
