"""Serves an application until it is told to stop, and lets the calls in flight end."""

import asyncio
import socket
from dataclasses import dataclass
from typing import Final

from aiohttp import web

GRACE_SECONDS: Final = 30.0
_KEEPALIVE_SECONDS: Final = 75.0
_BACKLOG: Final = 1024


@dataclass(slots=True)
class Server:
    """A running service."""

    runner: web.AppRunner

    async def stop(self) -> None:
        """Stop accepting, wait for calls in flight as long as was agreed, cancel the rest."""
        await self.runner.cleanup()


async def start_server(
    application: web.Application, listening: socket.socket, grace_seconds: float = GRACE_SECONDS
) -> Server:
    """Serve `application` on a bound socket, which the server closes in the end."""
    runner = web.AppRunner(
        application,
        handler_cancellation=True,
        access_log=None,
        shutdown_timeout=grace_seconds,
        keepalive_timeout=_KEEPALIVE_SECONDS,
    )
    await runner.setup()
    await web.SockSite(runner, listening, backlog=_BACKLOG).start()
    return Server(runner)


async def serve_until(
    stopping: asyncio.Event,
    application: web.Application,
    listening: socket.socket,
    grace_seconds: float = GRACE_SECONDS,
) -> None:
    """Serve until `stopping` is set, then end in order."""
    server = await start_server(application, listening, grace_seconds)
    try:
        await stopping.wait()
    finally:
        await server.stop()
