"""The pool: exact answers, kept exact by changes one at a time, and nothing left of who goes."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import Candidate
from soullink.modules.matching.domain.facts import BITS, GONE
from soullink.modules.matching.domain.interest.people import GOALS
from soullink.modules.matching.domain.kinds import (
    KINDS,
    Indifferent,
    KindTables,
    kind_of,
    kinds_of,
    people_of,
)
from soullink.modules.matching.domain.likeness import Reduction
from soullink.modules.matching.domain.pool import WIDTH, Columns, Pool
from soullink.modules.matching.domain.search import best, likeness, passing, score, seeker
from soullink.modules.profiles.api import LookingFor, Profile, cell_at
from tests.matching.people import SmallModel, entry, pool_of, profiles

PLACES = (None, cell_at(51.92, 4.48), cell_at(52.37, 4.90), cell_at(30.66, 104.06))


def _crowd(size: int, seed: int) -> list[Candidate]:
    generator = np.random.default_rng(seed)
    people = []
    for number in range(size):
        decided, was = generator.integers(0, 30, 2)
        limit = (None, 60, 100)[generator.integers(3)]
        people.append(
            Candidate(
                Profile(
                    id=PersonId(f"p{number}"),
                    name="p",
                    age=int(generator.integers(20, 60)),
                    gender=("woman" if generator.random() < 0.5 else "man",),
                    interested_in=("woman", "man"),
                    cell=PLACES[generator.integers(4)],
                    looking_for=LookingFor(distance_km=limit),
                ),
                said_yes=int(generator.integers(0, decided + 1)),
                decided=int(decided),
                got_yes=int(generator.integers(0, was + 1)),
                was_decided=int(was),
            )
        )
    return people


@pytest.mark.parametrize("model", [SmallModel(), Indifferent()], ids=["small", "indifferent"])
def test_the_best_are_those_of_an_exhaustive_search(model) -> None:
    crowd = _crowd(700, 3)
    pool = pool_of(*crowd)
    tables = KindTables(model)
    for row in range(0, 700, 23):
        one = seeker(pool, row, crowd[row].profile.cell)
        distances = pool.cells.distances_km(one.cell)
        found = best(pool, tables, one, 20)
        everybody = np.sort(passing(pool, one, distances))
        out, into, _, _ = score(pool, model, one, everybody, distances)
        costs = (1 + np.exp(-out)) * (1 + np.exp(-into))
        expected = everybody[np.argsort(costs, kind="stable")[:20]]
        assert found.rows.tolist() == expected.tolist()
        assert found.passed == len(everybody)


def test_few_are_scored_in_full() -> None:
    pool = pool_of(*_crowd(3_000, 5))
    found = best(pool, KindTables(SmallModel()), seeker(pool, 0, None), 10)
    assert found.passed > 500
    assert found.scored < found.passed / 2


def test_the_score_is_the_models_log_odds_both_ways() -> None:
    crowd = _crowd(2, 8)
    pool = pool_of(*crowd)
    model = SmallModel()
    one = seeker(pool, 0, crowd[0].profile.cell)
    out, into, alike, _ = score(
        pool, model, one, np.array([1], dtype=np.int32), pool.cells.distances_km(one.cell)
    )
    first, second = (entry(c) for c in crowd)
    people = people_of(pool.columns.kind[:2])
    pair = model.pair(people.take(np.array([0])), people.take(np.array([1])), alike)
    back = model.pair(people.take(np.array([1])), people.take(np.array([0])), alike)
    assert out[0] == pytest.approx(
        model.intercept + first.willing + second.liked + pair[0], abs=1e-5
    )
    assert into[0] == pytest.approx(
        model.intercept + second.willing + first.liked + back[0], abs=1e-5
    )


def test_an_unmet_preference_comes_later_but_stays() -> None:
    wish = LookingFor(
        smoking=("never",), age_from=30, importance={"smoking": "preferred", "age": "preferred"}
    )
    ask = Candidate(Profile(id=PersonId("a"), name="a", looking_for=wish))
    others = [
        Candidate(Profile(id=PersonId(n), name=n, smoking=s, age=age))
        for n, s, age in (("b", "often", 29), ("c", "often", 31), ("d", "never", 31))
    ]
    pool = pool_of(ask, *others)
    pool.columns.texts[:] = 0
    found = best(pool, KindTables(Indifferent()), seeker(pool, 0, None), 5)
    assert [pool.ids[row] for row in found.rows] == ["d", "c", "b"]


@given(st.integers(0, KINDS - 1))
def test_kinds_and_people_are_the_same(kind: int) -> None:
    people = people_of(np.array([kind], dtype=np.uint16))
    age, sex, goal = (getattr(people, name)[0] for name in ("age", "sex", "goal"))
    again = kind_of(
        0 if np.isnan(age) else int(age),
        0 if np.isnan(sex) else int(sex),
        len(GOALS) if np.isnan(goal) else int(goal),
    )
    assert again == kind


def test_kinds_of_columns_agree_with_one_by_one() -> None:
    age = np.array([0, 18, 127, 200], dtype=np.uint8)
    sex = np.array([-1, 0, 1, 1], dtype=np.int8)
    goal = np.array([0, 5, 3, 1], dtype=np.uint8)
    expected = [kind_of(int(a), int(s), int(g)) for a, s, g in zip(age, sex, goal, strict=True)]
    assert kinds_of(age, sex, goal).tolist() == expected


class Changing(RuleBasedStateMachine):
    """Whatever is added, changed and removed, the pool is that of those who are there."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool()
        self.there: dict[str, Candidate] = {}

    @rule(name=st.sampled_from("abcdefgh"), data=st.data())
    def put(self, name: str, data: st.DataObject) -> None:
        self.there[name] = Candidate(data.draw(profiles(name)))
        self.pool.put(PersonId(name), entry(self.there[name]))

    @rule(name=st.sampled_from("abcdefgh"))
    def remove(self, name: str) -> None:
        assert self.pool.remove(PersonId(name)) == (name in self.there)
        self.there.pop(name, None)

    @invariant()
    def the_pool_is_that_of_a_new_one(self) -> None:
        assert len(self.pool) == len(self.there)
        fresh = Pool()
        for name, candidate in self.there.items():
            fresh.put(PersonId(name), entry(candidate))
        for name, candidate in self.there.items():
            assert self._candidates(self.pool, name, candidate) == self._candidates(
                fresh, name, candidate
            )

    @staticmethod
    def _candidates(pool: Pool, name: str, candidate: Candidate) -> list[str]:
        row = pool.row_of(PersonId(name))
        assert row is not None
        one = seeker(pool, row, candidate.profile.cell)
        rows = passing(pool, one, pool.cells.distances_km(one.cell))
        return sorted(str(pool.ids[row]) for row in rows)


