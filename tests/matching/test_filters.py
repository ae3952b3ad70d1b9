"""Filters go both ways: what each wants against what each is."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import Candidate
from soullink.modules.matching.domain import languages
from soullink.modules.matching.domain.facts import BITS, encode
from soullink.modules.matching.domain.kinds import KindTables
from soullink.modules.matching.domain.search import best, passing, seeker
from soullink.modules.profiles.api import (
    NOT_RELIGIOUS,
    LookingFor,
    Profile,
    Wants,
    cell_at,
    cell_distance_km,
)
from tests.matching.people import TODAY, SmallModel, pool_of, profiles

A, B = PersonId("a"), PersonId("b")


def meets(first: Candidate | Profile, second: Candidate | Profile) -> bool:
    """Tell whether the second is among the candidates of the first."""
    one, two = (c if isinstance(c, Candidate) else Candidate(c) for c in (first, second))
    pool = pool_of(one, two)
    looking = seeker(pool, 0, encode(one, one.profile.cell, TODAY).cell)
    return passing(pool, looking, pool.cells.distances_km(looking.cell)).tolist() == [1]


def told(a: Profile, b: Profile) -> bool:
    """The rules of docs/reference/profile.md in their plainest form: what `a` wants of `b`."""
    wish = a.looking_for
    failed = {
        "gender": None
        if not a.interested_in or not b.gender
        else not {*a.interested_in} & {*b.gender},
        "age": _age_fails(wish, b.age),
        "distance": None
        if wish.distance_km is None or None in (a.cell, b.cell)
        else round(cell_distance_km(a.cell, b.cell), 1) > wish.distance_km,
        "smoking": None if not wish.smoking or not b.smoking else b.smoking not in wish.smoking,
        "drinking": None
        if not wish.drinking or not b.drinking
        else b.drinking not in wish.drinking,
        "religion": None
        if not wish.religions or not b.religion
        else b.religion not in wish.religions,
        "languages": _languages_fail(a, b),
        "children": _children_clash(a.wants.children, b.wants.children),
    }
    asked = {
        "gender": bool(a.interested_in),
        "age": wish.age_from is not None or wish.age_to is not None,
        "distance": wish.distance_km is not None,
        "smoking": bool(wish.smoking),
        "drinking": bool(wish.drinking),
        "religion": bool(wish.religions),
        "languages": bool(wish.languages) or "languages" in wish.importance,
        "children": a.wants.children not in (None, "open"),
    }
    for criterion, fails in failed.items():
        importance = wish.importance_of(criterion)
        if fails and importance != "preferred":
            return False
        if fails is None and asked[criterion] and importance == "essential":
            if criterion == "languages" and b.languages:
                continue
            if criterion == "distance" and b.cell is not None:
                continue
            return False
    return _breakers_pass(a, b)


def _age_fails(wish: LookingFor, age: int | None) -> bool | None:
    if age is None:
        return None
    return age < (wish.age_from or 0) or age > (wish.age_to or 200)


def _languages_fail(a: Profile, b: Profile) -> bool | None:
    wanted = languages.spoken(a.looking_for.languages or a.languages)
    if not b.languages or wanted == languages.ANY:
        return None
    return not wanted & languages.spoken(b.languages)


def _children_clash(mine: str | None, theirs: str | None) -> bool | None:
    more, none = {"wants", "has_and_wants_more"}, {"does_not_want", "has_and_done"}
    if theirs is None:
        return None
    return (mine in more and theirs in none) or (mine in none and theirs in more)


def _breakers_pass(a: Profile, b: Profile) -> bool:
    importance = a.looking_for.importance_of("deal_breakers")
    has = b.has_children
    if has is None and b.wants.children in ("has_and_done", "has_and_wants_more"):
        has = True
    more, none = {"wants", "has_and_wants_more"}, {"does_not_want", "has_and_done"}
    true_of_b = {
        "smoking": None if b.smoking is None else b.smoking != "never",
        "drinking": None if b.drinking is None else b.drinking != "never",
        "heavy_drinking": None if b.drinking is None else b.drinking == "often",
        "has_children": has,
        "wants_children": None if b.wants.children is None else b.wants.children in more,
        "does_not_want_children": None if b.wants.children is None else b.wants.children in none,
        "religious": None if b.religion is None else b.religion not in NOT_RELIGIOUS,
        "not_religious": None if b.religion is None else b.religion in NOT_RELIGIOUS,
        "casual": None if b.wants.goal is None else b.wants.goal == "casual",
    }
    for code in a.looking_for.deal_breakers:
        if true_of_b[code] and importance != "preferred":
            return False
        if true_of_b[code] is None and importance == "essential":
            return False
    return True


@given(profiles("a"), profiles("b"))
def test_the_columns_say_what_the_rules_say(a: Profile, b: Profile) -> None:
    assert meets(a, b) == (told(a, b) and told(b, a))


@settings(max_examples=40)
@given(profiles("a"), profiles("b"))
def test_the_result_is_symmetric(a: Profile, b: Profile) -> None:
    assert meets(a, b) == meets(b, a)


@settings(max_examples=40)
@given(profiles("a"), profiles("b"), st.integers(0, 20), st.integers(0, 2_000))
def test_wider_ranges_lose_nobody(a: Profile, b: Profile, years: int, km: int) -> None:
    wish = a.looking_for
    wider = replace(
        wish,
        age_from=None if wish.age_from is None else max(18, wish.age_from - years),
        age_to=None if wish.age_to is None else wish.age_to + years,
        distance_km=None if wish.distance_km is None else wish.distance_km + km,
    )
    if meets(a, b):
        assert meets(replace(a, looking_for=wider), b)


@settings(max_examples=40)
@given(profiles("a"), profiles("b"))
def test_somebody_who_pauses_is_nobodys_candidate(a: Profile, b: Profile) -> None:
    assert not meets(a, Candidate(b, paused=True))
    assert not meets(Candidate(a, paused=True), b)


def test_a_hidden_row_is_gone_and_oneself_is_never_there() -> None:
    pool = pool_of(*(Candidate(Profile(id=PersonId(n), name=n)) for n in "abcd"))
    one = seeker(pool, 0, None)
    distances = pool.cells.distances_km(None)
    assert sorted(passing(pool, one, distances).tolist()) == [1, 2, 3]
    hidden = pool.rows_of([PersonId("c"), PersonId("nobody")])
    assert sorted(passing(pool, one, distances, hidden).tolist()) == [1, 3]


def test_somebody_shown_often_enough_is_left_out() -> None:
    pool = pool_of(*(Candidate(Profile(id=PersonId(n), name=n)) for n in "abc"))
    pool.columns.shown[1] = 5
    one, distances = seeker(pool, 0, None), pool.cells.distances_km(None)
    assert passing(pool, one, distances, exposure_limit=5).tolist() == [2]
    assert sorted(passing(pool, one, distances, exposure_limit=6).tolist()) == [1, 2]


@pytest.mark.parametrize(
    ("importance", "known", "unknown"),
    [("essential", False, False), ("important", False, True), ("preferred", True, True)],
)
def test_importance_says_what_happens_to_who_fails_and_who_is_unknown(
    importance, known, unknown
) -> None:
    wish = LookingFor(smoking=("never",), importance={"smoking": importance})
    a = Profile(id=A, name="a", looking_for=wish)
    b = Profile(id=B, name="b", smoking="often")
    assert meets(a, b) is known
    assert meets(a, replace(b, smoking=None)) is unknown
    assert meets(a, replace(b, smoking="never")) is True


def test_an_unknown_gender_is_not_suggested_to_who_said_whom_they_want() -> None:
    a = Profile(id=A, name="a", gender=("woman",), interested_in=("man", "non_binary"))
    nobody_knows = Profile(id=B, name="b")
    assert not meets(a, nobody_knows)
    assert meets(a, replace(nobody_knows, gender=("woman", "non_binary")))
    assert not meets(a, replace(nobody_knows, gender=("woman",)))


def test_wishes_about_children_clash_only_when_both_are_known() -> None:
    a = Profile(id=A, name="a", wants=Wants(children="wants"))
    for theirs, expected in (("does_not_want", False), ("open", True), (None, True)):
        assert meets(a, Profile(id=B, name="b", wants=Wants(children=theirs))) is expected


@given(st.floats(51.85, 51.99), st.floats(4.36, 4.60))
def test_moving_inside_a_cell_changes_nothing_that_can_be_seen(
    latitude: float, longitude: float
) -> None:
    def seen(place: tuple[float, float]) -> object:
        mover = Profile(id=B, name="b", cell=cell_at(*place), age=30)
        other = Profile(
            id=A,
            name="a",
            age=31,
            cell=cell_at(52.37, 4.90),
            looking_for=LookingFor(distance_km=75),
        )
        pool = pool_of(Candidate(other), Candidate(mover))
        found = best(pool, KindTables(SmallModel()), seeker(pool, 0, other.cell), 5)
        return [column.tolist() for column in (found.rows, found.out, found.distance_km)]

    assume_cell = cell_at(51.92, 4.48)
    if cell_at(latitude, longitude) == assume_cell:
        assert seen((latitude, longitude)) == seen((51.92, 4.48))


def test_a_challenged_field_is_unknown_to_the_filter() -> None:
    wish = LookingFor(age_from=30, age_to=40)
    a = Profile(id=A, name="a", looking_for=wish)
    b = Profile(id=B, name="b", age=50)
    assert not meets(a, b)
    assert meets(a, Candidate(b, left_out=frozenset({"age"})))


def test_every_bit_is_a_group_of_its_own() -> None:
    bits = [bit for group in BITS.values() for bit in group.values()]
    assert len(set(bits)) == len(bits)
    assert max(bits) < 1 << 64
    assert all(bit.bit_count() == 1 for bit in bits)


def test_languages_are_understood_with_remarks() -> None:
    understood = [
        ("English (fluently)", "英语"),
        ("some Igbo", "Igbo"),
        ("一点俄语", "Russian"),
        ("a kitchen's worth of Portuguese", "portuguese"),
        ("普通话", "Mandarin"),
    ]
    for written, plain in understood:
        assert languages.spoken([written]) == languages.spoken([plain]) != languages.ANY
    assert languages.spoken(["C++"]) == languages.ANY
    assert languages.spoken(["兰州话"]) & languages.spoken(["Klingon"])


def test_distances_agree_with_the_grid() -> None:
    places = [cell_at(51.9, 4.5), cell_at(-33.0, -71.6), cell_at(30.7, 104.1), cell_at(89.9, 0.0)]
    pool = pool_of(
        *(Candidate(Profile(id=PersonId(str(k)), name="p", cell=c)) for k, c in enumerate(places))
    )
    for mine in places:
        found = pool.cells.distances_km(mine)[pool.columns.cell[: len(places)]]
        expected = [cell_distance_km(mine, other) for other in places]
        assert np.allclose(found, expected, atol=0.06)
