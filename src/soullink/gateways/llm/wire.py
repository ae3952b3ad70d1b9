"""One HTTP connection pool to one provider; every failure becomes an error of the port."""

import asyncio
import contextlib
import ipaddress
import re
from collections.abc import AsyncGenerator, Iterator, Mapping

import aiohttp
import msgspec
from yarl import URL

from soullink.gateways.llm.port import (
    LlmAuthError,
    LlmError,
    LlmOutputError,
    LlmRateLimitedError,
    LlmRefusedError,
    LlmRequestError,
    LlmUnavailableError,
)
from soullink.gateways.llm.retry import Retry, parse_retry_after
from soullink.gateways.llm.sse import EventDecoder, ServerEvent

MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_ERROR_BYTES = 64 * 1024
CONNECT_SECONDS = 15.0
_MAX_REASON_CHARACTERS = 300
_KEY_LIKE = re.compile(r"\b(?:sk|pk|key|AIza)[-_A-Za-z0-9*]{8,}")
_FILTERED = ("content_filter", "content_policy", "responsibleaipolicyviolation")
_NO_CREDIT = ("insufficient_quota", "credit balance is too low")


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
        connections: int = 64,
    ) -> None:
        self.base_url = check_base_url(base_url)
        self.provider = provider
        self._key = key or Secret("")
        self._auth = auth
        self._headers = dict(headers)
        self._retry = retry
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def post(self, path: str, body: bytes) -> bytes:
        """Return the body of a successful answer."""
        with self._translated():
            async with await self._send(path, body) as response:
                await self._check(response)
                return await self._read(response, MAX_ANSWER_BYTES)

    async def events(
        self, path: str, body: bytes, deadline: float
    ) -> AsyncGenerator[ServerEvent, None]:
        """Yield the server-sent events of a successful answer.

        deadline: a point on the event loop's clock; TimeoutError when a read passes it.
        """
        decoder = EventDecoder()
        size = 0
        with self._translated():
            async with asyncio.timeout_at(deadline):
                response = await self._send(path, body)
            async with response:
                async with asyncio.timeout_at(deadline):
                    await self._check(response)
                while True:
                    async with asyncio.timeout_at(deadline):
                        piece = await response.content.readany()
                    if not piece:
                        return
                    size += len(piece)
                    if size > MAX_ANSWER_BYTES:
                        raise LlmOutputError(f"{self.provider} sent more than an answer can be.")
                    for event in decoder.feed(piece):
                        yield event

    async def close(self) -> None:
        """Let go of the connections."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def error_from(self, status: int, reason: str, retry_after: str | None = None) -> LlmError:
        """Return the error that stands for an HTTP status and the provider's own words."""
        words = " ".join(self._key.hide_in(reason).split())[:_MAX_REASON_CHARACTERS]
        lowered = reason.lower()
        who = f"{self.provider} at {self.base_url.host}"
        if any(mark in lowered for mark in _NO_CREDIT):
            return LlmAuthError(f"The account at {who} has no credit left; top it up there.")
        if any(mark in lowered for mark in _FILTERED):
            return LlmRefusedError(f"The content filter of {who} declined: {words}")
        if status in {401, 403} or "api key not valid" in lowered or "api_key_invalid" in lowered:
            return LlmAuthError(f"{who} does not accept the API key ({status}); check it.")
        if status == 429:
            error: LlmError = LlmRateLimitedError(f"{who} limits the rate (429): {words}")
        elif status >= 500 or status in {408, 409}:
            error = LlmUnavailableError(f"{who} failed ({status}): {words}")
        elif 300 <= status < 400:
            return LlmRequestError(f"{who} sends us elsewhere ({status}); correct the base URL.")
        else:
            return LlmRequestError(f"{who} does not accept the request ({status}): {words}")
        error.retry_after_seconds = parse_retry_after(retry_after, self._retry.clock.now())
        return error

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what aiohttp raises into errors of the port."""
        try:
            yield
        except (aiohttp.ClientError, ConnectionError) as error:
            raise LlmUnavailableError(
                f"The connection to {self.provider} at {self.base_url.host} failed: "
                f"{self._key.hide_in(str(error)) or type(error).__name__}"
            ) from error

    async def _send(self, path: str, body: bytes) -> aiohttp.ClientResponse:
        headers = {"Content-Type": "application/json", **self._headers}
        name, prefix = self._auth
        if self._key.reveal():
            headers[name] = prefix + self._key.reveal()
        url = str(self.base_url).rstrip("/") + path
        return await self._open_session().post(
            url, data=body, headers=headers, allow_redirects=False
        )

    def _open_session(self) -> aiohttp.ClientSession:
        if self._closed:
            raise LlmUnavailableError(f"The connection to {self.provider} is closed.")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                # A proxy of the environment is for the world outside, not for this machine.
                trust_env=not is_local(str(self.base_url)),
            )
        return self._session

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        if response.status == 200:
            return
        payload = await self._read(response, MAX_ERROR_BYTES, cut=True)
        raise self.error_from(
            response.status, _reason(payload), response.headers.get("Retry-After")
        )

    async def _read(
        self, response: aiohttp.ClientResponse, limit: int, *, cut: bool = False
    ) -> bytes:
        pieces = bytearray()
        async for piece in response.content.iter_any():
            pieces += piece
            if len(pieces) > limit:
                if cut:
                    response.close()
                    return bytes(pieces[:limit])
                raise LlmOutputError(f"{self.provider} sent more than an answer can be.")
        return bytes(pieces)


class _Fault(msgspec.Struct):
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    status: str | None = None


class _Faulty(msgspec.Struct):
    error: _Fault | str | None = None
    message: str | None = None
    detail: str | None = None


def _reason(payload: bytes) -> str:
    """Return what an error body says: OpenAI's, Anthropic's, Gemini's form, or its plain text."""
    try:
        found = msgspec.json.decode(payload, type=_Faulty | list[_Faulty])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return payload.decode(errors="replace")
    document = (found[0] if found else _Faulty()) if isinstance(found, list) else found
    fault = document.error
    if isinstance(fault, _Fault):
        marks = [str(mark) for mark in (fault.type, fault.code, fault.status) if mark is not None]
        return " ".join([fault.message or "", *(f"({mark})" for mark in dict.fromkeys(marks))])
    return fault or document.message or document.detail or payload.decode(errors="replace")


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
    host = check_base_url(base_url).host or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))
    return address.is_loopback or address.is_private
