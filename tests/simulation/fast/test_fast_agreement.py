"""The compiled courses and the NumPy equations: the same for the same seed, turn by turn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soullink.modules.simulation.api import ACTS, Act, Intervention
from soullink.modules.simulation.domain import fast
from soullink.modules.simulation.domain.course import Conditions
from tests.simulation.fast.worlds import COLUMNS, Lived, every_scenario, lived, people

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(not fast.available(), reason="needs the extra `fast`"),
]
NEAR_TIE = 1e-5
SIXTEEN = 16


def _columns(traced: np.ndarray, known: np.ndarray) -> np.ndarray:
    rows, columns = zip(*COLUMNS, strict=True)
    return np.abs(traced[..., list(rows)] - known[..., list(columns)])


def _same_turns(traced: fast.Traced, known: Lived) -> np.ndarray:
    return (traced.speakers == known.speakers) & (traced.acts == known.acts)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**64 - 1),
    chosen=st.lists(st.sampled_from(range(len(every_scenario()))), min_size=1, max_size=4),
    sd=st.floats(0.0, 1.0),
)
def test_every_turn_agrees_in_double_precision(seed: int, chosen: list[int], sd: float) -> None:
    population = people(3, seed % 2**32, sd)
    some = [every_scenario()[number] for number in chosen]
    with pytest.MonkeyPatch.context() as patch:
        known = lived(population, some, SIXTEEN, patch)
    traced = fast.trace(population, some, SIXTEEN)
    assert _same_turns(traced, known).all()
    assert np.nanmax(_columns(traced.states, known.states[..., :-1])) < 1e-5
    assert _columns(traced.ends, known.ends).max() < 1e-5
    taken = known.acts >= 0
    for found, column in ((traced.conflict, 0), (traced.minute, 1)):
        assert np.abs(found - known.states[..., column, -1])[taken].max() < 1e-5
    assert (traced.alive == known.alive).all()
    assert (traced.outcomes == np.where(taken.any(axis=2), known.outcomes, -1)).all()


def test_every_shipped_scenario_agrees_in_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, scenario in enumerate(every_scenario()):
        population = people(1, number, 1.0)
        known = lived(population, [scenario], SIXTEEN, monkeypatch)
        traced = fast.trace(population, [scenario], SIXTEEN)
        assert _same_turns(traced, known).all(), scenario.id
        assert _columns(traced.ends, known.ends).max() < 1e-9, scenario.id


def test_a_memory_younger_than_the_next_episode_is_no_stronger_than_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = replace(every_scenario()[0], minutes=2880, gap_days=(0, 1))
    some = [long, replace(every_scenario()[1], gap_days=(0, 0)), long]
    known = lived(people(3, 8), some, SIXTEEN, monkeypatch)
    traced = fast.trace(people(3, 8), some, SIXTEEN)
    assert _same_turns(traced, known).all()
    assert _columns(traced.ends, known.ends).max() < 1e-9


def test_interventions_agree_in_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    change = Intervention("calm", 1, {Act.REPAIR: 1.0, Act.CRITICISE: -1.5}, -0.05, 0.5)
    some = list(every_scenario()[2:5])
    known = lived(people(2, 5), some, SIXTEEN, monkeypatch, Conditions((change,)))
    traced = fast.trace(people(2, 5), some, SIXTEEN, arm=change)
    assert _same_turns(traced, known).all()
    assert _columns(traced.ends, known.ends).max() < 1e-5


@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), first=st.integers(0, 20))
def test_single_precision_agrees_up_to_the_first_near_tie(seed: int, first: int) -> None:
    population, some = people(4, seed), list(every_scenario()[first : first + 3])
    with pytest.MonkeyPatch.context() as patch:
        known = lived(population, some, SIXTEEN, patch)
    traced = fast.trace(population, some, SIXTEEN, precision="float32")
    taken = known.acts >= 0
    surely = taken & (known.nearest > NEAR_TIE)
    assert _same_turns(traced, known)[surely].all()
    assert _columns(traced.states, known.states[..., :-1])[surely].max() < 1e-5
    # A near tie is rare, so this compares nearly everything; and it seldom tips anything over.
    # (How many turns come before a near tie depends on the draws and equations alone.)
    assert surely.sum() > 0.85 * taken.sum()
    parted = (~_same_turns(traced, known) & taken).any(axis=(1, 2))
    assert parted.mean() <= 0.05


def test_single_precision_has_the_same_distributions() -> None:
    population, some = people(8, 11, 0.8), list(every_scenario()[3:6])
    exact = fast.screen(population, some, 1000, precision="float64")
    single = fast.screen(population, some, 1000, first_replica=1000)
    error = np.sqrt((exact.variances + single.variances) / 1000)
    assert (np.abs(exact.means - single.means) < 5 * error + 1e-6).all()
    assert np.abs(exact.together - single.together).max() < 5 * np.sqrt(0.5 / 1000)
    acts = np.abs(
        exact.acts / exact.turns[:, None, None] - single.acts / single.turns[:, None, None]
    )
    assert acts.max() < 0.01
    assert exact.acts.shape[2] == len(ACTS)
