"""One transaction at a time, with the outbox written inside it."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Engine,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    func,
    insert,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.util import greenlet_spawn

from soullink.gateways.postgres.conninfo import connection_parameters, failure
from soullink.gateways.postgres.direct import Direct
from soullink.gateways.postgres.session import Session
from soullink.kernel.errors import UnavailableError
from soullink.kernel.events import Event

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every store's tables, with names that a migration can refer to."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    # What must be delivered in the order in which it was published; the rest is outbox.py's.
    Column("stream", Text, nullable=False, server_default=""),
    Column("published_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_try_at", DateTime(timezone=True), nullable=True),
    Column("set_aside_at", DateTime(timezone=True), nullable=True),
    Column("reason", Text, nullable=False, server_default=""),
    Column("handled", ARRAY(Text), nullable=False, server_default="{}"),
    Index("ix_outbox_stream_id", "stream", "id"),
)


@dataclass(frozen=True, slots=True)
class Work:
    """An open transaction: the session, and the events that commit with it."""

    session: Session

    async def publish(self, event: Event) -> None:
        """Record `event` in the outbox; it is delivered only if this work commits.

        Events of one stream are delivered in the order in which they were published: publish
        after what the event is about was locked or changed, as two works then take turns.
        """
        payload = TypeAdapter(type(event)).dump_python(event, mode="json")
        await self.session.execute(
            insert(outbox).values(name=event.name, payload=payload, stream=event.stream)
        )


@dataclass(frozen=True, slots=True)
class Database:
    """Opens units of work. Commits on a clean exit, rolls back on an exception.

    direct: for the few statements that are run on every turn.
    """

    engine: Engine
    parameters: Mapping[str, Any] = field(repr=False)
    direct: Direct = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "direct", Direct(self.parameters))

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """Open one transaction.

        Raises UnavailableError when the server cannot be reached, is lost meanwhile (the
        work may be done again: it was not committed, unless the loss hit the commit
        itself) or takes longer than a minute over one statement.
        """
        with self._failures_said_plainly():
            session = Session(self.engine)
            try:
                yield Work(session)
            except BaseException:
                await session.end(commit=False)
                raise
            await session.end(commit=True)

    async def close(self) -> None:
        """Close every connection. The database can be used again; it then reconnects."""
        await self.direct.close()
        await greenlet_spawn(self.engine.dispose)

    @contextmanager
    def _failures_said_plainly(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeoutError as error:
            raise UnavailableError(
                "Every connection to the database is busy; run fewer things at once."
            ) from error
        except DBAPIError as error:
            broken = error.connection_invalidated
            said = failure(error.orig or error, self.parameters, broken=broken)
            if said is None:
                raise
            raise said from error


def open_database(url: str, *, pool_size: int = 5, max_overflow: int = 15) -> Database:
    """Return the database at `url`; connections open when work does.

    One event loop per database: connections belong to the loop that opened them.
    Raises InvalidInputError when `url` is not a PostgreSQL URL.
    """
    parameters = connection_parameters(url)
    engine = create_engine(
        # Read by libpq, not by SQLAlchemy: sockets, several hosts and services all work.
        "postgresql+psycopg_async://",
        connect_args=parameters,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=30,
        pool_use_lifo=True,
        # A server that restarted is met by a new connection, not by an error.
        pool_pre_ping=True,
        hide_parameters=True,
    )
    return Database(engine, parameters)
