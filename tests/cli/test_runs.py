"""Runs on record: replay, fork, list, show, export, delete."""

import json
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import ADA, BEN, SHORT, Soullink, without_wall

FIRST = "01999999-0000-7000-8000-00000000aaaa"
SECOND = "01999999-0000-7000-8000-00000000bbbb"


@pytest.fixture
def lived(soullink_db: Soullink) -> Soullink:
    ended = soullink_db(
        "simulate", ADA, BEN, *SHORT, "--seed", "7", "-q", "--run-id", FIRST, "--out", "first"
    )
    assert ended.code == 0, ended.err
    return soullink_db


def test_a_replay_is_identical_and_says_its_digest(lived: Soullink) -> None:
    said = lived("replay", "last")
    assert said.code == 0
    assert "Identical: " in said.out
    document = lived("replay", "aaaa", "--json").document
    assert document["identical"] is True
    assert document["course_digest"] in said.out
    turns = [row for row in without_wall(Path("first/course.jsonl")) if row["kind"] == "turn"]
    assert document["turns"] == len(turns)


def test_a_replay_that_differs_names_the_turn(lived: Soullink, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE simulation_turn SET detail = jsonb_set(detail, '{conflict}', '0.987')"
            " WHERE episode = 1 AND sequence = 3"
        )
    ended = lived("replay", "last")
    assert ended.code == 4
    assert "Turn 1.3" in ended.err
    assert "conflict" in ended.err
    assert ended.out == ""


def test_a_fork_differs_only_after_its_turn(lived: Soullink) -> None:
    ended = lived(
        "fork", FIRST, "--episode", "1", "--turn", "4", "--set", "ada.mood=-0.9",
        "--run-id", SECOND, "--replicas", "12", "--json", "--out", "second",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert ended.document["comparison"]["parent"] == FIRST
    rows = [
        [row for row in without_wall(Path(folder, "course.jsonl")) if row["kind"] == "turn"]
        for folder in ("first", "second")
    ]
    assert rows[0][:3] == rows[1][:3]
    assert rows[0][3] != rows[1][3]
    assert lived("replay", SECOND).code == 0
    listed = lived("runs", "list").out
    assert "(fork of 0000aaaa)" in listed


def test_the_comparison_of_a_fork_is_shown(lived: Soullink) -> None:
    ended = lived(
        "fork", "last", "--episode", "1", "--turn", "2", "--set", "ben.act=joke",
        "--set", "ada.trust=0.9", "--replicas", "12",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "Beside the run it was forked from" in ended.out
    assert "1 turn from the record" in ended.out


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (("--set", "mood"), "KEY=VALUE"),
        (("--set", "eve.mood=0.1"), "ada, ben"),
        (("--set", "ada.mood=very"), "number"),
        (("--set", "ada.mood=7"), "between"),
        (("--set", "ada.act=dance"), "dance"),
        (("--set", "ada.mood=0", "--set", "ada.mood=1"), "twice"),
    ],
)
def test_an_impossible_fork_is_refused(
    lived: Soullink, changes: tuple[str, ...], words: str
) -> None:
    ended = lived("fork", "last", "--episode", "1", "--turn", "2", *changes)
    assert ended.code == 2
    assert words in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert len(lived("runs", "list", "--json").document) == 1


def test_runs_are_found_by_either_end_of_their_id(lived: Soullink) -> None:
    lived("simulate", ADA, BEN, *SHORT, "-q", "--run-id", SECOND)
    for name in (FIRST, FIRST.upper(), "aaaa", "0000aaaa"):
        assert lived("runs", "show", name, "--json").document["run"]["run_id"] == FIRST
    assert lived("runs", "show", "last", "--json").document["run"]["run_id"] == SECOND
    both = lived("runs", "show", "01999999")
    assert both.code == 2
    assert FIRST in both.err
    assert SECOND in both.err
    assert lived("runs", "show", "cccc").code == 3
    assert lived("runs", "show", "what?").code == 2


def test_no_run_yet_is_not_found(soullink_db: Soullink) -> None:
    assert "No runs yet" in soullink_db("runs", "list").out
    ended = soullink_db("resume", "last")
    assert ended.code == 3
    assert "soullink simulate" in ended.err


def test_show_has_every_episode_and_turn(lived: Soullink) -> None:
    document = lived("runs", "show", "last", "--json").document
    assert [episode["number"] for episode in document["episodes"]] == [1]
    assert len(document["turns"]) == document["episodes"][0]["turns"]
    shown = lived("runs", "show", "last", "--episode", "1").out
    assert all(f"1.{turn['sequence']} " in shown for turn in document["turns"])
    assert lived("runs", "show", "last", "--episode", "9").code == 2


def test_an_export_writes_the_same_files_again(lived: Soullink) -> None:
    assert lived("runs", "export", "last", "--out", "again", "--replicas", "12").code == 0
    for name in ("first", "again"):
        assert Path(name, "report.html").is_file()
    assert Path("first/course.jsonl").read_bytes() == Path("again/course.jsonl").read_bytes()
    printed = lived("runs", "export", "last", "--out", "-")
    assert printed.out == Path("first/course.jsonl").read_text("utf-8")
    digests = [json.loads(Path(f, "report.json").read_text())["digest"] for f in ("first", "again")]
    assert digests[0] == digests[1]


def test_the_report_can_be_had_in_another_language(lived: Soullink) -> None:
    ended = lived("runs", "export", "last", "--out", "zh", "--replicas", "12", "--language", "zh")
    assert ended.code == 0, ended.err
    assert json.loads(Path("zh/report.json").read_text())["language"] == "zh"


def test_deleting_asks_and_then_erases(lived: Soullink, database_url: str) -> None:
    refused = lived("runs", "delete", "last")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert lived("runs", "delete", "last", "--json").code == 2
    gone = lived("runs", "delete", "last", "--yes", "--json").document
    assert gone["run_id"] == FIRST
    assert gone["turns"] > 0
    assert lived("runs", "show", FIRST).code == 3
    with psycopg.connect(database_url) as connection:
        left = connection.execute("SELECT count(*) FROM simulation_turn").fetchone()
    assert left == (0,)
