"""Audits of dates whose fairness is known."""

from dataclasses import replace

import numpy as np
import pytest

from soullink_ml.fairness import audit as audits
from soullink_ml.fairness import trials
from soullink_ml.fairness.dates import Dates, Scores, of_independent
from soullink_ml.fairness.predictions import FOLDS, inside
from soullink_ml.fairness.resampling import Cluster, IntArray
from soullink_ml.fairness.rows import Row, adjusted, even_value, two_sided
from soullink_ml.fairness.simulated import World, simulated

FAIR = World(waves=8, side=10)
AUDITS = 40
NOMINAL = 0.05


def test_fair_dates_are_seldom_called_unfair() -> None:
    found = trials.found(FAIR, range(AUDITS))
    assert len(found) == 14
    rates = {name: float(np.mean(one)) for name, one in found.items()}
    assert np.mean(list(rates.values())) <= NOMINAL
    # 40 audits at the nominal rate give 6 or fewer findings 99 times in 100.
    assert max(rates.values()) <= 6 / AUDITS, rates


def test_planted_unfairness_is_found_where_it_is_and_nowhere_else() -> None:
    found = trials.found(replace(FAIR, planted=0.6), range(12))
    power = {name: float(np.mean(one)) for name, one in found.items()}
    assert power["provider recommendation exposure_ratio"] >= 0.9
    assert power["provider recommendation recommended_gap"] >= 0.9
    assert power["provider recommendation tpr_gap"] >= 0.8
    assert power["provider decision calibration_gap"] >= 0.7
    # It was done to how they are shown; how they judge others is as before.
    assert power["consumer decision calibration_gap"] <= 0.2
    assert power["provider decision auc_gap"] <= 0.2


def test_planted_unfairness_has_its_sign_and_size() -> None:
    made = {
        (key.role, key.target, key.metric): float(values[0])
        for key, values in trials.audited(replace(FAIR, planted=0.5, waves=30), 3, draws=2).items()
    }
    # A log-odds shift of .5 at chances near .4 is about .5 x .4 x .6 = .12.
    assert made["provider", "decision", "calibration_gap"] == pytest.approx(-0.12, abs=0.04)
    assert made["provider", "recommendation", "exposure_ratio"] < 0.7


@pytest.mark.intervals
@pytest.mark.parametrize(("share", "cluster"), [(0.25, "people"), (0.08, "people")])
def test_intervals_hold_what_they_promise(share: float, cluster: Cluster) -> None:
    """200 audits of 14 evenings: intervals leave out the truth at most about 5 times in 100."""
    found = trials.found(World(share=share), range(200), cluster)
    rates = {name: float(np.mean(one)) for name, one in found.items()}
    # Two standard errors of a share over 200 audits are .03.
    assert max(rates.values()) <= NOMINAL + 0.03, rates
    assert np.mean(list(rates.values())) <= NOMINAL, rates


def _constant(train: Dates, train_rows: IntArray, test: Dates, test_rows: IntArray) -> Scores:
    told = np.full(test_rows.size, float(train.said_yes[train_rows].mean()))
    return of_independent(told, inside(test, test_rows))


def test_nobody_is_scored_by_a_model_that_saw_the_evening() -> None:
    dates, _ = simulated(World(waves=4, side=6), 1)
    seen: list[tuple[set[int], set[int]]] = []

    def watched(train: Dates, train_rows: IntArray, test: Dates, test_rows: IntArray) -> Scores:
        seen.append(
            (
                {int(w) for w in train.wave_of_row[train_rows]},
                {int(w) for w in test.wave_of_row[test_rows]},
            )
        )
        return _constant(train, train_rows, test, test_rows)

    audits.scores_of(_with_race(dates), watched, None, audits.silent)
    assert len(seen) == 4 + 4 * FOLDS, "each evening, and the inner folds of each"
    assert all(not learned & scored for learned, scored in seen)
    outer = [learned for learned, scored in seen if learned | scored == {0, 1, 2, 3}]
    assert len(outer) == 4
    inner = [learned | scored for learned, scored in seen if len(learned | scored) == 3]
    assert len(inner) == 12, "a recalibration sees nothing of the evening it is for"


def _with_race(dates: Dates) -> Dates:
    return replace(dates, groups={"race": dates.groups["group"]})


def test_an_audit_has_rows_before_after_and_of_the_change() -> None:
    dates = _with_race(simulated(World(waves=3, side=10, share=0.4), 2)[0])
    found = audits.audit(dates, audits.Plan(draws=100), predictor=_constant)
    of = {
        (r.stage, r.method): r.value
        for r in found.rows
        if (r.group, r.role, r.metric) == ("few", "provider", "exposure_ratio")
    }
    for method in ("floor", "group-parity", "nash-welfare", "by-group"):
        before, after = of["before", "product"], of["after", method]
        assert before is not None
        assert after is not None
        assert of["change", method] == pytest.approx(after - before)
    assert of["after", "group-parity"] == pytest.approx(1.0, abs=0.05)
    again = audits.audit(dates, audits.Plan(draws=100), predictor=_constant)
    assert again == found


def test_a_group_that_is_too_small_gets_no_figure() -> None:
    dates = _with_race(simulated(World(waves=3, side=10, share=0.1), 3)[0])
    few = dates.groups["race"].count("few")
    assert 0 < few < 15
    found = audits.audit(dates, audits.Plan(draws=100), predictor=_constant)
    rows = [row for row in found.rows if row.group == "few"]
    assert rows
    assert {row.metric for row in rows} == {"too_small"}
    assert all(row.value is row.low is row.high is None and row.n == few for row in rows)


def test_holm_counts_a_comparison_once_that_stands_twice() -> None:
    def row(p: float | None, method: str = "product") -> Row:
        return Row(
            "race", "x", "provider", "match", "auc_gap", 0.1, 0.0, 0.2, 20, "before", method, p
        )

    ps = [0.01, 0.01, 0.02, 0.5, None]
    found = [one.p_adjusted for one in adjusted([*map(row, ps), row(0.04, "floor")])]
    assert found[:4] == pytest.approx([0.03, 0.03, 0.04, 0.5])
    assert found[4] is None
    assert found[5] == 0.04, "each method is a family of its own"


def test_a_p_value_is_below_5_percent_where_the_interval_leaves_out_even() -> None:
    assert two_sided(0.2, 0.0, 0.5, 0.0) == pytest.approx(0.05, abs=1e-6)
    assert two_sided(0.8, 0.5, 1.0, 1.0) == pytest.approx(0.05, abs=1e-6)
    assert two_sided(-0.1, -0.3, 0.1, 0.0) == pytest.approx(0.327, abs=1e-3)
    assert two_sided(0.0, 0.0, 0.0, 0.0) is None
    assert two_sided(0.1, 0.1, 0.1, 0.0) == 0.0


def test_what_is_even() -> None:
    assert even_value("exposure_ratio", "before") == 1.0
    assert even_value("exposure_ratio", "change") == 0.0
    assert even_value("tpr_gap", "after") == 0.0
    assert even_value("auc", "before") is None
    assert even_value("auc", "change") == 0.0
