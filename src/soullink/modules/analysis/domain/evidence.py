"""Which turns of the course shown a statement rests on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from soullink.kernel.language import Language
from soullink.modules.analysis.api import Evidence
from soullink.modules.analysis.domain import act_groups
from soullink.modules.analysis.domain.counts import ACCEPTED_AFFECT, is_chase, is_met
from soullink.modules.analysis.domain.wording.reasons import REASONS
from soullink.modules.simulation.api import Turn

MOST: Final = 4
"""Turns quoted for one statement."""

ROUGH: Final = 0.02
"""Open conflict grows by at least this before a turn is said to heat the talk."""


@dataclass(frozen=True, slots=True)
class Place:
    """A turn with what came before it in its episode. earlier: the speaker's own last turn."""

    turn: Turn
    previous: Turn | None
    earlier: Turn | None

    @property
    def affect(self) -> float:
        """Return how the turn was felt, -1..1."""
        return self.turn.appraisal.affect

    @property
    def answers(self) -> Turn | None:
        """Return the other's turn that this one follows, if any."""
        other = self.previous
        return other if other is not None and other.speaker != self.turn.speaker else None


Weighed: TypeAlias = tuple[float, str] | None
"""How much a turn speaks for (positive) or against a couple in some respect, and why."""
Weigh: TypeAlias = Callable[[Place], Weighed]


def places(turns: Sequence[Turn]) -> Iterator[Place]:
    """Yield every turn with its surroundings, in order."""
    previous: Turn | None = None
    own: dict[int, Turn] = {}
    for turn in turns:
        if previous is not None and previous.episode != turn.episode:
            previous, own = None, {}
        yield Place(turn, previous, own.get(turn.speaker))
        previous = own[turn.speaker] = turn


def chosen(
    turns: Sequence[Turn],
    weigh: Weigh,
    names: tuple[str, str],
    language: Language,
    most: int = MOST,
) -> tuple[Evidence, ...]:
    """Return the turns that weigh most, both for and against where there are both, in order."""
    found = [(weighed, place.turn) for place in places(turns) if (weighed := weigh(place))]
    found.sort(key=lambda one: (-abs(one[0][0]), one[1].episode, one[1].sequence))
    against = [one for one in found if one[0][0] < 0]
    speaking_for = [one for one in found if one[0][0] >= 0]
    half = most // 2
    kept = speaking_for[: max(half, most - len(against))]
    kept += against[: most - len(kept)]
    kept.sort(key=lambda one: (one[1].episode, one[1].sequence))
    return tuple(quoted(turn, reason, names, language) for (_, reason), turn in kept)


def quoted(turn: Turn, reason: str, names: tuple[str, str], language: Language) -> Evidence:
    """Return a turn as evidence; reason: a key of REASONS."""
    return Evidence(
        episode=turn.episode,
        turn=turn.sequence,
        speaker=turn.speaker,
        act=str(turn.act),
        quote=turn.speech.words,
        why=REASONS[reason][language].format(
            speaker=names[turn.speaker], listener=names[1 - turn.speaker]
        ),
    )


def change(turn: Turn, *variables: str) -> float:
    """Return the summed change of state variables of both people over a turn."""
    return sum(
        float(getattr(after, name)) - float(getattr(before, name))
        for before, after in zip(turn.before, turn.after, strict=True)
        for name in variables
    )


def _warmth(place: Place) -> Weighed:
    if place.turn.act in act_groups.CARING:
        return (place.affect, "care") if place.affect > 0 else (place.affect, "care_missed")
    if place.turn.act in act_groups.HARSH and place.affect < 0:
        return place.affect, "harsh"
    return None


def _understanding(place: Place) -> Weighed:
    if place.turn.appraisal.misread:
        return -0.3 - abs(place.affect), "misread"
    other = place.answers
    if other is None or other.act not in act_groups.DISCLOSING:
        return None
    if is_met(other, place.turn):
        return 0.2 + max(place.affect, 0.0), "met"
    return -0.2 + min(place.affect, 0.0), "unmet"


def _trust(place: Place) -> Weighed:
    moved = change(place.turn, "trust")
    if moved == 0.0:
        return None
    return moved, "trust_up" if moved > 0 else "trust_down"


