"""Small pieces of SVG, every text escaped.

Charts are fluid: x is given in percent of the width, y in pixels, so that a chart fills a phone
and a desk alike while text, dots and strokes keep their size. Only paths cannot use percent;
they lie in an inner picture that is stretched while their strokes are not.
"""

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

Point = tuple[float, float]

PATH_WIDTH = 1000
"""Width of the coordinates of a stretched path."""


def short(value: float) -> str:
    """Return a coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def percent_of(share: float) -> str:
    """Return a share 0..1 of the width as a coordinate."""
    return f"{short(share * 100)}%"


def element(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """Return one element; `class_` is class, other underscores are hyphens, None is left out."""
    written = []
    for key, value in attributes.items():
        if value is None:
            continue
        text = value if isinstance(value, str) else short(value)
        written.append(f' {key.rstrip("_").replace("_", "-")}="{escape(text)}"')
    inner = Markup("").join(children)
    opening = Markup(f"<{name}{''.join(written)}")  # noqa: S704 - names are ours, values escaped
    return opening + (Markup(">") + inner + Markup(f"</{name}>") if inner else Markup("/>"))  # noqa: S704 - as above


def picture(
    identity: str,
    title: str,
    description: str,
    body: Iterable[str],
    *,
    height: float,
    class_: str,
    view_box: str | None = None,
) -> Markup:
    """Return a chart with its accessible title and description. identity: unique in the page."""
    named = [element("title", escape(title), id=f"{identity}-t")]
    if description:
        named.append(element("desc", escape(description), id=f"{identity}-d"))
    return element(
        "svg",
        *named,
        *body,
        role="img",
        aria_labelledby=f"{identity}-t",
        aria_describedby=f"{identity}-d" if description else None,
        class_=class_,
        width=None if view_box else "100%",
        height=None if view_box else height,
        viewBox=view_box,
    )


def stretched(height: float, *paths: str) -> Markup:
    """Return `paths`, x in 0..PATH_WIDTH, stretched over the whole width of the chart."""
    return element(
        "svg",
        *paths,
        width="100%",
        height=height,
        viewBox=f"0 0 {PATH_WIDTH} {short(height)}",
        preserveAspectRatio="none",
    )


def line(points: Sequence[Point], class_: str) -> Markup:
    """Return an open line through `points`."""
    return element("path", d=_drawn(points), class_=class_)


def shape(points: Sequence[Point], class_: str) -> Markup:
    """Return a closed shape through `points`."""
    return element("path", d=_drawn(points) + "z", class_=class_)


def ring(outer: Sequence[Point], inner: Sequence[Point], class_: str) -> Markup:
    """Return the band between two closed shapes."""
    drawn = f"{_drawn(outer)}z{_drawn(inner)}z"
    return element("path", d=drawn, fill_rule="evenodd", class_=class_)


def _drawn(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{short(x)} {short(y)}" for x, y in points)


def marker(person: int, x: str | float, y: float, size: float = 5, class_: str = "") -> Markup:
    """Return the sign of a person: a circle for 0, a diamond for 1."""
    classes = f"dot {'ab'[person]} {class_}".strip()
    if person == 0:
        return element("circle", cx=x, cy=y, r=size, class_=classes)
    return diamond(x, y, size * 1.3, classes)


def diamond(x: str | float, y: float, size: float, class_: str) -> Markup:
    """Return a diamond with its middle at x, y."""
    reach = short(size)
    drawn = f"M0-{reach}L{reach} 0L0 {reach}L-{reach} 0z"
    return element("svg", element("path", d=drawn, class_=class_), x=x, y=y, class_="at")


def label(text: str, x: str | float, y: float, class_: str, anchor: str = "start") -> Markup:
    """Return a text."""
    return element("text", escape(text), x=x, y=y, class_=class_, text_anchor=anchor)
