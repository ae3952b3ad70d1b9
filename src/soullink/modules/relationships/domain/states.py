"""The state machine: who can move a relationship where, and what each side may see of it.

A state has two ways out. "one": either side goes, at once. "both": a side says that it wants to,
and it happens when the other has said the same by itself; nobody is told of a wish before. Ending
and blocking take one, from everywhere. Declining closes a proposal, but the other side is not to
learn who did it: for them it stays proposed, they can still answer, and it expires like any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias

from soullink.modules.relationships.api import (
    OPEN,
    MoveNotPossibleError,
    StaleMoveError,
    State,
)

Side: TypeAlias = Literal[0, 1]
Takes: TypeAlias = Literal["one", "both"]

CLOSING: Final[frozenset[State]] = frozenset({"ended", "declined", "blocked"})
_OUT: Final[Mapping[State, Takes]] = {"ended": "one", "blocked": "one"}

TRANSITIONS: Final[Mapping[State, Mapping[State, Takes]]] = {
    "proposed": {"accepted": "both", "declined": "one", "blocked": "one"},
    # That they met is a fact that either can tell, no wish.
    "accepted": {"met": "one", **_OUT},
    "met": {"dating": "both", **_OUT},
    "dating": {"together": "both", "paused": "one", **_OUT},
    "together": {"paused": "one", **_OUT},
    # Back to where it was paused.
    "paused": {"dating": "both", "together": "both", **_OUT},
    "ended": {},
    "declined": {},
    "expired": {},
    "blocked": {},
}
"""Where each state can go and whom it takes. Only time makes a proposal expire."""

MEETINGS: Final[frozenset[State]] = frozenset({"met", "dating", "together", "paused"})
"""Open states of people who have met."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a relationship stands.

    wishes: where each side wants to go, or how it closed it; wished_at: since when.
    closed_from: the state that it was closed in, None while it is open. paused_from: where a pause
    ends, None outside of one.
    """

    state: State
    since: datetime
    proposed_at: datetime
    expires_at: datetime
    wishes: tuple[State | None, State | None] = (None, None)
    wished_at: tuple[datetime | None, datetime | None] = (None, None)
    closed_from: State | None = None
    paused_from: State | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What one side may see. hidden: it is closed, and this side is not to know."""

    state: State
    since: datetime
    hidden: bool = False


def at_time(standing: Standing, now: datetime) -> Standing:
    """Return the standing with a proposal that ran out expired, at the moment it did."""
    if standing.state == "proposed" and now >= standing.expires_at:
        return replace(standing, state="expired", since=standing.expires_at, closed_from="proposed")
    return standing


def seen_by(standing: Standing, side: Side, now: datetime) -> Seen:
    """Return the state as `side` may know it."""
    standing = at_time(standing, now)
    own, own_at = standing.wishes[side], standing.wished_at[side]
    if standing.state in OPEN:
        return Seen(standing.state, standing.since)
    if own in CLOSING and own is not None and own_at is not None:
        return Seen(own, own_at)
    if standing.state == "expired":
        return Seen(standing.state, standing.since)
    if standing.closed_from == "proposed" and standing.state != "ended":
        if now >= standing.expires_at:
            return Seen("expired", standing.expires_at)
        return Seen("proposed", standing.proposed_at, hidden=True)
    return Seen("ended", standing.since)


def moves_of(standing: Standing, side: Side, now: datetime) -> Mapping[State, Takes]:
    """Return what `side` can do, by what it sees.

    At most one of them takes both, so that two wishes can always be told to agree or not.
    """
    moves = TRANSITIONS[seen_by(standing, side, now).state]
    back = standing.paused_from
    return moves if back is None else {s: t for s, t in moves.items() if t == "one" or s == back}


def move(
    standing: Standing, side: Side, to: State, now: datetime, seen: State | None = None
) -> Standing:
    """Return the standing after `side` moved, unchanged where there is nothing to do.

    seen: what the side saw when it decided; None is: what it sees now. Closing works whatever it
    saw.
    Raises MoveNotPossibleError, StaleMoveError.
    """
    standing = at_time(standing, now)
    shown = seen_by(standing, side, now)
    if to == shown.state:
        free = standing.state in OPEN or shown.hidden
        return _with_wish(standing, side, None, None) if free else standing
    if (to, seen) == ("declined", "proposed") and shown.state in OPEN - {"proposed"}:
        to = "ended"  # the other has just said yes, and no is no
    always = to in {"ended", "blocked"}
    if seen is not None and seen != shown.state and not always:
        raise StaleMoveError(f"It is {shown.state} by now, not {seen}; look again.")
    if shown.state not in OPEN:
        if always:
            # It is over already; a block is kept for its side to see.
            return _with_wish(standing, side, to, now) if to == "blocked" else standing
        raise MoveNotPossibleError(f"This is over ({shown.state}); nothing comes after.")
    possible = moves_of(standing, side, now)
    takes = possible.get(to)
    if takes is None:
        raise MoveNotPossibleError(
            f"From {shown.state} it goes to {', '.join(possible)}, not to {to}."
        )
    if shown.hidden:
        return _with_wish(standing, side, to, now)
    if takes == "both" and standing.wishes[1 - side] != to:
        return standing if standing.wishes[side] == to else _with_wish(standing, side, to, now)
    if to in CLOSING:
        closed = _with_wish(standing, side, to, now)
        return _closed(closed, to, now)
    return replace(
        standing,
        state=to,
        since=now,
        wishes=(None, None),
        wished_at=(None, None),
        paused_from=standing.state if to == "paused" else None,
    )


def without(standing: Standing, side: Side, now: datetime) -> Standing:
    """Return the standing after `side` was forgotten: what is open is over."""
    standing = _with_wish(at_time(standing, now), side, None, None)
    if standing.state not in OPEN:
        return standing
    over: State = "expired" if standing.state == "proposed" else "ended"
    return _closed(standing, over, now)


def _closed(standing: Standing, to: State, now: datetime) -> Standing:
    return replace(standing, state=to, since=now, closed_from=standing.state, paused_from=None)


def _with_wish(standing: Standing, side: Side, wish: State | None, at: datetime | None) -> Standing:
    wishes, times = standing.wishes, standing.wished_at
    if side == 0:
        return replace(standing, wishes=(wish, wishes[1]), wished_at=(at, times[1]))
    return replace(standing, wishes=(wishes[0], wish), wished_at=(times[0], at))
