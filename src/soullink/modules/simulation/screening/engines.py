"""What is to be lived, and the engines that can: the equations over arrays, or compiled."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from soullink.modules.simulation.api import Scenario
from soullink.modules.simulation.domain.screening import ArrayEngine, People, ScreeningEngine
from soullink.modules.simulation.screening.api import EngineName, MissingExtraError

Arithmetic: TypeAlias = Literal["numpy", "numba"]
_NUMBA_MISSING: Final = (
    "The engine numba is not installed; install it with: pip install 'soullink[fast]', or take "
    "--engine numpy."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides on the numbers of every pair; travels to other machines."""

    people: People
    scenarios: tuple[Scenario, ...]
    seed: int
    replicas: int
    arithmetic: Arithmetic

    def engine(self, threads: int) -> ScreeningEngine:
        """Return the engine. threads: for one block; the array engine uses one."""
        del threads
        return ArrayEngine(self.people, self.scenarios, self.seed, self.replicas)


def arithmetic_of(name: EngineName) -> Arithmetic:
    """Return what `name` stands for on this machine. Raises MissingExtraError."""
    if name == "numpy":
        return "numpy"
    if name == "numba":
        raise MissingExtraError(_NUMBA_MISSING)
    return "numpy"
