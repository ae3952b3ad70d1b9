"""Rounds: stable pairs that nobody leaves, fewer in demand shown to all, everything logged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import (
    METHODS,
    InvalidMatchingError,
    PersonNotMatchedError,
    RoundSettings,
)
from soullink.modules.matching.domain.rounds import RoundTable, groups, make_round
from tests.matching.conftest import people, person


def _table(seed: int, size: int = 12, share: float = 0.7, *, sides: bool = True) -> RoundTable:
    generator = np.random.default_rng(seed)
    # Some are liked more than others: then one-sided lists pile up on them.
    liked, willing = generator.normal(0, 1.2, size), generator.normal(0, 0.8, size)
    yes = 1 / (
        1 + np.exp(-(liked[None, :] + willing[:, None] + generator.normal(0, 0.4, (size,) * 2)))
    )
    allowed = generator.random((size, size)) < share
    allowed = np.triu(allowed, 1)
    allowed |= allowed.T
    if sides:
        group = np.arange(size) % 2
        allowed &= group[:, None] != group[None, :]
    genders = tuple(1 if k % 2 == 0 else 2 for k in range(size))
    return RoundTable(tuple(PersonId(f"p{k:02d}") for k in range(size)), genders, yes, allowed)


@given(st.integers(0, 10_000), st.booleans(), st.integers(1, 3))
def test_stable_pairs_have_no_blocking_pair(seed: int, sides: bool, capacity: int) -> None:
    table = _table(seed, 10, sides=sides)
    made = make_round(table, RoundSettings("stable", capacity=capacity))
    at = {p: k for k, p in enumerate(table.ids)}
    held: dict[int, list[int]] = {k: [] for k in range(len(at))}
    for a, b in made.pairs:
        held[at[a]].append(at[b])
        held[at[b]].append(at[a])
    # In one group everybody ranks by the chance that both say yes, see rounds.py.
    two_groups = groups(table.allowed, table.genders) is not None
    worth = table.yes if two_groups else table.yes * table.yes.T
    for i in range(len(at)):
        assert len(held[i]) <= capacity
        for j in np.flatnonzero(table.allowed[i]).tolist():
            if j in held[i]:
                continue
            wants = len(held[i]) < capacity or worth[i, j] > min(worth[i, k] for k in held[i])
            back = len(held[j]) < capacity or worth[j, i] > min(worth[j, k] for k in held[j])
            assert not (wants and back)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sides", [True, False])
def test_lists_hold_only_people_who_may_meet(method, sides) -> None:
    table = _table(5, sides=sides)
    made = make_round(table, RoundSettings(method, shown=3, seed=2))
    at = {p: k for k, p in enumerate(table.ids)}
    for viewer, shown in made.lists:
        assert len(shown) <= 3
        assert len(set(shown)) == len(shown)
        assert all(table.allowed[at[viewer], at[other]] for other in shown)
        for rank, other in enumerate(shown, start=1):
            assert 0 < made.propensity[viewer, other, rank] <= 1
    assert made.people == 12
    assert made.allowed_pairs == np.triu(table.allowed, 1).sum()


def test_sharing_out_shows_people_more_evenly_and_expects_more_matches() -> None:
    for seed in range(4):
        made = make_round(_table(seed, 40, 1.0), RoundSettings("tu", shown=5))
        assert made.gini < made.one_sided_gini
        assert made.expected_matches > made.one_sided_matches


def test_the_same_seed_makes_the_same_round() -> None:
    settings = RoundSettings("nash", shown=3, seed=7)
    assert make_round(_table(1), settings) == make_round(_table(1), settings)


def test_groups_are_found_where_there_are_two() -> None:
    two = groups(_table(3, share=1.0).allowed, _table(3).genders)
    assert two is not None
    assert two.tolist() == [0, 1] * 6
    assert groups(_table(3, share=1.0, sides=False).allowed, _table(3).genders) is None


@pytest.mark.anyio
async def test_a_round_over_members_is_logged(world) -> None:
    await world.join(*people(3, "man", "woman"), *people(3, "woman", "man"))
    made = await world.matching.round(RoundSettings("stable"))
    assert len(made.pairs) == 3
    logged = await world.matching.exposures()
    assert {(one.viewer, one.shown) for one in logged} == {
        pair for a, b in made.pairs for pair in ((a, b), (b, a))
    }
    assert {one.ranker for one in logged} == {"round-stable:none"}
    assert {one.list_id for one in logged} == {made.list_id}


@pytest.mark.anyio
async def test_blocked_and_paused_people_are_in_no_pair(world) -> None:
    await world.join(*people(2, "man", "woman"), *people(2, "woman", "man"))
    await world.matching.block(PersonId("m0"), PersonId("w0"))
    await world.members.pause(PersonId("m1"))
    made = await world.matching.round(RoundSettings("product"))
    shown = {one.person: set(one.shown) for one in made.lists}
    assert shown == {"m0": {"w1"}, "w1": {"m0"}, "w0": set()}


@pytest.mark.anyio
async def test_what_cannot_be_a_round_is_told(world) -> None:
    with pytest.raises(InvalidMatchingError, match="2 to 2000"):
        await world.matching.round()
    await world.join(person("Ada"), person("Ben", "man", "woman"))
    with pytest.raises(InvalidMatchingError, match="Show 1 to"):
        await world.matching.round(RoundSettings(shown=0))
    with pytest.raises(PersonNotMatchedError):
        await world.matching.round(RoundSettings(people=(PersonId("zoe"), PersonId("ada"))))
    made = await world.matching.round(RoundSettings(people=(PersonId("ben"), PersonId("ada"))))
    assert made.people == 2
