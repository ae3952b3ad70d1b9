"""The ledger's own connection: one holder, known as alive by its lock, one batch at a time."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import msgspec
import psycopg

from soullink.gateways.llm.ledger import store
from soullink.gateways.llm.ledger.batch import Attempt, Batch
from soullink.gateways.llm.ledger.budgets import BudgetLine, line_in_text, lost, subjects_of
from soullink.gateways.llm.ledger.port import Intent
from soullink.gateways.llm.port import Attribution
from soullink.gateways.postgres.conninfo import lost_connection, no_connection
from soullink.gateways.postgres.direct import Direct, Rows
from soullink.kernel.errors import UnavailableError

Connection: TypeAlias = psycopg.AsyncConnection[tuple[Any, ...]]

# A machine that vanished must not hold its lock for hours.
_SESSION: Final = (
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
    " -c lock_timeout=10s"
)


Send: TypeAlias = Callable[..., "asyncio.Future[list[Rows]]"]


class SessionLostError(Exception):
    """The connection broke; whether the batch in hand was committed is not known yet."""


class UnwritableError(Exception):
    """Something in the batch can never be written: a NUL in a text, an id used twice, ..."""


class LedgerSession:
    """A connection that books batches for one holder. Not for two tasks at once.

    number: the last batch known to be committed.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        options = f"{parameters.get('options') or ''} {_SESSION}".strip()
        self._parameters = {**parameters, "options": options}
        self._connection: Connection | None = None
        self._direct = Direct(self._parameters)
        self._pid = 0
        # No budget touched the last batch, so none will touch the next, most likely.
        self._free = False
        self._encode = msgspec.json.Encoder().encode
        self.holder: int | None = None
        self.number = 0

    @property
    def connected(self) -> bool:
        return self._connection is not None

    async def connect(self, now: datetime) -> None:
        """Connect, and become a holder or the same one again. Raises UnavailableError."""
        try:
            connection = await psycopg.AsyncConnection.connect(
                **self._parameters, autocommit=True, cursor_factory=psycopg.AsyncRawCursor
            )
        except psycopg.OperationalError as error:
            raise no_connection(error, self._parameters) from error
        self._connection = connection
        try:
            await self._take_hold(connection, now)
        except psycopg.Error as error:
            self.drop()
            raise self._unavailable(error) from error
        except BaseException:
            self.drop()
            raise
        self._pid = connection.info.backend_pid

    async def _take_hold(self, connection: Connection, now: datetime) -> None:
        async with connection.transaction():
            if self.holder is not None:
                old = [self._pid, store.HOLDER_LOCKS, self.holder]
                await connection.execute(store.END_OLD_SESSION, old)
                await connection.execute(store.HOLD, [store.HOLDER_LOCKS, self.holder])
                cursor = await connection.execute(store.REOPEN_HOLDER, [self.holder])
                row = await cursor.fetchone()
                if row is not None:
                    self.number = row[0]
                    return
            # Locked before it can be seen, or a sweep would take it for dead.
            row = await (await connection.execute(store.NEW_HOLDER, [now])).fetchone()
            self.holder, self.number = (row or (0,))[0], 0
            await connection.execute(store.HOLD, [store.HOLDER_LOCKS, self.holder])

    async def commit(self, batch: Batch, open_from: int, now: datetime) -> None:
        """Decide and book `batch` in one transaction; afterwards all of it holds, or none.

        open_from: no intent of an earlier batch is open. Raises SessionLostError,
        UnwritableError or UnavailableError; after the last two nothing was booked.
        """
        number = batch.number = self.number + 1
        begun = (str(self.holder), str(number), str(min(open_from, number)))
        try:
            send = self._quick()
            if self._free and await self._book_freely(send, begun, batch, now):
                self.number = number
                return
            _, held, locked = await send(
                ("BEGIN", ()),
                (store.BEGIN_BATCH, _values(*begun)),
                (store.LOCK_BUDGETS, _values(self._json(batch.subjects()))),
            )
            self._still_holder(held[0] if held else None)
            lines = [line_in_text(row) for row in locked]
            self._free = not lines
            batch.decide(lines, now)
            await send(*self._written(batch, lines, now), ("COMMIT", ()))
        except (psycopg.Error, UnavailableError) as error:
            raise await self._failed(error) from error
        except UnwritableError:
            await self._roll_back()
            raise
        except BaseException:
            self.drop()
            raise
        self.number = number

    async def _book_freely(
        self, send: Send, begun: Sequence[str], batch: Batch, now: datetime
    ) -> bool:
        """Book the batch where no budget touches it; return whether that was so."""
        batch.decide((), now)
        subjects = self._json(batch.subjects())
        try:
            await send(
                (store.BEGIN_FREE_BATCH, _values(*begun, subjects)),
                *self._written(batch, (), now),
            )
        except psycopg.errors.DivisionByZero:
            return False
        return True

    def _written(
        self, batch: Batch, lines: Sequence[BudgetLine], now: datetime
    ) -> list[tuple[str, Sequence[bytes]]]:
        """Return the statements that write the batch, with their values."""
        counted = [
            (line.scope, line.subject, line.period, line.spent, line.reserved, line.since)
            for line in lines
        ]
        at = now.isoformat()
        values = _values(
            str(self.holder),
            str(batch.number),
            self._json(batch.intent_rows()),
            self._json(batch.ended_rows()),
            at,
            self._json(counted),
        )
        written: list[tuple[str, Sequence[bytes]]] = [(store.WRITE, values)]
        if batch.corrected:
            written.append((store.CORRECT, _values(self._json(batch.corrected_rows()), at)))
        return written

    async def booked_as_lost(self, attempt_ids: Sequence[str]) -> dict[str, datetime]:
        """Return which of our attempts others took for lost while we were away, and when."""
        try:
            run = self._open().execute
            cursor = await run(store.BOOKED_AS_LOST, [self._json(attempt_ids)])
            return {row[0]: row[1] for row in await cursor.fetchall()}
        except psycopg.Error as error:
            raise await self._failed(error) from error

    async def sweep(self, now: datetime) -> int:
        """Book the open intents of holders that died as lost; return how many there were."""
        try:
            cursor = await self._open().execute(store.OTHER_HOLDERS, [self.holder])
            others = [row[0] for row in await cursor.fetchall()]
            return sum([await self._close_holder(holder, now) for holder in others])
        except psycopg.Error as error:
            raise await self._failed(error) from error

    async def leave(self, now: datetime) -> None:
        """Book what is still open as lost, and let go of the connection."""
        if self._connection is None or self.holder is None:
            return
        try:
            await self._close_holder(self.holder, now)
        except psycopg.Error as error:
            raise await self._failed(error) from error
        finally:
            with contextlib.suppress(psycopg.OperationalError):
                self._direct.detach()
            connection, self._connection = self._connection, None
            self.holder = None
            if connection is not None:
                await connection.close()

    def drop(self) -> None:
        """Give the connection up without a word: it may not answer any more."""
        connection, self._connection = self._connection, None
        self._direct.drop()
        if connection is not None:
            connection.pgconn.finish()

    async def _close_holder(self, holder: int, now: datetime) -> int:
        """Book a holder's open intents as lost; nothing where it is alive or closed already."""
        run = self._open().execute
        async with self._open().transaction():
            free = await (await run(store.TRY_HOLD, [store.HOLDER_LOCKS, holder])).fetchone()
            if free is None or not free[0]:
                return 0
            if await (await run(store.HOLDER_TO_CLOSE, [holder])).fetchone() is None:
                return 0
            rows = await (await run(store.OPEN_INTENTS, [holder])).fetchall()
            batch = Batch(ended=[_lost(row, now) for row in rows])
            locked = await run(store.LOCK_BUDGETS, [self._json(batch.subjects())])
            lines = [line_in_text(row) for row in await locked.fetchall()]
            batch.decide(lines, now)
            for statement, values in self._written(batch, lines, now):
                await run(statement, [value.decode() for value in values])
            await run(store.CLOSE_HOLDER, [holder, now])
        return len(rows)

    async def _failed(self, error: psycopg.Error | UnavailableError) -> Exception:
        """Return what to raise for `error`, the transaction rolled back or the session dropped."""
        if not await self._roll_back():
            return SessionLostError(str(error))
        if isinstance(error, UnavailableError):
            return error
        if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
            return UnwritableError(_first_line(error))
        return self._unavailable(error)

    async def _roll_back(self) -> bool:
        """Return whether the session still stands."""
        if self._connection is None or self._connection.closed:
            self.drop()
            return False
        try:
            await self._open().rollback()
        except psycopg.Error:
            self.drop()
            return False
        return True

    def _still_holder(self, row: Sequence[Any] | None) -> None:
        if row is None:
            # Somebody removed our row: become another holder.
            self.holder = None
            raise SessionLostError

    def _unavailable(self, error: psycopg.Error) -> UnavailableError:
        if isinstance(error, psycopg.errors.UndefinedTable):
            return UnavailableError(
                "The ledger's tables are missing: run `soullink migrate` on this database."
            )
        if error.sqlstate is None:
            return lost_connection(error, self._parameters)
        return UnavailableError(f"The ledger cannot be written: {_first_line(error)}.")

    def _json(self, rows: object) -> str:
        try:
            return self._encode(rows).decode()
        except (OverflowError, UnicodeEncodeError, TypeError) as error:
            raise UnwritableError(str(error)) from error

    def _open(self) -> Connection:
        """Return the connection for what is seldom asked, as the library has it."""
        if self._connection is None:
            raise SessionLostError
        self._direct.detach()
        return self._connection

    def _quick(self) -> Send:
        """Return the way to send what every batch asks, without the library's ado."""
        if self._connection is None:
            raise SessionLostError
        if not self._direct.attached:
            self._direct.attach(self._connection)
        return self._direct.send


def _lost(row: Sequence[Any], now: datetime) -> Attempt:
    attempt_id, call_id, tenant, key, run, prompt, purpose, provider, model, bound, started = row
    intent = Intent(
        attempt_id=attempt_id,
        call_id=call_id,
        attribution=Attribution(tenant, key, run, prompt),
        purpose=purpose,
        provider=provider,
        model=model,
        bound_nano_usd=bound,
        started_at=started,
    )
    attempt = Attempt(intent, subjects_of(tenant, key, run, provider, model))
    attempt.end(lost(intent, now))
    return attempt


def _values(*texts: str) -> tuple[bytes, ...]:
    return tuple([text.encode() for text in texts])


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
