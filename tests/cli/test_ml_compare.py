"""soullink ml compare and soullink ml evaluate market."""

from pathlib import Path

import pytest

from tests.cli.conftest import Soullink
from tests.soullink_ml.off_policy.simulated import Simulated


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    path = tmp_path / "logs.jsonl"
    path.write_text("\n".join(Simulated(300).lines(0)))
    return path


def test_both_rankers_are_shown_with_intervals(soullink: Soullink, logs: Path) -> None:
    said = soullink("ml", "compare", str(logs))
    assert said.code == 0, said.err
    for words in ("as logged", "IPS", "SNIPS", "doubly robust", "300 lists of 300 viewers"):
        assert words in said.out
    found = soullink("ml", "compare", str(logs), "--json").document
    truth = Simulated(300).truth()
    for estimate in found["estimates"]:
        assert estimate["low"] <= truth <= estimate["high"]
    assert found["logged"]["value"] < truth


def test_what_the_logs_cannot_tell_is_one_sentence(soullink: Soullink, tmp_path: Path) -> None:
    greedy = tmp_path / "greedy.jsonl"
    greedy.write_text("\n".join(Simulated(300, epsilon=0.0).lines(0)))
    said = soullink("ml", "compare", str(greedy))
    assert said.code == 2
    assert "log with more exploration" in said.err
    missing = soullink("ml", "compare", "nowhere.jsonl")
    assert (missing.code, missing.out) == (3, "")
    assert "no file nowhere.jsonl" in missing.err


def test_the_market_stands_beside_its_published_table(soullink: Soullink) -> None:
    said = soullink("ml", "evaluate", "market")
    assert said.code == 0, said.err
    for figure in ("6.10", "13.21", "15.45", "16.51", "15.76"):
        assert said.out.count(figure) == 2, figure  # ours and the published one
    rows = soullink("ml", "evaluate", "market", "--json").document
    nash = next(row for row in rows if row["method"] == "nash-welfare")
    assert nash["envious_left"] + nash["envious_right"] == nash["published_envious"] == 0
