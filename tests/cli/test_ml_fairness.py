"""soullink ml fairness speed-dating."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Soullink
from tests.soullink_ml.fairness.made_up import write

AUDIT = ("ml", "fairness", "speed-dating")
QUICK = ("--draws", "100", "--model", "logistic")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("dates") / "dates.csv")


def test_tables_progress_and_a_page(soullink: Soullink, file: Path) -> None:
    ended = soullink(*AUDIT, str(file), *QUICK, "--out", "made/fairness.html")
    assert ended.code == 0, ended.err
    assert "72 people" in ended.out
    assert "What mitigation changes" in ended.out
    assert "Asian women (12)" in ended.out
    assert "made/fairness.html" in ended.out
    assert "auditing: after: nash-welfare" in ended.err
    assert Path("made/fairness.html").read_text("utf-8").startswith("<!doctype html>")


def test_rows_of_a_model_that_learned_from_another_file(
    soullink: Soullink, file: Path, tmp_path: Path
) -> None:
    other = write(tmp_path / "other.csv", seed=5)
    ended = soullink(
        *AUDIT, str(other), "--train", str(file), *QUICK, "--json", "--out", "rows.json"
    )
    assert ended.code == 0, ended.err
    document = ended.document
    assert document["trained_on"] == "another file"
    assert document["model"] == "logistic"
    exposure = [
        row
        for row in document["rows"]
        if (row["group"], row["metric"], row["stage"]) == ("asian", "exposure_ratio", "before")
    ]
    assert len(exposure) == 1
    assert exposure[0]["low"] < exposure[0]["value"] < exposure[0]["high"]
    written = json.loads(Path("rows.json").read_text("utf-8"))
    assert len(written["rows"]) == len(document["rows"])


def test_markdown_in_chinese(soullink: Soullink, file: Path) -> None:
    ended = soullink(*AUDIT, str(file), *QUICK, "--lang", "zh", "--out", "fairness.md")
    assert ended.code == 0, ended.err
    assert Path("fairness.md").read_text("utf-8").startswith("# 匹配的公平性")
    assert "报告：" in ended.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("none.csv",), "none.csv cannot be read"),
        (("{file}", "--out", "fairness.pdf"), "must end in .html, .md or .json"),
        (("{file}", "--draws", "3"), "100"),
        (("{file}", "--model", "theirs"), "theirs"),
    ],
)
def test_bad_input_gets_one_sentence(
    soullink: Soullink, file: Path, arguments: tuple[str, ...], said: str
) -> None:
    ended = soullink(*AUDIT, *(one.format(file=file) for one in arguments))
    assert ended.code == 2
    assert said in ended.err
    assert ended.out == ""
