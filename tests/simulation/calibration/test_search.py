"""The search finds what was planted, whatever the noise, and says how sure it is."""

import numpy as np
import pytest

from soullink.modules.simulation.calibration import fitting, search, trades
from soullink.modules.simulation.calibration.fitting import Plan, Progress
from soullink.modules.simulation.calibration.search import Problem
from soullink.modules.simulation.calibration.targets import HELD_OUT, Range, Target

BOUNDS = np.array([[0.0, 1.0], [-1.0, 1.0], [0.0, 10.0], [0.0, 1.0]])
PLANTED = np.array([0.3, 0.4, 6.0, 0.7])
NOISE = 0.01


def world(values: np.ndarray) -> np.ndarray:
    """Four figures of four numbers, none of them linear, and one that nothing moves."""
    a, b, c, d = values
    return np.array([a * np.exp(b), np.tanh(b + 0.1 * c), 0.1 * c - a, d * d, 0.5])


def simulate(many, seed):
    random = np.random.default_rng(seed)
    noise = NOISE * random.normal(size=5)  # common to all, as where they share their draws
    for values in many:
        yield world(values) + noise + 0.2 * NOISE * random.normal(size=5)


def problem() -> Problem:
    return Problem(
        BOUNDS, world(PLANTED)[:4], np.full(4, 2 * NOISE), (([0, 1, 2], [0, 1, 2]), ([3], [3]))
    )


def plan(generations: int = 6, seed: int = 1) -> Plan:
    return Plan(generations, 80, seed, 1.0, (0, 1, 2, 3), 99)


def ran(wanted: Plan, stop_after: float = np.inf, progress: Progress | None = None) -> Progress:
    start = BOUNDS.mean(axis=1)
    progress = progress or fitting.begun(problem(), wanted, start, simulate)
    calls = iter(range(10**9))
    fitting.continued(
        problem(), wanted, progress, simulate, simulate,
        lambda _: None, lambda *_: None, lambda: next(calls) >= stop_after,
    )  # fmt: skip
    return progress


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_numbers_are_found(seed: int) -> None:
    found = ran(plan(seed=seed))
    assert found.best_misfit < 0.02 * found.start
    off = (found.best - PLANTED) / (BOUNDS[:, 1] - BOUNDS[:, 0])
    assert np.abs(off).max() < 0.06, found.best
    spread = problem().shown(found.members)
    low, high = np.quantile(spread, (0.005, 0.995), axis=0)
    assert ((low <= PLANTED) & (high >= PLANTED)).sum() >= 3


def test_no_number_ever_leaves_its_bounds_or_moves_a_block_that_is_not_its_own() -> None:
    found = ran(plan())
    shown = problem().shown(np.array(found.seen))
    assert (shown >= BOUNDS[:, 0]).all()
    assert (shown <= BOUNDS[:, 1]).all()
    members = np.array(found.seen)[:80]
    figures = np.array(found.figures)[:80, :4]
    same, other = (
        search.moved(problem(), members, values, 6.0, np.random.default_rng(5))
        for values in (figures, figures + np.array([0.0, 0.0, 0.0, 3.0]))
    )
    assert np.array_equal(same[:, :3], other[:, :3])
    assert not np.allclose(same[:, 3], other[:, 3])


def test_a_linear_problem_ends_in_its_posterior() -> None:
    """One number, one figure, both normal: the posterior is known in closed form."""
    bounds = np.array([[-1e4, 1e4]])
    scale = 1e4 / 2  # logits near the middle are linear: value = scale * logit
    line = Problem(bounds, np.array([900.0]), np.array([500.0]), (([0], [0]),))
    random = np.random.default_rng(0)
    members = search.prior(line, np.array([10.0]), 0.1, 20_000, random)
    for _ in range(4):
        members = search.moved(line, members, line.shown(members), 4.0, random)
    values = line.shown(members)[:, 0]
    prior_sd = 0.1 * scale
    weight = prior_sd**2 / (prior_sd**2 + 500.0**2)
    assert values.mean() == pytest.approx(10 + weight * 890, rel=0.05)
    assert values.std() == pytest.approx(np.sqrt(weight) * 500.0, rel=0.05)


def test_a_fit_that_was_stopped_goes_on_to_the_same_numbers() -> None:
    whole = ran(plan())
    part = ran(plan(), stop_after=200)
    assert 0 < part.generation < 6
    kept = Progress.of(part.document())
    again = ran(plan(), progress=kept)
    assert again.document() == whole.document()


def test_a_number_at_its_bound_was_never_set_and_begins_in_the_middle() -> None:
    start = np.array([0.0, 0.5, 10.0, 0.3])
    members = search.prior(problem(), start, 0.0, 4, np.random.default_rng(0))
    assert np.allclose(problem().shown(members)[0], (0.5, 0.5, 5.0, 0.3))


def test_a_trade_is_measured_where_two_figures_hang_on_one_number() -> None:
    """Figures x and -x of one number: bringing one nearer must push the other off."""
    single = Problem(np.array([[-10.0, 10.0]]), np.array([1.0, 1.0]), np.ones(2), (([0], [0, 1]),))
    rows = [Target(n, n, "", HELD_OUT, None, Range(1.0, 0.5, 1.5)) for n in ("up", "down")]

    def judge(many, _):
        for values in many:
            yield np.array([values[0], -values[0]])

    hidden = np.linspace(-0.5, 0.5, 40)[:, None]
    figures = np.array(list(judge(single.shown(hidden), 0)))
    (trade,) = trades.measured(
        single, rows, (0, 1), (hidden, figures), np.array([0.0]), [0], judge, 0
    )
    assert (trade.row, trade.against) == ("up", "down")
    assert trade.after == pytest.approx(1.0, abs=0.15)
    assert trade.against_after == -trade.after
    assert trade.misfit_after > trade.misfit_before
