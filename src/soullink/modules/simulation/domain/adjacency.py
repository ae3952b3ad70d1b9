"""What may follow what: adjacency pairs of talk.

Questions are answered, offers taken up or turned down, apologies accepted, troubles met
(Schegloff & Sacks 1973; Sacks, Schegloff & Jefferson 1974; Schegloff 2007). The table gives
log-odds by the partner's act just before; it holds when the floor has just changed.
"""

from typing import Final

import numpy as np

from soullink.modules.simulation.api import ACTS, Act, FloatArray
from soullink.modules.simulation.domain.acts import INDEX

NEVER: Final = -40.0
"""Log-odds of an act that the sequence of talk does not allow here."""

_A = Act
_TROUBLE: Final = (
    _A.CONFIDE,
    _A.COMPLAIN,
    _A.SEEK_REASSURANCE,
    _A.WITHDRAW,
    _A.SILENCE,
    _A.STONEWALL,
)
_TELLING: Final = (_A.DISCLOSE, _A.SMALL_TALK)
_OFFER: Final = (_A.PLAN, _A.REQUEST, _A.COMPROMISE, _A.INSIST, _A.PROMISE)
_GIFT: Final = (
    _A.COMPLIMENT, _A.SUPPORT, _A.PROMISE, _A.VALIDATE, _A.AFFECTION, _A.CONCEDE, _A.APOLOGISE,
    _A.FORGIVE, _A.PLAN, _A.COMPROMISE,
)  # fmt: skip
_ATTACK: Final = (
    _A.CRITICISE,
    _A.BELITTLE,
    _A.COMPLAIN,
    _A.DEFEND,
    _A.STONEWALL,
    _A.WITHDRAW,
    _A.REFUSE,
    _A.INSIST,
)

ONLY_AFTER: Final[dict[Act, tuple[Act, ...]]] = {
    _A.VALIDATE: (
        *_TROUBLE,
        *_TELLING,
        _A.CRITICISE,
        _A.SET_BOUNDARY,
        _A.REQUEST,
        _A.APOLOGISE,
        _A.THANK,
        _A.DEFEND,
    ),
    _A.SUPPORT: (*_TROUBLE, _A.DISCLOSE, _A.APOLOGISE, _A.CRITICISE),
    _A.THANK: _GIFT,
    _A.AGREE: (
        *_TELLING,
        *_OFFER,
        _A.JOKE,
        _A.COMPLAIN,
        _A.VALIDATE,
        _A.SET_BOUNDARY,
        _A.CRITICISE,
        _A.CONCEDE,
        _A.CLOSE,
        _A.TEASE,
    ),
    _A.REFUSE: (*_OFFER, _A.SEEK_REASSURANCE, _A.ASK),
    _A.DEFEND: _ATTACK,
    _A.FORGIVE: (_A.APOLOGISE, _A.REPAIR),
    _A.STONEWALL: (*_ATTACK, *_OFFER, _A.SEEK_REASSURANCE, _A.ASK, _A.REPAIR),
    _A.CONCEDE: (
        *_OFFER,
        _A.COMPLAIN,
        _A.CRITICISE,
        _A.SET_BOUNDARY,
        _A.VALIDATE,
        _A.APOLOGISE,
        _A.REFUSE,
        _A.DEFEND,
    ),
    _A.SEEK_REASSURANCE: tuple(
        act for act in ACTS if act not in (_A.GREET, _A.AFFECTION, _A.COMPLIMENT, _A.JOKE)
    ),
}
"""Acts that answer something. Elsewhere they would come out of nowhere."""

_ODDS: Final[tuple[tuple[tuple[Act, ...], tuple[Act, ...], float], ...]] = (
    ((_A.ASK,), (_A.DISCLOSE,), 2.0),
    ((_A.ASK,), (_A.CONFIDE,), 1.2),
    ((_A.ASK,), (_A.JOKE, _A.WITHDRAW), 0.4),
    ((_A.ASK,), (_A.ASK, _A.COMPLIMENT, _A.PLAN, _A.REQUEST, _A.SMALL_TALK, _A.TEASE, _A.AFFECTION, _A.INSIST), -1.0),
    (_TELLING, (_A.ASK,), 0.5),
    ((_A.CONFIDE,), (_A.VALIDATE, _A.SUPPORT), 1.0),
    ((_A.CONFIDE,), (_A.SMALL_TALK, _A.JOKE, _A.TEASE, _A.PLAN, _A.REQUEST), -1.2),
    (_TROUBLE, (_A.SUPPORT, _A.VALIDATE), 0.4),
    ((_A.PLAN, _A.REQUEST, _A.COMPROMISE), (_A.AGREE, _A.PROMISE), 0.9),
    ((_A.REQUEST, _A.INSIST), (_A.REFUSE, _A.CONCEDE, _A.COMPROMISE), 0.7),
    ((_A.REQUEST, _A.SEEK_REASSURANCE), (_A.SMALL_TALK, _A.TEASE, _A.DISCLOSE), -0.8),
    ((_A.SEEK_REASSURANCE,), (_A.AFFECTION, _A.PROMISE, _A.VALIDATE), 0.9),
    ((_A.COMPLIMENT, _A.SUPPORT), (_A.THANK,), 0.6),
    ((_A.JOKE, _A.TEASE), (_A.JOKE, _A.TEASE), 0.4),
    ((_A.APOLOGISE,), (_A.FORGIVE,), 0.8),
    ((_A.APOLOGISE, _A.REPAIR, _A.CONCEDE), (_A.CRITICISE, _A.BELITTLE, _A.INSIST), -0.6),
    ((_A.GREET,), (_A.GREET,), 9.0),
    ((_A.GREET,), (_A.COMPROMISE, _A.INSIST, _A.CLOSE, _A.PROMISE, _A.APOLOGISE, _A.REPAIR), -2.0),
    ((_A.CRITICISE, _A.BELITTLE), (_A.SMALL_TALK, _A.COMPLIMENT, _A.PLAN, _A.TEASE, _A.JOKE, _A.AFFECTION), -0.8),
    ((_A.CLOSE,), (_A.CLOSE, _A.THANK, _A.AFFECTION), 3.0),
    ((_A.CLOSE,), (_A.ASK, _A.INSIST, _A.SET_BOUNDARY, _A.DISCLOSE, _A.CONFIDE, _A.REQUEST, _A.CRITICISE, _A.COMPLAIN, _A.TEASE, _A.SMALL_TALK, _A.COMPROMISE, _A.REFUSE), -2.5),
)  # fmt: skip


def _table() -> FloatArray:
    table = np.zeros((len(ACTS) + 1, len(ACTS)))
    for act, before in ONLY_AFTER.items():
        allowed = [INDEX[other] for other in before]
        column = np.full(len(ACTS) + 1, NEVER)
        column[allowed] = 0.0
        table[:, INDEX[act]] = column
    for before, after, odds in _ODDS:
        for first in before:
            for second in after:
                table[INDEX[first], INDEX[second]] += odds
    return table


TABLE: Final[FloatArray] = _table()
"""Log-odds by (the partner's last act, the next act), shape (A + 1, A); row -1: nothing said yet."""
