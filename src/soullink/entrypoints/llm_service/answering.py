"""Sends answers, whole or as they come."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Protocol

from aiohttp import web

from soullink.entrypoints.llm_service.faults import Protocol as Spoken
from soullink.entrypoints.llm_service.faults import body_of, fault_of, headers_of
from soullink.entrypoints.llm_service.openai_request import Chat
from soullink.gateways.llm.port import (
    ChatChunk,
    ChatReply,
    LanguageModel,
    LlmOutputError,
    LlmTimeoutError,
)
from soullink.kernel.errors import SoulLinkError

JSON: Final = "application/json"
_SLACK_SECONDS: Final = 1.0
"""So that a provider that is late is told of as such, before the caller is."""


class Teller(Protocol):
    """Writes one answer in pieces, as server-sent events."""

    def begin(self) -> bytes: ...

    def piece(self, chunk: ChatChunk) -> bytes: ...

    def end(self, reply: ChatReply) -> bytes: ...

    def failed(self, error: Exception) -> bytes: ...


def identity(request_id: str) -> dict[str, str]:
    """Return the headers by which an answer is found again; each SDK looks for its own."""
    return {"X-Request-Id": request_id, "request-id": request_id}


def whole_answer(body: bytes, request_id: str, reply: ChatReply | None = None) -> web.Response:
    """Return an answer in one piece, with what it cost where that is known."""
    headers = identity(request_id)
    headers["Content-Type"] = JSON
    if reply is not None:
        # Servers name their models as they like, and a header holds no line's end.
        name = f"{reply.provider}:{reply.model}"
        headers["X-SoulLink-Model"] = name if name.isprintable() else reply.provider
        if reply.cost_nano_usd is not None:
            headers["X-SoulLink-Cost-Nano-USD"] = str(reply.cost_nano_usd)
        if reply.reused:
            headers["X-SoulLink-Reused"] = reply.reused
    return web.Response(body=body, headers=headers)


def failed_answer(error: Exception, spoken: Spoken, request_id: str) -> web.Response:
    """Return what `error` is told as."""
    headers = {**identity(request_id), **headers_of(error), "Content-Type": JSON}
    body = body_of(error, spoken, request_id)
    return web.Response(body=body, status=fault_of(error).status, headers=headers)


async def streamed_answer(
    http: web.Request, model: LanguageModel, chat: Chat, teller: Teller, request_id: str
) -> tuple[web.StreamResponse, Exception | None]:
    """Send the answer as it comes; return it with the error that broke it off, if one did.

    An error before the first piece is raised: then there can still be a status for it. A caller
    who goes away ends the call, which settles it.
    """
    async with _closing(model.stream(chat.request)) as chunks:
        first = await anext(chunks, None)
        if first is None:
            raise LlmOutputError(f"{model.name} said nothing.")
        response = web.StreamResponse(headers=_stream_headers(request_id))
        await response.prepare(http)
        error: Exception | None = None
        try:
            # Whoever asks and then does not listen must not keep a place for ever.
            async with asyncio.timeout(chat.request.timeout_seconds + _SLACK_SECONDS):
                await response.write(teller.begin() + _said(teller, first))
                async for chunk in chunks:
                    said = _said(teller, chunk)
                    if said:
                        await response.write(said)
        except ConnectionError:
            return response, None
        except TimeoutError:
            if http.transport is not None:
                http.transport.abort()
            return response, LlmTimeoutError("The caller did not take the answer in time.")
        except SoulLinkError as failure:
            error = failure
        except Exception as failure:  # noqa: BLE001  (half an answer is out: it must be ended)
            error = failure
        # Whoever listens may be gone by now.
        with contextlib.suppress(ConnectionError):
            if error is not None:
                await response.write(teller.failed(error))
            await response.write_eof()
        return response, error


def _said(teller: Teller, chunk: ChatChunk) -> bytes:
    said = teller.piece(chunk)
    return said if chunk.reply is None else said + teller.end(chunk.reply)


def _stream_headers(request_id: str) -> Mapping[str, str]:
    return {
        **identity(request_id),
        "Content-Type": "text/event-stream; charset=utf-8",
        "Cache-Control": "no-cache",
        "X-Accel-Buffering": "no",  # nginx would keep the pieces back
    }


@contextlib.asynccontextmanager
async def _closing(chunks: AsyncIterator[ChatChunk]) -> AsyncIterator[AsyncIterator[ChatChunk]]:
    """Close a stream at once: a generator that is merely dropped ends only when it is collected."""
    try:
        yield chunks
    finally:
        close: Any = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
