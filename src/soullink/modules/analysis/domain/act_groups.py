"""Which acts count as what. The groups are those of the dynamics; a test compares both."""

from typing import Final

import numpy as np

from soullink.modules.simulation.api import ACTS, Act, BoolArray

POSITIVE: Final[frozenset[Act]] = frozenset(
    {
        Act.GREET, Act.ASK, Act.DISCLOSE, Act.CONFIDE, Act.JOKE, Act.TEASE, Act.COMPLIMENT,
        Act.AFFECTION, Act.THANK, Act.AGREE, Act.VALIDATE, Act.SUPPORT, Act.PLAN, Act.PROMISE,
        Act.COMPROMISE, Act.CONCEDE, Act.REPAIR, Act.APOLOGISE, Act.FORGIVE,
    }
)  # fmt: skip
"""Acts that a neutral listener finds pleasant."""
NEGATIVE: Final[frozenset[Act]] = frozenset(
    {
        Act.INSIST, Act.COMPLAIN, Act.CRITICISE, Act.BELITTLE, Act.DEFEND, Act.STONEWALL,
        Act.WITHDRAW, Act.REFUSE, Act.LEAVE,
    }
)  # fmt: skip
"""Acts that a neutral listener finds clearly unpleasant."""

WARM: Final = frozenset(
    {
        Act.GREET, Act.COMPLIMENT, Act.AFFECTION, Act.THANK, Act.AGREE, Act.VALIDATE, Act.SUPPORT,
    }
)  # fmt: skip
OPEN: Final = frozenset({Act.ASK, Act.DISCLOSE, Act.CONFIDE})
PLAYFUL: Final = frozenset({Act.JOKE, Act.TEASE})
DEMANDING: Final = frozenset({Act.REQUEST, Act.INSIST, Act.SEEK_REASSURANCE, Act.COMPLAIN})
HOSTILE: Final = frozenset({Act.CRITICISE, Act.BELITTLE, Act.DEFEND})
DISTANT: Final = frozenset({Act.STONEWALL, Act.WITHDRAW, Act.SILENCE, Act.LEAVE})
REPAIRING: Final = frozenset({Act.COMPROMISE, Act.CONCEDE, Act.REPAIR, Act.APOLOGISE, Act.FORGIVE})
DISCLOSING: Final = frozenset({Act.DISCLOSE, Act.CONFIDE, Act.AFFECTION, Act.SEEK_REASSURANCE})
"""Acts that reveal much and therefore wait for an answer (Reis & Shaver 1988)."""

# Groups of this module's own measures.
CARING: Final = frozenset(
    {
        Act.COMPLIMENT, Act.AFFECTION, Act.THANK, Act.VALIDATE, Act.SUPPORT, Act.APOLOGISE,
        Act.FORGIVE,
    }
)  # fmt: skip
ATTENTIVE: Final = frozenset({Act.ASK, Act.VALIDATE})
YIELDING: Final = frozenset({Act.AGREE, Act.COMPROMISE, Act.CONCEDE})
FIRM: Final = frozenset({Act.INSIST, Act.REFUSE, Act.COMPLAIN, Act.CRITICISE})
HARSH: Final = frozenset({Act.CRITICISE, Act.BELITTLE, Act.DEFEND, Act.STONEWALL})


def mask(group: frozenset[Act]) -> BoolArray:
    """Return which of ACTS are in `group`, shape (A,)."""
    return np.array([act in group for act in ACTS])
