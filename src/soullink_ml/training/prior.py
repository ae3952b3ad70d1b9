"""The interest model that matching scores with, learned from speed dates.

It reads only what a SoulLink profile may hold, nothing of an evening. The numbers are those of a
mixed logistic regression (`mixed`); the terms are made by the very functions that score.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from soullink.modules.matching.domain.interest.artifact import Numbers
from soullink.modules.matching.domain.interest.people import (
    ACTIVITIES,
    ATTRIBUTES,
    GOALS,
    MAN,
    TRAITS,
    WOMAN,
    FloatArray,
    People,
)
from soullink.modules.matching.domain.interest.terms import (
    Kind,
    Side,
    Term,
    pair_value,
    person_value,
    standard,
)
from soullink_ml.datasets import moments
from soullink_ml.datasets.speed_dates import IntArray, SpeedDates
from soullink_ml.features import earlier, sign_up
from soullink_ml.features.registry import SELF, WANTED
from soullink_ml.training import mixed

SWEEPS: Final = 20
SWEEPS_AGAIN: Final = 6
_BEGIN: Final = {"actors": 1.0, "partners": 0.7, "evenings": 0.05, "pair": 0.005}
_ANSWERS: Final = 0.02
"""Variances in log-odds at which the fit begins; _ANSWERS is of a group's coefficients in all."""
_EDGES: Final = (0.01, 0.99)
_GOAL_OF_CODE: Final = {1: "casual", 2: "friendship", 3: "dating", 4: "serious"}
_USUAL_AGE: Final = 26.0
_LEAST_SPREAD: Final = 1e-6


@dataclass(frozen=True, slots=True)
class _Blank:
    """A term before it is learned."""

    name: str
    side: Side
    part: str
    kind: Kind
    column: str
    index: int | None = None
    level: int = 0


def _person_terms(side: Side, whose: str) -> list[_Blank]:
    made = [
        _Blank("age", side, f"{whose}_age", "number", "age"),
        _Blank("age_squared", side, f"{whose}_age", "square", "age"),
        _Blank("dates_often", side, f"{whose}_habits", "number", "dates_often"),
        _Blank("goes_out", side, f"{whose}_habits", "number", "goes_out"),
    ]
    if side == "actor":
        made.append(_Blank("sex", side, f"{whose}_sex", "number", "sex"))
    made += [
        _Blank(f"goal_{goal}", side, f"{whose}_goal", "level", "goal", level=code)
        for code, goal in enumerate(GOALS)
    ]
    made += [
        _Blank(f"looks_for_{name}", side, f"{whose}_wishes", "share", "looks_for", index)
        for index, name in enumerate(ATTRIBUTES)
    ]
    made += [
        _Blank(f"self_{name}", side, f"{whose}_view_of_self", "number", "self_rating", index)
        for index, name in enumerate(TRAITS)
    ]
    made += [
        _Blank(f"likes_{name}", side, f"{whose}_activities", "number", "interests", index)
        for index, name in enumerate(ACTIVITIES)
    ]
    return [replace(one, name=f"{side}.{one.name}") for one in made]


TERMS: Final = (
    *_person_terms("actor", "your"),
    *_person_terms("partner", "their"),
    _Blank("pair.age_gap_size", "pair", "age_gap", "gap_size", "age"),
    _Blank("pair.man_older", "pair", "age_gap", "man_older", "age"),
    _Blank("pair.same_goal", "pair", "same_goal", "same", "goal"),
    _Blank("pair.likeness", "pair", "likeness", "likeness", "interests"),
)
"""What the model reads. Pair terms read age, sex, goal and likeness only: see matching's kinds."""

COLUMNS: Final = {
    "age": ("age",),
    "sex": ("gender",),
    "goal": ("goal",),
    "dates_often": ("date",),
    "goes_out": ("go_out",),
    "looks_for": WANTED,
    "self_rating": SELF,
    "interests": moments.ACTIVITIES,
}
"""Which columns of the file each column of People comes from."""


def people_of(dates: SpeedDates) -> People:
    """Return the people of an evening as the product sees them, before they met anybody."""
    for columns in COLUMNS.values():
        for column in columns:
            moments.require(column, moments.Moment.SIGN_UP, moments.Moment.PLAN)
    code = dates.signed_up("goal")
    goal = np.where(np.isfinite(code), float(GOALS.index("unsure")), np.nan)
    for number, name in _GOAL_OF_CODE.items():
        goal = np.where(code == number, float(GOALS.index(name)), goal)
    return People.of(
        dates.people,
        {
            "age": dates.signed_up("age"),
            "sex": np.where(dates.man == 1.0, MAN, WOMAN),
            "goal": goal,
            "dates_often": dates.signed_up("date"),
            "goes_out": dates.signed_up("go_out"),
            "looks_for": np.column_stack([dates.signed_up(name) for name in WANTED]),
            "self_rating": np.column_stack([dates.signed_up(name) for name in SELF]),
            "interests": sign_up.activities(dates),
        },
    )


