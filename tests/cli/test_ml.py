"""soullink ml: evaluate, train, report, roll back."""

import json
from pathlib import Path

import pytest

from soullink.entrypoints.cli.exits import ExitCode
from soullink_ml.evaluation import speed_dating
from soullink_ml.training import beside
from tests.cli.conftest import Soullink
from tests.soullink_ml.interest import made_up


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed_dating, "RESAMPLES", 20)
    monkeypatch.setattr(beside, "ROUNDS", 5)


@pytest.fixture
def dates(tmp_path: Path) -> str:
    return str(made_up.write(tmp_path / "dates.csv", made_up.rows(seed=1)))


@pytest.fixture
def unseen(tmp_path: Path) -> str:
    made = made_up.rows(seed=2, sides=((5, 5), (4, 6)), first_wave=40)
    return str(made_up.write(tmp_path / "unseen.csv", made))


def test_an_exam_on_unseen_waves_prints_rows(
    soullink: Soullink, dates: str, unseen: str, tmp_path: Path
) -> None:
    out = tmp_path / "result.json"
    ended = soullink(
        "ml", "evaluate", "speed-dating", "--train", dates, unseen, "--json", "--out", str(out)
    )
    assert ended.code == ExitCode.OK, ended.err
    rows = ended.document["rows"]
    assert {
        "target", "features", "model", "auc", "auc_low", "auc_high", "log_loss", "base_log_loss",
        "calibration_error",
    } <= rows[0].keys()  # fmt: skip
    assert {row["model"] for row in rows} == {
        "ours", "logistic regression", "gradient boosting", "popularity alone",
    }  # fmt: skip
    assert {row["features"] for row in rows} == {"profiles", "profiles+earlier"}
    assert {row["target"] for row in rows} == {"decision", "match"}
    assert ended.document["waves"] == [40, 41]
    assert json.loads(out.read_text()) == ended.document
    assert "ours, tested on wave 40, 41" in ended.err


def test_the_table_says_how_and_on_what(soullink: Soullink, dates: str, unseen: str) -> None:
    ended = soullink("ml", "evaluate", "speed-dating", unseen, "--train", dates, "--quiet")
    assert ended.code == ExitCode.OK, ended.err
    assert ended.err == ""
    for word in ("profiles+earlier", "popularity alone", "waves of another file", "bootstrap"):
        assert word in ended.out
    assert "transferable utility" in ended.out


def test_training_keeps_using_asks_and_rollback_goes_back(
    soullink: Soullink, dates: str, tmp_path: Path
) -> None:
    folder = str(tmp_path / "models")
    first = soullink("ml", "train", dates, "--out", folder, "--json")
    assert first.code == ExitCode.OK, first.err
    assert first.document["active"] is None
    again = soullink("ml", "train", dates, "--out", folder, "--activate", "--json")
    assert again.document["version"] == first.document["version"] == again.document["active"]
    other = soullink("ml", "train", dates, "--out", folder, "--seed", "1", "--activate")
    assert "In use: 1-" in other.out
    assert soullink("ml", "rollback", folder, "--json").document == {
        "active": first.document["version"],
        "before": [],
    }
    card = tmp_path / "card.md"
    assert soullink("ml", "report", folder, "--out", str(card)).code == ExitCode.OK
    assert f"# Interest model {first.document['version']}" in card.read_text()
    assert soullink("ml", "report", folder).out == card.read_text()
    refused = soullink("ml", "rollback", folder)
    assert refused.code == ExitCode.NOT_FOUND
    assert "no version to go back to" in refused.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("evaluate", "speed-dating", "none.csv"), "none.csv cannot be read"),
        (("train", "none.csv", "--out", "models"), "none.csv cannot be read"),
    ],
)
def test_a_missing_file_is_a_sentence(
    soullink: Soullink, arguments: tuple[str, ...], said: str
) -> None:
    ended = soullink("ml", *arguments)
    assert ended.code == ExitCode.INPUT
    assert said in ended.err
    assert len(ended.err.splitlines()) <= 2


def test_reporting_without_an_artifact_is_a_sentence(soullink: Soullink, tmp_path: Path) -> None:
    ended = soullink("ml", "report", str(tmp_path))
    assert ended.code == ExitCode.NOT_FOUND
    assert "in use" in ended.err
