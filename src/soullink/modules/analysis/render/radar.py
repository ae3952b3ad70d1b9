"""Radar charts: the eight dimensions with their interval, the five traits of both people."""

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from soullink.modules.analysis.api import Dimension, PersonView, TraitView
from soullink.modules.analysis.render import svg
from soullink.modules.analysis.render.svg import Point

WIDTH, HEIGHT = 450.0, 340.0
CENTRE: Point = (WIDTH / 2, HEIGHT / 2 + 2)
RADIUS = 128.0
RINGS = (25.0, 50.0, 75.0, 100.0)


def dimension_radar(dimensions: Sequence[Dimension], title: str, description: str) -> Markup:
    """Return the dimensions, 0..100: median, the band of the interval, the course shown."""
    names = [dimension.title for dimension in dimensions]
    low = _outline([dimension.low for dimension in dimensions])
    high = _outline([dimension.high for dimension in dimensions])
    middle = _outline([dimension.value for dimension in dimensions])
    here = _outline([dimension.here for dimension in dimensions])
    body = [
        *_web(names),
        svg.ring(high, low, "band"),
        svg.shape(here, "here-line"),
        svg.shape(middle, "pair-line"),
        *(svg.element("circle", cx=x, cy=y, r=4.5, class_="dot pair") for x, y in middle),
        *(svg.diamond(x, y, 4.5, "dot here") for x, y in here),
    ]
    return _radar("radar-dimensions", title, description, body)


def trait_radar(people: tuple[PersonView, PersonView], title: str, description: str) -> Markup:
    """Return both people's traits as percentiles, intervals along the axes; unknown is hollow."""
    first, second = (person.traits for person in people)
    lines = [
        svg.shape(_outline([trait.percentile for trait in traits]), f"person-line {'ab'[who]}")
        for who, traits in enumerate((first, second))
    ]
    body = [
        *_web([trait.title for trait in first]),
        *_intervals(0, first),
        *_intervals(1, second),
        *lines,
        *_markers(0, first),
        *_markers(1, second),
    ]
    return _radar("radar-traits", title, description, body)


def _radar(identity: str, title: str, description: str, body: list[Markup]) -> Markup:
    box = f"0 0 {svg.short(WIDTH)} {svg.short(HEIGHT)}"
    return svg.picture(
        identity, title, description, body, height=HEIGHT, class_="radar", view_box=box
    )


def _direction(place: int, count: int) -> Point:
    angle = 2 * math.pi * place / count - math.pi / 2
    return math.cos(angle), math.sin(angle)


def _at(place: int, count: int, value: float, aside: float = 0.0) -> Point:
    """Return where `value`, 0..100, lies on axis `place`, `aside` pixels beside it."""
    x, y = _direction(place, count)
    reach = RADIUS * value / 100
    return CENTRE[0] + x * reach - y * aside, CENTRE[1] + y * reach + x * aside


def _outline(values: Sequence[float]) -> list[Point]:
    return [_at(place, len(values), value) for place, value in enumerate(values)]


def _web(names: Sequence[str]) -> list[Markup]:
    count = len(names)
    rings = [svg.shape(_outline([ring] * count), "web") for ring in RINGS]
    axes = [svg.line([CENTRE, _at(place, count, 100)], "web") for place in range(count)]
    scale = [
        svg.label(f"{ring:.0f}", CENTRE[0] + 3, CENTRE[1] - RADIUS * ring / 100 + 11, "scale")
        for ring in (50.0, 100.0)
    ]
    return [*rings, *axes, *scale, *(_name(name, place, count) for place, name in enumerate(names))]


def _name(name: str, place: int, count: int) -> Markup:
    """Return an axis's name outside its end, two lines where it is long and can be parted."""
    across, down = _direction(place, count)
    x, y = _at(place, count, 100)
    anchor = "middle" if abs(across) < 0.2 else "start" if across > 0 else "end"
    x += 0 if anchor == "middle" else math.copysign(9, across)
    lines = _parted(name)
    y += 4.5 + down * 14 - (len(lines) - 1) * 15 * (1 - down) / 2
    spans = [
        svg.element("tspan", escape(text), x=x, y=y + step * 15) for step, text in enumerate(lines)
    ]
    return svg.element("text", *spans, class_="axis-name", text_anchor=anchor)


def _parted(name: str) -> list[str]:
    shown = name if len(name) <= 32 else name[:31] + "\u2026"
    if len(shown) <= 12:
        return [shown]
    if " " in shown:
        head, _, tail = shown.partition(" ")
        return [head, tail]
    # A long word cannot grow past the edge of the picture.
    return [shown] if len(shown) <= 14 else [shown[:9] + "\u2010", shown[9:]]


def _intervals(who: int, traits: Sequence[TraitView]) -> list[Markup]:
    count, aside = len(traits), (-3.0, 3.0)[who]
    return [
        svg.line(
            [_at(place, count, trait.low, aside), _at(place, count, trait.high, aside)],
            f"whisker {'ab'[who]}",
        )
        for place, trait in enumerate(traits)
    ]


def _markers(who: int, traits: Sequence[TraitView]) -> list[Markup]:
    return [
        svg.marker(
            who,
            *_at(place, len(traits), trait.percentile),
            class_="hollow" if trait.source == "unknown" else "",
        )
        for place, trait in enumerate(traits)
    ]
