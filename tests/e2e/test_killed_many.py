"""Killed with SIGKILL while many courses share transactions: no course loses what it announced."""

import os
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import psycopg
import pytest

from soullink.entrypoints.library import load_person, open_session
from soullink.gateways.postgres.embedded import EmbeddedPostgres
from soullink.modules.simulation.api import Settings
from tests.e2e.course_process import PEOPLE
from tests.e2e.many_process import RUNS
from tests.e2e.test_killed import REPOSITORY, killed_at, to_the_end

COUPLE = (load_person(PEOPLE / "ada.yaml"), load_person(PEOPLE / "ben.yaml"))


def begin(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.many_process", str(data_dir)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": "src"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def by_run(lines: list[str]) -> dict[int, list[str]]:
    """Return the turns that were announced of each run, whole lines only."""
    found: dict[int, list[str]] = defaultdict(list)
    for line in lines:
        words = line.split()
        if len(words) == 3 and words[2] in {"new", "known"}:
            found[int(words[0])].append(words[1])
    return found


@pytest.mark.anyio
async def test_killed_while_courses_share_transactions_each_ends_as_the_unbroken_one(
    own_data_dir: Path,
) -> None:
    draws = random.Random(4)  # noqa: S311 - where to kill is no secret
    durable: dict[int, list[str]] = defaultdict(list)
    for _ in range(4):
        said = by_run(killed_at(begin(own_data_dir), draws.randrange(20, 160), 0.005))
        with EmbeddedPostgres(own_data_dir) as url, psycopg.connect(url) as connection:
            query = (
                "SELECT run_id, episode || '.' || sequence FROM simulation_turn"
                " ORDER BY run_id, episode, sequence"
            )
            kept: dict[int, list[str]] = defaultdict(list)
            for run_id, turn in connection.execute(query):
                kept[run_id.int].append(turn)
        for run, turns in said.items():
            assert kept[run][: len(turns)] == turns  # announced, so it is there, in order
        for run, turns in durable.items():
            assert kept[run][: len(turns)] == turns  # and it stays
        durable = kept
    last = by_run(to_the_end(begin(own_data_dir)))
    assert set(last) == {run.int for run in RUNS}
    async with open_session(own_data_dir) as session:
        simulation = session.house.simulation
        for seed, run_id in enumerate(RUNS):
            course = await simulation.course(run_id)
            assert course.run.status == "finished"
            assert [f"{t.episode}.{t.sequence}" for t in course.turns] == last[run_id.int]
            whole = await simulation.start(COUPLE, Settings(seed=seed, episodes=2))
            async for _ in simulation.live(whole.id):
                pass
            unbroken = await simulation.course(whole.id)
            assert course.turns == unbroken.turns
            assert course.episodes == unbroken.episodes
