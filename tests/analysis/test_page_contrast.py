"""The palette: readable by WCAG 2.2 AA, and told apart without colour vision."""

import re

import pytest

from soullink.modules.analysis.render.page import page
from tests.analysis.sample import sample_report

TEXT_RATIO = 4.5
TEXT_PAIRS = (
    ("ink", "paper"),
    ("soft", "paper"),
    ("soft", "sheet"),
    ("soft", "a-soft"),
    ("soft", "b-soft"),
    ("ink", "a-soft"),
    ("ink", "b-soft"),
    ("a", "paper"),
    ("a", "a-soft"),
    ("a", "sheet"),
    ("b", "paper"),
    ("b", "b-soft"),
    ("b", "sheet"),
    ("pair", "paper"),
    ("hot", "paper"),
    ("hot", "sheet"),
    ("good", "paper"),
    ("good", "sheet"),
)


def _palettes() -> dict[str, dict[str, str]]:
    style = page(sample_report()).partition("<style>")[2].partition("</style>")[0]
    light, dark = re.findall(r":root \{\s*color-scheme: (?:light|dark);(.*?)\}", style, re.DOTALL)
    read = {"light": light, "dark": dark}
    return {
        mode: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", text))
        for mode, text in read.items()
    }


def _channels(colour: str) -> list[float]:
    return [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]


def _linear(colour: str) -> list[float]:
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)]


def _luminance(colour: str) -> float:
    """Relative luminance as in WCAG 2.2."""
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _ratio(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_is_readable_on_its_ground(mode: str, text: str, ground: str) -> None:
    palette = _palettes()[mode]
    assert _ratio(palette[text], palette[ground]) >= TEXT_RATIO


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_two_people_differ_without_red_or_green_vision(mode: str) -> None:
    """Without red or green cones, what is left is mainly blue against yellow."""
    palette = _palettes()[mode]

    def blue_against_yellow(colour: str) -> float:
        red, green, blue = _linear(colour)
        return blue - (red + green) / 2

    first, second = (blue_against_yellow(palette[person]) for person in ("a", "b"))
    assert first - second > 0.2


def test_people_also_differ_by_sign_and_stroke() -> None:
    html = page(sample_report())
    assert 'class="dot a"' in html
    assert "stroke-dasharray: 7 5" in html
    assert re.search(r"<circle[^>]*class=\"dot a\"", html)
    assert re.search(r"<path[^>]*class=\"dot b\"", html)
