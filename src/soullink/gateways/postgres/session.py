"""Statements of one transaction, through SQLAlchemy's Core.

As its AsyncSession runs them, but without it: its package loads the mapper of objects as well,
5 MB of which nothing is used here.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVarTuple, overload

import psycopg
from sqlalchemy import Connection, CursorResult, Engine, Executable, Select
from sqlalchemy.sql.selectable import TypedReturnsRows
from sqlalchemy.util import greenlet_spawn

Columns = TypeVarTuple("Columns")
Parameters: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Session:
    """Runs the statements of one transaction. It connects, and begins, with the first of them."""

    __slots__ = ("_connection", "_engine")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*Columns], parameters: Parameters | None = None
    ) -> CursorResult[*Columns]: ...

    @overload
    async def execute(
        self, statement: Executable, parameters: Parameters | None = None
    ) -> CursorResult[*tuple[Any, ...]]: ...

    async def execute(
        self, statement: Executable, parameters: Parameters | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Run a statement, or one for each of several parameters; the rows are in memory then."""
        return await greenlet_spawn(self._run, statement, parameters)

    async def scalar(self, statement: Executable) -> Any:
        """Return the first column of the first row, None where there is no row."""
        return (await self.execute(statement)).scalar()

    async def stream(self, statement: Select[*Columns], rows: int) -> AsyncIterator[Sequence[Any]]:
        """Yield the rows in parts of so many, which the server hands out one after the other."""
        streamed = statement.execution_options(stream_results=True, max_row_buffer=rows)
        result = await greenlet_spawn(self._run, streamed, None)
        try:
            while part := await greenlet_spawn(result.fetchmany, rows):
                yield part
        finally:
            await greenlet_spawn(result.close)

    @asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[None]:
        """Open a savepoint: where something fails within, that is undone and the rest goes on."""
        savepoint = await greenlet_spawn(lambda: self._begun().begin_nested())
        try:
            yield
        except BaseException:
            await _to_its_end(greenlet_spawn(savepoint.rollback))
            raise
        await greenlet_spawn(savepoint.commit)

    async def driver_connection(self) -> psycopg.AsyncConnection[Any]:
        """Return the driver's own connection, for what SQLAlchemy has no words for."""
        found = await greenlet_spawn(lambda: self._begun().connection.driver_connection)
        if not isinstance(found, psycopg.AsyncConnection):
            raise TypeError(found)
        return found

    async def end(self, *, commit: bool) -> None:
        """Commit or roll back, and give the connection back; a cancellation waits for that."""
        if self._connection is not None:
            await _to_its_end(greenlet_spawn(self._end, commit))

    def _run(
        self, statement: Executable, parameters: Parameters | None
    ) -> CursorResult[*tuple[Any, ...]]:
        return self._begun().execute(statement, parameters)

    def _begun(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _end(self, commit: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with connection:  # closing it rolls back what is not committed
                if commit:
                    connection.commit()


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Wait for `work`; who is cancelled meanwhile learns that when it is done."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
