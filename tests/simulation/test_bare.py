"""Numbers as records keep them, one by one and many at once; draws of few keys and of many."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from soullink.modules.simulation.domain import randomness
from soullink.modules.simulation.domain.bare import kept, kept_list
from soullink.modules.simulation.domain.kept import Kept
from soullink.modules.simulation.domain.randomness import Moment, Purpose

ties = st.builds(lambda whole: (whole + 0.5) / 1e6, st.integers(-(10**7), 10**7))
numbers = st.one_of(st.floats(-20, 20), ties, ties.map(lambda tie: float(np.nextafter(tie, 99))))


@given(st.lists(numbers, min_size=1, max_size=40))
def test_many_numbers_are_rounded_as_each_is(values: list[float]) -> None:
    found = kept_list(np.array(values))
    assert list(map(repr, found)) == [repr(kept(value)) for value in values]


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4),
    st.integers(0, 40),
    st.integers(0, 60),
)
def test_few_keys_have_the_draws_that_they_have_among_many(
    few: list[int], episode: int, turn: int
) -> None:
    keys = np.array(few, dtype=np.uint64)
    among = np.concatenate((keys, np.arange(9, dtype=np.uint64)))
    for draw in (randomness.uniform, randomness.normal, randomness.logistic):
        alone = draw(keys, Purpose.ACT, episode, turn)
        assert alone.tolist() == draw(among, Purpose.ACT, episode, turn)[: keys.size].tolist()


@given(
    st.sampled_from([1, 2, 4, 5, 40, 1024, 1025]),
    st.integers(0, 40),
    st.integers(0, 60),
    st.booleans(),
)
def test_draws_for_several_purposes_are_those_for_each(
    count: int, episode: int, turn: int, each: bool
) -> None:
    one = randomness.mix(np.arange(count, dtype=np.uint64))
    other = randomness.mix(one)
    asked = ((one, Purpose.ACT, 0), (other, Purpose.MOOD, 0), (one, Purpose.MOOD, 1))
    at: tuple[Moment, Moment] = (episode, turn)
    if each:
        at = (np.full(count, episode), np.arange(turn, turn + count))
    found = randomness.uniforms(asked, *at)
    for (keys, purpose, n), draws in zip(asked, found, strict=True):
        assert draws.tolist() == randomness.uniform(keys, purpose, *at, n).tolist()
    seeds = randomness.turn_seeds(one, *at)
    moments = zip(one.tolist(), *np.broadcast_arrays(*at, one)[:2], strict=True)
    assert seeds == [randomness.turn_seed(key, int(e), int(t)) for key, e, t in moments]


def test_what_was_made_is_kept_for_the_same_objects_and_no_equal_ones() -> None:
    made: list[list[int]] = []

    def make(of: list[int]) -> int:
        made.append(of)
        return len(of)

    kept_lengths = Kept(make, most=2)
    one, other, third = [1, 2], [1, 2], [3]
    assert [kept_lengths(of) for of in (one, one, other, one)] == [2, 2, 2, 2]
    assert len(made) == 2
    assert [kept_lengths(of) for of in (third, one)] == [1, 2]
    assert len(made) == 4
