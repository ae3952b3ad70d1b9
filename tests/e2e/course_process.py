"""A program that lives one course with the library and says every durable turn on stdout.

Arguments: data folder, run id, folder for the results. Begins the run, or goes on with it.
"""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

from soullink.entrypoints.library import load_person, open_session
from soullink.kernel.ids import RunId
from soullink.modules.simulation.api import Moment, RunNotFoundError, Settings, TurnTaken

PEOPLE = Path(__file__).resolve().parent.parent.parent / "examples" / "people"
SETTINGS = Settings(seed=7, episodes=4)
REPLICAS = 10


def say(moment: Moment) -> None:
    if isinstance(moment, TurnTaken):
        turn = moment.turn
        how = "known" if moment.replayed else "new"
        sys.stdout.write(f"{turn.episode}.{turn.sequence} {how}\n")
        sys.stdout.flush()


async def live(data_dir: Path, run_id: RunId, out: Path) -> None:
    people = (load_person(PEOPLE / "ada.yaml"), load_person(PEOPLE / "ben.yaml"))
    async with open_session(data_dir) as session:
        try:
            outcome = await session.resume(run_id, replicas=REPLICAS, watch=say)
        except RunNotFoundError:
            outcome = await session.simulate(
                people, SETTINGS, replicas=REPLICAS, run_id=run_id, watch=say
            )
    outcome.save(out)


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), RunId(UUID(sys.argv[2])), Path(sys.argv[3])))
