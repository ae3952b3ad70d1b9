"""Which arm a unit is served, and which outcomes of single arms make a pair."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from soullink.modules.prompts.api import Arm


def arm_of(experiment: UUID, unit: str) -> Arm:
    """Return the arm of a unit: even odds, always the same, independent between experiments."""
    digest = hashlib.sha256(experiment.bytes + unit.encode()).digest()
    return "A" if digest[0] < 128 else "B"


def paired(
    outcomes: Iterable[tuple[float | None, float | None]],
) -> list[tuple[float, float]]:
    """Return outcomes (of A, of B) as pairs: the n-th that has only A with the n-th only B.

    Who has neither partner nor a pair of its own yet is left out.
    """
    pairs: list[tuple[float, float]] = []
    waiting: tuple[list[float], list[float]] = ([], [])
    for a, b in outcomes:
        if a is not None and b is not None:
            pairs.append((a, b))
            continue
        if a is not None:
            waiting[0].append(a)
        if b is not None:
            waiting[1].append(b)
        if waiting[0] and waiting[1]:
            pairs.append((waiting[0].pop(0), waiting[1].pop(0)))
    return pairs
