"""Draws that depend on a seed and on names only, never on order, process or platform."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import TypeVar

Named = TypeVar("Named")


def unit(seed: int, *names: object) -> float:
    """Return a number in (0, 1), uniform over seeds, fixed by `seed` and `names`."""
    key = "\x1f".join((str(seed), *(str(name) for name in names)))
    bits = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") >> 11
    return (bits + 0.5) / 2.0**53


def ranked(weights: Mapping[str, float], seed: int, *names: object) -> list[str]:
    """Return the keys in a weighted random order without replacement; weight 0 comes last.

    Exponential race: Efraimidis & Spirakis (2006), Weighted random sampling with a reservoir.
    """
    floor = 1e-12

    def arrival(key: str) -> tuple[float, str]:
        return (-math.log(unit(seed, *names, key)) / max(weights[key], floor), key)

    return sorted(weights, key=arrival)


def pick(options: Iterable[tuple[Named, str, float]], seed: int, *names: object) -> Named | None:
    """Return one of (option, key, weight), likely in proportion to weight; None if none is."""
    best: tuple[float, str, Named] | None = None
    for option, key, weight in options:
        if weight <= 0.0:
            continue
        arrival = -math.log(unit(seed, *names, key)) / weight
        if best is None or (arrival, key) < best[:2]:
            best = (arrival, key, option)
    return None if best is None else best[2]
