"""One HTTP exchange: a POST and its answer, whole or piece by piece."""

import zlib
from collections.abc import Mapping
from typing import Protocol

import msgspec

from soullink.gateways.llm.http.faults import MalformedError, TooLongError

CONNECT_SECONDS = 15.0
"""How long a connection may take to come about."""


class Patience(msgspec.Struct, frozen=True, gc=False):
    """How long a server may take. deadline: a point on the event loop's clock.

    first_byte_seconds: silence before the answer begins. stall_seconds: silence within it.
    """

    deadline: float
    first_byte_seconds: float
    stall_seconds: float


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A whole answer. head: status line and header fields as they came."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """Return the value of the field `name`, empty where it is missing."""
        return header(self.head, name)


class Incoming(Protocol):
    """An answer that is still coming; close it, read to its end or not."""

    @property
    def status(self) -> int: ...

    def header(self, name: str) -> str:
        """Return the value of the field `name`, empty where it is missing."""
        ...

    async def piece(self) -> bytes:
        """Return the next bytes, none at the end."""
        ...

    def close(self) -> None:
        """Let go; the connection is cut unless the answer has ended."""
        ...


class Pool(Protocol):
    """Connections to one server. Every method raises HttpError for what the server does."""

    async def ask(
        self, path: str, extra: Mapping[str, str], body: bytes, patience: Patience, limit: int
    ) -> Answer:
        """Return the whole answer. Raises TooLongError past `limit` bytes."""
        ...

    async def open(
        self, path: str, extra: Mapping[str, str], body: bytes, patience: Patience
    ) -> Incoming:
        """Return the answer once its head is here."""
        ...

    async def close(self) -> None:
        """Cut every connection."""
        ...


def header(head: bytes, name: str) -> str:
    """Return the first value of the field `name` in `head`, empty where it is missing."""
    start = head.lower().find(b"\r\n" + name.lower().encode() + b":")
    if start < 0:
        return ""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else len(head)].strip().decode("latin-1")


class Inflater:
    """Undoes gzip and deflate, for servers that compress unasked."""

    def __init__(self, encoding: str) -> None:
        if encoding.lower() not in {"gzip", "x-gzip", "deflate"}:
            raise MalformedError(f"the answer is encoded as {encoding!r}")
        # 32 + 15: the header tells which of the two it is.
        self._stream = zlib.decompressobj(47)

    def feed(self, data: bytes, limit: int) -> bytes:
        """Return what `data` becomes. Raises TooLongError past `limit` bytes."""
        try:
            plain = self._stream.decompress(data, limit + 1)
        except zlib.error as error:
            raise MalformedError(f"the answer cannot be decompressed: {error}") from error
        if len(plain) > limit:
            raise TooLongError(f"more than {limit} bytes")
        return plain
