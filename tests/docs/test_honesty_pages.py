"""The pages on honesty say what may be claimed, point where they should, and promise nothing."""

import re

import pytest

from benchmarks.pages import ROOT

PAGES = sorted((ROOT / "docs/explanation").glob("*.md"))


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^a-z0-9_ -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name) if name else page
        assert other.is_file(), f"{page.name} -> {target}"
        if anchor:
            assert anchor in _anchors(other.read_text(encoding="utf-8")), f"{page.name} -> {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_are_whole(page) -> None:
    rows = re.findall(r"(?:^\|.*\|$\n?)+", page.read_text(encoding="utf-8"), re.MULTILINE)
    for table in rows:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}
        assert len(widths) == 1, table[:200]


def test_no_page_promises_what_cannot_be_known() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8").lower()
        for promise in ("soulmate", "you will fall in love", "guarantee", "perfect match"):
            assert promise not in text, f"{page.name}: {promise}"


def test_the_four_rules_are_stated() -> None:
    text = (ROOT / "docs/explanation/honesty.md").read_text(encoding="utf-8")
    for rule in (".62", "simulated population", "interval", "No words promise love"):
        assert rule in text
