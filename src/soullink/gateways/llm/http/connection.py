"""One HTTP/1.1 connection: writes a request, reads its answer, and stays for the next."""

import asyncio
from collections import deque
from typing import Any

from soullink.gateways.llm.http.chunked import Unchunker
from soullink.gateways.llm.http.faults import (
    CutError,
    DeadlineError,
    MalformedError,
    SilentError,
    TooLongError,
)
from soullink.gateways.llm.http.port import Inflater, Patience, header

MAX_HEAD_BYTES = 64 * 1024
MAX_UNREAD_BYTES = 256 * 1024
"""A stream that nobody reads stops coming at this size."""
KEEP_ALIVE_SECONDS = 15.0
"""How long an unused connection is kept; servers seldom give up sooner."""

_TICK_SECONDS = 0.001
_UNTIL_END = -1
_IN_CHUNKS = -2


class Connection(asyncio.Protocol):
    """Carries one exchange at a time.

    One standing timer watches deadline, first byte and stalls: a call moves the moment it waits
    for (`_until`) and seldom touches the timer itself, which costs more than all the rest.
    """

    __slots__ = (
        "_alarm",
        "_alarm_at",
        "_chunks",
        "_failure",
        "_heard",
        "_inflater",
        "_left",
        "_limit",
        "_loop",
        "_patience",
        "_paused",
        "_pieces",
        "_rest",
        "_size",
        "_transport",
        "_until",
        "_waiter",
        "_whole",
        "busy",
        "closed",
        "done",
        "head",
        "idle_since",
        "reusable",
        "status",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: Any = None
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self._until = 0.0
        self._waiter: asyncio.Future[None] | None = None
        self._pieces: deque[bytes] = deque()
        self._rest = b""
        self._chunks: Unchunker | None = None
        self._inflater: Inflater | None = None
        self._failure: Exception | None = None
        self._patience: Patience | None = None
        self._heard = False
        self._paused = False
        self._whole = True
        self._left = self._size = self._limit = 0
        self.status = 0
        self.head = b""
        self.idle_since = 0.0
        self.busy = self.done = self.closed = False
        self.reusable = True

    # What a pool calls.

    def start(self, message: bytes, patience: Patience, limit: int, *, whole: bool) -> None:
        """Write `message`. whole: wake the reader at the end only, not for every piece."""
        self.busy = True
        self.done = self._heard = False
        self.status = 0
        self._whole = whole
        self._limit = limit
        self._size = 0
        self._patience = patience
        self._transport.write(message)
        self._watch(min(patience.deadline, self._loop.time() + patience.first_byte_seconds))

    async def answered(self) -> bytes:
        """Return the whole body."""
        while not self.done:
            await self._wait()
        pieces = self._pieces
        if len(pieces) == 1:
            return pieces.popleft()
        body = b"".join(pieces)
        pieces.clear()
        return body

    async def begun(self) -> None:
        """Wait for the head of the answer."""
        while not self.status:
            await self._wait()

    async def piece(self) -> bytes:
        """Return the next bytes of the body, none at its end."""
        while not self._pieces and not self.done:
            await self._wait()
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        self._size -= len(piece)
        if self._paused and self._size < MAX_UNREAD_BYTES // 2:
            self._paused = False
            self._transport.resume_reading()
        return piece

    def header(self, name: str) -> str:
        """Return a field of the answer's head, empty where it is missing."""
        return header(self.head, name)

    def rest(self) -> bool:
        """Make ready for another exchange; whether that is possible."""
        self.busy = False
        self._patience = None
        if not self.done or not self.reusable or self.closed or self._is_sending():
            self.cut()
            return False
        # A reader that left before it read all must not leave the rest to the next one.
        self._pieces.clear()
        self.idle_since = self._loop.time()
        return True

    def _is_sending(self) -> bool:
        # Who answers before it has read all might take the rest for another request.
        return bool(self._transport.get_write_buffer_size())

    def is_stale(self) -> bool:
        """Return whether it has been unused for so long that the server may be giving it up."""
        return self._loop.time() - self.idle_since > KEEP_ALIVE_SECONDS

    def cut(self) -> None:
        """Close at once; the server sees it."""
        self.reusable = False
        if not self.closed and self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self.busy or self.done:
            # Bytes that nobody asked for: what they belong to cannot be known.
            self.cut()
            return
        try:
            if not self.status:
                rest = self._take_head(data)
                if rest is None:
                    return
                data = rest
            self._take(data)
        except (MalformedError, TooLongError) as error:
            self._fail(error)
            return
        if self.done:
            self._wake()
            return
        patience = self._patience
        if patience is not None:
            self._heard = True
            self._watch(min(patience.deadline, self._loop.time() + patience.stall_seconds))
        if not self._whole:
            self._wake()

    def eof_received(self) -> bool:
        # Its end is told a round of the event loop later; nobody may write into it until then.
        self.reusable = False
        if self.busy and self.status and not self.done and self._left == _UNTIL_END:
            self.done = True
            self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self.reusable = False
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self.busy and not self.done:
            self._fail(CutError(str(exc) if exc else "the server closed the connection"))

    # How an answer is read.

    def _take_head(self, data: bytes) -> bytes | None:
        """Return what follows the head, or None while it is incomplete."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        while True:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                if len(data) > MAX_HEAD_BYTES or not data.startswith(b"HTTP/1."[: len(data)]):
                    raise MalformedError("the answer does not begin as HTTP/1.1 does")
                self._rest = data
                return None
            head = data[:end]
            if not head.startswith(b"HTTP/1.") or not head[9:12].isdigit():
                raise MalformedError("the answer does not begin as HTTP/1.1 does")
            status = int(head[9:12])
            data = data[end + 4 :]
            if status >= 200:
                break
            if status == 101:
                raise MalformedError("the server changes the protocol")
        self.head = head
        self._frame(head, status)
        self.status = status
        return data

    def _frame(self, head: bytes, status: int) -> None:
        """Find out how the body ends (RFC 9112, section 6.3)."""
        low = head.lower()
        self._chunks = self._inflater = None
        if low.startswith(b"http/1.0"):
            self.reusable = b"\r\nconnection: keep-alive" in low
        elif b"\r\nconnection:" in low and "close" in header(low, "connection"):
            self.reusable = False
        if b"\r\ncontent-encoding:" in low:
            encoding = header(low, "content-encoding")
            if encoding not in {"", "identity"}:
                self._inflater = Inflater(encoding)
        if b"\r\ntransfer-encoding:" in low:
            if header(low, "transfer-encoding") != "chunked":
                raise MalformedError("the answer comes in a transfer coding we do not know")
            self._left = _IN_CHUNKS
            self._chunks = Unchunker()
            return
        at = low.find(b"\r\ncontent-length:")
        if status in {204, 304}:
            self._left = 0
        elif at < 0:
            self._left = _UNTIL_END
            self.reusable = False
        else:
            end = low.find(b"\r\n", at + 17)
            length = low[at + 17 : end if end >= 0 else len(low)].strip()
            if not length.isdigit() or len(length) > 15:
                raise MalformedError("the answer gives no readable length")
            if low.find(b"\r\ncontent-length:", at + 17) >= 0:
                raise MalformedError("the answer gives its length twice")
            self._left = int(length)

    def _take(self, data: bytes) -> None:
        if self._left >= 0:
            if len(data) > self._left:
                data = data[: self._left]
                self.reusable = False
            self._left -= len(data)
            self.done = self._left == 0
        elif self._chunks is not None:
            data = self._chunks.feed(data)
            self.done = self._chunks.done
            if self._chunks.excess:
                self.reusable = False
        if self._inflater is not None and data:
            data = self._inflater.feed(data, self._limit)
        if not data:
            return
        self._pieces.append(data)
        self._size += len(data)
        if self._whole:
            if self._size > self._limit:
                raise TooLongError(f"more than {self._limit} bytes")
        elif self._size > MAX_UNREAD_BYTES and not self.done and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    # How a reader waits, and for how long.

    async def _wait(self) -> None:
        if self._failure is not None:
            raise self._failure
        waiter = self._waiter = self._loop.create_future()
        await waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _fail(self, error: Exception) -> None:
        """Tell the reader, now or at its next read, and cut the connection."""
        if self._failure is None:
            self._failure = error
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(self._failure)
        self.cut()

    def _watch(self, until: float) -> None:
        self._until = until
        if self._alarm is None or until < self._alarm_at:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm_at = until
            self._alarm = self._loop.call_at(until, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        if self.closed:
            return
        now = self._loop.time()
        patience = self._patience
        if patience is None or not self.busy or self.done:
            self._idle(now)
        elif now < self._until - _TICK_SECONDS:
            self._watch(self._until)
        elif now >= patience.deadline - _TICK_SECONDS:
            self._fail(DeadlineError(sent=True))
        elif self._pieces and not self._whole:
            # It is the reader who is slow, not the server.
            self._watch(min(patience.deadline, now + patience.stall_seconds))
        else:
            seconds = patience.stall_seconds if self._heard else patience.first_byte_seconds
            self._fail(SilentError(seconds))

    def _idle(self, now: float) -> None:
        if self.busy:
            return
        if now - self.idle_since >= KEEP_ALIVE_SECONDS - _TICK_SECONDS:
            self.cut()
        else:
            self._watch(self.idle_since + KEEP_ALIVE_SECONDS)
