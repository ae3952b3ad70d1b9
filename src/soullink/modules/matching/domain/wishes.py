"""How somebody meets what another asked for, criterion by criterion: for sentences, not for search.

Reads the same bits and limits as the search, so the two cannot disagree.
"""

from collections.abc import Mapping

from soullink.modules.matching.api import Candidate, Wish
from soullink.modules.matching.domain import languages
from soullink.modules.matching.domain.facts import (
    BITS,
    UNKNOWN,
    Facts,
    own_children,
    stated_wishes,
)
from soullink.modules.profiles.api import Criterion, cell_distance_km


def wishes(asking: Candidate, mine: Facts, theirs: Facts) -> list[Wish]:
    """Return what `asking` stated and whether the other meets it, a criterion once.

    Of several wishes about one criterion the one that fails counts, then the unknown one.
    """
    found: dict[Criterion, bool | None] = {}
    for criterion, failing, groups in stated_wishes(asking.profile, own_children(asking)):
        met = _met(criterion, failing, groups, mine, theirs)
        before = found.get(criterion, True)
        found[criterion] = False if False in (met, before) else met if met is None else before
    if not asking.profile.looking_for.languages and "languages" not in found:
        found["languages"] = _met("languages", 0, ("languages",), mine, theirs)
    return [Wish(criterion, met) for criterion, met in found.items()]


def failed(asking: Candidate, mine: Facts, theirs: Facts) -> list[Criterion]:
    """Return the criteria for which the other may not be suggested to `asking`."""
    wish = asking.profile.looking_for
    asked = {name for name, _, _ in stated_wishes(asking.profile, own_children(asking))}
    return [
        each.criterion
        for each in wishes(asking, mine, theirs)
        if (each.met is False and wish.importance_of(each.criterion) != "preferred")
        or (
            each.met is None
            and each.criterion in asked
            and wish.importance_of(each.criterion) == "essential"
            and _other_unknown(each.criterion, asking, theirs)
        )
    ]


def _met(
    criterion: Criterion, failing: int, groups: tuple[str, ...], mine: Facts, theirs: Facts
) -> bool | None:
    if criterion == "age":
        return None if not theirs.age else mine.age_from <= theirs.age <= mine.age_to
    if criterion == "languages":
        unknown = languages.ANY in (theirs.speaks, mine.wants_spoken)
        return None if unknown else bool(theirs.speaks & mine.wants_spoken)
    if criterion == "distance":
        return _within_reach(mine, theirs)
    if theirs.facts & failing:
        return False
    return None if any(theirs.facts & _unknown_bit(group) for group in groups) else True


def _within_reach(mine: Facts, theirs: Facts) -> bool | None:
    if mine.cell is None or theirs.cell is None:
        return None
    return round(cell_distance_km(mine.cell, theirs.cell), 1) <= mine.reach_km


def _unknown_bit(group: str) -> int:
    groups: Mapping[str, int] = BITS[group]
    return groups[UNKNOWN]


def _other_unknown(criterion: Criterion, asking: Candidate, theirs: Facts) -> bool:
    """Tell whether it is the other's fact that is unknown; one's own rules nobody out."""
    if criterion in ("age", "distance", "languages"):
        return bool(theirs.facts & _unknown_bit(criterion))
    return any(
        theirs.facts & _unknown_bit(group)
        for name, _, groups in stated_wishes(asking.profile, own_children(asking))
        if name == criterion
        for group in groups
    )
