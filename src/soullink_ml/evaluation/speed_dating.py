"""Evaluates models of speed dates on evenings that they were not trained on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink_ml.datasets.speed_dates import FloatArray, IntArray, SpeedDates
from soullink_ml.evaluation import measures
from soullink_ml.markets.rounds import MatchRow, Wave, expected_matches
from soullink_ml.training import beside, ours
from soullink_ml.training.ours import STAGES, Stage
from soullink_ml.training.threads import one_thread

Target: TypeAlias = Literal["decision", "match"]
TARGETS: Final[tuple[Target, ...]] = ("decision", "match")
OURS: Final = "ours"
MODELS: Final = (OURS, *beside.MODELS)
RESAMPLES: Final = 1_000
LEAST_WAVES: Final = 3

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with how many steps are done, of how many, and what is done now."""


@dataclass(frozen=True, slots=True)
class Row:
    """One model at one target.

    rows: decisions, or dates for matches. base_rate: share of yeses or matches among them.
    auc_low, auc_high: 95 % bootstrap over people. log losses in nats.
    """

    target: Target
    features: Stage
    model: str
    auc: float
    auc_low: float
    auc_high: float
    log_loss: float
    base_log_loss: float
    calibration_error: float
    rows: int
    base_rate: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """rows: one for each target, features and model. matches: expected matches a wave by method,
    from our profile scores. held_out: how test evenings were kept from training."""

    rows: tuple[Row, ...]
    matches: tuple[MatchRow, ...]
    held_out: str
    waves: tuple[int, ...]
    training_digest: str
    test_digest: str
    seed: int


@dataclass(frozen=True, slots=True)
class Fold:
    """training and test dates share no wave. rows: where the test rows lie among all."""

    training: SpeedDates
    test: SpeedDates
    rows: IntArray


def evaluate(
    test: SpeedDates,
    training: SpeedDates | None,
    seed: int = 0,
    progress: Progress | None = None,
    models: Sequence[str] = MODELS,
) -> Evaluation:
    """Evaluate on `test`, trained on `training`, or on the other waves where that is None.

    Deterministic by seed. Raises InvalidInputError where there are too few waves,
    UnavailableError without scikit-learn.
    """
    folds = list(_folds(test, training))
    with one_thread():
        return _evaluate(test, training, folds, seed, progress, models)


def _evaluate(
    test: SpeedDates,
    training: SpeedDates | None,
    folds: Sequence[Fold],
    seed: int,
    progress: Progress | None,
    models: Sequence[str],
) -> Evaluation:
    fitted = _fit_ours(folds, progress)
    everything = _predict(folds, fitted, len(test.decider), seed, progress, models)
    rows = [
        row
        for target in TARGETS
        for stage in STAGES
        for row in _rows(test, target, stage, everything, seed, models)
    ]
    neutral = _profiles_at_any_turn(folds, fitted, len(test.decider))
    return Evaluation(
        rows=tuple(rows),
        matches=expected_matches(evenings(test, neutral), seed),
        held_out="waves of another file" if training is not None else "each wave in turn",
        waves=tuple(test.waves),
        training_digest=(test if training is None else training).digest,
        test_digest=test.digest,
        seed=seed,
    )


def _folds(test: SpeedDates, training: SpeedDates | None) -> Iterator[Fold]:
    waves = test.waves
    if training is not None:
        if training.digest and training.digest == test.digest:
            raise InvalidInputError("The file to train on is the file to test on.")
        if len(training.waves) < LEAST_WAVES:
            raise InvalidInputError(f"Training needs {LEAST_WAVES} waves or more.")
        yield Fold(training, test, np.arange(len(test.decider)))
        return
    if len(waves) <= LEAST_WAVES:
        raise InvalidInputError(
            f"Leaving waves out needs more than {LEAST_WAVES} waves; name a file with --train."
        )
    for wave in waves:
        others = [one for one in waves if one != wave]
        rows = np.flatnonzero(test.wave_of_row == wave)
        yield Fold(test.in_waves(others), test.in_waves([wave]), rows)


def _fit_ours(folds: Sequence[Fold], progress: Progress | None) -> list[ours.OurModel]:
    fitted = []
    for index, fold in enumerate(folds):
        _say(progress, index, len(folds), OURS, fold)
        fitted.append(ours.train(fold.training))
    return fitted


