"""What is particular to vectors in PostgreSQL."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from soullink.gateways.postgres.database import Database, open_database
from soullink.gateways.postgres.schema import migrate
from soullink.gateways.vectors import pgvector
from soullink.gateways.vectors.pgvector import PgvectorIndex, PgvectorIndexes
from soullink.gateways.vectors.port import KeptElsewhereError, VectorsUnavailableError
from soullink.gateways.vectors.usearch_index import UsearchIndexes
from soullink.kernel.errors import UnavailableError
from tests.gateways.vectors.conftest import LIKES, unit

pytestmark = pytest.mark.anyio


async def large(database: Database) -> PgvectorIndex:
    index = await PgvectorIndexes(database).open(LIKES)
    await index.upsert([f"p{n}" for n in range(2_100)], unit(1, 2_100))
    return index


async def test_a_large_collection_is_searched_through_its_graph(vector_database: Database) -> None:
    index = await large(vector_database)
    asked = {"query": pgvector._as_text(unit(2)[0]), "k": 10}
    query = (
        f"EXPLAIN SELECT id, {index._distance} AS distance FROM {index._table}"  # noqa: S608 - our own names
        " ORDER BY distance, id LIMIT :k"
    )
    async with vector_database.work() as work:
        await work.session.execute(text(f"ANALYZE {index._table}"))
        await work.session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join((await work.session.execute(text(query), asked)).scalars())
    assert "_graph" in plan
    # Equal distances by id, without reading everything first.
    assert "Incremental Sort" in plan


async def test_many_ids_are_filtered_on_the_way(
    vector_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = await large(vector_database)
    rows = unit(1, 2_100)
    only = [f"p{n}" for n in range(0, 2_100, 3)]
    hits = 0
    for query in unit(3, 20):
        best = 3 * np.argsort(-(rows[::3] @ query))[:10]
        exact = [one.id for one in await index.search(query, 10, only=only)]
        assert exact == [f"p{n}" for n in best]
        with monkeypatch.context() as patched:
            patched.setattr(pgvector, "EXACT_UP_TO", 50)
            hits += len({one.id for one in await index.search(query, 10, only=only)} & set(exact))
            # Some are not there: all that are must come all the same.
            all_there = await index.search(query, 1_000, only=[*only, "nobody"])
            assert len(all_there) == 700
    assert hits >= 190


async def test_without_shared_memory_the_graph_is_made_by_one_process(
    vector_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[bool] = []
    real = PgvectorIndex._make_graph

    async def make(self: PgvectorIndex, rows: int, *, workers: bool) -> None:
        tried.append(workers)
        if workers:
            full: Any = SimpleNamespace(sqlstate="53100")
            cause = OperationalError("CREATE INDEX", None, full)
            raise UnavailableError("The database cannot take more.") from cause
        await real(self, rows, workers=workers)

    monkeypatch.setattr(PgvectorIndex, "_make_graph", make)
    index = await large(vector_database)
    assert tried == [True, False]
    await index.upsert(["one more"], unit(4))
    assert tried == [True, False]


async def test_another_failure_to_make_the_graph_is_told(
    vector_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def make(self: PgvectorIndex, rows: int, *, workers: bool) -> None:
        raise UnavailableError(f"gone while {self} made {rows}, {workers}")

    monkeypatch.setattr(PgvectorIndex, "_make_graph", make)
    with pytest.raises(UnavailableError, match="gone"):
        await large(vector_database)


async def test_few_and_many_are_written_alike(vector_database: Database) -> None:
    index = await PgvectorIndexes(vector_database).open(LIKES)
    rows = unit(5, 70)
    await index.upsert([f"many {n}" for n in range(70)], rows)
    for start in (0, 35):
        names = [f"few {n}" for n in range(start, start + 35)]
        await index.upsert(names, rows[start : start + 35])
    async with vector_database.work() as work:
        different = await work.session.execute(
            text(
                f"SELECT count(*) FROM {index._table} a JOIN {index._table} b"  # noqa: S608 - our own names
                " ON b.id = replace(a.id, 'few', 'many') AND b.vector <> a.vector"
            )
        )
    assert different.scalar_one() == 0


async def test_a_collection_is_kept_in_one_way(vector_database: Database) -> None:
    index = await PgvectorIndexes(vector_database).open(LIKES)
    await index.upsert(["a"], unit(1))
    other = UsearchIndexes(vector_database)
    with pytest.raises(KeptElsewhereError, match="in the way of pgvector"):
        await other.open(LIKES)
    # Whoever forgets or drops reaches it all the same.
    assert await other.forget(["a"]) == 1
    assert await index.count() == 0
    assert await other.drop("likes")
    assert await (await other.open(LIKES)).count() == 0
    with pytest.raises(KeptElsewhereError, match="in the way of usearch"):
        await PgvectorIndexes(vector_database).open(LIKES)


@pytest.fixture
def bare_url(empty_database_url: str) -> Iterator[str]:
    """A migrated database where pgvector was never made, with a role that owns nothing."""
    migrate(empty_database_url)
    name = "plain_user"
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        assert extensions(connection) == []
        connection.execute(f"CREATE ROLE {name} LOGIN")
        connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
    yield empty_database_url
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")


def extensions(connection: "psycopg.Connection[Any]") -> list[Any]:
    return connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'").fetchall()


def as_plain_user(url: str) -> str:
    return url.replace("soullink@", "plain_user@")


async def test_opening_at_once_in_a_new_database_does_no_harm(empty_database_url: str) -> None:
    await asyncio.to_thread(migrate, empty_database_url)
    database = open_database(empty_database_url)
    opened = await asyncio.gather(*(PgvectorIndexes(database).open(LIKES) for _ in range(6)))
    await opened[0].upsert(["a"], unit(1))
    assert [await index.count() for index in opened] == [1] * 6
    await database.close()


async def test_who_may_not_make_the_extension_is_told_what_to_do(bare_url: str) -> None:
    database = open_database(as_plain_user(bare_url))
    with pytest.raises(VectorsUnavailableError, match="superuser run CREATE EXTENSION vector"):
        await PgvectorIndexes(database).open(LIKES)
    # Nothing was half made, and the way without pgvector works for the same user.
    assert await PgvectorIndexes(database).collections() == []
    plain = await UsearchIndexes(database).open(LIKES)
    await plain.upsert(["a"], unit(1))
    assert [one.id for one in await plain.search(unit(1)[0], 1)] == ["a"]
    await database.close()


async def test_who_may_not_make_the_schema_is_told_what_to_do(bare_url: str) -> None:
    with psycopg.connect(bare_url, autocommit=True) as connection:
        # Not on the search path either.
        connection.execute("CREATE SCHEMA extensions")
        connection.execute("CREATE EXTENSION vector SCHEMA extensions")
        connection.execute("GRANT USAGE ON SCHEMA extensions TO plain_user")
    database = open_database(as_plain_user(bare_url))
    with pytest.raises(VectorsUnavailableError, match="schema soullink_vectors"):
        await PgvectorIndexes(database).open(LIKES)
    with psycopg.connect(bare_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA soullink_vectors")
        connection.execute("GRANT ALL ON SCHEMA soullink_vectors TO plain_user")
        name = connection.execute("SELECT current_database()").fetchone()
        assert name is not None
        connection.execute(f"GRANT CREATE ON DATABASE {name[0]} TO plain_user")
    index = await PgvectorIndexes(database).open(LIKES)
    await index.upsert([f"p{n}" for n in range(2_000)], unit(6, 2_000))
    assert (await index.search(unit(6)[0], 1))[0].id == "p0"
    await index.compact()
    await database.close()


@pytest.mark.parametrize(
    ("available", "installed", "told"),
    [
        ("NULL", "NULL", "has no pgvector: install it on the server"),
        ("'0.7.4'", "NULL", "pgvector 0.7.4 is available, 0.8 or newer is needed"),
        ("'0.8.6'", "'0.5.1'", "let its owner run ALTER EXTENSION vector UPDATE"),
    ],
)
async def test_a_server_that_lacks_pgvector_says_so(
    vector_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    available: str,
    installed: str,
    told: str,
) -> None:
    # The embedded server has it; what another one would answer is put in its place.
    answer = (
        f"SELECT 18 AS major, {available}::text AS available, {installed}::text AS installed,"
        " 'public' AS schema"
    )
    monkeypatch.setattr(pgvector, "_EXTENSION", answer)
    with pytest.raises(VectorsUnavailableError, match=told) as refused:
        await PgvectorIndexes(vector_database).open(LIKES)
    assert "SOULLINK_VECTORS=usearch" in str(refused.value)
    assert await PgvectorIndexes(vector_database).collections() == []


async def test_a_server_that_does_not_answer_says_so() -> None:
    nowhere = open_database("postgresql://me@127.0.0.1:9/nothing")
    with pytest.raises(UnavailableError):
        await PgvectorIndexes(nowhere).open(LIKES)
    await nowhere.close()
