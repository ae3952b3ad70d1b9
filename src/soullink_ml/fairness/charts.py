"""Small SVG charts of figures with intervals: x in percent of the width, y in pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from soullink_ml.fairness.rows import Row

ROW: Final = 22.0
GROUP_GAP: Final = 30.0
FOOT: Final = 30.0
SCATTER_HEIGHT: Final = 340.0
UNDER_NAME: Final = 28.0
"""A tick higher than this would stand in the name of the axis."""
_STEPS: Final = (0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0)
_TICKS: Final = 6


@dataclass(frozen=True, slots=True)
class Mark:
    """One figure with its interval. kind: a class of the style sheet (before, blind, yardstick)."""

    label: str
    kind: str
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, label: str, kind: str, row: Row | None) -> "Mark | None":
        """Return the mark of a row, None where it says nothing."""
        if row is None or row.value is None or row.low is None or row.high is None:
            return None
        return cls(label, kind, row.value, row.low, row.high)


@dataclass(frozen=True, slots=True)
class Band:
    """The marks of one group, under its name."""

    name: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from data to 0..1."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Sequence[float]) -> "Scale":
        """Return a scale that holds all values with a little room."""
        low, high = min(values), max(values)
        room = 0.04 * (high - low) or 0.5
        return cls(low - room, high + room)

    def place(self, value: float) -> float:
        """Return where a value lies, 0..1."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return at most seven round values."""
        step = next((s for s in _STEPS if (self.high - self.low) / s <= _TICKS), _STEPS[-1])
        first = int(self.low // step) + 1
        return [k * step for k in range(first, int(self.high // step) + 1)]


def forest(identity: str, title: str, bands: Sequence[Band], even: float) -> Markup:
    """Return dots with whiskers, one line a mark, bands one under another. even: a drawn line."""
    marks = [mark for band in bands for mark in band.marks]
    scale = Scale.around([even, *(v for m in marks for v in (m.low, m.high))])
    height = FOOT + sum(GROUP_GAP + ROW * len(band.marks) for band in bands)
    body = [
        *(_grid(scale.place(tick), height - FOOT, _short(tick)) for tick in scale.ticks()),
        _line(scale.place(even), 0, scale.place(even), height - FOOT, "even"),
    ]
    y = 0.0
    names = []
    for band in bands:
        names.append(_name(band.name, y + 20, "band-name"))
        y += GROUP_GAP
        for mark in band.marks:
            middle = y + ROW / 2
            names.append(_name(mark.label, middle + 4, "mark-name"))
            body += [
                _line(scale.place(mark.low), middle, scale.place(mark.high), middle, mark.kind),
                _dot(scale.place(mark.value), middle, mark),
            ]
            y += ROW
    return _framed(identity, title, names, body, height)


def scatter(
    identity: str, title: str, points: Sequence[tuple[Mark, Mark]], axes: tuple[str, str]
) -> Markup:
    """Return points with whiskers both ways, x and y of each; numbers are explained beside it."""
    xs = Scale.around([v for x, _ in points for v in (x.low, x.high)])
    ys = Scale.around([v for _, y in points for v in (y.low, y.high)])
    room = SCATTER_HEIGHT - FOOT

    def at(value: float) -> float:
        return room * (1 - ys.place(value))

    body = [
        *(_grid(xs.place(tick), room, _short(tick)) for tick in xs.ticks()),
        *(_line(0, at(tick), 1, at(tick), "grid") for tick in ys.ticks()),
        *(
            _text(_short(tick), 0, at(tick) - 3, "scale", "start")
            for tick in ys.ticks()
            if at(tick) > UNDER_NAME
        ),
        _text(axes[0], 1, room - 6, "axis-name", "end"),
        _text(axes[1], 0, 12, "axis-name", "start"),
    ]
    for number, (x, y) in enumerate(points, start=1):
        left, top = xs.place(x.value), at(y.value)
        body += [
            _line(xs.place(x.low), top, xs.place(x.high), top, f"{x.kind} thin"),
            _line(left, at(y.low), left, at(y.high), f"{x.kind} thin"),
            Markup(
                '<circle cx="{}" cy="{}" r="10" class="dot {}"><title>{}</title></circle>'
            ).format(_percent(left), _px(top), x.kind, f"{x.label}: {x.value:.2f}, {y.value:.2f}"),
            _text(str(number), left, top + 4, "number", "middle"),
        ]
    return _svg(identity, title, body, SCATTER_HEIGHT, "scatter")


def _framed(
    identity: str, title: str, names: Sequence[Markup], body: Sequence[Markup], height: float
) -> Markup:
    """Return names on the left and the picture beside them; on a phone names go above dots."""
    return Markup(
        '<div class="forest"><div class="names" style="height:{}px">{}</div>{}</div>'
    ).format(_px(height), Markup("").join(names), _svg(identity, title, body, height, "dots"))


def _svg(identity: str, title: str, body: Sequence[Markup], height: float, kind: str) -> Markup:
    return Markup(
        '<svg role="img" aria-labelledby="{0}-t" class="{1}" width="100%" height="{2}">'
        '<title id="{0}-t">{3}</title>{4}</svg>'
    ).format(identity, kind, _px(height), title, Markup("").join(body))


def _name(text: str, y: float, kind: str) -> Markup:
    return Markup('<span class="{}" style="top:{}px">{}</span>').format(kind, _px(y - 15), text)


def _grid(x: float, height: float, text: str) -> Markup:
    return _line(x, 0, x, height, "grid") + _text(text, x, height + 18, "scale", "middle")


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>').format(
        _percent(x1), _px(y1), _percent(x2), _px(y2), kind
    )


def _dot(x: float, y: float, mark: Mark) -> Markup:
    told = f"{mark.label}: {mark.value:.2f} ({mark.low:.2f}, {mark.high:.2f})"
    return Markup(
        '<circle cx="{}" cy="{}" r="5.5" class="dot {}"><title>{}</title></circle>'
    ).format(_percent(x), _px(y), mark.kind, told)


def _text(text: str, x: float, y: float, kind: str, anchor: str) -> Markup:
    return Markup('<text x="{}" y="{}" class="{}" text-anchor="{}">{}</text>').format(
        _percent(x), _px(y), kind, anchor, escape(text)
    )


def _percent(share: float) -> str:
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + "%"


def _px(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _short(value: float) -> str:
    text = f"{round(value, 2) + 0.0:.2f}"
    return text.replace("-", "−")
