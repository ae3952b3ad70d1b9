"""The rules of conversation: who speaks next, how decisions settle, when talk ends.

Turn-taking follows Sacks, Schegloff & Jefferson (1974): whoever is addressed has the floor
first, then whoever starts first, then the current speaker may go on. Each person bids for the
floor; the higher bid speaks. The priorities are: answering a direct question, being the one
addressed, agitation, extraversion.

Conflict resolution, in this order: consensus (positions met and the last act settled it);
escalation (open conflict got out of hand: the situation calls a pause, once, and what was
open stays open between them); arbitration (the deadline passed: the situation decides).
"""

from enum import IntEnum
from typing import Final

import numpy as np

from soullink.modules.simulation.api import (
    TIME_OUT_KEEPS,
    Act,
    BoolArray,
    EndedBy,
    FloatArray,
    IntArray,
    Settled,
)
from soullink.modules.simulation.domain.acts import INDEX
from soullink.modules.simulation.domain.dynamics import (
    CLASS_OF,
    DEMAND,
    DISTANT,
    SETTLING,
    bounded,
    sigmoid,
)
from soullink.modules.simulation.domain.layout import Person, Shared, Trait

ASKING: Final = np.isin(
    np.arange(len(INDEX)), [INDEX[a] for a in (Act.ASK, Act.REQUEST, Act.SEEK_REASSURANCE)]
)


def _by_act(values: dict[Act, float]) -> FloatArray:
    return np.array([values.get(act, 0.0) for act in INDEX])


def _among(*acts: Act) -> BoolArray:
    return np.array([act in acts for act in INDEX])


_STEPS: Final = (
    ((Act.CONCEDE,), 0.5, 0.0),
    ((Act.COMPROMISE,), 0.25, 0.15),
    ((Act.AGREE, Act.APOLOGISE), 0.07, 0.0),
    ((Act.PROMISE, Act.PLAN, Act.REPAIR), 0.05, 0.03),
    ((Act.VALIDATE, Act.SUPPORT, Act.ASK), 0.02, 0.02),
    ((Act.REQUEST, Act.COMPLAIN), 0.0, 0.02),
)
"""By act, what share of the way to the other the speaker and the listener go."""
_OWN_STEP: Final = _by_act({act: own for acts, own, _ in _STEPS for act in acts})
_OTHER_STEP: Final = _by_act({act: other for acts, _, other in _STEPS for act in acts})
_HARDENING: Final = _among(Act.INSIST, Act.REFUSE)
_PUSHING: Final = _among(Act.INSIST, Act.CRITICISE, Act.BELITTLE)
ESCALATED_AT: Final = 0.6
"""Level of open conflict, 0..1, at which it is out of hand and the situation calls a pause."""
PAUSE_MINUTES: Final = 10.0
SILENCES_ALLOWED: Final = 3
CONSENSUS_DISTANCE: Final = 0.15


class Ending(IntEnum):
    """Why an episode ended."""

    GOES_ON = -1
    TURNS = 0
    CLOSED = 1
    LEFT = 2
    TRIGGER = 3
    TIMEOUT = 4


ENDINGS: Final[tuple[EndedBy, ...]] = ("turns", "closed", "left", "trigger", "timeout")


class Resolution(IntEnum):
    """How a decision was settled; indexes api.Replicas.resolutions."""

    NONE = 0
    CONSENSUS = 1
    ARBITRATION = 2
    ESCALATION = 3
    OPEN = 4


RESOLUTIONS: Final[tuple[Settled, ...]] = ("none", "consensus", "arbitration", "escalation", "open")


