"""The state machine, whatever the two do in whatever order."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from soullink.modules.relationships.api import (
    OPEN,
    STATES,
    MoveNotPossibleError,
    StaleMoveError,
    State,
)
from soullink.modules.relationships.domain.states import (
    CLOSING,
    TRANSITIONS,
    Side,
    Standing,
    at_time,
    move,
    moves_of,
    seen_by,
    without,
)

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
FORTNIGHT = timedelta(days=14)
SIDES: tuple[Side, Side] = (0, 1)


def proposed() -> Standing:
    return Standing("proposed", START, START, START + FORTNIGHT)


def tried(
    standing: Standing, side: Side, to: State, now: datetime, seen: State | None = None
) -> Standing:
    try:
        return move(standing, side, to, now, seen)
    except (MoveNotPossibleError, StaleMoveError):
        return standing


class Both(RuleBasedStateMachine):
    """Two people and the calendar, at random."""

    @initialize()
    def begin(self) -> None:
        self.standing, self.now = proposed(), START
        self.before = self.standing

    @rule(side=st.sampled_from(SIDES), to=st.sampled_from(STATES))
    def moves(self, side: Side, to: State) -> None:
        self.now += timedelta(seconds=1)
        before = at_time(self.standing, self.now)
        seen = seen_by(before, side, self.now)
        other = seen_by(before, 1 if side == 0 else 0, self.now)
        after = tried(before, side, to, self.now)
        self.before, self.standing = before, after
        if before.state not in OPEN:
            assert after.state == before.state, "something came after the end"
        if after.state != before.state:
            takes = TRANSITIONS[before.state][after.state]
            assert takes == "one" or before.wishes[1 - side] == to, "it took both"
            assert after.since == self.now
        if to in {"ended", "blocked"} and to in TRANSITIONS[seen.state]:
            assert seen_by(after, side, self.now).state == to, "closing is immediate"
            assert after.state not in OPEN
        if to == seen.state:
            assert after.state == before.state
        # Doing it again changes nothing.
        assert tried(after, side, to, self.now) == after
        # Nobody learns of an answer or a block before it may be known.
        if before.state == "proposed" or before.closed_from == "proposed":
            now = seen_by(after, 1 if side == 0 else 0, self.now)
            told = (now.state, now.since) != (other.state, other.since)
            assert not told or after.state == "accepted"

    @rule(days=st.integers(1, 10))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(side=st.sampled_from(SIDES))
    def forgotten(self, side: Side) -> None:
        if self.standing.closed_from is not None:
            gone = without(self.standing, side, self.now)
            assert gone.state == self.standing.state
            assert gone.wishes[side] is None

    @invariant()
    def holds(self) -> None:
        standing = at_time(self.standing, self.now)
        assert (standing.state in OPEN) == (standing.closed_from is None)
        for side in SIDES:
            seen = seen_by(standing, side, self.now)
            # What a side is offered is what works.
            for to in moves_of(standing, side, self.now):
                move(standing, side, to, self.now)
            assert seen.since <= self.now
            if seen.state in {"declined", "blocked"}:
                assert standing.wishes[side] == seen.state, "only who did it may know"
            if seen.hidden:
                assert self.now < standing.expires_at
        if standing.state in OPEN:
            assert not set(standing.wishes) & CLOSING


TestBoth = Both.TestCase
TestBoth.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)


def _reached() -> dict[str, Standing]:
    """Return a standing for every state, and for each with a wish of either side."""
    found: dict[str, Standing] = {}
    frontier = [proposed()]
    while frontier:
        standing = frontier.pop()
        name = f"{standing.state} {standing.wishes} {standing.closed_from}"
        if name in found:
            continue
        found[name] = standing
        for side, to in product(SIDES, STATES):
            frontier.append(tried(standing, side, to, START))
    return found


REACHED = _reached()


def test_every_state_but_expired_is_reached_by_moves() -> None:
    assert {standing.state for standing in REACHED.values()} == set(STATES) - {"expired"}


def _depends(standing: Standing, moves: tuple[State, State]) -> bool:
    """Return whether one agrees to what the other wished, and is just giving up."""
    return any(
        standing.wishes[1 - side] is not None
        and moves[side] == standing.wishes[1 - side]
        and moves[1 - side] != moves[side]
        for side in SIDES
    )


@pytest.mark.parametrize("days", [0, 20])
def test_what_both_decide_at_the_same_sight_ends_the_same_in_any_order(days: int) -> None:
    now = START + timedelta(days=days)
    for standing, of_first, of_second in product(REACHED.values(), STATES, STATES):
        saw = [seen_by(standing, side, now).state for side in SIDES]
        if _depends(standing, (of_first, of_second)):
            continue
        one = tried(tried(standing, 0, of_first, now, saw[0]), 1, of_second, now, saw[1])
        other = tried(tried(standing, 1, of_second, now, saw[1]), 0, of_first, now, saw[0])
        for side in SIDES:
            assert seen_by(one, side, now) == seen_by(other, side, now)
        assert (one.state in OPEN) == (other.state in OPEN)
        if not {of_first, of_second} <= CLOSING:
            # Two closings: the first stands, and each side sees its own.
            assert one.state == other.state
            if one.state in OPEN:
                assert one == other


def test_a_decline_looks_like_silence_until_the_proposal_expires() -> None:
    declined = move(proposed(), 0, "declined", START)
    silent = proposed()
    for day in range(20):
        now = START + timedelta(days=day)
        assert seen_by(declined, 1, now).state == seen_by(silent, 1, now).state
        assert seen_by(declined, 1, now).since == seen_by(silent, 1, now).since
        assert moves_of(declined, 1, now) == moves_of(silent, 1, now)
        for to in STATES:
            one, other = (tried(s, 1, to, now) for s in (declined, silent))
            assert seen_by(one, 1, now).state == seen_by(other, 1, now).state
            assert one.wishes[1] == other.wishes[1]
    assert seen_by(declined, 0, START).state == "declined"


def test_a_block_looks_like_an_end() -> None:
    met = next(s for s in REACHED.values() if s.state == "met")
    later = START + timedelta(days=1)
    blocked, ended = (move(met, 0, to, later) for to in ("blocked", "ended"))
    assert seen_by(blocked, 1, later) == seen_by(ended, 1, later)
    assert seen_by(blocked, 0, later).state == "blocked"


def test_a_wish_can_be_taken_back() -> None:
    wished = move(proposed(), 0, "accepted", START)
    assert wished.wishes == ("accepted", None)
    assert move(wished, 0, "proposed", START).wishes == (None, None)
    assert move(move(wished, 0, "proposed", START), 1, "accepted", START).state == "proposed"


@pytest.mark.parametrize("state", sorted(OPEN - {"proposed"}))
def test_every_open_state_can_be_ended_and_blocked_by_one_whatever_they_saw(state: State) -> None:
    standing = next(s for s in REACHED.values() if s.state == state)
    for side, to in product(SIDES, ("ended", "blocked")):
        assert move(standing, side, to, START, "proposed").state == to
    assert move(standing, 0, "declined", START, "proposed").state == "ended"
    with pytest.raises(StaleMoveError, match=f"{state} by now"):
        move(standing, 0, "expired", START, "proposed")


def test_what_is_not_possible_says_what_is() -> None:
    with pytest.raises(MoveNotPossibleError, match="accepted, declined, blocked, not to together"):
        move(proposed(), 0, "together", START)
    over = without(move(proposed(), 0, "declined", START), 0, START)
    with pytest.raises(MoveNotPossibleError, match="over"):
        move(over, 1, "accepted", START + 2 * FORTNIGHT)
