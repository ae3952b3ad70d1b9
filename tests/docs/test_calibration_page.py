"""The page on calibration says what the command printed, and that is what the numbers in use do."""

import json
import re

import pytest

from benchmarks import calibration, pages
from soullink.modules.simulation.calibration import dating, targets, worlds
from soullink.modules.simulation.domain import parameters
from soullink.modules.simulation.domain.version import EQUATIONS

RECORDED = json.loads(calibration.RESULT.read_text(encoding="utf-8"))
PAGE = calibration.PAGE.read_text(encoding="utf-8")
STALE = "run python -m benchmarks.calibration"
GOAL = 0.8
"""Share of figures that are inside: twelve of fifteen."""


@pytest.mark.parametrize("name", calibration.blocks(RECORDED, calibration.in_use()))
def test_a_table_is_made_from_what_is_recorded(name: str) -> None:
    made = calibration.blocks(RECORDED, calibration.in_use())[name]
    assert pages.block_of(PAGE, name) == made.strip(), STALE


def test_what_is_recorded_is_of_the_numbers_in_use_and_the_shipped_figures() -> None:
    assert RECORDED["parameters"] == parameters.CURRENT.digest(), STALE
    assert RECORDED["equations"] == EQUATIONS, STALE
    rows = targets.of_counted(targets.shipped_counts())
    assert [row["id"] for row in RECORDED["rows"]] == [row.id for row in rows]
    for shown, row in zip(RECORDED["rows"], rows, strict=True):
        assert shown["published"] == row.check.value
        assert shown["inside"] == row.check.holds(shown["simulated"])
        assert shown["role"] == row.role


def test_the_dates_are_what_the_equations_do_now() -> None:
    """The quickest part of the table, lived again; the couples are in the page on honesty."""
    evenings = dating.simulated(worlds.CHECK_SEED, worlds.CHECKING.evenings)
    now = dating.summary(evenings)
    for row in RECORDED["rows"]:
        if row["id"] in now:
            # Another processor may round an exponential differently and turn single acts.
            assert row["simulated"] == pytest.approx(now[row["id"]], abs=0.01), STALE


def test_enough_figures_are_inside_where_the_other_half_checks() -> None:
    split = [row for row in RECORDED["rows"] if row["role"] == targets.SPLIT]
    assert len(split) >= 15
    assert sum(row["inside"] for row in split) >= GOAL * len(split)
    assert RECORDED["inside"] >= 0.7 * len(RECORDED["rows"])


def test_the_file_in_use_says_how_it_was_made() -> None:
    made = calibration.in_use()["provenance"]
    assert made["finished"]
    assert made["misfit"]["best"] < made["misfit"]["start"]
    assert made["split_seed"] == RECORDED["split_seed"]
    assert made["equations"] <= EQUATIONS


def test_every_number_outside_is_named_and_so_is_its_trade() -> None:
    outside = {row["id"]: row["what"] for row in RECORDED["rows"] if not row["inside"]}
    block = pages.block_of(PAGE, "calibration").splitlines()
    assert all(f"- {what}" in block for what in outside.values())
    traded = re.findall(r"^\| `(\w+)` \|", pages.block_of(PAGE, "trades"), re.MULTILINE)
    assert set(traded) == set(outside) - {"auc"}
