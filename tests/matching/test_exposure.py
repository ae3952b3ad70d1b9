"""Exposure by group: hand-computed cases, and what must hold for any amounts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.kernel.ids import PersonId
from soullink.modules.matching.domain.exposure import (
    LEAST_PEOPLE,
    Exposure,
    attention_at,
    attention_of,
    by_group,
    gini,
)

amounts = st.lists(st.floats(0.0, 1e6, allow_subnormal=False), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 1, 1, 1], 0.0),
        ([0, 0, 0, 1], 0.75),
        ([1, 3], 0.25),
        ([1, 2, 3], 2 / 9),
        ([0, 0], 0.0),
        ([], 0.0),
    ],
)
def test_gini_of_hand_computed_cases(values: list[float], expected: float) -> None:
    assert gini(values) == pytest.approx(expected)


@given(amounts, st.floats(0.01, 100.0))
def test_gini_does_not_change_with_the_unit(values: list[float], unit: float) -> None:
    assert gini([value * unit for value in values]) == pytest.approx(gini(values), abs=1e-9)


@given(amounts)
def test_gini_lies_between_equal_shares_and_one_who_has_all(values: list[float]) -> None:
    assert 0.0 <= gini(values) <= 1 - 1 / len(values)


@given(amounts)
def test_gini_is_half_the_relative_mean_difference(values: list[float]) -> None:
    found = np.array(values)
    if found.sum() > 0:
        distances = np.abs(found[:, None] - found[None, :]).mean()
        assert gini(values) == pytest.approx(distances / (2 * found.mean()), abs=1e-9)


def test_gini_refuses_a_debt() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        gini([1.0, -1.0])


def test_attention_is_one_over_the_position() -> None:
    assert [attention_at(position) for position in (1, 2, 4)] == [1.0, 0.5, 0.25]
    with pytest.raises(ValueError, match="begin at 1"):
        attention_at(0)


def test_attention_adds_up_over_lists() -> None:
    seen = [_shown("a", "x", 1), _shown("a", "y", 2), _shown("b", "x", 2)]
    assert attention_of(seen) == {"x": 1.5, "y": 0.5}


def test_who_stands_higher_gets_more_than_an_even_share() -> None:
    """20 viewers see two groups of 20; one always has odd places, the other the next even one."""
    first, second = ([PersonId(f"{name}{index}") for index in range(20)] for name in "fs")
    shown = [
        Exposure(PersonId(f"v{viewer}"), group[(viewer + turn) % 20], 2 * turn + place)
        for viewer in range(20)
        for turn in range(20)
        for place, group in ((1, first), (2, second))
    ]
    group_of = dict.fromkeys(first, "first") | dict.fromkeys(second, "second")
    rows = {row.group: row for row in by_group(shown, group_of, top=1)}
    odd = sum(1 / place for place in range(1, 41, 2))
    even = sum(1 / place for place in range(2, 41, 2))
    ahead = rows["first"]
    assert ahead.share_of_attention == pytest.approx(odd / (odd + even))
    assert ahead.attention is not None
    assert ahead.attention.value == pytest.approx(2 * odd / (odd + even))
    assert ahead.attention.low > 1.0
    assert ahead.recommended is not None
    assert ahead.recommended.value == pytest.approx(1 / 20)
    assert ahead.parity is not None
    assert ahead.parity.value == pytest.approx(1 / 20)
    assert ahead.gini == pytest.approx(0.0)
    assert rows["second"].recommended is not None
    assert rows["second"].recommended.value == 0.0


def test_of_a_small_group_nothing_is_said() -> None:
    few = {PersonId(f"f{index}"): "few" for index in range(LEAST_PEOPLE - 1)}
    most = {PersonId(f"m{index}"): "most" for index in range(30)}
    rows = by_group([_shown("v", "m1", 1)], few | most)
    assert [row.group for row in rows] == ["most", "few"]
    assert rows[1].people == LEAST_PEOPLE - 1
    assert rows[1].attention is rows[1].recommended is rows[1].parity is rows[1].gini is None
    assert rows[0].parity is None, "there is nobody large enough to compare with"


def test_those_who_never_were_shown_count_as_people() -> None:
    group_of = {PersonId(f"a{index}"): "a" for index in range(20)}
    group_of |= {PersonId(f"b{index}"): "b" for index in range(20)}
    rows = {row.group: row for row in by_group([_shown("v", "a1", 1)], group_of)}
    assert rows["a"].share_of_attention == 1.0
    assert rows["b"].share_of_attention == 0.0
    assert rows["a"].share_of_people == rows["b"].share_of_people == 0.5


def test_whoever_is_recommended_again_was_recommended_once() -> None:
    group_of = {PersonId(f"{name}{index}"): name for name in "ab" for index in range(20)}
    shown = [_shown("v", f"a{index}", 1) for index in range(20)] * 3
    rows = {row.group: row for row in by_group(shown, group_of)}
    assert rows["a"].recommended is not None
    assert rows["a"].recommended.value == 1.0
    assert rows["a"].parity is not None
    assert rows["a"].parity.value == 1.0


def test_nobody_shown_is_no_error() -> None:
    rows = by_group([], {PersonId(f"a{index}"): "a" for index in range(20)})
    assert rows[0].share_of_attention == 0.0


def test_the_seed_decides_the_intervals() -> None:
    group_of = {PersonId(f"a{index}"): "ab"[index % 2] for index in range(60)}
    shown = [_shown(f"v{index % 7}", f"a{index}", index % 9 + 1) for index in range(60)]
    assert by_group(shown, group_of, seed=3) == by_group(shown, group_of, seed=3)
    assert by_group(shown, group_of, seed=3) != by_group(shown, group_of, seed=4)


def _shown(viewer: str, shown: str, position: int) -> Exposure:
    return Exposure(PersonId(viewer), PersonId(shown), position)
