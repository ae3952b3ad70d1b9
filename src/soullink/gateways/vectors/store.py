"""What PostgreSQL knows of collections, and vectors in plain bytes for who searches them in memory.

A collection is kept either in a table of its own with pgvector's type (`pgvector.py`) or as plain
bytes in `vector_entry` (`usearch_index.py`); what removes, removes from both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.engine import CursorResult
from sqlalchemy.util import greenlet_spawn

from soullink.gateways.postgres.conninfo import STATEMENT_TIMEOUT_SECONDS
from soullink.gateways.postgres.database import Database, metadata
from soullink.gateways.postgres.session import Session
from soullink.gateways.vectors.port import (
    Collection,
    KeptElsewhereError,
    Rows,
    VectorsUnavailableError,
    check_same,
    checked_ids,
)
from soullink.kernel.ids import new_uuid7

KeptBy: TypeAlias = Literal["pgvector", "rows"]

SCHEMA: Final = "soullink_vectors"
"""Of the tables with pgvector's type: they come and go, so that no migration knows them."""
_LOCK: Final = 0x56_45_43_53  # any number that nobody else takes: "VECS"

collections = Table(
    "vector_collection",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kept_by", Text, nullable=False),
    Column("dimensions", Integer, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    # Another one after every drop, so that nobody takes the new collection for the old one.
    Column("made", Uuid, nullable=False),
    # Both count up within the transactions that write, which therefore queue up behind this row.
    Column("changes", BigInteger, nullable=False),
    Column("deletions", BigInteger, nullable=False),
)

entries = Table(
    "vector_entry",
    metadata,
    Column(
        "collection",
        Text,
        ForeignKey("vector_collection.name", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("id", Text, primary_key=True),
    # 32-bit floats, little-endian.
    Column("vector", LargeBinary, nullable=False),
    # The collection's `changes` when this was put in.
    Column("change", BigInteger, nullable=False),
    Index(None, "collection", "change"),
)

_PUT: Final = text(
    "INSERT INTO vector_entry (collection, id, vector, change)"
    " SELECT :collection, id, vector, :change FROM unnest(:ids, :vectors) AS given (id, vector)"
    " ON CONFLICT (collection, id) DO UPDATE SET vector = excluded.vector, change = excluded.change"
).bindparams(bindparam("ids", type_=ARRAY(Text)), bindparam("vectors", type_=ARRAY(LargeBinary)))
_PUT_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class State:
    """How far a collection has come. made: which collection of this name it is."""

    made: UUID
    changes: int
    deletions: int


@dataclass(frozen=True, slots=True)
class Registered:
    """A collection and where it is."""

    collection: Collection
    kept_by: KeptBy
    state: State

    @property
    def table(self) -> str:
        """Return the name of its own table with pgvector's type, quoted by its characters."""
        return f"{SCHEMA}.{self.collection.name}_{self.state.made.hex[-12:]}"


@dataclass(frozen=True, slots=True)
class Entries:
    """Ids, their (n, d) vectors, and the (n,) changes they were put in with."""

    ids: list[str]
    rows: Rows
    changes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CollectionStore:
    """Reads and writes collections and entries within one transaction."""

    session: Session

    async def alone(self) -> None:
        """Wait until nobody else makes or drops a collection; until this transaction ends."""
        await self.session.execute(select(func.pg_advisory_xact_lock(_LOCK)))

    async def find(self, name: str) -> Registered | None:
        found = await self.session.execute(select(collections).where(collections.c.name == name))
        row = found.one_or_none()
        return None if row is None else _registered(row)

    async def all(self) -> list[Registered]:
        found = await self.session.execute(select(collections).order_by(collections.c.name))
        return [_registered(row) for row in found]

    async def register(self, asked: Collection, kept_by: KeptBy) -> tuple[Registered, bool]:
        """Return the collection, and whether it was made just now. Call it `alone`.

        Raises OtherEmbedderError, KeptElsewhereError.
        """
        known = await self.find(asked.name)
        if known is not None:
            check_same(known.collection, asked)
            if known.kept_by != kept_by:
                raise KeptElsewhereError(
                    f"The collection {asked.name} is kept in the way of"
                    f" {'pgvector' if known.kept_by == 'pgvector' else 'usearch'} in this database:"
                    " use that one, or drop the collection and fill it again."
                )
            return known, False
        state = State(new_uuid7(), 0, 0)
        await self.session.execute(
            insert(collections).values(
                name=asked.name,
                kept_by=kept_by,
                dimensions=asked.dimensions,
                model=asked.model,
                version=asked.version,
                made=state.made,
                changes=0,
                deletions=0,
            )
        )
        return Registered(asked, kept_by, state), True

    async def drop(self, registered: Registered) -> None:
        """Remove a collection and everything in it. Call it `alone`."""
        if registered.kept_by == "pgvector":
            await self.session.execute(text(f"DROP TABLE IF EXISTS {registered.table}"))
        await self.session.execute(
            delete(collections).where(collections.c.name == registered.collection.name)
        )

    async def state(self, registered: Registered) -> State:
        """Return how far the collection is now. Raises VectorsUnavailableError."""
        now = await self.find(registered.collection.name)
        if now is None or now.state.made != registered.state.made:
            raise dropped(registered.collection)
        return now.state

    async def begin_change(self, registered: Registered, *, deletions: int) -> State:
        """Count a change and return its number; until this transaction ends no other begins.

        Raises VectorsUnavailableError.
        """
        counting = (
            update(collections)
            .where(
                collections.c.name == registered.collection.name,
                collections.c.made == registered.state.made,
            )
            .values(
                changes=collections.c.changes + 1,
                deletions=collections.c.deletions + deletions,
            )
            .returning(collections.c.made, collections.c.changes, collections.c.deletions)
        )
        row = (await self.session.execute(counting)).one_or_none()
        if row is None:
            raise dropped(registered.collection)
        return State(row.made, row.changes, row.deletions)

    async def put(self, name: str, ids: Sequence[str], rows: Rows, change: int) -> None:
        plain = rows.astype("<f4")
        for start in range(0, len(ids), _PUT_AT_ONCE):
            end = start + _PUT_AT_ONCE
            await self.session.execute(
                _PUT,
                {
                    "collection": name,
                    "ids": list(ids[start:end]),
                    "vectors": [row.tobytes() for row in plain[start:end]],
                    "change": change,
                },
            )

    async def delete(self, registered: Registered, ids: Sequence[str]) -> tuple[int, State]:
        """Remove ids from a collection, however it is kept.

        Returns how many were there, and the state afterwards where it is counted (plain rows).
        """
        if registered.kept_by == "pgvector":
            leaving = text(f"DELETE FROM {registered.table} WHERE id = ANY(:ids)")  # noqa: S608 - our own name
            done = await self.session.execute(
                leaving.bindparams(bindparam("ids", type_=ARRAY(Text))), {"ids": list(ids)}
            )
            return _count(done), registered.state
        # Counted first: that keeps others from changing the collection meanwhile.
        state = await self.begin_change(registered, deletions=1)
        done = await self.session.execute(
            delete(entries).where(
                entries.c.collection == registered.collection.name,
                entries.c.id == func.any(bindparam("ids", list(ids), type_=ARRAY(Text))),
            )
        )
        return _count(done), state

    async def since(self, collection: Collection, change: int) -> Entries:
        """Return what was put in after `change`."""
        wanted = select(entries.c.id, entries.c.vector, entries.c.change).where(
            entries.c.collection == collection.name, entries.c.change > change
        )
        ids: list[str] = []
        pieces: list[bytes] = []
        changes: list[int] = []
        async for part in self.session.stream(wanted, 5_000):
            for each, vector, when in part:
                ids.append(each)
                pieces.append(vector)
                changes.append(when)
        flat = np.frombuffer(b"".join(pieces), "<f4")
        rows = flat.reshape(len(ids), collection.dimensions).astype(np.float32)
        return Entries(ids, rows, np.array(changes, np.int64))

    async def ids(self, name: str) -> set[str]:
        wanted = select(entries.c.id).where(entries.c.collection == name)
        return set((await self.session.execute(wanted)).scalars())


async def all_collections(database: Database) -> list[Collection]:
    """Return what is kept in the database, in whichever way."""
    async with database.work() as work:
        return [each.collection for each in await CollectionStore(work.session).all()]


async def drop(database: Database, name: str) -> bool:
    """Remove a collection, in whichever way it is kept; return whether it was there."""
    async with database.work() as work:
        store = CollectionStore(work.session)
        await store.alone()
        known = await store.find(name)
        if known is not None:
            await store.drop(known)
        return known is not None


async def forget(database: Database, ids: Sequence[str]) -> dict[str, tuple[int, State]]:
    """Delete ids from every collection, in whichever way it is kept.

    Returns by collection how many there were, and its state afterwards.
    """
    names = checked_ids(ids)
    async with database.work() as work:
        store = CollectionStore(work.session)
        await store.alone()
        return {each.collection.name: await store.delete(each, names) for each in await store.all()}


async def rewrite(database: Database, table: str) -> None:
    """Rewrite a table and its indexes, without what was deleted. Nobody reads it meanwhile."""

    def rewritten() -> None:
        # VACUUM takes no part in a transaction.
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as outside:
            outside.execute(text("SET statement_timeout = 0"))
            try:
                outside.execute(text(f"VACUUM (FULL, ANALYZE) {table}"))
            finally:
                outside.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s'"))

    await greenlet_spawn(rewritten)


def dropped(collection: Collection) -> VectorsUnavailableError:
    """Return the error for an index whose collection is not there any more."""
    return VectorsUnavailableError(
        f"The collection {collection.name} was dropped meanwhile; open it again."
    )


def _registered(row: Any) -> Registered:
    return Registered(
        Collection(row.name, row.dimensions, row.model, row.version),
        row.kept_by,
        State(row.made, row.changes, row.deletions),
    )


def _count(done: object) -> int:
    assert isinstance(done, CursorResult)  # noqa: S101 - what a DELETE returns, for the types
    return done.rowcount
