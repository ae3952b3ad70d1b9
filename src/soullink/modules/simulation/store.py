"""Where runs live. The only file in this module that speaks SQL."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as insert_or_leave
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from soullink.gateways.postgres.database import metadata
from soullink.kernel.canonical import canonical_json
from soullink.kernel.ids import RunId
from soullink.modules.personality.api import Persona
from soullink.modules.profiles.api import Profile
from soullink.modules.prompts.api import TurnCounts
from soullink.modules.simulation.api import (
    Document,
    Episode,
    Fork,
    Run,
    RunConflictError,
    RunNotFoundError,
    RunStatus,
    Scenario,
    Settings,
    Turn,
    Wall,
)
from soullink.modules.simulation.scenarios import document as scenario_document

_FOREIGN_KEY_VIOLATION: Final = "23503"

runs = Table(
    "simulation_run",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("status", Text, nullable=False),
    Column("people", JSONB, nullable=False),
    Column("personas", JSONB, nullable=False),
    Column("settings", JSONB, nullable=False),
    Column("scenarios", JSONB, nullable=False),
    Column("versions", JSONB, nullable=False),
    Column("fork", JSONB(none_as_null=True), nullable=True),
    Column("overrides", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, index=True),
    Column("finished_at", DateTime(timezone=True), nullable=True),
)

episodes = Table(
    "simulation_episode",
    metadata,
    Column("run_id", Uuid, ForeignKey("simulation_run.id", ondelete="CASCADE"), primary_key=True),
    Column("number", SmallInteger, primary_key=True),
    Column("scenario", Text, nullable=False),
    Column("day", Double, nullable=False),
    Column("turns", SmallInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("agents", JSONB, nullable=False),
)

turns = Table(
    "simulation_turn",
    metadata,
    Column("run_id", Uuid, ForeignKey("simulation_run.id", ondelete="CASCADE"), primary_key=True),
    Column("episode", SmallInteger, primary_key=True),
    Column("sequence", SmallInteger, primary_key=True),
    Column("speaker", SmallInteger, nullable=False),
    Column("act", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("distribution", JSONB, nullable=False),
    Column("state_before", JSONB, nullable=False),
    Column("state_after", JSONB, nullable=False),
    Column("appraisal", JSONB, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("words", Text, nullable=False),
    Column("voice", Text, nullable=False),
    Column("voice_status", Text, nullable=False),
    Column("faults", ARRAY(Text), nullable=False),
    Column("model", Text, nullable=True),
    Column("prompt_version", Text, nullable=True),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("calls", SmallInteger, nullable=False),
    Column("cost_nano_usd", BigInteger, nullable=True),
    Column("speech", JSONB, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("latency_seconds", Double, nullable=False),
    Column("cpu_seconds", Double, nullable=False),
    Column("memory_mb", Double, nullable=False),
)


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run with what only the service needs.

    personas: as they were scored when the run began; norms go by age, which moves on.
    scenarios: as they were then. overrides: (episode, turn, changes) of all forks
    that lead here.
    """

    run: Run
    personas: tuple[Persona, Persona]
    scenarios: tuple[Scenario, ...]
    overrides: tuple[tuple[int, int, Mapping[str, str]], ...]


