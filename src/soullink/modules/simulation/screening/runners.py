"""Where blocks are lived: in threads of this process, or (remote.py) on a Ray cluster."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from soullink.modules.simulation.domain.screening import Block, BlockNumbers, ScreeningEngine
from soullink.modules.simulation.screening.engines import Plan


class Runner(Protocol):
    """Lives blocks, `width` of them at once."""

    @property
    def width(self) -> int:
        """Return how many blocks it wants to have under way."""
        ...

    async def run(self, block: Block) -> BlockNumbers:
        """Return what came of the block. Raises UnavailableError."""
        ...


@dataclass(frozen=True, slots=True)
class LocalRunner(Runner):
    """Threads of this process, one block each."""

    engine: ScreeningEngine
    pool: Executor
    width: int

    async def run(self, block: Block) -> BlockNumbers:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.pool, self.engine.screen_block, block)


@asynccontextmanager
async def in_threads(plan: Plan, threads: int) -> AsyncIterator[Runner]:
    """Yield a runner in this process. A block under way when it closes is lived to its end."""
    with ThreadPoolExecutor(threads, "screening") as pool:
        yield LocalRunner(plan.engine(), pool, threads)
