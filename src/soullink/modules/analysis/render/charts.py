"""Charts of spreads: intervals, histograms, states of the relationship, effects."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from soullink.modules.analysis.api import (
    RELATIONSHIP_STATES,
    Counterfactual,
    Dimension,
    Histogram,
    Horizon,
    Shift,
    StateShare,
)
from soullink.modules.analysis.render import svg
from soullink.modules.analysis.render.figures import number, percent

SHARE_WITH_LABEL = 0.09
"""A state narrower than this has no number written into it; the table has it."""
ROOM = 1.08
"""The scale of effects is this much wider than they are, so that no whisker ends at the edge."""
FIRST = 3
"""So many effects are shown whatever their intervals."""


def interval(dimension: Dimension, title: str) -> Markup:
    """Return a dimension on its scale 0..100: dot, 80 % interval, diamond for the course shown."""
    low, high = dimension.low / 100, dimension.high / 100
    ticks = [
        svg.element("line", x1=at, x2=at, y1=8, y2=28, class_="grid") for at in ("0", "50%", "100%")
    ]
    body = [
        svg.element("line", x1="0", x2="100%", y1=18, y2=18, class_="track"),
        *ticks,
        svg.element(
            "rect",
            x=svg.percent_of(low),
            width=svg.percent_of(high - low),
            y=12,
            height=12,
            rx=6,
            class_=f"spread {dimension.level}",
        ),
        svg.element(
            "circle", cx=svg.percent_of(dimension.value / 100), cy=18, r=8, class_="dot pair"
        ),
        svg.diamond(svg.percent_of(dimension.here / 100), 18, 6.5, "dot here"),
    ]
    return svg.picture(f"interval-{dimension.name}", title, "", body, height=36, class_="interval")


def histogram(data: Histogram, title: str, description: str) -> Markup:
    """Return the counts as bars and a line with a diamond at the course shown."""
    height, foot = 130.0, 108.0
    low, high = data.edges[0], data.edges[-1]
    tallest = max(*data.counts, 1)
    body = []
    for left, right, count in zip(data.edges, data.edges[1:], data.counts, strict=False):
        tall = (foot - 26) * count / tallest
        body.append(
            svg.element(
                "rect",
                x=svg.percent_of(_share(left, low, high)),
                width=svg.percent_of(_share(right, low, high) - _share(left, low, high)),
                y=foot - tall,
                height=tall,
                class_="bar",
            )
        )
    at = svg.percent_of(min(1.0, max(0.0, _share(data.here, low, high))))
    body += [
        svg.element("line", x1="0", x2="100%", y1=foot, y2=foot, class_="axis"),
        svg.element("line", x1=at, x2=at, y1=16, y2=foot, class_="here-mark"),
        svg.diamond(at, 14, 6.5, "dot here"),
        svg.label(_edge(low, data.edges), "0", height - 5, "scale"),
        svg.label(_edge((low + high) / 2, data.edges), "50%", height - 5, "scale", "middle"),
        svg.label(_edge(high, data.edges), "100%", height - 5, "scale", "end"),
    ]
    return svg.picture(
        f"histogram-{data.name}", title, description, body, height=height, class_="histogram"
    )


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _edge(value: float, edges: Sequence[float]) -> str:
    return number(value, 0 if edges[-1] - edges[0] > 3 else 1)


def state_bar(horizon: Horizon, title: str) -> Markup:
    """Return the states after one episode as parts of one bar."""
    body = []
    start = 0.0
    for state in horizon.states:
        width = svg.percent_of(state.probability)
        at: dict[str, str | float | None] = {
            "x": svg.percent_of(start),
            "y": 0,
            "width": width,
            "height": 34,
        }
        body.append(svg.element("rect", class_=f"state {_known(state)}", **at))
        body.append(svg.element("rect", class_="texture", fill=_texture(state), **at))
        if state.probability >= SHARE_WITH_LABEL:
            middle = svg.percent_of(start + state.probability / 2)
            body.append(
                svg.label(percent(state.probability), middle, 22, f"on {_known(state)}", "middle")
            )
        start += state.probability
    return svg.picture(f"states-{horizon.episode}", title, "", body, height=34, class_="state-bar")


def state_trend(place: int, horizons: Sequence[Horizon], title: str) -> Markup:
    """Return one state's probability over all horizons with its 95 % interval."""
    height = 76.0
    shares = [horizon.states[place] for horizon in horizons]
    steps = [(index + 0.5) / len(shares) for index in range(len(shares))]

    def y(value: float) -> float:
        return 6 + (height - 12) * (1 - value)

    upper = [(at * svg.PATH_WIDTH, y(one.high)) for at, one in zip(steps, shares, strict=True)]
    lower = [(at * svg.PATH_WIDTH, y(one.low)) for at, one in zip(steps, shares, strict=True)]
    middle = [
        (at * svg.PATH_WIDTH, y(one.probability)) for at, one in zip(steps, shares, strict=True)
    ]
    body = [
        *(
            svg.element("line", x1="0", x2="100%", y1=y(at), y2=y(at), class_="grid")
            for at in (0.0, 0.5, 1.0)
        ),
        svg.stretched(
            height, svg.shape([*upper, *reversed(lower)], "band"), svg.line(middle, "pair-line")
        ),
    ]
    for at, one in zip(steps, shares, strict=True):
        x = svg.percent_of(at)
        body.append(
            svg.element("line", x1=x, x2=x, y1=y(one.low), y2=y(one.high), class_="whisker pair")
        )
        body.append(svg.element("circle", cx=x, cy=y(one.probability), r=4, class_="dot pair"))
    return svg.picture(f"trend-{place}", title, "", body, height=height, class_="trend")


