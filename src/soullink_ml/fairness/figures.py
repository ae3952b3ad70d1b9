"""Figures of scores and of lists for every group, under every draw."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np

from soullink_ml.fairness import measures
from soullink_ml.fairness.dates import Scores
from soullink_ml.fairness.draws import Draws, Group
from soullink_ml.fairness.lists import Shown
from soullink_ml.fairness.resampling import BoolArray, FloatArray, IntArray
from soullink_ml.fairness.rows import MIN_CASES, TOO_SMALL, Role


class Key(NamedTuple):
    """What a figure is of."""

    group_by: str
    group: str
    role: Role
    target: str
    metric: str
    n: int


Figures: TypeAlias = Mapping[Key, FloatArray]
"""Each figure under every draw, (draws + 1,); NaN where a draw has no cases."""

ECE_DRAWS = 400
ROLES: tuple[Role, Role] = ("provider", "consumer")
RECOMMENDATION = "recommendation"


def of_scores(draws: Draws, groups: list[Group], scores: Scores) -> Figures:
    """Return calibration and discrimination of decisions and matches, by group and role.

    scores: of every row.
    """
    made: dict[Key, FloatArray] = {}
    for target, chances, outcomes in targets_of(draws, scores):
        bins = measures.bins_of(chances)
        for group in groups:
            # A match is of both: the dates of a group are the same ones from either side.
            for role in ROLES if target == "decision" else ROLES[:1]:
                key = Key(group.group_by, group.name, role, target, "", group.size)
                ours, others = (_rows(draws, side, role) for side in (group.members, group.others))
                if not _enough(group, outcomes[ours]) or not _enough(group, outcomes[others]):
                    made[key._replace(metric=TOO_SMALL)] = np.array([np.nan])
                    continue
                for metric, values in _compared(draws, chances, outcomes, bins, ours, others):
                    if target == "decision" or not _always_even(group, metric):
                        made[key._replace(metric=metric)] = values
    both = {k._replace(role="consumer"): v for k, v in made.items() if k.target == "match"}
    return {**made, **both}


def _always_even(group: Group, metric: str) -> bool:
    """Whether a figure is no finding: every match here is of a woman and a man."""
    return group.group_by == "gender" and metric.endswith("_gap")


def targets_of(draws: Draws, scores: Scores) -> tuple[tuple[str, FloatArray, FloatArray], ...]:
    """Return (name, chances, outcomes) of what is predicted."""
    dates = draws.dates
    return (
        ("decision", scores.decision, dates.said_yes),
        ("match", scores.match, dates.matched),
    )


def _compared(
    draws: Draws,
    chances: FloatArray,
    outcomes: FloatArray,
    bins: IntArray,
    ours: IntArray,
    others: IntArray,
) -> Iterator[tuple[str, FloatArray]]:
    heavy, rest = draws.rows[:, ours], draws.rows[:, others]
    told, happened = chances[ours], outcomes[ours]
    area = measures.area_under_curve(told, happened, heavy)
    yield "auc", area
    yield "auc_gap", area - measures.area_under_curve(chances[others], outcomes[others], rest)
    large = measures.calibration_in_the_large(told, happened, heavy)
    yield "calibration_in_the_large", large
    yield (
        "calibration_gap",
        large - measures.calibration_in_the_large(chances[others], outcomes[others], rest),
    )
    yield "calibration_slope", measures.calibration_slope(told, happened, heavy)
    yield "ece", measures.expected_calibration_error(told, happened, heavy, bins[ours])
    by_chance = measures.ece_by_chance(told, bins[ours], ECE_DRAWS, seed=ours.size)
    yield "ece_by_chance", np.full(heavy.shape[0], by_chance)


def of_lists(draws: Draws, groups: list[Group], shown: Shown) -> Figures:
    """Return exposure, parity and equalised odds of lists by group, and matches a person."""
    made: dict[Key, FloatArray] = {}
    received = draws.received(shown.attention)
    merit = draws.beside_cell(draws.received(draws.dates.said_yes))
    beside = {"cell": draws.beside_cell(received), "wave": draws.beside_wave(received)}
    met = draws.received(matches_of(draws, shown))
    for group in groups:
        key = Key(group.group_by, group.name, "provider", RECOMMENDATION, "", group.size)
        if not group.large_enough:
            for role in ROLES:
                made[key._replace(role=role, metric=TOO_SMALL)] = np.array([np.nan])
            continue
        # Each side looks at the other only, so genders are compared over the whole wave and
        # races inside the side that competes for the same attention.
        attention = beside["wave" if group.group_by == "gender" else "cell"]
        ratio = draws.of_group(group.members, attention)
        made[key._replace(metric="exposure_ratio")] = ratio
        if group.group_by != "gender":
            deserved = draws.of_group(group.members, merit)
            made[key._replace(metric="exposure_per_merit")] = ratio / deserved
        made[key._replace(metric="gini")] = _inequality(draws, shown, group.members)
        for role in ROLES:
            for metric, values in _odds(draws, group, role, shown):
                made[key._replace(role=role, metric=metric)] = values
        own, others = (draws.of_group(side, met) for side in (group.members, group.others))
        consumer = key._replace(role="consumer")
        made[consumer._replace(metric="matches_per_person")] = own
        if group.group_by != "gender":
            made[consumer._replace(metric="matches_gap")] = own - others
    return made


def matches_of(draws: Draws, shown: Shown) -> FloatArray:
    """Return the chance (dates,) that both look and both really said yes; pairs stand twice."""
    return np.asarray(shown.both * draws.dates.matched)


def _odds(draws: Draws, group: Group, role: Role, shown: Shown) -> Iterator[tuple[str, FloatArray]]:
    matched = draws.dates.matched
    ours, others = (_rows(draws, side, role) for side in (group.members, group.others))

    def share(rows: IntArray, cases: FloatArray) -> FloatArray:
        return measures.mean(shown.chosen[rows], draws.rows[:, rows] * cases[rows])

    everybody = np.ones(matched.size)
    if role == "provider":  # whoever is shown to gets five, whatever the group
        rate = share(ours, everybody)
        yield "recommended", rate
        yield "recommended_gap", rate - share(others, everybody)
    enough = _enough(group, matched[ours]) and _enough(group, matched[others])
    for metric, cases in (("tpr", matched), ("fpr", 1 - matched)):
        if enough:
            rate = share(ours, cases)
            yield metric, rate
            yield f"{metric}_gap", rate - share(others, cases)


def distances(figures: Figures) -> Figures:
    """Return how far apart the races are in all: mean over people of |figure - even|.

    exposure_distance is twice the share of attention that would have to move for parity;
    calibration_distance is of decisions, for each role. Sampling alone makes both larger than 0,
    so that only their changes can be read as a finding.
    """
    made: dict[Key, FloatArray] = {}
    for source, name, even in (
        ("exposure_ratio", "exposure_distance", 1.0),
        ("calibration_gap", "calibration_distance", 0.0),
    ):
        for role in ROLES:
            found = {
                key: values
                for key, values in figures.items()
                if (key.group_by, key.role, key.metric) == ("race", role, source)
                and key.target != "match"
            }
            people = sum(key.n for key in found)
            for key in list(found)[:1]:
                made[key._replace(group="all", metric=name, n=people)] = np.asarray(
                    sum(k.n * np.abs(values - even) for k, values in found.items()) / people
                )
    return made


def of_market(draws: Draws, scores: Scores, shown: Shown) -> Figures:
    """Return what everybody together gets: matches a wave, AUC, log loss, inequality."""
    made: dict[Key, FloatArray] = {}
    waves = np.unique(draws.dates.wave).size
    key = Key("all", "all", "market", "", "", waves)
    for target, chances, outcomes in targets_of(draws, scores):
        of = key._replace(target=target)
        made[of._replace(metric="auc")] = measures.area_under_curve(chances, outcomes, draws.rows)
        made[of._replace(metric="log_loss")] = measures.log_loss(chances, outcomes, draws.rows)
    of = key._replace(target=RECOMMENDATION)
    made[of._replace(metric="matches_per_wave")] = draws.rows @ matches_of(draws, shown) / 2 / waves
    made[of._replace(metric="auc")] = measures.area_under_curve(
        shown.attention, draws.dates.matched, draws.rows
    )
    everybody = np.ones(draws.dates.people, dtype=np.bool_)
    made[of._replace(metric="gini")] = _inequality(draws, shown, everybody)
    return made


def _inequality(draws: Draws, shown: Shown, members: BoolArray) -> FloatArray:
    """Return the Gini of attention, relative to the same side of the same wave.

    Only those who are shown are drawn anew: who looked at them is a fact of the lists, and to
    draw that too would add noise, which a Gini counts as inequality.
    """
    dates = draws.dates
    received = np.bincount(dates.shown, weights=shown.attention, minlength=dates.people)
    _, cell = np.unique(dates.cell, return_inverse=True)
    relative = received / (np.bincount(cell, received) / np.bincount(cell))[cell]
    weights = draws.people[:, members]
    return measures.gini(np.broadcast_to(relative[members], weights.shape), weights)


def _rows(draws: Draws, members: BoolArray, role: Role) -> IntArray:
    who = draws.dates.shown if role == "provider" else draws.dates.viewer
    return np.flatnonzero(members[who])


def _enough(group: Group, outcomes: FloatArray) -> bool:
    yes = float(outcomes.sum())
    return group.large_enough and min(yes, outcomes.size - yes) >= MIN_CASES
