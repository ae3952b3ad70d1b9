"""Half of the couples and waves fit, half check: the split, and what the halves come to."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from soullink.modules.simulation.calibration import couples, dating
from soullink.modules.simulation.calibration.estimates import Z
from soullink.modules.simulation.calibration.targets import Range

T = TypeVar("T")

SPLIT_SEED: Final = 4
"""Chosen once, before any half was looked at."""
DRAWS: Final = 1_000
COUPLES_FILE: Final = "couples_acitelli/acitelli_pairs.csv"
DATES_FILE: Final = "speed_dating/dates.csv"
DIGITS: Final = 4


def halves(names: Sequence[str], seed: int = SPLIT_SEED) -> tuple[list[str], list[str]]:
    """Return two disjoint halves of `names`, the fitting and the checking one, sorted.

    Which names fall where depends on the seed and the set of names, not on their order.
    """
    ordered = sorted(set(names))
    shuffled = np.random.default_rng(seed).permutation(len(ordered))
    fit = {int(place) for place in shuffled[: len(ordered) // 2]}
    return (
        [name for place, name in enumerate(ordered) if place in fit],
        [name for place, name in enumerate(ordered) if place not in fit],
    )


def quantile_of_t(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t (Cornish-Fisher expansion; freedom >= 3)."""
    z, n = Z, float(freedom)
    first = (z**3 + z) / 4.0
    second = (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
    third = (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0
    return z + first / n + second / n**2 + third / n**3


def resampled(
    figures: Callable[[Sequence[T]], dict[str, float]], units: Sequence[T], seed: int, draws: int
) -> dict[str, Range]:
    """Return each figure of all units with its 95 % interval, from a bootstrap over units.

    The bootstrap's standard error is widened for few units: by n / (n - 1) in variance, and with
    Student's t of n - 1 in place of the normal.
    """
    random, n = np.random.default_rng(seed), len(units)
    drawn = [figures([units[k] for k in random.integers(0, n, n)]) for _ in range(draws)]
    wide = quantile_of_t(n - 1) * float(np.sqrt(n / (n - 1)))
    out = {}
    for name, value in figures(units).items():
        half = wide * float(np.nanstd([values[name] for values in drawn]))
        out[name] = Range(value, value - half, value + half)
    return out


def counted(folder: Path, seed: int = SPLIT_SEED) -> dict[str, Any]:
    """Return the figures of both halves of the data in `folder`, as plain data.

    Keys: split_seed, halves (how many waves and couples in each), fit and check (by figure: value,
    low, high). Raises UnusableDataError.
    """
    ids, said = couples.read_acitelli(folder / COUPLES_FILE)
    blocks = dating.waves(folder / DATES_FILE)
    place = {name: row for row, name in enumerate(ids)}
    out: dict[str, Any] = {"split_seed": seed, "halves": {"waves": {}, "couples": {}}}
    parts = zip(("fit", "check"), halves(list(blocks), seed), halves(ids, seed), strict=True)
    for half, evenings, pairs in parts:
        out["halves"]["waves"][half] = len(evenings)
        out["halves"]["couples"][half] = len(pairs)
        found = resampled(
            lambda some: dating.summary(list(some)), [blocks[e] for e in evenings], seed, DRAWS
        )
        found |= resampled(
            lambda rows: couples.figures(said.of(np.array(rows))),
            [place[name] for name in pairs],
            seed,
            DRAWS,
        )
        out[half] = {
            name: [round(number, DIGITS) for number in (span.value, span.low, span.high)]
            for name, span in found.items()
        }
    return out
