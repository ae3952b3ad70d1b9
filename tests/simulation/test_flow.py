"""Who speaks, how decisions settle, when talk ends."""

import numpy as np

from soullink.modules.simulation.api import Act
from soullink.modules.simulation.domain import flow
from soullink.modules.simulation.domain.acts import INDEX
from soullink.modules.simulation.domain.layout import N_SHARED, N_TRAIT, Person, Shared, Trait
from tests.simulation.worlds import arc, lived, population, scenario


def stage(n: int, last: int, act: Act) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    people, pair = population(n).people, np.zeros((n, N_SHARED))
    pair[:, Shared.SPEAKER], pair[:, Shared.ROW] = last, 1
    people[:, last, Person.LAST_ACT] = INDEX[act]
    return people, np.zeros((n, 2, N_TRAIT)), pair


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(1).logistic(size=(n, 2))


def test_who_is_addressed_usually_speaks_next_and_a_question_makes_it_surer() -> None:
    told, asked = (
        (flow.floor(*stage(4000, 0, act), noise(4000)) == 1).mean()
        for act in (Act.DISCLOSE, Act.ASK)
    )
    assert 0.8 < told < 0.99
    assert asked > told


def test_nobody_speaks_three_times_in_a_row() -> None:
    people, traits, pair = stage(2000, 0, Act.DISCLOSE)
    pair[:, Shared.ROW] = 2
    assert (flow.floor(people, traits, pair, noise(2000)) == 1).mean() > 0.995


def test_extraverts_take_the_first_word_more_often() -> None:
    people, traits, pair = stage(4000, 0, Act.ASK)
    pair[:, Shared.SPEAKER] = -1
    traits[:, 1, Trait.EXTRAVERSION] = 2.0
    assert (flow.floor(people, traits, pair, noise(4000)) == 1).mean() > 0.55


def test_interruptions_rise_with_conflict_and_fall_with_agreeableness() -> None:
    people = population(2).people[:, 0]
    people[:, Person.AROUSAL] = 0.3
    traits = np.zeros((2, N_TRAIT))
    calm, hot = flow.interruption_chance(people, traits, np.array([0.0, 0.9]))
    assert hot > 3 * calm
    traits[:, Trait.AGREEABLENESS] = (-2.0, 2.0)
    rude, kind = flow.interruption_chance(people, traits, np.zeros(2))
    assert rude > kind


def test_conceding_and_compromise_bring_positions_together_and_insisting_apart() -> None:
    speaker, listener = population(1).people[:, 0].copy(), population(1).people[:, 1].copy()
    speaker[:, Person.POSITION], listener[:, Person.POSITION] = -0.6, 0.6

    def gap(act: Act) -> float:
        p, q = flow.moved(speaker, listener, np.array([INDEX[act]]))
        return float(np.abs(p - q)[0])

    assert gap(Act.CONCEDE) < gap(Act.COMPROMISE) < gap(Act.AGREE) < 1.2 < gap(Act.INSIST)


def test_silence_times_out_and_leaving_ends_at_once() -> None:
    pair = np.zeros((4, N_SHARED))
    pair[:, Shared.SILENCE] = (0, 3, 0, 0)
    pair[:, Shared.TURNS] = (5, 5, 5, 24)
    act = np.array([INDEX[a] for a in (Act.ASK, Act.SILENCE, Act.LEAVE, Act.ASK)])
    over = flow.ending(pair, act, np.zeros(4, dtype=bool), 24)
    assert over.tolist() == [
        flow.Ending.GOES_ON, flow.Ending.TIMEOUT, flow.Ending.LEFT, flow.Ending.TURNS,
    ]  # fmt: skip


def test_decisions_end_in_consensus_arbitration_or_not_at_all() -> None:
    result = lived(population(600), [scenario()])
    names = [flow.RESOLUTIONS[code] for code in result.resolutions[:, 0]]
    share = {name: names.count(name) / 600 for name in set(names)}
    assert share["consensus"] > 0.2
    assert share["arbitration"] > 0.1
    assert share.get("none", 0) == 0


def test_close_goals_settle_more_often_than_far_ones() -> None:
    near = lived(population(400, openness=0.0, conscientiousness=0.0), arc()[1:2])
    far = lived(population(400, openness=(2.0, -2.0), conscientiousness=(-2.0, 2.0)), arc()[1:2])
    consensus = int(flow.Resolution.CONSENSUS)
    assert (near.resolutions == consensus).mean() > (far.resolutions == consensus).mean() + 0.1
