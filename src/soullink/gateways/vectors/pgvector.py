"""Vectors in PostgreSQL with the extension pgvector, 0.8 or newer.

A collection has a table of its own, as an HNSW graph is of one length and of one kind of vector.
Vectors are half precision (pgvector's `halfvec`) and of length 1, so that the inner product is the
cosine, to about 0.0003: the table is 40 % smaller and the search as good (benchmarks/match).
"""

import re
import struct
from collections.abc import AsyncIterator, Sequence
from collections.abc import Collection as Ids
from contextlib import asynccontextmanager
from typing import Any, Final

import psycopg
from numpy.typing import ArrayLike
from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.exc import DBAPIError

from soullink.gateways.postgres.database import Database
from soullink.gateways.postgres.session import Session
from soullink.gateways.vectors import store
from soullink.gateways.vectors.port import (
    Collection,
    Neighbour,
    Rows,
    VectorsUnavailableError,
    checked_ids,
    in_order,
    last_of_each,
    unit_query,
)
from soullink.gateways.vectors.store import SCHEMA, CollectionStore, Registered
from soullink.kernel.errors import UnavailableError

NEEDED: Final = (0, 8)
CANDIDATES: Final = 100
INDEX_FROM: Final = 2_000
"""Rows from which a graph pays: below, comparing with every row is as fast, and exact."""
EXACT_UP_TO: Final = 5_000
"""Ids in `only` that are all compared with; among more the graph is walked and filtered."""
_AS_TEXT_UP_TO: Final = 64
"""Rows that are written as text; more are copied in binary, which takes a table to copy into."""
_LINKS: Final = 16
_BUILD_EF: Final = 64
_MOST_EF: Final = 1_000
_COPY_HEAD: Final = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_COPY_TAIL: Final = struct.pack(">h", -1)
_COPY_ROWS: Final = 10_000

# https://www.postgresql.org/docs/18/errcodes-appendix.html
_NO_SUCH_TABLE: Final = {"42P01", "3F000"}
_NO_MEMORY: Final = {"53100", "53200"}
_NOT_ALLOWED: Final = "42501"
_BACK_TO_PLAIN: Final = (
    " or keep vectors in plain tables instead and search them in memory: SOULLINK_VECTORS=usearch"
)


class PgvectorIndexes:
    """Implements VectorIndexes. The extension and the tables are made when first needed.

    candidates: how many a search of the graph holds, 1..1000, None for 100: more find more and
    take longer.
    """

    def __init__(self, database: Database, *, candidates: int | None = None) -> None:
        self._database = database
        self._candidates = candidates or CANDIDATES

    async def open(self, collection: Collection) -> "PgvectorIndex":
        async with self._database.work() as work:
            keeping = CollectionStore(work.session)
            await keeping.alone()
            types = await _types(work.session)
            registered, fresh = await keeping.register(collection, "pgvector")
            if fresh:
                await _make_table(work.session, registered, types)
        return PgvectorIndex(self._database, registered, types, self._candidates)

    async def collections(self) -> list[Collection]:
        return await store.all_collections(self._database)

    async def drop(self, name: str) -> bool:
        return await store.drop(self._database, name)

    async def forget(self, ids: Sequence[str]) -> int:
        return sum(removed for removed, _ in (await store.forget(self._database, ids)).values())

    async def close(self) -> None:
        """Nothing: the database is closed by who opened it."""


