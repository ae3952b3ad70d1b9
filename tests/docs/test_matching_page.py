"""The page on matching quotes what the benchmark printed, and nothing else."""

import json
import re

from benchmarks.match import candidates, page
from benchmarks.pages import block_of
from soullink.modules.matching.api import METHODS
from soullink.modules.matching.domain.search import DISLIKE

PAGE = page.PAGE.read_text("utf-8")
DOCUMENT = json.loads(page.RESULTS.read_text("utf-8"))
ROWS = [row for row in DOCUMENT["rows"] if row["subject"] == page.OWN]


def test_the_figures_on_the_page_are_those_of_the_stored_run() -> None:
    for name, block in page.blocks(DOCUMENT).items():
        assert block_of(PAGE, name) == block.strip()


def test_outside_its_tables_the_page_gives_no_measured_figure() -> None:
    prose = PAGE
    for name in page.blocks(DOCUMENT):
        prose = prose.replace(block_of(PAGE, name), "")
    assert not re.search(r"\d\s*(?:ms|µs|MiB|GB|seconds|%)", prose)


def test_every_size_was_measured() -> None:
    metrics = {row["metric"] for row in ROWS}
    for metric in ("latency p99, all", "recall@20", "build", "pool", "changes a CPU second"):
        assert metric in metrics
        sizes = {row["size"] for row in ROWS if row["metric"] == metric}
        assert sizes == set(candidates.SIZES)
    assert all(set(row) == {"subject", "metric", "value", "unit", "size"} for row in ROWS)


def test_what_does_not_depend_on_the_machine_holds() -> None:
    for row in ROWS:
        if row["metric"] == "recall@20":
            assert row["value"] >= 0.95
        if row["metric"] == "filters agree":
            assert row["value"] == 1.0


def test_the_page_names_every_method_and_the_convention() -> None:
    assert all(f"| `{method}` |" in PAGE for method in METHODS)
    assert f"costs\n{DISLIKE:g} in log-odds" in PAGE
