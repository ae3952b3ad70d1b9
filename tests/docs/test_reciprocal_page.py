"""The page on reciprocal recommendation says what was measured, and that is what happens now."""

import json

import pytest

from benchmarks import pages, reciprocal
from soullink_ml.markets.synthetic import table

RECORDED = json.loads(reciprocal.RESULT.read_text(encoding="utf-8"))
PAGE = reciprocal.PAGE.read_text(encoding="utf-8")
STALE = "run python -m benchmarks.reciprocal"


@pytest.mark.parametrize("name", reciprocal.blocks(RECORDED))
def test_a_table_is_made_from_what_is_recorded(name: str) -> None:
    assert pages.block_of(PAGE, name) == reciprocal.blocks(RECORDED)[name], STALE


def test_the_synthetic_market_is_as_recorded() -> None:
    for row, recorded in zip(table(), RECORDED["synthetic"], strict=True):
        assert row.method == recorded["method"], STALE
        assert row.expected_matches == pytest.approx(recorded["expected_matches"], rel=1e-6), STALE
        assert row.envious_left + row.envious_right == (
            recorded["envious_left"] + recorded["envious_right"]
        ), STALE


def test_what_the_page_says_of_the_order_of_methods_holds() -> None:
    matches = {row["method"]: row["matches"] for row in RECORDED["many"]}
    order = ("random", "one-sided", "product", "equilibrium", "social-welfare", "coordinated")
    assert sorted(order, key=matches.__getitem__) == list(order)
    envious = {row["method"]: row["envious"] for row in RECORDED["many"]}
    assert envious["nash-welfare"] == 0.0
    gini = {row["method"]: row["gini"] for row in RECORDED["many"]}
    assert max(gini[name] for name in ("equilibrium", "stable", "nash-welfare")) < gini["one-sided"]


def test_a_hundred_thousand_a_side_are_solved_and_evenings_gain() -> None:
    largest = [row for row in RECORDED["large"] if row["size"] == 100_000]
    seconds = [row["value"] for row in largest if row["metric"] == "solve, CPU"]
    assert len(seconds) == 2
    assert max(seconds) < 120.0  # sixty seconds on two cores
    evening = {row["method"]: row["matches_per_wave"] for row in RECORDED["evenings"]}
    assert evening["ours, near ties drawn"] > evening["transferable utility"]
    assert evening["coordinated, no scores"] > evening["product"]
