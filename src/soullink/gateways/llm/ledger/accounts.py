"""Budgets and usage, as people ask for them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import TextClause, text

from soullink.gateways.llm.ledger.budgets import (
    MOST_COUNTED,
    check_budget,
    check_columns,
    line_of,
    no_budget,
    period_start,
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
from soullink.gateways.llm.port import Attribution, Usage
from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock, SystemClock

_PAGE: Final = 1_000

_COLUMNS: Final[Mapping[str, str]] = {
    "model": "i.provider || ':' || i.model",
    "prompt": "i.prompt",
    "run": "i.run",
    "tenant": "i.tenant",
    "key": "i.key",
    "purpose": "i.purpose",
    "day": "to_char(i.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}

_BUDGET: Final = "scope, subject, period, limit_nano_usd, spent_nano_usd, reserved_nano_usd, since"

_OF_BUDGET: Final[Mapping[str, str]] = {
    "all": ":subject = ''",
    "tenant": "i.tenant = :subject",
    "key": "i.key = :subject",
    "run": "i.run = :subject",
    "model": "i.provider || ':' || i.model = :subject",
}


class PostgresAccounts:
    """Implements Accounts. Holds no connection of its own; any process may have one."""

    def __init__(self, database: Database, *, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    async def set_budget(
        self, scope: Scope, subject: str, period: Period, limit_nano_usd: int
    ) -> Budget:
        """Create or change a budget.

        A new one counts what ended since its period began ("total": from now on) and everything
        in flight. One that is already overdrawn allows nothing more. Raises InvalidInputError.
        """
        check_budget(scope, subject, period, limit_nano_usd)
        now = self._clock.now()
        key = {"scope": scope, "subject": subject, "period": period}
        async with self._database.work() as work:
            # Nobody reserves or settles while a new budget is counted.
            await work.session.execute(text("LOCK TABLE llm_budget IN EXCLUSIVE MODE"))
            changed = await work.session.execute(
                text(
                    "UPDATE llm_budget SET limit_nano_usd = :limit"  # noqa: S608 - a constant
                    " WHERE scope = :scope AND subject = :subject AND period = :period"
                    f" RETURNING {_BUDGET}"
                ),
                {**key, "limit": limit_nano_usd},
            )
            row = changed.one_or_none()
            if row is None:
                since = period_start(period, now) or now
                counted = await work.session.execute(
                    _count(scope), {"subject": subject, "since": since}
                )
                reserved, spent = counted.one()
                added = await work.session.execute(
                    text(
                        f"INSERT INTO llm_budget ({_BUDGET}) VALUES (:scope, :subject, :period,"  # noqa: S608 - a constant
                        f" :limit, :spent, :reserved, :since) RETURNING {_BUDGET}"
                    ),
                    {
                        **key,
                        "limit": limit_nano_usd,
                        "spent": min(int(spent), MOST_COUNTED),
                        "reserved": min(int(reserved), MOST_COUNTED),
                        "since": since,
                    },
                )
                row = added.one()
        line = line_of(row)
        line.turn(now)
        return line.budget()

    async def remove_budget(self, scope: Scope, subject: str, period: Period) -> None:
        """Remove a budget; what was spent stays in the ledger. Raises NotFoundError."""
        async with self._database.work() as work:
            removed = await work.session.execute(
                text(
                    "DELETE FROM llm_budget WHERE scope = :scope AND subject = :subject"
                    " AND period = :period RETURNING scope"
                ),
                {"scope": scope, "subject": subject, "period": period},
            )
            if removed.one_or_none() is None:
                raise no_budget(scope, subject, period)

    async def list_budgets(self) -> list[Budget]:
        """Return every budget with what is spent and reserved in its current period."""
        now = self._clock.now()
        async with self._database.work() as work:
            rows = await work.session.execute(
                text(f"SELECT {_BUDGET} FROM llm_budget ORDER BY scope, subject, period")  # noqa: S608 - a constant
            )
            lines = [line_of(row) for row in rows]
        for line in lines:
            line.turn(now)
        return [line.budget() for line in lines]

    async def usage(
        self,
        by: Sequence[UsageColumn],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        where: Mapping[UsageColumn, str] | None = None,
    ) -> list[UsageRow]:
        """Return usage grouped by `by`, largest cost first, by when the attempts began.

        since is inclusive, until is not. A model is "provider:model", a day "2026-03-01" in UTC.
        Raises InvalidInputError for a column that is none.
        """
        check_columns((*by, *(where or {})))
        groups = "".join(f"{_COLUMNS[column]} AS g{n}, " for n, column in enumerate(by))
        names = ", ".join(f"g{n}" for n in range(len(by)))
        conditions, values = _conditions(since, until, where or {})
        source = (
            f"FROM llm_intent i LEFT JOIN llm_settlement s USING (attempt_id) WHERE {conditions}"
        )
        grouped = f" GROUP BY {names}" if by else ""
        async with self._database.work() as work:
            rows = (
                await work.session.execute(
                    text(f"SELECT {groups}{_SUMS} {source}{grouped}"),
                    values,
                )
            ).all()
            scores = (
                await work.session.execute(
                    text(
                        f"SELECT {groups}q.key, avg(q.value::float8)"  # noqa: S608 - our own words
                        " FROM llm_intent i JOIN llm_settlement s USING (attempt_id)"
                        " CROSS JOIN LATERAL jsonb_each_text(s.quality) AS q"
                        f" WHERE {conditions} AND s.quality IS NOT NULL"
                        f" GROUP BY {names}{', ' if by else ''}q.key ORDER BY q.key"
                    ),
                    values,
                )
            ).all()
        quality: dict[tuple[str, ...], dict[str, float]] = {}
        for row in scores:
            quality.setdefault(tuple(row[:-2]), {})[row[-2]] = row[-1]
        found = [
            _usage_row(tuple(row[: len(by)]), row[len(by) :], quality)
            for row in rows
            if row[len(by) + 1]
        ]
        return sorted(found, key=lambda row: (-row.cost_nano_usd, row.group))

    async def entries(self, *, run: str | None = None) -> AsyncIterator[Entry]:
        """Yield entries, oldest first, of one run or of all; reads on while more are added."""
        # By id, which begins with the time: UUIDv7.
        after = "00000000-0000-0000-0000-000000000000"
        condition = "" if run is None else " AND i.run = :run"
        page = text(
            f"SELECT {_ENTRY} FROM llm_intent i LEFT JOIN llm_settlement s USING (attempt_id)"  # noqa: S608 - our own words
            f" WHERE i.attempt_id > CAST(:after AS uuid){condition}"
            f" ORDER BY i.attempt_id LIMIT {_PAGE}"
        )
        values = {} if run is None else {"run": run}
        while True:
            async with self._database.work() as work:
                rows = (await work.session.execute(page, {"after": after, **values})).all()
            for row in rows:
                yield _entry(row)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]


_SUMS: Final = """
    count(DISTINCT i.call_id), count(*), count(*) FILTER (WHERE s.outcome <> 'answered'),
    coalesce(sum(s.input_tokens), 0), coalesce(sum(s.cached_input_tokens), 0),
    coalesce(sum(s.output_tokens), 0), coalesce(sum(s.cost_nano_usd), 0),
    coalesce(sum(s.cost_nano_usd) FILTER (WHERE s.estimated), 0),
    count(*) FILTER (WHERE s.attempt_id IS NOT NULL AND s.cost_nano_usd IS NULL),
    coalesce(avg(s.latency_seconds), 0)
