"""No change is claimed within noise, however often one looks."""

import random
from collections import Counter
from datetime import date, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.modules.relationships.domain.trend import (
    FEWEST,
    LEVEL,
    MOST,
    _distribution,
    _score,
    trend_of,
)

DAYS = [date(2026, 1, 1) + timedelta(days=14 * at) for at in range(80)]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_the_distribution_is_that_of_all_orders(values: list[int]) -> None:
    orders = list(permutations(values))
    counted = Counter(_score(order) for order in orders)
    counts = _distribution(tuple(sorted(Counter(values).values())))
    pairs = len(counts) - 1
    ratio = len(orders) // sum(counts)
    assert {pairs - 2 * at: ratio * c for at, c in enumerate(counts) if c} == counted


@given(st.lists(st.integers(0, 10), min_size=FEWEST, max_size=MOST))
def test_falling_is_rising_upside_down(values: list[int]) -> None:
    one = trend_of(DAYS[: len(values)], values)
    other = trend_of(DAYS[: len(values)], [10 - value for value in values])
    opposite = {"rising": "falling", "falling": "rising"}
    assert other.direction == opposite.get(one.direction, one.direction)
    assert one.p_value == other.p_value
    assert one.per_30_days is not None
    assert other.per_30_days == pytest.approx(-one.per_30_days)
    if one.interval is not None:
        assert one.interval[0] <= one.per_30_days <= one.interval[1]
        if one.direction == "rising":
            assert one.interval[0] >= 0


def told(values: list[int]) -> bool:
    """Return whether somebody who looks after every answer is ever told of a change."""
    return any(
        trend_of(DAYS[:n], values[:n]).direction in {"rising", "falling"}
        for n in range(1, len(values) + 1)
    )


def test_noise_is_told_as_a_change_in_at_most_one_series_of_twenty() -> None:
    draws = random.Random(5)  # noqa: S311 - a simulation
    series = [[min(10, max(0, round(draws.gauss(7, 1.5)))) for _ in range(20)] for _ in range(200)]
    assert sum(map(told, series)) / len(series) <= LEVEL


def test_a_steady_decline_is_told() -> None:
    draws = random.Random(6)  # noqa: S311 - a simulation
    series = [
        [min(10, max(0, round(9 - 0.4 * at + draws.gauss(0, 1)))) for at in range(20)]
        for _ in range(50)
    ]
    assert sum(map(told, series)) / len(series) >= 0.95
    last = trend_of(DAYS[:20], series[0])
    assert last.interval is not None
    assert last.interval[0] < -0.4 * 30 / 14 < last.interval[1]


def test_few_answers_tell_nothing_and_five_in_order_tell_something() -> None:
    assert trend_of(DAYS[:4], [1, 2, 3, 4]).direction == "too_few"
    rising = trend_of(DAYS[:5], [1, 2, 3, 4, 5])
    assert (rising.direction, rising.answers) == ("rising", 5)
    assert rising.p_value == pytest.approx(2 / 120)
    assert rising.level == pytest.approx(0.025)
    assert rising.per_30_days == pytest.approx(30 / 14)
    assert trend_of(DAYS[:5], [5, 5, 5, 5, 5]).direction == "no_change_seen"


def test_of_many_answers_the_latest_are_counted() -> None:
    values = [0] * 20 + [5] * MOST
    assert trend_of(DAYS, values).answers == MOST
    assert trend_of(DAYS, values).direction == "no_change_seen"
