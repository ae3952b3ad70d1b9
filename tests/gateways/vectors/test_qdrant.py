"""What goes over the wire to Qdrant, and what its failures mean (make test-qdrant)."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from soullink.bootstrap import build_vectors
from soullink.gateways.postgres.database import Database
from soullink.gateways.vectors.port import OtherEmbedderError, VectorsUnavailableError
from soullink.gateways.vectors.qdrant import QdrantIndexes
from soullink.settings import VectorSettings
from tests.gateways.vectors.conftest import LIKES, unit
from tests.gateways.vectors.qdrant_server import QdrantServer

pytestmark = [pytest.mark.anyio, pytest.mark.qdrant]


@pytest.fixture
def server() -> QdrantServer:
    return QdrantServer()


@pytest.fixture
async def url(server: QdrantServer) -> AsyncIterator[str]:
    async with TestServer(server.app()) as listening:
        yield str(listening.make_url("")).rstrip("/")


async def test_what_is_sent(server: QdrantServer, url: str) -> None:
    indexes = QdrantIndexes(url, candidates=77)
    index = await indexes.open(LIKES)
    await index.upsert(["李雷"], unit(1))
    await index.search(unit(1)[0], 3, only=["李雷"])
    made = next(sent for method, _, sent in server.asked if method == "PUT")
    assert made["vectors"] == {"size": 16, "distance": "Cosine"}
    assert made["metadata"] == {"name": "likes", "model": "test", "version": "1"}
    assert made["optimizers_config"]["deleted_threshold"] == 0.01
    _, path, put = next(one for one in server.asked if "points" in one[1])
    assert path.endswith("/points?wait=true")
    assert put["batch"]["payloads"] == [{"id": "李雷"}]
    (point,) = put["batch"]["ids"]
    asked = server.asked[-1][2]
    assert asked["filter"] == {"must": [{"has_id": [point]}]}
    assert asked["params"]["hnsw_ef"] == 77
    assert (asked["limit"], asked["with_payload"]) == (3, ["id"])
    await index.delete(["李雷"])
    assert server.asked[-1][2] == {"points": [point]}
    await indexes.close()


async def test_collections_of_others_are_left_alone(server: QdrantServer, url: str) -> None:
    server.collections["theirs"] = {}
    server.collections["soullink_likes__zzz"] = {}
    indexes = QdrantIndexes(url)
    await indexes.open(LIKES)
    assert await indexes.collections() == [LIKES]
    await indexes.forget(["a"])
    await indexes.drop("likes")
    assert sorted(server.collections) == ["soullink_likes__zzz", "theirs"]
    await indexes.close()


async def test_making_a_collection_at_once_does_no_harm(server: QdrantServer, url: str) -> None:
    several = [QdrantIndexes(url) for _ in range(4)]
    await asyncio.gather(*(indexes.open(LIKES) for indexes in several))
    assert len(server.collections) == 1
    for indexes in several:
        await indexes.close()


async def test_a_key_that_is_not_accepted(database: Database) -> None:
    server = QdrantServer(key="right")
    async with TestServer(server.app()) as listening:
        url = str(listening.make_url("")).rstrip("/")
        asked = VectorSettings("qdrant", qdrant_url=url)
        indexes = build_vectors(asked, database)
        with pytest.raises(VectorsUnavailableError, match="set SOULLINK_QDRANT_API_KEY"):
            await indexes.open(LIKES)
        await indexes.close()
        with pytest.warns(UserWarning, match="insecure"):
            keyed = build_vectors(
                VectorSettings("qdrant", qdrant_url=url, qdrant_key="right"), database
            )
        assert await (await keyed.open(LIKES)).count() == 0
        await keyed.close()


async def test_a_failing_server(server: QdrantServer, url: str) -> None:
    indexes = QdrantIndexes(url)
    index = await indexes.open(LIKES)
    server.failing = "Service internal error: disk full"
    for doing in (
        index.upsert(["a"], unit(1)),
        index.search(unit(1)[0], 1),
        index.delete(["a"]),
        index.count(),
        indexes.forget(["a"]),
    ):
        with pytest.raises(VectorsUnavailableError, match="disk full"):
            await doing
    await indexes.close()


async def test_a_server_that_is_not_there() -> None:
    for indexes in (
        QdrantIndexes("http://127.0.0.1:9"),
        QdrantIndexes("http://127.0.0.1:9", grpc=True, timeout_seconds=1),
    ):
        with pytest.raises(VectorsUnavailableError, match=r"127\.0\.0\.1:9"):
            await indexes.open(LIKES)
        await indexes.close()


async def test_a_server_that_never_answers() -> None:
    async def asleep(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    app = web.Application()
    app.add_routes([web.route("*", "/{path:.*}", asleep)])
    async with TestServer(app) as listening:
        indexes = QdrantIndexes(str(listening.make_url("")).rstrip("/"), timeout_seconds=1)
        with pytest.raises(VectorsUnavailableError, match="does not answer"):
            await indexes.open(LIKES)
        await indexes.close()


async def test_a_server_that_is_too_old_to_say_who_made_the_vectors() -> None:
    server = QdrantServer(metadata=False)
    async with TestServer(server.app()) as listening:
        indexes = QdrantIndexes(str(listening.make_url("")).rstrip("/"))
        await indexes.open(LIKES)
        with pytest.raises(VectorsUnavailableError, match=r"1\.16 or newer"):
            await indexes.open(LIKES)
        await indexes.close()


@pytest.mark.filterwarnings("ignore:Local mode")
async def test_the_local_mode_keeps_files(tmp_path: Path) -> None:
    library = pytest.importorskip("qdrant_client")
    folder = str(tmp_path / "kept")
    first = QdrantIndexes(client=library.AsyncQdrantClient(path=folder))
    await (await first.open(LIKES)).upsert(["a", "b"], unit(1, 2))
    await (await first.open(LIKES)).delete(["a"])
    await first.close()
    second = QdrantIndexes(client=library.AsyncQdrantClient(path=folder))
    assert [one.id for one in await (await second.open(LIKES)).search(unit(1)[0], 5)] == ["b"]
    changed = type(LIKES)("likes", 16, "test", "2")
    with pytest.raises(OtherEmbedderError):
        await second.open(changed)
    await second.close()


@pytest.fixture
def without_qdrant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qdrant_client", None)


@pytest.mark.usefixtures("without_qdrant")
async def test_without_the_extra_it_says_what_to_do() -> None:
    with pytest.raises(VectorsUnavailableError, match=r"pip install 'soullink\[qdrant\]'"):
        QdrantIndexes("http://localhost:6333")
