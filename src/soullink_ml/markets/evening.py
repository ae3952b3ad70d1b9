"""An evening replayed round by round: pairs of the next round are chosen with what was decided.

The decisions of a pair become known only after the two have met, so nothing of a pair's own
future can enter. Actor and partner effects on the log-odds of a yes get a normal prior and are
fitted anew after each round (a posterior mode; Breslow & Clayton 1993, penalised quasi-likelihood).
"""

import numpy as np

from soullink.modules.matching.domain.reciprocal.assignment import best_pairing
from soullink.modules.matching.domain.reciprocal.market import Mask, Matrix, Vector
from soullink.modules.matching.domain.reciprocal.policies import NOBODY

ACTOR_SD = 0.9
PARTNER_SD = 0.8
"""Spread of people's effects on the log-odds: shares .19 and .16 of a decision's variance."""
_SWEEPS = 6
_EDGE = 1e-3


def matches_when_repaired(
    left_yes: Matrix, right_yes: Matrix, left_said: Mask, right_said: Mask, met: Mask
) -> float:
    """Matches of an evening at 1/k^2 for the pairs of round k, paired anew before every round.

    left_yes (n, m) and right_yes (m, n) are the chances before anybody met; met (n, m) who may.
    """
    left_base, right_base = log_odds(left_yes), log_odds(right_yes)
    both = left_said & right_said.T
    left_open = met.copy()
    everybody = np.arange(len(met))
    matches = 0.0
    for turn in range(1, max(met.shape) + 1):
        seen = met & ~left_open
        left = updated_chances(left_base, left_said, seen)
        right = updated_chances(right_base, right_said, seen.T)
        partner = best_pairing(left * right.T, left_open)
        made = partner != NOBODY
        if not made.any():
            break
        matches += float(both[everybody[made], partner[made]].sum()) / turn**2
        left_open[everybody[made], partner[made]] = False
    return matches


def updated_chances(base: Matrix, said: Mask, seen: Mask) -> Matrix:
    """Chances of a yes (n, m) after the decisions `said` where `seen`; base is log-odds before."""
    actor, partner = np.zeros(base.shape[0]), np.zeros(base.shape[1])
    for _ in range(_SWEEPS):
        actor = _moved(actor, base + partner, said, seen, ACTOR_SD)
        partner = _moved(partner, (base + actor[:, None]).T, said.T, seen.T, PARTNER_SD)
    chance = _chance(base + actor[:, None] + partner)
    spread = np.where(seen, chance * (1.0 - chance), 0.0)
    unsure = 1.0 / (spread.sum(axis=1) + ACTOR_SD**-2)[:, None] + 1.0 / (
        spread.sum(axis=0) + PARTNER_SD**-2
    )
    # The mean of a chance over normal log-odds (MacKay 1992).
    return _chance((base + actor[:, None] + partner) / np.sqrt(1.0 + np.pi / 8.0 * unsure))


def _moved(effect: Vector, rest: Matrix, said: Mask, seen: Mask, deviation: float) -> Vector:
    """One Newton step of each row's effect, rest (rows, columns) being the other log-odds."""
    chance = _chance(rest + effect[:, None])
    slope = np.where(seen, said - chance, 0.0).sum(axis=1) - effect / deviation**2
    curve = np.where(seen, chance * (1.0 - chance), 0.0).sum(axis=1) + deviation**-2
    return np.asarray(effect + slope / curve)


def _chance(log_odds: Matrix) -> Matrix:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def log_odds(chance: Matrix) -> Matrix:
    """Log-odds, kept inside of chances of a thousandth."""
    inside = np.clip(chance, _EDGE, 1.0 - _EDGE)
    return np.asarray(np.log(inside / (1.0 - inside)))