TestChanging = Changing.TestCase
TestChanging.settings = settings(max_examples=12, stateful_step_count=14)


def test_nothing_is_left_of_somebody_who_is_removed() -> None:
    crowd = _crowd(50, 1)
    pool = pool_of(*crowd)
    row = pool.row_of(PersonId("p7"))
    assert row is not None
    assert pool.remove(PersonId("p7"))
    assert not pool.remove(PersonId("p7"))
    assert "p7" not in pool
    assert pool.ids[row] is None
    assert pool.columns.facts[row] == GONE
    assert not pool.columns.texts[row].any()
    assert pool.columns.speaks[row] == pool.columns.age[row] == pool.columns.kind[row] == 0
    used = [b[:n] for b, n in zip(pool.cells.buckets, pool.cells.sizes, strict=False)]
    assert row not in np.concatenate(used)


def test_parts_without_a_wanted_gender_are_skipped(monkeypatch) -> None:
    monkeypatch.setattr("soullink.modules.matching.domain.pool.PART", 16)
    monkeypatch.setattr("soullink.modules.matching.domain.search.PART", 16)
    crowd = _crowd(200, 6)
    pool = pool_of(*crowd)
    columns = Columns.empty(200)
    for name in Columns.__slots__:
        getattr(columns, name)[:] = getattr(pool.columns, name)[:200]
    places = {cell: number for number, cell in enumerate(PLACES)}
    columns.cell[:] = [places[c.profile.cell] for c in crowd]
    loaded = Pool()
    loaded.load([c.profile.id for c in crowd], columns, list(PLACES))
    women = BITS["gender"]["1"]
    men_only = loaded.parts(women)
    assert 0 < len(men_only) < len(loaded.parts(0)) == 13
    kept = {row for part in men_only for row in range(part.start, part.stop)}
    for row in range(200):
        assert row in kept or int(loaded.columns.facts[row]) & women
    # Whoever joins opens the part they come into.
    loaded.remove(PersonId(str(loaded.ids[0])))
    loaded.put(
        PersonId("new"),
        entry(crowd[next(k for k, c in enumerate(crowd) if "man" in c.profile.gender)]),
    )
    assert slice(0, 16) in loaded.parts(women)


