"""One door: from a market and a method's name to what each side is shown."""

from typing import Literal, get_args

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.coordinated import coordinated
from soullink.modules.matching.domain.reciprocal.equilibrium import equilibrium_lists
from soullink.modules.matching.domain.reciprocal.market import Market, Matrix
from soullink.modules.matching.domain.reciprocal.policies import Recommendations, fixed, ranked
from soullink.modules.matching.domain.reciprocal.stable import stable_rounds
from soullink.modules.matching.domain.reciprocal.welfare import nash_welfare, social_welfare

Method = Literal[
    "random",
    "one-sided",
    "product",
    "equilibrium",
    "social-welfare",
    "nash-welfare",
    "coordinated",
    "stable",
]
METHODS: tuple[Method, ...] = get_args(Method)


def recommend(market: Market, method: Method, seed: int = 0, beta: float = 1.0) -> Recommendations:
    """What both sides are shown, whole lists; for shorter ones build the market with `shown`.

    seed: of the order of `random` and of ties in `stable`. beta: of `equilibrium`.
    Raises InvalidInputError for a method of another name, and for `stable` in one group.
    """
    if method not in METHODS:
        raise InvalidInputError(f"a method is one of {', '.join(METHODS)}")
    match method:
        case "random":
            shown = _random(market, seed)
        case "one-sided":
            shown = by_scores(market, market.left_yes, market.right_yes)
        case "product":
            shown = by_scores(market, market.mutual, market.mutual.T)
        case "equilibrium":
            shown = equilibrium_lists(market, beta)
        case "social-welfare":
            shown = social_welfare(market)
        case "nash-welfare":
            shown = nash_welfare(market)
        case "coordinated":
            shown = coordinated(market)
        case "stable":
            shown = stable_rounds(market, seed=seed)
    return shown


def by_scores(market: Market, left: Matrix, right: Matrix) -> Recommendations:
    """Lists by falling score; left (n, m), right (m, n)."""
    return Recommendations(
        fixed(ranked(left, market.allowed), left.shape[1]),
        fixed(ranked(right, market.allowed.T), right.shape[1]),
    )


def _random(market: Market, seed: int) -> Recommendations:
    generator = np.random.default_rng(seed)
    left = generator.random(market.left_yes.shape)
    right = left if market.single else generator.random(market.right_yes.shape)
    return by_scores(market, left, right)
