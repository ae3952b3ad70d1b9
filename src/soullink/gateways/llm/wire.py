"""The way to one provider; every failure becomes an error of the port."""

import asyncio
import re
from collections.abc import Mapping
from typing import NoReturn

from yarl import URL

from soullink.gateways.llm.failures import (
    failure_of_content,
    failure_of_exchange,
    failure_of_status,
    reason_in,
)
from soullink.gateways.llm.http.faults import HttpError
from soullink.gateways.llm.http.pool import is_private, open_pool
from soullink.gateways.llm.http.port import Incoming, Patience, Pool
from soullink.gateways.llm.port import (
    LlmAuthError,
    LlmError,
    LlmOutputError,
    LlmRequestError,
    LlmUnavailableError,
)
from soullink.gateways.llm.retry import Retry
from soullink.gateways.llm.sse import EventDecoder, ServerEvent

MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_EMBEDDING_BYTES = 256 * 1024 * 1024
MAX_ERROR_BYTES = 64 * 1024
CONNECTIONS = 512
"""Enough for every call in flight: a queue belongs before the gateway, not inside a client."""
FIRST_BYTE_SECONDS = 120.0
"""Models that think, and large prompts on small machines, are silent for long before they speak."""
STALL_SECONDS = 45.0
"""Within an answer no provider pauses longer; most send something every few seconds."""
_MAX_REASON_CHARACTERS = 300
_KEY_LIKE = re.compile(r"\b(?:sk|pk|key|AIza)[-_A-Za-z0-9*]{8,}")
_NO_FIELDS: Mapping[str, str] = {}


class Secret:
    """An API key that shows itself only to who asks for it by name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key."""
        return self._value

    def hide_in(self, text: str) -> str:
        """Return `text` without the key and without what looks like one."""
        if self._value:
            text = text.replace(self._value, "[key]")
        return _KEY_LIKE.sub("[key]", text)

    def __repr__(self) -> str:
        return "Secret([key])"