def test_loading_columns_is_the_same_as_putting_people_in() -> None:
    crowd = _crowd(300, 9)
    one_by_one = pool_of(*crowd)
    columns = Columns.empty(300)
    for name in Columns.__slots__:
        getattr(columns, name)[:] = getattr(one_by_one.columns, name)[:300]
    places = {cell: number for number, cell in enumerate(PLACES)}
    columns.cell[:] = [places[c.profile.cell] for c in crowd]
    loaded = Pool()
    loaded.load([c.profile.id for c in crowd], columns, list(PLACES))
    tables = KindTables(SmallModel())
    for person in (crowd[5], crowd[250]):
        answers = []
        for pool in (one_by_one, loaded):
            row = pool.row_of(person.profile.id)
            assert row is not None
            found = best(pool, tables, seeker(pool, row, person.profile.cell), 15)
            answers.append([pool.ids[row] for row in found.rows])
        assert answers[0] == answers[1]
    loaded.remove(PersonId("p4"))
    loaded.put(PersonId("p4"), entry(crowd[4]))
    assert len(loaded) == 300
    with pytest.raises(ValueError, match="empty pool"):
        loaded.load([], Columns.empty(0), [])


def test_a_change_takes_well_under_a_millisecond() -> None:
    crowd = _crowd(2_000, 2)
    pool = pool_of(*crowd)
    entries = [entry(c, text=1) for c in crowd[:500]]
    began = time.thread_time()
    for candidate, made in zip(crowd, entries, strict=False):
        pool.put(candidate.profile.id, made)
    assert (time.thread_time() - began) / 500 < 0.0005


def test_likeness_is_the_cosine_and_unknown_where_nothing_is_written() -> None:
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(400, 96)).astype(np.float32) + 3.0
    vectors[:, 64:] = 3.0  # so that 64 directions hold everything
    vectors[5] = 0.0
    reduction = Reduction.fitted(np.delete(vectors, 5, axis=0))
    reduced = reduction.reduce(vectors)
    assert reduced.shape == (400, WIDTH)
    assert not reduced[5].any()
    centred = vectors - reduction.mean
    exact = centred @ centred[0] / np.linalg.norm(centred, axis=1) / np.linalg.norm(centred[0])
    found = likeness(reduced[0], reduced)
    assert np.isnan(found[5])
    assert np.allclose(np.delete(found, 5), np.delete(exact, 5), atol=0.02)


def test_a_few_texts_are_reduced_by_a_fixed_turn() -> None:
    vectors = np.eye(3, 32, dtype=np.float32)
    one, two = Reduction.fitted(vectors), Reduction.fitted(vectors)
    assert np.array_equal(one.basis, two.basis)
    assert one.reduce(vectors).shape == (3, WIDTH)
