"""Populations, and ways to screen them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet

from soullink.kernel.clock import SystemClock
from soullink.kernel.ids import PersonId
from soullink.modules.personality import wiring as personality
from soullink.modules.personality.api import Personality
from soullink.modules.profiles.api import Attachment, Profile
from soullink.modules.simulation.domain.screening import PairGrid, People
from soullink.modules.simulation.screening.api import ScreeningSettings
from soullink.modules.simulation.screening.service import ScreeningService

TWO = ("last-train-noodle-bar", "the-lie")
QUICK = ScreeningSettings(seed=5, scenarios=TWO, replicas=6, engine="numpy", threads=1)
"""Settings under which a pair takes milliseconds."""
HOBBIES = ("climbing", "chess", "choir", "clay", "cooking")


def a_person(number: int, name: str = "p") -> Profile:
    """Return somebody; every second one of them nobody knows much of."""
    key = f"{name}{number:04d}"
    told = {"neuroticism": (number * 37) % 97 + 1.0, "extraversion": (number * 53) % 97 + 1.0}
    return Profile(
        id=PersonId(key),
        name=key.title(),
        age=20 + number % 50,
        percentiles=told if number % 2 else {},
        attachment=Attachment(anxiety=1.0 + number % 6),
        interests=HOBBIES[number % 3 : number % 5 + 1],
    )


def a_population(size: int, name: str = "p") -> list[Profile]:
    return [a_person(number, name) for number in range(size)]


def a_personality() -> Personality:
    return personality.build(SystemClock())


def a_service(block_seconds: float = 2.0) -> ScreeningService:
    return ScreeningService(a_personality(), "0.0.test", block_seconds)


def the_people(profiles: Sequence[Profile]) -> People:
    who = a_personality()
    return People.of([who.persona(p) for p in profiles], [p.interests for p in profiles])


def a_grid(profiles: Sequence[Profile], left: Sequence[int], right: Sequence[int]) -> PairGrid:
    """Return the grid of people who are named by their place in `profiles`, sorted by id."""
    return PairGrid(
        the_people(profiles), np.array(left, dtype=np.int64), np.array(right, dtype=np.int64)
    )


def rows_of(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    return found
