"""A fit from end to end, in worlds too small to mean anything: files, resuming, refusing."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from soullink.modules.simulation.calibration import population, simulating, talk, targets, worlds
from soullink.modules.simulation.calibration.api import CalibrationExistsError, FitSettings
from soullink.modules.simulation.calibration.reading import UnusableDataError
from soullink.modules.simulation.calibration.service import CalibrationService, Sizes
from soullink.modules.simulation.calibration.worlds import Size
from soullink.modules.simulation.domain import parameters
from soullink.modules.simulation.domain.parameters import (
    BOUNDS,
    CURRENT,
    NAMES,
    Parameters,
    UnusableCalibrationError,
)

TINY = Size(arcs=2, pairs=24, evenings=9, talks=32)
SETTINGS = FitSettings(generations=2, members=4, seed=3, workers=1)


@pytest.fixture(scope="module", autouse=True)
def short_lives() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(population, "EPISODES", 2)
        patch.setattr(talk, "TURNS", 8)
        patch.setattr(worlds, "DRAWS", 20)
        yield


class Then:
    def now(self) -> datetime:
        return datetime(2026, 5, 1, tzinfo=UTC)


def service() -> CalibrationService:
    return CalibrationService(Then(), "9.9", Sizes(TINY, TINY, TINY))


def fitted(out: Path, stopped: Callable[[], bool] = lambda: False, **given):
    options = {"settings": SETTINGS, "data": None, "parameters": None, **given}
    return service().fit(out=out, watch=lambda _: None, stopped=stopped, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("fit") / "deep" / "numbers.json"
    done = fitted(out)
    assert done.finished
    assert done.table is not None
    assert len(done.table.rows) >= 15
    return out


def test_a_fit_leaves_a_file_that_the_equations_read(whole: Path) -> None:
    found = parameters.from_text(whole.read_text("utf-8"), "numbers.json")
    assert ((found.as_array() >= BOUNDS[:, 0]) & (found.as_array() <= BOUNDS[:, 1])).all()
    document = json.loads(whole.read_text("utf-8"))
    made = document["provenance"]
    assert (made["code"], made["date"], made["seed"]) == ("9.9", "2026-05-01", 3)
    assert made["split_seed"] == targets.shipped_counts()["split_seed"]
    assert not set(made["fitted"]) & set(made["held_out"])
    assert document["table"]["parameters"] == found.digest()
    assert set(document["interval_90"]) == set(NAMES)
    assert not list(whole.parent.glob("*.part"))
    outside = {row["id"] for row in document["table"]["rows"] if not row["inside"]} - {"auc"}
    assert {trade["row"] for trade in document["trades"]} == outside


@pytest.fixture
def without_trades(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what a fit tells last and nothing else hangs on; a quarter of its time."""
    monkeypatch.setattr(CalibrationService, "_trades", lambda *_: ())


