"""The page on the gateway quotes what the benchmark printed, and nothing else."""

import json

from benchmarks.gateway.page import PAGE, RESULTS, with_figures


def test_the_figures_on_the_page_are_those_of_the_stored_run() -> None:
    page = PAGE.read_text("utf-8")
    document = json.loads(RESULTS.read_text("utf-8"))
    assert with_figures(page, document) == page


def test_every_subject_was_measured_at_every_width() -> None:
    rows = json.loads(RESULTS.read_text("utf-8"))["rows"]
    measured = {(row["subject"], row["in_flight"]) for row in rows if row["metric"] == "throughput"}
    subjects = {"aiohttp", "httpx", "openai", "litellm_router", "soullink", "soullink_in_memory"}
    assert {(subject, width) for subject in subjects for width in (1, 32, 256)} <= measured
    assert all(set(row) == {"subject", "metric", "value", "unit", "in_flight"} for row in rows)
