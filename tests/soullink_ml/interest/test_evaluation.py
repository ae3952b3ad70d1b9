"""The evaluation: every model at every target on evenings that it was not trained on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from soullink.kernel.errors import InvalidInputError
from soullink_ml.datasets.speed_dates import SpeedDates, read
from soullink_ml.evaluation import measures, speed_dating
from soullink_ml.evaluation.speed_dating import Evaluation, evaluate
from soullink_ml.training import beside, ours
from tests.soullink_ml.interest import made_up


@pytest.fixture(autouse=True, scope="module")
def _quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speed_dating, "RESAMPLES", 40)
        patch.setattr(beside, "ROUNDS", 5)
        yield


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return _evaluated()


def _evaluated() -> Evaluation:
    return evaluate(made_up.dates(seed=2), made_up.dates(seed=1), seed=3)


def test_there_is_a_row_for_all_that_can_know_anything(found: Evaluation) -> None:
    asked = [(row.target, row.features, row.model) for row in found.rows]
    assert len(asked) == len(set(asked)) == 2 * (3 + 4)
    assert ("match", "profiles", "popularity alone") not in asked
    for row in found.rows:
        assert 0.0 <= row.auc_low <= row.auc <= row.auc_high <= 1.0
        assert 0.0 <= row.calibration_error <= 1.0
        assert row.rows == len(made_up.rows(seed=2)) // (1 if row.target == "decision" else 2)
    methods = [row.method for row in found.matches]
    assert {"random", "one-sided", "product", "transferable utility"} <= set(methods)
    assert {"social welfare", "Nash welfare", "ours: coordinated"} <= set(methods)


def test_the_same_seed_gives_the_same(found: Evaluation) -> None:
    assert _evaluated() == found


def test_each_wave_is_foretold_by_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[list[int]] = []
    train = ours.train

    def watched(dates: SpeedDates) -> ours.OurModel:
        trained.append(dates.waves)
        return train(dates)

    monkeypatch.setattr(ours, "train", watched)
    said: list[tuple[int, int]] = []
    dates = made_up.dates(sides=((5, 5), (4, 5), (5, 4), (4, 4)))
    found = evaluate(dates, None, 0, lambda done, total, _: said.append((done, total)), ["ours"])
    assert trained == [[w for w in dates.waves if w != wave] for wave in dates.waves]
    assert found.held_out == "each wave in turn"
    assert all(done < total for done, total in said)


def test_what_the_test_file_decided_does_not_move_its_own_profile_scores() -> None:
    training, test = made_up.dates(seed=1), made_up.dates(seed=2)
    outcomes = {name: values[::-1].copy() for name, values in test.outcomes.items()}
    turned = replace(test, outcomes=outcomes)
    one = beside.compare("logistic regression", "profiles", training, test, 0)
    other = beside.compare("logistic regression", "profiles", training, turned, 0)
    np.testing.assert_array_equal(one.decision, other.decision)
    np.testing.assert_array_equal(one.match, other.match)


def test_too_few_waves_and_the_same_file_twice_are_refused() -> None:
    few = made_up.dates(sides=((4, 4), (4, 4)))
    with pytest.raises(InvalidInputError, match="--train"):
        evaluate(few, None)
    with pytest.raises(InvalidInputError, match="Training needs"):
        evaluate(made_up.dates(seed=2), few)
    same = replace(made_up.dates(), digest="same")
    with pytest.raises(InvalidInputError, match="is the file to test on"):
        evaluate(same, same)


def test_evenings_hold_the_true_decisions_of_who_met() -> None:
    dates = made_up.dates(sides=((3, 4), (4, 4)))
    chances = np.arange(len(dates.decider)) / 1000.0
    first = speed_dating.evenings(dates, chances)[0]
    assert first.met.shape == (3, 4)
    assert first.met.all()
    rows = np.flatnonzero(dates.wave_of_row == dates.waves[0])
    assert first.matched.sum() * 2 == dates.match[rows].sum()
    assert {*first.left_yes.ravel(), *first.right_yes.ravel()} == set(chances[rows])


def test_real_unseen_waves_are_foretold_within_honest_bounds(data_samples: Path) -> None:
    """A smoke test: four waves by five others. Far above the bounds would be a leak."""
    dates = read(data_samples / "speed_dating" / "dates.csv")
    model = ours.train(dates.in_waves([3, 5, 7, 12, 15]))
    test = dates.in_waves([1, 14, 16, 18])
    for stage, low, high in (("profiles", 0.5, 0.68), ("profiles+earlier", 0.7, 0.85)):
        found = model.predict(test, stage)  # type: ignore[arg-type]
        assert low < measures.auc(test.decision, found.decision) < high
