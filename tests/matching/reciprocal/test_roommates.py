"""One group: Irving's answer beside a search through all pairings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.market import one_sided
from soullink.modules.matching.domain.reciprocal.policies import NOBODY
from soullink.modules.matching.domain.reciprocal.roommates import (
    by_mutual_chance,
    count_blocking,
    roommates,
    stable_partners,
)
from soullink.modules.matching.domain.reciprocal.stable import market_preferences
from tests.matching.reciprocal.markets import group_of, market_of, seeds


def pairings(people: list[int]) -> list[list[tuple[int, int]]]:
    """All ways to pair some of the people."""
    if len(people) < 2:
        return [[]]
    first, rest = people[0], people[1:]
    found = pairings(rest)
    for other in rest:
        left = [person for person in rest if person != other]
        found += [[(first, other), *more] for more in pairings(left)]
    return found


def any_stable(wishes: np.ndarray) -> bool:
    for pairs in pairings(list(range(len(wishes)))):
        if any(wishes[i, j] == NOBODY for i, j in pairs):
            continue
        partner = np.full(len(wishes), NOBODY)
        for i, j in pairs:
            partner[i], partner[j] = j, i
        if count_blocking(wishes, partner) == 0:
            return True
    return False


@given(people=st.integers(2, 7), seed=seeds, share=st.sampled_from((1.0, 0.7, 0.4)))
@hypothesis_settings(max_examples=150)
def test_stable_pairs_are_found_whenever_there_are_any(
    people: int, seed: int, share: float
) -> None:
    market = group_of(people, seed, share)
    wishes = market_preferences(market).left
    partner = stable_partners(wishes)
    if partner is None:
        assert not any_stable(wishes)
        return
    for i, j in enumerate(partner):
        if j != NOBODY:
            assert partner[j] == i
            assert wishes[i, j] != NOBODY
    assert count_blocking(wishes, partner) == 0


def circle_of_three() -> np.ndarray:
    """Three who each prefer the next, and a fourth whom each likes least (Gale & Shapley 1962)."""
    yes = np.full((4, 4), 0.1)
    for i in range(3):
        yes[i, (i + 1) % 3], yes[i, (i + 2) % 3] = 0.9, 0.5
    return yes


def test_where_none_is_stable_it_says_so_and_pairs_by_mutual_chance() -> None:
    outcome = roommates(one_sided(circle_of_three()))
    assert not outcome.stable
    assert outcome.blocking == 1
    assert len(outcome.pairs) == 2
    assert not any_stable(market_preferences(one_sided(circle_of_three())).left)


def test_in_circles_of_many_both_answers_occur() -> None:
    answers = [roommates(group_of(10, seed)) for seed in range(40)]
    assert {answer.stable for answer in answers} == {True, False}
    assert all((answer.blocking == 0) == answer.stable for answer in answers)


@given(people=st.integers(2, 9), seed=seeds)
@hypothesis_settings(max_examples=50)
def test_pairs_by_mutual_chance_are_stable_where_that_is_the_wish(people: int, seed: int) -> None:
    market = group_of(people, seed, 0.8)
    partner = by_mutual_chance(market)
    by_chance = one_sided(market.mutual, market.allowed)
    assert count_blocking(market_preferences(by_chance).left, partner) == 0


def test_a_refusal_leaves_alone_and_two_sides_are_refused() -> None:
    yes = np.array([[0.0, 0.9, 0.2], [0.9, 0.0, 0.2], [0.9, 0.9, 0.0]])
    outcome = roommates(one_sided(yes), least=0.5)
    assert outcome.pairs.tolist() == [[0, 1]]
    assert outcome.stable
    with pytest.raises(InvalidInputError, match="one group"):
        roommates(market_of(2, 2, 0))
