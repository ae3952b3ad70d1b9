"""One side's timeline: everything that it may know, and nothing of what is the other's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from soullink.modules.relationships.api import OPEN, CheckIn, Outcome, State, TimelineEntry
from soullink.modules.relationships.domain.states import CLOSING, Side, Standing, seen_by


@dataclass(frozen=True, slots=True)
class Change:
    """A change of state that happened. side: who made it; both: the other had wished the same."""

    at: datetime
    side: Side | None
    both: bool
    state: State


@dataclass(frozen=True, slots=True)
class Own:
    """What one side did alone. wishes: when it said that it wants to go where."""

    wishes: Sequence[tuple[datetime, State]]
    check_ins: Sequence[CheckIn]
    outcome: Outcome | None


def timeline_of(
    standing: Standing, side: Side, now: datetime, changes: Sequence[Change], own: Own
) -> list[TimelineEntry]:
    """Return what `side` may know, oldest first. own: of this side.

    While it was open both saw every change; how it closed is told as this side may see it.
    """
    # A wish before the change that it completes: sorting keeps the order within one moment.
    entries = [TimelineEntry(at, "wish", "you", state) for at, state in own.wishes]
    entries += [
        TimelineEntry(change.at, "state", _who(change, side), change.state)
        for change in changes
        if change.state in OPEN
    ]
    seen = seen_by(standing, side, now)
    if seen.state not in OPEN:
        by = _closer(standing, side, changes)
        entries.append(TimelineEntry(seen.since, "state", by, seen.state))
    entries += [TimelineEntry(done.at, "check_in", "you", check_in=done) for done in own.check_ins]
    if own.outcome is not None:
        at, again = own.outcome.answered_at, own.outcome.would_meet_again
        entries.append(TimelineEntry(at, "outcome", "you", would_meet_again=again))
    return sorted(entries, key=lambda entry: entry.at)


def _who(change: Change, side: Side) -> Literal["you", "other", "both"] | None:
    if change.both:
        return "both"
    if change.side is None:
        return None
    return "you" if change.side == side else "other"


def _closer(
    standing: Standing, side: Side, changes: Sequence[Change]
) -> Literal["you", "other"] | None:
    if standing.wishes[side] in CLOSING:
        return "you"
    if standing.closed_from == "proposed":
        return None
    closing = [change.side for change in changes if change.state not in OPEN]
    return "other" if closing == [1 - side] else None
