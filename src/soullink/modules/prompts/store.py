"""Where added versions, labels and experiments live. The only file here that speaks SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as insert_or_leave
from sqlalchemy.engine import Row

from soullink.gateways.postgres.database import metadata
from soullink.gateways.postgres.session import Session
from soullink.modules.prompts.api import (
    Arm,
    Experiment,
    ExperimentNotFoundError,
    LabelMove,
    Mode,
    Prompt,
    PromptConflictError,
)

versions = Table(
    "prompt_version",
    metadata,
    Column("name", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("description", Text, nullable=False),
    Column("variables", ARRAY(Text), nullable=False),
    Column("template", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("added_at", DateTime(timezone=True), nullable=False),
    Column("added_by", Text, nullable=False),
    UniqueConstraint("name", "language", "content_hash"),
)

moves = Table(
    "prompt_label_move",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("version", Integer, nullable=True),
    Column("previous", Integer, nullable=True),
    # The move whose version a rollback returns to; nothing stands for "pointed nowhere".
    Column("before", BigInteger, nullable=True),
    Column("reason", Text, nullable=False),
    Column("moved_at", DateTime(timezone=True), nullable=False),
    Column("moved_by", Text, nullable=False),
    Index(None, "name", "language", "label", "id"),
)

experiments = Table(
    "prompt_experiment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("prompt", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("version_a", Integer, nullable=False),
    Column("version_b", Integer, nullable=False),
    Column("metric", Text, nullable=False),
    Column("scale", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("alpha", Double, nullable=False),
    Column("status", Text, nullable=False),
    Column("winner", Text, nullable=True),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("started_by", Text, nullable=False),
    Column("concluded_at", DateTime(timezone=True), nullable=True),
    Column("concluded_by", Text, nullable=True),
)

outcomes = Table(
    "prompt_outcome",
    metadata,
    Column(
        "experiment_id",
        Uuid,
        ForeignKey("prompt_experiment.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("unit", Text, primary_key=True),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("outcome_a", Double, nullable=True),
    Column("outcome_b", Double, nullable=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a label points after a move. before: the move that a rollback of it returns to."""

    id: int
    version: int | None
    before: int | None


@dataclass(frozen=True, slots=True)
class VersionStore:
    """Reads and writes versions and labels within one transaction."""

    session: Session

    async def alone(self, *what: str) -> None:
        """Wait until no other transaction works on the same thing; held until this one ends."""
        key = func.hashtextextended("|".join(("prompts", *what)), 0)
        await self.session.execute(select(func.pg_advisory_xact_lock(key)))

    async def add(self, prompt: Prompt, by: str, now: datetime) -> None:
        await self.session.execute(
            insert(versions).values(
                name=prompt.name,
                language=prompt.language,
                version=prompt.version,
                description=prompt.description,
                variables=list(prompt.variables),
                template=prompt.template,
                content_hash=prompt.content_hash,
                added_at=now,
                added_by=by,
            )
        )

    async def all(self) -> list[Prompt]:
        """Return every added version, sorted by name, language, version."""
        order = (versions.c.name, versions.c.language, versions.c.version)
        rows = await self.session.execute(select(versions).order_by(*order))
        return [_prompt(row) for row in rows]

    async def pointer(self, name: str, language: str, label: str) -> Pointer | None:
        """Return where the label points; None when it was never moved."""
        query = _of_label(name, language, label).order_by(moves.c.id.desc()).limit(1)
        row = (await self.session.execute(query)).one_or_none()
        return None if row is None else Pointer(row.id, row.version, row.before)

    async def pointer_at(self, move: int) -> Pointer:
        """Return where a label pointed after the move with this id."""
        row = (await self.session.execute(select(moves).where(moves.c.id == move))).one()
        return Pointer(row.id, row.version, row.before)

    async def add_move(self, move: LabelMove, before: int | None) -> None:
        await self.session.execute(
            insert(moves).values(
                name=move.prompt,
                language=move.language,
                label=move.label,
                version=move.version,
                previous=move.previous,
                before=before,
                reason=move.reason,
                moved_at=move.moved_at,
                moved_by=move.moved_by,
            )
        )

    async def current(self, name: str | None = None, label: str | None = None) -> list[LabelMove]:
        """Return the last move of every label, of one prompt or one label, or all."""
        place = (moves.c.name, moves.c.language, moves.c.label)
        query = select(moves).ext(distinct_on(*place)).order_by(*place, moves.c.id.desc())
        if name is not None:
            query = query.where(moves.c.name == name)
        if label is not None:
            query = query.where(moves.c.label == label)
        return [_move(row) for row in await self.session.execute(query)]

    async def history(self, name: str, language: str, label: str) -> list[LabelMove]:
        """Return the moves of a label, oldest first."""
        query = _of_label(name, language, label).order_by(moves.c.id)
        return [_move(row) for row in await self.session.execute(query)]


MARK: Final = "SELECT " + " || '.' || ".join(  # noqa: S608 - ours
    f"(SELECT coalesce(md5(string_agg(t.xmin::text || t.ctid::text, '' ORDER BY t.ctid)), '')"  # noqa: S608 - ours
    f" FROM {table.name} AS t)"
    for table in (versions, moves, experiments)
)
"""One value that is another one as soon as a row is added, changed or deleted.

Of a row it takes which transaction wrote it and where it lies: no two ever have both in common.
"""


