"""A server that answers with exactly the bytes it is given, cut where it is told."""

import asyncio
from typing import Self


class ReplayServer:
    """Answers each request with the next of `answers`: pieces of bytes, sent one by one.

    None among the pieces closes the connection. accepted: connections so far.
    """

    def __init__(self, *answers: list[bytes | None]) -> None:
        self._answers = list(answers)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.StreamWriter] = set()
        self.requests: list[bytes] = []
        self.accepted = 0

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exception: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._tasks):
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._tasks.add(writer)
        try:
            while self._answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                for piece in self._answers.pop(0):
                    if piece is None:
                        return
                    writer.write(piece)
                    await writer.drain()
                    # One packet each.
                    await asyncio.sleep(0.001)
            await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._tasks.discard(writer)
            writer.close()