class PgvectorIndex:
    """Implements VectorIndex.

    types: the schema of the extension, quoted. `compact` rewrites the table and its graph; the
    server's log of changes and its backups keep what was deleted until they are recycled.
    """

    def __init__(
        self, database: Database, registered: Registered, types: str, candidates: int
    ) -> None:
        self._database = database
        self._registered = registered
        self._table = registered.table
        self._type = f"{types}.halfvec({registered.collection.dimensions})"
        self._types = types
        self._candidates = candidates
        self._indexed = False

    @property
    def collection(self) -> Collection:
        return self._registered.collection

    async def upsert(self, ids: Sequence[str], vectors: ArrayLike) -> None:
        names, rows = last_of_each(self.collection, ids, vectors)
        if not names:
            return
        async with self._session() as session:
            if len(names) <= _AS_TEXT_UP_TO:
                await self._put_few(session, names, rows)
            else:
                await self._put_many(session, names, rows)
        if not self._indexed:
            await self._index_when_large()

    async def delete(self, ids: Sequence[str]) -> int:
        names = checked_ids(ids)
        async with self._session() as session:
            removed, _ = await CollectionStore(session).delete(self._registered, names)
        return removed

    async def search(
        self, query: ArrayLike, k: int, *, only: Ids[str] | None = None
    ) -> list[Neighbour]:
        row = unit_query(self.collection, query, k)
        chosen = None if only is None else checked_ids(sorted(set(only)))
        if chosen is not None and not chosen:
            return []
        given: dict[str, Any] = {"query": _as_text(row), "k": k, "ids": chosen}
        async with self._session() as session:
            if chosen is not None and len(chosen) <= EXACT_UP_TO:
                return await self._exact(session, given)
            found = await self._through_graph(session, given)
            # The graph ends where its memory does, or where a row is linked by nobody.
            if len(found) < k:
                found = await self._exact(session, given)
        return found

    async def count(self) -> int:
        async with self._session() as session:
            counted = await session.execute(text(f"SELECT count(*) FROM {self._table}"))  # noqa: S608 - our own name
            return int(counted.scalar_one())

    async def compact(self) -> None:
        try:
            await store.rewrite(self._database, self._table)
        except DBAPIError as error:
            raise self._plainly(error) from error

    async def _put_few(self, session: Session, names: list[str], rows: Rows) -> None:
        putting = text(
            f"INSERT INTO {self._table} (id, vector)"  # noqa: S608 - our own names
            f" SELECT id, vector::{self._type} FROM unnest(:ids, :vectors) AS given (id, vector)"
            f" ORDER BY id {_REPLACING}"
        ).bindparams(bindparam("ids", type_=ARRAY(Text)), bindparam("vectors", type_=ARRAY(Text)))
        await session.execute(putting, {"ids": names, "vectors": [_as_text(row) for row in rows]})

    async def _put_many(self, session: Session, names: list[str], rows: Rows) -> None:
        await session.execute(
            text(f"CREATE TEMPORARY TABLE incoming (id text, vector {self._type}) ON COMMIT DROP")
        )
        connection = await session.driver_connection()
        async with (
            connection.cursor() as cursor,
            cursor.copy("COPY incoming FROM STDIN (FORMAT binary)") as copy,
        ):
            await copy.write(_COPY_HEAD)
            for start in range(0, len(names), _COPY_ROWS):
                end = start + _COPY_ROWS
                await copy.write(_copied(names[start:end], rows[start:end]))
            await copy.write(_COPY_TAIL)
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        # In one order, so that two who put the same rows wait for each other and do not lock up.
        await session.execute(
            text(
                f"INSERT INTO {self._table} (id, vector)"  # noqa: S608 - our own names
                f" SELECT id, vector FROM incoming ORDER BY id {_REPLACING}"
            )
        )

    async def _index_when_large(self) -> None:
        """Make the graph once there are enough rows: at once it takes a fraction of the time."""
        async with self._session() as session:
            state = await session.execute(
                text(
                    f"SELECT (SELECT count(*) FROM {self._table}),"  # noqa: S608 - our own name
                    " EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                    " JOIN pg_am a ON a.oid = c.relam"
                    f" WHERE i.indrelid = '{self._table}'::regclass AND a.amname = 'hnsw')"
                )
            )
            rows, self._indexed = state.one()
        if self._indexed or rows < INDEX_FROM:
            return
        try:
            await self._make_graph(rows, workers=True)
        except UnavailableError as error:
            if _state(error.__cause__) not in _NO_MEMORY:
                raise
            # Workers share memory, of which a container often has little.
            await self._make_graph(rows, workers=False)
        self._indexed = True

    async def _make_graph(self, rows: int, *, workers: bool) -> None:
        size = rows * (2 * self.collection.dimensions + 16 * _LINKS + 200)
        megabytes = min(max(64, size // 2**20 * 5 // 4), 2048)
        try:
            async with self._database.work() as work:
                session = work.session
                await session.execute(text("SET LOCAL statement_timeout = 0"))
                await session.execute(text(f"SET LOCAL maintenance_work_mem = '{megabytes}MB'"))
                if not workers:
                    await session.execute(text("SET LOCAL max_parallel_maintenance_workers = 0"))
                await session.execute(
                    text(
                        f"CREATE INDEX IF NOT EXISTS {self._table.partition('.')[2]}_graph"
                        f" ON {self._table} USING hnsw (vector {self._types}.halfvec_ip_ops)"
                        f" WITH (m = {_LINKS}, ef_construction = {_BUILD_EF})"
                    )
                )
        except DBAPIError as error:
            raise self._plainly(error) from error

    async def _through_graph(self, session: Session, given: dict[str, Any]) -> list[Neighbour]:
        k = given["k"]
        await session.execute(
            text(
                "SELECT set_config('hnsw.ef_search', :ef, true),"
                " set_config('hnsw.iterative_scan', 'strict_order', true),"
                " set_config('hnsw.max_scan_tuples', :most, true)"
            ),
            {
                "ef": str(min(max(self._candidates, k), _MOST_EF)),
                "most": str(max(20_000, 4 * k)),
            },
        )
        filtering = "" if given["ids"] is None else "WHERE id = ANY(:ids)"
        return await self._found(
            session,
            f"SELECT id, {self._distance} AS distance FROM {self._table} {filtering}"  # noqa: S608 - our own names
            " ORDER BY distance, id LIMIT :k",
            given,
        )

    async def _exact(self, session: Session, given: dict[str, Any]) -> list[Neighbour]:
        filtering = "" if given["ids"] is None else "WHERE id = ANY(:ids)"
        return await self._found(
            session,
            f"WITH chosen AS MATERIALIZED (SELECT id, vector FROM {self._table} {filtering})"  # noqa: S608 - our own names
            f" SELECT id, {self._distance} AS distance FROM chosen ORDER BY distance, id LIMIT :k",
            given,
        )

    @property
    def _distance(self) -> str:
        """Minus the cosine: what pgvector's operator class for the inner product sorts by."""
        return f"vector OPERATOR({self._types}.<#>) CAST(:query AS {self._type})"

    async def _found(self, session: Session, query: str, given: dict[str, Any]) -> list[Neighbour]:
        asking = text(query)
        if given["ids"] is None:
            given = {key: value for key, value in given.items() if key != "ids"}
        else:
            asking = asking.bindparams(bindparam("ids", type_=ARRAY(Text)))
        rows = (await session.execute(asking, given)).all()
        return in_order(
            [Neighbour(row.id, min(1.0, max(-1.0, -row.distance))) for row in rows], given["k"]
        )

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        try:
            async with self._database.work() as work:
                yield work.session
        except DBAPIError as error:
            raise self._plainly(error) from error
        except psycopg.Error as error:  # of the copying, which does not pass through SQLAlchemy
            raise VectorsUnavailableError(
                f"The vectors of {self.collection.name} could not be written:"
                f" {str(error).partition(chr(10))[0]}"
            ) from error

    def _plainly(self, error: DBAPIError) -> Exception:
        if _state(error) in _NO_SUCH_TABLE:
            return store.dropped(self.collection)
        return error


_REPLACING: Final = "ON CONFLICT (id) DO UPDATE SET vector = excluded.vector"


async def _types(session: Session) -> str:
    """Return the quoted schema of pgvector, making the extension where it may be made.

    Raises VectorsUnavailableError with what to do.
    """
    found = (await session.execute(text(_EXTENSION))).one()
    if found.installed is None:
        if found.available is None:
            raise VectorsUnavailableError(
                "This PostgreSQL has no pgvector: install it on the server (Debian and Ubuntu:"
                f" postgresql-{found.major}-pgvector),{_BACK_TO_PLAIN}."
            )
        _check_version(found.available, "is available", "install a newer one on the server")
        try:
            async with session.begin_nested():
                await session.execute(text("CREATE EXTENSION vector"))
        except DBAPIError as error:
            if _state(error) != _NOT_ALLOWED:
                raise
            raise VectorsUnavailableError(
                "This database's user may not install pgvector: let a superuser run CREATE"
                f" EXTENSION vector in this database once,{_BACK_TO_PLAIN}."
            ) from error
        found = (await session.execute(text(_EXTENSION))).one()
    _check_version(
        found.installed, "is installed", "let its owner run ALTER EXTENSION vector UPDATE"
    )
    return str(found.schema)


_EXTENSION: Final = """
SELECT current_setting('server_version_num')::int / 10000 AS major,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS available,
       (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS installed,
       (SELECT quote_ident(nspname) FROM pg_namespace n JOIN pg_extension e
        ON n.oid = e.extnamespace WHERE extname = 'vector') AS schema
"""


def _state(error: BaseException | None) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def _check_version(version: str, state: str, remedy: str) -> None:
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < NEEDED:
        raise VectorsUnavailableError(
            f"pgvector {version} {state}, 0.8 or newer is needed: {remedy},{_BACK_TO_PLAIN}."
        )


async def _make_table(session: Session, registered: Registered, types: str) -> None:
    try:
        async with session.begin_nested():
            await session.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            await session.execute(
                text(
                    f"CREATE TABLE {registered.table} (id text PRIMARY KEY,"
                    f" vector {types}.halfvec({registered.collection.dimensions}) NOT NULL)"
                )
            )
    except DBAPIError as error:
        if _state(error) != _NOT_ALLOWED:
            raise
        raise VectorsUnavailableError(
            f"This database's user may not make the schema {SCHEMA}: let the database's owner"
            f" make it and GRANT ALL on it to the user,{_BACK_TO_PLAIN}."
        ) from error


def _as_text(row: Rows) -> str:
    return "[" + ",".join(f"{number:.7g}" for number in row.tolist()) + "]"


def _copied(names: list[str], rows: Rows) -> bytes:
    """Return rows as COPY takes them: how many fields, then each field's length and bytes.

    A halfvec is two 16-bit integers, its length and 0, then half-precision numbers; all of it
    most significant byte first (halfvec_recv in pgvector's src/halfvec.c).
    """
    length = rows.shape[1]
    head = struct.pack(">ihh", 4 + 2 * length, length, 0)
    pieces: list[bytes] = []
    for name, row in zip(names, rows.astype(">f2"), strict=True):
        encoded = name.encode()
        pieces += (struct.pack(">hi", 2, len(encoded)), encoded, head, row.tobytes())
    return b"".join(pieces)
