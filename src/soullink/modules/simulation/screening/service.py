"""What screening does: lives what is missing, keeps every block, merges in the end."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from soullink.kernel.canonical import digest
from soullink.kernel.errors import InvalidInputError, SoulLinkError
from soullink.kernel.ids import PersonId
from soullink.modules.personality.api import Personality
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import IntArray, Scenario
from soullink.modules.simulation.domain import fast
from soullink.modules.simulation.domain.screening import (
    NUMBERS,
    Block,
    BlockNumbers,
    PairGrid,
    People,
)
from soullink.modules.simulation.domain.version import DYNAMICS_VERSION
from soullink.modules.simulation.scenarios import document as scenario_document
from soullink.modules.simulation.scenarios import generator, library
from soullink.modules.simulation.screening import table
from soullink.modules.simulation.screening.api import (
    ENGINES,
    MOST_PAIRS,
    MOST_THREADS,
    Screened,
    ScreenedPair,
    Screening,
    ScreeningConflictError,
    ScreeningProgress,
    ScreeningSettings,
    UnusableScreeningError,
    Watcher,
)
from soullink.modules.simulation.screening.engines import Plan, arithmetic_of
from soullink.modules.simulation.screening.parts import (
    Parts,
    folder_of,
    open_parts,
    refuse_other,
    rename_durably,
    writing,
)
from soullink.modules.simulation.screening.remote import on_ray
from soullink.modules.simulation.screening.runners import Runner, in_threads

FORMAT: Final = "soullink.screening/1"
MOST_EPISODES: Final = 40
MOST_REPLICAS: Final = 100_000
LARGEST_SEED: Final = 2**63 - 1

FIRST_BLOCK: Final = 32
LARGEST_BLOCK: Final = 32_768
BLOCK_SECONDS: Final = 2.0
"""How long a block should take: what an interruption loses at most, and how often the disk is
asked to flush."""

_STRANGERS: Final = (
    Profile(id=PersonId("anyone"), name="Anyone"),
    Profile(id=PersonId("anyone-else"), name="Anyone else"),
)


@dataclass(frozen=True, slots=True)
class ScreeningService(Screening):
    """Screening with files. version: of the code. block_seconds: what a block should take."""

    personality: Personality
    version: str
    block_seconds: float = BLOCK_SECONDS

    async def screen(
        self,
        people: Sequence[Profile],
        against: Sequence[Profile],
        settings: ScreeningSettings,
        out: Path,
        own: Sequence[Scenario] = (),
        watch: Watcher | None = None,
    ) -> Screened:
        _check(settings, out)
        table.pyarrow()
        arithmetic = arithmetic_of(settings.engine)
        scenarios = _scenarios(settings, own)
        grid = await asyncio.to_thread(self._grid, people, against)
        plan = Plan(grid.people, scenarios, settings.seed, settings.replicas, arithmetic)
        metadata = await asyncio.to_thread(self._metadata, grid, plan)
        if await asyncio.to_thread(_is_finished, out, metadata):
            progress = ScreeningProgress(grid.count, grid.count, grid.count, 0, 0.0)
        else:
            with open_parts(out, metadata) as parts:
                progress = await _live(parts, plan, grid, settings, watch, self.block_seconds)
                await asyncio.to_thread(_merge, parts, grid, metadata, out)
        return Screened(
            path=out,
            pairs=grid.count,
            people=(grid.left.size, grid.right.size),
            scenarios=tuple(scenario.id for scenario in scenarios),
            engine=arithmetic,
            digest=await asyncio.to_thread(table.digest, out),
            metadata=metadata,
            progress=progress,
        )

    def likeliest(self, path: Path, count: int) -> list[ScreenedPair]:
        return table.likeliest(path, count)

    def _grid(self, people: Sequence[Profile], against: Sequence[Profile]) -> PairGrid:
        everybody: dict[PersonId, Profile] = {}
        for person in (*people, *against):
            if everybody.setdefault(person.id, person) != person:
                raise UnusableScreeningError(
                    f"The id '{person.id}' stands for two different people; give one another id."
                )
        profiles = list(everybody.values())
        found = People.of(
            [self.personality.persona(profile) for profile in profiles],
            [profile.interests for profile in profiles],
        )
        place = {key: row for row, key in enumerate(found.ids)}
        grid = PairGrid(found, _rows(place, people), _rows(place, against))
        if grid.count == 0:
            raise UnusableScreeningError(
                "There is no pair to screen: give two people who are not the same."
            )
        if grid.count > MOST_PAIRS:
            raise UnusableScreeningError(
                f"These are {grid.count:,} pairs; screen at most {MOST_PAIRS:,} at once."
            )
        return grid

    def _metadata(self, grid: PairGrid, plan: Plan) -> dict[str, Any]:
        """Return what the file says of how it was made, and what must stay so to go on with it."""
        return {
            "format": FORMAT,
            "soullink": self.version,
            "dynamics": DYNAMICS_VERSION,
            "engine": plan.arithmetic,
            "rounding": fast.ROUNDING if plan.arithmetic == "numba" else 0,
            "seed": plan.seed,
            "replicas": plan.replicas,
            "scenarios": [scenario.id for scenario in plan.scenarios],
            "scenarios_digest": digest(
                [scenario_document.to_document(scenario) for scenario in plan.scenarios]
            ),
            "people": int(grid.left.size),
            "people_digest": grid.people.digest(grid.left),
            "against": int(grid.right.size),
            "against_digest": grid.people.digest(grid.right),
            "pairs": grid.count,
            "numbers": list(NUMBERS.names or ()),
        }


def _rows(place: dict[str, int], people: Sequence[Profile]) -> IntArray:
    return np.array([place[str(person.id)] for person in people], dtype=np.int64)


def _check(settings: ScreeningSettings, out: Path) -> None:
    for name, value, low, high in (
        ("seed", settings.seed, 0, LARGEST_SEED),
        ("episodes", settings.episodes, 1, MOST_EPISODES),
        ("replicas", settings.replicas, 1, MOST_REPLICAS),
        ("threads", settings.threads, 0, MOST_THREADS),
    ):
        if not low <= value <= high:
            raise UnusableScreeningError(f"Ask for {low} to {high} {name}, not {value}.")
    if len(settings.scenarios) > MOST_EPISODES:
        raise UnusableScreeningError(f"Name at most {MOST_EPISODES} scenarios.")
    if settings.engine not in ENGINES:
        raise UnusableScreeningError(f"There is no engine '{settings.engine:.20}'.")
    if out.suffix.lower() != ".parquet":
        raise UnusableScreeningError(f"{out}: the output ends in .parquet; rename it.")
    if out.is_dir():
        raise UnusableScreeningError(f"{out} is a folder; name a file.")


def _scenarios(settings: ScreeningSettings, own: Sequence[Scenario]) -> tuple[Scenario, ...]:
    """Return what all pairs live through: the same, or they could not be compared."""
    names = settings.scenarios or generator.choose(
        _STRANGERS, settings.episodes, settings.seed, library.shipped()
    )
    brought = {scenario.id: scenario for scenario in own}
    for name in names:
        if name.partition(":")[0] == "composed":
            raise InvalidInputError(
                f"'{name:.60}' makes a scene for two people; screening needs one for all: write "
                "it with `soullink scenarios generate` and give the file."
            )
    return tuple(brought.get(name) or library.get(name) for name in names)


def _is_finished(out: Path, metadata: dict[str, Any]) -> bool:
    """Return whether the same command has written `out`; raise ScreeningConflictError if another.

    Parts are removed that a process left which died right after it had written the file.
    """
    if not out.exists():
        return False
    found = table.metadata_of(out)
    if found is None:
        raise ScreeningConflictError(
            f"{out} is there already and is no screening; choose another --out."
        )
    refuse_other(found, metadata, f"{out} is there already, with", "as then")
    if folder_of(out).exists():
        with open_parts(out, metadata) as parts:
            parts.remove()
    return True


async def _live(
    parts: Parts,
    plan: Plan,
    grid: PairGrid,
    settings: ScreeningSettings,
    watch: Watcher | None,
    block_seconds: float,
) -> ScreeningProgress:
    """Live what is missing and keep it; returns how it went."""
    threads = settings.threads or os.cpu_count() or 1
    work = _Work(parts, grid, watch, block_seconds)
    if not work.gaps:
        return work.progress()
    if settings.ray is None:
        opening = in_threads(plan, threads)
    else:
        opening = on_ray(plan, settings.ray, threads)
    async with opening as runner:
        work.begin()
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(runner.width):
                    group.create_task(work.go_on(runner))
        except ExceptionGroup as failures:
            for error in failures.exceptions:  # a full disk stops all, each with its error
                if isinstance(error, SoulLinkError):
                    raise error from failures
            raise
        return work.progress()


class _Work:
    """What is missing, cut into blocks that take about as long as they should."""

    def __init__(
        self, parts: Parts, grid: PairGrid, watch: Watcher | None, block_seconds: float
    ) -> None:
        self.gaps = parts.missing(grid.count)
        self._parts, self._grid, self._watch = parts, grid, watch
        self._block_seconds = block_seconds
        self._size = FIRST_BLOCK
        self._resumed = parts.done
        self._turns = 0
        self._began = time.monotonic()

    def begin(self) -> None:
        """Start the clock."""
        self._began = time.monotonic()
        self._tell()

    def progress(self) -> ScreeningProgress:
        """Return how far it is."""
        return ScreeningProgress(
            self._grid.count,
            self._parts.done,
            self._resumed,
            self._turns,
            time.monotonic() - self._began,
        )

    def _tell(self) -> None:
        if self._watch is not None:
            self._watch(self.progress())

    async def go_on(self, runner: Runner) -> None:
        """Live blocks until nothing is missing."""
        while self.gaps:
            start, stop = self._take()
            block = await asyncio.to_thread(self._grid.block, start, stop)
            began = time.monotonic()
            found = await runner.run(block)
            self._resize(stop - start, time.monotonic() - began)
            await asyncio.to_thread(self._keep, block, found)
            self._turns += found.turns
            self._tell()

    def _take(self) -> tuple[int, int]:
        start, stop = self.gaps.pop(0)
        if stop - start > self._size:
            self.gaps.insert(0, (start + self._size, stop))
            stop = start + self._size
        return start, stop

    def _resize(self, pairs: int, seconds: float) -> None:
        wanted = pairs * self._block_seconds / max(seconds, 1e-6)
        # Slowly: the first block also compiles.
        self._size = round(min(max(wanted, self._size / 4, 1), self._size * 4, LARGEST_BLOCK))

    def _keep(self, block: Block, found: BlockNumbers) -> None:
        with writing(self._parts.folder):
            self._parts.add(block.start, found.rows)


def _merge(parts: Parts, grid: PairGrid, metadata: dict[str, Any], out: Path) -> None:
    """Write the file, then remove the parts; after a crash in between the file counts."""
    with writing(out):
        merged = parts.folder / "merged.parquet"
        table.write(merged, grid, parts.rows(), metadata)
        rename_durably(merged, out)
        parts.remove()
