"""Many pairs: reading the list, living them, going on after an interruption."""

import csv
import errno
import json
import re
import signal
from pathlib import Path

import pytest
import yaml

from soullink.entrypoints.cli.pairs import read_pairs
from soullink.entrypoints.cli.persons import known_people
from soullink.kernel.errors import InvalidInputError
from tests.cli.conftest import ADA, BEN, EXAMPLES, SHORT, Soullink, Start, without_wall

PEOPLE = ("--people", str(EXAMPLES))


def _pairs(*pairs: tuple[str, str]) -> str:
    Path("pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    return "pairs.jsonl"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '["ada", "ben"]\n\n{"first": "maya", "second": "tomas"}\n'),
        ("b.jsonl", '{"a": "ada", "b": "ben"}\n{"agent1_id": "maya", "agent2_id": "tomas"}\n'),
        ("c.csv", "ada,ben\nmaya,tomas\n"),
        ("d.csv", "first,second,relationship\nada,ben,2\nmaya,tomas,4\n"),
        ("e.yaml", "- [ada, ben]\n- {first: maya, second: tomas}\n"),
        ("f.json", '{"pairs": [["ada", "ben"], ["maya", "tomas"]]}'),
    ],
)
def test_every_form_of_a_list_is_read(name: str, text: str) -> None:
    Path(name).write_text(text)
    pairs = read_pairs(Path(name), known_people(EXAMPLES))
    assert [pair.folder for pair in pairs] == ["0001-ada-ben", "0002-maya-tomas"]
    assert all(pair.people is not None for pair in pairs)


def test_people_are_found_by_the_key_of_where_they_come_from() -> None:
    Path("people").mkdir()
    for name in ("eve", "kim"):
        text = yaml.safe_dump({"id": name, "name": name, "source_id": f"01H{name}"})
        Path("people", f"{name}.yaml").write_text(text)
    row = {
        "agent1_id": "01Hkim",
        "agent2_id": "01Heve",
        "relationship": "4",
        "background_story": "x",
    }
    Path("pairs.jsonl").write_text(json.dumps(row))
    (pair,) = read_pairs(Path("pairs.jsonl"), known_people(Path("people")))
    assert pair.folder == "0001-kim-eve"
    assert pair.relationship == "4"


