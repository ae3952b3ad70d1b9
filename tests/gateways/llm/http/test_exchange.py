"""HTTP/1.1 as servers speak it and as they break it, byte for byte."""

import asyncio
import gzip
import itertools
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from soullink.gateways.llm.http import connection as connections
from soullink.gateways.llm.http.chunked import Unchunker
from soullink.gateways.llm.http.faults import (
    CutError,
    DeadlineError,
    HttpError,
    MalformedError,
    NotReachedError,
    SilentError,
    TooLongError,
)
from soullink.gateways.llm.http.pool import DirectPool
from soullink.gateways.llm.http.port import Answer, Patience, Pool, header
from tests.gateways.llm.http.servers import ReplayServer

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Length: 5\r\nX-One: 1\r\n\r\nhello"
CHUNKS = b"5;ext=1\r\nhello\r\n1\r\n \r\nA\r\nworld, you\r\n0\r\nTrailer: x\r\n\r\n"
LIMIT = 1000


def patience(seconds: float = 5.0, first: float = 60.0, stall: float = 60.0) -> Patience:
    return Patience(asyncio.get_running_loop().time() + seconds, first, stall)


def pool(server: ReplayServer, count: int = 8) -> DirectPool:
    return DirectPool(URL(f"http://127.0.0.1:{server.port}/v1/"), {"X-Key": "k"}, connections=count)


async def ask(opened: Pool, body: bytes = b"{}", **waits: float) -> Answer:
    return await opened.ask("/chat", {}, body, patience(**waits), LIMIT)


async def read(opened: Pool) -> bytes:
    incoming = await opened.open("/chat", {}, b"{}", patience())
    try:
        body = b""
        while piece := await incoming.piece():
            body += piece
        return body
    finally:
        incoming.close()


