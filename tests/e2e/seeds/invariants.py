"""What must hold whatever happens."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from soullink.modules.simulation.api import (
    ACTS,
    STATE_VARIABLES,
    Act,
    Course,
    EpisodeBegan,
    EpisodeEnded,
    Moment,
    PersonState,
    Turn,
    TurnTaken,
)

ROUNDING = 1e-6
"""Records keep six decimals."""


class BrokenError(AssertionError):
    """An invariant does not hold."""


def require(holds: bool, what: str) -> None:
    """Raise BrokenError with `what` unless it holds."""
    if not holds:
        raise BrokenError(what)


def check_turn(turn: Turn) -> None:
    """Check what a single turn must be like: bounded state, probabilities that sum to one."""
    place = f"turn {turn.episode}.{turn.sequence}"
    for state in (*turn.before, *turn.after):
        _check_state(state, place)
    chances = list(turn.distribution.values())
    require(set(turn.distribution) == {str(act) for act in ACTS}, f"{place}: not every act")
    require(all(0.0 <= p <= 1.0 for p in chances), f"{place}: a probability out of range")
    require(
        abs(math.fsum(chances) - 1.0) <= len(ACTS) * ROUNDING, f"{place}: they do not sum to one"
    )
    require(turn.speaker in {0, 1}, f"{place}: speaker {turn.speaker}")
    require(0.0 <= turn.conflict <= 1.0, f"{place}: conflict {turn.conflict}")
    require(turn.minute >= 0.0, f"{place}: minute {turn.minute}")
    for value in turn.positions or ():
        require(-1.0 <= value <= 1.0, f"{place}: position {value}")
    reading = turn.appraisal
    for value in (reading.affect, reading.values, *reading.needs.values()):
        require(-1.0 <= value <= 1.0, f"{place}: appraisal {value}")
    require(0.0 <= reading.threat <= 1.0, f"{place}: threat {reading.threat}")
    speech = turn.speech
    require(
        (speech.status == "silent") == (turn.act is Act.SILENCE) and bool(speech.words),
        f"{place}: {turn.act} and {speech.status} with {len(speech.words)} characters",
    )
    require(
        not any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in speech.words),
        f"{place}: words that nothing can keep",
    )
    require(
        bool(speech.faults) == (speech.status in {"repaired", "fallback"}),
        f"{place}: {speech.status} with faults {speech.faults}",
    )


def _check_state(state: PersonState, place: str) -> None:
    for name in STATE_VARIABLES:
        value = getattr(state, name)
        low = -1.0 if name == "mood" else 0.0
        require(low <= value <= 1.0, f"{place}: {name} {value}")


def check_order(turns: Sequence[Turn], jump: tuple[int, int] | None = None) -> None:
    """Check that turns follow each other: one row each, no gap, time that only goes on.

    jump: the turn before which a fork has changed how somebody is.
    """
    previous: Turn | None = None
    for turn in turns:
        place = f"turn {turn.episode}.{turn.sequence}"
        if previous is None or turn.episode != previous.episode:
            expected = 1 if previous is None else previous.episode + 1
            require((turn.episode, turn.sequence) == (expected, 1), f"{place} comes out of order")
        else:
            require(turn.sequence == previous.sequence + 1, f"{place} comes out of order")
            require(turn.minute >= previous.minute, f"{place}: time goes back")
            same = turn.before == previous.after or jump == (turn.episode, turn.sequence)
            require(same, f"{place} does not begin where the last ended")
        previous = turn


def check_course(course: Course) -> None:
    """Check a whole record: episodes beside their turns, simulated time, the run itself."""
    jump = None if course.run.fork is None else (course.run.fork.episode, course.run.fork.turn)
    check_order(course.turns, jump)
    require(len(course.turns) == len(course.walls), "a turn without its wall")
    day = -math.inf
    for number, episode in enumerate(course.episodes, start=1):
        own = [turn for turn in course.turns if turn.episode == number]
        place = f"episode {number}"
        require(episode.number == number, f"{place} is called {episode.number}")
        require(episode.turns == len(own), f"{place}: {episode.turns} turns, {len(own)} rows")
        require(episode.day >= day, f"{place}: days go back")
        require(-1.0 <= episode.success <= 1.0, f"{place}: success {episode.success}")
        for state in (*episode.before, *episode.after):
            _check_state(state, place)
        begins = own[0].before == episode.before or jump == (number, 1)
        require(begins, f"{place} begins elsewhere than its turns")
        day = episode.day
    run = course.run
    if run.status == "finished":
        require(run.finished_at is not None and run.finished_at >= run.created_at, "it ends first")
        last = course.episodes[-1].number if course.episodes else 0
        require(all(turn.episode <= last for turn in course.turns), "turns after the end")


@dataclass
class Witness:
    """Sees one life of a run, from its beginning, and knows what was announced in earlier ones."""

    announced: dict[tuple[int, int], Turn] = field(default_factory=dict)
    jump: tuple[int, int] | None = None
    turns: list[Turn] = field(default_factory=list)
    open_episode: int = 0

    def see(self, moment: Moment) -> None:
        """Check a moment against everything seen before it."""
        if isinstance(moment, EpisodeBegan):
            require(moment.number == self.open_episode + 1, f"episode {moment.number} begins")
            self.open_episode = moment.number
        elif isinstance(moment, TurnTaken):
            self._see_turn(moment)
        elif isinstance(moment, EpisodeEnded):
            require(moment.episode.number == self.open_episode, "another episode ends")

    def _see_turn(self, taken: TurnTaken) -> None:
        turn = taken.turn
        place = (turn.episode, turn.sequence)
        check_turn(turn)
        self.turns.append(turn)
        check_order(self.turns, self.jump)
        require(turn.episode == self.open_episode, f"turn {place} outside its episode")
        known = self.announced.get(place)
        if known is not None:
            require(taken.replayed, f"turn {place} was announced and is lived once more")
            require(turn == known, f"turn {place} was announced otherwise")
        self.announced[place] = turn

    def again(self) -> "Witness":
        """Return the witness of the next life."""
        return Witness(self.announced, self.jump)
