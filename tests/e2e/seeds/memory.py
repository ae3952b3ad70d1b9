"""A database in memory that takes what the journal writes and gives what the store reads.

The journal's own code runs: its statements arrive here with their rows as JSON and are carried
out by table. Reading goes through the store's own conversions of rows. Only the SQL is replaced.
"""

import contextlib
import itertools
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

import msgspec

from soullink.gateways.postgres.database import Work
from soullink.gateways.postgres.direct import Rows, Statement, Value
from soullink.kernel.canonical import canonical_json
from soullink.kernel.ids import RunId
from soullink.modules.simulation import store
from soullink.modules.simulation.api import (
    Episode,
    RunConflictError,
    RunNotFoundError,
    Scenario,
    Turn,
    Wall,
)
from soullink.modules.simulation.store import RecordedRun, RunStore, run_row

Row = dict[str, Any]


@dataclass
class Tables:
    """Rows as JSON has them, by their keys. marks: of runs, one for each writing of its row."""

    runs: dict[UUID, Row] = field(default_factory=dict)
    turns: dict[tuple[UUID, int, int], Row] = field(default_factory=dict)
    episodes: dict[tuple[UUID, int], Row] = field(default_factory=dict)
    marks: Iterator[int] = field(default_factory=lambda: itertools.count(1))


