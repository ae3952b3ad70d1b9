"""soullink calibrate: the table, the fit and how far it is, what is refused, Ctrl-C."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from soullink import bootstrap
from soullink.modules.simulation.calibration.api import (
    CalibrationRow,
    CalibrationTable,
    Fit,
    FitProgress,
    FitSettings,
    Trade,
    Watch,
)
from soullink.modules.simulation.calibration.targets import HELD_OUT, SPLIT
from tests.cli.conftest import Soullink

ROWS = (
    CalibrationRow(
        "tension", "partners' tension: r", "couples", SPLIT, 0.33, 0.29, 0.08, 0.51, False,
        0.5, 0.44, 0.56, inside=True,
    ),
    CalibrationRow(
        "ratio", "positive to negative", "Gottman 1994", HELD_OUT, None, 0.8, 0.5, 1.1, True,
        1.23, 1.04, 1.42, inside=False,
    ),
)  # fmt: skip
TABLE = CalibrationTable(ROWS, 4, "0123abcd", "counted figures", 4, 99, 1800, 216, 405)


class FakeCalibrations:
    """Answers at once. asked: what each call was given. interrupts: as if by Ctrl-C."""

    def __init__(self, *, interrupts: bool = False) -> None:
        self.asked: list[object] = []
        self.interrupts = interrupts

    def check(self, data: Path | None, parameters: Path | None) -> CalibrationTable:
        self.asked.append((data, parameters))
        return TABLE

    def fit(
        self,
        settings: FitSettings,
        out: Path,
        data: Path | None,
        parameters: Path | None,
        watch: Watch,
        stopped: Callable[[], bool],
    ) -> Fit:
        self.asked.append((settings, out, data, parameters))
        watch(FitProgress(1, 6, 12, 48, 1.44, 1.44, resumed=False))
        if self.interrupts:
            os.kill(os.getpid(), signal.SIGINT)
            until = time.monotonic() + 20.0
            while not stopped():
                assert time.monotonic() < until, "nobody heard the signal"
                time.sleep(0.01)
            return Fit(out, False, 1.44, 0.9, 3.0, None, ())
        trade = Trade("ratio", 1.2, 0.9, "yes_rate", 0.4, 0.34, 0.6, 1.5)
        return Fit(out, True, 1.44, 0.6, 500.0, TABLE, (trade,))


@pytest.fixture
def calibrations(monkeypatch: pytest.MonkeyPatch) -> FakeCalibrations:
    fake = FakeCalibrations()
    monkeypatch.setattr(bootstrap, "build_calibrations", lambda: fake)
    return fake


def test_the_table_shows_published_beside_simulated(
    soullink: Soullink, calibrations: FakeCalibrations
) -> None:
    ended = soullink("calibrate", "--check-only")
    assert ended.code == 0
    assert calibrations.asked == [(None, None)]
    assert "+0.29 [+0.08, +0.51]" in ended.out
    assert "~+0.80 [+0.50, +1.10]" in ended.out
    assert "OUTSIDE" in ended.out
    assert "1 of 2 inside" in ended.out


def test_json_gives_the_rows(soullink: Soullink, calibrations: FakeCalibrations) -> None:
    ended = soullink("calibrate", "--check-only", "--parameters", "mine.json", "--json")
    assert calibrations.asked == [(None, Path("mine.json"))]
    found = ended.document
    assert found["inside"] == 1
    assert [row["id"] for row in found["rows"]] == ["tension", "ratio"]
    assert found["rows"][1]["fitted_to"] is None
    assert found["rows"][0]["role"] == SPLIT


def test_a_fit_tells_how_far_it_is_and_what_it_found(
    soullink: Soullink, calibrations: FakeCalibrations
) -> None:
    ended = soullink("calibrate", "--out", "mine.json", "--generations", "3", "--seed", "11")
    assert ended.code == 0
    settings = FitSettings(generations=3, members=48, seed=11, workers=0)
    assert calibrations.asked == [(settings, Path("mine.json"), None, None)]
    assert "[12/288] generation 1 of 6, misfit 1.44" in ended.err
    assert "Trade: ratio from +1.20 to +0.90 takes yes_rate from +0.40 to +0.34" in ended.out
    assert "Misfit 1.44 at the start, 0.60 now" in ended.out
    assert soullink("calibrate", "--json", "-q").document["trades"][0]["against"] == "yes_rate"


def test_ctrl_c_keeps_the_best_so_far_and_says_how_to_go_on(
    soullink: Soullink, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeCalibrations(interrupts=True)
    monkeypatch.setattr(bootstrap, "build_calibrations", lambda: fake)
    ended = soullink("calibrate", "--out", "mine.json")
    assert ended.code == 130
    assert "The best so far is in mine.json; the same command goes on from here." in " ".join(
        ended.err.split()
    )
    assert ended.out == ""


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--data", "nowhere", "--check-only"), 2, "nowhere is no folder"),
        (("--data", ".", "--check-only"), 2, "acitelli_pairs.csv cannot be read"),
        (("--parameters", "none.json", "--check-only"), 2, "none.json cannot be read"),
        (("--generations", "0"), 2, "generations"),
        (("--out", "here.json"), 4, "here.json is there already"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(
    soullink: Soullink, arguments: tuple[str, ...], code: int, says: str
) -> None:
    Path("here.json").write_text("mine", encoding="utf-8")
    ended = soullink("calibrate", *arguments)
    assert ended.code == code
    assert says in " ".join(ended.err.split())
    assert ended.out == ""
    assert Path("here.json").read_text(encoding="utf-8") == "mine"
