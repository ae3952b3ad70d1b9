"""Loads a server with one request over many connections, as cheaply as Python can.

A client library would cost more than the proxy that is measured; this one sends the same bytes
again as soon as a whole answer is in.
"""

import asyncio
import json
import time
from typing import Any

from benchmarks.gateway.subjects import BODY


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, end: float, latencies: list[float]) -> None:
        self._request = request
        self._end = end
        self._latencies = latencies
        self._rest = b""
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self._send()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        head = self._rest.find(b"\r\n\r\n")
        if head < 0:
            return
        lowered = self._rest[:head].lower()
        at = lowered.find(b"content-length:")
        length = int(lowered[at + 15 :].split(b"\r\n", 1)[0])
        if len(self._rest) < head + 4 + length:
            return
        if not self._rest.startswith(b"HTTP/1.1 200"):
            self._fail(RuntimeError(self._rest[:400].decode(errors="replace")))
            return
        self._rest = b""
        now = time.perf_counter()
        self._latencies.append(now - self._sent)
        if now < self._end:
            self._send()
        elif not self.done.done():
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionError("The server closed the connection."))

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
            self._transport.close()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)


async def load(port: int, key: str, model: str, width: int, seconds: float) -> dict[str, Any]:
    """Return calls, rps, p50 and p99 in microseconds."""
    body = json.dumps({**BODY, "model": model}).encode()
    request = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    latencies: list[float] = []
    loop, start = asyncio.get_running_loop(), time.perf_counter()
    connections = [
        (
            await loop.create_connection(
                lambda: _Connection(request, start + seconds, latencies), "127.0.0.1", port
            )
        )[1]
        for _ in range(width)
    ]
    await asyncio.gather(*(connection.done for connection in connections))
    wall = time.perf_counter() - start
    latencies.sort()
    count = len(latencies)
    return {
        "calls": count,
        "rps": count / wall,
        "p50_us": latencies[count // 2] * 1e6,
        "p99_us": latencies[int(count * 0.99)] * 1e6,
    }