def floor(people: FloatArray, traits: FloatArray, pair: FloatArray, draws: FloatArray) -> IntArray:
    """Return who speaks next in n courses, 0 or 1.

    people: (n, 2, columns); traits: (n, 2, 11); pair: (n, columns); draws: (n, 2) standard
    logistic, one per person, so that the rule does not know who comes first in the arrays.
    """
    n = people.shape[0]
    last = pair[:, Shared.SPEAKER].astype(np.int64)
    rows = np.arange(n)
    begun = last >= 0
    safe = np.where(begun, last, 0)
    last_act = people[rows, safe, Person.LAST_ACT].astype(np.int64)
    asked = begun & (last_act >= 0) & ASKING[last_act]
    closing = pair[:, Shared.CLOSING] > 0
    pursuing = begun & (last_act >= 0) & (CLASS_OF[last_act] == DEMAND)
    bids = (
        0.5 * traits[..., Trait.EXTRAVERSION]
        + 0.6 * (people[..., Person.AROUSAL] - 0.3)
        + 0.7 * draws
    )
    addressed = 1.9 + 1.2 * asked + 4.0 * closing
    going_on = (
        -0.3
        + 0.35 * pursuing * traits[rows, safe, Trait.ANXIETY]
        - 6.0 * (pair[:, Shared.ROW] >= 2)
    )
    bids[rows[begun], 1 - last[begun]] += addressed[begun]
    bids[rows[begun], last[begun]] += going_on[begun]
    return (bids[:, 1] > bids[:, 0]).astype(np.int64)


def interruption_chance(
    speaker: FloatArray, traits: FloatArray, conflict: FloatArray
) -> FloatArray:
    """Return the probability that a change of speaker cuts the other short, shape (n,)."""
    return sigmoid(
        -3.4
        + 2.0 * conflict
        + 1.2 * (speaker[:, Person.AROUSAL] - 0.3)
        + 0.3 * traits[:, Trait.EXTRAVERSION]
        - 0.35 * traits[:, Trait.AGREEABLENESS]
    )


def moved(
    speaker: FloatArray, listener: FloatArray, act: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return (speaker's, listener's) positions on the decision after `act`, each (n,).

    Conceding goes more than half of the way, compromise brings both nearer, insisting hardens
    the speaker and, against pressure, the listener too (reactance, Brehm 1966).
    """
    p, q = speaker[:, Person.POSITION], listener[:, Person.POSITION]
    gap = q - p
    new_p = p + _OWN_STEP[act] * gap
    new_q = q - _OTHER_STEP[act] * gap
    hard = _HARDENING[act]
    new_p = np.where(hard, (p + 0.06 * np.sign(p - q)).clip(-1.0, 1.0), new_p)
    pushed = _PUSHING[act]
    new_q = np.where(pushed, (q + 0.03 * np.sign(q - p)).clip(-1.0, 1.0), new_q)
    return new_p, new_q


def cooled(people: FloatArray, pair: FloatArray, paused: BoolArray) -> FloatArray:
    """Return people after a pause where `paused`; conflict and the clock move in `pair`, in place.

    Physiological calm before going on, as in the time-outs of Gottman & Silver (1999).
    """
    new = people.copy()
    new[paused, :, Person.AROUSAL] -= 0.15
    pair[paused, Shared.CONFLICT] *= TIME_OUT_KEEPS
    pair[paused, Shared.MINUTE] += PAUSE_MINUTES
    return bounded(new)


def settled(distance: FloatArray, act: IntArray) -> BoolArray:
    """Return whether a decision is settled by consensus with this act, shape (n,)."""
    out: BoolArray = (distance < CONSENSUS_DISTANCE) & SETTLING[act]
    return out


def silence(count: FloatArray, act: IntArray) -> FloatArray:
    """Return how many turns in a row gave nothing back, after `act`, shape (n,)."""
    quiet = (CLASS_OF[act] == DISTANT) & (act != INDEX[Act.LEAVE])
    return np.where(quiet, count + 1.0, 0.0)


def ending(pair: FloatArray, act: IntArray, was_closing: BoolArray, most: int) -> IntArray:
    """Return the Ending of each course after this turn, shape (n,).

    Somebody left; both rounded off (the turn after a close); nothing came back for
    SILENCES_ALLOWED turns (timeout); or the scenario's most turns are done.
    """
    out = np.full(pair.shape[0], int(Ending.GOES_ON))
    out = np.where(pair[:, Shared.TURNS] >= most, int(Ending.TURNS), out)
    out = np.where(pair[:, Shared.SILENCE] >= SILENCES_ALLOWED, int(Ending.TIMEOUT), out)
    out = np.where(was_closing, int(Ending.CLOSED), out)
    return np.where(act == INDEX[Act.LEAVE], int(Ending.LEFT), out)
