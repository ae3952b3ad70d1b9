"""The page on the cost of a turn quotes what the benchmark printed, and nothing else."""

import json

from benchmarks.turns.__main__ import METRICS, SETTINGS
from benchmarks.turns.page import NAMES, PAGE, RESULTS, with_figures


def test_the_figures_on_the_page_are_those_of_the_stored_run() -> None:
    page = PAGE.read_text("utf-8")
    document = json.loads(RESULTS.read_text("utf-8"))
    assert with_figures(page, document) == page


def test_soullink_and_the_floor_were_measured_in_every_setting_and_by_every_metric() -> None:
    document = json.loads(RESULTS.read_text("utf-8"))
    measured = {
        (r["subject"], r["metric"], r["conversations"], r["latency_ms"]) for r in document["rows"]
    }
    for subject in ("soullink", "aiohttp"):
        for metric, _, _ in METRICS:
            assert {(subject, metric, *at) for at in SETTINGS} <= measured
    assert {subject for subject, *_ in measured} <= set(NAMES)