@dataclass(frozen=True, slots=True)
class RunStore:
    """Reads and writes runs within one transaction."""

    session: AsyncSession

    async def add(self, recorded: RecordedRun, created_at: datetime) -> None:
        """Insert the run. Raises RunConflictError when its id is taken."""
        run = recorded.run
        row = {
            "id": run.id,
            "status": run.status,
            "people": [_plain(person) for person in run.people],
            "personas": [_plain(persona) for persona in recorded.personas],
            "settings": _plain(run.settings),
            "scenarios": [scenario_document.to_document(s) for s in recorded.scenarios],
            "versions": dict(run.versions),
            "fork": None if run.fork is None else _plain(run.fork),
            "overrides": [[e, t, dict(changes)] for e, t, changes in recorded.overrides],
            "created_at": created_at,
        }
        try:
            await self.session.execute(insert(runs).values(**row))
        except IntegrityError as error:
            raise RunConflictError(f"There is already a run {run.id}.") from error

    async def get(self, run_id: RunId) -> RecordedRun:
        """Return the run. Raises RunNotFoundError."""
        row = (await self.session.execute(select(runs).where(runs.c.id == run_id))).one_or_none()
        if row is None:
            raise RunNotFoundError(f"There is no run {run_id}; see `soullink runs list`.")
        return _recorded(row)

    async def list_runs(self, limit: int, before: RunId | None) -> list[Run]:
        """Return runs, newest first. Raises RunNotFoundError for an unknown `before`."""
        query = select(runs).order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit)
        if before is not None:
            known = select(runs.c.created_at).where(runs.c.id == before)
            mark = (await self.session.execute(known)).scalar_one_or_none()
            if mark is None:
                raise RunNotFoundError(f"There is no run {before}; see `soullink runs list`.")
            query = query.where(tuple_(runs.c.created_at, runs.c.id) < tuple_(mark, before))
        return [_run(row) for row in (await self.session.execute(query)).all()]

    async def set_status(
        self, run_id: RunId, status: RunStatus, finished_at: datetime | None
    ) -> None:
        change = update(runs).where(runs.c.id == run_id)
        await self.session.execute(change.values(status=status, finished_at=finished_at))

    async def delete(self, run_id: RunId) -> None:
        """Erase the run with its episodes and turns. Raises RunNotFoundError."""
        gone = await self.session.execute(
            delete(runs).where(runs.c.id == run_id).returning(runs.c.id)
        )
        if gone.one_or_none() is None:
            raise RunNotFoundError(f"There is no run {run_id}; see `soullink runs list`.")

    async def add_turn(self, run_id: RunId, turn: Turn, wall: Wall) -> None:
        """Insert the turn.

        Raises RunConflictError when another process has lived it already, RunNotFoundError when
        the run has been deleted meanwhile.
        """
        try:
            await self.session.execute(insert(turns).values(**_turn_row(run_id, turn, wall)))
        except IntegrityError as error:
            if _is_orphan(error):
                raise RunNotFoundError(f"Run {run_id} was deleted while it was lived.") from error
            raise RunConflictError(
                f"Turn {turn.episode}.{turn.sequence} of run {run_id} was just lived by another "
                "process; let it finish."
            ) from error

    async def turns(self, run_id: RunId) -> tuple[list[Turn], list[Wall]]:
        """Return the run's turns in order, with their wall-clock part."""
        query = select(turns).where(turns.c.run_id == run_id)
        rows = await self.session.execute(query.order_by(turns.c.episode, turns.c.sequence))
        found = rows.all()
        return [_turn(row) for row in found], [_wall(row) for row in found]

    async def copy_turns(self, source: RunId, target: RunId, episode: int, turn: int) -> None:
        """Copy the turns of `source` before `turn` of `episode` to `target`."""
        earlier = (turns.c.episode < episode) | (
            (turns.c.episode == episode) & (turns.c.sequence < turn)
        )
        columns = [c for c in turns.c if c.name != "run_id"]
        rows = await self.session.execute(
            select(*columns).where(turns.c.run_id == source).where(earlier)
        )
        copies = [{**row, "run_id": target} for row in rows.mappings()]
        if copies:
            await self.session.execute(insert(turns), copies)

    async def put_episode(
        self, run_id: RunId, episode: Episode, agents: list[Document]
    ) -> bool | None:
        """Insert the episode with what both agents have become.

        Returns whether all is well: it was new, or it was there and the same.
        Raises RunNotFoundError when the run has been deleted meanwhile.
        """
        document = _plain(episode)
        document["scenario"] = episode.scenario.id
        row = insert_or_leave(episodes).values(
            run_id=run_id,
            number=episode.number,
            scenario=episode.scenario.id,
            day=episode.day,
            turns=episode.turns,
            outcome=episode.outcome,
            document=document,
            agents=agents,
        )
        query = row.on_conflict_do_nothing().returning(episodes.c.number)
        try:
            new = (await self.session.execute(query)).first()
        except IntegrityError as error:
            if _is_orphan(error):
                raise RunNotFoundError(f"Run {run_id} was deleted while it was lived.") from error
            raise
        return True if new is not None else await self.same_episode(run_id, episode, agents)

    async def same_episode(
        self, run_id: RunId, episode: Episode, agents: list[Document]
    ) -> bool | None:
        """Return whether this is what is recorded; None when nothing is."""
        query = select(episodes.c.document, episodes.c.agents).where(episodes.c.run_id == run_id)
        row = (await self.session.execute(query.where(episodes.c.number == episode.number))).first()
        if row is None:
            return None
        # As numbers, not as bytes: a database knows no negative zero.
        alike = bool(row.agents == json.loads(canonical_json(_plain(agents))))
        return alike and _episode(row.document, episode.scenario) == episode

    async def episodes(self, run_id: RunId, scenarios: tuple[Scenario, ...]) -> list[Episode]:
        """Return the run's finished episodes in order."""
        query = select(episodes.c.number, episodes.c.document).where(episodes.c.run_id == run_id)
        rows = (await self.session.execute(query.order_by(episodes.c.number))).all()
        return [_episode(row.document, scenarios[row.number - 1]) for row in rows]

    async def counts_by_prompt(self) -> list[TurnCounts]:
        """Return how turns went that a model was asked for, by prompt."""
        prompt, status = turns.c.prompt_version, turns.c.voice_status
        query = select(
            prompt,
            func.count(),
            func.count().filter(status == "repaired"),
            func.count().filter(status == "fallback"),
        )
        rows = await self.session.execute(query.where(prompt.is_not(None)).group_by(prompt))
        return [TurnCounts(*row) for row in rows if row[0]]


