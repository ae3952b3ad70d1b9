"""The contract of calibration: what it is asked, what it answers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from soullink.kernel.errors import ConflictError
from soullink.modules.simulation.calibration.targets import Role

MOST_GENERATIONS: Final = 50
LEAST_MEMBERS, MOST_MEMBERS = 4, 1_000
MOST_WORKERS: Final = 64


class CalibrationExistsError(ConflictError):
    """There is a file already, and it does not belong to this fit."""

    code = "calibration_exists"


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """One figure: published beside simulated.

    role: whether it was fitted. fitted_to: the value the fit saw, None where held out. published,
    low, high: what the verdict is against. simulated..: of a world that no fit has seen.
    approximate: quoted from memory or in other units, the range a margin of ours.
    """

    id: str
    what: str
    source: str
    role: Role
    fitted_to: float | None
    published: float
    low: float
    high: float
    approximate: bool
    simulated: float
    simulated_low: float
    simulated_high: float
    inside: bool


@dataclass(frozen=True, slots=True)
class CalibrationTable:
    """Published beside simulated figures under one set of free numbers.

    equations: their count. parameters: digest of the free numbers. figures: where counted ones
    come from. couples, evenings, quarrels: simulated for the table.
    """

    rows: tuple[CalibrationRow, ...]
    equations: int
    parameters: str
    figures: str
    split_seed: int
    seed: int
    couples: int
    evenings: int
    quarrels: int

    @property
    def inside(self) -> int:
        """Return how many rows are inside."""
        return sum(row.inside for row in self.rows)


@dataclass(frozen=True, slots=True)
class Trade:
    """What it costs to bring a row inside: measured by simulating the move.

    before, after: the row's figure. against: the row that gets worse most, its figure before and
    after. misfit: mean squared distance of the fitted figures in standard errors.
    """

    row: str
    before: float
    after: float
    against: str
    against_before: float
    against_after: float
    misfit_before: float
    misfit_after: float


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How to fit. members: of the ensemble. workers: processes, 0 for one per processor."""

    generations: int = 6
    members: int = 48
    seed: int = 4
    workers: int = 0


@dataclass(frozen=True, slots=True)
class FitProgress:
    """How far a fit is. simulated, members: in this generation. best: lowest misfit so far."""

    generation: int
    generations: int
    simulated: int
    members: int
    start: float
    best: float
    resumed: bool


@dataclass(frozen=True, slots=True)
class Fit:
    """What a fit left behind. finished: False where it was stopped; `path` holds the best so far.

    table, trades: None and empty where it was stopped.
    """

    path: Path
    finished: bool
    start: float
    best: float
    seconds: float
    table: CalibrationTable | None
    trades: tuple[Trade, ...]


Watch: TypeAlias = Callable[[FitProgress], None]


class Calibrations(Protocol):
    """Fits the equations' free numbers, and shows where they stand."""

    def check(self, data: Path | None, parameters: Path | None) -> CalibrationTable:
        """Return the table for a file of numbers, or for those in use.

        data: folder of real data; None takes the figures that ship. Raises UnusableDataError,
        UnusableCalibrationError.
        """
        ...

    def fit(
        self,
        settings: FitSettings,
        out: Path,
        data: Path | None,
        parameters: Path | None,
        watch: Watch,
        stopped: Callable[[], bool],
    ) -> Fit:
        """Fit and write `out`; where an earlier fit to `out` was stopped, go on with it.

        parameters: where to begin, None for the numbers in use. stopped: asked between two
        simulations. Raises as `check`, and CalibrationExistsError.
        """
        ...
