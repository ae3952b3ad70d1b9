"""How it may go on: states of the relationship over time, and what would change them."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink.kernel.language import Language
from soullink.modules.analysis.api import (
    RELATIONSHIP_STATES,
    Counterfactual,
    Horizon,
    Prediction,
    StateShare,
)
from soullink.modules.analysis.domain.intervals import paired_change, wilson
from soullink.modules.analysis.domain.wording import prediction as wording
from soullink.modules.analysis.domain.wording.codes import STATES
from soullink.modules.analysis.domain.wording.phrases import joined, percent, say
from soullink.modules.simulation.api import (
    STATE_VARIABLES,
    Act,
    BoolArray,
    FloatArray,
    IntArray,
    Intervention,
    Replicas,
)

# What counts as which state of a relationship. There is no agreed boundary in the literature;
# these are ours, set once on the scales of the simulation and shown in the documentation.
CLOSE_ENOUGH_TO_DATE: Final = 0.15
"""Both feel at least this close: more than strangers."""
COMMITTED: Final = 0.4
"""Both are at least this committed and this close."""
TRUST_OF_THE_COMMITTED: Final = 0.45
LITTLE_TRUST: Final = 0.33
"""Where either trusts less, things are strained."""
HEATED: Final = 0.55
"""Open conflict that reached this in the last episode strains things, unless it ended well."""

_MORE, _LESS, _FAR_LESS = 0.7, -0.7, -1.0
_CHANGES: Final[Mapping[str, Mapping[Act, float]]] = {
    "mend": {
        Act.REPAIR: _MORE, Act.APOLOGISE: _MORE, Act.FORGIVE: _MORE, Act.COMPROMISE: _MORE,
    },
    "validate": {Act.VALIDATE: _MORE, Act.SUPPORT: _MORE, Act.ASK: 0.35},
    "soften": {
        Act.INSIST: _LESS, Act.COMPLAIN: _LESS, Act.SEEK_REASSURANCE: _LESS,
        Act.CRITICISE: _FAR_LESS, Act.BELITTLE: _FAR_LESS, Act.DEFEND: _FAR_LESS,
    },
    "stay": {
        Act.WITHDRAW: _FAR_LESS, Act.STONEWALL: _FAR_LESS, Act.SILENCE: _FAR_LESS,
        Act.LEAVE: _FAR_LESS,
    },
    "open": {Act.DISCLOSE: _MORE, Act.CONFIDE: _MORE},
}  # fmt: skip
"""Log-odds by intervention: 0.7 doubles an act's odds, -1.0 cuts them to little more than a third.
mend: Gottman, Driver & Tabares (2015). validate: Reis & Shaver (1988). soften: Carrere & Gottman
(1999), how a discussion begins. stay: Christensen & Heavey (1990). open: Collins & Miller
(1994)."""

STRESS_RELIEF: Final = -0.15
MISREADING: Final = 0.5


def interventions() -> list[Intervention]:
    """Return what is tried out on the replicas: five changes for each person, two for both."""
    tried = [
        Intervention(id=f"{name}_{person}", person=person, acts=acts)
        for name, acts in _CHANGES.items()
        for person in (0, 1)
    ]
    tried.append(Intervention(id="less_stress", person=None, stress=STRESS_RELIEF))
    tried.append(Intervention(id="fewer_misreadings", person=None, misreading=MISREADING))
    return tried


def states(replicas: Replicas) -> IntArray:
    """Return the state after each episode as an index into RELATIONSHIP_STATES, (R, E).

    In this order: ended; strained (little trust of either, or a heated last episode that ended
    badly); committed; dating; else strangers.
    """
    trust, closeness, commitment = (
        replicas.states[:, 1:, :, STATE_VARIABLES.index(name)].min(axis=2)
        for name in ("trust", "closeness", "commitment")
    )
    episodes = np.arange(1, replicas.lived.shape[1] + 1)
    ended = (replicas.ended[:, None] > 0) & (replicas.ended[:, None] <= episodes)
    heated = (replicas.conflict_peak >= HEATED) & (replicas.success < 0)
    dating = closeness >= CLOSE_ENOUGH_TO_DATE
    committed = (
        (commitment >= COMMITTED) & (closeness >= COMMITTED) & (trust >= TRUST_OF_THE_COMMITTED)
    )
    strained = dating & ((trust < LITTLE_TRUST) | heated)
    names = list(RELATIONSHIP_STATES)
    return np.select(
        [ended, strained, committed, dating],
        [names.index(name) for name in ("ended", "strained", "committed", "dating")],
        names.index("strangers"),
    )


def together(replicas: Replicas) -> BoolArray:
    """Return in which replicas nobody has ended it, (R,)."""
    out: BoolArray = replicas.ended == 0
    return out


def prediction(
    replicas: Replicas,
    alternatives: Mapping[str, Replicas],
    titles: Sequence[str],
    names: tuple[str, str],
    language: Language,
    baseline: Replicas | None = None,
) -> Prediction:
    """Return horizons, the end and the counterfactuals. titles: of the E scenarios.

    baseline: of two people of whom nothing is known, in the same scenarios.
    Raises InvalidInputError for alternatives that are none of `interventions()` or that do not
    match the replicas, and for a baseline in other scenarios.
    """
    size = int(replicas.ended.size)
    reached = states(replicas)
    horizons = tuple(
        Horizon(
            episode=number,
            day=float(np.median(replicas.days[:, number])),
            scenario_title=title,
            states=tuple(
                _share(state, int((reached[:, number - 1] == place).sum()), size, language)
                for place, state in enumerate(RELATIONSHIP_STATES)
            ),
        )
        for number, title in enumerate(titles, start=1)
    )
    end = _share("together", int(together(replicas).sum()), size, language)
    again = _share("again", int(replicas.again.all(axis=1).sum()), size, language)
    anyone = None if baseline is None else _anyone(baseline, replicas, language)
    changes = counterfactuals(replicas, alternatives, names, language)
    summary = _summary(size, (end, again, anyone), horizons, changes, language)
    return Prediction(summary, horizons, end, changes, again, anyone)


def _anyone(baseline: Replicas, replicas: Replicas, language: Language) -> StateShare:
    if baseline.scenarios != replicas.scenarios:
        raise InvalidInputError(
            "The baseline was lived in other scenarios than the replicas; make it of the same run."
        )
    stayed = together(baseline)
    return _share("together", int(stayed.sum()), int(stayed.size), language)


def _share(state: str, hits: int, cases: int, language: Language) -> StateShare:
    low, high = wilson(hits, cases)
    return StateShare(state, STATES[state][language], hits / cases, low, high)


def counterfactuals(
    replicas: Replicas,
    alternatives: Mapping[str, Replicas],
    names: tuple[str, str],
    language: Language,
) -> tuple[Counterfactual, ...]:
    """Return what each alternative changes, largest effect first; replicas are paired."""
    known = {intervention.id: intervention for intervention in interventions()}
    found = []
    for name, changed in alternatives.items():
        if name not in known:
            raise InvalidInputError(
                f"There is no intervention {name!r}; there are {', '.join(known)}."
            )
        if (changed.people, changed.ended.shape) != (replicas.people, replicas.ended.shape):
            raise InvalidInputError(
                f"The replicas under {name!r} are of other people or another number; "
                "make as many as without it."
            )
        effect, low, high = paired_change(together(replicas), together(changed))
        person = known[name].person
        found.append(
            Counterfactual(
                name=name,
                title=intervention_title(name, person, names, language),
                person=person,
                effect=effect,
                low=low,
                high=high,
                closeness=float(np.mean(_closeness(changed) - _closeness(replicas))),
            )
        )
    # Ties are told apart by what is theirs, not by whose they are, so that swapping two people
    # changes nothing else.
    found.sort(key=lambda one: (-abs(one.effect), -abs(one.closeness), one.name))
    return tuple(found)


def _closeness(replicas: Replicas) -> FloatArray:
    column = STATE_VARIABLES.index("closeness")
    out: FloatArray = replicas.states[:, -1, :, column].mean(axis=1)
    return out


def intervention_title(
    name: str, person: int | None, names: tuple[str, str], language: Language
) -> str:
    """Return what an intervention changes, in words."""
    words = wording.INTERVENTIONS[kind_of(name)]
    return words[language] if person is None else say(words, language, name=names[person])


def kind_of(name: str) -> str:
    """Return what an intervention does, without whom: "mend" for "mend_0"."""
    return name.removesuffix("_0").removesuffix("_1")


def clear(change: Counterfactual) -> bool:
    """Return whether the interval of a change leaves out zero."""
    return change.low > 0 or change.high < 0


def _summary(
    size: int,
    shares: tuple[StateShare, StateShare, StateShare | None],
    horizons: Sequence[Horizon],
    changes: Sequence[Counterfactual],
    language: Language,
) -> str:
    """Return the prediction in words. size: of the replicas. shares: together, again, anyone."""
    end, again, anyone = shares
    first = wording.SUMMARY if len(horizons) > 1 else wording.SUMMARY_ONE_EPISODE
    sentences = [
        say(
            first,
            language,
            together=round(end.probability * size),
            replicas=size,
            low=percent(end.low),
            high=percent(end.high),
            episodes=len(horizons),
            days=round(horizons[-1].day) if horizons else 0,
        ),
        say(wording.AGAIN, language, both=percent(again.probability)),
    ]
    if anyone is not None:
        sentences.append(
            say(
                wording.ANYONE,
                language,
                share=percent(anyone.probability),
                low=percent(anyone.low),
                high=percent(anyone.high),
            )
        )
    better = [change for change in changes if change.low > 0]
    worse = [change for change in changes if change.high < 0]
    sentences += [
        say(
            words,
            language,
            count=len(changes),
            title=found[0].title,
            effect=f"{found[0].effect * 100:+.0f}",
            low=f"{found[0].low * 100:+.0f}",
            high=f"{found[0].high * 100:+.0f}",
        )
        for words, found in ((wording.BEST, better), (wording.WORST, worse))
        if found
    ]
    if changes and not better and not worse:
        sentences.append(wording.NOTHING_CLEAR[language])
    return joined(sentences, language)
