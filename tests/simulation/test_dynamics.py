"""The equations keep their promises: bounded, seeded, symmetric, monotone where they must be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soullink.kernel.ids import PersonId
from soullink.modules.personality.api import HIGHER_ORDER_VALUES, UNKNOWN, Persona
from soullink.modules.profiles.api import DOMAINS
from soullink.modules.simulation.api import (
    ACTS,
    CONDITION_VARIABLES,
    Act,
    Condition,
    Effect,
    Intervention,
    Trigger,
)
from soullink.modules.simulation.domain import course, dynamics, environment, replicas
from soullink.modules.simulation.domain.acts import INDEX, SPECS
from soullink.modules.simulation.domain.adjacency import ONLY_AFTER
from soullink.modules.simulation.domain.course import Conditions
from soullink.modules.simulation.domain.layout import (
    N_PERSON,
    N_SHARED,
    N_TRAIT,
    RANGES,
    STATE,
    Person,
    Shared,
)
from soullink.modules.simulation.domain.weights import FEATURES, WEIGHTS
from tests.simulation.worlds import arc, lived, population, same_pair, scenario, text

TRAITS = st.lists(st.floats(-4, 4), min_size=N_TRAIT, max_size=N_TRAIT)


def walk(batch, scenarios, conditions=None):
    """Yield every turn of every episode."""
    conditions = conditions or Conditions()
    previous = None
    for number, scene in enumerate(scenarios, start=1):
        record, situation = course.open_episode(batch, scene, previous, number, conditions)
        yield from course.live_turns(batch, scene, number, situation, record, conditions)
        course.close_episode(batch, scene, number, record)
        previous = scene


def test_each_variable_of_conditions_has_its_value_in_every_course() -> None:
    people, pair = np.zeros((2, 2, N_PERSON)), np.zeros((2, N_SHARED))
    people[0, :, Person.MOOD], people[0, :, Person.POSITION] = (-0.5, 0.25), (-1.0, 0.5)
    pair[0, [Shared.POSITIVE, Shared.NEGATIVE, Shared.TURNS]] = 3.0, 1.0, 7.0
    pair[1, Shared.AGREED] = 1.0
    values = environment.variables(people, pair, CONDITION_VARIABLES)
    assert all(values[name].shape == (2,) for name in CONDITION_VARIABLES)
    assert (values["mood_low"][0], values["mood_high"][0]) == (-0.5, 0.25)
    assert (values["turn"][0], values["distance"][0]) == (7.0, 0.75)
    assert values["positivity"].tolist() == [0.75, 0.5]
    assert values["agreed"].tolist() == [0.0, 1.0]


def test_there_are_at_least_24_acts_each_with_a_meaning_a_source_and_weights() -> None:
    assert len(ACTS) >= 24
    assert set(SPECS) == set(ACTS)
    assert all(spec.source and spec.meaning["en"] and spec.meaning["zh"] for spec in SPECS.values())
    assert WEIGHTS.shape == (len(ACTS), len(FEATURES))
    assert (np.abs(WEIGHTS).sum(axis=1) > 0).all()


@settings(max_examples=25, deadline=None)
@given(left=TRAITS, right=TRAITS, seed=st.integers(0, 2**63 - 1))
def test_states_stay_in_range_and_probabilities_sum_to_one(left, right, seed) -> None:
    batch = same_pair(3, seed, left, right)
    minute = np.zeros(3)
    for taken in walk(batch, arc()):
        state = taken.after[..., STATE]
        assert (state >= RANGES[:, 0]).all()
        assert (state <= RANGES[:, 1]).all()
        assert np.allclose(taken.probabilities.sum(axis=1), 1.0)
        assert (taken.probabilities >= 0).all()
        assert np.isfinite(taken.after).all()
        assert np.isfinite(taken.pair).all()
        assert (taken.pair[:, Shared.CONFLICT] >= 0).all()
        assert (taken.pair[:, Shared.CONFLICT] <= 1).all()
        started = taken.pair[:, Shared.TURNS] > 1
        assert (taken.pair[started, Shared.MINUTE] > minute[taken.rows][started]).all()
        minute[taken.rows] = taken.pair[:, Shared.MINUTE]


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, two = lived(population(40)), lived(population(40))
    assert one.states.tobytes() == two.states.tobytes()
    assert one.acts.tobytes() == two.acts.tobytes()
    other = lived(same_pair(40, 2, [0] * N_TRAIT, [0] * N_TRAIT))
    again = lived(same_pair(40, 3, [0] * N_TRAIT, [0] * N_TRAIT))
    assert other.acts.tobytes() != again.acts.tobytes()


def test_a_replica_does_not_depend_on_the_batch_it_is_in() -> None:
    many = lived(same_pair(20, 5, [0.5] * N_TRAIT, [-0.5] * N_TRAIT))
    one = lived(same_pair(1, 5, [0.5] * N_TRAIT, [-0.5] * N_TRAIT))
    np.testing.assert_array_equal(one.acts[0], many.acts[0])
    np.testing.assert_allclose(one.states[0], many.states[0], atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(left=TRAITS, right=TRAITS, seed=st.integers(0, 2**63 - 1))
def test_swapping_the_two_people_mirrors_everything(left, right, seed) -> None:
    here = lived(same_pair(4, seed, left, right, ("ada", "ben")))
    there = lived(same_pair(4, seed, right, left, ("ben", "ada")))
    np.testing.assert_array_equal(here.acts, there.acts[:, ::-1])
    np.testing.assert_array_equal(here.turns, there.turns[..., ::-1])
    np.testing.assert_allclose(here.states, there.states[:, :, ::-1], atol=1e-9)
    np.testing.assert_array_equal(here.ended, there.ended)
    np.testing.assert_array_equal(here.again, there.again[:, ::-1])


def test_an_intervention_leaves_the_other_draws_alone() -> None:
    """Common random numbers: doing nothing changes nothing; doing something changes only later."""
    nothing = Conditions((Intervention("nothing", 0),))
    plain, same = lived(population(30)), lived(population(30), conditions=nothing)
    assert plain.states.tobytes() == same.states.tobytes()
    kind = Conditions((Intervention("kind", 0, {Act.VALIDATE: 2.0, Act.SUPPORT: 2.0}),))
    changed = lived(population(400), conditions=kind)
    base = lived(population(400))
    at = INDEX[Act.VALIDATE]
    assert changed.acts[:, 0, at].mean() > 1.5 * base.acts[:, 0, at].mean()
    assert changed.states[:, -1, 1, 4].mean() > base.states[:, -1, 1, 4].mean()


def test_an_override_changes_nothing_before_its_turn() -> None:
    base = list(walk(same_pair(1, 9, [0] * N_TRAIT, [0.3] * N_TRAIT), arc()))
    forced = Conditions((), {(2, 5): {"1.act": float(INDEX[Act.BELITTLE])}})
    branch = list(walk(same_pair(1, 9, [0] * N_TRAIT, [0.3] * N_TRAIT), arc(), forced))
    first = next(
        i
        for i, (a, b) in enumerate(zip(base, branch, strict=False))
        if a.after.tobytes() != b.after.tobytes()
    )
    episode_one = next(i for i, t in enumerate(base[1:], start=1) if t.pair[0, Shared.TURNS] == 1)
    assert first == episode_one + 4
    assert int(branch[first].act[0]) == INDEX[Act.BELITTLE]
    assert int(branch[first].speaker[0]) == 1


def test_a_trigger_fires_once_when_its_conditions_hold() -> None:
    rain = Trigger("rain", (Condition("turn", 3),), Effect(stress=0.2), text("rain"))
    never = Trigger("never", (Condition("conflict", 2.0),), Effect(), text("never"))
    taken = list(walk(population(50), [scenario(triggers=(rain, never))]))
    fired = sum(t.fired.sum(axis=0) for t in taken)
    assert fired.tolist() == [50, 0]
    assert taken[2].fired[:, 0].all()
    late = Trigger("end", (Condition("turn", 6),), Effect(), text("lights out"), ends=True)
    assert len(list(walk(population(20), [scenario(triggers=(late,))]))) == 6


def test_hostility_hurts_and_kindness_heals() -> None:
    quiet = same_pair(200, 3, [0] * N_TRAIT, [0] * N_TRAIT)
    listener, traits = quiet.people[:, 1].copy(), quiet.traits[:, 1]
    zero = np.zeros(200)
    ones = np.ones(200)

    def after(act: Act) -> np.ndarray:
        code = np.full(200, INDEX[act])
        reading = dynamics.read(code, listener, traits, zero, zero, zero, zero, (ones, zero))
        assert not reading.misread.any()
        return dynamics.hear(listener, traits, zero, code, reading, zero, zero)

    order = [Act.BELITTLE, Act.CRITICISE, Act.COMPLAIN, Act.SMALL_TALK, Act.COMPLIMENT]
    moods = [after(act)[0, Person.MOOD] for act in order]
    assert moods == sorted(moods)
    trust = [after(act)[0, Person.TRUST] for act in order]
    assert trust == sorted(trust)
    bad, good = listener[0, Person.TRUST] - trust[1], trust[-1] - listener[0, Person.TRUST]
    assert bad > 1.5 * good > 0, "bad is stronger than good"


def test_misreading_is_rarer_with_trust_and_commoner_under_stress() -> None:
    people = population(1).people[0, :1].repeat(2, axis=0)
    traits = np.zeros((2, N_TRAIT))
    people[:, Person.TRUST] = (0.2, 0.9)
    calm = dynamics.misread_chance(people, traits, np.zeros(2))
    assert calm[0] > calm[1]
    people[:, Person.TRUST] = 0.5
    people[:, Person.STRESS] = (0.1, 0.9)
    chance = dynamics.misread_chance(people, traits, np.zeros(2))
    assert chance[1] > 1.5 * chance[0]


def test_sequence_rules_hold_in_every_turn() -> None:
    seen: set[Act] = set()
    for taken in walk(population(300), arc()):
        for n in range(taken.rows.size):
            act, turn = ACTS[int(taken.act[n])], int(taken.pair[n, Shared.TURNS])
            last = int(taken.before[n, 1 - taken.speaker[n], Person.LAST_ACT])
            seen.add(act)
            if act is Act.GREET:
                assert turn <= 2
            if act in ONLY_AFTER:
                assert not taken.double[n]
                assert ACTS[last] in ONLY_AFTER[act]
            if act is Act.CLOSE:
                assert turn > 10
    assert {Act.FORGIVE, Act.VALIDATE, Act.CLOSE} <= seen


@pytest.mark.parametrize("size", [1, 7])
def test_agents_can_walk_away_and_the_course_ends_for_them_alone(size: int) -> None:
    batch = population(size)
    batch.people[0, :, Person.TRUST] = 0.0
    rude = Conditions((), {(1, 6): {"0.act": float(INDEX[Act.LEAVE])}})
    result = replicas.run(batch, ("ada", "ben"), arc(), rude)
    assert result.ended[0] == 1
    assert result.left_by[0] == 0
    assert result.lived[0].tolist() == [True, False, False, False, False]
    assert (result.states[0, 1] == result.states[0, 5]).all()


def test_replicas_under_interventions_are_what_each_would_be_alone() -> None:
    """Computed together or apart: the same numbers, whatever stands beside them."""
    unknown = dict.fromkeys(DOMAINS, UNKNOWN)
    values = dict.fromkeys(HIGHER_ORDER_VALUES, UNKNOWN)
    ada, ben = (
        Persona(PersonId(name), unknown, {}, UNKNOWN, UNKNOWN, values) for name in ("ada", "ben")
    )
    kind = Intervention("kind", 1, {Act.VALIDATE: 1.5})
    calm = Intervention("calm", None, stress=-0.2, misreading=0.3)
    asked = ((ada, ben), 0.2, 5, 12, arc(), {})
    plain, with_kind, with_calm = replicas.of_pair(*asked, (kind, calm))
    (alone,) = replicas.of_pair(*asked)
    _, calm_alone = replicas.of_pair(*asked, (calm,))
    np.testing.assert_array_equal(plain.acts, alone.acts)
    np.testing.assert_array_equal(with_calm.acts, calm_alone.acts)
    np.testing.assert_allclose(with_calm.states, calm_alone.states, atol=1e-9)
    assert with_kind.acts[:, 1].tolist() != plain.acts[:, 1].tolist()
    assert plain.acts.shape[0] == with_kind.acts.shape[0] == 12
