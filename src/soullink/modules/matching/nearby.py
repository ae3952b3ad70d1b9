"""Who writes alike: the use cases over the pool and the vector gateway."""

from dataclasses import dataclass

from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import MOST_SHOWN, InvalidMatchingError, NearPeople, NearPerson
from soullink.modules.matching.nearness import Nearness
from soullink.modules.matching.people import Source
from soullink.modules.matching.service import PoolMatching


@dataclass(slots=True)
class PoolNearby:
    """Implements Nearby. stored: vectors follow the members; else each call makes them."""

    matching: PoolMatching
    source: Source
    nearness: Nearness
    stored: bool

    async def near(self, person: PersonId, top: int = 20) -> NearPeople:
        if not 1 <= top <= MOST_SHOWN:
            raise InvalidMatchingError(f"Show 1 to {MOST_SHOWN} people, not {top}.")
        reader, fitting = await self.matching.fitting(person)
        if not self.stored:
            await self.nearness.rebuild(self.source)
        found = await self.nearness.nearest(reader, top, set(map(str, fitting)))
        likeness = {PersonId(one.id): round(one.similarity, 3) for one in found}
        now = await self.source.several(likeness)
        still = [who for who in likeness if who in now and not now[who].paused]
        people = tuple(
            NearPerson(rank, who, now[who].profile.name, likeness[who])
            for rank, who in enumerate(still, start=1)
        )
        return NearPeople(person, len(fitting), await self.nearness.count(), people)

    async def follow(self, person: PersonId) -> None:
        now = (await self.source.several([person])).get(person)
        await self.nearness.follow(person, None if now is None or now.paused else now)

    async def rebuild(self) -> int:
        return await self.nearness.rebuild(self.source)

    async def close(self) -> None:
        await self.nearness.close()
