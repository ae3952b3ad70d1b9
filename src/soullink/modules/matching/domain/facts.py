"""What somebody is and what somebody rules out, as bits: a filter is then one AND each way.

Every fact is a group of bits of which one is set, the last of them for "unknown". Ruling out is a
mask over the same bits. Two people pass when neither's mask holds a bit of the other's facts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from soullink.modules.matching.api import Candidate, ChallengeField
from soullink.modules.matching.domain import languages
from soullink.modules.matching.domain.interest.people import GOAL_OF_WANTS, GOALS
from soullink.modules.profiles.api import (
    GENDERS,
    HABITS,
    NOT_RELIGIOUS,
    RELIGIONS,
    Cell,
    Criterion,
    DealBreaker,
    Gender,
    LookingFor,
    Profile,
)


def _groups() -> dict[str, dict[str, int]]:
    codes: Mapping[str, tuple[str, ...]] = {
        "gender": tuple(str(subset) for subset in range(1, 1 << len(GENDERS))),
        "smoking": HABITS,
        "drinking": HABITS,
        "religion": RELIGIONS,
        "children": ("wants", "wants_none", "open"),
        "has_children": ("yes", "no"),
        "goal": tuple(GOAL_OF_WANTS),
        "age": ("known",),
        "languages": ("known",),
        "distance": ("known",),
    }
    place, made = 0, {}
    for group, names in codes.items():
        made[group] = {name: 1 << (place + k) for k, name in enumerate((*names, UNKNOWN))}
        place += len(names) + 1
    states = ("paused", "gone", "far")
    made["state"] = {name: 1 << (place + k) for k, name in enumerate(states)}
    return made


UNKNOWN: Final = "unknown"
BITS: Final[Mapping[str, Mapping[str, int]]] = _groups()
"""Bit by group and code, e.g. BITS["smoking"]["often"]."""

PAUSED: Final = BITS["state"]["paused"]
GONE: Final = BITS["state"]["gone"]
NEVER: Final = PAUSED | GONE
"""What everybody rules out."""

FAR: Final = BITS["state"]["far"]
"""Ruled out by those who want nobody beyond LOCAL_KM; a search sets it for whole regions."""

LOCAL_KM: Final = 250
"""Limits up to here are local: whoever has one need not be asked about people far away."""

NO_LIMIT_KM: Final = 65_535
OLDEST: Final = 255

_WANTS: Final = frozenset(("wants", "has_and_wants_more"))
_WANTS_NONE: Final = frozenset(("does_not_want", "has_and_done"))

_SEX: Final = {1 << GENDERS.index("woman"): -1, 1 << GENDERS.index("man"): 1}

SOFT: Final[Mapping[Criterion, int]] = {"age": 1, "distance": 2, "languages": 4}
"""Bits of `soft`: limits that count but rule nobody out."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One person in numbers, as the pool keeps them.

    facts, rejects, dislikes: bits as above; rejects rules out, dislikes only counts against.
    speaks, wants_spoken: bits of languages. age: 0 is unknown. age_from, age_to: both included.
    reach_km: NO_LIMIT_KM where there is none. soft: which of these limits rule nobody out.
    cell: None is unknown. sex: -1 woman, 1 man, 0 unknown or neither.
    goal: index into GOALS, len(GOALS) is unknown. genders: bits in the order of GENDERS.
    """

    facts: int
    rejects: int
    dislikes: int
    speaks: int
    wants_spoken: int
    age: int
    age_from: int
    age_to: int
    reach_km: int
    soft: int
    cell: Cell | None
    sex: int
    goal: int
    genders: int


def encode(candidate: Candidate, cell: Cell | None, today: date) -> Facts:
    """Return `candidate` in numbers; cell: where the person lives, given or found by the city."""
    person, out = candidate.profile, candidate.left_out
    stated = _stated(person, out)
    age = 0 if "age" in out else person.age_on(today) or 0
    place = None if "location" in out else cell
    spoken = languages.spoken(() if "languages" in out else person.languages)
    genders = () if "gender" in out else person.gender
    bits = 0
    for group in ("gender", "smoking", "drinking", "religion", "children", "has_children", "goal"):
        bits |= BITS[group][stated.get(group, UNKNOWN)]
    for group, known in (
        ("age", age > 0),
        ("languages", spoken != languages.ANY),
        ("distance", place is not None),
    ):
        bits |= BITS[group]["known" if known else UNKNOWN]
    rejects, dislikes = _ruled_out(person, stated.get("children"))
    wish = person.looking_for
    soft = sum(bit for name, bit in SOFT.items() if wish.importance_of(name) == "preferred")
    reach = NO_LIMIT_KM if wish.distance_km is None else min(wish.distance_km, NO_LIMIT_KM - 1)
    wanted = languages.spoken(wish.languages) if wish.languages else spoken
    return Facts(
        facts=bits | (PAUSED if candidate.paused else 0),
        rejects=rejects | NEVER | local(reach, soft),
        dislikes=dislikes,
        speaks=spoken,
        wants_spoken=wanted,
        age=age,
        age_from=wish.age_from or 0,
        age_to=wish.age_to or OLDEST,
        reach_km=reach,
        soft=soft,
        cell=place,
        sex=_SEX.get(gender_bits(genders), 0),
        goal=_goal(stated.get("goal")),
        genders=gender_bits(genders),
    )


def local(reach_km: int, soft: int) -> int:
    """Return FAR for those whose limit of distance is a hard one and no more than LOCAL_KM."""
    return FAR if reach_km <= LOCAL_KM and not soft & SOFT["distance"] else 0


def gender_bits(genders: Iterable[Gender]) -> int:
    """Return bits in the order of GENDERS; 0 is unknown."""
    return sum(1 << GENDERS.index(gender) for gender in set(genders))


def _ruled_out(person: Profile, children: str | None) -> tuple[int, int]:
    """Return what `person` rules out and what only counts against, as bits.

    children: the person's own wish, see `own_children`.
    """
    rejects = dislikes = 0
    for criterion, failing, groups in stated_wishes(person, children):
        importance = person.looking_for.importance_of(criterion)
        if importance == "preferred":
            dislikes |= failing
            continue
        rejects |= failing
        if importance == "essential":
            for group in groups:
                rejects |= BITS[group][UNKNOWN]
    return rejects, dislikes


def stated_wishes(
    person: Profile, children: str | None
) -> Iterable[tuple[Criterion, int, tuple[str, ...]]]:
    """Yield each stated wish: its criterion, the bits that fail it, the groups it asks about."""
    wish = person.looking_for
    if person.interested_in:
        wanted = gender_bits(person.interested_in)
        missing = (code for code in BITS["gender"] if code != UNKNOWN and not int(code) & wanted)
        yield "gender", _any("gender", missing), ("gender",)
    opposite = {"wants": "wants_none", "wants_none": "wants"}.get(children or "")
    if opposite is not None:
        yield "children", BITS["children"][opposite], ("children",)
    if wish.smoking:
        yield "smoking", _others("smoking", wish.smoking), ("smoking",)
    if wish.drinking:
        yield "drinking", _others("drinking", wish.drinking), ("drinking",)
    if wish.religions:
        yield "religion", _others("religion", wish.religions), ("religion",)
    for code in wish.deal_breakers:
        group, names = DEAL_BREAKING[code]
        yield "deal_breakers", _any(group, names), (group,)
    yield from _limits(wish)


def _limits(wish: LookingFor) -> Iterable[tuple[Criterion, int, tuple[str, ...]]]:
    """Yield the wishes about numbers: their bits fail for nobody, but may be unknown."""
    if wish.age_from is not None or wish.age_to is not None:
        yield "age", 0, ("age",)
    if wish.distance_km is not None:
        yield "distance", 0, ("distance",)
    if wish.languages or "languages" in wish.importance:
        yield "languages", 0, ("languages",)


DEAL_BREAKING: Final[Mapping[DealBreaker, tuple[str, tuple[str, ...]]]] = {
    "smoking": ("smoking", ("sometimes", "often")),
    "drinking": ("drinking", ("sometimes", "often")),
    "heavy_drinking": ("drinking", ("often",)),
    "has_children": ("has_children", ("yes",)),
    "wants_children": ("children", ("wants",)),
    "does_not_want_children": ("children", ("wants_none",)),
    "religious": ("religion", tuple(r for r in RELIGIONS if r not in NOT_RELIGIOUS)),
    "not_religious": ("religion", tuple(r for r in RELIGIONS if r in NOT_RELIGIOUS)),
    "casual": ("goal", ("casual",)),
}
"""Which facts each code rules out: the group, and the codes in it."""


def own_children(candidate: Candidate) -> str | None:
    """Return the person's own wish about children: "wants", "wants_none", "open" or None."""
    return _stated(candidate.profile, candidate.left_out).get("children")


