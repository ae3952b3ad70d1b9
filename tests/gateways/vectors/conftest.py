"""Every way to keep vectors, as something that can be opened, closed and opened again."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
import pytest
from aiohttp.test_utils import TestServer

from soullink.gateways.postgres.database import Database, open_database
from soullink.gateways.vectors.fake import MemoryIndexes
from soullink.gateways.vectors.pgvector import PgvectorIndexes
from soullink.gateways.vectors.port import Collection, Rows, VectorIndexes
from soullink.gateways.vectors.qdrant import QdrantIndexes
from soullink.gateways.vectors.usearch_index import UsearchIndexes
from tests.gateways.vectors.qdrant_server import QdrantServer

DIMENSIONS = 16
LIKES = Collection("likes", DIMENSIONS, "test", "1")


def unit(seed: int, n: int = 1, dimensions: int = DIMENSIONS) -> Rows:
    rows = np.random.default_rng(seed).normal(size=(n, dimensions)).astype(np.float32)
    return (rows / np.linalg.norm(rows, axis=1)[:, None]).astype(np.float32)


@dataclass(frozen=True)
class Kept:
    """One way to keep vectors. files: every byte that is on disk for it now."""

    name: str
    open: Callable[[], Awaitable[VectorIndexes]]
    files: Callable[[], Awaitable[bytes]]
    durable: bool
    exact_ties: bool = True


@pytest.fixture(scope="session")
def vector_database_url(postgres_url: str, migrated_template: str) -> str:
    """A database for this worker whose tables come and go."""
    name = f"vectors_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    return postgres_url.replace("/soullink?", f"/{name}?")


@pytest.fixture
async def vector_database(vector_database_url: str) -> AsyncIterator[Database]:
    with psycopg.connect(vector_database_url, autocommit=True) as connection:
        connection.execute("TRUNCATE vector_collection CASCADE")
        connection.execute("DROP SCHEMA IF EXISTS soullink_vectors CASCADE")
    opened = open_database(vector_database_url)
    yield opened
    await opened.close()


def _relations(url: str, pattern: str) -> bytes:
    """The files of tables and indexes whose names are like `pattern`, written out."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        paths = connection.execute(
            "SELECT current_setting('data_directory') || '/' || pg_relation_filepath(c.oid)"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname || '.' || relname LIKE %s AND relkind IN ('r', 'i')",
            [pattern],
        ).fetchall()
    assert paths
    return b"".join(Path(path).read_bytes() for (path,) in paths)


def _folder(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@asynccontextmanager
async def keeping(name: str, database: Database, url: str, folder: Path) -> AsyncIterator[Kept]:
    async with AsyncExitStack() as stack:
        if name == "memory":
            fake = MemoryIndexes()

            async def same() -> VectorIndexes:
                return fake

            async def nothing() -> bytes:
                return b""

            yield Kept(name, same, nothing, durable=False)
            return
        if name == "qdrant":
            yield _local_qdrant()
            return
        if name == "qdrant-http":
            listening = await stack.enter_async_context(TestServer(QdrantServer().app()))
            yield _served_qdrant(str(listening.make_url("")).rstrip("/"), stack)
            return

        async def opened() -> VectorIndexes:
            indexes: VectorIndexes
            if name == "pgvector":
                indexes = PgvectorIndexes(database)
            else:
                indexes = UsearchIndexes(database, snapshots=folder)
            stack.push_async_callback(indexes.close)
            return indexes

        async def files() -> bytes:
            if name == "pgvector":
                return _relations(url, "soullink_vectors.%")
            return _relations(url, "public.%vector_entry%") + _folder(folder)

        yield Kept(name, opened, files, durable=True)


def _local_qdrant() -> Kept:
    """The client library's local mode: its own code, not the server's; it compares with all."""
    library = pytest.importorskip("qdrant_client")

    class StaysOpen(library.AsyncQdrantClient):  # type: ignore[misc, name-defined]
        async def close(self, *_: object, **__: object) -> None:
            """What is in memory is there for the next one."""

    client = StaysOpen(location=":memory:")

    async def opened() -> VectorIndexes:
        return QdrantIndexes(client=client)

    async def files() -> bytes:
        return b""

    return Kept("qdrant", opened, files, durable=False, exact_ties=False)


def _served_qdrant(url: str, stack: AsyncExitStack) -> Kept:
    """Our own small server: the client's REST over a real connection."""

    async def opened() -> VectorIndexes:
        indexes = QdrantIndexes(url)
        stack.push_async_callback(indexes.close)
        return indexes

    async def files() -> bytes:
        return b""

    return Kept("qdrant-http", opened, files, durable=True, exact_ties=False)


_QDRANT = [pytest.mark.qdrant, pytest.mark.filterwarnings("ignore:Local mode performs exact")]


@pytest.fixture(
    params=[
        "memory",
        "pgvector",
        "usearch",
        pytest.param("qdrant", marks=_QDRANT),
        pytest.param("qdrant-http", marks=_QDRANT),
    ],
)
async def kept(
    request: pytest.FixtureRequest,
    vector_database: Database,
    vector_database_url: str,
    tmp_path: Path,
) -> AsyncIterator[Kept]:
    folder = tmp_path / "kept"
    async with keeping(request.param, vector_database, vector_database_url, folder) as way:
        yield way
