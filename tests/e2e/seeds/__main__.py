"""Lives many seeds and says which break what.

python -m tests.e2e.seeds --from 0 --count 10000      all of them
python -m tests.e2e.seeds --seed 4711                 one again, with everything it did
Most run on a journal in memory and in a time of their own; every n-th (--postgres-every) runs on a
PostgreSQL that is started for it.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from soullink.gateways.postgres.embedded import EmbeddedPostgres
from soullink.gateways.postgres.schema import migrate
from tests.e2e.seeds.living import Ended, one

SAID_EVERY_SECONDS = 30.0


@contextmanager
def server(wanted: bool) -> Iterator[str | None]:
    """Yield the URL of a server of our own, migrated, where one is wanted."""
    if not wanted:
        yield None
        return
    with (
        tempfile.TemporaryDirectory(prefix="soullink-seeds-", dir="/tmp") as folder,
        EmbeddedPostgres(Path(folder) / "data") as url,
    ):
        migrate(url)
        yield url


def ended(work: Sequence[tuple[int, str | None]], jobs: int) -> Iterator[Ended]:
    """Yield how every seed ended, in order, `jobs` at a time."""
    if jobs == 1:
        yield from (one(*each) for each in work)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield from pool.map(one, *zip(*work, strict=True), chunksize=10)


def main() -> int:
    """Return 0 when no seed broke anything."""
    options = argparse.ArgumentParser(
        prog="python -m tests.e2e.seeds",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--from", dest="first", type=int, default=0, metavar="N")
    options.add_argument("--count", type=int, default=10_000, metavar="N")
    options.add_argument("--seed", type=int, metavar="N", help="only this one")
    options.add_argument("--postgres-every", type=int, default=25, metavar="N", help="0: never")
    options.add_argument("--jobs", type=int, default=1, metavar="N", help="processes")
    asked = options.parse_args()
    every = asked.postgres_every
    seeds = range(asked.first, asked.first + asked.count) if asked.seed is None else [asked.seed]
    begun = said = time.monotonic()
    failed = turns = lives = done = 0
    happened: Counter[str] = Counter()
    with server(bool(every) and any(seed % every == 0 for seed in seeds)) as url:
        work = [(seed, url if every and seed % every == 0 else None) for seed in seeds]
        for end in ended(work, asked.jobs if asked.seed is None else 1):
            done += 1
            if end.report is None:
                failed += 1
                where = "on PostgreSQL" if every and end.seed % every == 0 else "in memory"
                print(f"Seed {end.seed} fails {where}: {end.fault}")
                print(
                    f"  again: python -m tests.e2e.seeds --seed {end.seed} "
                    f"--postgres-every {every}",
                    flush=True,
                )
                if asked.seed is not None:
                    print(end.trace)
                continue
            turns, lives = turns + end.report.turns, lives + end.report.lives
            happened += end.report.happened
            if time.monotonic() - said > SAID_EVERY_SECONDS:
                said = time.monotonic()
                print(f"  {done} seeds, {turns} turns, {said - begun:.0f} s", flush=True)
    print(
        f"{done - failed} of {done} seeds held; {turns} turns in {lives} lives, "
        f"{time.monotonic() - begun:.0f} s."
    )
    print("  " + ", ".join(f"{name} {count}" for name, count in sorted(happened.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
