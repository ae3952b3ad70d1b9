"""Keeps the pool in step with candidates: texts to vectors, profiles to numbers, interest added."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from soullink.gateways.log import Log
from soullink.kernel.errors import SoulLinkError, UnavailableError
from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import Candidate
from soullink.modules.matching.domain.facts import Facts, encode
from soullink.modules.matching.domain.interest.people import GOALS, FloatArray, People
from soullink.modules.matching.domain.kinds import Indifferent, Interest, KindTables
from soullink.modules.matching.domain.likeness import Reduction
from soullink.modules.matching.domain.pool import Entry, Pool, Vectors
from soullink.modules.matching.people import Source
from soullink.modules.profiles.api import Cell, Profile

_log = Log(__name__)

_SAMPLE: Final = 5_000
_LONGEST_TEXT: Final = 20_000
_HISTORY: Final = ("said_yes", "decided", "got_yes", "was_decided")


class Texts(Protocol):
    """Turns what people write into vectors, and keeps those until their owner is forgotten."""

    async def embed_all(
        self, texts: Mapping[str, Sequence[str]]
    ) -> Mapping[str, NDArray[np.float32]]:
        """Return (n, d) rows of length 1 for the texts of each owner."""
        ...

    async def forget(self, owner: str) -> int:
        """Remove what is kept of `owner`; return how much it was."""
        ...


class Crowd:
    """Everybody who takes part.

    interest: opens the interest model when somebody is first read; None where there is none.
    texts: None where what people write cannot be compared.
    """

    def __init__(
        self,
        source: Source,
        interest: Callable[[], Interest | None],
        texts: Texts | None,
        cell_of: Callable[[Profile], Cell | None],
        today: Callable[[], date],
    ) -> None:
        self.source = source
        self.interest: Interest = Indifferent()
        self.learned = False
        self.pool = Pool()
        self.tables = KindTables(self.interest)
        self._opening: Callable[[], Interest | None] | None = interest
        self.texts_missing = texts is None
        self._texts = texts
        self._reduction: Reduction | None = None
        self._cell_of = cell_of
        self._today = today

    @property
    def version(self) -> str:
        """Return the version of the interest model, or "none"."""
        return str(getattr(self.interest, "version", "none"))

    def facts(self, candidate: Candidate) -> Facts:
        """Return a candidate in numbers, as of today."""
        return encode(candidate, self._cell_of(candidate.profile), self._today())

    def columns(self, candidates: Sequence[Candidate], facts: Sequence[Facts]) -> People:
        """Return candidates as the interest model reads them."""
        given = {
            name: np.array([float(getattr(one, name)) for one in candidates]) for name in _HISTORY
        }
        age = np.array([float(f.age or np.nan) for f in facts])
        sex = np.array([float(f.sex or np.nan) for f in facts])
        goal = np.array([np.nan if f.goal == len(GOALS) else float(f.goal) for f in facts])
        return People.of(len(facts), {**given, "age": age, "sex": sex, "goal": goal})

    async def fill(self) -> int:
        """Read everybody anew and return how many they are."""
        if self._opening is not None:
            found, self._opening = self._opening(), None
            self.learned = found is not None
            self.interest = found or Indifferent()
            self.tables = KindTables(self.interest)
        self.pool, self._reduction = Pool(), None
        shown = await self.source.times_shown()
        waiting: list[list[Candidate]] = []
        seen = 0
        async for some in self.source.all():
            # The first few thousand say in which directions texts differ at all.
            seen += len(some)
            if self._reduction is None and seen < _SAMPLE:
                waiting.append(some)
                continue
            for each in (*waiting, some):
                await self._put(each, shown)
            waiting = []
        if waiting:
            await self._put([one for some in waiting for one in some], shown)
        return len(self.pool)

    async def put(self, candidates: Sequence[Candidate], *, rewritten: bool = False) -> None:
        """Add people or bring them up to date. rewritten: what was kept of their texts is old."""
        if rewritten and self._texts is not None:
            for one in candidates:
                await self._texts.forget(str(one.profile.id))
        shown = await self.source.times_shown([one.profile.id for one in candidates])
        await self._put(candidates, shown)

    async def forget(self, person: PersonId) -> None:
        """Remove a person and what is kept of their texts."""
        self.pool.remove(person)
        if self._texts is not None:
            await self._texts.forget(str(person))

    async def up_to_date(self, people: Collection[PersonId]) -> Mapping[PersonId, Candidate] | None:
        """Return these people as they are now, or None where the pool had to be corrected.

        Another process may have changed, paused or forgotten somebody: then the pool is brought
        up to date for them, and whoever asks searches again.
        """
        now = await self.source.several(people)
        gone = [person for person in people if person not in now]
        for person in gone:
            self.pool.remove(person)
        changed = [one for one in now.values() if not self._same(one)]
        if changed:
            await self.put(changed, rewritten=True)
        return None if gone or changed else now

    def _same(self, candidate: Candidate) -> bool:
        row = self.pool.row_of(candidate.profile.id)
        if row is None:
            return False
        facts, read = self.facts(candidate), self.pool.pick(row)
        there = self.pool.cells.place_of(facts.cell) == read("cell")
        names = ("facts", "rejects", "dislikes", "speaks", "wants_spoken", "age", "age_from")
        more = ("age_to", "soft", "reach_km")
        return there and all(getattr(facts, name) == read(name) for name in (*names, *more))

    async def _put(self, candidates: Sequence[Candidate], shown: Mapping[PersonId, int]) -> None:
        facts = [self.facts(one) for one in candidates]
        people = self.columns(candidates, facts)
        willing, liked = self.interest.actor(people), self.interest.partner(people)
        texts = await self._reduced(candidates)
        for k, one in enumerate(candidates):
            self.pool.put(
                one.profile.id,
                Entry(
                    facts=facts[k],
                    liked=_number(liked, k),
                    willing=_number(willing, k),
                    shown=shown.get(one.profile.id, 0),
                    text=texts.get(one.profile.id),
                ),
            )

    async def _reduced(self, candidates: Sequence[Candidate]) -> dict[PersonId, Vectors]:
        """Return what people write, reduced; nothing where texts cannot be had."""
        if self._texts is None:
            return {}
        texts = {one.profile.id: written(one) for one in candidates}
        texts = {person: some for person, some in texts.items() if some}
        if not texts:
            return {}
        try:
            rows = await self._texts.embed_all({str(k): v for k, v in texts.items()})
        except SoulLinkError as error:
            # A model's provider has more errors than ours; all mean that there are no vectors.
            if not isinstance(error, UnavailableError):
                _log.warning("matching.texts_refused", code=error.code)
            self.texts_missing = True
            return {}
        self.texts_missing = False
        means = np.stack([rows[str(person)].mean(axis=0) for person in texts])
        if self._reduction is None:
            self._reduction = Reduction.fitted(means)
        return dict(zip(texts, self._reduction.reduce(means), strict=True))


def written(candidate: Candidate) -> list[str]:
    """Return what is compared: essays and interests, unless the person said they are wrong."""
    person, out = candidate.profile, candidate.left_out
    texts = [] if "essays" in out else [text[:_LONGEST_TEXT] for text in person.essays.values()]
    if "interests" not in out and person.interests:
        texts.append(", ".join(person.interests))
    return texts


def _number(values: FloatArray, place: int) -> float:
    return float(values[place])
