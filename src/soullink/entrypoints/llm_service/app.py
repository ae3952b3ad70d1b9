"""The application: addresses, and what every request goes through."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import msgspec
import structlog
from aiohttp import web

from soullink.entrypoints.llm_service import anthropic_reply, openai_reply
from soullink.entrypoints.llm_service.access import Access, Caller
from soullink.entrypoints.llm_service.answering import (
    JSON,
    failed_answer,
    streamed_answer,
    whole_answer,
)
from soullink.entrypoints.llm_service.anthropic_request import read_message
from soullink.entrypoints.llm_service.embeddings import read_embedding, write_embedding
from soullink.entrypoints.llm_service.faults import (
    BadCallError,
    Protocol,
    TooLargeError,
    UnknownPathError,
    fault_of,
)
from soullink.entrypoints.llm_service.models import write_model, write_models
from soullink.entrypoints.llm_service.openai_request import Defaults, read_chat
from soullink.gateways.llm.gateway import Gateway
from soullink.gateways.llm.keys.port import Keys
from soullink.gateways.llm.port import LlmAuthError
from soullink.gateways.llm.tokens import count_tokens
from soullink.kernel.errors import SoulLinkError, UnavailableError
from soullink.kernel.ids import new_uuid7_text

MAX_BODY_BYTES: Final = 8 * 1024 * 1024
_BODY_SECONDS: Final = 60.0
_READY_SECONDS: Final = 1.0
_READY_WAITS_SECONDS: Final = 5.0
_LONGEST_REQUEST_ID: Final = 128

_log = structlog.get_logger()

Served: TypeAlias = tuple[web.StreamResponse, Exception | None]
Endpoint: TypeAlias = Callable[[web.Request, Caller, str], Awaitable[Served]]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(
    gateway: Gateway,
    keys: Keys,
    *,
    direct_providers: Collection[str] = (),
    defaults: Defaults | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
    log_calls: bool = False,
) -> web.Application:
    """Return the service, to be run with handler_cancellation: who goes away ends his call.

    direct_providers: whose "provider:model" may be called without being a route. log_calls: log
    also calls that went well. Neither prompts nor keys are ever logged.
    """
    service = _Service(gateway, Access(gateway, keys, direct_providers), defaults, log_calls)
    application = web.Application(client_max_size=max_body_bytes)
    add = application.router
    add.add_post("/v1/chat/completions", service.endpoint(service.chat, "openai"))
    add.add_post("/v1/embeddings", service.endpoint(service.embeddings, "openai"))
    add.add_post("/v1/messages", service.endpoint(service.messages, "anthropic"))
    add.add_post("/v1/messages/count_tokens", service.endpoint(service.count_tokens, "anthropic"))
    add.add_get("/v1/models", service.endpoint(service.models, "openai"))
    add.add_get("/v1/models/{name:.+}", service.endpoint(service.models, "openai"))
    add.add_get("/healthz", service.healthy)
    add.add_get("/readyz", service.ready)
    add.add_route("*", "/{path:.*}", service.nowhere)
    return application


@dataclass(slots=True)
class _Readiness:
    until: float = 0.0
    status: int = 503
    body: bytes = b""


class _Service:
    """Answers requests. One method an address."""

    def __init__(
        self, gateway: Gateway, access: Access, defaults: Defaults | None, log_calls: bool
    ) -> None:
        self._gateway = gateway
        self._access = access
        self._defaults = defaults or Defaults()
        self._log_calls = log_calls
        self._since = datetime.now(UTC)
        self._readiness = _Readiness()
        self._asking = asyncio.Lock()

    def endpoint(self, answer: Endpoint, protocol: Protocol) -> Handler:
        """Return the handler that lets callers in, answers, and tells every error."""

        async def handle(http: web.Request) -> web.StreamResponse:
            began = time.perf_counter()
            call_id = new_uuid7_text()
            request_id = _request_id(http) or call_id
            spoken: Protocol = "anthropic" if "anthropic-version" in http.headers else protocol
            caller: Caller | None = None
            try:
                caller = await self._access.caller(http.headers, call_id)
                response, error = await answer(http, caller, request_id)
            except asyncio.CancelledError:
                _log.info("llm_service.cut_short", **_fields(http, request_id, caller, began))
                raise
            except Exception as failure:  # noqa: BLE001  (every error is told in the protocol)
                error = failure
                if isinstance(failure, web.HTTPRequestEntityTooLarge):
                    error = TooLargeError("The body of the request is larger than is taken here.")
                response = failed_answer(error, spoken, request_id)
                if http.content.exception() is not None:  # where the next request begins is unknown
                    response.force_close()
            if error is not None or self._log_calls:
                _note(http, request_id, caller, error, response.status, began)
            return response

        return handle

    async def chat(self, http: web.Request, caller: Caller, request_id: str) -> Served:
        """Answer POST /v1/chat/completions."""
        chat = read_chat(await _body(http), caller, self._defaults)
        model = self._access.model(chat.model, caller)
        if chat.stream:
            teller = openai_reply.Chunks(
                chat.model, caller.call_id, include_usage=chat.include_usage
            )
            return await streamed_answer(http, model, chat, teller, request_id)
        reply = await model.complete(chat.request)
        return whole_answer(
            openai_reply.whole(reply, chat.model, caller.call_id), request_id, reply
        ), None

    async def messages(self, http: web.Request, caller: Caller, request_id: str) -> Served:
        """Answer POST /v1/messages."""
        chat = read_message(await _body(http), caller, self._defaults)
        model = self._access.model(chat.model, caller)
        if chat.stream:
            teller = anthropic_reply.Events(chat.model, caller.call_id)
            return await streamed_answer(http, model, chat, teller, request_id)
        reply = await model.complete(chat.request)
        return whole_answer(
            anthropic_reply.whole(reply, chat.model, caller.call_id), request_id, reply
        ), None

    async def count_tokens(self, http: web.Request, caller: Caller, request_id: str) -> Served:
        """Answer POST /v1/messages/count_tokens; an estimate says that it is one."""
        chat = read_message(await _body(http), caller, self._defaults, counting=True)
        self._access.model(chat.model, caller)
        # In a thread: the first count with a tokenizer loads it, which may take a second.
        found = await asyncio.to_thread(count_tokens, chat.model, chat.request)
        answer = {"input_tokens": found.tokens, "estimated": not found.exact}
        return whole_answer(msgspec.json.encode(answer), request_id), None

    async def embeddings(self, http: web.Request, caller: Caller, request_id: str) -> Served:
        """Answer POST /v1/embeddings."""
        seconds = self._defaults.timeout_seconds
        asked = read_embedding(await _body(http), caller, seconds)
        reply = await self._access.embedder(asked.model, caller).embed(asked.request)
        return whole_answer(write_embedding(reply, asked), request_id), None

    async def models(self, http: web.Request, caller: Caller, request_id: str) -> Served:
        """Answer GET /v1/models and /v1/models/NAME, in the words of whoever asks."""
        spoken: Protocol = "anthropic" if "anthropic-version" in http.headers else "openai"
        cards = self._access.cards(caller)
        name = http.match_info.get("name")
        if name is None:
            return whole_answer(write_models(cards, spoken, self._since), request_id), None
        return whole_answer(write_model(name, cards, spoken, self._since), request_id), None

    async def healthy(self, _http: web.Request) -> web.StreamResponse:
        """Answer GET /healthz: the process lives."""
        return web.Response(body=b'{"status":"ok"}', content_type=JSON)

    async def ready(self, _http: web.Request) -> web.StreamResponse:
        """Answer GET /readyz: calls can be paid for and there is something to call.

        Anybody may ask, so the database hears of it once a second at most.
        """
        async with self._asking:
            known = self._readiness
            if time.monotonic() >= known.until:
                known.status, known.body = await self._look()
                known.until = time.monotonic() + _READY_SECONDS
        return web.Response(body=known.body, status=known.status, content_type=JSON)

    async def nowhere(self, http: web.Request) -> web.StreamResponse:
        """Answer what has no address."""
        spoken: Protocol = "anthropic" if "anthropic-version" in http.headers else "openai"
        error = UnknownPathError(f"There is no {http.method} {http.path[:100]} here.")
        return failed_answer(error, spoken, _request_id(http) or new_uuid7_text())

    async def _look(self) -> tuple[int, bytes]:
        models = self._access.serves_something()
        try:
            async with asyncio.timeout(_READY_WAITS_SECONDS):
                await self._gateway.accounts.list_budgets()
            database = True
        except (UnavailableError, TimeoutError):
            database = False
        ready = database and models
        found = {"status": "ok" if ready else "unavailable", "database": database, "models": models}
        return 200 if ready else 503, msgspec.json.encode(found)


def _request_id(http: web.Request) -> str | None:
    """Return the id that the caller gave the request, where it can be echoed."""
    given = http.headers.get("X-Request-Id")
    if given and len(given) <= _LONGEST_REQUEST_ID and given.isascii() and given.isprintable():
        return given
    return None


async def _body(http: web.Request) -> bytes:
    """Return the body. Raises BadCallError when it does not come."""
    try:
        if http.content.is_eof():
            return await http.read()
        async with asyncio.timeout(_BODY_SECONDS):
            return await http.read()
    except web.RequestPayloadError as error:
        # Or aiohttp, reading on to the end, would stumble over it and cut our answer off.
        http.content.feed_eof()
        raise BadCallError("The body of the request is damaged or not fully there.") from error
    except TimeoutError as error:
        raise BadCallError(
            f"The body of the request did not arrive within {_BODY_SECONDS:g} seconds."
        ) from error


def _note(
    http: web.Request,
    request_id: str,
    caller: Caller | None,
    error: Exception | None,
    status: int,
    began: float,
) -> None:
    """Log how a call went: ids and kinds, no words."""
    fields = _fields(http, request_id, caller, began)
    fields["status"] = status
    if error is None:
        _log.info("llm_service.answered", **fields)
    elif isinstance(error, SoulLinkError):
        fields["error"] = error.code
        if isinstance(error, LlmAuthError):  # the operator's own mistake; it names no caller
            fields["reason"] = str(error)
        log = _log.warning if fault_of(error).status >= 500 else _log.info
        log("llm_service.refused", **fields)
    else:
        # What the error says may quote a prompt; where it happened does not.
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        if place is not None:
            fields["place"] = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
        _log.error("llm_service.bug", error=type(error).__name__, **fields)


def _fields(
    http: web.Request, request_id: str, caller: Caller | None, began: float
) -> dict[str, Any]:
    fields = {
        "request_id": request_id,
        "path": http.path[:100],
        "milliseconds": round((time.perf_counter() - began) * 1000, 1),
    }
    if caller is not None:
        fields |= {"tenant": caller.key.tenant, "key": caller.key.id}
    return fields
