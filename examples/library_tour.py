"""A tour of SoulLink from Python: live a course, watch it, save it, replay it, fork it.

Run it from anywhere, in the environment that SoulLink is installed in:

    python examples/library_tour.py

Everything goes to a folder that is removed at the end; give a folder to keep the reports:

    python examples/library_tour.py out/tour
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import soullink
from soullink.modules.simulation.api import EpisodeBegan, EpisodeEnded, Fork, Moment, TurnTaken

PEOPLE = Path(__file__).resolve().parent / "people"


def tell(moment: Moment) -> None:
    """Print what happens, as it happens: each moment is recorded before it is told."""
    if isinstance(moment, EpisodeBegan):
        print(f"\nEpisode {moment.number}: {moment.title}")
    elif isinstance(moment, TurnTaken):
        turn = moment.turn
        print(f"  {moment.speaker_name} [{turn.act}] {turn.speech.words}")
    elif isinstance(moment, EpisodeEnded):
        print(f"  -> {moment.outcome_title}")


def without_an_event_loop(ada: soullink.Profile, ben: soullink.Profile, work: Path) -> None:
    """Live a course, save its report, and live the record again."""
    data_dir = work / "data"
    outcome = soullink.simulate(
        ada, ben, seed=7, episodes=2, replicas=100, data_dir=data_dir, watch=tell
    )
    outcome.save(work / "course")

    print("\nWhat the replicas say, 0 to 100, with 80 % intervals:")
    for dimension in outcome.report.dimensions:
        interval = f"{dimension.low:.0f} to {dimension.high:.0f}"
        print(f"  {dimension.title:<20}{dimension.value:>4.0f}  {interval:<10} {dimension.level}")
    print(f"  {outcome.document['summary']}")

    again = soullink.replay(outcome.run_id, replicas=100, data_dir=data_dir)
    print(f"\nReplayed; the report is the same: {again.report.digest == outcome.report.digest}")


async def inside_an_event_loop(ada: soullink.Profile, ben: soullink.Profile, work: Path) -> None:
    """Keep one session open for several runs: two courses, and a fork of the first."""
    async with soullink.open_session(data_dir=work / "data") as session:
        one, two = [
            await session.simulate((ada, ben), soullink.Settings(seed, episodes=1), replicas=50)
            for seed in (1, 2)
        ]
        for outcome in (one, two):
            chance = outcome.report.prediction.together.probability
            print(f"seed {outcome.report.seed}: together at the end in {chance:.0%} of replicas")

        change = Fork(one.run_id, episode=1, turn=3, changes={"ben.act": "apologise"})
        forked = await session.fork(change, replicas=50)
        comparison = forked.report.comparison
        if comparison is not None:
            print(f"fork: the first difference is at {comparison.differs_from} (episode, turn)")


def tour(work: Path) -> None:
    """Do both."""
    ada = soullink.load_person(PEOPLE / "ada.yaml")
    ben = soullink.load_person(PEOPLE / "ben.yaml")
    without_an_event_loop(ada, ben, work)
    asyncio.run(inside_an_event_loop(ada, ben, work))

    try:
        soullink.load_person(PEOPLE / "nobody.yaml")
    except soullink.SoulLinkError as error:
        print(f"What a caller can cause is one sentence: {error}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        tour(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory(prefix="soullink-") as folder:
            tour(Path(folder))