@pytest.mark.usefixtures("without_trades")
def test_a_fit_that_was_stopped_says_so_and_goes_on_to_the_same_numbers(
    whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "numbers.json"
    told = []

    def after_a_generation() -> bool:
        return len(told) >= 1 and told[-1]

    def watch(progress) -> None:
        told.append(progress.generation == 2)

    part = service().fit(SETTINGS, out, None, None, watch, after_a_generation)
    assert not part.finished
    assert part.table is None
    parameters.from_text(out.read_text("utf-8"), "the best so far")
    assert fitted(out).finished
    one, two = (json.loads(path.read_text("utf-8")) for path in (whole, out))
    assert one["parameters"] == two["parameters"]
    assert one["table"] == two["table"]


def test_another_fit_is_never_written_over(whole: Path, tmp_path: Path) -> None:
    before = whole.read_bytes()
    with pytest.raises(CalibrationExistsError, match="choose another --out"):
        fitted(whole)
    assert whole.read_bytes() == before
    (tmp_path / "x.json.part").write_text("{}", encoding="utf-8")
    with pytest.raises(CalibrationExistsError):
        fitted(tmp_path / "x.json")


@pytest.mark.usefixtures("without_trades")
def test_the_fit_does_not_see_the_checking_half(tmp_path: Path, monkeypatch, whole: Path) -> None:
    """Other figures in the checking half change verdicts, and no number."""
    counted = targets.shipped_counts()
    counted["check"] = {name: [9.0, 8.0, 10.0] for name in counted["check"]}
    monkeypatch.setattr(targets, "shipped_counts", lambda: counted)
    done = fitted(tmp_path / "numbers.json")
    document = json.loads(done.path.read_text("utf-8"))
    assert document["parameters"] == json.loads(whole.read_text("utf-8"))["parameters"]
    assert done.table is not None
    split_rows = [row for row in done.table.rows if row.role == targets.SPLIT]
    assert not any(row.inside for row in split_rows)


def test_checking_needs_readable_numbers_and_data(tmp_path: Path) -> None:
    with pytest.raises(UnusableCalibrationError, match="cannot be read"):
        service().check(None, tmp_path / "nothing.json")
    with pytest.raises(UnusableDataError, match="is no folder"):
        service().check(tmp_path / "nothing", None)


def test_many_sets_of_numbers_lived_at_once_are_lived_like_each_alone() -> None:
    other = CURRENT.as_array() + 0.2 * (BOUNDS.mean(axis=1) - CURRENT.as_array())
    many = [CURRENT, Parameters.of(other)]
    both = worlds.figures_under(many, 5, TINY)
    for alone, found in zip(many, both, strict=True):
        (expected,) = worlds.figures_under([alone], 5, TINY)
        assert found == pytest.approx(expected, abs=1e-9)


def test_workers_give_in_order_what_one_gives(monkeypatch) -> None:
    names = ("yes_rate", "satisfaction")
    vectors = [CURRENT.as_array(), BOUNDS.mean(axis=1)]
    monkeypatch.setattr(simulating, "TOGETHER", 1)
    with ThreadPoolExecutor(2) as pool:
        there = list(simulating.Simulator(names, TINY, pool)(vectors, 4))
    here = list(simulating.Simulator(names, TINY, None)(vectors, 4))
    assert [list(a) for a in there] == [list(b) for b in here]
    assert list(there[0]) != list(there[1])


def add(many: list[int]) -> int:
    return sum(many)


def test_worker_processes_end_with_their_work() -> None:
    with simulating.workers(1) as nobody:
        assert nobody is None
    with simulating.workers(2) as pool:
        assert pool is not None
        assert list(pool.map(add, [[1, 2], [3]])) == [3, 3]
    with pytest.raises(RuntimeError):
        pool.submit(add, [1])


# ---- the file of numbers -------------------------------------------------------------------


def changed(**changes: object) -> str:
    document = json.loads(parameters.shipped_text())
    values = {**document["parameters"], **changes}
    return json.dumps({**document, "parameters": values})


def test_the_shipped_numbers_lie_within_their_bounds_and_say_where_they_come_from() -> None:
    document = json.loads(parameters.shipped_text())
    assert document["provenance"]["made_by"]
    assert parameters.from_text(parameters.shipped_text(), "shipped") == CURRENT
    for name in NAMES:
        facts = parameters.FACTS[name]
        assert facts["low"] < facts["high"]
        assert facts["unit"]
        assert facts["source"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"),
        ("[]", "no calibration of format 1"),
        ('{"format": 2}', "no calibration of format 1"),
        ('{"format": 1}', "exactly the numbers of these equations"),
        (changed(another=1.0), "look at another"),
        (changed(mood_inertia=5.0), "mood_inertia must be a number from"),
        (changed(mood_inertia="0.4"), "mood_inertia must be a number from"),
        (changed(mood_inertia=True), "mood_inertia must be a number from"),
        (changed(mood_inertia=float("nan")), "mood_inertia must be a number from"),
    ],
)
def test_a_file_that_is_no_calibration_is_refused(text: str, says: str) -> None:
    with pytest.raises(UnusableCalibrationError, match=says):
        parameters.from_text(text, "mine.json")


def test_any_change_of_a_number_changes_the_digest() -> None:
    found = {CURRENT.digest()}
    for place in range(len(NAMES)):
        values = CURRENT.as_array()
        values[place] += 1e-9
        found.add(Parameters.of(values).digest())
    assert len(found) == len(NAMES) + 1
