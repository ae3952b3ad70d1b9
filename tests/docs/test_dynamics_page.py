"""The page on the speed of the dynamics quotes what the benchmark wrote, and nothing else."""

import json

from benchmarks.dynamics import OUT, PAGE, figures
from benchmarks.pages import block_of


def test_the_figures_on_the_page_are_those_of_the_stored_run() -> None:
    document = json.loads(OUT.read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    assert block_of(page, "figures") == figures(document).strip()


def test_growth_was_measured_and_memory_is_flat() -> None:
    rows = json.loads(OUT.read_text(encoding="utf-8"))["rows"]
    for name in ("replicas", "pairs"):
        grown = [r for r in rows if r["subject"] == f"growth with {name}"]
        memory = [r["value"] for r in grown if r["metric"] == "peak memory"]
        assert len({r["trajectories"] for r in grown}) >= 3
        assert max(memory) < 1.5 * min(memory)


def test_the_million_pairs_were_lived_or_are_said_to_be_projected() -> None:
    rows = json.loads(OUT.read_text(encoding="utf-8"))["rows"]
    full = any(r["subject"].startswith("1,000,000 pairs x 64 replicas") for r in rows)
    assert full or any(r["subject"] == "1,000,000 pairs, projected" for r in rows)
