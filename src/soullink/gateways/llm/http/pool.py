"""Connections to one server, kept and shared. HTTP/1.1 without a proxy.

Written for this one use, because general clients cost more than the gateway around them.
"""

import asyncio
import ipaddress
import os
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from typing import Any

from yarl import URL

from soullink.gateways.llm.http.connection import Connection
from soullink.gateways.llm.http.faults import DeadlineError, NotReachedError
from soullink.gateways.llm.http.port import CONNECT_SECONDS, Answer, Incoming, Patience, Pool

_ADDRESS_SECONDS = 10.0
"""How long the addresses of a host are remembered."""


class DirectPool:
    """Implements Pool. Belongs to the event loop that first uses it.

    fields: header fields of every request, host excluded. connections: at most so many at once;
    further calls queue in order.
    """

    def __init__(self, base_url: URL, fields: Mapping[str, str], *, connections: int) -> None:
        self._url = base_url
        self._host = base_url.raw_host or ""
        self._port = base_url.port or 80
        self._secure = base_url.scheme == "https"
        self._prefix = base_url.raw_path.rstrip("/")
        self._fields = {"Host": base_url.host_port_subcomponent or "", **fields}
        self._heads: dict[str, bytes] = {}
        self._connections = connections
        self._context: ssl.SSLContext | None = None
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._connecting = 0
        self._queue: deque[asyncio.Future[Connection | None]] = deque()
        self._addresses: list[tuple[int, str]] = []
        self._addresses_until = 0.0
        self._resolving: asyncio.Task[list[tuple[int, str]]] | None = None

    async def ask(
        self, path: str, extra: Mapping[str, str], body: bytes, patience: Patience, limit: int
    ) -> Answer:
        message = self._message(path, extra, body)
        connection = self._take() or await self._acquire(patience)
        try:
            connection.start(message, patience, limit, whole=True)
            content = await connection.answered()
            return Answer(connection.status, connection.head, content)
        finally:
            self.release(connection)

    async def open(
        self, path: str, extra: Mapping[str, str], body: bytes, patience: Patience
    ) -> Incoming:
        message = self._message(path, extra, body)
        connection = self._take() or await self._acquire(patience)
        try:
            connection.start(message, patience, 1 << 26, whole=False)
            await connection.begun()
        except BaseException:
            self.release(connection)
            raise
        return _Incoming(self, connection)

    async def close(self) -> None:
        for connection in self._open:
            connection.cut()
        self._open.clear()
        self._idle.clear()
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_exception(NotReachedError("we have closed"))
        # The event loop tells connections of their end in its next round.
        await asyncio.sleep(0)

    def _message(self, path: str, extra: Mapping[str, str], body: bytes) -> bytes:
        head = self._heads.get(path)
        if head is None:
            lines = "".join(f"{name}: {value}\r\n" for name, value in self._fields.items())
            head = f"POST {self._prefix}{path} HTTP/1.1\r\n{lines}Content-Length: ".encode(
                "latin-1"
            )
            self._heads[path] = head
        if not extra:
            return b"%b%d\r\n\r\n%b" % (head, len(body), body)
        more = f"{len(body)}"
        for name, value in extra.items():
            more += f"\r\n{name}: {value}"
        return b"%b%b\r\n\r\n%b" % (head, more.encode("latin-1"), body)

    def _take(self) -> Connection | None:
        """Return a connection that is free at once, the warmest first."""
        if self._queue:
            return None
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.closed or not connection.reusable:
                self._open.discard(connection)
            elif connection.is_stale():
                self._open.discard(connection)
                connection.cut()
            else:
                return connection
        return None

    async def _acquire(self, patience: Patience) -> Connection:
        if self._queue or len(self._open) + self._connecting >= self._connections:
            turn: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            try:
                async with asyncio.timeout_at(patience.deadline):
                    connection = await turn
            except BaseException as error:
                if turn.done() and not turn.cancelled() and turn.exception() is None:
                    self._hand_on(turn.result())
                if isinstance(error, TimeoutError):
                    raise DeadlineError(sent=False) from None
                raise
            if connection is not None:
                if connection.reusable and not connection.closed:
                    return connection
                self._open.discard(connection)
        self._connecting += 1
        try:
            connection = await self._connect(patience)
        except BaseException:
            self._connecting -= 1
            self._hand_on(None)
            raise
        self._connecting -= 1
        self._open.add(connection)
        return connection

    def release(self, connection: Connection) -> None:
        """Take back a connection, for the next exchange where it can carry one."""
        if connection.rest():
            self._hand_on(connection)
        else:
            self._open.discard(connection)
            self._hand_on(None)

    def _hand_on(self, connection: Connection | None) -> None:
        """Give a connection, or leave to open one, to whoever waits longest."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        if connection is not None:
            self._idle.append(connection)

    async def _connect(self, patience: Patience) -> Connection:
        loop = asyncio.get_running_loop()
        limit = loop.time() + CONNECT_SECONDS
        until = min(limit, patience.deadline)
        options: dict[str, Any] = {}
        if self._secure:
            if self._context is None:
                self._context = await asyncio.to_thread(ssl.create_default_context)
            options = {"ssl": self._context, "server_hostname": self._host}
        failure: Exception | None = None
        try:
            async with asyncio.timeout_at(until):
                addresses = await self._resolve(loop)
            for number, (family, address) in enumerate(addresses):
                # An address that swallows what is sent must leave time for the next one.
                share = (until - loop.time()) / (len(addresses) - number)
                try:
                    async with asyncio.timeout(share):
                        _, connection = await loop.create_connection(
                            lambda: Connection(loop),
                            address,
                            self._port,
                            family=family,
                            **options,
                        )
                except (OSError, TimeoutError) as error:
                    failure = error
                else:
                    return connection
        except TimeoutError as error:
            failure = error
        if isinstance(failure, TimeoutError):
            if until < limit:
                raise DeadlineError(sent=False) from None
            raise NotReachedError(f"no connection within {CONNECT_SECONDS:g} seconds") from None
        raise NotReachedError(_why(failure)) from failure

    async def _resolve(self, loop: asyncio.AbstractEventLoop) -> list[tuple[int, str]]:
        """Return the addresses of the host; calls that need them at once ask once."""
        if self._addresses and loop.time() < self._addresses_until:
            return self._addresses
        if self._resolving is None:
            self._resolving = loop.create_task(self._look_up(loop))
            # Whoever asked may have been cancelled; the failure is theirs alone.
            self._resolving.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._resolving)

    async def _look_up(self, loop: asyncio.AbstractEventLoop) -> list[tuple[int, str]]:
        try:
            found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise NotReachedError(f"the host cannot be found ({_why(error)})") from error
        finally:
            self._resolving = None
        self._addresses = [(entry[0], str(entry[4][0])) for entry in found]
        self._addresses_until = loop.time() + _ADDRESS_SECONDS
        return self._addresses


class _Incoming:
    """Implements Incoming over a connection of a pool."""

    def __init__(self, pool: DirectPool, connection: Connection) -> None:
        self._pool = pool
        self._connection: Connection | None = connection
        self.status = connection.status
        self._head = connection

    def header(self, name: str) -> str:
        return self._head.header(name)

    async def piece(self) -> bytes:
        if self._connection is None:
            return b""
        return await self._connection.piece()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.release(connection)


def _why(error: BaseException | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def open_pool(base_url: URL, fields: Mapping[str, str], *, connections: int) -> Pool:
    """Return connections to `base_url`, through the proxy that the environment names for it.

    The usual variables count (HTTPS_PROXY, NO_PROXY); a server on this machine or its private
    network is never asked through a proxy.
    """
    if not is_private(base_url.host or "") and any(
        name.lower().endswith("_proxy") for name in os.environ
    ):
        # Here and not above: both load slowly, and most processes need neither.
        from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415

        proxy = getproxies().get(base_url.scheme)
        if proxy and not proxy_bypass(base_url.host_port_subcomponent or ""):
            from soullink.gateways.llm.http.proxied import ProxiedPool  # noqa: PLC0415

            return ProxiedPool(base_url, fields, proxy, connections=connections)
    return DirectPool(base_url, fields, connections=connections)


def is_private(host: str) -> bool:
    """Return whether `host` is this machine or in its private network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))
    return address.is_loopback or address.is_private
