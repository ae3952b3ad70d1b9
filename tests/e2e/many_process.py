"""A program that lives several courses at once and says every durable turn on stdout.

Arguments: data folder. Begins the courses, or goes on with them.
"""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

from soullink.entrypoints.library import load_person, open_session
from soullink.kernel.errors import SoulLinkError
from soullink.kernel.ids import RunId
from soullink.modules.simulation.api import Settings, TurnTaken
from tests.e2e.course_process import PEOPLE

RUNS = [RunId(UUID(int=number)) for number in range(1, 9)]


async def live(data_dir: Path) -> None:
    people = (load_person(PEOPLE / "ada.yaml"), load_person(PEOPLE / "ben.yaml"))
    async with open_session(data_dir) as session:
        simulation = session.house.simulation
        known = {run.id for run in await simulation.list_runs()}
        for seed, run_id in enumerate(RUNS):
            if run_id not in known:
                await simulation.start(people, Settings(seed=seed, episodes=2), run_id)
        async for run_id, moment in simulation.live_many(RUNS):
            if isinstance(moment, SoulLinkError):
                raise moment
            if isinstance(moment, TurnTaken):
                turn = moment.turn
                how = "known" if moment.replayed else "new"
                sys.stdout.write(f"{run_id.int} {turn.episode}.{turn.sequence} {how}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1])))