def _conflict(place: Place) -> Weighed:
    before = 0.0 if place.previous is None else place.previous.conflict
    if place.turn.act in act_groups.REPAIRING:
        worked = place.affect >= ACCEPTED_AFFECT
        weight = 0.1 + before + abs(place.affect) * 0.1
        return (weight, "mended") if worked else (-weight, "not_mended")
    rise = place.turn.conflict - before
    return (-rise, "heat") if place.previous is not None and rise > ROUGH else None


def _fun(place: Place) -> Weighed:
    if place.turn.act not in act_groups.PLAYFUL:
        return None
    landed = place.affect > 0 and not place.turn.appraisal.misread
    return (place.affect, "play") if landed else (-0.2 - abs(place.affect), "play_missed")


def _values(place: Place) -> Weighed:
    positions = place.turn.positions
    if positions is None:
        return None
    distance = abs(positions[0] - positions[1]) / 2
    if place.turn.act in act_groups.YIELDING:
        return 0.1 + distance, "yield"
    if place.turn.act in act_groups.FIRM:
        return -0.1 - distance, "firm"
    return None


def _rhythm(place: Place) -> Weighed:
    other = place.answers
    if other is not None and is_chase(other, place.turn):
        return -1.0 + 0.1 * place.affect, "chase"
    if place.turn.interrupted:
        return -0.4 - 0.1 * place.turn.conflict, "cut_in"
    if place.turn.act in act_groups.DISTANT:
        return -0.2 + 0.1 * place.affect, "quiet"
    away = place.earlier is not None and place.earlier.act in act_groups.DISTANT
    return (0.5 + place.affect, "came_back") if away and place.affect > 0.1 else None


def _spark(place: Place) -> Weighed:
    if place.turn.episode != 1:
        return None
    moved = change(place.turn, "closeness")
    return (moved, "drawn") if moved > 0 else (moved, "cool") if moved < 0 else None


DIMENSIONS: Final[Mapping[str, Weigh]] = {
    "warmth": _warmth,
    "understanding": _understanding,
    "trust": _trust,
    "conflict": _conflict,
    "fun": _fun,
    "values": _values,
    "rhythm": _rhythm,
    "spark": _spark,
}


def _signed(place: Place) -> Weighed:
    act = place.turn.act
    if act in act_groups.POSITIVE:
        return max(place.affect, 0.01), "positive"
    return (min(place.affect, -0.01), "negative") if act in act_groups.NEGATIVE else None


def _signed_in_conflict(place: Place) -> Weighed:
    return _signed(place) if in_conflict(place) else None


def _chased(place: Place) -> Weighed:
    other = place.answers
    chase = other is not None and is_chase(other, place.turn)
    return (-1.0 - place.turn.conflict, "chase") if chase else None


def _mending(place: Place) -> Weighed:
    return _conflict(place) if place.turn.act in act_groups.REPAIRING else None


def _matched(place: Place) -> Weighed:
    other = place.answers
    both = (
        other is not None
        and other.act in act_groups.POSITIVE
        and place.turn.act in act_groups.POSITIVE
    )
    return (max(place.affect, 0.01), "matched") if both else None


def _met(place: Place) -> Weighed:
    return None if place.turn.appraisal.misread else _understanding(place)


def _misread(place: Place) -> Weighed:
    return _understanding(place) if place.turn.appraisal.misread else None


def _cut_in(place: Place) -> Weighed:
    return (-0.5 - place.turn.conflict, "cut_in") if place.turn.interrupted else None


def _pressed(place: Place) -> Weighed:
    if place.turn.act not in act_groups.DEMANDING:
        return None
    return -0.1 - max(0.0, -place.affect), "pressed"


BEHAVIOUR: Final[Mapping[str, Weigh]] = {
    "positivity": _signed,
    "conflict_positivity": _signed_in_conflict,
    "pursue_withdraw": _chased,
    "repair_success": _mending,
    "reciprocity": _matched,
    "responsiveness": _met,
    "misreadings": _misread,
    "interruptions": _cut_in,
    "demands": _pressed,
}

IN_CONFLICT: Final = 0.2
"""A turn belongs to conflict talk when open conflict stood at this or more before it."""


def in_conflict(place: Place) -> bool:
    """Return whether the turn was said while open conflict stood high."""
    return place.previous is not None and place.previous.conflict >= IN_CONFLICT
