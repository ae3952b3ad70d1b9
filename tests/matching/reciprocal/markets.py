"""Random markets for the tests of reciprocal recommendation."""

import numpy as np
from hypothesis import strategies as st

from soullink.modules.matching.domain.reciprocal.market import Market, one_sided, two_sided


def market_of(
    left: int, right: int, seed: int, popularity: float = 0.3, open_share: float = 1.0
) -> Market:
    """Uniform tastes mixed with general popularity; a share of pairs may be shown."""
    draw = np.random.default_rng(seed)
    return two_sided(
        (1 - popularity) * draw.random((left, right)) + popularity * np.linspace(1, 0, right),
        (1 - popularity) * draw.random((right, left)) + popularity * np.linspace(1, 0, left),
        draw.random((left, right)) < open_share,
    )


def group_of(people: int, seed: int, open_share: float = 1.0) -> Market:
    """One group with uniform tastes."""
    draw = np.random.default_rng(seed)
    may = draw.random((people, people)) < open_share
    return one_sided(draw.random((people, people)), np.triu(may, 1) | np.triu(may, 1).T)


sizes = st.integers(2, 9)
seeds = st.integers(0, 2**32 - 1)
shares = st.sampled_from((1.0, 0.7, 0.3))


@st.composite
def two_sided_markets(draw: st.DrawFn) -> Market:
    return market_of(
        draw(sizes), draw(sizes), draw(seeds), draw(st.sampled_from((0.0, 0.3, 0.7))), draw(shares)
    )


@st.composite
def groups(draw: st.DrawFn) -> Market:
    return group_of(draw(sizes), draw(seeds), draw(shares))
