"""The page in a real browser: wide and narrow, nothing cut off, nothing run, printed whole."""

import html
import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest

from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.analysis.render.page import POLICY, page
from tests.analysis.sample import sample_report
from tests.browser.chromium import find_chromium, run_chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        find_chromium() is None, reason="no Chromium (on Debian: apt-get install chromium)"
    ),
]

_MEASURE = """
<script>
addEventListener('load', () => {
  const root = document.documentElement;
  document.querySelectorAll('details').forEach((one) => { one.open = OPEN; });
  const cut = [...document.querySelectorAll('body *')].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 1 && box.right > root.clientWidth + 1
      && !one.closest('.scroll') && !one.closest('.vh') && !one.closest('thead');
  });
  parent.postMessage({
    width: root.clientWidth,
    scroll: root.scrollWidth,
    sideways: [...document.querySelectorAll('.scroll')]
      .filter((one) => one.scrollWidth > one.clientWidth + 1)
      .map((one) => one.getAttribute('aria-label')),
    cut: cut.slice(0, 5).map((one) => one.tagName + '.' + one.getAttribute('class')),
    dark: getComputedStyle(document.body).backgroundColor,
    attacked: String(document.title).includes('attacked'),
  }, '*');
});
</script></body>"""

_FRAME = """<!doctype html><meta charset="utf-8"><pre id="found"></pre>
<iframe src="{source}" style="width:{width}px;height:800px;border:0"></iframe>
<script>
addEventListener('message', (event) => {{
  document.getElementById('found').textContent = JSON.stringify(event.data);
}});
</script>"""


def _measure(folder: Path, text: str, width: int, *, unfolded: bool = True) -> dict[str, Any]:
    """Return what a script in a copy of the page finds at `width` pixels.

    The copy's policy is lifted so that the script may run; the frame gives the exact width.
    """
    assert POLICY in html.unescape(text)
    copy = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    script = _MEASURE.replace("OPEN", "true" if unfolded else "one.open")
    (folder / "page.html").write_text(copy.replace("</body>", script), encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(_FRAME.format(source="page.html", width=width), encoding="utf-8")
    dom = run_chromium(frame, "--virtual-time-budget=8000", "--dump-dom")
    found = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    assert found
    measured: dict[str, Any] = json.loads(html.unescape(found.group(1)))
    return measured


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_wider_than_the_window(
    tmp_path: Path, language: Language, hostile: bool, width: int
) -> None:
    text = page(sample_report(language, hostile=hostile, forked=True))
    found = _measure(tmp_path, text, width)
    assert found["width"] == width
    assert found["scroll"] == width
    assert found["cut"] == []
    assert not found["attacked"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_table_is_scrolled_sideways_on_a_phone(tmp_path: Path, language: Language) -> None:
    found = _measure(tmp_path, page(sample_report(language, forked=True)), 375)
    assert found["sideways"] == []


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 1600)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_picture_of_the_page_can_be_taken(
    tmp_path: Path, language: Language, width: int, height: int
) -> None:
    source, picture = tmp_path / "page.html", tmp_path / "page.png"
    source.write_text(page(sample_report(language)), encoding="utf-8")
    run_chromium(source, f"--window-size={width},{height}", f"--screenshot={picture}")
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert struct.unpack(">II", data[16:24]) == (width, height)
    assert len(data) > 20_000  # an empty page of this size packs into far less


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_prints_with_every_episode_unfolded(tmp_path: Path, language: Language) -> None:
    text = page(sample_report(language, forked=True))
    whole, unfolded = (_pages_of_print(tmp_path / name, one) for name, one in (
        ("folded", text), ("unfolded", text.replace("<details", "<details open"))
    ))  # fmt: skip
    assert whole == unfolded
    assert whole >= 8


def _pages_of_print(folder: Path, text: str) -> int:
    folder.mkdir()
    source, printed = folder / "page.html", folder / "page.pdf"
    source.write_text(text, encoding="utf-8")
    run_chromium(source, "--no-pdf-header-footer", f"--print-to-pdf={printed}")
    data = printed.read_bytes()
    assert data.startswith(b"%PDF")
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", data))


def test_the_page_follows_the_dark_mode(tmp_path: Path) -> None:
    text = page(sample_report())
    light = _measure(tmp_path, text, 800)["dark"]
    dark = _measure(
        tmp_path, text.replace("screen and (prefers-color-scheme: dark)", "screen"), 800
    )["dark"]
    assert light == "rgb(251, 247, 240)"
    assert dark == "rgb(23, 20, 27)"


def test_the_policy_stops_a_script_that_broke_out(tmp_path: Path) -> None:
    attack = "<script>document.title='attacked'</script><p id='marker'></p></body>"
    source = tmp_path / "page.html"
    text = page(sample_report())
    source.write_text(text.replace("</body>", attack), encoding="utf-8")
    stopped = run_chromium(source, "--virtual-time-budget=3000", "--dump-dom")
    assert "marker" in stopped
    assert "<title>attacked</title>" not in stopped
    unguarded = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    source.write_text(unguarded.replace("</body>", attack), encoding="utf-8")
    ran = run_chromium(source, "--virtual-time-budget=3000", "--dump-dom")
    assert "<title>attacked</title>" in ran
