"""Runs that this process has just begun: what reading them would give is known already."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import msgspec

from soullink.gateways.postgres.direct import Direct
from soullink.kernel.ids import RunId
from soullink.modules.simulation.api import Settings
from soullink.modules.simulation.documents import (
    as_kept,
    persona_as_read,
    profile_as_read,
    scenario_as_read,
)
from soullink.modules.simulation.store import RecordedRun, runs, turns

MOST_BEGUN: Final = 1024
"""Runs remembered at once; those that were begun first are forgotten first."""

_AS_WRITTEN: Final = (  # all of it is ours
    "SELECT r.id, to_char(r.created_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.USTZH:TZM')"  # noqa: S608
    " FROM unnest($1::uuid[], $2::xid[]) AS g(id, mark)"
    f" JOIN {runs.name} AS r ON r.id = g.id AND r.xmin = g.mark"
    f" WHERE NOT EXISTS (SELECT FROM {turns.name} AS t WHERE t.run_id = r.id)"
)


class Begun:
    """Remembers runs from when they are begun until they are first read.

    A mark is PostgreSQL's number of the transaction that wrote the row (its xmin): nobody has
    finished, deleted or made anew a run whose row still bears it.
    """

    __slots__ = ("_runs",)

    def __init__(self) -> None:
        self._runs: dict[RunId, tuple[bytes, RecordedRun]] = {}

    def add(self, recorded: RecordedRun, mark: bytes) -> None:
        """Remember a run that was just written, no fork."""
        while len(self._runs) >= MOST_BEGUN:
            del self._runs[next(iter(self._runs))]
        self._runs[recorded.run.id] = (mark, recorded)

    async def take(self, direct: Direct, run_ids: Sequence[RunId]) -> dict[RunId, RecordedRun]:
        """Return those that are remembered and still as they were written, without a turn.

        They are what RunStore.pasts gives, and are forgotten here. Raises UnavailableError.
        """
        known = {run_id: self._runs.pop(run_id) for run_id in run_ids if run_id in self._runs}
        if not known:
            return {}
        ids = ",".join(map(str, known))
        marks = b",".join(mark for mark, _ in known.values())
        (rows,) = await direct.run((_AS_WRITTEN, (b"{%s}" % ids.encode(), b"{%s}" % marks)))
        created = {run.decode(): at.decode() for run, at in rows if run and at}
        return {
            run_id: _as_read(recorded, datetime.fromisoformat(created[str(run_id)]))
            for run_id, (_, recorded) in known.items()
            if str(run_id) in created
        }


def _as_read(recorded: RecordedRun, created_at: datetime) -> RecordedRun:
    run = recorded.run
    first, second = map(profile_as_read, run.people)
    one, other = map(persona_as_read, recorded.personas)
    return replace(
        recorded,
        run=replace(
            run,
            people=(first, second),
            settings=msgspec.convert(msgspec.to_builtins(run.settings), Settings),
            versions=as_kept(dict(run.versions)),
            created_at=created_at.isoformat(),
        ),
        personas=(one, other),
        scenarios=tuple(map(scenario_as_read, recorded.scenarios)),
    )