BODIES: dict[str, tuple[list[bytes | None], bytes]] = {
    "length": ([WHOLE], b"hello"),
    "length in pieces": ([OK, b"content-length:  5 \r\n\r", b"\nhe", b"llo"], b"hello"),
    "nothing": ([OK + b"Content-Length: 0\r\n\r\n"], b""),
    "chunks": ([OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS], b"hello world, you"),
    "until the end": ([OK + b"\r\nhel", b"lo", None], b"hello"),
    "HTTP/1.0": ([b"HTTP/1.0 200 OK\r\n\r\nhello", None], b"hello"),
    "no reason": ([b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi"], b"hi"),
    "continue first": ([b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE], b"hello"),
    "gzip": (
        [OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
         % (len(gzip.compress(b"hello")), gzip.compress(b"hello"))],
        b"hello",
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", [read, lambda p: _body(ask(p))], ids=["open", "ask"])
@pytest.mark.parametrize(("pieces", "body"), BODIES.values(), ids=BODIES.keys())
async def test_a_body_ends_where_its_head_says(
    pieces: list[bytes | None], body: bytes, way: Callable[[Pool], object]
) -> None:
    async with ReplayServer(pieces) as server:
        opened = pool(server)
        assert await way(opened) == body  # type: ignore[misc]
        await opened.close()


async def _body(asking: object) -> bytes:
    return (await asking).body  # type: ignore[misc,no-any-return]


@given(st.lists(st.integers(0, len(CHUNKS)), max_size=10))
@settings(deadline=None)
def test_chunks_are_the_same_wherever_they_are_cut(places: list[int]) -> None:
    unchunker = Unchunker()
    edges = [0, *sorted(places), len(CHUNKS)]
    body = b"".join(unchunker.feed(CHUNKS[a:b]) for a, b in itertools.pairwise(edges))
    assert body == b"hello world, you"
    assert unchunker.done
    assert not unchunker.excess


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_chunks_that_are_none_are_malformed_or_unfinished_and_nothing_else(data: bytes) -> None:
    unchunker = Unchunker()
    try:
        unchunker.feed(data)
    except MalformedError:
        return
    assert not unchunker.done or b"0" in data


BROKEN: dict[str, tuple[list[bytes | None], type[HttpError]]] = {
    "no HTTP": ([b"SSH-2.0-OpenSSH_9\r\n"], MalformedError),
    "no status": ([b"HTTP/1.1 abc\r\n\r\n"], MalformedError),
    "other protocol": ([b"HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n"], MalformedError),
    "endless head": ([OK + b"X: " + b"y" * 70_000], MalformedError),
    "bad length": ([OK + b"Content-Length: 5x\r\n\r\nhello"], MalformedError),
    "two lengths": ([OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"], MalformedError),
    "bad chunk": ([OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"], MalformedError),
    "open chunk": ([OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabcd"], MalformedError),
    "odd coding": ([OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n"], MalformedError),
    "odd encoding": ([OK + b"Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx"], MalformedError),
    "false gzip": (
        [OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nxxxx"],
        MalformedError,
    ),
    "closed at once": ([None], CutError),
    "closed in the head": ([OK, None], CutError),
    "closed in the body": ([WHOLE[:-2], None], CutError),
    "closed in a chunk": ([OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe", None], CutError),
}


@pytest.mark.parametrize("way", [read, ask], ids=["open", "ask"])
@pytest.mark.parametrize(("pieces", "kind"), BROKEN.values(), ids=BROKEN.keys())
async def test_what_is_no_answer_is_told_apart_and_its_connection_is_not_used_again(
    pieces: list[bytes | None], kind: type[HttpError], way: Callable[[Pool], object]
) -> None:
    async with ReplayServer(pieces, [WHOLE]) as server:
        opened = pool(server)
        with pytest.raises(kind) as caught:
            await way(opened)  # type: ignore[misc]
        assert caught.value.sent
        assert (await ask(opened)).body == b"hello"
        assert server.accepted == 2
        await opened.close()


@pytest.mark.parametrize(
    "pieces",
    [
        [OK + b"Content-Length: 2000\r\n\r\n" + b"x" * 2000],
        [OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"5dc\r\n" + b"x" * 1500],
        [OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 100_000)],
    ],
)
async def test_an_answer_past_the_limit_is_cut_off(pieces: list[bytes | None]) -> None:
    async with ReplayServer(pieces) as server:
        opened = pool(server)
        with pytest.raises(TooLongError):
            await ask(opened)
        await opened.close()


async def test_a_request_is_written_as_http_asks_for() -> None:
    async with ReplayServer([WHOLE]) as server:
        opened, port = pool(server), server.port
        answer = await opened.ask("/chat?a=1", {"X-More": "m"}, b'{"a": 1}', patience(), LIMIT)
        await opened.close()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /v1/chat?a=1 HTTP/1.1",
        b"Host: 127.0.0.1:%d" % port,
        b"X-Key: k",
        b"Content-Length: 8",
        b"X-More: m",
    ]
    assert body == b'{"a": 1}'
    assert (answer.status, answer.header("x-one"), answer.header("x-two")) == (200, "1", "")


def test_a_header_is_found_by_its_whole_name_in_any_case() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Retry-After: 1\r\nRETRY-AFTER:  7 \r\nLast: x"
    assert header(head, "Retry-After") == "7"
    assert header(head, "last") == "x"
    assert header(head, "After") == ""


async def test_connections_are_used_again_until_the_server_closes_them() -> None:
    closing = OK + b"Connection: close\r\nContent-Length: 1\r\n\r\nx"
    async with ReplayServer([WHOLE], [WHOLE], [closing], [WHOLE], [WHOLE, None], [WHOLE]) as server:
        opened = pool(server)
        for _ in range(5):
            await ask(opened)
        assert server.accepted == 2
        await asyncio.sleep(0.02)  # the server has closed the idle connection by now
        assert (await ask(opened)).body == b"hello"
        assert server.accepted == 3
        await opened.close()


async def test_bytes_after_an_answer_are_never_taken_for_the_next_one() -> None:
    async with ReplayServer([WHOLE + b"HTTP/1.1 200 OK\r\nevil"], [WHOLE]) as server:
        opened = pool(server)
        assert (await ask(opened)).body == b"hello"
        assert (await ask(opened)).body == b"hello"
        assert server.accepted == 2
        await opened.close()


async def test_a_connection_whose_end_is_announced_carries_nothing_more() -> None:
    async with ReplayServer([WHOLE], [WHOLE]) as server:
        opened = pool(server)
        await ask(opened)
        # As the event loop does, one round before it says that the connection is lost.
        opened._idle[0].eof_received()
        assert (await ask(opened)).body == b"hello"
        assert server.accepted == 2
        await opened.close()


async def test_what_a_server_left_unread_of_a_request_is_never_read_as_another_one() -> None:
    serving: list[asyncio.Task[Any] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer at the first bytes, and every line of the rest as if it were a request."""
        serving.append(asyncio.current_task())
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(WHOLE)
            while True:
                if b"EVIL" in await reader.readuntil(b"\r\n\r\n"):
                    writer.write(OK + b"Content-Length: 4\r\n\r\nevil")
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 25)
    opened = DirectPool(
        URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), {}, connections=2
    )
    body = b"x" * (1 << 24) + b"POST /EVIL HTTP/1.1\r\n\r\n"
    assert (await ask(opened, body)).body == b"hello"
    assert (await ask(opened)).body == b"hello"
    assert len(serving) == 2
    await opened.close()
    await asyncio.gather(*(task for task in serving if task))
    server.close()
    await server.wait_closed()


async def test_an_idle_connection_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "KEEP_ALIVE_SECONDS", 0.05)
    async with ReplayServer([WHOLE], [WHOLE]) as server:
        opened = pool(server)
        await ask(opened, seconds=0.1)
        await asyncio.sleep(0.15)
        await ask(opened)
        assert server.accepted == 2
        await opened.close()


async def test_calls_beyond_the_connections_wait_their_turn_in_order() -> None:
    async with ReplayServer(*([[WHOLE]] * 6)) as server:
        opened = pool(server, count=1)
        order: list[int] = []

        async def one(number: int) -> None:
            await ask(opened, b"%d" % number)
            order.append(number)

        await asyncio.gather(*(one(number) for number in range(6)))
        await opened.close()
    assert order == list(range(6))
    assert server.accepted == 1


async def test_a_call_that_is_cancelled_or_late_in_the_queue_takes_nobodys_turn() -> None:
    async with ReplayServer([b"HTTP/1.1 200 OK\r\n"], [WHOLE], [WHOLE]) as server:
        opened = pool(server, count=1)
        first = asyncio.create_task(ask(opened))
        await asyncio.sleep(0.02)
        with pytest.raises(DeadlineError) as caught:
            await ask(opened, seconds=0.03)
        assert not caught.value.sent
        second = asyncio.create_task(ask(opened))
        third = asyncio.create_task(ask(opened))
        await asyncio.sleep(0)
        second.cancel()
        first.cancel()
        assert (await third).body == b"hello"
        assert (await ask(opened)).body == b"hello"
        results = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError] * 2
        await opened.close()


async def test_closing_ends_calls_in_flight_and_in_the_queue() -> None:
    async with ReplayServer([OK], [WHOLE]) as server:
        opened = pool(server, count=1)
        flying = asyncio.create_task(ask(opened))
        await asyncio.sleep(0.02)
        queued = asyncio.create_task(ask(opened))
        await asyncio.sleep(0)
        await opened.close()
        results = await asyncio.gather(flying, queued, return_exceptions=True)
    assert [type(result) for result in results] == [CutError, NotReachedError]


async def test_silence_and_lateness_are_told_apart() -> None:
    half: list[bytes | None] = [OK + b"Content-Length: 9\r\n\r\nhalf"]
    async with ReplayServer([b""], half, [b""]) as server:
        opened = pool(server)
        with pytest.raises(SilentError) as caught:
            await ask(opened, first=0.05)
        assert caught.value.seconds == 0.05
        with pytest.raises(SilentError) as caught:
            await ask(opened, stall=0.07)
        assert caught.value.seconds == 0.07
        with pytest.raises(DeadlineError) as late:
            await ask(opened, seconds=0.06)
        assert late.value.sent
        await opened.close()


async def test_a_stream_that_nobody_reads_does_not_fill_the_memory() -> None:
    size = 8 * connections.MAX_UNREAD_BYTES
    flood: list[bytes | None] = [OK + b"Content-Length: %d\r\n\r\n" % size]
    flood += [b"x" * 65536] * (size // 65536)
    async with ReplayServer(flood) as server:
        opened = pool(server)
        incoming = await opened.open("/", {}, b"", patience())
        await asyncio.sleep(0.2)
        held = incoming._connection._size  # type: ignore[attr-defined]
        total = 0
        while piece := await incoming.piece():
            total += len(piece)
        incoming.close()
        await opened.close()
    assert held < 2 * connections.MAX_UNREAD_BYTES
    assert total == size


async def test_a_host_without_a_server_or_a_name_is_not_reached() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}", "http://nobody.invalid", "https://nobody.invalid"):
            opened = DirectPool(URL(url), {}, connections=2)
            with pytest.raises(NotReachedError) as caught:
                await ask(opened)
            assert not caught.value.sent
            await opened.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_tls_is_spoken_and_a_certificate_that_nobody_vouches_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(  # noqa: ASYNC221 - nothing else runs yet
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(WHOLE)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "localhost", 0, ssl=context)
    url = URL(f"https://localhost:{server.sockets[0].getsockname()[1]}")
    stranger = DirectPool(url, {}, connections=2)
    with pytest.raises(NotReachedError, match="not trusted"):
        await ask(stranger)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    friend = DirectPool(url, {}, connections=2)
    assert (await ask(friend)).body == b"hello"
    await friend.close()
    await stranger.close()
    server.close()
    await server.wait_closed()
