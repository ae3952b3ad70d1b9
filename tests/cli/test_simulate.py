"""One course from the command line: what is shown, written and answered."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from tests.cli.conftest import ADA, BEN, CHEN, LIN, SHORT, Soullink, without_wall
from tests.conftest import REPOSITORY

SCHEMA = REPOSITORY / "docs" / "reference" / "report.schema.json"
RUN_ID = "01999999-0000-7000-8000-0000abcdef12"


def test_a_course_is_shown_and_its_files_written(soullink_db: Soullink, tmp_path: Path) -> None:
    ended = soullink_db("simulate", ADA, BEN, *SHORT, "--seed", "7", "--out", "out")
    assert ended.code == 0, ended.err
    assert "Episode 1 of 1: " in ended.out
    assert re.search(r"^  (Ada|Ben) \w+.*: \S", ended.out, re.MULTILINE)
    assert "How it ended: " in ended.out
    assert "80 % interval" in ended.out
    assert "Report: out/report.html" in ended.out
    document = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert page.lower().startswith("<!doctype html>")
    kinds = [row["kind"] for row in without_wall(tmp_path / "out" / "course.jsonl")]
    assert kinds[:2] == ["run", "episode"]
    assert kinds.count("turn") == sum(len(e["turns"]) for e in document["episodes"]) > 0


def test_the_run_and_how_to_resume_it_are_told_at_once(soullink_db: Soullink) -> None:
    ended = soullink_db("simulate", ADA, BEN, *SHORT, "--run-id", RUN_ID)
    first = ended.err.splitlines()[0]
    assert RUN_ID in first
    assert "resume with: soullink resume abcdef12 --out soullink-abcdef12 --replicas 12" in first
    assert Path("soullink-abcdef12/report.json").is_file()


def test_json_is_the_only_thing_on_stdout(soullink_db: Soullink) -> None:
    ended = soullink_db("simulate", ADA, BEN, *SHORT, "--json", "--out", "out")
    document = ended.document
    assert document["status"] == "finished"
    assert [person["id"] for person in document["people"]] == ["ada", "ben"]
    assert len(document["dimensions"]) == 8
    for dimension in document["dimensions"]:
        assert 0 <= dimension["low"] <= dimension["value"] <= dimension["high"] <= 100
    assert 0 <= document["together"]["probability"] <= 1
    assert document["replicas"] == 12
    report = json.loads(Path(document["files"]["report.json"]).read_text("utf-8"))
    assert report["digest"] == document["report_digest"]


def test_the_same_seed_gives_the_same_course(soullink_db: Soullink) -> None:
    for folder in ("one", "two"):
        soullink_db("simulate", ADA, BEN, *SHORT, "--seed", "3", "--quiet", "--out", folder)
    assert without_wall(Path("one/course.jsonl")) == without_wall(Path("two/course.jsonl"))
    digests = [json.loads(Path(f, "report.json").read_text())["digest"] for f in ("one", "two")]
    assert digests[0] == digests[1]


def test_quiet_shows_no_turns(soullink_db: Soullink) -> None:
    ended = soullink_db("simulate", ADA, BEN, *SHORT, "--quiet", "--out", "out")
    assert "Episode 1" not in ended.out
    assert "Report: out/report.html" in ended.out


def test_what_members_see_is_chinese_when_the_course_is(soullink_db: Soullink) -> None:
    ended = soullink_db("simulate", LIN, CHEN, *SHORT, "--out", "out")
    assert ended.code == 0, ended.err
    assert "第1段（共1段）：" in ended.out
    assert "结局：" in ended.out
    assert "80%区间" in ended.out
    assert "报告：out/report.html" in ended.out
    assert not re.search(r"Episode|closeness|Together|interval", ended.out)
    assert "resume with" in ended.err


def test_the_language_can_be_chosen(soullink_db: Soullink) -> None:
    ended = soullink_db("simulate", ADA, BEN, *SHORT, "--language", "zh", "--out", "out")
    assert "第1段" in ended.out
    assert json.loads(Path("out/report.json").read_text())["language"] == "zh"


def test_people_are_found_by_id(soullink_db: Soullink) -> None:
    folder = str(Path(ADA).parent)
    ended = soullink_db("simulate", "ada", "ben", "--people", folder, *SHORT, "--json")
    assert [person["id"] for person in ended.document["people"]] == ["ada", "ben"]


def test_scenarios_can_be_chosen(soullink_db: Soullink) -> None:
    listed = soullink_db("scenarios", "list", "--json").document
    chosen = [listed[3]["id"], listed[0]["id"]]
    ended = soullink_db(
        "simulate", ADA, BEN, "--scenarios", ",".join(chosen), "--replicas", "12", "--json"
    )
    lived = [episode["scenario"] for episode in ended.document["episodes"]]
    assert lived == chosen[: len(lived)]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((ADA, ADA), 2, "both people have the id 'ada'"),
        ((ADA, "nobody.yaml"), 2, "does not exist"),
        ((ADA, "ben"), 3, "--people"),
        ((ADA, BEN, "--scenarios", "no-such-scene"), 3, "no-such-scene"),
        ((ADA, BEN, "--voice", "openai:some-model"), 5, "OPENAI_API_KEY"),
        ((ADA, BEN, "--voice", "parrot"), 2, "parrot"),
        ((ADA, BEN, "--run-id", "seven"), 2, "seven"),
        ((ADA, BEN, "--out", "taken/deeper"), 2, "taken"),
        ((ADA, BEN, "--people", "nowhere"), 2, "nowhere"),
    ],
)
def test_what_cannot_be_lived_is_told_in_one_sentence(
    soullink_db: Soullink, arguments: tuple[str, ...], code: int, words: str
) -> None:
    Path("taken").write_text("a file where a folder should be")
    ended = soullink_db("simulate", *arguments, *SHORT)
    assert (ended.code, ended.out) == (code, "")
    assert words.lower() in ended.err.lower()
    assert len(ended.err.strip().splitlines()) == 1
    assert soullink_db("runs", "list", "--json").document == []
    assert list(Path().iterdir()) == [Path("taken")]


def test_an_id_is_not_used_twice(soullink_db: Soullink) -> None:
    assert soullink_db("simulate", ADA, BEN, *SHORT, "--run-id", RUN_ID, "-q").code == 0
    ended = soullink_db("simulate", ADA, BEN, *SHORT, "--run-id", RUN_ID, "-q")
    assert ended.code == 4
    assert ended.err == f"There is already a run {RUN_ID}.\n"


def test_a_bug_is_one_sentence_and_a_traceback_only_with_debug(
    soullink_db: Soullink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("one\ntwo")

    monkeypatch.setattr("soullink.entrypoints.cli.course.find_person", broken)
    ended = soullink_db("simulate", ADA, BEN)
    assert ended.code == 1
    assert ended.err.startswith("This is a bug in SoulLink (ZeroDivisionError: one). Please report")
    assert "Traceback" not in ended.err
    assert "Traceback" in soullink_db("simulate", ADA, BEN, "--debug").err


def test_a_database_that_does_not_answer_is_exit_code_5(soullink: Soullink) -> None:
    url = "postgresql://me:s3cret@127.0.0.1:1/none"
    ended = soullink("simulate", ADA, BEN, *SHORT, "--database-url", url)
    assert ended.code == 5
    assert "Cannot connect to the database" in ended.err
    assert "s3cret" not in ended.err


def test_a_database_without_our_tables_says_how_to_get_them(
    soullink: Soullink, empty_database_url: str
) -> None:
    ended = soullink("runs", "list", "--database-url", empty_database_url)
    assert ended.code == 4
    assert "`soullink migrate`" in ended.err
    assert soullink("migrate", "--database-url", empty_database_url).code == 0
    again = soullink("migrate", "--json", "--database-url", empty_database_url).document
    assert again["before"] == again["now"]
    assert soullink("runs", "list", "--json", "--database-url", empty_database_url).out == "[]\n"
