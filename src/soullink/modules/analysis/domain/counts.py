"""What a course and a batch of replicas have in common, so that one formula measures both."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from soullink.modules.analysis.domain import act_groups
from soullink.modules.simulation.api import (
    ACTS,
    STATE_VARIABLES,
    TIME_OUT_KEEPS,
    Act,
    BoolArray,
    Course,
    FloatArray,
    IntArray,
    Pair,
    Replicas,
    Turn,
)

RESOLUTIONS = ("none", "consensus", "arbitration", "escalation", "open")
ACCEPTED_AFFECT = 0.28
"""A repair is accepted when it leaves the other at least this warm; as the replicas count it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts and states of R courses; shapes and meanings as in simulation.api.Replicas."""

    states: FloatArray
    lived: BoolArray
    ended: IntArray
    acts: IntArray
    positive: IntArray
    negative: IntArray
    repairs: IntArray
    repairs_accepted: IntArray
    pursue_withdraw: IntArray
    answered: IntArray
    disclosures: IntArray
    misreads: IntArray
    matched: IntArray
    conflict_peak: FloatArray
    resolutions: IntArray

    @property
    def size(self) -> int:
        """Return R."""
        return int(self.states.shape[0])

    @property
    def lengths(self) -> IntArray:
        """Return how many episodes each course lived, (R,), at least 1."""
        out: IntArray = np.maximum(self.lived.sum(axis=1), 1)
        return out

    def share(self, group: frozenset[Act]) -> FloatArray:
        """Return the share of each person's turns that are in `group`, (R, 2)."""
        out: FloatArray = self.of(group) / np.maximum(self.acts.sum(axis=2), 1)
        return out

    def of(self, group: frozenset[Act]) -> IntArray:
        """Return how many turns of each person are in `group`, (R, 2)."""
        out: IntArray = self.acts[..., act_groups.mask(group)].sum(axis=2)
        return out

    def after_lived(self, variable: str) -> FloatArray:
        """Return the mean of a state variable over the ends of lived episodes, (R, 2)."""
        column = self.states[:, 1:, :, STATE_VARIABLES.index(variable)]
        weight = self.lived.astype(np.float64)
        out: FloatArray = np.einsum("re,rep->rp", weight, column) / self.lengths[:, None]
        return out

    def at_end(self, variable: str) -> FloatArray:
        """Return a state variable at the end, (R, 2)."""
        return self.states[:, -1, :, STATE_VARIABLES.index(variable)]


def of_replicas(replicas: Replicas) -> Counts:
    """Return the counts of `replicas`."""
    return Counts(**{name: getattr(replicas, name) for name in Counts.__dataclass_fields__})


def _loudest(turn: Turn) -> float:
    """Return the conflict at its height in a turn; what is recorded is after a time-out."""
    return turn.conflict / TIME_OUT_KEEPS if "time_out" in turn.events else turn.conflict


def of_course(course: Course) -> Counts:
    """Return the counts of a recorded course, R = 1, E = its episodes (at least one).

    Only finished episodes count. What the relationship became after the last one is not in the
    record, so `ended` is 0.
    """
    episodes = course.episodes
    finished = {episode.number for episode in episodes}
    turns = [turn for turn in course.turns if turn.episode in finished]
    size = max(len(episodes), 1)
    states = np.zeros((1, size + 1, 2, len(STATE_VARIABLES)))
    for row, pair in enumerate(
        [episodes[0].before, *(e.after for e in episodes)] if episodes else []
    ):
        states[0, row] = _numbers(pair)
    peaks = [
        max((_loudest(turn) for turn in turns if turn.episode == episode.number), default=0.0)
        for episode in episodes
    ]
    tally = _Tally()
    for _, group in groupby(turns, key=lambda turn: turn.episode):
        tally.see(list(group))
    return Counts(
        states=states,
        lived=np.array([[bool(episodes)] * size]),
        ended=np.zeros(1, dtype=np.int64),
        conflict_peak=np.array([peaks or [0.0]]),
        resolutions=np.array(
            [[RESOLUTIONS.index(episode.resolution) for episode in episodes] or [0]]
        ),
        **tally.counts(),
    )


def _numbers(pair: Pair) -> FloatArray:
    return np.array([[getattr(state, name) for name in STATE_VARIABLES] for state in pair])


class _Tally:
    """Counts turns by person, by the rules that the replicas are counted by."""

    _NAMES = (
        "positive", "negative", "repairs", "repairs_accepted", "pursue_withdraw", "answered",
        "disclosures", "misreads", "matched",
    )  # fmt: skip

    def __init__(self) -> None:
        self._acts = np.zeros((1, 2, len(ACTS)), dtype=np.int64)
        self._by_person = {name: np.zeros((1, 2), dtype=np.int64) for name in self._NAMES}

    def counts(self) -> dict[str, IntArray]:
        return {"acts": self._acts, **self._by_person}

    def see(self, turns: Sequence[Turn]) -> None:
        """Count the turns of one episode, in order."""
        for previous, turn in zip([None, *turns], turns, strict=False):
            speaker, listener, act = turn.speaker, 1 - turn.speaker, turn.act
            self._acts[0, speaker, ACTS.index(act)] += 1
            self._add("positive", speaker, act in act_groups.POSITIVE)
            self._add("negative", speaker, act in act_groups.NEGATIVE)
            self._add("disclosures", speaker, act in act_groups.DISCLOSING)
            self._add("misreads", listener, turn.appraisal.misread)
            repairing = act in act_groups.REPAIRING
            self._add("repairs", speaker, repairing)
            self._add(
                "repairs_accepted", speaker, repairing and turn.appraisal.affect >= ACCEPTED_AFFECT
            )
            if previous is not None and previous.speaker == listener:
                self._answer(previous, turn)

    def _answer(self, previous: Turn, turn: Turn) -> None:
        """Count what `turn` is as an answer; it counts for whoever waited for one."""
        waiting, act = previous.speaker, turn.act
        self._add("pursue_withdraw", waiting, is_chase(previous, turn))
        self._add("answered", waiting, is_met(previous, turn))
        self._add(
            "matched",
            waiting,
            previous.act in act_groups.POSITIVE and act in act_groups.POSITIVE,
        )

    def _add(self, name: str, person: int, happened: bool) -> None:
        self._by_person[name][0, person] += happened


def is_chase(previous: Turn, turn: Turn) -> bool:
    """Return whether the first pressed and the second, the other's, stepped back."""
    return previous.act in act_groups.DEMANDING and turn.act in act_groups.DISTANT


def is_met(previous: Turn, turn: Turn) -> bool:
    """Return whether the first revealed something and the second met it warmly or openly."""
    return previous.act in act_groups.DISCLOSING and (
        turn.act in act_groups.WARM or turn.act in act_groups.OPEN
    )