def test_profiles_are_found_beside_the_list() -> None:
    Path("lists").mkdir()
    Path("lists/eve.yaml").write_text("name: Eve")
    Path("lists/pairs.csv").write_text(f"eve.yaml,{BEN}\n")
    (pair,) = read_pairs(Path("lists/pairs.csv"), {})
    assert pair.people is not None
    assert [person.name for person in pair.people] == ["Eve", "Ben Halloran"]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.jsonl", "{nonsense\n", "line 1 is not JSON"),
        ("a.jsonl", '["ada"]\n', "a pair is a list of two"),
        ("a.jsonl", '{"first": 1, "second": 2}\n', "a pair is a list of two"),
        ("a.jsonl", "", "holds no pair"),
        ("a.yaml", "a: b: c", "not YAML"),
        ("a.yaml", "ada", "write a list"),
        ("a.csv", "ada\n", "a pair is a list of two"),
        ("a.txt", "ada ben", ".jsonl"),
        ("a.csv", "ada,nobody\n", "nobody"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(name: str, text: str, words: str) -> None:
    Path(name).write_text(text)
    with pytest.raises(InvalidInputError, match=words):
        read_pairs(Path(name), known_people(EXAMPLES))


def test_all_pairs_are_lived_and_summed_up(soullink_db: Soullink) -> None:
    pairs = _pairs(("ada", "ben"), ("maya", "tomas"), ("ruth", "sam"))
    ended = soullink_db(
        "simulate", "--pairs", pairs, *PEOPLE, *SHORT, "--parallel", "2", "--out", "out"
    )
    assert ended.code == 0, ended.err
    assert "3 pairs lived, 0 failed" in ended.out
    assert "[3/3]" in ended.err
    summary = json.loads(Path("out/summary.json").read_text("utf-8"))
    assert summary["finished"] == 3
    assert [row["number"] for row in summary["rows"]] == [1, 2, 3]
    for row in summary["rows"]:
        report = json.loads(Path("out", row["folder"], "report.json").read_text("utf-8"))
        assert report["run_id"] == row["run_id"]
        assert report["prediction"]["together"]["probability"] == row["together"]
        assert Path("out", row["folder"], "report.html").is_file()
    with Path("out/summary.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["first"] for row in rows] == ["ada", "maya", "ruth"]
    assert all(0 <= float(row["warmth"]) <= 100 for row in rows)


def test_a_pair_has_the_course_that_it_has_alone(soullink_db: Soullink) -> None:
    pairs = _pairs(("ada", "ben"))
    soullink_db("simulate", "--pairs", pairs, *PEOPLE, *SHORT, "--seed", "9", "--out", "out", "-q")
    soullink_db("simulate", ADA, BEN, *SHORT, "--seed", "9", "--out", "alone", "-q")
    together = without_wall(Path("out/0001-ada-ben/course.jsonl"))
    assert together == without_wall(Path("alone/course.jsonl"))


def test_entries_that_repeat_a_pair_are_counted_and_lived(soullink_db: Soullink) -> None:
    pairs = _pairs(("ada", "ben"), ("ben", "ada"), ("ada", "ben"), ("maya", "tomas"))
    ended = soullink_db("simulate", "--pairs", pairs, *PEOPLE, *SHORT, "--out", "out", "--json")
    assert ended.code == 0, ended.err
    assert "2 entries repeat a pair" in ended.err
    assert (ended.document["repeated"], ended.document["finished"]) == (2, 4)


def test_a_full_disk_stops_all_pairs_with_one_sentence(
    soullink_db: Soullink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "out/manifest.json")

    monkeypatch.setattr(Path, "replace", full)
    pairs = _pairs(("ada", "ben"), ("maya", "tomas"))
    ended = soullink_db(
        "simulate", "--pairs", pairs, *PEOPLE, *SHORT, "--parallel", "2", "--out", "out"
    )
    assert ended.code == 5
    assert "the disk is full" in ended.err
    assert "bug" not in ended.err


def test_a_pair_that_fails_does_not_stop_the_others(soullink_db: Soullink) -> None:
    Path("bad.yaml").write_text("name: [\n")
    pairs = _pairs(("ada", "bad.yaml"), ("ada", "ada"), ("ada", "ben"))
    ended = soullink_db("simulate", "--pairs", pairs, *PEOPLE, *SHORT, "--out", "out", "--json")
    assert ended.code == 1
    rows = ended.document["rows"]
    assert [row["status"] for row in rows] == ["failed", "failed", "finished"]
    assert "bad.yaml" in rows[0]["error"]
    assert "pairs.jsonl, line 2" in rows[1]["error"]
    assert ended.document["failed"] == 2


def test_a_bug_with_one_pair_does_not_stop_the_others(
    soullink_db: Soullink, monkeypatch: pytest.MonkeyPatch
) -> None:
    from soullink.entrypoints.library import Session

    simulate = Session.simulate

    async def broken(self: Session, people: object, *rest: object, **more: object) -> object:
        if people[0].id == "ada":  # type: ignore[index]
            raise ZeroDivisionError("oops")
        return await simulate(self, people, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Session, "simulate", broken)
    pairs = _pairs(("ada", "ben"), ("maya", "tomas"))
    ended = soullink_db("simulate", "--pairs", pairs, *PEOPLE, *SHORT, "--out", "out", "--json")
    assert ended.code == 1
    assert "bug in SoulLink (ZeroDivisionError: oops)" in ended.document["rows"][0]["error"]
    assert ended.document["rows"][1]["status"] == "finished"


def test_the_same_command_goes_on_after_an_interruption(
    soullink_db: Soullink, start: Start
) -> None:
    pairs = _pairs(("ada", "ben"), ("maya", "tomas"), ("ruth", "sam"), ("ada", "maya"))
    lengths = ("--episodes", "3", "--replicas", "12")
    command = ("simulate", "--pairs", pairs, *PEOPLE, *lengths, "--out", "out")
    program = start(*command)
    assert program.stderr.readline().startswith("[1/4]")
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=60)
    assert program.returncode == 130
    assert "the same command goes on" in err
    before = json.loads(Path("out/manifest.json").read_text("utf-8"))
    assert 1 <= len(before["rows"]) < 4

    ended = soullink_db(*command, "--json")
    assert ended.code == 0, ended.err
    assert re.search(rf"{len(before['rows'])} pairs? (is|are) finished already", ended.err)
    assert [row["status"] for row in ended.document["rows"]] == ["finished"] * 4
    runs = soullink_db("runs", "list", "--json").document
    assert [run["status"] for run in runs] == ["finished"] * 4
    assert {run["run_id"] for run in runs} == {row["run_id"] for row in ended.document["rows"]}


def test_a_folder_with_other_settings_is_not_continued(soullink_db: Soullink) -> None:
    pairs = _pairs(("ada", "ben"))
    command = ("simulate", "--pairs", pairs, *PEOPLE, *SHORT, "--out", "out", "-q")
    assert soullink_db(*command).code == 0
    other = soullink_db(*command, "--seed", "2")
    assert other.code == 4
    assert "(seed)" in other.err
    _pairs(("ada", "ben"), ("maya", "tomas"))
    assert "(pairs)" in soullink_db(*command).err


def test_a_broken_manifest_is_told(soullink_db: Soullink) -> None:
    Path("out").mkdir()
    Path("out/manifest.json").write_text("[]")
    ended = soullink_db("simulate", "--pairs", _pairs(("ada", "ben")), *PEOPLE, "--out", "out")
    assert ended.code == 4
    assert "manifest.json" in ended.err


def test_the_pairs_of_sotopia_are_all_found(soullink: Soullink, data_samples: Path) -> None:
    folder = data_samples / "sotopia"
    command = ("people", "import", "--format", "sotopia", str(folder / "agent_profiles.jsonl"))
    assert soullink(*command, "--out", "people", "--json").document["imported"] == 40
    pairs = read_pairs(folder / "relationship_profiles.jsonl", known_people(Path("people")))
    assert len(pairs) == 120
    assert [pair.error for pair in pairs if pair.people is None] == []
    assert {pair.relationship for pair in pairs} <= {str(number) for number in range(6)}