def _is_orphan(error: IntegrityError) -> bool:
    return getattr(error.orig, "sqlstate", None) == _FOREIGN_KEY_VIOLATION


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


def _recorded(row: Row[Any]) -> RecordedRun:
    scenarios = tuple(
        scenario_document.from_document(document, f"run {row.id}") for document in row.scenarios
    )
    overrides = tuple((e, t, changes) for e, t, changes in row.overrides)
    first, second = (msgspec.convert(persona, Persona) for persona in row.personas)
    return RecordedRun(_run(row), (first, second), scenarios, overrides)


def _run(row: Row[Any]) -> Run:
    first, second = (msgspec.convert(person, Profile) for person in row.people)
    return Run(
        id=RunId(row.id),
        people=(first, second),
        settings=msgspec.convert(row.settings, Settings),
        status=row.status,
        versions=row.versions,
        fork=None if row.fork is None else msgspec.convert(row.fork, Fork),
        created_at=row.created_at.isoformat(),
        finished_at=None if row.finished_at is None else row.finished_at.isoformat(),
    )


_TURN_DETAIL = (
    "topic", "interrupted", "double", "minute", "conflict", "positions", "memories", "events",
)  # fmt: skip


def _turn_row(run_id: RunId, turn: Turn, wall: Wall) -> dict[str, Any]:
    plain = _plain(turn)
    speech = turn.speech
    return {
        "run_id": run_id,
        "episode": turn.episode,
        "sequence": turn.sequence,
        "speaker": turn.speaker,
        "act": str(turn.act),
        "seed": turn.seed,
        "distribution": plain["distribution"],
        "state_before": plain["before"],
        "state_after": plain["after"],
        "appraisal": plain["appraisal"],
        "detail": {name: plain[name] for name in _TURN_DETAIL},
        "words": speech.words,
        "voice": speech.voice,
        "voice_status": speech.status,
        "faults": list(speech.faults),
        "model": speech.model,
        "prompt_version": speech.prompt,
        "input_tokens": speech.input_tokens,
        "output_tokens": speech.output_tokens,
        "calls": speech.calls,
        "cost_nano_usd": speech.cost_nano_usd,
        "speech": plain["speech"],
        "started_at": datetime.fromisoformat(wall.started_at),
        "latency_seconds": wall.latency_seconds,
        "cpu_seconds": wall.cpu_seconds,
        "memory_mb": wall.memory_mb,
    }


def _turn(row: Row[Any]) -> Turn:
    return msgspec.convert(
        {
            "episode": row.episode,
            "sequence": row.sequence,
            "speaker": row.speaker,
            "act": row.act,
            "seed": row.seed,
            "distribution": row.distribution,
            "before": row.state_before,
            "after": row.state_after,
            "appraisal": row.appraisal,
            "speech": row.speech,
            **row.detail,
        },
        Turn,
    )


def _wall(row: Row[Any]) -> Wall:
    return Wall(
        started_at=row.started_at.isoformat(),
        latency_seconds=row.latency_seconds,
        cpu_seconds=row.cpu_seconds,
        memory_mb=row.memory_mb,
    )


def _episode(document: Mapping[str, Any], scenario: Scenario) -> Episode:
    plain = {**document, "scenario": _plain(scenario)}
    return msgspec.convert(plain, Episode)
