"""Expected matches of an evening, scored on what people truly decided.

Each side is shown the other as ranked lists made from scores; the person at rank k is looked at
with chance 1/k. A pair matches if each looks at the other (drawn apart) and both truly said yes:
matches = sum over i, j of D_ij D_ji / (rank_i(j) rank_j(i)), the measure behind the peer's figures.

Two traps, both met while this was built. Scores of different times must not be mixed in one list:
if the score of a later date knows earlier decisions, a list that prefers its highest scores is
chosen with knowledge of what came after the others, and does worse than no scores at all. And
lists on which two find each other at the same rank gain much without knowing anything, which is
why a row without scores stands beside the methods.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.market import Market, Mask, Matrix, two_sided
from soullink.modules.matching.domain.reciprocal.measures import expected_matches as expected_of
from soullink.modules.matching.domain.reciprocal.policies import Recommendations
from soullink.modules.matching.domain.reciprocal.recommend import Method, recommend
from soullink_ml.markets.evening import log_odds, matches_when_repaired, updated_chances

OURS: Final[Method] = "coordinated"
DRAWS = 24
"""Pairings drawn where there is no score; their mean is reported."""
NEAR_TIE_DRAWS = 12
HALVES = 4
"""How often each evening is cut into halves at random."""
_NEARLY = 1e-6
_NEAR = 0.03
"""On the log-odds, far below what any score of a person is sure to."""
_EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Wave:
    """One evening. left_yes (n, m), right_yes (m, n): chances of a yes, known before anybody met.

    left_said, right_said: the true decisions, same shapes. met: (n, m) who had a date at all;
    nobody else is shown. The scores must come from a model that never saw this wave.
    """

    name: str
    left_yes: Matrix
    right_yes: Matrix
    left_said: Mask
    right_said: Mask
    met: Mask

    @property
    def matched(self) -> Mask:
        """(n, m) where both said yes."""
        both: Mask = self.met & self.left_said & self.right_said.T
        return both


@dataclass(frozen=True, slots=True)
class MatchRow:
    """One method over all waves: mean matches a wave, 95 % interval (bootstrap over waves).

    knows: what the lists rest on. by_wave: matches in each wave, in the order given.
    """

    method: str
    knows: str
    matches_per_wave: float
    low: float
    high: float
    by_wave: tuple[float, ...]


def expected_matches(
    waves: Sequence[Wave], seed: int = 0, resamples: int = 2_000
) -> tuple[MatchRow, ...]:
    """Rows by method, from random to ours, then the bounds; 14 waves take about ten seconds.

    Raises InvalidInputError for no waves or shapes that do not fit.
    """
    if not waves:
        raise InvalidInputError("there is no wave to make lists for")
    markets = [_market(wave) for wave in waves]

    def shown(method: Method) -> list[float]:
        return [
            _score(wave, market, recommend(market, method, seed))
            for wave, market in zip(waves, markets, strict=True)
        ]

    def drawn(
        one: Callable[[Wave, Market, np.random.Generator], float], draws: int = DRAWS
    ) -> list[float]:
        generator = np.random.default_rng(seed)
        return [
            float(np.mean([one(wave, market, generator) for _ in range(draws)]))
            for wave, market in zip(waves, markets, strict=True)
        ]

    profile, none = "scores known before", "nothing"
    rows: list[tuple[str, str, list[float]]] = [
        ("random", none, [_random(*each) for each in zip(waves, markets, strict=True)]),
        ("one-sided", profile, shown("one-sided")),
        ("product", profile, shown("product")),
        ("transferable utility", profile, shown("equilibrium")),
        ("social welfare", profile, shown("social-welfare")),
        ("Nash welfare", profile, shown("nash-welfare")),
        ("stable", profile, shown("stable")),
        ("ours: coordinated", profile, shown(OURS)),
        ("ours, near ties drawn", profile, drawn(_near_ties, NEAR_TIE_DRAWS)),
        ("coordinated, no scores", none, drawn(_unscored)),
        (
            "ours, paired anew after each date",
            "scores and earlier decisions",
            [
                matches_when_repaired(
                    wave.left_yes, wave.right_yes, wave.left_said, wave.right_said, wave.met
                )
                for wave in waves
            ],
        ),
        *_other_half(waves, seed),
        (
            "bound: coordinated on decisions",
            "the decisions",
            [
                _score(wave, market, recommend(_oracle(wave), OURS))
                for wave, market in zip(waves, markets, strict=True)
            ],
        ),
    ]
    generator = np.random.default_rng(seed)
    resampled = generator.integers(0, len(waves), size=(resamples, len(waves)))
    return tuple(_row(method, knows, values, resampled) for method, knows, values in rows)


def _other_half(waves: Sequence[Wave], seed: int) -> list[tuple[str, str, list[float]]]:
    """Lists of those not met yet when a random half of the dates is over, and of them only."""
    generator = np.random.default_rng(seed)
    found: dict[str, list[float]] = {"none": [], "before": [], "after": []}
    for wave in waves:
        sums = dict.fromkeys(found, 0.0)
        for _ in range(HALVES):
            seen = wave.met & (generator.random(wave.met.shape) < 0.5)
            rest = replace(wave, met=wave.met & ~seen)
            market = _market(rest)
            updated = replace(
                market,
                left_yes=updated_chances(log_odds(wave.left_yes), wave.left_said, seen),
                right_yes=updated_chances(log_odds(wave.right_yes), wave.right_said, seen.T),
            )
            sums["none"] += _unscored(rest, market, generator)
            sums["before"] += _score(rest, market, recommend(market, OURS))
            sums["after"] += _score(rest, updated, recommend(updated, OURS))
        for name, total in sums.items():
            found[name].append(total / HALVES)
    return [
        ("other half, no scores", "nothing", found["none"]),
        ("other half, ours", "scores known before", found["before"]),
        ("other half, ours after the first half", "scores and its decisions", found["after"]),
    ]


def _row(method: str, knows: str, values: list[float], resampled: NDArray[np.int64]) -> MatchRow:
    means = np.array(values)[resampled].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return MatchRow(method, knows, float(np.mean(values)), float(low), float(high), tuple(values))


def _market(wave: Wave) -> Market:
    if wave.left_said.shape != wave.left_yes.shape or wave.right_said.shape != wave.right_yes.shape:
        raise InvalidInputError(f"wave {wave.name}: decisions and scores differ in shape")
    return two_sided(wave.left_yes, wave.right_yes, wave.met)


def _truth(wave: Wave, market: Market) -> Market:
    return replace(
        market,
        left_yes=wave.left_said.astype(np.float64),
        right_yes=wave.right_said.astype(np.float64),
    )


def _score(wave: Wave, market: Market, shown: Recommendations) -> float:
    return expected_of(_truth(wave, market), shown)


def _random(wave: Wave, market: Market) -> float:
    """The mean over all orders: each is looked at as much as the mean rank of a list."""
    left, right = market.allowed.sum(axis=1), market.allowed.sum(axis=0)
    seen_left = np.cumsum(market.left_looks)[left - 1] / np.maximum(left, 1)
    seen_right = np.cumsum(market.right_looks)[right - 1] / np.maximum(right, 1)
    return float(seen_left @ wave.matched @ seen_right)


def _unscored(wave: Wave, market: Market, generator: np.random.Generator) -> float:
    """Coordinated rounds of scores that differ by a hair only: which pairs, is chance."""
    left = 0.5 + _NEARLY * generator.random(market.left_yes.shape)
    right = 0.5 + _NEARLY * generator.random(market.right_yes.shape)
    return _score(wave, market, recommend(replace(market, left_yes=left, right_yes=right), OURS))


def _near_ties(wave: Wave, market: Market, generator: np.random.Generator) -> float:
    """Ours from scores moved by less than they are sure to: what of its matches was luck."""
    moved = replace(
        market,
        left_yes=_moved(market.left_yes, generator),
        right_yes=_moved(market.right_yes, generator),
    )
    return _score(wave, market, recommend(moved, OURS))


def _moved(chances: Matrix, generator: np.random.Generator) -> Matrix:
    inside = np.clip(chances, _EDGE, 1.0 - _EDGE)
    odds = np.log(inside / (1.0 - inside)) + _NEAR * generator.normal(size=chances.shape)
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))


def _oracle(wave: Wave) -> Market:
    return two_sided(
        wave.left_said.astype(np.float64), wave.right_said.astype(np.float64), wave.met
    )
