"""Which of two arms is better, decided at any time one likes to look.

An e-process is a wealth that starts at 1 and cannot be expected to grow when both arms are equally
good. By Ville's inequality (Ville 1939, Étude critique de la notion de collectif) it then ever
reaches 1/alpha with a probability of at most alpha, so looking after every pair costs nothing.
Overview: Ramdas, Grünwald, Vovk & Shafer 2023, Game-theoretic statistics and safe
anytime-valid inference, Statistical Science 38(4).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

CONCENTRATION: Final = 5.0
"""Both parameters of the Beta mixture. Small bets on large differences, large on small ones; 5
finds 60 against 70 % a little more often than 2 or 10 do."""

_BETS: Final = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9])
"""Shares of the wealth that are bet on a difference in scores, mixed in equal parts."""

_STEPS: Final = 60
"""Halvings of an interval in search of its end; more than a float can tell apart."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What pairs of outcomes (of A, of B) say.

    discordant: pairs that differ; wins: of A and B among them. means: of A and B.
    e_value: now; peak: its largest so far. decided_after: pairs after which it reached 1/alpha,
    from 1. winner: 0 for A, 1 for B. interval: as in ExperimentStatus.
    """

    pairs: int
    discordant: int
    wins: tuple[int, int]
    means: tuple[float, float]
    e_value: float
    peak: float
    decided_after: int | None
    winner: int | None
    interval: tuple[float, float]


def log_e_value(wins: int, losses: int) -> float:
    """Return the logarithm of the e-value of discordant pairs, B's wins and losses.

    The likelihood of the pairs, averaged over a Beta(a, a) distribution of B's share, against a
    share of one half: E = B(a + wins, a + losses) / B(a, a) * 2^(wins + losses). Two-sided.
    After Robbins 1970, Statistical methods related to the law of the iterated logarithm.
    """
    a = CONCENTRATION
    mixed = _log_beta(a + wins, a + losses) - _log_beta(a, a)
    return mixed + (wins + losses) * math.log(2.0)


def share_interval(wins: int, losses: int, alpha: float) -> tuple[float, float]:
    """Return the shares of B that the discordant pairs do not speak against.

    The same mixture against every share p, instead of one half: those with an e-value below
    1/alpha. Holds the true share at all looks at once with probability 1 - alpha.
    """
    a = CONCENTRATION
    mixed = _log_beta(a + wins, a + losses) - _log_beta(a, a)
    limit = mixed - math.log(1.0 / alpha)

    def excluded(share: float) -> bool:
        likelihood = (wins * math.log(share) if wins else 0.0) + (
            losses * math.log1p(-share) if losses else 0.0
        )
        return likelihood <= limit

    # The likelihood has its one summit at the share seen, and falls on both sides.
    seen = wins / (wins + losses) if wins + losses else 0.5
    low = 0.0 if wins == 0 else _border(excluded, 0.0, seen)
    high = 1.0 if losses == 0 else _border(excluded, 1.0, seen)
    return low, high


def judge_binary(pairs: Sequence[tuple[float, float]], alpha: float) -> Evidence:
    """Return the evidence of pairs of 0 or 1; those in which both arms agree say nothing.

    Given that a pair is discordant, equal arms win it with probability one half each, however
    alike the arms of a pair are otherwise (McNemar 1947).
    """
    wins = [0, 0]
    peak, decided, winner = 0.0, None, None
    for position, (a, b) in enumerate(pairs, start=1):
        if a == b:
            continue
        wins[b > a] += 1
        now = log_e_value(wins[1], wins[0])
        peak = max(peak, now)
        if decided is None and now >= -math.log(alpha):
            decided, winner = position, int(wins[1] > wins[0])
    return Evidence(
        pairs=len(pairs),
        discordant=sum(wins),
        wins=(wins[0], wins[1]),
        means=_means(pairs),
        e_value=_exp(log_e_value(wins[1], wins[0])),
        peak=_exp(peak),
        decided_after=decided,
        winner=winner,
        interval=share_interval(wins[1], wins[0], alpha),
    )


def judge_scores(pairs: Sequence[tuple[float, float]], alpha: float) -> Evidence:
    """Return the evidence of pairs of scores in 0.0..1.0, by betting on their difference.

    Wealth: the mean over bets of the products of 1 + bet * (b - a), over both directions. After
    Waudby-Smith & Ramdas 2024, Estimating means of bounded random variables by betting, JRSS B
    86(1), with a fixed mixture of bets instead of an adaptive one.
    """
    differences = np.array([b - a for a, b in pairs], dtype=np.float64)
    up = np.cumsum(np.log1p(np.outer(differences, _BETS)), axis=0)
    down = np.cumsum(np.log1p(np.outer(differences, -_BETS)), axis=0)
    both = np.logaddexp.reduce(np.hstack([up, down]), axis=1) - math.log(2 * len(_BETS))
    over = np.flatnonzero(both >= -math.log(alpha))
    first = int(over[0]) if len(over) else None
    winner = None
    if first is not None:
        winner = int(np.logaddexp.reduce(up[first]) > np.logaddexp.reduce(down[first]))
    return Evidence(
        pairs=len(pairs),
        discordant=int(np.count_nonzero(differences)),
        wins=(int(np.count_nonzero(differences < 0)), int(np.count_nonzero(differences > 0))),
        means=_means(pairs),
        e_value=_exp(float(both[-1])) if len(pairs) else 1.0,
        peak=_exp(max(0.0, float(both.max()))) if len(pairs) else 1.0,
        decided_after=None if first is None else first + 1,
        winner=winner,
        interval=difference_interval(differences, alpha),
    )


def difference_interval(differences: NDArray[np.float64], alpha: float) -> tuple[float, float]:
    """Return the mean differences that are not excluded, from either side at alpha / 2.

    differences: (pairs,), each in -1..1. A mean m is too small once betting that the mean is
    larger has earned 2/alpha; bets are as large as keeps the wealth positive whatever comes.
    """
    limit = math.log(2.0 / alpha) + math.log(len(_BETS))

    def earned(above: NDArray[np.float64], mean_above: float) -> float:
        """Bet on distances from the far end, which are positive, against their mean."""
        gains = above / mean_above - 1.0
        return float(np.logaddexp.reduce(np.log1p(np.outer(gains, _BETS)).sum(axis=0)))

    seen = float(differences.mean()) if len(differences) else 0.0
    # Each wealth falls with the mean bet against, so one border parts what is excluded.
    low = _border(lambda mean: earned(differences + 1.0, mean + 1.0) >= limit, -1.0, seen)
    high = _border(lambda mean: earned(1.0 - differences, 1.0 - mean) >= limit, 1.0, seen)
    return low, high


def _border(excluded: Callable[[float], bool], out: float, kept: float) -> float:
    """Return where `excluded` begins on the way from `kept` to `out`; `out` where it never does."""
    for _ in range(_STEPS):
        middle = (out + kept) / 2.0
        if middle in (out, kept):
            break
        if excluded(middle):
            out = middle
        else:
            kept = middle
    return out


def _means(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    count = max(1, len(pairs))
    return math.fsum(a for a, _ in pairs) / count, math.fsum(b for _, b in pairs) / count


def _exp(logarithm: float) -> float:
    """Return e to the power; evidence beyond what a float holds is as large as one can be."""
    return math.exp(min(logarithm, 709.0))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
