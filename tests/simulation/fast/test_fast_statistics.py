"""Statistics of many courses: what they say, and that no split of the work moves a bit."""

import hashlib
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest

from soullink.kernel.errors import InvalidInputError
from soullink.modules.simulation.api import Act, Intervention
from soullink.modules.simulation.domain import fast
from soullink.modules.simulation.domain.course import Conditions
from soullink.modules.simulation.domain.fast import source, statistics
from soullink.modules.simulation.domain.layout import STATE, Person
from soullink.modules.simulation.domain.replicas import run
from tests.simulation.fast.worlds import batch_of, people, scenarios

pytestmark = pytest.mark.compiled

needs_numba = pytest.mark.skipif(not fast.available(), reason="needs the extra `fast`")
SOME = scenarios("last-train-noodle-bar", "the-lie")


def _same(left: fast.Statistics, right: fast.Statistics) -> bool:
    a, b = statistics.fields_of(left), statistics.fields_of(right)
    return all(np.array_equal(a[name], b[name]) for name in a)


@needs_numba
def test_threads_and_blocks_do_not_move_a_bit() -> None:
    population = people(150, 3)
    whole = fast.screen(population, SOME, 40)
    assert _same(whole, fast.screen(population, SOME, 40, threads=2))
    blocks = [
        fast.screen(population.pairs(slice(a, b)), SOME, 40)
        for a, b in ((0, 7), (7, 101), (101, 150))
    ]
    assert _same(whole, fast.Statistics.joined(blocks))
    lots = [
        fast.screen(population, SOME, n, first_replica=first)
        for first, n in ((0, 1), (1, 32), (33, 7))
    ]
    assert _same(whole, lots[2].merge(lots[0]).merge(lots[1]))


@needs_numba
def test_the_process_that_compiles_and_one_that_loads_agree() -> None:
    """Numba optimises a function once more where another one calls it, when it is loaded."""
    fast.screen(people(1, 1), SOME, 1)  # so that there is something to load
    code = (
        "from tests.simulation.fast.test_fast_statistics import digest_of_courses\n"
        "print(digest_of_courses())"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    module = ModuleType("compiled_here")
    exec(f"CACHED = False\n{source.text_of('float32')}", vars(module))  # noqa: S102 - our own
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "compiled", lambda _precision: module)
        assert digest_of_courses() == loaded.stdout.decode().strip()


def digest_of_courses() -> str:
    found = fast.screen(people(20, 5), SOME, 48)
    return hashlib.sha256(found.sums.tobytes() + found.squares.tobytes()).hexdigest()


@needs_numba
def test_two_pairs_that_do_not_fill_a_tile_are_each_their_own() -> None:
    population = people(2, 9)
    both = fast.screen(population, SOME, 6)
    for one in range(2):
        alone = fast.screen(population.pairs(slice(one, one + 1)), SOME, 6)
        assert np.array_equal(both.sums[one], alone.sums[0])
        assert np.array_equal(both.acts[one], alone.acts[0])


@needs_numba
def test_replicas_of_one_pair_are_shared_out_without_a_trace() -> None:
    population = people(1, 9)
    assert _same(fast.screen(population, SOME, 333), fast.screen(population, SOME, 333, threads=2))


@needs_numba
def test_statistics_are_those_of_the_courses() -> None:
    population, replicas = people(2, 21), 200
    found = fast.screen(population, SOME, replicas, precision="float64")
    known = run(batch_of(population, replicas), ("a", "b"), SOME, Conditions())
    shape = (2, replicas)
    final = known.states[:, -1].reshape(*shape, 2, 6)
    for person in (0, 1):
        at = slice(9 * person, 9 * person + 6)
        assert np.allclose(found.means[:, at], final[:, :, person].mean(axis=1), atol=1e-8)
        assert np.allclose(
            found.variances[:, at], final[:, :, person].var(axis=1, ddof=1), atol=1e-8
        )
        satisfied = known.satisfaction[:, person].reshape(shape)
        assert np.allclose(found.mean(f"{person}.satisfaction"), satisfied.mean(axis=1), atol=1e-8)
    for share in (0.1, 0.5, 0.9):
        exact = np.quantile(final[:, :, 0, 3], share, axis=1)
        assert np.abs(found.quantiles(share)[:, 3] - exact).max() < 2 / statistics.BINS
    assert np.array_equal(found.acts, known.acts.reshape(*shape, 2, -1).sum(axis=1))
    assert np.array_equal(found.ended[:, 0], (known.ended.reshape(shape) == 0).sum(axis=1))
    assert np.array_equal(found.lived, known.lived.reshape(*shape, 2).sum(axis=1))
    assert np.array_equal(
        found.ended_by,
        np.stack([(known.left_by.reshape(shape) == n).sum(axis=1) for n in (0, 1)], 1),
    )
    for number, name in enumerate(fast.COUNTS):
        counted = getattr(known, name).reshape(*shape, 2).sum(axis=1)
        assert np.array_equal(found.counts[:, :, number], counted), name
    for episode in range(2):
        for name in ("outcomes", "resolutions"):
            happened = getattr(known, name)[:, episode].reshape(shape)
            lived = known.lived[:, episode].reshape(shape)
            table = getattr(found, name)[:, episode]
            for value in range(table.shape[1]):
                assert np.array_equal(table[:, value], ((happened == value) & lived).sum(axis=1))
    both = known.again.reshape(*shape, 2).all(axis=2).mean(axis=1)
    assert np.allclose(found.meet_again[:, 2], both)
    peak = known.conflict_peak.max(axis=1).reshape(shape).mean(axis=1)
    assert np.allclose(found.mean("conflict_peak"), peak, atol=1e-8)
    assert np.allclose(
        found.mean("1.attraction"), known.attraction[:, 1].reshape(shape).mean(axis=1)
    )
    assert np.allclose(
        found.share_of(("playful",)) * found.acts.sum(axis=2),
        (known.fun * known.acts.sum(axis=2)).reshape(*shape, 2).sum(axis=1),
    )


@needs_numba
def test_an_arm_without_any_change_has_the_same_draws() -> None:
    population = people(5, 2)
    nothing = Intervention("nothing", None)
    kind = Intervention("kind", 0, {Act.VALIDATE: 2.0, Act.CRITICISE: -2.0})
    found = fast.screen(population, SOME, 64, arms=(nothing, kind))
    assert _same(found, found.arms[0])
    assert (found.arms[1].positive[:, 0] > found.positive[:, 0]).all()


def test_wrong_shapes_and_nothing_to_do_are_refused() -> None:
    population = people(2, 1)
    with pytest.raises(InvalidInputError, match="shape"):
        fast.Population(
            population.means[:1], population.sds, population.likeness, population.names, 1
        )
    with pytest.raises(InvalidInputError, match="replica"):
        fast.screen(population, SOME, 0)
    with pytest.raises(InvalidInputError, match="finite"):
        fast.Population(
            population.means * np.nan, population.sds, population.likeness, population.names, 1
        )


def test_it_is_imported_without_numba() -> None:
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from soullink.modules.simulation.domain import fast\n"
        "assert 'Statistics' in fast.__all__"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_traced_columns_are_those_of_the_equations() -> None:
    assert list(range(6)) == list(range(*STATE.indices(30)))
    assert Person.ESTEEM == 8
