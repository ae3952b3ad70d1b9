"""The archive's runs, and its batches: each is one statement that many can run at once."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Row,
    Select,
    Table,
    Uuid,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from soullink.gateways.postgres.database import metadata
from soullink.gateways.postgres.session import Session
from soullink.modules.relationships.api import OPEN, ArchiveReport, RelationshipId, RetentionRules
from soullink.modules.relationships.store import check_ins, missing, moves, relationships

runs = Table(
    "relationship_archive_run",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True), nullable=True),
    Column("rules", JSONB, nullable=False),
    Column("counts", JSONB, nullable=False),
)

STEPS: Final = ("expired", "archived", "texts_erased", "erased")
"""What a run does, in this order."""


@dataclass(frozen=True, slots=True)
class ArchiveStore:
    """Reads and writes within one transaction."""

    session: Session

    async def unfinished(self) -> ArchiveReport | None:
        """Return the oldest run that was broken off."""
        query = select(runs).where(runs.c.finished_at.is_(None)).order_by(runs.c.started_at)
        row = (await self.session.execute(query.limit(1))).one_or_none()
        return None if row is None else _report(row)

    async def begin(self, run: UUID, rules: RetentionRules, now: datetime) -> ArchiveReport:
        counts = dict.fromkeys(STEPS, 0)
        await self.session.execute(
            insert(runs).values(id=run, started_at=now, rules=asdict(rules), counts=counts)
        )
        return ArchiveReport(run, rules, now, None)

    async def count(self, run: UUID, step: str, more: int) -> ArchiveReport:
        """Add to a run's count, together with what it counts."""
        query = select(runs).where(runs.c.id == run).with_for_update()
        row = (await self.session.execute(query)).one()
        counts = {**row.counts, step: row.counts[step] + more}
        await self.session.execute(update(runs).where(runs.c.id == run).values(counts=counts))
        return _report(row, counts)

    async def finish(self, run: UUID, now: datetime) -> ArchiveReport:
        change = update(runs).where(runs.c.id == run)
        # The first to finish says when; another process may have worked on the same run.
        ended = func.coalesce(runs.c.finished_at, now)
        row = await self.session.execute(change.values(finished_at=ended).returning(runs))
        return _report(row.one())

    async def reports(self, limit: int) -> list[ArchiveReport]:
        query = select(runs).order_by(runs.c.started_at.desc()).limit(limit)
        return [_report(row) for row in await self.session.execute(query)]

    async def due(self, step: str, rules: RetentionRules, now: datetime) -> int:
        """Return how much there is for a step to do."""
        query = select(func.count()).select_from(_due(step, rules, now).subquery())
        return int((await self.session.execute(query)).scalar_one())

    async def do(self, step: str, rules: RetentionRules, now: datetime, batch: int) -> int:
        """Do a step on at most `batch` of what is due; return on how many. Rows in other hands
        are left to those.
        """
        chosen = _due(step, rules, now).limit(batch).with_for_update(skip_locked=True)
        if step == "texts_erased":
            ids = (await self.session.execute(chosen)).all()
            key = tuple_(check_ins.c.relationship_id, check_ins.c.side, check_ins.c.day)
            change = update(check_ins).where(key.in_([tuple(row) for row in ids]))
            await self.session.execute(change.values(text="", erased=True))
            return len(ids)
        ids = [row.id for row in await self.session.execute(chosen)]
        which = relationships.c.id.in_(ids)
        if step == "expired":
            values = {"state": "expired", "closed_from": "proposed"}
            change = update(relationships).where(which)
            await self.session.execute(change.values(since=relationships.c.expires_at, **values))
            await self._step_expired(ids)
        elif step == "archived":
            change = update(relationships).where(which)
            await self.session.execute(change.values(archived_at=now))
        else:
            await self.session.execute(delete(relationships).where(which))
        return len(ids)

    async def _step_expired(self, ids: Sequence[RelationshipId]) -> None:
        columns = ("relationship_id", "at", "kind", "both", "before", "state")
        said = (literal("state"), literal(False), literal("proposed"), literal("expired"))
        rows = select(relationships.c.id, relationships.c.expires_at, *said)
        rows = rows.where(relationships.c.id.in_(ids))
        await self.session.execute(insert(moves).from_select(columns, rows))

    async def restore(self, relationship: RelationshipId, now: datetime) -> None:
        """Raises RelationshipNotFoundError."""
        there = select(relationships.c.id).where(relationships.c.id == relationship)
        if (await self.session.execute(there)).one_or_none() is None:
            raise missing(relationship)
        change = update(relationships).where(
            relationships.c.id == relationship, relationships.c.archived_at.is_not(None)
        )
        await self.session.execute(change.values(archived_at=None, restored_at=now))


def _due(step: str, rules: RetentionRules, now: datetime) -> Select[Any]:
    """Return the query for the keys of what a step is to work on."""
    c = relationships.c
    if step == "texts_erased":
        key = (check_ins.c.relationship_id, check_ins.c.side, check_ins.c.day)
        old = check_ins.c.at <= now - timedelta(days=rules.text_days)
        return select(*key).where(old, check_ins.c.text != "").order_by(*key)
    which: ColumnElement[bool]
    if step == "expired":
        which = and_(c.state == "proposed", c.expires_at <= now)
    elif step == "archived":
        # A declined proposal goes when it would have expired, so that nothing tells them apart.
        ran_out = and_(c.state == "proposed", c.expires_at <= now)
        unmet = or_(ran_out, func.coalesce(c.closed_from, "") == "proposed")
        since = func.greatest(func.coalesce(c.restored_at, c.since), c.since)
        which = and_(
            c.archived_at.is_(None),
            or_(ran_out, c.state.not_in(OPEN)),
            or_(
                and_(
                    unmet,
                    func.greatest(c.expires_at, since) <= now - timedelta(days=rules.unmet_days),
                ),
                and_(~unmet, since <= now - timedelta(days=rules.ended_days)),
            ),
        )
    else:
        which = c.archived_at <= now - timedelta(days=rules.archive_days)
    return select(c.id).where(which).order_by(c.id)


def _report(row: Row[Any], counts: Mapping[str, int] | None = None) -> ArchiveReport:
    done = row.counts if counts is None else counts
    return ArchiveReport(
        run=row.id,
        rules=RetentionRules(**row.rules),
        started_at=row.started_at,
        finished_at=row.finished_at,
        **{step: done[step] for step in STEPS},
    )
