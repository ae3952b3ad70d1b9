"""What would change the outcome most, and which moments of the course shown did."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from soullink.kernel.language import Language
from soullink.modules.analysis.api import (
    Evidence,
    Influence,
    Influences,
    Moved,
    Prediction,
    Shift,
    TurningMoment,
)
from soullink.modules.analysis.domain.evidence import quoted
from soullink.modules.analysis.domain.intervals import Z95
from soullink.modules.analysis.domain.prediction import kind_of
from soullink.modules.analysis.domain.wording import codes
from soullink.modules.analysis.domain.wording import influences as wording
from soullink.modules.analysis.domain.wording.phrases import joined, say
from soullink.modules.simulation.api import Act, Course, FloatArray, Replicas, Turn
from soullink.modules.simulation.sensitivity.api import Change, FactorEffect, TurningPoint

MOST: Final = 12
"""Factors that a report names."""
TOLD_BELOW: Final = 0.95
"""A trait of which a profile says anything is less spread than people in general."""


def influences(
    moved: Moved, changes: Sequence[Influence], course: Course, language: Language
) -> Influences:
    """Return what moved the run. changes: of conduct, from `conduct`."""
    people = course.run.people
    names = (people[0].name, people[1].name)
    every = [*(_factor(one, names, language) for one in moved.effects), *changes]
    # Ties are told apart by what is theirs, not by whose they are.
    every.sort(key=lambda one: (-abs(one.together.value), -abs(one.satisfaction.value), one.name))
    turns = {(turn.episode, turn.sequence): turn for turn in course.turns}
    found = [_moment(point, turns, names, language) for point in moved.points.points]
    found.sort(key=lambda one: (-abs(one.satisfaction.value), one.episode, one.turn, one.name))
    return Influences(
        summary=_summary(every, found, names, language),
        factors=tuple(every[:MOST]),
        tried=len(every),
        courses=moved.courses,
        moments=tuple(found),
        with_moments=moved.points.with_all["satisfaction"],
        without_moments=moved.points.without["satisfaction"],
        futures=moved.points.futures,
    )


def conduct(
    replicas: Replicas, alternatives: Mapping[str, Replicas], outlook: Prediction
) -> list[Influence]:
    """Return what the interventions do, with the intervals that the prediction gives them."""
    before = replicas.satisfaction.mean(axis=1)
    return [
        Influence(
            name=kind_of(one.name),
            title=one.title,
            kind="conduct",
            person=one.person,
            told=None,
            together=Shift(one.effect, one.low, one.high),
            satisfaction=paired(alternatives[one.name].satisfaction.mean(axis=1) - before),
        )
        for one in outlook.counterfactuals
    ]


def paired(differences: FloatArray) -> Shift:
    """Return the mean of paired differences with its 95 % interval (normal approximation)."""
    middle = float(differences.mean())
    spread = float(np.std(differences, ddof=1)) if differences.size > 1 else 1.0
    half = Z95 * spread / differences.size**0.5
    return Shift(middle, max(-1.0, middle - half), min(1.0, middle + half))


def is_clear(shift: Shift) -> bool:
    """Return whether the interval leaves out zero."""
    return shift.low > 0 or shift.high < 0


def shift_of(change: Change) -> Shift:
    """Return a change as reports have it."""
    return Shift(change.value, change.low, change.high)


def factor_title(one: FactorEffect, names: tuple[str, str], language: Language) -> str:
    """Return what is varied, in words."""
    return say(
        wording.FACTORS[one.name], language, name=names[one.person], other=names[1 - one.person]
    )


def is_told(one: FactorEffect) -> bool | None:
    """Return whether the profile says anything of a trait, None of what no profile could."""
    return None if one.open is None else one.open < TOLD_BELOW


def _factor(one: FactorEffect, names: tuple[str, str], language: Language) -> Influence:
    return Influence(
        name=one.name,
        title=factor_title(one, names, language),
        kind=one.kind,
        person=one.person,
        told=is_told(one),
        together=shift_of(one.outcomes["together"]),
        satisfaction=shift_of(one.outcomes["satisfaction"]),
    )


def _moment(
    point: TurningPoint,
    turns: Mapping[tuple[int, int], Turn],
    names: tuple[str, str],
    language: Language,
) -> TurningMoment:
    name = f"{point.episode}.{point.turn}"
    evidence: Evidence | None = None
    if point.event is None:
        lifts = point.outcomes["satisfaction"].value >= 0
        turn = turns[point.episode, point.turn]
        evidence = quoted(turn, "lifted" if lifts else "lowered", names, language)
    else:
        name += f".{point.person}.{point.event}"
    title, instead = moment_texts(point, names, language)
    return TurningMoment(
        name=name,
        title=title,
        episode=point.episode,
        turn=point.turn,
        person=point.person,
        instead=instead,
        evidence=evidence,
        together=shift_of(point.outcomes["together"]),
        satisfaction=shift_of(point.outcomes["satisfaction"]),
    )


def moment_texts(
    point: TurningPoint, names: tuple[str, str], language: Language
) -> tuple[str, str]:
    """Return a moment in words, and what it was compared with."""
    if point.event is not None:
        title = codes.life_event(f"{point.person}:{point.event}", names, language)
        return title, wording.WITHOUT[language]
    act, other = (codes.act(Act(str(code)), language) for code in (point.act, point.instead))
    return (
        say(wording.TURN, language, name=names[point.person], act=act),
        say(wording.INSTEAD, language, act=other),
    )


def _summary(
    factors: Sequence[Influence],
    moments: Sequence[TurningMoment],
    names: tuple[str, str],
    language: Language,
) -> str:
    clear = next((one for one in factors if is_clear(one.together)), None)
    if clear is None:
        first = say(wording.NOTHING_CLEAR, language, tried=len(factors))
    else:
        named = clear.person is not None and clear.kind not in {"conduct", "attraction"}
        first = say(
            wording.SUMMARY,
            language,
            tried=len(factors),
            title=clear.title,
            whose=(
                say(wording.WHOSE, language, name=names[clear.person])
                if named and clear.person is not None
                else ""
            ),
            range=wording.RANGES[clear.kind][language],
            **_points(clear.together),
        )
    felt = next((one for one in moments if is_clear(one.satisfaction)), None)
    if felt is not None:
        second = say(
            wording.MOMENT,
            language,
            episode=felt.episode,
            title=felt.title.rstrip(".。"),
            **_points(felt.satisfaction),
        )
    else:
        second = wording.NO_MOMENT[language] if moments else ""
    return joined([first, second, wording.CAVEAT[language]], language)


def _points(shift: Shift) -> dict[str, str]:
    return {
        "effect": f"{shift.value * 100:+.0f}",
        "low": f"{shift.low * 100:+.0f}",
        "high": f"{shift.high * 100:+.0f}",
    }
