"""What each of the two may take from it: strengths, frictions and steps.

Rules choose among sentences by where a person stands among people in general (see
standing.person_scores), by what the other does, by what both told, and by what the interventions
changed. No sentence about one person is chosen without a number behind it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from soullink.kernel.language import Language
from soullink.modules.analysis.api import Counterfactual, Dimension, Feedback
from soullink.modules.analysis.domain import act_groups
from soullink.modules.analysis.domain.counts import is_chase, is_met
from soullink.modules.analysis.domain.evidence import Place, places
from soullink.modules.analysis.domain.prediction import clear, kind_of
from soullink.modules.analysis.domain.wording import feedback as wording
from soullink.modules.analysis.domain.wording.codes import TRAITS
from soullink.modules.analysis.domain.wording.people import UNKNOWN
from soullink.modules.analysis.domain.wording.phrases import say
from soullink.modules.profiles.api import Wants
from soullink.modules.simulation.api import Act, FloatArray, Turn

STANDS_OUT: Final = 0.35
"""Standard deviations between people from which something is said of a person."""
MOST: Final = 3
MOST_STEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Sides:
    """What feedback rests on, for both people in order.

    scores: standing.person_scores. untold: codes of what each did not tell (people.untold).
    dimensions: of the pair, for when nothing of a person stands out.
    """

    names: tuple[str, str]
    scores: Mapping[str, FloatArray]
    wants: tuple[Wants, Wants]
    untold: tuple[tuple[str, ...], tuple[str, ...]]
    turns: Sequence[Turn]
    changes: Sequence[Counterfactual]
    dimensions: Sequence[Dimension] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    """Something to say when `measure` times `sign` stands out; with `both`, of either person."""

    code: str
    measure: str
    sign: float
    example: Callable[[Place], bool]
    both: bool = False
    of_other: bool = False


def _doing(group: frozenset[Act]) -> Callable[[Place], bool]:
    return lambda place: place.turn.act in group


def _nothing(_: Place) -> bool:
    return False


def _steps_back(place: Place) -> bool:
    return place.answers is not None and is_chase(place.answers, place.turn)


def _passes_by(place: Place) -> bool:
    other = place.answers
    told = other is not None and other.act in {Act.CONFIDE, Act.DISCLOSE}
    return other is not None and told and not is_met(other, place.turn)


def _meets(place: Place) -> bool:
    return place.answers is not None and is_met(place.answers, place.turn)


_STRENGTHS: Final = (
    _Rule("care", "care", 1, _doing(act_groups.CARING)),
    _Rule("interest", "interest", 1, _doing(act_groups.ATTENTIVE)),
    _Rule("openness", "openness", 1, _doing(act_groups.DISCLOSING)),
    _Rule("play", "play", 1, _doing(act_groups.PLAYFUL)),
    _Rule("meeting", "meeting", 1, _meets),
    _Rule("mending", "mending", 1, _doing(act_groups.REPAIRING)),
    _Rule("yielding", "yielding", 1, _doing(act_groups.YIELDING)),
    _Rule("gentle", "harshness", -1, _nothing),
    _Rule("present", "distance", -1, _nothing),
    _Rule("hearing", "misreading", -1, _nothing),
    _Rule("calm", "stress", -1, _nothing),
    _Rule("asks_little", "pressing", -1, _nothing),
)

_FRICTIONS: Final = (
    _Rule("chase", "chasing", 1, _doing(act_groups.DEMANDING)),
    _Rule("chased", "chasing", 1, _steps_back, of_other=True),
    _Rule("harshness_both", "harshness", 1, _doing(act_groups.HOSTILE), both=True),
    _Rule("harshness", "harshness", 1, _doing(act_groups.HOSTILE)),
    _Rule("distance_both", "distance", 1, _doing(act_groups.DISTANT), both=True),
    _Rule("distance", "distance", 1, _doing(act_groups.DISTANT)),
    _Rule("pressing", "pressing", 1, _doing(act_groups.DEMANDING)),
    _Rule("misreading", "misreading", 1, _nothing),
    _Rule("missing", "meeting", -1, _passes_by),
    _Rule("closed_both", "openness", -1, _nothing, both=True),
    _Rule("closed", "openness", -1, _nothing),
    _Rule("serious", "play", -1, _nothing),
    _Rule("sparing", "care", -1, _nothing),
    _Rule("stress", "stress", 1, _nothing),
    _Rule("unmended", "mending", -1, _nothing),
    _Rule("talkative", "talk", 1, _nothing),
    _Rule("quiet_share", "talk", -1, _nothing),
)

_INCLUDES: Final[Mapping[str, tuple[str, ...]]] = {
    "chase": ("pressing",),
    "chased": ("distance", "distance_both"),
    "harshness_both": ("harshness",),
    "distance_both": ("distance",),
    "closed_both": ("closed",),
}
"""What need not be said any more when the first was said."""

_LASTING: Final = frozenset({"long_term", "marriage"})
_LIGHT: Final = frozenset({"casual", "friendship"})
_WITH_CHILDREN: Final = frozenset({"wants", "has_and_wants_more"})
_WITHOUT_CHILDREN: Final = frozenset({"does_not_want", "has_and_done"})


def feedback(person: int, sides: Sides, language: Language) -> Feedback:
    """Return what is said to `person` (0 or 1), at least one sentence of each kind."""
    strengths = _found(_STRENGTHS, person, sides)[:MOST]
    frictions = [*differences(sides.wants), *_found(_FRICTIONS, person, sides)]
    frictions = _distinct(frictions)[:MOST]
    return Feedback(
        person=person,
        strengths=_sentences(wording.STRENGTHS, strengths, _STRENGTHS, person, sides, language)
        or (
            _between(max, wording.BEST_OF_BOTH, person, sides, language)
            or _no_strength(person, sides, language),
        ),
        frictions=_sentences(wording.FRICTIONS, frictions, _FRICTIONS, person, sides, language)
        or (
            _between(min, wording.LEAST_OF_BOTH, person, sides, language)
            or wording.NO_FRICTION[language],
        ),
        steps=_steps(person, frictions, sides, language),
    )


def differences(wants: tuple[Wants, Wants]) -> list[str]:
    """Return on what the two told things that do not go together: "goals", "children"."""
    found = []
    for code, values, left, right in (
        ("goals", (wants[0].goal, wants[1].goal), _LASTING, _LIGHT),
        ("children", (wants[0].children, wants[1].children), _WITH_CHILDREN, _WITHOUT_CHILDREN),
    ):
        first, second = values
        if (first in left and second in right) or (first in right and second in left):
            found.append(code)
    return found


def _found(rules: Sequence[_Rule], person: int, sides: Sides) -> list[str]:
    """Return the codes of rules that hold for `person`, the most outstanding first."""
    held = []
    for rule in rules:
        own = rule.sign * float(sides.scores[rule.measure][person])
        others = rule.sign * float(sides.scores[rule.measure][1 - person])
        strength = min(own, others) if rule.both else others if rule.of_other else own
        if strength >= STANDS_OUT:
            # A pattern between the two says more than the same thing said of one of them.
            bonus = 0.5 if rule.both or rule.of_other or rule.code == "chase" else 0.0
            held.append((-(strength + bonus), rule.code))
    return [code for _, code in sorted(held)]


def _distinct(codes: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for code in codes:
        if not any(code in _INCLUDES.get(said, ()) for said in kept):
            kept.append(code)
    return kept


def _sentences(
    words: Mapping[str, Mapping[Language, str]],
    codes: Sequence[str],
    rules: Sequence[_Rule],
    person: int,
    sides: Sides,
    language: Language,
) -> tuple[str, ...]:
    by_code = {rule.code: rule for rule in rules}
    return tuple(
        say(words[code], language, other=sides.names[1 - person])
        + _example(by_code.get(code), person, sides, language)
        for code in codes
    )


def _example(rule: _Rule | None, person: int, sides: Sides, language: Language) -> str:
    """Return where in the course shown it can be seen: the turn that was felt most."""
    if rule is None:
        return ""
    fitting = [p for p in places(sides.turns) if p.turn.speaker == person and rule.example(p)]
    if not fitting:
        return ""
    best = max(fitting, key=lambda p: (abs(p.affect), -p.turn.episode, -p.turn.sequence)).turn
    return say(wording.EXAMPLE, language, episode=best.episode, turn=best.sequence)


def _spoken_of(sides: Sides) -> list[Dimension]:
    """Return the dimensions that say something; spark is nothing that either of them does."""
    return [d for d in sides.dimensions if d.level != "unclear" and d.name != "spark"]


def _between(
    pick: Callable[..., Dimension],
    words: Mapping[Language, str],
    person: int,
    sides: Sides,
    language: Language,
) -> str:
    """Return a sentence on the dimension of both that `pick` (min or max) finds, if any."""
    known = _spoken_of(sides)
    if not known:
        return ""
    found = pick(known, key=lambda dimension: dimension.value)
    title = found.title.lower() if language == "en" else found.title
    other = sides.names[1 - person]
    return say(words, language, other=other, dimension=title, value=round(found.value))


def _no_strength(person: int, sides: Sides, language: Language) -> str:
    silent = "traits" in sides.untold[person]
    return (wording.NO_STRENGTH_UNKNOWN if silent else wording.NO_STRENGTH)[language]


def _steps(
    person: int, frictions: Sequence[str], sides: Sides, language: Language
) -> tuple[str, ...]:
    other = sides.names[1 - person]
    helpful = [c for c in sides.changes if c.person == person and clear(c) and c.effect > 0]
    steps = [
        say(wording.CHANGES[kind_of(change.name)], language)
        + say(
            wording.EFFECT,
            language,
            effect=f"{change.effect * 100:.0f}",
            low=f"{change.low * 100:.0f}",
            high=f"{change.high * 100:.0f}",
        )
        for change in helpful[:2]
    ]
    steps += [
        say(wording.STEPS[code], language, other=other)
        for code in frictions
        if code in wording.STEPS
    ]
    known = _spoken_of(sides)
    if not frictions and known:
        weakest = min(known, key=lambda dimension: dimension.value)
        steps.append(wording.DIMENSION_STEPS[weakest.name][language])
    titles = {**TRAITS, **UNKNOWN}
    asked = [code for code in ("goal", "children", "values") if code in sides.untold[1 - person]]
    if asked and len(steps) < MOST_STEPS:
        steps.append(say(wording.ASK, language, other=other, topic=titles[asked[0]][language]))
    return tuple(steps[:MOST_STEPS]) or (say(wording.NO_STEP, language, other=other),)
