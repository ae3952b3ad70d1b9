"""The page on interest says what the command printed, and what ships is what it describes."""

import json
import re

import pytest

from benchmarks import interest, pages
from soullink.modules.matching.domain.interest.model import InterestModel
from soullink_ml.evaluation import speed_dating
from soullink_ml.training.ours import STAGES

RECORDED = interest.recorded()
PAGE = interest.PAGE.read_text(encoding="utf-8")
STALE = "run python -m benchmarks.interest DATES.csv"
OURS = {(row["target"], row["features"]): row for row in RECORDED["rows"] if row["model"] == "ours"}


@pytest.mark.parametrize("name", interest.blocks(RECORDED))
def test_a_table_is_made_from_what_is_recorded(name: str) -> None:
    assert pages.block_of(PAGE, name) == interest.blocks(RECORDED)[name].strip(), STALE


def test_every_model_was_recorded_at_every_target() -> None:
    assert set(OURS) == {(target, stage) for target in speed_dating.TARGETS for stage in STAGES}
    assert {row["model"] for row in RECORDED["rows"]} == set(speed_dating.MODELS)
    assert RECORDED["held_out"] == "each wave in turn"


@pytest.mark.parametrize(("target", "stage"), OURS)
def test_ours_beats_the_base_rate_and_is_calibrated(target: str, stage: str) -> None:
    row = OURS[target, stage]
    assert row["log_loss"] < row["base_log_loss"]
    assert row["calibration_error"] <= interest.CALIBRATION_GOAL
    others = [
        other
        for other in RECORDED["rows"]
        if (other["target"], other["features"]) == (target, stage) and other["model"] != "ours"
    ]
    assert all(row["log_loss"] < other["log_loss"] for other in others)


def test_what_profiles_tell_stays_within_the_honest_bounds() -> None:
    assert 0.53 <= OURS["match", "profiles"]["auc"] <= 0.62


def test_the_prose_agrees_with_the_tables() -> None:
    decisions = OURS["decision", "profiles"]["rows"]
    dates = OURS["match", "profiles"]["rows"]
    assert f"{len(RECORDED['waves'])} waves, {decisions:,} decisions, {dates:,} dates" in PAGE
    missed = re.findall(r"^\| (\w+) \| (\S+) \|.*, missed \|", PAGE, re.MULTILINE)
    assert missed == [("decision", "profiles")], "the prose says which goal is missed"
    assert "The goal for decisions from profiles alone is missed" in PAGE


def test_the_shipped_model_comes_from_the_same_dates() -> None:
    document = json.loads(interest.SHIPPED.read_text(encoding="utf-8"))
    assert document["provenance"]["data_digest"] == RECORDED["test_digest"]
    assert document["version"] == InterestModel.shipped().version
