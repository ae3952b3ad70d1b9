"""Recommends, looks at pairs, makes rounds: one method, one use case.

The pool is filled at the first call and kept in step by `member_changed` and `forget`. What is
shown is read anew each time, so nobody who paused, left or changed elsewhere is shown as before.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from soullink.gateways.log import Log
from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock
from soullink.kernel.ids import PersonId, new_uuid7
from soullink.kernel.language import Language
from soullink.modules.matching.api import (
    LARGEST_ROUND,
    METHODS,
    MOST_SHOWN,
    Agreements,
    Candidate,
    Degradation,
    Exposure,
    InvalidMatchingError,
    PairView,
    PersonNotMatchedError,
    PersonPausedError,
    RecommendSettings,
    Round,
    RoundSettings,
    Suggestion,
    Suggestions,
)
from soullink.modules.matching.crowd import Crowd
from soullink.modules.matching.domain import search, wording
from soullink.modules.matching.domain.explanation import shown_distance
from soullink.modules.matching.domain.facts import Facts
from soullink.modules.matching.domain.pool import Vectors
from soullink.modules.matching.domain.rounds import RoundTable, make_round
from soullink.modules.matching.domain.selection import diverse, explored, mutual_log_odds
from soullink.modules.matching.domain.wishes import failed
from soullink.modules.matching.screening import Lives, reordered
from soullink.modules.matching.store import MatchingStore
from soullink.modules.matching.views import Pairing, degradations, told

_log = Log(__name__)

_TRIES: Final = 5
"""How often a search is begun anew because somebody had changed elsewhere meanwhile."""
_RANKER: Final = "mutual-1"


@dataclass(frozen=True, slots=True)
class _Head:
    """The best candidates as they are now, with their numbers in the same order."""

    people: tuple[Candidate, ...]
    found: search.Found


class PoolMatching:
    """Matching over a pool in this process. database: None where nothing is stored."""

    def __init__(
        self,
        crowd: Crowd,
        clock: Clock,
        database: Database | None = None,
        lives: Lives | None = None,
        agreements: Agreements | None = None,
    ) -> None:
        self._crowd = crowd
        self._clock = clock
        self._database = database
        self._lives = lives
        self._agreements = agreements
        self._filled = False
        self._one_at_a_time = asyncio.Lock()

    async def refresh(self) -> int:
        async with self._one_at_a_time:
            count = await self._crowd.fill()
            self._filled = True
        return count

    async def member_changed(self, person: PersonId) -> None:
        async with self._one_at_a_time:
            if not self._filled:
                return
            now = await self._crowd.source.several([person])
            if person in now:
                await self._crowd.put([now[person]], rewritten=True)
            else:
                self._crowd.pool.remove(person)

    async def forget(self, person: PersonId) -> None:
        async with self._one_at_a_time:
            await self._crowd.forget(person)
        if self._database is not None:
            async with self._database.work() as work:
                await MatchingStore(work.session).forget(person)

    async def recommend(
        self, person: PersonId, settings: RecommendSettings | None = None
    ) -> Suggestions:
        chosen = settings or RecommendSettings()
        _check(chosen)
        async with self._one_at_a_time:
            await self._ready()
            reader = await self._taking_part(person)
            head = await self._head(reader, chosen)
        language = chosen.language or reader.profile.language
        scores = mutual_log_odds(head.found.out, head.found.into)
        order = diverse(scores, self._texts(head), chosen.diversity)
        missing = self._missing()
        lived = None
        if chosen.screen:
            first = [head.people[k].profile for k in order[: chosen.screen]]
            lived = await reordered(self._lives, self._agreements, reader.profile, first)
            order = [*(order[k] for k in lived.order), *order[len(first) :]]
            missing |= lived.missing
        now, list_id = self._clock.now(), new_uuid7()
        seed = [list_id.int] if chosen.seed is None else [chosen.seed, *person.encode()]
        generator = np.random.default_rng(seed)
        places = explored(order, chosen.top, chosen.explore, generator)
        suggestions = []
        for rank, place in enumerate(places, start=1):
            other = head.people[place.candidate]
            pairing = Pairing(
                float(head.found.likeness[place.candidate]),
                float(head.found.distance_km[place.candidate]),
                None if lived is None else lived.lived.get(other.profile.id),
                place.explored,
            )
            explanation = told(self._crowd, reader, other, pairing, language)
            away = shown_distance(None if np.isnan(pairing.distance_km) else pairing.distance_km)
            suggestions.append(
                Suggestion(
                    rank, other.profile.id, other.profile.name, away, place.explored, explanation
                )
            )
        await self._expose(
            [
                Exposure(
                    list_id,
                    person,
                    head.people[place.candidate].profile.id,
                    rank,
                    place.propensity,
                    place.explored,
                    f"{_RANKER}:{self._crowd.version}",
                    now,
                )
                for rank, place in enumerate(places, start=1)
            ]
        )
        return Suggestions(
            list_id,
            person,
            now,
            head.found.passed,
            tuple(suggestions),
            degradations(missing, language),
        )

    async def fitting(self, person: PersonId) -> tuple[Candidate, list[PersonId]]:
        """Return `person` as they are now, and all who fit both ways as far as the pool knows.

        Raises PersonNotMatchedError, PersonPausedError.
        """
        async with self._one_at_a_time:
            await self._ready()
            reader = await self._taking_part(person)
            hidden = await self._crowd.source.hidden(person)
            seeker, pool = self._seeker(reader), self._crowd.pool
            distances = pool.cells.distances_km(seeker.cell)
            rows = search.passing(pool, seeker, distances, pool.rows_of(hidden))
            return reader, [self._id_of(row) for row in rows.tolist()]

    async def pair(
        self, first: PersonId, second: PersonId, language: Language | None = None
    ) -> PairView:
        if first == second:
            raise InvalidMatchingError(f"{first!r} is the same person twice; name two.")
        async with self._one_at_a_time:
            await self._ready()
            one, two = await self._taking_part(first), await self._taking_part(second)
            hidden = second in await self._crowd.source.hidden(first)
            allowed, pairing = self._between(one, two)
        missing = degradations(self._missing(), language or one.profile.language)
        if hidden or not allowed:
            return PairView(
                first,
                second,
                False,
                {
                    first: self._refusals(one, two, language),
                    second: self._refusals(two, one, language),
                },
                {},
                missing,
            )
        explanations = {
            first: told(self._crowd, one, two, pairing, language),
            second: told(self._crowd, two, one, pairing, language),
        }
        return PairView(first, second, True, {}, explanations, missing)

    async def round(self, settings: RoundSettings | None = None) -> Round:
        chosen = settings or RoundSettings()
        if chosen.method not in METHODS:
            raise InvalidMatchingError(f"A method is one of {', '.join(METHODS)}.")
        if not 1 <= chosen.shown <= MOST_SHOWN or not 1 <= chosen.capacity <= MOST_SHOWN:
            raise InvalidMatchingError(f"Show 1 to {MOST_SHOWN} people, with as much capacity.")
        async with self._one_at_a_time:
            await self._ready()
            table = await self._table(chosen.people)
        made = await asyncio.to_thread(make_round, table, chosen)
        now, list_id = self._clock.now(), new_uuid7()
        await self._expose(
            [
                Exposure(
                    list_id, viewer, shown, rank, made.propensity[viewer, shown, rank], False,
                    f"round-{chosen.method}:{self._crowd.version}", now,
                )
                for viewer, list_of in made.lists
                for rank, shown in enumerate(list_of, start=1)
            ]
        )  # fmt: skip
        return made.told(list_id, chosen.method, degradations(self._missing(), "en"))

    async def block(self, person: PersonId, other: PersonId) -> None:
        async with self._stored().work() as work:
            await MatchingStore(work.session).block(person, other, self._clock.now())

    async def unblock(self, person: PersonId, other: PersonId) -> None:
        async with self._stored().work() as work:
            await MatchingStore(work.session).unblock(person, other)

    async def keep_apart(self, first: PersonId, second: PersonId) -> None:
        async with self._stored().work() as work:
            await MatchingStore(work.session).keep_apart(first, second, self._clock.now())

    async def keep_apart_no_longer(self, first: PersonId, second: PersonId) -> None:
        async with self._stored().work() as work:
            await MatchingStore(work.session).keep_apart_no_longer(first, second)

    async def record_meeting(self, first: PersonId, second: PersonId) -> None:
        async with self._stored().work() as work:
            await MatchingStore(work.session).meet(first, second, self._clock.now())

    async def record_answer(
        self, person: PersonId, other: PersonId, yes: bool, at: datetime
    ) -> None:
        async with self._stored().work() as work:
            await MatchingStore(work.session).answer(person, other, yes, at)
        for changed in (person, other):
            await self._answered(changed)

    async def exposures(
        self, person: PersonId | None = None, limit: int = 1_000
    ) -> Sequence[Exposure]:
        async with self._stored().work() as work:
            return await MatchingStore(work.session).exposures(person, limit)

    def _stored(self) -> Database:
        if self._database is None:
            raise InvalidMatchingError("Nothing is stored here: these people have not joined.")
        return self._database

    async def _ready(self) -> None:
        if not self._filled:
            await self._crowd.fill()
            self._filled = True

    async def _taking_part(self, person: PersonId) -> Candidate:
        """Return somebody as they are now, in the pool as well."""
        found = (await self._crowd.source.several([person])).get(person)
        if found is None:
            self._crowd.pool.remove(person)
            raise PersonNotMatchedError(f"Nobody with the id {person!r} takes part in matching.")
        await self._crowd.up_to_date([person])
        if found.paused:
            raise PersonPausedError(
                f"{person!r} pauses, or has not agreed to be matched; resume or agree first."
            )
        return found

    async def _answered(self, person: PersonId) -> None:
        async with self._one_at_a_time:
            now = await self._crowd.source.several([person]) if self._filled else {}
            if person in now:
                await self._crowd.put([now[person]])

    async def _head(self, reader: Candidate, settings: RecommendSettings) -> _Head:
        """Return the best for `reader`, enough for exploring and screening, all as they are now."""
        wanted = max(settings.top * (6 if settings.explore or settings.diversity else 1), 1)
        wanted = max(wanted, settings.screen)
        hidden = await self._crowd.source.hidden(reader.profile.id)
        for _ in range(_TRIES):
            seeker = self._seeker(reader)
            rows = self._crowd.pool.rows_of(hidden)
            # In a thread: a search takes milliseconds in which others may be served.
            found = await asyncio.to_thread(
                search.best,
                self._crowd.pool,
                self._crowd.tables,
                seeker,
                wanted,
                rows,
                settings.exposure_limit,
            )
            ids = [self._id_of(row) for row in found.rows.tolist()]
            now = await self._crowd.up_to_date(ids)
            if now is not None:
                return _Head(tuple(now[person] for person in ids), found)
        _log.warning("matching.pool_behind", tries=_TRIES)
        await self._crowd.fill()
        return await self._head(reader, settings)

    def _id_of(self, row: int) -> PersonId:
        person = self._crowd.pool.ids[row]
        if person is None:
            raise AssertionError  # a row with nobody in it passes no filter
        return person

    def _seeker(self, person: Candidate) -> search.Seeker:
        row = self._crowd.pool.row_of(person.profile.id)
        if row is None:
            raise AssertionError  # _taking_part has put them in
        return search.seeker(self._crowd.pool, row, self._crowd.facts(person).cell)

    def _texts(self, head: _Head) -> Vectors:
        texts: Vectors = self._crowd.pool.columns.texts[head.found.rows]
        return texts

    def _between(self, one: Candidate, two: Candidate) -> tuple[bool, Pairing]:
        seeker, pool = self._seeker(one), self._crowd.pool
        rows = pool.rows_of([two.profile.id])
        distances = pool.cells.distances_km(seeker.cell)
        allowed = bool(np.isin(rows, search.passing(pool, seeker, distances)).all())
        _, _, alike, away = search.score(pool, self._crowd.interest, seeker, rows, distances)
        return allowed, Pairing(float(alike[0]), float(away[0]))

    def _refusals(
        self, reader: Candidate, other: Candidate, language: Language | None
    ) -> tuple[str, ...]:
        """Say why not: by name only what the other shows openly fails of the reader's own wish."""
        mine, theirs = self._crowd.facts(reader), self._crowd.facts(other)
        used = language or reader.profile.language
        codes = _open_refusals(reader, mine, theirs)
        return tuple(
            wording.say(wording.REFUSALS[code], used, other=other.profile.name)
            for code in codes or ["other"]
        )

    async def _table(self, people: Sequence[PersonId]) -> RoundTable:
        """Return chances and who may meet, for `people` or for everybody who takes part."""
        if people:
            taking = [await self._taking_part(person) for person in dict.fromkeys(people)]
        else:
            if len(self._crowd.pool) > LARGEST_ROUND:
                raise InvalidMatchingError(
                    f"{len(self._crowd.pool)} people take part; a round takes up to "
                    f"{LARGEST_ROUND}. Name them."
                )
            everybody = [person for person in self._crowd.pool.ids if person is not None]
            now = await self._crowd.source.several(everybody)
            await self._crowd.up_to_date(everybody)
            taking = [one for one in now.values() if not one.paused]
        if not 2 <= len(taking) <= LARGEST_ROUND:
            raise InvalidMatchingError(f"A round takes 2 to {LARGEST_ROUND} people.")
        ids = tuple(one.profile.id for one in taking)
        hidden = await self._crowd.source.hidden_pairs(ids)
        rows, pool = self._crowd.pool.rows_of(ids), self._crowd.pool
        n = len(ids)
        allowed, yes = np.zeros((n, n), dtype=np.bool_), np.zeros((n, n))
        for k, one in enumerate(taking):
            seeker = self._seeker(one)
            distances = pool.cells.distances_km(seeker.cell)
            allowed[k] = np.isin(rows, search.passing(pool, seeker, distances))
            out, _, _, _ = search.score(pool, self._crowd.interest, seeker, rows, distances)
            yes[k] = 1.0 / (1.0 + np.exp(-out))
        at = {person: k for k, person in enumerate(ids)}
        for first, second in hidden:
            allowed[at[first], at[second]] = False
        genders = tuple(self._crowd.facts(one).genders for one in taking)
        return RoundTable(ids, genders, yes, allowed)

    def _missing(self) -> dict[Degradation, bool]:
        return {
            "no_interest_model": not self._crowd.learned,
            "no_text_vectors": self._crowd.texts_missing,
        }

    async def _expose(self, shown: Sequence[Exposure]) -> None:
        await self._crowd.source.expose(shown)
        pool = self._crowd.pool
        rows = pool.rows_of([one.shown for one in shown])
        np.add.at(pool.columns.shown, rows, 1)


def _open_refusals(reader: Candidate, mine: Facts, theirs: Facts) -> list[str]:
    open_facts = ("age", "distance", "gender", "languages")
    return [code for code in failed(reader, mine, theirs) if code in open_facts]


def _check(settings: RecommendSettings) -> None:
    """Raise InvalidMatchingError for settings outside their limits."""
    if not 1 <= settings.top <= MOST_SHOWN:
        raise InvalidMatchingError(f"Show 1 to {MOST_SHOWN} people, not {settings.top}.")
    if not 0.0 <= settings.explore <= 0.5:
        raise InvalidMatchingError("The share of places to explore with lies from 0 to 0.5.")
    if not 0.0 <= settings.diversity <= 10.0:
        raise InvalidMatchingError("Diversity lies from 0 to 10.")
    if settings.exposure_limit < 0 or not 0 <= settings.screen <= MOST_SHOWN:
        raise InvalidMatchingError(
            f"An exposure limit is not below 0; screened are 0 to {MOST_SHOWN}."
        )
