"""Prepared statements over one connection, with as little ado as libpq allows.

For what is written on every turn: a session with its objects, its greenlets and its four round
trips costs more there than the work itself. Everything here is one pipeline (PostgreSQL's own:
https://www.postgresql.org/docs/18/libpq-pipeline-mode.html): statements that are asked for
together are one transaction and one round trip, and who asks meanwhile does not wait for the
answer to the one before.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result

from soullink.gateways.postgres.conninfo import failure, lost_connection, no_connection
from soullink.kernel.errors import UnavailableError

Value: TypeAlias = bytes | None
Statement: TypeAlias = tuple[str, Sequence[Value]]
"""SQL with $1, $2, ... and a value for each, as PostgreSQL writes it in text; None is NULL."""
Rows: TypeAlias = list[tuple[Value, ...]]

IDLE_SECONDS: Final = 5.0
"""A connection that was unused for longer is asked first whether it still stands."""

_DONE: Final = frozenset({pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK})


class _Asked:
    """One transaction on its way. left: results that are still to come, the sync apart."""

    __slots__ = ("answered", "failed", "left", "rows")

    def __init__(self, answered: "asyncio.Future[list[Rows]]") -> None:
        self.answered = answered
        self.failed: pq.abc.PGresult | None = None
        # For each result to come: the statement that is prepared by it, or None for rows.
        self.left: deque[str | None] = deque()
        self.rows: list[Rows] = []


class Direct:
    """Runs transactions of prepared statements. Belongs to one event loop at a time.

    Connects when first used, and anew after a loss; statements stay prepared for as long as the
    connection stands.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = dict(parameters)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._pgconn: pq.abc.PGconn | None = None
        self._socket = -1
        self._connecting: asyncio.Task[None] | None = None
        self._names: dict[str, bytes] = {}
        self._prepared: set[str] = set()
        self._prepared_on: pq.abc.PGconn | None = None
        self._asked: deque[_Asked] = deque()
        self._used_at = 0.0
        self._writing = False

    async def run(self, *statements: Statement) -> list[Rows]:
        """Run the statements in one transaction; return the rows of each, values as text.

        Raises UnavailableError where the server cannot be reached, is lost meanwhile, or takes
        too long, and psycopg.Error where it refuses a statement; then none of them has done
        anything, but where the connection was lost, nobody can tell.
        """
        if not self._asked:
            # A server that has gone away meanwhile: its farewell, and the end.
            self._read()
            self._read()
        if self._pgconn is None:
            await self._connect()
        elif not self._asked and time.monotonic() - self._used_at > IDLE_SECONDS:
            try:
                await self._send((("SELECT 1", ()),))
            except UnavailableError:
                await self._connect()
        try:
            return await self._send(statements)
        except psycopg.Error as error:
            said = failure(error, self._parameters, broken=False)
            if said is None:
                raise
            raise said from error

    async def close(self) -> None:
        """Close the connection; it can be used again and then connects anew."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait([self._connecting])
        self._let_go(None)

    async def _connect(self) -> None:
        """Connect, together with all others who wait for it."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._let_go(None)
            self._loop, self._connecting = loop, None
        while self._pgconn is None:
            if self._connecting is None:
                self._connecting = loop.create_task(self._open())
            await asyncio.shield(self._connecting)

    async def _open(self) -> None:
        try:
            connection = await psycopg.AsyncConnection.connect(**self._parameters, autocommit=True)
        except psycopg.OperationalError as error:
            raise no_connection(error, self._parameters) from error
        finally:
            self._connecting = None
        self.attach(connection)

    def attach(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Work on a connection of the caller's, in no transaction, until `detach`.

        It is used by `send` alone, and never replaced by another.
        """
        pgconn = connection.pgconn
        pgconn.nonblocking = 1
        pgconn.enter_pipeline_mode()
        if pgconn is not self._prepared_on:
            self._prepared_on = pgconn
            self._prepared.clear()
        self._connection, self._pgconn, self._socket = connection, pgconn, pgconn.socket
        self._used_at = time.monotonic()
        # All the time: a server that goes away while nothing is asked is noticed at once.
        self._loop = loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._read)

    @property
    def attached(self) -> bool:
        """Return whether there is a connection to send by."""
        return self._pgconn is not None

    def drop(self) -> None:
        """Close the connection at once; whoever waits for an answer is told that it was lost."""
        self._let_go(None)

    def detach(self) -> None:
        """Leave the connection to the caller, in its own ways; nothing may be under way.

        Raises psycopg.OperationalError where that is not possible.
        """
        pgconn, self._connection, self._pgconn = self._pgconn, None, None
        if pgconn is None or self._loop is None:
            return
        self._loop.remove_reader(self._socket)
        pgconn.exit_pipeline_mode()

    def send(self, *statements: Statement) -> "asyncio.Future[list[Rows]]":
        """Send the statements; the answer is as of `run`.

        One transaction, unless BEGIN is among them: that one lasts until COMMIT or ROLLBACK.
        """
        if not self._asked:
            self._read()
            self._read()
        return self._send(statements)

    def _send(self, statements: Sequence[Statement]) -> "asyncio.Future[list[Rows]]":
        pgconn = self._pgconn
        answered: asyncio.Future[list[Rows]] = asyncio.get_running_loop().create_future()
        if pgconn is None:  # lost since it was looked at
            answered.set_exception(lost_connection(OSError("it was closed"), self._parameters))
            return answered
        asked = _Asked(answered)
        try:
            for sql, values in statements:
                name = self._names.get(sql)
                if name is None:
                    name = self._names[sql] = b"d%d" % len(self._names)
                if sql not in self._prepared:
                    pgconn.send_prepare(name, sql.encode())
                    self._prepared.add(sql)
                    asked.left.append(sql)
                pgconn.send_query_prepared(name, values)
                asked.left.append(None)
            pgconn.pipeline_sync()
            self._asked.append(asked)
            self._flush()
        except psycopg.OperationalError as error:
            self._let_go(error)
            if not answered.done():
                answered.set_exception(lost_connection(error, self._parameters))
        return answered

    def _flush(self) -> None:
        """Send what libpq holds; what the socket does not take goes once it does."""
        if self._pgconn is None or self._loop is None:
            return
        more = self._pgconn.flush() == 1
        if more and not self._writing:
            self._loop.add_writer(self._socket, self._write)
        elif self._writing and not more:
            self._loop.remove_writer(self._socket)
        self._writing = more

    def _write(self) -> None:
        try:
            self._flush()
        except psycopg.OperationalError as error:
            self._let_go(error)

    def _read(self) -> None:
        pgconn = self._pgconn
        if pgconn is None:
            return
        try:
            pgconn.consume_input()
            self._flush()
            while self._asked and not pgconn.is_busy():
                result = pgconn.get_result()
                if result is not None:
                    self._take(self._asked[0], result)
        except psycopg.OperationalError as error:
            self._let_go(error)

    def _take(self, asked: _Asked, result: pq.abc.PGresult) -> None:
        status = result.status
        if status == pq.ExecStatus.PIPELINE_SYNC:
            self._asked.popleft()
            self._used_at = time.monotonic()
            if not asked.answered.done():
                if asked.failed is None:
                    asked.answered.set_result(asked.rows)
                else:
                    asked.answered.set_exception(error_from_result(asked.failed))
            return
        prepared = asked.left.popleft() if asked.left else None
        if status not in _DONE:
            if prepared is not None:
                self._prepared.discard(prepared)
            if asked.failed is None and status != pq.ExecStatus.PIPELINE_ABORTED:
                asked.failed = result
        elif prepared is None:
            columns = range(result.nfields)
            value = result.get_value
            asked.rows.append(
                [tuple([value(n, c) for c in columns]) for n in range(result.ntuples)]
            )

    def _let_go(self, error: Exception | None) -> None:
        """Drop the connection; whoever waits for an answer is told that it was lost."""
        connection, self._connection, self._pgconn = self._connection, None, None
        if connection is not None:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.remove_reader(self._socket)
                if self._writing:
                    self._loop.remove_writer(self._socket)
            connection.pgconn.finish()
        self._writing = False
        waiting, self._asked = self._asked, deque()
        for asked in waiting:
            if not asked.answered.done():
                why = error or OSError("it was closed")
                asked.answered.set_exception(lost_connection(why, self._parameters))