def _stated(person: Profile, out: frozenset[ChallengeField]) -> dict[str, str]:
    """Return the code of each group that is known and not challenged."""
    wish = person.wants.children
    has = person.has_children
    if has is None and wish in ("has_and_wants_more", "has_and_done"):
        has = True
    children = None if wish is None else "open"
    if wish in _WANTS | _WANTS_NONE:
        children = "wants" if wish in _WANTS else "wants_none"
    genders = gender_bits(person.gender)
    found: dict[str, tuple[ChallengeField, str | None]] = {
        "gender": ("gender", str(genders) if genders else None),
        "smoking": ("smoking", person.smoking),
        "drinking": ("drinking", person.drinking),
        "religion": ("religion", person.religion),
        "children": ("children", children),
        "has_children": ("children", None if has is None else ("yes" if has else "no")),
        "goal": ("goal", person.wants.goal),
    }
    return {
        group: code for group, (name, code) in found.items() if code is not None and name not in out
    }


def _goal(goal: str | None) -> int:
    return len(GOALS) if goal is None else GOALS.index(GOAL_OF_WANTS[goal])


def _any(group: str, codes: Iterable[str]) -> int:
    return sum(BITS[group][code] for code in set(codes))


def _others(group: str, accepted: Iterable[str]) -> int:
    return _any(group, BITS[group].keys() - set(accepted) - {UNKNOWN})
