"""Made-up files of speed dates in the format of the Columbia experiment."""

import csv
from pathlib import Path

import numpy as np

from soullink_ml.fairness.simulated import World, simulated
from soullink_ml.fairness.speed_dates import NEEDED, NUMBERS, WANTS

WORLD = World(waves=3, side=12)


def write(path: Path, world: World = WORLD, seed: int = 1) -> Path:
    """Write one file: a third Asian, the others White; answers say nothing."""
    dates, _ = simulated(world, seed)
    random = np.random.default_rng(seed)
    answers = [
        {
            "iid": str(person + 1),
            "wave": str(dates.wave[person] + 1),
            "gender": str(dates.side[person]),
            "race": "4.0" if person % 3 == 0 else "2.0",
            "field_cd": "8.0",
            "career_c": "2.0",
            "goal": "2.0",
            **{name: f"{random.integers(1, 11)}.0" for name in (*NUMBERS, *WANTS)},
        }
        for person in range(dates.people)
    ]
    order = np.zeros(dates.people, dtype=int)
    with path.open("w", newline="", encoding="latin-1") as file:
        writer = csv.DictWriter(file, [*NEEDED, "order"])
        writer.writeheader()
        for viewer, shown, yes in zip(dates.viewer, dates.shown, dates.said_yes, strict=True):
            order[viewer] += 1
            writer.writerow(
                {
                    **answers[viewer],
                    "pid": f"{shown + 1}.0",
                    "dec": str(int(yes)),
                    "order": str(order[viewer]),
                }
            )
    return path
