"""A provider on loopback for commands that run in this process or in one of their own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.gateways.llm.server import ScriptedOpenAiServer


@contextmanager
def provider(words: str = "Good morning to you.") -> Iterator[ScriptedOpenAiServer]:
    """Serve a provider that always says `words`, in a thread, while the block runs."""
    server = ScriptedOpenAiServer(lambda _: words)
    loop = asyncio.new_event_loop()
    ready, done = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with server:
            ready.set()
            await done.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield server
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()
