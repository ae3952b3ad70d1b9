"""All benchmarks in one run: `make bench`. Prints a table, writes benchmarks/results/bench.json.

Absolute figures drift with the machine; compare ratios within one run.
"""

import asyncio
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from soullink.entrypoints.library import load_person, open_session
from soullink.modules.personality import wiring as personality
from soullink.modules.simulation.api import Settings
from soullink.modules.simulation.domain import live, replicas
from soullink.modules.simulation.domain.course import Conditions
from soullink.modules.simulation.scenarios import generator, library

ROOT = Path(__file__).resolve().parent.parent
PEOPLE = ROOT / "examples" / "people"
RESULTS = ROOT / "benchmarks" / "results" / "bench.json"


def dynamics(counts: tuple[int, ...] = (1, 20, 200, 2000)) -> list[dict[str, Any]]:
    """Dyad-turns per second without words, by how many courses are computed together."""
    people = (load_person(PEOPLE / "ada.yaml"), load_person(PEOPLE / "ben.yaml"))
    who = personality.build()
    personas = (who.persona(people[0]), who.persona(people[1]))
    scenarios = [library.get(name) for name in generator.choose(people, 5, 7, library.shipped())]
    rows = []
    for count in counts:
        rounds = []
        for seed in range(3):
            batch = live.batch_of(personas, 0.2, seed, count, 1, sampled=True)
            start = time.perf_counter()
            result = replicas.run(batch, ("ada", "ben"), scenarios, Conditions())
            rounds.append(int(result.turns.sum()) / (time.perf_counter() - start))
        rows.append(
            {"what": f"dynamics, {count} courses", "value": median(rounds), "unit": "turns/s"}
        )
    return rows


async def journalled(rounds: int = 3) -> list[dict[str, Any]]:
    """Turns per second of whole courses with authored words, each turn durable, and of replays."""
    people = (load_person(PEOPLE / "ada.yaml"), load_person(PEOPLE / "ben.yaml"))
    lived, again = [], []
    with tempfile.TemporaryDirectory(prefix="soullink-") as folder:
        async with open_session(Path(folder)) as session:
            simulation = session.house.simulation
            for seed in range(rounds):
                run = await simulation.start(people, Settings(seed=seed))
                for bucket, walk in ((lived, simulation.live), (again, simulation.replay)):
                    start, turns = time.perf_counter(), 0
                    async for _ in walk(run.id):
                        turns += 1
                    bucket.append(turns / (time.perf_counter() - start))
    return [
        {"what": "course with words, journalled", "value": median(lived), "unit": "turns/s"},
        {"what": "replay from the journal", "value": median(again), "unit": "turns/s"},
    ]


def start_up(rounds: int = 3) -> list[dict[str, Any]]:
    """Seconds until `soullink --help` has printed."""
    command = [sys.executable, "-m", "soullink.entrypoints.cli.main", "--help"]
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return [{"what": "soullink --help", "value": median(taken), "unit": "s"}]


def main() -> None:
    """Run everything."""
    rows = [*dynamics(), *asyncio.run(journalled()), *start_up()]
    for row in rows:
        print(f"{row['what']:<36}{row['value']:>14,.3g} {row['unit']}")
    RESULTS.parent.mkdir(exist_ok=True)
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    RESULTS.write_text(json.dumps({"machine": machine, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
