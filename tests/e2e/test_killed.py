"""Killed with SIGKILL, the program or the database: nothing is lost, nothing comes twice."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import psutil
import psycopg
import pytest

from soullink.entrypoints.library import Outcome, Session, Watcher, load_person, open_session
from soullink.gateways.postgres.embedded import EmbeddedPostgres
from soullink.kernel.canonical import canonical_json
from soullink.kernel.errors import UnavailableError
from soullink.kernel.ids import RunId
from soullink.modules.simulation.api import Moment, Settings, TurnTaken
from tests.e2e.course_process import PEOPLE

REPOSITORY = Path(__file__).resolve().parent.parent.parent
WHOLE, KILLED = RunId(UUID(int=1)), RunId(UUID(int=2))
KILLS = 25


def begin(data_dir: Path, run_id: RunId, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.course_process", str(data_dir), str(run_id), str(out)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": "src"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def to_the_end(process: subprocess.Popen[str]) -> list[str]:
    said, complaints = process.communicate(timeout=120)
    assert complaints == ""
    assert process.returncode == 0
    return said.splitlines()


def killed_at(process: subprocess.Popen[str], turn: int, wait_seconds: float) -> list[str]:
    """Kill the process once it has said `turn` turns, wherever it has come to meanwhile."""
    assert process.stdout is not None
    said: list[str] = []
    while len(said) < turn:
        line = process.stdout.readline()
        if not line:
            pytest.fail(f"ended by itself: {process.communicate()[1]}")
        said.append(line.strip())
    time.sleep(wait_seconds)
    process.kill()
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    return said + rest.splitlines()


def compared(folder: Path) -> list[bytes]:
    """Return what a run left in `folder`, less wall-clock fields and its id."""
    lines = [json.loads(line) for line in (folder / "course.jsonl").read_bytes().splitlines()]
    assert [line for line in lines if ("wall" in line) == (line["kind"] == "episode")] == []
    report = json.loads((folder / "report.json").read_bytes())
    del report["run_id"]
    return [
        canonical_json({key: value for key, value in document.items() if key != "wall"})
        for document in (*lines, report)
    ]


def test_killed_at_25_random_turns_a_course_ends_as_the_unbroken_one(
    own_data_dir: Path, tmp_path: Path
) -> None:
    turns = to_the_end(begin(own_data_dir, WHOLE, tmp_path / "whole"))
    order = [turn.split()[0] for turn in turns]
    assert turns == [f"{turn} new" for turn in order]
    draws = random.Random(25)  # noqa: S311 - where to kill is no secret
    # The last one falls into the report, when every turn has been lived.
    places = [*sorted(draws.sample(range(1, len(turns)), KILLS - 1)), len(turns)]
    durable: set[str] = set()
    for place in places:
        said = killed_at(
            begin(own_data_dir, KILLED, tmp_path / "killed"), place, draws.uniform(0.0, 0.012)
        )
        names = [line.split()[0] for line in said if line.endswith((" new", " known"))]
        known = {line.split()[0] for line in said if line.endswith(" known")}
        assert names == order[: len(names)]  # nothing twice, nothing left out
        assert durable & set(names) <= known  # what was announced once was never lost
        durable |= set(names)
    assert not (tmp_path / "killed").exists()
    last = to_the_end(begin(own_data_dir, KILLED, tmp_path / "killed"))
    assert last == [f"{turn} known" for turn in order]
    assert compared(tmp_path / "killed") == compared(tmp_path / "whole")
    with EmbeddedPostgres(own_data_dir) as url, psycopg.connect(url) as connection:
        for table in ("simulation_turn", "simulation_episode"):
            counted = f"SELECT count(*) FROM {table} WHERE run_id = %s"  # noqa: S608 - ours
            one, other = (connection.execute(counted, [r]).fetchone() for r in (WHOLE, KILLED))
            assert one == other


def test_two_processes_on_one_run_end_in_one_course_and_at_most_one_conflict(
    own_data_dir: Path, tmp_path: Path
) -> None:
    alone = to_the_end(begin(own_data_dir, WHOLE, tmp_path / "whole"))
    both = [begin(own_data_dir, KILLED, tmp_path / f"out{n}") for n in (0, 1)]
    ends = [process.communicate(timeout=120) for process in both]
    assert min(process.returncode for process in both) == 0
    said = [line.split()[0] for out, _ in ends for line in out.splitlines() if "new" in line]
    assert sorted(said) == sorted(line.split()[0] for line in alone)
    for process, (_, complaints) in zip(both, ends, strict=True):
        if process.returncode:
            last = complaints.rstrip().splitlines()[-1]
            assert re.search("just lived by another process; let it finish|already a run", last)
    winner = next(n for n, process in enumerate(both) if process.returncode == 0)
    assert compared(tmp_path / f"out{winner}") == compared(tmp_path / "whole")


COUPLE = (load_person(PEOPLE / "maya.yaml"), load_person(PEOPLE / "tomas.yaml"))
COURSE = Settings(seed=3, episodes=3)


def kill_database(data_dir: Path, victim: str) -> None:
    """Kill the server, or only those of its processes that work for us."""
    pid = int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    server = psutil.Process(pid)
    ours = [p for p in server.children() if "soullink soullink" in " ".join(p.cmdline())]
    assert ours
    victims = [server] if victim == "server" else ours
    for process in victims:
        # Once one of its processes is killed, the server ends the others by itself.
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    gone, _ = psutil.wait_procs(victims, timeout=10)
    assert len(gone) == len(victims)


async def lived(session: Session, watch: Watcher | None = None) -> Outcome:
    """Begin the run KILLED, or go on with it."""
    known = {run.id for run in await session.house.simulation.list_runs()}
    if KILLED in known:
        return await session.resume(KILLED, replicas=5, watch=watch)
    return await session.simulate(COUPLE, COURSE, run_id=KILLED, replicas=5, watch=watch)


@pytest.mark.anyio
@pytest.mark.parametrize("victim", ["server", "its processes"])
async def test_when_the_database_is_killed_one_sentence_says_so_and_resume_has_everything(
    own_data_dir: Path, victim: str
) -> None:
    async with open_session(own_data_dir) as session:
        whole = await session.simulate(COUPLE, COURSE, run_id=WHOLE, replicas=5)
    places = (1, 4, 9)
    for place in places:
        new = 0

        def watch(moment: Moment, place: int = place) -> None:
            nonlocal new
            new += isinstance(moment, TurnTaken) and not moment.replayed
            if new == place:
                kill_database(own_data_dir, victim)

        async with open_session(own_data_dir) as session:
            with pytest.raises(UnavailableError, match="database") as caught:
                await lived(session, watch)
            assert "\n" not in str(caught.value)
    async with open_session(own_data_dir) as session:
        before = await session.house.simulation.course(KILLED)
        assert len(before.turns) == sum(places)
        broken = await lived(session)
    assert broken.course.turns == whole.course.turns
    assert broken.course.episodes == whole.course.episodes
    assert {**broken.document, **UNLIKE} == {**whole.document, **UNLIKE}


UNLIKE = {"run_id": "", "wall": {}}