@dataclass
class Session:
    """An open transaction. undo: how to take it back, newest last."""

    tables: Tables
    undo: list[Callable[[], object]] = field(default_factory=list)

    def carry_out(self, statement: str, given: Sequence[Value]) -> list[tuple[Any, ...]]:
        """Carry out a statement of the journal, or of what is begun; return its rows."""
        if " unnest($1::uuid[], $2::xid[]) " in statement:
            return self._as_written(*((value or b"").decode()[1:-1].split(",") for value in given))
        rows = json.loads(given[0] or b"")
        if len(given) > 1:
            documents = json.loads(given[1] or b"")
            common = store.COMMON_COLUMNS
            rows = [
                row | {name: [documents[place] for place in row[name]] for name in common}
                for row in rows
            ]
        for table, carry_out in (
            (store.turns, self._add_turns),
            (store.episodes, self._add_episodes),
            (store.runs, self._add_runs),
        ):
            if f"INSERT INTO {table.name} " in statement:
                return carry_out(rows)
        if f"UPDATE {store.runs.name} " in statement:
            return self._finish(rows)
        raise NotImplementedError(statement)

    def _add_runs(self, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        written = []
        for row in rows:
            run_id = UUID(row["id"])
            if run_id not in self.tables.runs:
                mark = next(self.tables.marks)
                self.put(self.tables.runs, run_id, {**row, "finished_at": None, "mark": mark})
                written.append((run_id, -1, -1, mark))
        return written

    def _as_written(self, ids: Sequence[str], marks: Sequence[str]) -> list[tuple[Any, ...]]:
        lived = {str(place[0]) for place in self.tables.turns}
        return [
            (run_id, self.tables.runs[UUID(run_id)]["created_at"])
            for run_id, mark in zip(ids, marks, strict=True)
            if self.tables.runs.get(UUID(run_id), {}).get("mark") == int(mark)
            and run_id not in lived
        ]

    def _add_turns(self, rows: Sequence[Row]) -> list[tuple[UUID, int, int]]:
        written = []
        for row in rows:
            key = (UUID(row["run_id"]), row["episode"], row["sequence"])
            if key[0] in self.tables.runs and key not in self.tables.turns:
                self.put(self.tables.turns, key, row)
                written.append(key)
        return written + self._known(rows)

    def _add_episodes(self, rows: Sequence[Row]) -> list[tuple[UUID, int, int]]:
        written = []
        for row in rows:
            key = (UUID(row["run_id"]), row["number"])
            if key[0] in self.tables.runs and key not in self.tables.episodes:
                self.put(self.tables.episodes, key, row)
                written.append((*key, -1))
        return written + self._known(rows)

    def _known(self, rows: Sequence[Row]) -> list[tuple[UUID, int, int]]:
        wanted = dict.fromkeys(UUID(row["run_id"]) for row in rows)
        return [(run_id, -1, -1) for run_id in wanted if run_id in self.tables.runs]

    def _finish(self, rows: Sequence[Row]) -> list[tuple[UUID, int, int]]:
        for row in rows:
            run_id = UUID(row["id"])
            if run_id in self.tables.runs:
                known = self.tables.runs[run_id]
                ended = {"status": "finished", "finished_at": row["finished_at"]}
                ended["mark"] = next(self.tables.marks)
                self.put(self.tables.runs, run_id, {**known, **ended})
        return []

    def put(self, table: dict[Any, Row], key: Any, row: Row) -> None:
        if key in table:
            before = table[key]
            self.undo.append(lambda: table.__setitem__(key, before))
        else:
            self.undo.append(lambda: table.pop(key))
        table[key] = row

    def drop(self, table: dict[Any, Row], key: Any) -> None:
        before = table.pop(key)
        self.undo.append(lambda: table.__setitem__(key, before))


@dataclass
class MemoryDatabase:
    """Opens transactions on tables in memory."""

    tables: Tables = field(default_factory=Tables)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        session = Session(self.tables)
        try:
            yield Work(session)  # type: ignore[arg-type]
        except BaseException:
            for step in reversed(session.undo):
                step()
            raise

    @property
    def direct(self) -> "MemoryDatabase":
        return self

    async def run(self, *statements: Statement) -> list[Rows]:
        """Carry out statements of the journal, all of them or none."""
        async with self.work() as work:
            session: Any = work.session
            found = [session.carry_out(*statement) for statement in statements]
        return [[tuple(str(value).encode() for value in row) for row in rows] for rows in found]

    async def close(self) -> None:
        return

    def kept(self, run_id: RunId, episode: int, sequence: int) -> list[Turn]:
        """Return the rows of one turn: it, or none."""
        row = self.tables.turns.get((run_id, episode, sequence))
        return [] if row is None else [store._turn(SimpleNamespace(**row))]  # type: ignore[arg-type]


@dataclass
class MemoryRunStore:
    """RunStore on a session in memory: same names, same errors."""

    session: Any

    @property
    def _tables(self) -> Tables:
        tables: Tables = self.session.tables
        return tables

    async def add(self, recorded: RecordedRun, created_at: datetime) -> None:
        if recorded.run.id in self._tables.runs:
            raise RunConflictError(f"There is already a run {recorded.run.id}.")
        row = json.loads(msgspec.json.encode(run_row(recorded, created_at)))
        self.session.put(self._tables.runs, recorded.run.id, {**row, "finished_at": None})

    async def get(self, run_id: RunId) -> RecordedRun:
        if run_id not in self._tables.runs:
            raise RunNotFoundError(f"There is no run {run_id}; see `soullink runs list`.")
        return _recorded(self._tables.runs[run_id])

    async def delete(self, run_id: RunId) -> None:
        await self.get(run_id)
        tables = self._tables
        self.session.drop(tables.runs, run_id)
        for place in [place for place in tables.turns if place[0] == run_id]:
            self.session.drop(tables.turns, place)
        for key in [key for key in tables.episodes if key[0] == run_id]:
            self.session.drop(tables.episodes, key)

    async def pasts(self, run_ids: Sequence[RunId]) -> dict[RunId, tuple[RecordedRun, list[Turn]]]:
        return {
            run_id: (_recorded(self._tables.runs[run_id]), (await self.turns(run_id))[0])
            for run_id in run_ids
            if run_id in self._tables.runs
        }

    async def turns(self, run_id: RunId) -> tuple[list[Turn], list[Wall]]:
        rows = [self._tables.turns[place] for place in self._places(run_id)]
        walls = [{**row, "started_at": datetime.fromisoformat(row["started_at"])} for row in rows]
        return (
            [store._turn(SimpleNamespace(**row)) for row in rows],  # type: ignore[arg-type]
            [store._wall(SimpleNamespace(**row)) for row in walls],  # type: ignore[arg-type]
        )

    async def copy_turns(self, source: RunId, target: RunId, episode: int, turn: int) -> None:
        for place in self._places(source):
            if place[1:] < (episode, turn):
                row = {**self._tables.turns[place], "run_id": str(target)}
                self.session.put(self._tables.turns, (target, *place[1:]), row)

    async def same_episode(self, run_id: RunId, episode: Episode, agents: list[Any]) -> bool | None:
        row = self._tables.episodes.get((run_id, episode.number))
        if row is None:
            return None
        alike = row["agents"] == json.loads(canonical_json(msgspec.to_builtins(agents)))
        return bool(alike) and store._episode(row["document"], episode.scenario) == episode

    async def episodes(self, run_id: RunId, scenarios: tuple[Scenario, ...]) -> list[Episode]:
        numbers = sorted(number for run, number in self._tables.episodes if run == run_id)
        rows = [(n, self._tables.episodes[run_id, n]) for n in numbers]
        return [store._episode(row["document"], scenarios[n - 1]) for n, row in rows]

    def _places(self, run_id: RunId) -> list[tuple[UUID, int, int]]:
        return sorted(place for place in self._tables.turns if place[0] == run_id)


def _recorded(row: Row) -> RecordedRun:
    """Return the run in a row, read as the store reads it."""
    ended = row["finished_at"]
    texts = {name: json.dumps(row[name]) for name in ("people", "personas", "scenarios")}
    read = {
        **row,
        **texts,
        "id": UUID(row["id"]),
        "created_at": datetime.fromisoformat(row["created_at"]),
        "finished_at": None if ended is None else datetime.fromisoformat(ended),
    }
    return store._recorded(SimpleNamespace(**read))  # type: ignore[arg-type]


@contextlib.contextmanager
def stores_in_memory() -> Iterator[None]:
    """Let every module of simulation that has imported RunStore use the one in memory."""
    users = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("soullink.modules.simulation.")
        and getattr(module, "RunStore", None) is RunStore
        and module is not store
    ]
    with contextlib.ExitStack() as stack:
        for module in users:
            stack.enter_context(patch.object(module, "RunStore", MemoryRunStore))
        yield
