"""What is found of courses: swapped people swap it, the same seed gives the same."""

import numpy as np
import pytest

from soullink.modules.analysis.domain.prediction import interventions
from soullink.modules.simulation.api import STATE_VARIABLES
from soullink.modules.simulation.domain import replicas
from soullink.modules.simulation.domain.sensitivity import factors, moments
from soullink.modules.simulation.domain.sensitivity.lives import Pair, Variants, lived
from soullink.modules.simulation.domain.sensitivity.outcomes import OUTCOMES
from tests.analysis.lived import (
    HOSTILE,
    INSECURE,
    KIND,
    SECURE,
    course_of,
    person,
    personas,
    scenario,
)

NAMES = ("last-train-noodle-bar", "meeting-the-friends", "whose-dishes")
SCENARIOS = tuple(scenario(name) for name in NAMES)
ADA = person("ada", KIND, SECURE)
BEN = person("ben", HOSTILE, INSECURE)
LEVEL, PEAK = OUTCOMES.index("satisfaction"), OUTCOMES.index("conflict")


def pair(swapped: bool = False, seed: int = 5) -> Pair:
    people = (BEN, ADA) if swapped else (ADA, BEN)
    return Pair(personas(people), 0.2, seed, SCENARIOS, {})


def test_what_is_not_varied_is_lived_as_the_replicas_are() -> None:
    numbers = np.arange(1, 9)
    found = lived(pair(), Variants.plain(numbers, open_traits=True))
    (whole,) = replicas.of_pair(pair().personas, 0.2, 5, 8, SCENARIOS, {})
    assert found[:, LEVEL] == pytest.approx(whole.satisfaction.mean(axis=1))
    assert found[:, 0] == pytest.approx((whole.ended == 0).astype(float))


def test_effects_have_the_directions_of_the_literature_and_swap_with_the_people() -> None:
    found = {(one.person, one.factor.name): one.values for one in factors.effects(pair(), 400)}
    for who in (0, 1):
        assert found[who, "neuroticism"][LEVEL, 2] < 0, "costs satisfaction (Malouff et al. 2010)"
        assert found[who, "agreeableness"][LEVEL, 0] > 0
        assert found[who, "trust"][LEVEL, 0] > 0
    for values in found.values():
        assert (values[:, 1] <= values[:, 0]).all()
        assert (values[:, 0] <= values[:, 2]).all()
    again = {(o.person, o.factor.name): o.values for o in factors.effects(pair(swapped=True), 400)}
    for (who, name), values in found.items():
        assert again[1 - who, name] == pytest.approx(values, abs=1e-9)
    same = factors.effects(pair(), 400)
    assert all((found[o.person, o.factor.name] == o.values).all() for o in same)


def test_blocks_differ_only_where_they_should() -> None:
    """A group from B changes what comes of A; the luck of A stays with all its variations."""
    blocks = factors.blocks(pair(), 16, 2, "range", interventions())
    assert len(blocks.groups) == 15
    assert blocks.mixed.shape == (15, 16, 2, len(OUTCOMES))
    personality = blocks.groups.index(("personality", 1))
    values = blocks.groups.index(("values", 0))
    moved = np.abs(blocks.mixed - blocks.a).mean(axis=(1, 2))[:, LEVEL]
    assert moved[personality] > moved[values]
    swapped = factors.blocks(pair(swapped=True), 16, 2, "range", interventions())
    for place, (name, who) in enumerate(blocks.groups):
        other = swapped.groups.index((name, None if who is None else 1 - who))
        assert swapped.mixed[other] == pytest.approx(blocks.mixed[place], abs=1e-9)
    told = factors.blocks(pair(), 8, 2, "profile", ())
    assert {name for name, _ in told.groups} == {"personality", "attachment", "values"}


def test_with_its_moments_and_its_own_luck_the_course_is_the_one_that_was_lived() -> None:
    course = course_of((ADA, BEN), SCENARIOS, 5, {})
    found = moments.players(course.turns, course.episodes, 5)
    assert [(p.episode, p.turn) for p in found] == sorted((p.episode, p.turn) for p in found)
    members = np.array([[True] * len(found), [False] * len(found)])
    whole, without = moments.lived(pair(), found, members, None)
    after = course.episodes[-1].after
    assert whole[OUTCOMES.index("trust")] == pytest.approx(
        (after[0].trust + after[1].trust) / 2, abs=1e-5
    )
    assert STATE_VARIABLES.index("trust") == 3
    assert whole[PEAK] >= max(turn.conflict for turn in course.turns) - 1e-5
    assert whole[LEVEL] != without[LEVEL]


def test_moments_share_the_whole_difference_and_swap_with_the_people() -> None:
    course = course_of((ADA, BEN), SCENARIOS, 5, {})
    found = moments.players(course.turns, course.episodes, 4)
    worth = moments.worth(pair(), found, 6)
    assert worth.shares[..., 0].sum(axis=0) == pytest.approx(worth.everyone - worth.nobody)
    other = course_of((BEN, ADA), SCENARIOS, 5, {})
    turned = moments.worth(pair(swapped=True), moments.players(other.turns, other.episodes, 4), 6)
    assert [(p.episode, p.turn, 1 - p.person) for p in turned.players] == [
        (p.episode, p.turn, p.person) for p in worth.players
    ]
    assert turned.shares == pytest.approx(worth.shares, abs=1e-9)


def test_a_life_event_that_is_taken_out_leaves_no_trace() -> None:
    """Somebody who has a deadline is worse off than without it, by the event and nothing else."""
    course = course_of((ADA, BEN), SCENARIOS, 5, {})
    events = [
        player for player in moments.players(course.turns, course.episodes, 40) if player.event >= 0
    ]
    for seed in range(5, 60):
        if events:
            break
        course = course_of((ADA, BEN), SCENARIOS, seed, {})
        events = [p for p in moments.players(course.turns, course.episodes, 40) if p.event >= 0]
    assert events, "among so many courses something happens"
    held = pair(seed=course.run.settings.seed)
    members = np.array([[True], [False]])
    for event in events[:2]:
        kept, gone = moments.lived(held, (event,), members, None)
        assert (kept != gone).any()


def test_without_moments_there_is_nothing_to_share() -> None:
    worth = moments.worth(pair(), (), 3)
    assert worth.players == ()
    assert worth.shares.shape == (0, len(OUTCOMES), 3)
