"""The ledger without a database: for tests, and where nothing need outlive the process."""

from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec.structs import replace

from soullink.gateways.llm.ledger.budgets import (
    BudgetLine,
    Subject,
    booked_cost,
    check_budget,
    check_columns,
    check_intent,
    lost,
    no_budget,
    period_start,
    refusal,
    subjects_of,
)
from soullink.gateways.llm.ledger.port import (
    Budget,
    Entry,
    Intent,
    Period,
    Scope,
    Settlement,
    UsageColumn,
    UsageRow,
)
from soullink.kernel.clock import Clock, SystemClock
from soullink.kernel.errors import ConflictError, UnavailableError

_REMEMBERED_MATCHES: Final = 10_000


class MemoryLedger:
    """Implements Ledger and Accounts within one process; nothing is durable.

    Budgets count everything; usage and entries know what is open and the last `keep` attempts.
    """

    def __init__(self, *, clock: Clock | None = None, keep: int = 20_000) -> None:
        self._clock = clock or SystemClock()
        self._lines: dict[tuple[Scope, str, Period], BudgetLine] = {}
        # Which of them a call falls under, until they change.
        self._matches: dict[tuple[str, str, str, str, str], list[BudgetLine]] = {}
        self._open: dict[str, Intent] = {}
        self._ended: deque[tuple[datetime, Entry]] = deque(maxlen=keep)
        self._closed = False

    async def reserve(self, intent: Intent) -> None:
        """Set the bound aside. Raises as PostgresLedger's does."""
        if self._closed:
            raise UnavailableError("The ledger is closed; open another one.")
        check_intent(intent)
        if intent.attempt_id in self._open:
            raise ConflictError(f"The attempt {intent.attempt_id} is in the ledger already.")
        if self._lines:
            error = refusal(intent, self._lines_of(intent, self._clock.now()))
            if error is not None:
                raise error
        self._open[intent.attempt_id] = intent

    def settle(self, settlement: Settlement) -> None:
        """Book the attempt once; a second time is ignored. A cost of None is booked as the whole
        bound, estimated, where that is known."""
        intent = self._open.pop(settlement.attempt_id, None)
        if intent is None:
            return
        cost, estimated = booked_cost(settlement, intent.bound_nano_usd)
        if cost != settlement.cost_nano_usd or estimated != settlement.estimated:
            settlement = replace(settlement, cost_nano_usd=cost, estimated=estimated)
        now = self._clock.now()
        if self._lines:
            for line in self._lines_of(intent, now):
                line.book(intent.bound_nano_usd or 0, cost or 0)
        self._ended.append((now, Entry(intent, settlement)))

    async def flush(self) -> None:
        """Return at once: nothing waits to be written."""

    async def close(self) -> None:
        """Book what is open as lost; calling it twice does no harm."""
        self._closed = True
        now = self._clock.now()
        for intent in list(self._open.values()):
            self.settle(lost(intent, now))

    async def set_budget(
        self, scope: Scope, subject: str, period: Period, limit_nano_usd: int
    ) -> Budget:
        """Create or change a budget; a new one counts as PostgresAccounts' does."""
        check_budget(scope, subject, period, limit_nano_usd)
        now = self._clock.now()
        line = self._lines.get((scope, subject, period))
        if line is None:
            since = period_start(period, now) or now
            line = BudgetLine(scope, subject, period, limit_nano_usd, 0, 0, since)
            for intent in self._open.values():
                if (scope, subject) in _subjects(intent):
                    line.reserved += intent.bound_nano_usd or 0
            for moment, entry in self._ended:
                if moment >= since and (scope, subject) in _subjects(entry.intent):
                    line.spent += (entry.settlement and entry.settlement.cost_nano_usd) or 0
            self._lines[scope, subject, period] = line
            self._matches.clear()
        line.limit = limit_nano_usd
        line.turn(now)
        return line.budget()

    async def remove_budget(self, scope: Scope, subject: str, period: Period) -> None:
        """Raises NotFoundError."""
        if self._lines.pop((scope, subject, period), None) is None:
            raise no_budget(scope, subject, period)
        self._matches.clear()

    async def list_budgets(self) -> list[Budget]:
        """Return every budget with what is spent and reserved in its current period."""
        now = self._clock.now()
        for line in self._lines.values():
            line.turn(now)
        return [line.budget() for _, line in sorted(self._lines.items())]

    async def usage(
        self,
        by: Sequence[UsageColumn],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        where: Mapping[UsageColumn, str] | None = None,
    ) -> list[UsageRow]:
        """Return usage as PostgresAccounts does, of the attempts that are kept."""
        check_columns((*by, *(where or {})))
        groups: dict[tuple[str, ...], list[Entry]] = {}
        for entry in self._entries():
            intent = entry.intent
            if since is not None and intent.started_at < since:
                continue
            if until is not None and intent.started_at >= until:
                continue
            if all(_column(intent, name) == value for name, value in (where or {}).items()):
                group = tuple(_column(intent, name) for name in by)
                groups.setdefault(group, []).append(entry)
        rows = [_usage_row(group, entries) for group, entries in groups.items()]
        return sorted(rows, key=lambda row: (-row.cost_nano_usd, row.group))

    async def entries(self, *, run: str | None = None) -> AsyncIterator[Entry]:
        """Yield entries, oldest first."""
        for entry in sorted(self._entries(), key=lambda entry: entry.intent.attempt_id):
            if run is None or entry.intent.attribution.run == run:
                yield entry

    def _entries(self) -> Iterator[Entry]:
        yield from (entry for _, entry in self._ended)
        yield from (Entry(intent, None) for intent in self._open.values())

    def _lines_of(self, intent: Intent, now: datetime) -> list[BudgetLine]:
        by = intent.attribution
        question = (by.tenant, by.key, by.run, intent.provider, intent.model)
        lines = self._matches.get(question)
        if lines is None:
            if len(self._matches) >= _REMEMBERED_MATCHES:
                self._matches.clear()
            subjects = subjects_of(*question)
            found = [key for key in self._lines if key[:2] in subjects]
            lines = self._matches[question] = [self._lines[key] for key in sorted(found)]
        for line in lines:
            line.turn(now)
        return lines