@dataclass(frozen=True, slots=True)
class ExperimentStore:
    """Reads and writes experiments and outcomes within one transaction."""

    session: Session

    async def add(self, experiment: Experiment) -> None:
        """Insert it. Raises PromptConflictError when the name is taken."""
        row = insert_or_leave(experiments).values(
            id=experiment.id,
            name=experiment.name,
            prompt=experiment.prompt,
            language=experiment.language,
            version_a=experiment.arms[0],
            version_b=experiment.arms[1],
            metric=experiment.metric,
            scale=experiment.scale,
            mode=experiment.mode,
            alpha=experiment.alpha,
            status=experiment.status,
            started_at=experiment.started_at,
            started_by=experiment.started_by,
        )
        query = row.on_conflict_do_nothing().returning(experiments.c.id)
        if (await self.session.execute(query)).first() is None:
            raise PromptConflictError(
                f"There is already an experiment {experiment.name}; choose another name."
            )

    async def get(self, name: str, *, lock: bool = False) -> Experiment:
        """Return the experiment; lock: nobody else changes it until the transaction ends.

        Raises ExperimentNotFoundError.
        """
        query = select(experiments).where(experiments.c.name == name)
        if lock:
            query = query.with_for_update()
        row = (await self.session.execute(query)).one_or_none()
        if row is None:
            raise ExperimentNotFoundError(
                f"There is no experiment {name}; see `soullink prompts ab list`."
            )
        return _experiment(row)

    async def list_experiments(
        self, status: str | None = None, mode: Mode | None = None
    ) -> list[Experiment]:
        """Return experiments, newest first."""
        order = (experiments.c.started_at.desc(), experiments.c.id.desc())
        query = select(experiments).order_by(*order)
        if status is not None:
            query = query.where(experiments.c.status == status)
        if mode is not None:
            query = query.where(experiments.c.mode == mode)
        return [_experiment(row) for row in await self.session.execute(query)]

    async def conclude(self, experiment: UUID, winner: Arm | None, by: str, now: datetime) -> None:
        change = update(experiments).where(experiments.c.id == experiment)
        await self.session.execute(
            change.values(status="concluded", winner=winner, concluded_at=now, concluded_by=by)
        )

    async def record(
        self, experiment: Experiment, unit: str, a: float | None, b: float | None, now: datetime
    ) -> bool:
        """Insert an outcome; False when the same is there.

        Raises PromptConflictError when something else is.
        """
        row = insert_or_leave(outcomes).values(
            experiment_id=experiment.id, unit=unit, outcome_a=a, outcome_b=b, recorded_at=now
        )
        query = row.on_conflict_do_nothing().returning(outcomes.c.unit)
        if (await self.session.execute(query)).first() is not None:
            return True
        there = select(outcomes).where(outcomes.c.experiment_id == experiment.id)
        known = (await self.session.execute(there.where(outcomes.c.unit == unit))).one()
        if (known.outcome_a, known.outcome_b) != (a, b):
            raise PromptConflictError(
                f"Unit {unit!r} of experiment {experiment.name} was recorded with another outcome."
            )
        return False

    async def outcomes(self, experiment: UUID) -> Sequence[tuple[float | None, float | None]]:
        """Return the outcomes of A and B in the order they were recorded in."""
        query = select(outcomes.c.outcome_a, outcomes.c.outcome_b)
        query = query.where(outcomes.c.experiment_id == experiment).order_by(outcomes.c.position)
        return [(row.outcome_a, row.outcome_b) for row in await self.session.execute(query)]

    async def units(self, experiment: UUID) -> frozenset[str]:
        """Return the units that have outcomes."""
        query = select(outcomes.c.unit).where(outcomes.c.experiment_id == experiment)
        return frozenset((await self.session.execute(query)).scalars())


def _of_label(name: str, language: str, label: str) -> Any:
    query = select(moves).where(moves.c.name == name, moves.c.language == language)
    return query.where(moves.c.label == label)


def _prompt(row: Row[Any]) -> Prompt:
    return Prompt(
        name=row.name,
        version=row.version,
        language=row.language,
        description=row.description,
        variables=tuple(row.variables),
        template=row.template,
        content_hash=row.content_hash,
    )


def _move(row: Row[Any]) -> LabelMove:
    return LabelMove(
        prompt=row.name,
        language=row.language,
        label=row.label,
        version=row.version,
        previous=row.previous,
        reason=row.reason,
        moved_by=row.moved_by,
        moved_at=row.moved_at,
    )


def _experiment(row: Row[Any]) -> Experiment:
    return Experiment(
        id=row.id,
        name=row.name,
        prompt=row.prompt,
        language=row.language,
        arms=(row.version_a, row.version_b),
        metric=row.metric,
        scale=row.scale,
        mode=row.mode,
        alpha=row.alpha,
        status=row.status,
        winner=row.winner,
        started_by=row.started_by,
        started_at=row.started_at,
        concluded_at=row.concluded_at,
    )