def _say(progress: Progress | None, done: int, total: int, model: str, fold: Fold) -> None:
    if progress is not None:
        waves = ", ".join(str(wave) for wave in fold.test.waves)
        progress(done, total, f"{model}, tested on wave {waves}")


def _predict(
    folds: Sequence[Fold],
    fitted: Sequence[ours.OurModel],
    size: int,
    seed: int,
    progress: Progress | None,
    models: Sequence[str],
) -> dict[tuple[str, Stage], ours.Chances]:
    found = {
        (model, stage): ours.Chances(np.full(size, np.nan), np.full(size, np.nan))
        for model in models
        for stage in STAGES
        if beside.knows(model, stage)
    }
    for done, (key, chances) in enumerate(found.items()):
        model, stage = key
        for index, fold in enumerate(folds):
            at = done * len(folds) + index
            _say(progress, at, len(found) * len(folds), f"{model}, {stage}", fold)
            predicted = (
                fitted[index].predict(fold.test, stage)
                if model == OURS
                else beside.compare(model, stage, fold.training, fold.test, seed)
            )
            chances.decision[fold.rows] = predicted.decision
            chances.match[fold.rows] = predicted.match
    return found


def _rows(
    test: SpeedDates,
    target: Target,
    stage: Stage,
    everything: dict[tuple[str, Stage], ours.Chances],
    seed: int,
    models: Sequence[str],
) -> Iterator[Row]:
    truth = test.decision if target == "decision" else test.match
    asked = np.flatnonzero(test.listed) if target == "decision" else test.one_of_two
    asked = asked[np.isfinite(truth[asked])]
    y, a, b = truth[asked], test.decider[asked], test.about[asked]
    for model in models:
        if (model, stage) not in everything:
            continue
        chances = everything[model, stage]
        p = (chances.decision if target == "decision" else chances.match)[asked]
        found = measures.auc_over_people(y, p, a, b, seed, RESAMPLES)
        yield Row(
            target=target,
            features=stage,
            model=model,
            auc=found.value,
            auc_low=found.low,
            auc_high=found.high,
            log_loss=measures.log_loss(y, p),
            base_log_loss=measures.base_log_loss(y),
            calibration_error=measures.calibration_error(y, p),
            rows=len(y),
            base_rate=float(y.mean()),
        )


def _profiles_at_any_turn(
    folds: Sequence[Fold], fitted: Sequence[ours.OurModel], size: int
) -> FloatArray:
    """Return (rows,) decision chances from profiles, the turn unknown: lists are made before."""
    made = np.full(size, np.nan)
    for fold, model in zip(folds, fitted, strict=True):
        made[fold.rows] = model.predict(fold.test, "profiles", any_turn=True).decision
    return made


def evenings(dates: SpeedDates, chances: FloatArray) -> tuple[Wave, ...]:
    """Return each wave as tables of chances and true decisions: men left, women right."""
    return tuple(_evening(dates, wave, chances) for wave in dates.waves)


def _evening(dates: SpeedDates, wave: int, chances: FloatArray) -> Wave:
    mine = dates.wave == wave
    men = np.flatnonzero(mine & (dates.man == 1.0))
    women = np.flatnonzero(mine & (dates.man == 0.0))
    at = np.zeros(dates.people, dtype=np.int64)
    at[men], at[women] = np.arange(len(men)), np.arange(len(women))
    known = np.isfinite(dates.match) & (dates.wave_of_row == wave)
    from_man = dates.man[dates.decider] == 1.0
    left, right = np.flatnonzero(known & from_man), np.flatnonzero(known & ~from_man)
    shape = (len(men), len(women))

    def table(rows: IntArray, values: FloatArray, shape: tuple[int, int]) -> FloatArray:
        made = np.zeros(shape)
        made[at[dates.decider[rows]], at[dates.about[rows]]] = values[rows]
        return made

    return Wave(
        name=str(wave),
        left_yes=table(left, chances, shape),
        right_yes=table(right, chances, shape[::-1]),
        left_said=table(left, dates.decision, shape) == 1.0,
        right_said=table(right, dates.decision, shape[::-1]) == 1.0,
        met=table(left, np.ones(len(dates.decider)), shape) == 1.0,
    )
