"""The page on fairness quotes what the command printed, and its sentences hold for that."""

import json
from itertools import product

import pytest

from benchmarks import fairness, pages
from soullink_ml.fairness import documents, tables
from soullink_ml.fairness.rows import Row

DOCUMENT = json.loads(fairness.RESULT.read_text("utf-8"))
SIMULATED = json.loads(fairness.INTERVALS.read_text("utf-8"))
PAGE = fairness.PAGE.read_text("utf-8")
BLOCKS = fairness.blocks(DOCUMENT, SIMULATED)
AUDIT = documents.of_json(DOCUMENT)
ROWS = tables.Rows(AUDIT)
BLIND = ("floor", "equilibrium", "nash-welfare", "coordinated")


@pytest.mark.parametrize("name", BLOCKS)
def test_a_table_is_made_from_what_is_recorded(name: str) -> None:
    assert pages.block_of(PAGE, name) == BLOCKS[name].strip(), "python -m benchmarks.fairness"


def test_the_record_is_of_our_model_on_all_evenings() -> None:
    assert (AUDIT.model, AUDIT.waves, AUDIT.people, AUDIT.cluster) == ("ours", 14, 360, "people")
    assert AUDIT.draws >= 500
    of = {(r.group_by, r.role, r.metric, r.stage) for r in AUDIT.rows}
    for group_by, stage in product(("gender", "race"), ("before", "after")):
        for role, metric in (
            ("provider", "exposure_ratio"),
            ("provider", "recommended_gap"),
            ("provider", "tpr_gap"),
            ("consumer", "fpr_gap"),
            ("provider", "calibration_slope"),
            ("consumer", "ece"),
            ("provider", "auc"),
        ):
            assert (group_by, role, metric, stage) in of


def test_no_gap_is_certain_and_one_is_named() -> None:
    compared = [r for r in AUDIT.rows if r.stage == "before" and r.p is not None]
    assert all((r.p_adjusted or 0.0) >= 0.05 for r in compared)
    asian = _row("before", "product", "exposure_ratio")
    assert asian.value is not None
    assert asian.value < 0.9


def test_true_promises_for_every_group_move_attention_away() -> None:
    change = _row("change", "by-group", "exposure_ratio")
    assert change.found
    assert change.high is not None
    assert change.high < 0


@pytest.mark.parametrize("method", BLIND)
def test_sharing_attention_costs_no_matches(method: str) -> None:
    of = (*tables.MARKET, "recommendation")
    gini, matches = (
        ROWS.find("change", method, *of, metric) for metric in ("gini", "matches_per_wave")
    )
    assert gini is not None
    assert gini.high is not None
    assert gini.high < 0
    assert matches is not None
    assert matches.value is not None
    assert matches.value > 0


def test_lists_that_know_nothing_make_much_of_the_gain() -> None:
    of = (*tables.MARKET, "recommendation", "matches_per_wave")
    blind, best = (ROWS.find("change", name, *of) for name in ("uninformed", "coordinated"))
    assert blind is not None
    assert blind.value is not None
    assert best is not None
    assert best.value is not None
    assert 0.4 * best.value < blind.value < best.value


def test_drawing_people_keeps_the_promise_and_drawing_evenings_does_not() -> None:
    fair = {
        (run["share"], run["cluster"]): run["found"].values()
        for run in SIMULATED["runs"]
        if run["planted"] == 0.0
    }
    for share in (fairness.LARGE, fairness.SMALL):
        people, waves = fair[share, "people"], fair[share, "wave"]
        assert max(people) <= 0.09
        assert sum(people) / len(people) <= 0.05
        assert sum(waves) / len(waves) > 0.06


def _row(stage: str, method: str, metric: str) -> Row:
    found = ROWS.find(stage, method, "race", "asian", "provider", "recommendation", metric)
    assert found is not None
    return found
