"""States, horizons and counterfactuals."""

import numpy as np
import pytest

from soullink.kernel.errors import InvalidInputError
from soullink.modules.analysis.api import RELATIONSHIP_STATES
from soullink.modules.analysis.domain.prediction import (
    interventions,
    prediction,
    states,
)
from soullink.modules.analysis.domain.wording.prediction import INTERVENTIONS
from soullink.modules.simulation.api import Replicas
from tests.analysis import lived as scene
from tests.analysis import made

NAMES = ("Ada", "Ben")
TITLES = ("One", "Two")


def states_of(replicas: Replicas) -> list[list[str]]:
    return [[RELATIONSHIP_STATES[place] for place in row] for row in states(replicas)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"closeness": [0.1, 0.6]}, "strangers"),
        ({"closeness": 0.2}, "dating"),
        ({"closeness": 0.5, "commitment": 0.5, "trust": 0.5}, "committed"),
        ({"closeness": 0.5, "commitment": [0.5, 0.3], "trust": 0.5}, "dating"),
        ({"closeness": 0.5, "commitment": 0.5, "trust": [0.5, 0.3]}, "strained"),
    ],
)
def test_a_state_is_read_from_the_less_sure_of_both(
    values: dict[str, object], expected: str
) -> None:
    found = states_of(made.replicas(states=made.states(1, 2, **values)))
    assert found == [[expected, expected]]


def test_a_heated_episode_strains_unless_it_ended_well() -> None:
    peaks = np.array([[0.7, 0.7]])
    found = states_of(made.replicas(conflict_peak=peaks, success=np.array([[-0.5, 0.5]])))
    assert found == [["strained", "dating"]]


def test_what_ended_stays_ended() -> None:
    found = states_of(made.replicas(3, ended=np.array([0, 1, 2])))
    assert found == [["dating", "dating"], ["ended", "ended"], ["dating", "ended"]]


def test_horizons_are_shares_with_wilson_intervals() -> None:
    replicas = made.replicas(10, ended=np.array([1, 2, 2] + [0] * 7))
    found = prediction(replicas, {}, TITLES, NAMES, "en")
    assert [horizon.scenario_title for horizon in found.horizons] == ["One", "Two"]
    assert [horizon.day for horizon in found.horizons] == [10.0, 20.0]
    for horizon in found.horizons:
        assert [one.state for one in horizon.states] == list(RELATIONSHIP_STATES)
        assert sum(one.probability for one in horizon.states) == pytest.approx(1.0)
        assert all(one.low <= one.probability <= one.high for one in horizon.states)
    ended = [horizon.states[-1].probability for horizon in found.horizons]
    assert ended == pytest.approx([0.1, 0.3])
    assert found.together.probability == pytest.approx(0.7)
    assert found.together.low == pytest.approx(0.3968, abs=1e-4)
    assert "7 of 10" in found.summary


def test_the_end_stands_beside_that_of_two_unknown_people() -> None:
    again = np.array([[True, True]] * 3 + [[True, False]] * 7)
    replicas = made.replicas(10, ended=np.array([1] + [0] * 9), again=again)
    assert prediction(replicas, {}, TITLES, NAMES, "en").anyone is None
    baseline = made.replicas(20, people=("x", "y"), ended=np.array([1] * 5 + [0] * 15))
    found = prediction(replicas, {}, TITLES, NAMES, "en", baseline)
    assert found.again.probability == pytest.approx(0.3)
    assert found.anyone is not None
    assert found.anyone.probability == pytest.approx(0.75)
    assert "nothing is known, 75% (53% to 89%)" in found.summary


def test_a_baseline_in_other_scenarios_is_refused() -> None:
    other = made.replicas(4, scenarios=("elsewhere", "later"))
    with pytest.raises(InvalidInputError, match="of the same run"):
        prediction(made.replicas(4), {}, TITLES, NAMES, "en", other)


def test_a_counterfactual_compares_the_same_replicas() -> None:
    before = made.replicas(100, ended=np.array([1] * 40 + [0] * 60))
    helped = made.replicas(
        100, ended=np.array([1] * 20 + [0] * 80), states=made.states(100, 2, closeness=0.4)
    )
    harmed = made.replicas(100, ended=np.array([1] * 50 + [0] * 50))
    alike = made.replicas(100, ended=np.array([1] * 40 + [0] * 60))
    found = prediction(
        before,
        {"mend_0": alike, "stay_1": helped, "less_stress": harmed},
        TITLES,
        NAMES,
        "en",
    )
    assert [(c.name, c.person, round(c.effect, 2)) for c in found.counterfactuals] == [
        ("stay_1", 1, 0.2),
        ("less_stress", None, -0.1),
        ("mend_0", 0, 0.0),
    ]
    assert found.counterfactuals[0].closeness == pytest.approx(0.1)
    assert found.counterfactuals[0].low > 0
    assert found.counterfactuals[2].low < 0 < found.counterfactuals[2].high
    assert "Ben stays in the talk" in found.summary
    assert "lowered it" in found.summary


def test_chance_is_not_sold_as_an_effect() -> None:
    before = made.replicas(50, ended=np.array([1] * 10 + [0] * 40))
    changed = made.replicas(50, ended=np.array([1] * 9 + [0] * 41))
    found = prediction(before, {"mend_0": changed}, TITLES, NAMES, "en")
    assert "None of the changes" in found.summary
    assert "points" not in found.summary


@pytest.mark.parametrize(
    ("name", "changed", "says"),
    [
        ("be_nicer", made.replicas(4), "no intervention 'be_nicer'"),
        ("mend_0", made.replicas(5), "make as many"),
        ("mend_0", made.replicas(4, people=("ada", "eve")), "other people"),
    ],
)
def test_alternatives_that_do_not_belong_are_refused(
    name: str, changed: Replicas, says: str
) -> None:
    with pytest.raises(InvalidInputError, match=says):
        prediction(made.replicas(4), {name: changed}, TITLES, NAMES, "en")


def test_the_interventions_treat_both_people_alike() -> None:
    tried = {change.id: change for change in interventions()}
    assert 8 <= len(tried) <= 12
    for name, change in tried.items():
        kind = name.removesuffix("_0").removesuffix("_1")
        assert INTERVENTIONS[kind]
        assert change.acts or change.stress < 0 or change.misreading < 1
        if change.person is not None:
            other = tried[f"{kind}_{1 - change.person}"]
            assert (other.acts, other.person) == (change.acts, 1 - change.person)


def test_less_hostility_brings_a_hostile_couple_closer() -> None:
    people = (
        scene.person("ada", scene.HOSTILE, scene.INSECURE),
        scene.person("ben", scene.HOSTILE, scene.INSECURE),
    )
    lived = scene.lived(people, count=150, alternatives=True)
    found = prediction(lived.replicas, lived.alternatives, scene.FIVE, NAMES, "en")
    effects = {change.name: change for change in found.counterfactuals}
    for name in ("soften_0", "soften_1"):
        assert effects[name].closeness > 0, name
        # Who stays together hardly moves with it; it must not be said to do harm.
        assert effects[name].low <= 0 <= effects[name].high, name
    sizes = [abs(change.effect) for change in found.counterfactuals]
    assert sizes == sorted(sizes, reverse=True)


def test_one_replica_is_enough_to_say_how_little_it_says() -> None:
    found = prediction(made.replicas(1), {"mend_0": made.replicas(1)}, TITLES, NAMES, "zh")
    assert found.together.high - found.together.low > 0.7
    assert found.counterfactuals[0].high - found.counterfactuals[0].low > 0.9
