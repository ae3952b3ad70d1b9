"""Screening on Ray: a local cluster of two workers, the same bytes, and a worker killed midway."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from soullink.kernel.errors import UnavailableError
from soullink.modules.simulation.domain import fast
from soullink.modules.simulation.screening import remote, service
from soullink.modules.simulation.screening.api import EngineName, ScreeningProgress
from tests.simulation.screening.populations import QUICK, a_population, a_service

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.ray,
    pytest.mark.skipif(find_spec("ray") is None, reason="needs the ray extra (make test-ray)"),
]
PEOPLE = a_population(14)  # 91 pairs
ON_RAY = replace(QUICK, ray="", threads=2)


@pytest.fixture(autouse=True)
def _several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "FIRST_BLOCK", 8)
    monkeypatch.setattr(service, "LARGEST_BLOCK", 8)


def _workers() -> list[psutil.Process]:
    """Return this process's Ray workers that live a block."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if "ray::screen_block" in " ".join(process.cmdline())
    ]


@pytest.mark.parametrize("engine", ["numpy", "numba"])
async def test_a_cluster_gives_the_same_bytes_and_closes(
    tmp_path: Path, engine: EngineName
) -> None:
    if engine == "numba" and not fast.available():
        pytest.skip("needs numba (the extra fast)")
    here, there = replace(QUICK, engine=engine), replace(ON_RAY, engine=engine)
    plain = await a_service().screen(PEOPLE, PEOPLE, here, tmp_path / "plain.parquet")
    spread = await a_service().screen(PEOPLE, PEOPLE, there, tmp_path / "ray.parquet")
    assert spread.engine == engine
    assert spread.progress.resumed == 0
    assert spread.path.read_bytes() == plain.path.read_bytes()
    assert not sys.modules["ray"].is_initialized()


async def test_a_cluster_of_our_own_is_not_open_to_the_network(tmp_path: Path) -> None:
    listening: set[str] = set()

    def watch(_: ScreeningProgress) -> None:
        me = psutil.Process()
        listening.update(
            connection.laddr.ip.removeprefix("::ffff:")
            for process in (me, *me.children(recursive=True))
            for connection in process.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN
        )

    await a_service().screen(PEOPLE[:1], PEOPLE, ON_RAY, tmp_path / "out.parquet", watch=watch)
    assert listening == {"127.0.0.1"}


async def test_a_killed_worker_loses_nothing(tmp_path: Path) -> None:
    """Workers are killed one after another while they live a block."""
    settings = replace(QUICK, replicas=24)
    plain = await a_service().screen(PEOPLE, PEOPLE, settings, tmp_path / "plain.parquet")
    killed: list[int] = []
    over = asyncio.Event()

    async def kill() -> None:
        while not over.is_set() and len(killed) < 3:
            for worker in _workers()[:1]:
                if worker.pid not in killed:
                    os.kill(worker.pid, signal.SIGKILL)
                    killed.append(worker.pid)
            await asyncio.sleep(0.2)

    hunt = asyncio.ensure_future(kill())
    done = await a_service().screen(
        PEOPLE, PEOPLE, replace(settings, ray="", threads=2), tmp_path / "ray.parquet"
    )
    over.set()
    await hunt
    assert len(killed) >= 2
    assert done.path.read_bytes() == plain.path.read_bytes()


async def test_what_was_begun_here_goes_on_there(tmp_path: Path) -> None:
    plain = await a_service().screen(PEOPLE, PEOPLE, QUICK, tmp_path / "plain.parquet")
    out = tmp_path / "out.parquet"
    something = asyncio.Event()

    def watch(progress: ScreeningProgress) -> None:
        if progress.done:
            something.set()

    work = asyncio.ensure_future(a_service().screen(PEOPLE, PEOPLE, QUICK, out, watch=watch))
    await something.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    done = await a_service().screen(PEOPLE, PEOPLE, ON_RAY, out)
    assert 0 < done.progress.resumed < done.pairs
    assert done.path.read_bytes() == plain.path.read_bytes()


@pytest.fixture
async def cluster() -> AsyncIterator[Any]:
    """A cluster that somebody else has started."""
    ray = remote._ray()
    await asyncio.to_thread(
        lambda: ray.init(
            address="local",
            num_cpus=2,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            log_to_driver=False,
        )
    )
    yield ray
    await asyncio.to_thread(ray.shutdown)


async def test_a_cluster_of_somebody_else_is_left_running(tmp_path: Path, cluster: Any) -> None:
    await a_service().screen(PEOPLE[:2], PEOPLE, ON_RAY, tmp_path / "out.parquet")
    assert cluster.is_initialized()


async def test_a_worker_with_other_equations_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "DYNAMICS_VERSION", "0-somewhere-else")
    with pytest.raises(UnavailableError, match="same version of soullink everywhere"):
        await a_service().screen(PEOPLE, PEOPLE, ON_RAY, tmp_path / "out.parquet")


async def test_a_block_that_cannot_be_lived_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        os.abort()

    monkeypatch.setattr(remote, "screen_block", dies)
    monkeypatch.setattr(remote, "RETRIES", 0)
    with pytest.raises(UnavailableError, match="Ray could not live a block"):
        await a_service().screen(PEOPLE, PEOPLE, ON_RAY, tmp_path / "out.parquet")


async def test_nobody_at_the_address_is_one_sentence(tmp_path: Path) -> None:
    for address in ("127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1:port", "127.0.0.1:99999"):
        settings = replace(QUICK, ray=address)
        with pytest.raises(UnavailableError, match=f"no Ray cluster at {address}"):
            await a_service().screen(PEOPLE, PEOPLE, settings, tmp_path / "out.parquet")
