"""Where each number of the dynamics lives in the arrays.

A batch of R courses is `people`, shape (R, 2, len(Person)), and `pair`, shape (R, len(Shared)).
One course is a batch with R = 1: there is one set of equations for both.
"""

from enum import IntEnum
from typing import Final

import numpy as np

from soullink.modules.simulation.api import FACTORS, STATE_VARIABLES, FloatArray


class Person(IntEnum):
    """Columns of one person. The first six are PersonState, in the order of STATE_VARIABLES."""

    MOOD = 0
    AROUSAL = 1
    STRESS = 2
    TRUST = 3
    CLOSENESS = 4
    COMMITMENT = 5
    CONNECTION = 6  # felt satisfaction of the need for connection, -1..1
    AUTONOMY = 7  # of the need for autonomy, -1..1
    ESTEEM = 8  # of the need for esteem, -1..1
    LAST_ACT = 9  # index of the own last act in this episode, -1 none
    LAST_ACT_2 = 10  # the one before
    HEARD = 11  # class of the partner's last act as understood, -1 none
    THREAT = 12  # felt in the last turn heard, 0..1
    POSITION = 13  # on the decision, -1..1
    FELT = 14  # sum of appraised affect in this episode
    HEARD_TURNS = 15  # turns heard in this episode
    SATISFACTION = 16  # with the relationship, 0..1
    DISCLOSED = 17  # 1 when the own last turn revealed something and awaits an answer
    HURT = 18  # recent hostility received, 0..1
    GUILT = 19  # recent hostility done, 0..1
    LOAD = 20  # 20..23: external factors in the order of FACTORS, 0..1
    OPENED = 24  # sum of depth revealed so far, saturating, 0..1
    SIMILARITY = 25  # how alike the other seems, 0..1
    SPOKEN = 26  # turns spoken in this episode
    PRESSED = 27  # 1 when the own last turn pursued (demanded) and awaits an answer
    WARMED = 28  # 1 when the own last turn was positive and awaits an answer
    SENSITIVITY = 29  # factor on felt threat and hurt, of this person for good, about 1


N_PERSON: Final = 30
STATE: Final = slice(0, len(STATE_VARIABLES))
LOADS: Final = slice(Person.LOAD, Person.LOAD + len(FACTORS))


class Shared(IntEnum):
    """Columns of the pair."""

    CONFLICT = 0  # level of open conflict, 0..1
    PEAK = 1  # its highest level in this episode
    POSITIVE = 2  # positive turns in this episode
    NEGATIVE = 3
    SILENCE = 4  # silent turns in a row
    REPAIRS = 5
    DISCLOSURES = 6
    TURNS = 7
    AGREED = 8
    ARBITRATED = 9
    LEFT = 10  # 1 when somebody walked away
    CLOSING = 11  # 1 after somebody rounded off
    SPEAKER = 12  # who spoke last, -1 nobody yet
    ROW = 13  # turns in a row of the last speaker
    DAY = 14  # simulated days since the course began
    MINUTE = 15  # simulated minutes since the episode began
    ESCALATED = 16


N_SHARED: Final = 17


class Trait(IntEnum):
    """Columns of the standardised attributes of a person, shape (R, 2, 11)."""

    OPENNESS = 0
    CONSCIENTIOUSNESS = 1
    EXTRAVERSION = 2
    AGREEABLENESS = 3
    NEUROTICISM = 4
    ANXIETY = 5
    AVOIDANCE = 6
    OPENNESS_TO_CHANGE = 7
    SELF_ENHANCEMENT = 8
    CONSERVATION = 9
    SELF_TRANSCENDENCE = 10


N_TRAIT: Final = 11
RANGES: Final[FloatArray] = np.array([[-1.0, 1.0]] + [[0.0, 1.0]] * 5)
"""Lowest and highest value of each state variable, shape (6, 2)."""
