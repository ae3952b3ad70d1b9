"""Draws depend on what they are for, and look random."""

import numpy as np

from soullink.modules.simulation.domain import randomness
from soullink.modules.simulation.domain.randomness import Purpose


def test_draws_are_uniform_and_unrelated_between_purposes_turns_and_people() -> None:
    keys = randomness.person_keys(7, ("ada", "ben"), 20_000)
    a = randomness.uniform(keys, Purpose.ACT, 1, 1)
    assert abs(a.mean() - 0.5) < 0.005
    assert abs(a.var() - 1 / 12) < 0.002
    assert a.min() > 0
    assert a.max() < 1
    others = [
        randomness.uniform(keys, Purpose.ACT, 1, 2),
        randomness.uniform(keys, Purpose.ACT, 2, 1),
        randomness.uniform(keys, Purpose.MOOD, 1, 1),
        randomness.uniform(keys, Purpose.ACT, 1, 1, 1),
    ]
    for other in others:
        assert abs(np.corrcoef(a.ravel(), other.ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(a[:, 0], a[:, 1])[0, 1]) < 0.03


def test_normal_and_logistic_draws_have_their_moments() -> None:
    keys = randomness.person_keys(3, ("ada", "ben"), 50_000)
    normal = randomness.normal(keys, Purpose.MOOD)
    assert abs(normal.mean()) < 0.01
    assert abs(normal.std() - 1) < 0.01
    logistic = randomness.logistic(keys, Purpose.FLOOR)
    assert abs(logistic.mean()) < 0.02
    assert abs(logistic.std() - np.pi / np.sqrt(3)) < 0.02


def test_keys_belong_to_the_name_and_not_to_the_position() -> None:
    here = randomness.person_keys(1, ("ada", "ben"), 5)
    there = randomness.person_keys(1, ("ben", "ada"), 5)
    np.testing.assert_array_equal(here, there[:, ::-1])
    np.testing.assert_array_equal(randomness.pair_keys(here), randomness.pair_keys(there))


def test_a_later_replica_can_be_had_alone() -> None:
    many = randomness.person_keys(1, ("ada", "ben"), 50)
    one = randomness.person_keys(1, ("ada", "ben"), 1, first=37)
    np.testing.assert_array_equal(many[37:38], one)
    assert len(np.unique(many)) == 100


def test_turn_seeds_differ_and_repeat() -> None:
    seeds = [randomness.turn_seed(123, e, t) for e in range(1, 6) for t in range(1, 25)]
    assert len(set(seeds)) == len(seeds)
    assert seeds == [randomness.turn_seed(123, e, t) for e in range(1, 6) for t in range(1, 25)]
    assert all(0 <= seed < 2**63 for seed in seeds)