class Wire:
    """Posts JSON to one base URL. Belongs to the event loop that first uses it.

    headers: sent with every request. auth: header name and the text before the key, e.g.
    ("Authorization", "Bearer "). Redirects are not followed: they would carry the key away.
    connections: at most so many calls at once; more wait for one to end.
    first_byte_seconds, stall_seconds: silence before and within an answer that ends the call,
    even if the call itself has more time.
    """

    def __init__(
        self,
        base_url: str,
        *,
        provider: str,
        key: Secret | None,
        auth: tuple[str, str],
        headers: Mapping[str, str],
        retry: Retry,
        connections: int = CONNECTIONS,
        first_byte_seconds: float = FIRST_BYTE_SECONDS,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self.base_url = check_base_url(base_url)
        self.provider = provider
        self.first_byte_seconds = first_byte_seconds
        self.stall_seconds = stall_seconds
        self._who = f"{provider} at {self.base_url.host}"
        self._key = key or Secret("")
        if not (self._key.reveal().isascii() and self._key.reveal().isprintable()):
            error = LlmAuthError(
                f"The API key of {provider} holds characters that no key has; copy it again."
            )
            error.may_be_billed = False
            raise error
        self._auth = auth
        self._headers = dict(headers)
        self._retry = retry
        self._connections = connections
        self._pool: Pool | None = None
        self._closed = False

    async def post(
        self,
        path: str,
        body: bytes,
        deadline: float,
        request_id: str = "",
        *,
        limit: int = MAX_ANSWER_BYTES,
    ) -> bytes:
        """Return the body of a successful answer.

        deadline: a point on the event loop's clock. request_id: sent as X-Client-Request-Id.
        """
        pool = self._pool or self._open()
        patience = Patience(deadline, self.first_byte_seconds, self.stall_seconds)
        try:
            answer = await pool.ask(path, _fields(request_id), body, patience, limit)
        except HttpError as error:
            self._raise(error)
        if answer.status != 200:
            raise self.error_from(
                answer.status, reason_in(answer.body), answer.header("Retry-After") or None
            )
        return answer.body

    async def listen(
        self, path: str, body: bytes, deadline: float, request_id: str = ""
    ) -> "Listening":
        """Return a successful answer in events, as they come; close it."""
        pool = self._pool or self._open()
        patience = Patience(deadline, self.first_byte_seconds, self.stall_seconds)
        try:
            incoming = await pool.open(path, _fields(request_id), body, patience)
        except HttpError as error:
            self._raise(error)
        listening = Listening(self, incoming)
        kind = incoming.header("Content-Type")
        if incoming.status == 200 and kind.startswith("text/event-stream"):
            return listening
        try:
            payload = await listening.whole(MAX_ERROR_BYTES)
            if incoming.status != 200:
                retry_after = incoming.header("Retry-After") or None
                raise self.error_from(incoming.status, reason_in(payload), retry_after)
            raise self.unreadable(payload, "no events", kind)
        finally:
            listening.close()

    async def close(self) -> None:
        """Let go of the connections."""
        self._closed = True
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    def error_from(
        self, status: int, reason: str, retry_after: str | None = None, *, billed: bool = False
    ) -> LlmError:
        """Return the error that stands for an HTTP status and the provider's own words.

        billed: it came inside an answer that had begun well, so something may be charged.
        """
        words = " ".join(self._key.hide_in(reason).split())[:_MAX_REASON_CHARACTERS]
        now = self._retry.clock.now()
        error = failure_of_status(self._who, status, reason, words, retry_after, now)
        error.may_be_billed = billed
        return error

    def unreadable(self, body: bytes, why: str, content_type: str = "") -> LlmError:
        """Return the error that stands for an answer outside the provider's format."""
        return failure_of_content(self._who, body, content_type, self._key.hide_in(why))

    def _raise(self, error: HttpError) -> NoReturn:
        why = self._key.hide_in(str(error)) or type(error).__name__
        raise failure_of_exchange(self._who, error, why) from error

    def _open(self) -> Pool:
        if self._closed:
            error = LlmUnavailableError(f"The connection to {self.provider} is closed.")
            error.may_be_billed = False
            raise error
        fields = {
            "User-Agent": "soullink",
            "Accept": "*/*",
            # Answers are short; decompressing them would take longer than it saves.
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            **self._headers,
        }
        name, prefix = self._auth
        if self._key.reveal():
            fields[name] = prefix + self._key.reveal()
        self._pool = open_pool(self.base_url, fields, connections=self._connections)
        return self._pool


class Listening:
    """An answer in server-sent events."""

    def __init__(self, wire: Wire, incoming: Incoming) -> None:
        self._wire = wire
        self._incoming = incoming
        self._decoder = EventDecoder()
        self._size = 0

    async def events(self) -> list[ServerEvent] | None:
        """Return the events that have come by now, maybe none; None at the end."""
        try:
            piece = await self._incoming.piece()
        except HttpError as error:
            self._wire._raise(error)  # noqa: SLF001 - the other half of this file
        if not piece:
            return None
        self._size += len(piece)
        if self._size > MAX_ANSWER_BYTES:
            raise LlmOutputError(f"{self._wire.provider} sent more than an answer can be.")
        return self._decoder.feed(piece)

    async def whole(self, limit: int) -> bytes:
        """Return the first bytes of the answer, `limit` of them at most."""
        body = bytearray()
        try:
            while len(body) < limit and (piece := await self._incoming.piece()):
                body += piece
        except HttpError as error:
            if not body:
                self._wire._raise(error)  # noqa: SLF001 - the other half of this file
        return bytes(body[:limit])

    def close(self) -> None:
        """Let go; the connection is cut unless the answer has ended."""
        self._incoming.close()


def loop_time() -> float:
    """Return the event loop's clock, on which deadlines are points."""
    return asyncio.get_running_loop().time()


def _fields(request_id: str) -> Mapping[str, str]:
    if not request_id:
        return _NO_FIELDS
    if not (request_id.isascii() and request_id.isprintable()):
        raise LlmRequestError("A request_id holds printable ASCII characters only.")
    return {"X-Client-Request-Id": request_id}


def check_base_url(text: str) -> URL:
    """Return the parsed base URL. Raises LlmRequestError when it is not one."""
    try:
        url = URL(text.strip())
    except ValueError as error:
        raise LlmRequestError(f"The base URL cannot be read: {error}.") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise LlmRequestError("The base URL must begin with http:// or https:// and name a host.")
    if url.user or url.password or url.query_string or url.fragment:
        raise LlmRequestError("The base URL must hold no user, password, query or fragment.")
    return url


def is_local(base_url: str) -> bool:
    """Return whether `base_url` names this machine or its private network."""
    return is_private(check_base_url(base_url).host or "")
