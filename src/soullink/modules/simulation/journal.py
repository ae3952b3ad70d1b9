"""The journal: what many courses live at one time is made durable by one transaction.

A course goes on only once its own entry is committed. In one round there may be entries of any
number of courses; one that conflicts with another process, or whose run is gone, is refused alone.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

import msgspec
import psycopg
from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from soullink.gateways.postgres.database import Database
from soullink.gateways.postgres.direct import Direct
from soullink.gateways.postgres.grouped import Grouped
from soullink.kernel.ids import RunId
from soullink.modules.simulation.api import (
    Document,
    Episode,
    RunConflictError,
    RunNotFoundError,
    Turn,
    Wall,
)
from soullink.modules.simulation.store import (
    COMMON_COLUMNS,
    RecordedRun,
    RunStore,
    episode_row,
    episodes,
    run_row,
    runs,
    turn_row,
    turns,
)

MOST_BEGINS: Final = 12
"""Runs begun in one round. What they have in common is sent and parsed once; and as PostgreSQL
takes half a millisecond for the rest of each, the first of many that begin at one time go on while
it is at the others."""

_NO_KEY: Final = (-1, -1)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A new run."""

    table: ClassVar[str] = runs.name
    recorded: RecordedRun
    created_at: datetime

    @property
    def run_id(self) -> RunId:
        return self.recorded.run.id

    def key(self) -> tuple[int, int]:
        return _NO_KEY

    def row(self) -> Mapping[str, Any]:
        return run_row(self.recorded, self.created_at)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A turn."""

    table: ClassVar[str] = turns.name
    run_id: RunId
    turn: Turn
    wall: Wall

    def key(self) -> tuple[int, int]:
        return self.turn.episode, self.turn.sequence

    def row(self) -> Mapping[str, Any]:
        return turn_row(self.run_id, self.turn, self.wall)


@dataclass(frozen=True, slots=True)
class _Ended:
    """An episode, with what both agents have become."""

    table: ClassVar[str] = episodes.name
    run_id: RunId
    episode: Episode
    agents: list[Document]

    def key(self) -> tuple[int, int]:
        return self.episode.number, -1

    def row(self) -> Mapping[str, Any]:
        return episode_row(self.run_id, self.episode, self.agents)


@dataclass(frozen=True, slots=True)
class _Finished:
    """The end of a run."""

    table: ClassVar[str] = ""
    run_id: RunId
    at: datetime

    def key(self) -> tuple[int, int]:
        return _NO_KEY

    def row(self) -> Mapping[str, Any]:
        return {"id": self.run_id, "finished_at": self.at}


_Entry = _Begun | _Taken | _Ended | _Finished
_Place = tuple[str, str, tuple[int, int]]
"""Table, run and key of what is written."""
_Written = dict[_Place, bytes | None]
"""What was written, with the mark of a new run."""


def _typed(*columns: Column[Any]) -> str:
    """Return the columns with their types, as PostgreSQL writes them."""
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
    return ", ".join(f"{column.name} {column.type.compile(dialect)}" for column in columns)


def _of_run(table: Table, *key: str) -> str:
    """Return the statement that inserts rows of runs that are there, and none twice.

    It returns the rows written, and each run that is there with -1 for its key. Runs are looked
    up by an array: PostgreSQL takes a set of records for a hundred rows, and goes through all runs
    rather than look a hundred up.
    """
    names = ", ".join(column.name for column in table.columns)
    columns = ", ".join((*key, *("-1",) * (2 - len(key))))
    return (  # all of it is ours
        "WITH given AS (SELECT * FROM jsonb_to_recordset($1::jsonb)"  # noqa: S608
        f" AS g({_typed(*table.columns)})),"
        f" known AS (SELECT id FROM {runs.name} WHERE id = ANY(ARRAY(SELECT run_id FROM given))"
        " ORDER BY id FOR KEY SHARE),"
        f" written AS (INSERT INTO {table.name} ({names}) SELECT {names} FROM given"
        " WHERE run_id IN (SELECT id FROM known)"
        # Always in one order, so that two processes cannot wait for each other.
        f" ORDER BY run_id, {', '.join(key)}"
        f" ON CONFLICT DO NOTHING RETURNING run_id, {columns})"
        " SELECT * FROM written UNION ALL SELECT id, -1, -1 FROM known"
    )


def _of_new_runs() -> str:
    """Return the statement that inserts runs, with their documents at places in $2.

    Documents that runs have in common are sent and parsed once for all of them.
    """
    names = ", ".join(column.name for column in runs.columns)
    taken = ", ".join(
        f"jsonb_build_array(VARIADIC ARRAY(SELECT d.document -> place"  # noqa: S608 - ours
        f" FROM unnest(g.{column.name}) AS place))"
        if column.name in COMMON_COLUMNS
        else f"g.{column.name}"
        for column in runs.columns
    )
    given = ", ".join(
        f"{column.name} integer[]" if column.name in COMMON_COLUMNS else _typed(column)
        for column in runs.columns
    )
    return (
        f"INSERT INTO {runs.name} ({names}) SELECT {taken}"  # noqa: S608 - ours
        f" FROM jsonb_to_recordset($1::jsonb) AS g({given}),"
        " (SELECT $2::jsonb) AS d(document) ORDER BY g.id"
        " ON CONFLICT DO NOTHING RETURNING id, -1, -1, xmin"
    )


_STATEMENTS: Final = {
    runs.name: _of_new_runs(),
    turns.name: _of_run(turns, "episode", "sequence"),
    episodes.name: _of_run(episodes, "number"),
    "": (
        "WITH given AS (SELECT * FROM jsonb_to_recordset($1::jsonb)"  # noqa: S608
        " AS g(id uuid, finished_at timestamptz))"
        f" UPDATE {runs.name} AS r SET status = 'finished', finished_at = g.finished_at"
        " FROM given AS g WHERE r.id = ANY(ARRAY(SELECT id FROM given)) AND r.id = g.id"
        " RETURNING r.id, -1, -1"
    ),
}
_encode: Final = msgspec.json.Encoder().encode


class Journal:
    """Writes what courses live. Belongs to one event loop at a time.

    All methods return when what they wrote is durable, and raise UnavailableError.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rounds: Grouped[_Entry, bytes | None] = Grouped(self._write)
        self._begins: Grouped[_Entry, bytes | None] = Grouped(self._write, MOST_BEGINS)

    async def begin(self, recorded: RecordedRun, created_at: datetime) -> bytes:
        """Insert a new run; return the mark of its row. Raises RunConflictError: its id is taken.

        The mark is PostgreSQL's number of the transaction that wrote the row last, in digits.
        """
        return await self._begins.ask(_Begun(recorded, created_at)) or b""

    async def take(self, run_id: RunId, turn: Turn, wall: Wall) -> None:
        """Insert a turn.

        Raises RunConflictError when another process has lived it already, RunNotFoundError when
        the run has been deleted meanwhile.
        """
        await self._rounds.ask(_Taken(run_id, turn, wall))

    async def end(self, run_id: RunId, episode: Episode, agents: list[Document]) -> bool | None:
        """Insert an episode with what both agents have become.

        Returns whether all is well: it was new, or it was there and the same. Raises
        RunNotFoundError when the run has been deleted meanwhile.
        """
        try:
            await self._rounds.ask(_Ended(run_id, episode, agents))
        except RunConflictError:
            async with self._database.work() as work:
                return await RunStore(work.session).same_episode(run_id, episode, agents)
        return True

    async def finish(self, run_id: RunId, at: datetime) -> None:
        """Note that the run is at its end; nothing happens when it is gone."""
        await self._rounds.ask(_Finished(run_id, at))

    async def _write(self, entries: Sequence[_Entry]) -> Sequence[Exception | bytes | None]:
        # Of several that want one place the first is written, as if each had its own round.
        places = [(entry.table, str(entry.run_id), entry.key()) for entry in entries]
        first: dict[_Place, _Entry] = {}
        for place, entry in zip(places, entries, strict=True):
            first.setdefault(place, entry)
        try:
            written = await _inserted(self._database.direct, [*first.values()])
        except (psycopg.Error, UnicodeError) as error:
            if len(entries) == 1:
                return [error]
            # One of them cannot be written and spoils it for the others.
            return [(await self._write([entry]))[0] for entry in entries]
        return [
            _answer(entry, place, written, first=first[place] is entry)
            for place, entry in zip(places, entries, strict=True)
        ]


