"""Made-up files of speed dates in the format of the Columbia experiment."""

import csv
from pathlib import Path

import numpy as np

from soullink_ml.datasets.moments import ACTIVITIES, ATTRIBUTES, TRAITS
from soullink_ml.fairness.simulated import World, simulated

WORLD = World(waves=3, side=12)
RATED = ("age", "date", "go_out", "exphappy", *ACTIVITIES)
WANTS = tuple(f"{name}{asked}" for asked in ("1_1", "2_1") for name in ATTRIBUTES)
SELF = tuple(f"{name}3_1" for name in TRAITS)
RECORDS = ("like", "attr", "fun", "shar", "prob")


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
            "field_cd": f"{random.integers(1, 12)}.0",
            "goal": f"{random.integers(1, 5)}.0",
            **{name: f"{random.integers(1, 11)}.0" for name in (*RATED, *WANTS, *SELF)},
        }
        for person in range(dates.people)
    ]
    order = {}
    for row, (viewer, shown) in enumerate(zip(dates.viewer, dates.shown, strict=True)):
        left, right = (int(one) % world.side for one in sorted((viewer, shown)))
        order[row] = (right - left) % world.side + 1  # everybody moves on by one table
    with path.open("w", newline="", encoding="latin-1") as file:
        names = [*answers[0], "pid", "dec", "order", *RECORDS]
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for row, yes in enumerate(dates.said_yes):
            writer.writerow(
                {
                    **answers[dates.viewer[row]],
                    **{name: f"{random.integers(1, 6) + 4 * yes:.0f}.0" for name in RECORDS},
                    "pid": f"{dates.shown[row] + 1}.0",
                    "dec": str(int(yes)),
                    "order": str(order[row]),
                }
            )
    return path
