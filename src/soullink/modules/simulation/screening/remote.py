"""Blocks as tasks of a Ray cluster: chunks of pairs around the same engines.

A task of a killed worker is started again elsewhere. Which worker lives a block decides on
nothing, so the result is that of one process, bit for bit.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from soullink.kernel.errors import UnavailableError
from soullink.modules.simulation.domain import fast
from soullink.modules.simulation.domain.screening import Block, BlockNumbers, ScreeningEngine
from soullink.modules.simulation.domain.version import DYNAMICS_VERSION
from soullink.modules.simulation.screening.api import MissingExtraError
from soullink.modules.simulation.screening.engines import Plan
from soullink.modules.simulation.screening.runners import Runner

RETRIES: Final = 8
"""How often a block is started again because its worker died; a block of pairs whose worker dies
so often has another problem."""
_PATIENCE_SECONDS: Final = 10.0
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_WAITING: Final = 2
"""Blocks under way for each core, so that no worker waits for us."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The plan as tasks get it: a reference that each worker looks up once."""

    reference: Any
    dynamics: str


def screen_block(sent: list[Sent], block: Block) -> BlockNumbers | str:
    """Return what came of a block, or a sentence why this worker cannot live it.

    sent: one, in a list because Ray would fetch it for every task otherwise.
    """
    if sent[0].dynamics != _dynamics():
        return (
            f"A Ray worker has other equations ({_dynamics()}, here {sent[0].dynamics}); "
            "install the same version of soullink everywhere."
        )
    return _engine(sent[0].reference).screen_block(block)


def _dynamics() -> str:
    """Return which equations these are, and how they round."""
    return f"{DYNAMICS_VERSION}.{fast.ROUNDING}"


@lru_cache(maxsize=2)
def _engine(reference: Any) -> ScreeningEngine:
    plan: Plan = _ray().get(reference)
    return plan.engine()


def _ray() -> Any:
    """Return ray. Raises MissingExtraError."""
    try:
        import ray  # noqa: PLC0415  (an extra, and large)
    except ImportError as error:
        raise MissingExtraError(
            "The engine ray is not installed; install it with: pip install 'soullink[ray]'"
        ) from error
    return ray


@dataclass(frozen=True, slots=True)
class RayRunner(Runner):
    """Tasks of a cluster. task: the remote function; sent: what every task gets."""

    ray: Any
    task: Any
    sent: Sent
    width: int

    async def run(self, block: Block) -> BlockNumbers:
        reference = self.task.remote([self.sent], block)
        try:
            found: BlockNumbers | str = await reference
        except asyncio.CancelledError:
            self.ray.cancel(reference, force=True)
            raise
        except self.ray.exceptions.RayError as error:
            raise UnavailableError(
                f"Ray could not live a block of pairs ({_told(error)}); what was lived is kept, "
                "and the same command goes on."
            ) from error
        if isinstance(found, str):
            raise UnavailableError(found)
        return found


@asynccontextmanager
async def on_ray(plan: Plan, address: str, threads: int) -> AsyncIterator[Runner]:
    """Yield a runner on the cluster at `address`, "" for one of `threads` workers here.

    Raises MissingExtraError, UnavailableError when nobody is at `address`.
    """
    if not address:
        # Before the import, which reads it: Ray then listens on the loopback address alone, also
        # on Linux, instead of offering strangers on the network to run code.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is told to anybody
    ray = _ray()
    ours = not ray.is_initialized()
    if ours:
        await _look_for(address)
        # In a thread: Ray would take SIGTERM for itself in the main one.
        await asyncio.to_thread(_connect, ray, address, threads)
    try:
        reference = await asyncio.to_thread(ray.put, plan)
        task = ray.remote(num_cpus=1, max_retries=RETRIES)(screen_block)
        cores = max(int(ray.cluster_resources().get("CPU", 1)), 1)
        yield RayRunner(ray, task, Sent(reference, _dynamics()), cores * _WAITING)
    finally:
        if ours:
            await asyncio.to_thread(ray.shutdown)


async def _look_for(address: str) -> None:
    """See that somebody listens at HOST:PORT: Ray itself would try for minutes."""
    host, colon, port = address.rpartition("//")[2].rpartition(":")
    if not colon:
        return
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, ValueError, OverflowError, TimeoutError) as error:
        raise UnavailableError(
            f"There is no Ray cluster at {address}; start one with `ray start --head`, or leave "
            "--ray-address out."
        ) from error
    writer.close()


def _connect(ray: Any, address: str, threads: int) -> None:
    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(
                address="local",
                num_cpus=threads,
                include_dashboard=False,
                _node_ip_address="127.0.0.1",
                **quiet,
            )
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        where = f"at {address}" if address else "on this machine"
        raise UnavailableError(f"There is no Ray cluster {where}: {_told(error)}") from error


def _told(error: BaseException) -> str:
    """Return what an error of Ray comes down to: the last line, which names the cause."""
    lines = [line for line in _COLOURS.sub("", str(error)).splitlines() if line.strip()]
    return (lines[-1].strip() if lines else type(error).__name__)[:200]
