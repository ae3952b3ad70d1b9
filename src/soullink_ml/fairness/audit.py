"""The audit: scores and lists before and after mitigation, by group, with intervals."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from soullink_ml.fairness import figures, lists, predictions, proxies, recalibration, resampling
from soullink_ml.fairness.dates import Dates, Predictor, Scores
from soullink_ml.fairness.draws import Draws, Group, groups_of
from soullink_ml.fairness.figures import Figures, Key
from soullink_ml.fairness.predictions import Model
from soullink_ml.fairness.resampling import Cluster, FloatArray
from soullink_ml.fairness.rows import TOO_SMALL, Row, Stage, adjusted, even_value, two_sided

MODEL = "model"
PRODUCT = "product"
_FIXED = frozenset({TOO_SMALL, "ece_by_chance"})
"""Metrics without an interval."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found, and on what."""

    rows: tuple[Row, ...]
    people: int
    waves: int
    dates: int
    draws: int
    seed: int
    cluster: Cluster
    model: Model
    trained_on: str
    top: int


def silent(_: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to audit. draws: of the bootstrap. say: told what is being done, for progress."""

    model: Model = "ours"
    draws: int = 500
    seed: int = 7
    cluster: Cluster = "people"
    say: Callable[[str], None] = silent


def audit(
    dates: Dates, plan: Plan, train: Dates | None = None, predictor: Predictor | None = None
) -> Audit:
    """Audit a model on `dates`; it learns from `train`, or from all waves but the one it scores.

    predictor: in the place of the model that `plan` names.
    """
    scored = scores_of(dates, predictor or predictions.MODELS[plan.model], train, plan.say)
    draws = Draws.of(dates, plan.draws, plan.seed, plan.cluster)
    groups = list(groups_of(dates))
    before = _with_distances(_before(draws, groups, scored[MODEL], plan))
    rows = _rows_before({**before, **proxies.race_from_answers(draws, groups)})
    for method, made in _after(draws, groups, scored, plan):
        rows += _rows_after(_with_distances(made), before, method)
    return Audit(
        rows=adjusted(rows),
        people=dates.people,
        waves=int(np.unique(dates.wave).size),
        dates=dates.viewer.size // 2,
        draws=plan.draws,
        seed=plan.seed,
        cluster=plan.cluster,
        model=plan.model,
        trained_on="other waves" if train is None else "another file",
        top=lists.TOP,
    )


def scores_of(
    dates: Dates, predictor: Predictor, train: Dates | None, say: Callable[[str], None]
) -> Mapping[str, Scores]:
    """Return the scores of the model and of each recalibration, nobody by their own wave."""
    size = dates.viewer.size
    scored = {
        name: Scores(np.empty(size), np.empty(size)) for name in (MODEL, *recalibration.KINDS)
    }
    everybody = np.arange(size)
    if train is not None:
        _score(scored, predictor, train, np.arange(train.viewer.size), dates, everybody)
        return scored
    for wave in np.unique(dates.wave):
        say(f"scores of wave {wave}")
        inside = dates.wave_of_row == wave
        _score(scored, predictor, dates, everybody[~inside], dates, everybody[inside])
    return scored


def _score(
    scored: Mapping[str, Scores],
    predictor: Predictor,
    train: Dates,
    train_rows: resampling.IntArray,
    test: Dates,
    test_rows: resampling.IntArray,
) -> None:
    told = predictor(train, train_rows, test, test_rows)
    predictions.put(scored[MODEL], test_rows, told)
    inner = predictions.within(train, train_rows, predictor)
    for kind in recalibration.KINDS:
        correction = recalibration.learned(kind, train, train_rows, inner)
        predictions.put(scored[kind], test_rows, correction.applied(test, test_rows, told))


def _before(draws: Draws, groups: list[Group], scores: Scores, plan: Plan) -> Figures:
    plan.say("before: the model and its lists")
    shown = _shown(draws.dates, scores, PRODUCT)
    return {
        **figures.of_scores(draws, groups, scores),
        **figures.of_lists(draws, groups, shown),
        **figures.of_market(draws, scores, shown),
    }


def _after(
    draws: Draws, groups: list[Group], scored: Mapping[str, Scores], plan: Plan
) -> Iterator[tuple[str, Figures]]:
    for kind in recalibration.KINDS:
        plan.say(f"after: {kind}")
        shown = _shown(draws.dates, scored[kind], PRODUCT)
        yield (
            kind,
            {
                **figures.of_scores(draws, groups, scored[kind]),
                **figures.of_lists(draws, groups, shown),
                **figures.of_market(draws, scored[kind], shown),
            },
        )
    for name in (*lists.METHODS, lists.UNINFORMED):
        if name != PRODUCT:
            plan.say(f"after: {name}")
            shown = _shown(draws.dates, scored[MODEL], name)
            market = figures.of_market(draws, scored[MODEL], shown)
            yield (
                name,
                {
                    **figures.of_lists(draws, groups, shown),
                    **{k: v for k, v in market.items() if k.target == figures.RECOMMENDATION},
                },
            )


def _with_distances(made: Figures) -> Figures:
    return {**made, **figures.distances(made)}


def _shown(dates: Dates, scores: Scores, name: str) -> lists.Shown:
    labels = dates.groups.get(recalibration.AUDITED, ("",) * dates.people)
    if name == lists.UNINFORMED:
        return lists.uninformed(dates, labels)
    return lists.shown_by(dates, scores, labels, lists.METHODS[name])


def _rows_before(before: Figures) -> list[Row]:
    return [
        row_of(key, values, "before", PRODUCT if key.target == figures.RECOMMENDATION else MODEL)
        for key, values in before.items()
    ]


def _rows_after(made: Figures, before: Figures, method: str) -> list[Row]:
    change = {
        key: values - before[key]
        for key, values in made.items()
        if key in before and key.metric not in _FIXED
    }
    return [row_of(key, values, "after", method) for key, values in made.items()] + [
        row_of(key, values, "change", method) for key, values in change.items()
    ]


def row_of(key: Key, values: FloatArray, stage: Stage, method: str) -> Row:
    """Return the row of a figure (draws + 1,), with its interval and its p-value."""
    between = None
    if key.metric not in _FIXED:
        of_group = key.n if key.group != "all" else None
        between = resampling.interval(values, people=of_group)
    value = float(values[0]) if np.isfinite(values[0]) else None
    low, high = between or (None, None)
    even = even_value(key.metric, stage)
    p = None
    if even is not None and between is not None and value is not None:
        p = two_sided(value, *between, even)
    return Row(
        group_by=key.group_by,
        group=key.group,
        role=key.role,
        target=key.target,
        metric=key.metric,
        value=value,
        low=low,
        high=high,
        n=key.n,
        stage=stage,
        method=method,
        p=p,
    )
