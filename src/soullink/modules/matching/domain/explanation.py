"""What one side is told: what counted, how sure it is, what would change it.

Only the reader's own answers, what the other shows openly (name, age, gender, languages, interests,
about how far away) and sizes in words go in. The other's essays, deal-breakers, secrets, traits,
habits beyond what the reader asked for, and the other's own chance of a yes do not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np

from soullink.kernel.language import Language
from soullink.modules.matching.api import (
    Basis,
    Candidate,
    Explanation,
    Reason,
    Strength,
    Sureness,
    Whose,
)
from soullink.modules.matching.domain import wording
from soullink.modules.matching.domain.facts import BITS, UNKNOWN, Facts
from soullink.modules.matching.domain.interest.model import Contribution
from soullink.modules.matching.domain.wishes import wishes
from soullink.modules.matching.domain.wording import listed, say

Lived = Literal["lived_better", "lived_alike", "lived_worse"]

ALIKE: Final = 0.25
"""A cosine of what two people write above which it is called alike; below minus it, unlike."""
_MOST_INTERESTS: Final = 3
_STEP: Final = 0.05
_PRIVATE_PARTS: Final = ("popular", "liked", "got_yes", "partner_history")
"""Parts of the interest model that rest on what others answered about the other."""


_WHOSE: Final[Mapping[str, Whose]] = {
    "your_choosiness": "yours",
    "what_you_state": "yours",
    "what_they_state": "theirs",
}


@dataclass(frozen=True, slots=True)
class View:
    """One side of a pair. contributions: of the reader's log-odds, one pair, or None without a
    model. chance: (low, middle, high) of the reader's yes. alike, distance_km: None unknown."""

    reader: Candidate
    other: Candidate
    mine: Facts
    theirs: Facts
    alike: float | None
    distance_km: float | None
    contributions: Mapping[str, Contribution] | None
    chance: tuple[float, float, float] | None
    lived: Lived | None = None
    explored: bool = False


def explain(view: View, language: Language) -> Explanation:
    """Return what the reader is told, in `language`."""
    return Explanation(
        match=str(view.other.profile.id),
        reader=view.reader.profile.id,
        other=view.other.profile.id,
        language=language,
        reasons=tuple(_reasons(view, language)),
        sureness=_sureness(view, language),
        would_change=tuple(_changes(view, language)),
    )


def shown_distance(distance_km: float | None) -> int | None:
    """Return a distance as it may be shown: rounded to 20 km; None stays None."""
    return None if distance_km is None else 20 * round(distance_km / 20.0)


def strength(log_odds: float) -> Strength:
    """Return the size of a part in words."""
    size = abs(log_odds)
    if size <= 0.05:
        return "a_trace"
    return "a_little" if size <= 0.2 else "some" if size <= 0.5 else "much"


def _reasons(view: View, language: Language) -> Iterable[Reason]:
    name = view.other.profile.name

    def reason(code: str, how: Strength, favours: bool, whose: Whose, **slots: object) -> Reason:
        words = say(wording.REASONS[code], language, other=name, **slots)
        return Reason(code, how, favours, whose, words)

    if view.explored:
        yield reason("shown_to_learn", "condition", True, "yours")
    asked = wishes(view.reader, view.mine, view.theirs)
    met = [wording.CRITERIA[wish.criterion][language] for wish in asked if wish.met]
    if met:
        criteria = listed(met, language)
        yield reason("meets_your_wishes", "condition", True, "both", criteria=criteria)
    if any(w.met for w in wishes(view.other, view.theirs, view.mine)):
        yield reason("you_meet_theirs", "condition", True, "theirs")
    if view.mine.dislikes & view.theirs.facts:
        yield reason("wish_not_met", "some", False, "both")
    away = shown_distance(view.distance_km)
    if away is not None:
        near = away < 20
        yield reason("near" if near else "apart", "condition", near, "both", km=away)
    yield from _learned(view, reason)
    common = _common_interests(view)
    if common:
        shown = listed(common[:_MOST_INTERESTS], language)
        yield reason("shared_interests", "a_trace", True, "both", interests=shown)
    if view.alike is not None and abs(view.alike) >= ALIKE:
        alike = view.alike > 0
        yield reason("alike_texts" if alike else "unlike_texts", "a_trace", alike, "both")
    if view.lived is not None:
        yield reason(view.lived, "some", view.lived != "lived_worse", "both")


