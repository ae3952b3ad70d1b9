"""Traits, attachment and stress show in behaviour in the directions the literature gives."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import behaviour, pages
from benchmarks.hypotheses import HYPOTHESES, Finding, Hypothesis
from soullink.modules.simulation.api import Stage
from soullink.modules.simulation.calibration import estimates
from soullink.modules.simulation.calibration.population import Population, arc, populate


@pytest.fixture(scope="module")
def people() -> Population:
    return populate(behaviour.SEED)


def test_the_population_is_large_enough_and_lives_through_shipped_arcs(people) -> None:
    assert people.size >= 500
    assert people.record.lived[:, 0].all()
    assert len({tuple(s.id for s in arc(number, behaviour.SEED)) for number in range(40)}) > 30
    for number in range(5):
        stages = [scenario.stage for scenario in arc(number, behaviour.SEED)]
        assert stages[:2] == [Stage.FIRST_MEETING, Stage.EARLY_DATING]


def test_there_are_enough_hypotheses_each_with_a_source() -> None:
    assert len(HYPOTHESES) >= 16
    assert len({hypothesis.id for hypothesis in HYPOTHESES}) == len(HYPOTHESES)
    assert all(any(c.isdigit() for c in hypothesis.source) for hypothesis in HYPOTHESES)


@pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=lambda hypothesis: hypothesis.id)
def test_the_direction_holds_with_its_whole_interval(hypothesis: Hypothesis, people) -> None:
    effect = hypothesis.measure(people)
    assert effect.courses >= 100
    assert effect.low < effect.value < effect.high
    assert effect.points(hypothesis.direction), f"{hypothesis.statement}: {effect}"


def test_traits_of_strangers_predict_nothing(people) -> None:
    """The same slopes on somebody else's traits: one interval in twenty may miss zero."""
    order = np.random.default_rng(5).permutation(people.size)
    strangers = replace(people, traits=people.traits[order])
    on_traits = [h for h in HYPOTHESES if "on_trait" in h.measure.__qualname__]
    assert len(on_traits) >= 16
    off_zero = [
        h.id for h in on_traits if h.measure(strangers).low > 0 or h.measure(strangers).high < 0
    ]
    assert len(off_zero) <= 4, off_zero


def test_the_interval_covers_a_known_slope_about_95_times_in_100() -> None:
    random = np.random.default_rng(3)
    couple, none = np.repeat(np.arange(200), 2), np.zeros(400, dtype=np.int64)
    covered = 0
    for _ in range(300):
        shared_x, shared_e = np.repeat(random.normal(size=(2, 200)), 2, axis=1)
        x = 0.6 * shared_x + 0.8 * random.normal(size=400)
        y = 0.3 * x + np.sqrt(0.91) * (0.7 * shared_e + np.sqrt(0.51) * random.normal(size=400))
        effect = estimates.slopes([x], y, couple, none)[0]
        covered += effect.low <= 0.3 <= effect.high
    assert 0.90 <= covered / 300 <= 0.99


def test_an_effect_points_only_where_its_interval_leaves_zero_out() -> None:
    assert estimates.Effect(0.2, 0.1, 0.3, 9).points(1)
    assert not estimates.Effect(0.2, -0.1, 0.5, 9).points(1)
    assert not estimates.Effect(0.2, 0.1, 0.3, 9).points(-1)


def test_the_page_is_written_from_the_recorded_result() -> None:
    recorded = json.loads(behaviour.RESULT.read_text(encoding="utf-8"))
    page = behaviour.PAGE.read_text(encoding="utf-8")
    assert pages.block_of(page, behaviour.BLOCK) == behaviour.page_block(recorded)


def test_the_recorded_result_is_what_the_equations_do_now(people) -> None:
    recorded = json.loads(behaviour.RESULT.read_text(encoding="utf-8"))
    now = behaviour.document([Finding(h, h.measure(people)) for h in HYPOTHESES], {})
    assert recorded["dynamics"] == now["dynamics"], "run python -m benchmarks.behaviour"
    for old, new in zip(recorded["findings"], now["findings"], strict=True):
        stale = f"{new['statement']}: run python -m benchmarks.behaviour"
        assert old["id"] == new["id"], stale
        # Another processor may round an exponential differently and turn single acts.
        assert old["value"] == pytest.approx(new["value"], abs=0.03, rel=0.05), stale
        assert old["holds"] == new["holds"], stale