def _subjects(intent: Intent) -> tuple[Subject, ...]:
    by = intent.attribution
    return subjects_of(by.tenant, by.key, by.run, intent.provider, intent.model)


def _column(intent: Intent, column: UsageColumn) -> str:
    by = intent.attribution
    if column == "model":
        return f"{intent.provider}:{intent.model}"
    if column == "purpose":
        return intent.purpose
    if column == "day":
        return intent.started_at.astimezone(UTC).date().isoformat()
    return {"prompt": by.prompt, "run": by.run, "tenant": by.tenant, "key": by.key}[column]


def _usage_row(group: tuple[str, ...], entries: Sequence[Entry]) -> UsageRow:
    ended = [entry.settlement for entry in entries if entry.settlement is not None]
    scores: dict[str, list[float]] = {}
    for settlement in ended:
        for name, score in settlement.quality.items():
            scores.setdefault(name, []).append(score)
    return UsageRow(
        group=group,
        calls=len({entry.intent.call_id for entry in entries}),
        attempts=len(entries),
        failed=sum(s.outcome != "answered" for s in ended),
        input_tokens=sum(s.usage.input_tokens for s in ended),
        cached_input_tokens=sum(s.usage.cached_input_tokens for s in ended),
        output_tokens=sum(s.usage.output_tokens for s in ended),
        cost_nano_usd=sum(s.cost_nano_usd or 0 for s in ended),
        estimated_nano_usd=sum(s.cost_nano_usd or 0 for s in ended if s.estimated),
        unpriced=sum(s.cost_nano_usd is None for s in ended),
        mean_latency_seconds=sum(s.latency_seconds for s in ended) / len(ended) if ended else 0.0,
        quality={name: sum(all_) / len(all_) for name, all_ in sorted(scores.items())},
    )
