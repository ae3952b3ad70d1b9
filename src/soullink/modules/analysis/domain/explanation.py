"""What moved one outcome of a run: the tables of `soullink explain`."""

from collections.abc import Mapping

import numpy as np

from soullink.kernel.language import Language
from soullink.modules.analysis.api import (
    ExplainedFactor,
    ExplainedGroup,
    ExplainedMoment,
    Explanation,
    Moved,
    Shift,
)
from soullink.modules.analysis.domain.influences import (
    factor_title,
    is_told,
    moment_texts,
    paired,
    shift_of,
)
from soullink.modules.analysis.domain.intervals import paired_change
from soullink.modules.analysis.domain.prediction import (
    intervention_title,
    interventions,
    kind_of,
    together,
)
from soullink.modules.analysis.domain.wording import influences as wording
from soullink.modules.analysis.domain.wording.phrases import say
from soullink.modules.simulation.api import STATE_VARIABLES, BoolArray, Course, FloatArray, Replicas
from soullink.modules.simulation.sensitivity.api import Shares


def explanation(
    course: Course,
    replicas: Replicas,
    alternatives: Mapping[str, Replicas],
    moved: Moved,
    shares: Shares,
    language: Language,
) -> Explanation:
    """Return what moved `shares.outcome`; see api.Analysis.explanation."""
    people = course.run.people
    names = (people[0].name, people[1].name)
    outcome = shares.outcome
    factors = [
        ExplainedFactor(
            one.name,
            factor_title(one, names, language),
            one.kind,
            one.person,
            is_told(one),
            shift_of(one.outcomes[outcome]),
        )
        for one in moved.effects
    ]
    factors += [
        ExplainedFactor(
            kind_of(change.id),
            intervention_title(change.id, change.person, names, language),
            "conduct",
            change.person,
            None,
            _conduct(outcome, replicas, alternatives[change.id]),
        )
        for change in interventions()
        if change.id in alternatives
    ]
    factors.sort(key=lambda one: (-abs(one.change.value), one.name, one.title))
    moments = []
    for point in moved.points.points:
        title, instead = moment_texts(point, names, language)
        shift = shift_of(point.outcomes[outcome])
        moments.append(
            ExplainedMoment(title, point.episode, point.turn, point.person, instead, shift)
        )
    moments.sort(key=lambda one: (-abs(one.change.value), one.episode, one.turn, one.title))
    return Explanation(
        outcome=outcome,
        outcome_title=wording.OUTCOMES[outcome][language],
        over=shares.over,
        factors=tuple(factors),
        varied=shift_of(shares.varied),
        groups=tuple(
            ExplainedGroup(
                one.name,
                say(
                    wording.GROUPS[one.name],
                    language,
                    name="" if one.person is None else names[one.person],
                    other="" if one.person is None else names[1 - one.person],
                ),
                one.person,
                shift_of(one.first),
                shift_of(one.total),
                one.interacts,
            )
            for one in shares.groups
        ),
        moments=tuple(moments),
        with_moments=moved.points.with_all[outcome],
        without_moments=moved.points.without[outcome],
        caveat=wording.CAVEAT[language],
    )


def _conduct(outcome: str, before: Replicas, after: Replicas) -> Shift:
    if outcome == "together":
        return Shift(*paired_change(together(before), together(after)))
    if outcome == "again":
        return Shift(*paired_change(_again(before), _again(after)))
    return paired(_measured(outcome, after) - _measured(outcome, before))


def _again(replicas: Replicas) -> BoolArray:
    both: BoolArray = replicas.again[:, 0] & replicas.again[:, 1]
    return both


def _measured(outcome: str, replicas: Replicas) -> FloatArray:
    if outcome == "conflict":
        peak: FloatArray = replicas.conflict_peak.max(axis=1)
        return peak
    if outcome == "trust":
        trust = replicas.states[:, -1, :, STATE_VARIABLES.index("trust")]
        return np.asarray(trust.mean(axis=1))
    mean: FloatArray = replicas.satisfaction.mean(axis=1)
    return mean
