"""Lives through the head of a list without words, where both sides agreed, and reorders it."""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from soullink.gateways.log import Log
from soullink.kernel.errors import SoulLinkError
from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import Agreements, Degradation
from soullink.modules.matching.domain.explanation import Lived
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.screening.api import Screening, ScreeningSettings

_log = Log(__name__)

REPLICAS: Final = 64
NOTEWORTHY: Final = 0.1
"""Difference of the share that stays together from the middle of the list that is worth a word."""


class Lives(Protocol):
    """Lives pairs through."""

    async def together(self, one: Profile, others: Sequence[Profile]) -> Mapping[PersonId, float]:
        """Return the share of simulated courses that end together, by person. Raises
        SoulLinkError."""
        ...


class ScreenedLives:
    """Lives by simulation's screening; what it writes is removed at once.

    The same pair gets the same courses: the seed is fixed, and the ids go into the draws.
    """

    def __init__(self, screening: Screening) -> None:
        self._screening = screening

    async def together(self, one: Profile, others: Sequence[Profile]) -> Mapping[PersonId, float]:
        # Compiling would take longer than living these few.
        settings = ScreeningSettings(
            seed=0, episodes=3, replicas=REPLICAS, engine="numpy", threads=1
        )
        with tempfile.TemporaryDirectory(prefix="soullink-match-") as folder:
            out = Path(folder) / "pairs.parquet"
            await self._screening.screen([one], others, settings, out)
            rows = self._screening.likeliest(out, len(others))
        return {
            PersonId(row.second if row.first == one.id else row.first): row.values["together"]
            for row in rows
        }


@dataclass(frozen=True, slots=True)
class Reordered:
    """What screening made of a head. order: places of it in their new order.

    lived: by person, a word for each that was lived through. missing: what was left out.
    """

    order: tuple[int, ...]
    lived: Mapping[PersonId, Lived]
    missing: Mapping[Degradation, bool]


async def reordered(
    lives: Lives | None, agreements: Agreements | None, reader: Profile, head: Sequence[Profile]
) -> Reordered:
    """Put those who agreed to it, among the places they hold, in the order of what was lived.

    Whoever did not agree, and everybody where the reader did not or nothing can be lived, keeps
    their place: not to agree costs nobody a place.
    """
    as_it_was = tuple(range(len(head)))
    if lives is None or not head:
        return Reordered(as_it_was, {}, {"no_screening": lives is None})
    agreed: Collection[PersonId] = ()
    if agreements is not None:
        everybody = [reader.id, *(person.id for person in head)]
        agreed = await agreements.holders(everybody, "simulation_before_meeting")
    places = [k for k, person in enumerate(head) if person.id in agreed]
    if reader.id not in agreed or not places:
        return Reordered(as_it_was, {}, {"no_screening_consent": True})
    try:
        found = await lives.together(reader, [head[k] for k in places])
    except SoulLinkError as error:
        _log.warning("matching.screening_failed", code=error.code)
        return Reordered(as_it_was, {}, {"no_screening": True})
    ranked = sorted(places, key=lambda k: (-found.get(head[k].id, 0.0), k))
    order = list(as_it_was)
    for place, k in zip(places, ranked, strict=True):
        order[place] = k
    shares = sorted(found.values())
    middle = shares[len(shares) // 2] if shares else 0.0
    lived = {person: _word(share - middle) for person, share in found.items()}
    return Reordered(tuple(order), lived, {"no_screening_consent": len(places) < len(head)})


def _word(difference: float) -> Lived:
    if abs(difference) < NOTEWORTHY:
        return "lived_alike"
    return "lived_better" if difference > 0 else "lived_worse"
