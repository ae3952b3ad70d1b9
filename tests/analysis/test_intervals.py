"""Intervals against values worked out elsewhere or by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.modules.analysis.domain.intervals import eighty, paired_change, wilson


@pytest.mark.parametrize(
    ("hits", "cases", "low", "high"),
    # 81 of 263 is the example of Newcombe (1998), Statistics in Medicine 17, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_agrees_with_newcombes_examples(
    hits: int, cases: int, low: float, high: float
) -> None:
    assert wilson(hits, cases) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500), st.data())
def test_wilson_holds_the_share(cases: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, cases))
    low, high = wilson(hits, cases)
    assert 0.0 <= low <= hits / cases <= high <= 1.0


def test_wilson_knows_nothing_without_cases() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_paired_change_is_worked_out_by_hand() -> None:
    before = np.array([False] * 10 + [True] * 90)
    after = np.array([True] * 8 + [False] * 2 + [True] * 87 + [False] * 3)
    effect, low, high = paired_change(before, after)
    half = 1.959964 * math.sqrt(8 + 3 + 1 - 25 / 102) / 102
    assert effect == pytest.approx(0.05)
    assert (low, high) == pytest.approx((5 / 102 - half, 5 / 102 + half))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_a_paired_change_lies_in_its_interval_and_turns_with_it(
    pairs: list[tuple[bool, bool]],
) -> None:
    before, after = (np.array(column) for column in zip(*pairs, strict=True))
    effect, low, high = paired_change(before, after)
    assert -1.0 <= low <= effect <= high <= 1.0
    assert low < high
    assert paired_change(after, before) == pytest.approx((-effect, -high, -low))


def test_eighty_percent_leaves_out_what_is_unknown() -> None:
    values = np.array([*range(11), math.nan], dtype=np.float64)
    assert eighty(values) == pytest.approx((1.0, 5.0, 9.0))
    assert eighty(np.array([math.nan])) is None