class _Reasoning(Protocol):
    def __call__(
        self, code: str, how: Strength, favours: bool, whose: Whose, **slots: object
    ) -> Reason: ...


def _learned(view: View, reason: _Reasoning) -> Iterable[Reason]:
    """Yield what the interest model says, its parts gathered so that none can be worked out."""
    if view.contributions is None:
        return
    sums: dict[str, float] = {}
    for name, found in view.contributions.items():
        if not float(found.known[0]) or any(word in name for word in _PRIVATE_PARTS):
            continue
        group = _group(name, found)
        sums[group] = sums.get(group, 0.0) + float(found.value[0])
    for group, value in sums.items():
        code = group if group != "age" else "age_near" if value >= 0.0 else "age_apart"
        if code == "same_goal" and value <= 0.0:
            continue  # that the goals differ would say what the other looks for
        yield reason(code, strength(value), value >= 0.0, _WHOSE.get(code, "both"))


def _group(name: str, found: Contribution) -> str:
    if found.part.whose == "decider":
        own = any(word in name for word in ("choos", "history", "said_yes"))
        return "your_choosiness" if own else "what_you_state"
    if found.part.whose == "other":
        return "what_they_state"
    if "age" in name:
        return "age"
    return "same_goal" if "goal" in name else "between_you"


def _common_interests(view: View) -> list[str]:
    if "interests" in view.reader.left_out | view.other.left_out:
        return []
    theirs = {interest.casefold() for interest in view.other.profile.interests}
    return [i for i in view.reader.profile.interests if i.casefold() in theirs]


def _sureness(view: View, language: Language) -> Sureness:
    bases: list[Basis] = ["stated_preferences"]
    name = view.other.profile.name
    if view.chance is not None:
        bases.append("learned_interest")
        low, middle, high = (_rounded(value) for value in view.chance)
        low, high = min(low, middle), max(high, middle)
        first = say(
            wording.RANGE, language, low=round(100 * low), high=round(100 * high), other=name
        )
    else:
        low, middle, high = 0.0, 0.5, 1.0
        first = say(wording.RANGE_UNKNOWN, language, other=name)
    if view.lived is not None:
        bases.append("simulated_interaction")
    named = listed([wording.RESTS_ON[basis][language] for basis in bases], language)
    rests = say(wording.RESTS, language, bases=named)
    between = " " if language == "en" else ""
    return Sureness(low, middle, high, tuple(bases), f"{first}{between}{rests}")


def _rounded(chance: float) -> float:
    return round(float(np.clip(round(chance / _STEP) * _STEP, 0.0, 1.0)), 2)


def _changes(view: View, language: Language) -> Iterable[str]:
    missing = unknown_of(view.reader, view.mine)
    if missing:
        fields = listed([wording.FIELDS[name][language] for name in missing], language)
        yield say(wording.CHANGES["say_more"], language, fields=fields)
    limits = [
        wording.CRITERIA[name][language]
        for name, given in (
            ("age", view.mine.age_from > 0 or view.mine.age_to < 255),
            ("distance", view.reader.profile.looking_for.distance_km is not None),
        )
        if given
    ]
    if limits:
        yield say(wording.CHANGES["change_wishes"], language, criteria=listed(limits, language))
    yield say(wording.CHANGES["wrong"], language)
    yield say(wording.CHANGES["meeting"], language)


def unknown_of(reader: Candidate, mine: Facts) -> Sequence[str]:
    """Return which of the reader's own fields are not given, as keys of wording.FIELDS."""
    person = reader.profile
    unknown = {
        "age": not mine.age,
        "gender": not mine.genders,
        "interested_in": not person.interested_in,
        "location": mine.cell is None,
        "languages": bool(mine.facts & BITS["languages"][UNKNOWN]),
        "goal": person.wants.goal is None,
        "children": person.wants.children is None,
        "essays": not person.essays,
    }
    return [name for name, missing in unknown.items() if missing]
