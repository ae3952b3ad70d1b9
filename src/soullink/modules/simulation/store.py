"""Where runs live: the tables, and one run at a time. journal.py writes those that are lived."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
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
    cast,
    delete,
    func,
    insert,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from soullink.gateways.postgres.database import metadata
from soullink.gateways.postgres.session import Session
from soullink.kernel.canonical import canonical_json
from soullink.kernel.ids import RunId
from soullink.modules.personality.api import Persona
from soullink.modules.prompts.api import TurnCounts
from soullink.modules.simulation.api import (
    Document,
    Episode,
    Fork,
    Run,
    RunConflictError,
    RunNotFoundError,
    Scenario,
    Settings,
    Turn,
    Wall,
)
from soullink.modules.simulation.documents import (
    people_of,
    personas_of,
    scenario_written,
    scenarios_of,
    written,
)

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

    session: Session

    async def add(self, recorded: RecordedRun, created_at: datetime) -> None:
        """Insert the run. Raises RunConflictError when its id is taken."""
        row = msgspec.json.decode(msgspec.json.encode(run_row(recorded, created_at)))
        row |= {"id": recorded.run.id, "created_at": created_at}
        try:
            await self.session.execute(insert(runs).values(**row))
        except IntegrityError as error:
            raise RunConflictError(f"There is already a run {recorded.run.id}.") from error

    async def get(self, run_id: RunId) -> RecordedRun:
        """Return the run. Raises RunNotFoundError."""
        row = (await self.session.execute(_RUNS.where(runs.c.id == run_id))).one_or_none()
        if row is None:
            raise RunNotFoundError(f"There is no run {run_id}; see `soullink runs list`.")
        return _recorded(row)

    async def list_runs(self, limit: int, before: RunId | None) -> list[Run]:
        """Return runs, newest first. Raises RunNotFoundError for an unknown `before`."""
        query = _RUNS.order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit)
        if before is not None:
            known = select(runs.c.created_at).where(runs.c.id == before)
            mark = (await self.session.execute(known)).scalar_one_or_none()
            if mark is None:
                raise RunNotFoundError(f"There is no run {before}; see `soullink runs list`.")
            query = query.where(tuple_(runs.c.created_at, runs.c.id) < tuple_(mark, before))
        return [_run(row) for row in (await self.session.execute(query)).all()]

    async def delete(self, run_id: RunId) -> None:
        """Erase the run with its episodes and turns. Raises RunNotFoundError."""
        gone = await self.session.execute(
            delete(runs).where(runs.c.id == run_id).returning(runs.c.id)
        )
        if gone.one_or_none() is None:
            raise RunNotFoundError(f"There is no run {run_id}; see `soullink runs list`.")

    async def pasts(self, run_ids: Sequence[RunId]) -> dict[RunId, tuple[RecordedRun, list[Turn]]]:
        """Return those of the runs that there are, with their turns in order."""
        rows = await self.session.execute(_RUNS.where(runs.c.id.in_(run_ids)))
        found = {row.id: (_recorded(row), list[Turn]()) for row in rows}
        query = select(turns).where(turns.c.run_id.in_(run_ids))
        lived = await self.session.execute(query.order_by(turns.c.episode, turns.c.sequence))
        for row in lived:
            if row.run_id in found:
                found[row.run_id][1].append(_turn(row))
        return found

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


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


COMMON_COLUMNS: Final = ("people", "personas", "scenarios")
"""What many runs have in common: arrays of documents."""

_RUNS: Final = select(
    *(c for c in runs.c if c.name not in COMMON_COLUMNS),
    *(cast(runs.c[name], Text).label(name) for name in COMMON_COLUMNS),
)
"""Runs, with what many of them have in common as text."""


def run_row(recorded: RecordedRun, created_at: datetime) -> dict[str, Any]:
    """Return the row of a new run, as what JSON can be made of.

    What is in COMMON_COLUMNS is a list of documents, the same bytes for the same objects.
    """
    run = recorded.run
    return {
        "id": run.id,
        "status": run.status,
        "people": list(map(written, run.people)),
        "personas": list(map(written, recorded.personas)),
        "settings": run.settings,
        "scenarios": list(map(scenario_written, recorded.scenarios)),
        "versions": run.versions,
        "fork": run.fork,
        "overrides": recorded.overrides,
        "created_at": created_at,
    }


def _recorded(row: Row[Any]) -> RecordedRun:
    overrides = tuple((e, t, changes) for e, t, changes in row.overrides)
    personas = personas_of(row.personas)
    return RecordedRun(_run(row), personas, scenarios_of(row.scenarios), overrides)


def _run(row: Row[Any]) -> Run:
    first, second = people_of(row.people)
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


_SPEECH_DETAIL = ("inner_thought", "line", "quality")
"""What of a speech has no column of its own."""


def turn_row(run_id: RunId, turn: Turn, wall: Wall) -> dict[str, Any]:
    """Return the row of a turn, as what JSON can be made of."""
    speech = turn.speech
    return {
        "run_id": run_id,
        "episode": turn.episode,
        "sequence": turn.sequence,
        "speaker": turn.speaker,
        "act": str(turn.act),
        "seed": turn.seed,
        "distribution": turn.distribution,
        "state_before": turn.before,
        "state_after": turn.after,
        "appraisal": turn.appraisal,
        "detail": {name: getattr(turn, name) for name in _TURN_DETAIL},
        "words": speech.words,
        "voice": speech.voice,
        "voice_status": speech.status,
        "faults": speech.faults,
        "model": speech.model,
        "prompt_version": speech.prompt,
        "input_tokens": speech.input_tokens,
        "output_tokens": speech.output_tokens,
        "calls": speech.calls,
        "cost_nano_usd": speech.cost_nano_usd,
        "speech": {name: getattr(speech, name) for name in _SPEECH_DETAIL},
        "started_at": wall.started_at,
        "latency_seconds": wall.latency_seconds,
        "cpu_seconds": wall.cpu_seconds,
        "memory_mb": wall.memory_mb,
    }


def episode_row(run_id: RunId, episode: Episode, agents: list[Document]) -> dict[str, Any]:
    """Return the row of an episode, as what JSON can be made of."""
    return {
        "run_id": run_id,
        "number": episode.number,
        "scenario": episode.scenario.id,
        "day": episode.day,
        "turns": episode.turns,
        "outcome": episode.outcome,
        "document": {
            name: episode.scenario.id if name == "scenario" else getattr(episode, name)
            for name in _EPISODE
        },
        "agents": agents,
    }


_EPISODE: Final = tuple(field.name for field in fields(Episode))


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
            "speech": {
                "words": row.words,
                "voice": row.voice,
                "status": row.voice_status,
                "faults": row.faults,
                "model": row.model,
                "prompt": row.prompt_version,
                "input_tokens": row.input_tokens,
                "output_tokens": row.output_tokens,
                "calls": row.calls,
                "cost_nano_usd": row.cost_nano_usd,
                **row.speech,  # rows of earlier versions have all of it in there
            },
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