def with_history(dates: SpeedDates, people: People) -> tuple[People, People]:
    """Return deciders and others of each row, with what was decided before its round began."""
    values = dates.decision
    gave = earlier.before(dates, values, dates.decider)
    got = earlier.before(dates, values, dates.about)

    def at(rows: IntArray) -> People:
        here = (rows, dates.round)
        return replace(
            people.take(rows),
            said_yes=gave[0][here],
            decided=gave[1][here],
            got_yes=got[0][here],
            was_decided=got[1][here],
        )

    return at(dates.decider), at(dates.about)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The numbers of a model, and the variances by group that another fit can begin from."""

    numbers: Numbers
    variances: FloatArray


def train(dates: SpeedDates, variances: FloatArray | None = None) -> Fitted:
    """Learn from every listed decision of `dates`. Deterministic.

    variances: from a fit on all waves, where this one only leaves a wave out.
    """
    people = people_of(dates)
    rows = np.flatnonzero(dates.listed)
    deciders, others = people.take(dates.decider[rows]), people.take(dates.about[rows])
    values = [_value(_as_term(blank), deciders, others) for blank in TERMS]
    terms = [_scaled(blank, value) for blank, value in zip(TERMS, values, strict=True)]
    fixed = np.column_stack(
        [np.ones(len(rows))]
        + [np.nan_to_num(standard(term, _value(term, deciders, others))) for term in terms]
    )
    waves, wave = np.unique(dates.wave_of_row[rows], return_inverse=True)
    first = fixed.shape[1]
    members = [
        first + dates.decider[rows],
        first + dates.people + dates.about[rows],
        first + 2 * dates.people + wave.astype(np.int64),
    ]
    names, groups = _groups(dates.people, len(waves))
    sizes = np.bincount(groups)
    begin = np.array(
        [_BEGIN.get(name, _ANSWERS / size) for name, size in zip(names, sizes, strict=True)]
    )
    sweeps = SWEEPS if variances is None else SWEEPS_AGAIN
    found = mixed.fit(fixed, members, dates.decision[rows], groups, begin, sweeps, variances)
    size = 1 + len(terms)
    sd = {name: float(np.sqrt(found.variances[names.index(name)])) for name in _RANDOM}
    numbers = Numbers(
        intercept=float(found.mode[0]),
        terms=tuple(
            replace(term, coefficient=float(coefficient))
            for term, coefficient in zip(terms, found.mode[1:size], strict=True)
        ),
        covariance=found.covariance[:size, :size],
        actor_sd=sd["actors"],
        partner_sd=sd["partners"],
        wave_sd=sd["evenings"],
    )
    return Fitted(numbers, found.variances)


_RANDOM: Final = ("actors", "partners", "evenings")


def _groups(people: int, waves: int) -> tuple[list[str], IntArray]:
    """Return the names of the groups and the group of each column of the design."""
    columns = ["intercept"]
    columns += ["pair" if one.side == "pair" else one.part for one in TERMS]
    columns += ["actors"] * people + ["partners"] * people + ["evenings"] * waves
    names = list(dict.fromkeys(columns))
    return names, np.array([names.index(one) for one in columns], dtype=np.int64)


def _value(term: Term, deciders: People, others: People) -> FloatArray:
    if term.side == "pair":
        return pair_value(term, deciders, others, None)
    return person_value(term, deciders if term.side == "actor" else others)


def _as_term(blank: _Blank) -> Term:
    return Term(
        name=blank.name,
        side=blank.side,
        part=blank.part,
        kind=blank.kind,
        column=blank.column,
        index=blank.index,
        low=-1e9,
        high=1e9,
        centre=0.0,
        scale=1.0,
        coefficient=0.0,
        origin=_USUAL_AGE,
        level=blank.level,
    )


def _scaled(blank: _Blank, value: FloatArray) -> Term:
    """Return the term kept within what was seen, centred and scaled; values are not clipped yet."""
    term = _as_term(blank)
    known = value[np.isfinite(value)]
    if not len(known):
        return replace(term, low=0.0, high=0.0)
    if blank.kind == "square":
        # What is clipped is the number that is squared; both sides of the origin are alike.
        reach = float(np.sqrt(np.quantile(known, _EDGES[1])))
        low, high = _USUAL_AGE - reach, _USUAL_AGE + reach
        known = np.minimum(known, reach**2)
    elif blank.kind in {"level", "same"}:
        low, high = 0.0, 1.0
    else:
        low, high = (float(edge) for edge in np.quantile(known, _EDGES))
        known = np.clip(known, low, high)
    spread = float(known.std())
    return replace(
        term,
        low=low,
        high=high,
        centre=float(known.mean()),
        scale=spread if spread > _LEAST_SPREAD else 1.0,
    )