"""

_ENTRY: Final = """
    i.attempt_id::text, i.call_id, i.tenant, i.key, i.run, i.prompt, i.purpose, i.provider,
    i.model, i.bound_nano_usd, i.started_at, s.outcome, s.input_tokens, s.output_tokens,
    s.cached_input_tokens, s.usage_estimated, s.cost_nano_usd, s.estimated, s.latency_seconds,
    s.error_code, s.quality
"""


def _count(scope: Scope) -> TextClause:
    of_budget = _OF_BUDGET[scope]
    return text(
        f"""
        SELECT (SELECT coalesce(sum(i.bound_nano_usd), 0)
                FROM llm_holder h
                JOIN llm_intent i ON i.holder_id = h.id AND i.batch >= h.open_from_batch
                WHERE h.closed_at IS NULL AND {of_budget}
                  AND NOT EXISTS (SELECT FROM llm_settlement s WHERE s.attempt_id = i.attempt_id)),
               (SELECT coalesce(sum(s.cost_nano_usd), 0)
                FROM llm_settlement s JOIN llm_intent i USING (attempt_id)
                WHERE s.settled_at >= :since AND {of_budget})
        """  # noqa: S608 - our own words
    )


def _conditions(
    since: datetime | None, until: datetime | None, where: Mapping[UsageColumn, str]
) -> tuple[str, dict[str, Any]]:
    conditions = ["TRUE"]
    values: dict[str, Any] = {}
    if since is not None:
        conditions.append("i.started_at >= :since")
        values["since"] = since
    if until is not None:
        conditions.append("i.started_at < :until")
        values["until"] = until
    for column, value in where.items():
        conditions.append(f"{_COLUMNS[column]} = :where_{column}")
        values[f"where_{column}"] = value
    return " AND ".join(conditions), values


def _usage_row(
    group: tuple[str, ...],
    sums: Sequence[Any],
    quality: Mapping[tuple[str, ...], Mapping[str, float]],
) -> UsageRow:
    return UsageRow(
        group=group,
        calls=sums[0],
        attempts=sums[1],
        failed=sums[2],
        input_tokens=int(sums[3]),
        cached_input_tokens=int(sums[4]),
        output_tokens=int(sums[5]),
        cost_nano_usd=int(sums[6]),
        estimated_nano_usd=int(sums[7]),
        unpriced=sums[8],
        mean_latency_seconds=sums[9],
        quality=quality.get(group, {}),
    )


def _entry(row: Sequence[Any]) -> Entry:
    intent = Intent(
        attempt_id=row[0],
        call_id=row[1],
        attribution=Attribution(row[2], row[3], row[4], row[5]),
        purpose=row[6],
        provider=row[7],
        model=row[8],
        bound_nano_usd=row[9],
        started_at=row[10],
    )
    if row[11] is None:
        return Entry(intent, None)
    settlement = Settlement(
        attempt_id=row[0],
        outcome=row[11],
        usage=Usage(row[12], row[13], row[14], row[15]),
        cost_nano_usd=row[16],
        estimated=row[17],
        latency_seconds=row[18],
        error_code=row[19],
        quality=cast(Mapping[str, float], row[20] or {}),
    )
    return Entry(intent, settlement)