async def _inserted(direct: Direct, entries: Sequence[_Entry]) -> _Written:
    """Write the entries, table by table; return what was written, and the runs that are there."""
    by_table: dict[str, list[_Entry]] = defaultdict(list)
    for entry in entries:
        by_table[entry.table].append(entry)
    tables = [table for table in _STATEMENTS if table in by_table]
    found = await direct.run(
        *((_STATEMENTS[table], _given(table, by_table[table])) for table in tables)
    )
    return {
        (table, (run or b"").decode(), (int(first or 0), int(second or 0))): next(iter(mark), None)
        for table, rows in zip(tables, found, strict=True)
        for run, first, second, *mark in rows
    }


def _given(table: str, entries: Sequence[_Entry]) -> tuple[bytes, ...]:
    """Return the values of the table's statement."""
    rows = [entry.row() for entry in entries]
    if table != runs.name:
        return (_encode(rows),)
    documents: list[msgspec.Raw] = []
    places: dict[int, int] = {}
    for row in rows:
        for name in COMMON_COLUMNS:
            for at, document in enumerate(row[name]):
                if id(document) not in places:
                    places[id(document)] = len(documents)
                    documents.append(document)
                row[name][at] = places[id(document)]
    return _encode(rows), _encode(documents)


def _answer(
    entry: _Entry, place: _Place, written: _Written, *, first: bool
) -> Exception | bytes | None:
    """Return why the entry was not written; where it was or need not be, its mark if it has one.

    first: of those that wanted its place.
    """
    if (first and place in written) or isinstance(entry, _Finished):
        return written.get(place)
    if isinstance(entry, _Begun):
        return RunConflictError(f"There is already a run {entry.run_id}.")
    if (*place[:2], _NO_KEY) not in written:
        return RunNotFoundError(f"Run {entry.run_id} was deleted while it was lived.")
    episode, sequence = entry.key()
    what = f"Turn {episode}.{sequence}" if isinstance(entry, _Taken) else f"Episode {episode}"
    return RunConflictError(
        f"{what} of run {entry.run_id} was just lived by another process; let it finish."
    )
