"""People for tests of matching: drawn ones, and an interest model small enough to check by hand."""

from datetime import date

import numpy as np
from hypothesis import strategies as st

from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import Candidate
from soullink.modules.matching.domain.facts import encode
from soullink.modules.matching.domain.interest.people import FloatArray, People
from soullink.modules.matching.domain.pool import WIDTH, Entry, Pool
from soullink.modules.profiles.api import (
    CRITERIA,
    DEAL_BREAKERS,
    GENDERS,
    HABITS,
    IMPORTANCES,
    RELIGIONS,
    LookingFor,
    Profile,
    Wants,
    cell_at,
)

TODAY = date(2026, 6, 15)


class SmallModel:
    """Choosiness and popularity from histories; a gap in ages costs, likeness gives a little."""

    intercept = -0.4

    def actor(self, people: People) -> FloatArray:
        return 0.5 * np.log((people.said_yes + 2.0) / (people.decided - people.said_yes + 3.0))

    def partner(self, people: People) -> FloatArray:
        return 0.5 * np.log((people.got_yes + 2.0) / (people.was_decided - people.got_yes + 3.0))

    def pair(
        self, deciders: People, others: People, likeness: FloatArray | None = None
    ) -> FloatArray:
        gap = np.nan_to_num(np.abs(deciders.age - others.age))
        alike = 0.0 if likeness is None else 0.2 * np.nan_to_num(likeness)
        return -0.03 * gap + 0.15 * (deciders.goal == others.goal) + alike


def subsets(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), unique=True, max_size=len(values)).map(tuple)


def maybe(values: tuple[object, ...]) -> st.SearchStrategy[object]:
    return st.sampled_from((None, *values))


@st.composite
def wishes(draw: st.DrawFn) -> LookingFor:
    ages = sorted(draw(st.tuples(st.integers(18, 60), st.integers(18, 60))))
    given = draw(st.booleans())
    return LookingFor(
        age_from=ages[0] if given else None,
        age_to=ages[1] if given and draw(st.booleans()) else None,
        distance_km=draw(maybe((20, 50, 240, 3_000))),
        languages=draw(subsets(("English", "普通话"))),
        smoking=draw(subsets(HABITS)),
        drinking=draw(subsets(HABITS)),
        religions=draw(subsets(RELIGIONS[:3])),
        deal_breakers=draw(subsets(DEAL_BREAKERS)) if draw(st.booleans()) else (),
        importance=draw(
            st.dictionaries(st.sampled_from(CRITERIA), st.sampled_from(IMPORTANCES), max_size=4)
        ),
    )


@st.composite
def profiles(draw: st.DrawFn, name: str = "p") -> Profile:
    place = draw(maybe(((51.92, 4.48), (52.37, 4.90), (30.66, 104.06))))
    return Profile(
        id=PersonId(name),
        name=name,
        age=draw(maybe(tuple(range(18, 61, 7)))),
        languages=draw(subsets(("English", "普通话", "Dutch"))),
        wants=Wants(
            goal=draw(maybe(("casual", "long_term", "marriage"))),
            children=draw(maybe(("wants", "does_not_want", "open", "has_and_done"))),
        ),
        gender=draw(subsets(GENDERS)),
        interested_in=draw(subsets(GENDERS)),
        cell=None if place is None else cell_at(*place),
        has_children=draw(maybe((True, False))),
        smoking=draw(maybe(HABITS)),
        drinking=draw(maybe(HABITS)),
        religion=draw(maybe(RELIGIONS[:4])),
        looking_for=draw(wishes()),
    )


def entry(candidate: Candidate, model: SmallModel | None = None, text: int | None = None) -> Entry:
    """Return `candidate` for a pool; text: seed of what the person writes."""
    used = model or SmallModel()
    people = People.of(
        1,
        {
            name: np.array([float(getattr(candidate, name))])
            for name in ("said_yes", "decided", "got_yes", "was_decided")
        },
    )
    written = None
    if text is not None:
        drawn = np.random.default_rng(text).normal(size=WIDTH)
        written = np.rint(127 * drawn / np.linalg.norm(drawn)).astype(np.int8)
    return Entry(
        facts=encode(candidate, candidate.profile.cell, TODAY),
        liked=float(used.partner(people)[0]),
        willing=float(used.actor(people)[0]),
        text=written,
    )


def pool_of(*candidates: Candidate) -> Pool:
    pool = Pool()
    for number, candidate in enumerate(candidates):
        pool.put(candidate.profile.id, entry(candidate, text=number))
    return pool
