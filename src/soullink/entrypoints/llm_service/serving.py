"""Serves an application until it is told to stop, and lets the calls in flight end."""

import asyncio
import logging
import socket
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

GRACE_SECONDS: Final = 30.0
_KEEPALIVE_SECONDS: Final = 75.0
_BACKLOG: Final = 1024


class _NoWords(logging.Filter):
    """Takes what could not be read of a request out of the log: it may be somebody's key."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.msg = f"{record.msg}: {type(error).__name__}"
            record.exc_info = record.exc_text = None
        return True


_log: Final = logging.getLogger("soullink.llm_service.http")
_log.addFilter(_NoWords())


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
        logger=_log,
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
