"""One formula measures the course shown and the replicas."""

import numpy as np
import pytest

from soullink.modules.analysis.domain import act_groups, counts, measures
from soullink.modules.simulation.api import ACTS, Act
from soullink.modules.simulation.domain import dynamics, live, replicas
from soullink.modules.simulation.domain.acts import SPECS, ActClass
from soullink.modules.simulation.domain.course import Conditions
from tests.analysis import lived as scene


def test_groups_of_acts_are_those_of_the_dynamics() -> None:
    classes = {
        ActClass.WARM: act_groups.WARM,
        ActClass.OPEN: act_groups.OPEN,
        ActClass.PLAYFUL: act_groups.PLAYFUL,
        ActClass.DEMAND: act_groups.DEMANDING,
        ActClass.HOSTILE: act_groups.HOSTILE,
        ActClass.DISTANT: act_groups.DISTANT,
        ActClass.REPAIR: act_groups.REPAIRING,
    }
    for name, group in classes.items():
        assert group == {act for act in ACTS if SPECS[act].act_class is name}, name
    assert {a for a, p in zip(ACTS, dynamics.POSITIVE_ACTS, strict=True) if p} == (
        act_groups.POSITIVE
    )
    assert {a for a, n in zip(ACTS, dynamics.NEGATIVE_ACTS, strict=True) if n} == (
        act_groups.NEGATIVE
    )
    assert {act for act in ACTS if SPECS[act].depth >= 0.4} == act_groups.DISCLOSING
    assert counts.ACCEPTED_AFFECT == replicas.REPAIR_ACCEPTED


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_course_counts_as_the_replica_that_it_is(seed: int) -> None:
    people = (scene.person("ada", scene.HOSTILE), scene.person("ben", attachment=scene.INSECURE))
    scenarios = tuple(scene.scenario(name) for name in scene.FIVE)
    course = scene.course_of(people, scenarios, seed, {})
    batch = live.batch_of(scene.personas(people), 0.2, seed, 1, 0, sampled=False)
    same = counts.of_replicas(replicas.run(batch, ("ada", "ben"), scenarios, Conditions()))
    shown = counts.of_course(course)
    length = int(same.lengths[0])
    assert shown.acts.sum() > 30
    for name in ("acts", "positive", "negative", "repairs", "repairs_accepted", "answered",
                 "pursue_withdraw", "disclosures", "misreads", "matched"):  # fmt: skip
        assert np.array_equal(getattr(shown, name), getattr(same, name)), name
    assert np.array_equal(shown.resolutions[0], same.resolutions[0, :length])
    for name in ("conflict_peak", "states"):
        cut = getattr(same, name)[:, : getattr(shown, name).shape[1]]
        assert np.allclose(getattr(shown, name), cut, atol=1e-5), name
    for name in measures.names():
        assert np.allclose(
            measures.measured(name, shown), measures.measured(name, same), atol=1e-4
        ), name


def test_only_finished_episodes_count() -> None:
    course = scene.lived((scene.person("ada"), scene.person("ben")), count=1).course
    whole = counts.of_course(course)
    cut = counts.of_course(scene.without_last_episode(course))
    assert cut.lengths[0] == whole.lengths[0] - 1
    last = course.episodes[-1].number
    assert cut.acts.sum() == sum(turn.episode < last for turn in course.turns)


def test_a_mask_names_exactly_its_acts() -> None:
    mask = act_groups.mask(frozenset({Act.JOKE, Act.LEAVE}))
    assert [act for act, inside in zip(ACTS, mask, strict=True) if inside] == [Act.JOKE, Act.LEAVE]