def _known(state: StateShare) -> str:
    return state.state if state.state in RELATIONSHIP_STATES else "strangers"


def _texture(state: StateShare) -> str:
    textured = ("dating", "strained", "ended")
    return f"url(#texture-{state.state})" if state.state in textured else "none"


def textures() -> Markup:
    """Return the patterns that tell states apart without colour; once per page."""
    hatch = svg.element("path", d="M-2 8L8-2M2 12L12 2", class_="stroke")
    dots = svg.element("circle", cx=3, cy=3, r=1.1, class_="fill")
    cross = svg.element("path", d="M0 4H8M4 0V8", class_="stroke light")
    patterns = [
        svg.element(
            "pattern", mark, id=f"texture-{name}", width=size, height=size,
            patternUnits="userSpaceOnUse",
        )
        for name, mark, size in (
            ("dating", dots, 8),
            ("strained", hatch, 10),
            ("ended", cross, 8),
        )
    ]  # fmt: skip
    return svg.element(
        "svg", svg.element("defs", *patterns), class_="defs", width=0, height=0, aria_hidden="true"
    )


def effect(data: Counterfactual, widest: float, title: str) -> Markup:
    """Return a change of a probability as a bar from zero, with its 95 % interval.

    widest: the largest distance from zero that any bar of the same table has.
    """
    return shift_bar(data.name, Shift(data.effect, data.low, data.high), widest, title)


def shift_bar(name: str, data: Shift, widest: float, title: str) -> Markup:
    """Return a change as a bar from zero, with its 95 % interval. name: unique in the page."""

    def x(value: float) -> float:
        return 0.5 + 0.5 * max(-1.0, min(1.0, value / widest))

    start, end = sorted((x(0), x(data.value)))
    direction = "up" if data.value >= 0 else "down"
    certain = "" if data.low > 0 or data.high < 0 else " unsure"
    body = [
        svg.element(
            "rect",
            x=svg.percent_of(start),
            width=svg.percent_of(end - start),
            y=7,
            height=16,
            class_=f"effect {direction}{certain}",
        ),
        svg.element("line", x1="50%", x2="50%", y1=0, y2=30, class_="axis"),
        svg.element(
            "line",
            x1=svg.percent_of(x(data.low)),
            x2=svg.percent_of(x(data.high)),
            y1=15,
            y2=15,
            class_="whisker ink",
        ),
        *(
            svg.element(
                "line", x1=svg.percent_of(x(at)), x2=svg.percent_of(x(at)), y1=11, y2=19,
                class_="whisker ink",
            )
            for at in (data.low, data.high)
        ),
    ]  # fmt: skip
    return svg.picture(f"effect-{name}", title, "", body, height=30, class_="effects")


def widest_effect(counterfactuals: Sequence[Counterfactual]) -> float:
    """Return the scale that all effects fit on."""
    return widest_shift([Shift(one.effect, one.low, one.high) for one in counterfactuals])


def widest_shift(shifts: Sequence[Shift]) -> float:
    """Return the scale that all changes fit on."""
    reach = [abs(bound) for one in shifts for bound in (one.low, one.high, one.value)]
    return max([*reach, 0.05]) * ROOM


class Effects(NamedTuple):
    """Changes that are shown at once, and those that wait to be unfolded."""

    shown: tuple[Counterfactual, ...]
    folded: tuple[Counterfactual, ...]


def folded_effects(counterfactuals: Sequence[Counterfactual]) -> Effects:
    """Return `counterfactuals` with those folded, beyond the first, whose interval crosses zero."""
    shown = list(counterfactuals[:FIRST])
    folded: list[Counterfactual] = []
    for one in counterfactuals[FIRST:]:
        (folded if one.low <= 0 <= one.high else shown).append(one)
    return Effects(tuple(shown), tuple(folded))
