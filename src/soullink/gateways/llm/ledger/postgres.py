"""The ledger in PostgreSQL: many calls share a commit, and no balance is ever remembered."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from soullink.gateways.llm.ledger.accounts import PostgresAccounts
from soullink.gateways.llm.ledger.batch import Attempt, Batch
from soullink.gateways.llm.ledger.budgets import (
    Subject,
    check_intent,
    subjects_of,
    unsent,
)
from soullink.gateways.llm.ledger.port import Intent, Settlement
from soullink.gateways.llm.ledger.session import LedgerSession, SessionLostError, UnwritableError
from soullink.gateways.llm.port import Usage
from soullink.gateways.postgres.database import Database
from soullink.gateways.postgres.grouped import MOST_AT_ONCE, Load, gathered
from soullink.kernel.clock import Clock, SystemClock
from soullink.kernel.errors import ConflictError, InvalidInputError, SoulLinkError, UnavailableError

_log = logging.getLogger(__name__)

_SETTLE_WITHIN_SECONDS: Final = 0.005
_TRY_AGAIN_SECONDS: Final = 1.0
_LOSSES_IN_A_ROW: Final = 3
_REMEMBERED_SUBJECTS: Final = 10_000
_UNWRITABLE: Final = "llm_unwritable"


class PostgresLedger(PostgresAccounts):
    """Implements Ledger and Accounts. Belongs to the event loop that it is first used in.

    Everything that wants to be booked at a moment shares one transaction, which locks the
    budgets touched, so any number of processes keep to them. Connects when first used.
    sweep_seconds: how often holders that died are looked for, besides whenever it connects.
    """

    def __init__(
        self, database: Database, *, clock: Clock | None = None, sweep_seconds: float = 30.0
    ) -> None:
        super().__init__(database, clock=clock)
        self._clock = clock or SystemClock()
        self._sweep_seconds = sweep_seconds
        self._session = LedgerSession(database.parameters)
        self._open: dict[str, Attempt] = {}
        self._wanted: list[Attempt] = []
        self._ended: list[Attempt] = []
        self._flushes: list[asyncio.Future[None]] = []
        # A batch of which we do not know whether it was committed.
        self._doubt: Batch | None = None
        self._losses = 0
        self._load = Load()
        self._subjects: dict[tuple[str, str, str, str, str], tuple[Subject, ...]] = {}
        self._writer: asyncio.Task[None] | None = None
        self._soon: asyncio.TimerHandle | None = None
        self._next_sweep: asyncio.TimerHandle | None = None
        self._sweep_due = True
        self._closed = False

    async def open(self) -> None:
        """Connect now and book what died holders left open, rather than with the first call.

        Raises UnavailableError.
        """
        await self.flush()

    async def reserve(self, intent: Intent) -> None:
        """Set the bound aside and record the intent, durably. Where it raises, even
        CancelledError, nothing is reserved and nothing is to be settled.

        Raises LlmBudgetError, UnavailableError, ConflictError for an attempt_id used before and
        InvalidInputError for an intent that cannot be written.
        """
        if self._closed:
            raise UnavailableError("The ledger is closed; open another one.")
        check_intent(intent)
        granted = asyncio.get_running_loop().create_future()
        attempt = Attempt(intent, self._subjects_of(intent), granted)
        self._wanted.append(attempt)
        if self._writer is None:
            self._write_now()
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled() and granted.exception() is None:
                # Granted in the very moment in which the caller went away.
                self.settle(unsent(intent))
            raise

    def settle(self, settlement: Settlement) -> None:
        """Book the attempt once and free what is left of its bound; a second time is ignored.

        A cost of None is booked as the whole bound, estimated, where that is known.
        """
        attempt = self._open.pop(settlement.attempt_id, None)
        if attempt is None:
            return
        attempt.end(settlement)
        self._ended.append(attempt)
        if self._writer is None and self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(
                _SETTLE_WITHIN_SECONDS, self._write_now
            )

    async def flush(self) -> None:
        """Wait until every settlement so far is durable. Raises UnavailableError."""
        done = asyncio.get_running_loop().create_future()
        self._flushes.append(done)
        self._write_now()
        await done

    async def close(self) -> None:
        """Flush, book what is still open as lost and disconnect; twice does no harm.

        Raises UnavailableError where the database is away: the next ledger that is opened then
        books as lost what was not written.
        """
        if self._closed:
            return
        self._closed = True
        self._stop(self._next_sweep)
        try:
            if self._session.connected or self._ended or self._doubt is not None:
                await self.flush()
                # What is not settled by now is booked as lost below.
                self._open.clear()
                if self._writer is not None:
                    await self._writer
                await self._session.leave(self._clock.now())
        except SessionLostError as error:
            raise UnavailableError(
                "The database went away while the ledger was closing; what is open is booked as"
                " lost by the next one."
            ) from error
        finally:
            self._session.drop()
            self._open.clear()
            self._stop(self._soon)

    def _stop(self, timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()

    def _subjects_of(self, intent: Intent) -> tuple[Subject, ...]:
        by = intent.attribution
        question = (by.tenant, by.key, by.run, intent.provider, intent.model)
        subjects = self._subjects.get(question)
        if subjects is None:
            if len(self._subjects) >= _REMEMBERED_SUBJECTS:
                self._subjects.clear()
            subjects = self._subjects[question] = subjects_of(*question)
        return subjects

    # The writer: a task for as long as there is work.

    def _write_now(self) -> None:
        self._stop(self._soon)
        self._soon = None
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    def _has_work(self) -> bool:
        waiting = self._wanted or self._ended or self._flushes
        return bool(waiting) or self._doubt is not None or self._sweep_due

    async def _write(self) -> None:
        try:
            while self._has_work():
                if not self._flushes and self._load.busy():
                    await gathered(lambda: len(self._wanted), MOST_AT_ONCE)
                flushes, self._flushes = self._flushes, []
                try:
                    await self._ready()
                    await self._book()
                except SessionLostError:
                    self._flushes = flushes + self._flushes
                    self._losses += 1
                    if self._losses >= _LOSSES_IN_A_ROW:
                        raise UnavailableError(
                            "The database goes away whenever the ledger is written; try later."
                        ) from None
                except BaseException:
                    self._flushes = flushes + self._flushes
                    raise
                else:
                    self._losses = 0
                    for done in flushes:
                        _resolve(done)
        except UnavailableError as error:
            self._give_up(str(error))
        except BaseException as error:
            # A bug or the end of the loop: nobody may wait for ever.
            self._session.drop()
            self._give_up(f"The ledger failed ({type(error).__name__}).")
            raise
        finally:
            self._writer = None

    async def _ready(self) -> None:
        """Be connected, know what became of the last batch, and have looked for the dead."""
        now = self._clock.now()
        if not self._session.connected:
            await self._session.connect(now)
            self._settle_doubt()
            await self._find_lost()
            self._sweep_due = True
        if self._sweep_due:
            swept = await self._session.sweep(now)
            self._sweep_due = False
            if swept:
                _log.warning("booked as lost after their process died: %d calls", swept)
            self._sweep_later(self._sweep_seconds)

    def _settle_doubt(self) -> None:
        doubt, self._doubt = self._doubt, None
        if doubt is None:
            return
        if doubt.number == self._session.number:
            self._booked(doubt)
        else:
            self._ended[:0] = [*doubt.ended, *doubt.corrected]
            self._wanted[:0] = [attempt for attempt in doubt.wanted if attempt.waits]

    async def _find_lost(self) -> None:
        known = {a.intent.attempt_id: a for a in (*self._open.values(), *self._ended)}
        if known:
            for attempt_id, moment in (await self._session.booked_as_lost(list(known))).items():
                known[attempt_id].lost_at = moment

    async def _book(self) -> None:
        ended, self._ended = self._ended, []
        wanted, self._wanted = self._wanted, []
        batch = Batch(ended, wanted)
        if not len(batch):
            return
        oldest = next(iter(self._open.values()), None)
        open_from = self._session.number + 1 if oldest is None else oldest.batch
        try:
            await self._commit(batch, open_from)
        except UnwritableError as error:
            if len(batch) == 1:
                await self._put_aside(batch, open_from, error)
                return
            # One of them spoils it for the others.
            oldest_ended = min((a.batch for a in ended), default=open_from)
            rest = batch.alone()
            while rest:
                try:
                    await self._commit_or_put_aside(rest[0], min(open_from, oldest_ended))
                except BaseException:
                    for later in rest[1:]:
                        self._ended += [*later.ended, *later.corrected]
                        self._wanted += later.wanted
                    raise
                del rest[0]

    async def _commit_or_put_aside(self, batch: Batch, open_from: int) -> None:
        try:
            await self._commit(batch, open_from)
        except UnwritableError as error:
            await self._put_aside(batch, open_from, error)

    async def _commit(self, batch: Batch, open_from: int) -> None:
        try:
            await self._session.commit(batch, open_from, self._clock.now())
        except UnwritableError:
            raise
        except UnavailableError:
            # Rolled back.
            self._ended[:0] = [*batch.ended, *batch.corrected]
            self._wanted[:0] = batch.wanted
            raise
        except BaseException:
            self._doubt = batch
            raise
        self._booked(batch)

    def _booked(self, batch: Batch) -> None:
        for attempt in batch.granted:
            attempt.batch = batch.number
            self._open[attempt.intent.attempt_id] = attempt
            if not _resolve(attempt.granted):
                self.settle(unsent(attempt.intent))
        for attempt, error in batch.refused:
            _reject(attempt.granted, error)

    async def _put_aside(self, batch: Batch, open_from: int, error: UnwritableError) -> None:
        """Deal with the one thing in `batch`, which can never be written as it is."""
        for attempt in batch.wanted:
            _reject(attempt.granted, _unwritable(attempt.intent, error))
        for attempt in (*batch.ended, *batch.corrected):
            settlement = attempt.settlement
            if settlement is None or settlement.error_code == _UNWRITABLE:
                _log.error("an entry of the ledger cannot be written: %s", error)
                continue
            # The money is right; the rest is what cannot be written.
            attempt.settlement = replace(
                settlement, usage=Usage(estimated=True), quality={}, error_code=_UNWRITABLE
            )
            _log.error("an entry of the ledger is written without its usage: %s", error)
            await self._commit_or_put_aside(Batch(ended=[attempt]), open_from)

    def _give_up(self, why: str) -> None:
        """Tell everybody who waits; what ended is kept and tried again."""
        wanted, self._wanted = self._wanted, []
        doubtful: Iterable[Attempt] = () if self._doubt is None else self._doubt.wanted
        for attempt in (*wanted, *doubtful):
            _reject(attempt.granted, UnavailableError(why))
        flushes, self._flushes = self._flushes, []
        for done in flushes:
            _reject(done, UnavailableError(why))
        self._losses = 0
        self._sweep_later(_TRY_AGAIN_SECONDS)

    def _sweep_later(self, seconds: float) -> None:
        self._stop(self._next_sweep)
        if self._closed:
            return
        self._next_sweep = asyncio.get_running_loop().call_later(seconds, self._sweep_now)

    def _sweep_now(self) -> None:
        self._next_sweep = None
        self._sweep_due = True
        self._write_now()


def _resolve(future: asyncio.Future[None] | None) -> bool:
    if future is None or future.done():
        return False
    future.set_result(None)
    return True


def _reject(future: asyncio.Future[None] | None, error: Exception) -> None:
    if future is not None and not future.done():
        future.set_exception(error)


def _unwritable(intent: Intent, error: UnwritableError) -> SoulLinkError:
    if "duplicate key" in str(error):
        return ConflictError(f"The attempt {intent.attempt_id} is in the ledger already.")
    return InvalidInputError(f"The ledger cannot record this call: {error}.")
