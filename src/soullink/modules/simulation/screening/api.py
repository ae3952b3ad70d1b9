"""Screening: every pair of two populations, lived without words. Part of simulation's contract."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

from soullink.kernel.errors import ConflictError, InvalidInputError, UnavailableError
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import Scenario

EngineName: TypeAlias = Literal["auto", "numpy", "numba"]
ENGINES: Final[tuple[EngineName, ...]] = ("auto", "numpy", "numba")

MOST_PAIRS: Final = 1_000_000_000
MOST_THREADS: Final = 256


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the Parquet file. kind: "text" or "float32"."""

    name: str
    kind: Literal["text", "float32"]
    meaning: str


def _satisfaction(who: str) -> tuple[Column, ...]:
    told = f"Satisfaction of the {who} person at the end, 0 to 1, over the replicas: "
    return tuple(
        Column(f"satisfaction_{who}_{part}", "float32", told + what)
        for part, what in (
            ("mean", "the mean."),
            ("q10", "the 10th percentile."),
            ("q50", "the median."),
            ("q90", "the 90th percentile."),
        )
    )


COLUMNS: Final[tuple[Column, ...]] = (
    Column("first", "text", "Id of the first person."),
    Column("second", "text", "Id of the second person."),
    Column("together", "float32", "Share of the replicas in which the two are still together."),
    Column("together_se", "float32", "Monte Carlo standard error of `together`."),
    Column("together_low", "float32", "Lower end of its 95 % interval (Wilson 1927)."),
    Column("together_high", "float32", "Upper end of it."),
    *_satisfaction("first"),
    *_satisfaction("second"),
    Column(
        "again_first",
        "float32",
        "Share of the replicas in which the first would see the second again after one episode.",
    ),
    Column("again_second", "float32", "The same for the second."),
    Column(
        "conflict_peak_mean",
        "float32",
        "Highest level of open conflict in a course, 0 to 1: the mean over the replicas.",
    ),
    Column("conflict_peak_q90", "float32", "Its 90th percentile."),
    Column("likeness", "float32", "Share of interests that the two have in common, 0 to 1."),
    Column(
        "unknown_first",
        "float32",
        "How much of the first person's traits is unknown: 0 all is known, 1 nothing is.",
    ),
    Column("unknown_second", "float32", "The same for the second."),
)


@dataclass(frozen=True, slots=True)
class ScreeningSettings:
    """What is lived, and by what.

    scenarios: ids in order, the same for all pairs, or empty to take `episodes` shipped ones that
    the seed chooses. replicas: of each pair. These and the people fix the result, together with
    the engine's arithmetic: "numba" agrees with "numpy" up to rounding, not bit for bit.
    engine: "auto" is numba where it is installed. threads: 0 takes all cores. ray: where a Ray
    cluster is ("auto" finds one), "" starts one on this machine, None does without Ray.
    """

    seed: int = 0
    episodes: int = 5
    scenarios: tuple[str, ...] = ()
    replicas: int = 64
    engine: EngineName = "auto"
    threads: int = 0
    ray: str | None = None


@dataclass(frozen=True, slots=True)
class ScreeningProgress:
    """How far it is. pairs: in all. done: with those of earlier attempts. resumed: these alone.

    turns: lived by this attempt in all replicas. seconds: since it began to live.
    """

    pairs: int
    done: int
    resumed: int
    turns: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ScreenedPair:
    """One row of the file. values: the numbers by name (COLUMNS)."""

    first: str
    second: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Screened:
    """A finished screening.

    path: of the Parquet file. people: how many on each side. engine: "numpy" or "numba".
    digest: SHA-256 of the file. metadata: what the file says of how it was made.
    progress: of this attempt; `resumed` equals `pairs` where there was nothing left to do.
    """

    path: Path
    pairs: int
    people: tuple[int, int]
    scenarios: tuple[str, ...]
    engine: str
    digest: str
    metadata: Mapping[str, object]
    progress: ScreeningProgress


class ScreeningConflictError(ConflictError):
    """The output belongs to something else, or is in use."""

    code = "screening_conflict"


class UnusableScreeningError(InvalidInputError):
    """What was asked for cannot be screened, or a file is no screening."""

    code = "unusable_screening"


class MissingExtraError(UnavailableError):
    """Something optional is not installed; the message says how to get it."""

    code = "missing_extra"


Watcher: TypeAlias = Callable[[ScreeningProgress], None]


class Screening(Protocol):
    """Screens populations."""

    async def screen(
        self,
        people: Sequence[Profile],
        against: Sequence[Profile],
        settings: ScreeningSettings,
        out: Path,
        own: Sequence[Scenario] = (),
        watch: Watcher | None = None,
    ) -> Screened:
        """Live every pair of `people` with `against` and write a row for each to `out`.

        Nobody is paired with themself, and two who stand on both sides are one pair. What is
        lived is kept in the folder `out`.parts until all is; the same call again goes on from
        there. own: scenarios of the caller's, which settings.scenarios may name.
        Raises UnusableScreeningError, ScreeningConflictError, MissingExtraError,
        ScenarioNotFoundError, UnavailableError (a full disk, a lost cluster).
        """
        ...

    def likeliest(self, path: Path, count: int) -> list[ScreenedPair]:
        """Return the pairs with the highest P(together), then mean satisfaction of both.

        Ties are broken by the order of the file. Raises UnusableScreeningError.
        """
        ...
