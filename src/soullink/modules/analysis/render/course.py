"""The course over time: one line per person, episodes as bands, open conflict as shade."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from soullink.modules.analysis.api import EpisodeView, TurnView
from soullink.modules.analysis.render import svg
from soullink.modules.analysis.render.figures import number
from soullink.modules.analysis.render.svg import Point

GAP = 0.8
"""Room between two episodes, in turns."""

CONFLICT_SHOWN = 0.05


@dataclass(frozen=True, slots=True)
class Variable:
    """What a panel shows. key: in EpisodeView.before. lowest: of its scale, -1 or 0."""

    key: str
    of_turn: Callable[[TurnView], tuple[float, float]]
    lowest: float


VARIABLES: tuple[Variable, ...] = (
    Variable("closeness", lambda turn: turn.closeness, 0.0),
    Variable("trust", lambda turn: turn.trust, 0.0),
    Variable("mood", lambda turn: turn.moods, -1.0),
)


@dataclass(frozen=True, slots=True)
class _Band:
    """An episode on the time line: where it starts and ends and its turns, as shares 0..1."""

    start: float
    end: float
    turns: tuple[float, ...]


def panel(
    variable: Variable, episodes: Sequence[EpisodeView], title: str, description: str
) -> Markup:
    """Return one variable of both people over all turns."""
    height = 170.0
    bands = _bands(episodes)
    scale = _Scale(variable.lowest, height)
    body = [
        *_backdrop(episodes, bands, height),
        *_grid(variable, scale),
        svg.stretched(height, *_lines(variable, episodes, bands, scale)),
        *_ends(variable, episodes, bands, scale),
    ]
    return svg.picture(
        f"course-{variable.key}", title, description, body, height=height, class_="panel"
    )


def threads(episodes: Sequence[EpisodeView]) -> Markup:
    """Return the closeness of both as two threads: an ornament, said in full by `panel`."""
    height = 150.0
    bands, scale = _bands(episodes), _Scale(0.0, height)
    whole = [[p for run in _runs(VARIABLES[0], episodes, bands, scale, who) for p in run]
             for who in (0, 1)]  # fmt: skip
    paths = [
        svg.shape([*whole[0], *reversed(whole[1])], "between"),
        svg.line(whole[0], "thread a"),
        svg.line(whole[1], "thread b"),
    ]
    last = episodes[-1].after["closeness"]
    ends = [svg.marker(who, "100%", scale.y(last[who]), 7) for who in (0, 1)]
    return svg.element(
        "svg",
        svg.stretched(height, *paths),
        *ends,
        class_="threads",
        width="100%",
        height=height,
        aria_hidden="true",
    )


class _Scale:
    """Pixels for values between `lowest` and 1."""

    def __init__(self, lowest: float, height: float) -> None:
        self._lowest = lowest
        self._height = height

    def y(self, value: float) -> float:
        share = (value - self._lowest) / (1 - self._lowest)
        return 8 + (self._height - 16) * (1 - share)


def _bands(episodes: Sequence[EpisodeView]) -> list[_Band]:
    total = sum(len(episode.turns) for episode in episodes) + GAP * (len(episodes) - 1)
    total = max(total, 1.0)
    bands: list[_Band] = []
    begun = 0.0
    for episode in episodes:
        count = len(episode.turns)
        turns = tuple((begun + place + 1) / total for place in range(count))
        bands.append(_Band(begun / total, (begun + count) / total, turns))
        begun += count + GAP
    return bands


def _backdrop(
    episodes: Sequence[EpisodeView], bands: Sequence[_Band], height: float
) -> list[Markup]:
    drawn = []
    for episode, band in zip(episodes, bands, strict=True):
        drawn.append(_column(band.start, band.end, height, "band-bg"))
        start = band.start
        for turn, end in zip(episode.turns, band.turns, strict=True):
            if turn.conflict >= CONFLICT_SHOWN:
                drawn.append(_column(start, end, height, "conflict", turn.conflict))
            start = end
        middle = svg.percent_of((band.start + band.end) / 2)
        drawn.append(svg.label(str(episode.number), middle, 18, "band-number", "middle"))
    return drawn


def _column(
    start: float, end: float, height: float, class_: str, strength: float | None = None
) -> Markup:
    return svg.element(
        "rect",
        x=svg.percent_of(start),
        width=svg.percent_of(end - start),
        y=0,
        height=height,
        class_=class_,
        fill_opacity=None if strength is None else 0.08 + 0.42 * strength,
    )


def _grid(variable: Variable, scale: _Scale) -> list[Markup]:
    drawn = []
    for value in (variable.lowest, (variable.lowest + 1) / 2, 1.0):
        y = scale.y(value)
        drawn.append(svg.element("line", x1="0", x2="100%", y1=y, y2=y, class_="grid"))
        text = number(value, 0 if value.is_integer() else 1)
        drawn.append(svg.label(text, -6, y + 4, "scale", "end"))
    return drawn


def _runs(
    variable: Variable,
    episodes: Sequence[EpisodeView],
    bands: Sequence[_Band],
    scale: _Scale,
    who: int,
) -> list[list[Point]]:
    """Return one run of points per episode: its state before and after every turn."""
    runs = []
    for episode, band in zip(episodes, bands, strict=True):
        shares = (band.start, *band.turns)
        values = (episode.before[variable.key][who],
                  *(variable.of_turn(turn)[who] for turn in episode.turns))  # fmt: skip
        runs.append(
            [
                (share * svg.PATH_WIDTH, scale.y(value))
                for share, value in zip(shares, values, strict=True)
            ]
        )
    return runs


def _lines(
    variable: Variable, episodes: Sequence[EpisodeView], bands: Sequence[_Band], scale: _Scale
) -> list[Markup]:
    drawn = []
    for who in (0, 1):
        runs = _runs(variable, episodes, bands, scale, who)
        drawn += [
            svg.line([left[-1], right[0]], f"pause {'ab'[who]}")
            for left, right in itertools.pairwise(runs)
        ]
        drawn += [svg.line(run, f"person-line {'ab'[who]}") for run in runs]
    return drawn


def _ends(
    variable: Variable, episodes: Sequence[EpisodeView], bands: Sequence[_Band], scale: _Scale
) -> list[Markup]:
    drawn = []
    for episode, band in zip(episodes, bands, strict=True):
        last = variable.of_turn(episode.turns[-1]) if episode.turns else episode.after[variable.key]
        at = svg.percent_of(band.end)
        drawn += [svg.marker(who, at, scale.y(last[who]), 4.5) for who in (0, 1)]
    last = episodes[-1].after[variable.key]
    heights = _apart(scale.y(last[0]), scale.y(last[1]), 15)
    for who in (0, 1):
        text = number(last[who])
        drawn.append(
            svg.element(
                "text", text, x="100%", dx=12, y=heights[who] + 4.5, class_=f"end {'ab'[who]}"
            )
        )
    return drawn


def _apart(first: float, second: float, least: float) -> tuple[float, float]:
    """Return two heights at least `least` pixels apart, moved evenly."""
    lack = least - abs(first - second)
    if lack <= 0:
        return first, second
    push = lack / 2 if first <= second else -lack / 2
    return first - push, second + push
