"""The same exchanges through a proxy of the environment, by aiohttp, which knows how."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TypeVar

import aiohttp
from yarl import URL

from soullink.gateways.llm.http.faults import (
    CutError,
    DeadlineError,
    NotReachedError,
    SilentError,
    TooLongError,
)
from soullink.gateways.llm.http.port import CONNECT_SECONDS, Answer, Patience

_T = TypeVar("_T")


class ProxiedPool:
    """Implements Pool. Belongs to the event loop that first uses it. See DirectPool."""

    def __init__(
        self, base_url: URL, fields: Mapping[str, str], proxy: str, *, connections: int
    ) -> None:
        self._base = str(base_url).rstrip("/")
        self._fields = dict(fields)
        self._proxy = proxy
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self, path: str, extra: Mapping[str, str], body: bytes, patience: Patience, limit: int
    ) -> Answer:
        incoming = await self.open(path, extra, body, patience)
        try:
            content = bytearray()
            while piece := await incoming.piece():
                content += piece
                if len(content) > limit:
                    raise TooLongError(f"more than {limit} bytes")
            return Answer(incoming.status, incoming.head, bytes(content))
        finally:
            incoming.close()

    async def open(
        self, path: str, extra: Mapping[str, str], body: bytes, patience: Patience
    ) -> "_Incoming":
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        asking = self._session.post(
            URL(self._base + path, encoded=True),
            data=body,
            headers={**self._fields, **extra},
            allow_redirects=False,
            proxy=self._proxy,
        )
        return _Incoming(await _within(asking, patience, patience.first_byte_seconds), patience)

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class _Incoming:
    """Implements Incoming over aiohttp's response."""

    def __init__(self, response: aiohttp.ClientResponse, patience: Patience) -> None:
        self._response = response
        self._patience = patience
        self.status = response.status
        fields = (name + b": " + value for name, value in response.raw_headers)
        self.head = b"\r\n".join([b"HTTP/1.1", *fields])

    def header(self, name: str) -> str:
        return self._response.headers.get(name, "")

    async def piece(self) -> bytes:
        reading = self._response.content.readany()
        return await _within(reading, self._patience, self._patience.stall_seconds)

    def close(self) -> None:
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


async def _within(doing: Awaitable[_T], patience: Patience, seconds: float) -> _T:
    """Return what `doing` returns; aiohttp's errors become ours."""
    now = asyncio.get_running_loop().time()
    until = min(patience.deadline, now + seconds)
    try:
        async with asyncio.timeout_at(until):
            return await doing
    except aiohttp.ConnectionTimeoutError as error:
        raise NotReachedError(f"no connection within {CONNECT_SECONDS:g} seconds") from error
    except TimeoutError:
        if until == patience.deadline:
            raise DeadlineError(sent=True) from None
        raise SilentError(seconds) from None
    except (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError) as error:
        raise NotReachedError(str(error)) from error
    except (aiohttp.ClientError, OSError) as error:
        raise CutError(str(error) or type(error).__name__) from error
