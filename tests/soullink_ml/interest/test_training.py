"""What is put into made-up evenings is found again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink_ml.datasets.speed_dates import SpeedDates
from soullink_ml.evaluation import measures
from soullink_ml.training import effects, groups, logistic, mixed, ours, prior, relations
from soullink_ml.training.relations_filter import forecast
from tests.soullink_ml.interest import made_up

MANY = ((9, 9), (10, 8), (8, 10), (7, 7), (10, 10), (8, 8))


@pytest.fixture(scope="module")
def dates() -> SpeedDates:
    return made_up.dates(seed=4, sides=MANY)


def test_the_relations_found_are_those_put_in() -> None:
    found = []
    dates = made_up.dates(seed=4, sides=((20, 18), (16, 20), (18, 18)))
    for seed in range(8):
        generator = np.random.default_rng(seed)
        actor = generator.normal(0.0, 1.2, dates.people)
        partner = generator.normal(0.0, 0.7, dates.people)
        noise = generator.normal(0.0, 0.9, len(dates.decider))
        values = (actor[dates.decider] + partner[dates.about] + noise)[:, None]
        one = relations.learn(dates, values, np.zeros_like(values))
        assert np.linalg.eigvalsh(one.person).min() > 0.0
        found.append([one.person[0, 0], one.person[1, 1], one.person[0, 1], one.rest[0, 0]])
    # Centring within a side of n takes one nth of the variances away.
    np.testing.assert_allclose(np.mean(found, axis=0), [1.36, 0.46, 0.0, 0.81], atol=0.15)


def test_two_way_effects_leave_no_trace_of_people(dates: SpeedDates) -> None:
    found = effects.effects(dates, dates.decision)
    side = dates.man[dates.decider]
    mean = np.zeros(len(dates.decider))
    for wave in dates.waves:
        for sex in (0.0, 1.0):
            rows = (dates.wave_of_row == wave) & (side == sex)
            mean[rows] = dates.decision[rows].mean()
    left = dates.decision - mean - found.actor[dates.decider] - found.partner[dates.about]
    assert np.abs(np.bincount(dates.decider, left, dates.people)).max() < 1e-6
    assert np.abs(np.bincount(dates.about, left, dates.people)).max() < 1e-6


def test_the_filter_foretells_better_the_longer_the_evening(dates: SpeedDates) -> None:
    values = dates.outcomes["like"][:, None]
    values = (values - values.mean()) / values.std()
    nothing = np.zeros_like(values)
    found = forecast(dates, values, nothing, relations.learn(dates, values, nothing))
    early, late = dates.round <= 2, dates.round >= 6
    error = (values[:, 0] - found.mean[:, 0]) ** 2
    assert error[late].mean() < 0.75 * error[early].mean()
    assert found.doubt[late].mean() < 0.5 * found.doubt[early].mean()


def test_the_filter_is_the_regression_on_all_that_came_before() -> None:
    small = made_up.dates(seed=5, sides=((3, 3),))
    values = (small.outcomes["like"][:, None] - 6.0) / 2.0
    person = np.array([[0.9, 0.2], [0.2, 0.5]])
    found = relations.Relations(
        mean=np.array([[0.1], [-0.2]]),
        person=person,
        rest=np.array([[0.7]]),
        wave=np.array([[0.05]]),
    )
    online = forecast(small, values, np.zeros_like(values), found)
    n = len(values)
    covariance = np.zeros((n, n))
    sex = small.man[small.decider].astype(int)
    for i in range(n):
        for j in range(n):
            a, b, c, d = small.decider[i], small.about[i], small.decider[j], small.about[j]
            covariance[i, j] += person[0, 0] * (a == c) + person[1, 1] * (b == d)
            covariance[i, j] += person[0, 1] * (a == d) + person[1, 0] * (b == c)
            covariance[i, j] += 0.05 * (1.0 if sex[i] == sex[j] else 0.3)
    mean = found.mean[sex, 0]
    for row in range(n):
        past = np.flatnonzero(small.round < small.round[row])
        inner = covariance[np.ix_(past, past)] + 0.7 * np.eye(len(past))
        weights = np.linalg.solve(inner, covariance[past, row]) if len(past) else np.zeros(0)
        expected = mean[row] + weights @ (values[past, 0] - mean[past])
        assert online.mean[row, 0] == pytest.approx(expected, abs=1e-9)


def test_a_group_that_tells_nothing_gets_no_weight() -> None:
    generator = np.random.default_rng(3)
    x = generator.normal(size=(300, 12))
    y = x[:, :6] @ np.full(6, 0.5) + generator.normal(0.0, 0.5, 300)
    found = groups.fit(x, np.repeat([0, 1], 6), y, np.full(300, 0.1))
    assert found.spreads[0] > 10.0 * found.spreads[1]
    np.testing.assert_allclose(found.mean[:6], 0.5, atol=0.15)


def test_logistic_regression_without_penalty_is_the_maximum() -> None:
    generator = np.random.default_rng(2)
    x = generator.normal(size=(400, 3)) * np.array([1.0, 5.0, 0.1])
    y = (generator.random(400) < logistic.chance(x @ np.array([0.5, -0.2, 3.0]) - 0.3)) * 1.0
    found = logistic.fit(x, y, 0.0)
    left = y - found.chance(x)
    assert np.abs(left.sum()) < 1e-6
    assert np.abs(x.T @ left).max() < 1e-6


@given(st.floats(-30.0, 30.0))
def test_log_odds_and_chances_are_each_others_reverse(x: float) -> None:
    chance = logistic.chance(np.array([x]))
    assert logistic.log_odds(chance)[0] == pytest.approx(np.clip(x, -13.8155, 13.8155), abs=1e-3)


def test_the_sparse_information_is_that_of_the_whole_design() -> None:
    generator = np.random.default_rng(1)
    fixed = generator.normal(size=(40, 3))
    one, two = generator.integers(3, 8, 40), generator.integers(8, 12, 40)
    design = np.column_stack([fixed, np.zeros((40, 9))])
    design[np.arange(40), one] += 1.0
    design[np.arange(40), two] += 1.0
    weights = generator.random(40)
    found = mixed._information(fixed, [one, two], weights, 12)
    np.testing.assert_allclose(found, (design.T * weights) @ design, atol=1e-12)


def test_the_shipped_kind_of_model_learns_who_is_choosy_and_sought_after(
    dates: SpeedDates,
) -> None:
    numbers = prior.train(dates).numbers
    of = {term.name: term.coefficient for term in numbers.terms}
    assert of["actor.dates_often"] < 0.0 < of["partner.self_attractive"]
    assert numbers.actor_sd > 0.5
    assert numbers.partner_sd > 0.5


def test_unseen_evenings_are_foretold_and_shuffled_ones_are_not() -> None:
    model = ours.train(made_up.dates(seed=4, sides=MANY))
    test = made_up.dates(seed=6, sides=MANY)
    for stage, least in (("profiles", 0.65), ("profiles+earlier", 0.75)):
        found = model.predict(test, stage)  # type: ignore[arg-type]
        assert measures.auc(test.decision, found.decision) > least
        rows = test.one_of_two
        assert measures.auc(test.match[rows], found.match[rows]) > least
        np.testing.assert_allclose(found.match, found.match[test.reverse])
        shuffled = np.random.default_rng(0).permutation(test.decision)
        assert abs(measures.auc(shuffled, found.decision) - 0.5) < 0.06


def test_training_twice_gives_the_same() -> None:
    sides = ((5, 5), (4, 5), (5, 5), (4, 4))
    one, other = (ours.train(made_up.dates(seed=4, sides=sides)) for _ in range(2))
    test = made_up.dates(seed=5)
    np.testing.assert_array_equal(
        one.predict(test, "profiles+earlier").match, other.predict(test, "profiles+earlier").match
    )
