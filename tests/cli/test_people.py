"""Profiles and questionnaires from the command line."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import ADA, EXAMPLES, Soullink

ROWS = (
    {"agent_id": "01A", "first_name": "Kim", "last_name": "Lee", "age": 30},
    {"agent_id": "01B", "first_name": "Ola", "last_name": "Nor", "age": 16},
    {"agent_id": "01C", "first_name": "Ida", "last_name": "Berg", "age": 41},
)


@pytest.fixture
def sotopia() -> str:
    Path("agents.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return "agents.jsonl"


def test_people_are_imported_and_minors_left_out(soullink: Soullink, sotopia: str) -> None:
    ended = soullink("people", "import", "--format", "sotopia", sotopia, "--out", "people")
    assert ended.code == 0
    assert "2 people are now in people." in ended.out
    assert "1 person was left out" in ended.out
    files = sorted(path.name for path in Path("people").iterdir())
    assert files == ["ida-berg.yaml", "kim-lee.yaml"]
    listed = soullink("people", "list", "people", "--json").document
    assert [person["source_id"] for person in listed] == ["01C", "01A"]


def test_an_import_does_not_overwrite_unless_forced(soullink: Soullink, sotopia: str) -> None:
    command = ("people", "import", "--format", "sotopia", sotopia, "--out", "people")
    assert soullink(*command).code == 0
    mine = Path("people/kim-lee.yaml")
    mine.write_text("name: Changed")
    refused = soullink(*command)
    assert refused.code == 4
    assert "--force" in refused.err
    assert mine.read_text() == "name: Changed"
    assert soullink(*command, "--force", "--json").document["imported"] == 2
    assert "Kim Lee" in mine.read_text()


def test_an_import_can_be_limited(soullink: Soullink, sotopia: str) -> None:
    command = ("people", "import", "--format", "sotopia", sotopia, "--out", "people", "--json")
    document = soullink(*command, "--limit", "1").document
    assert document["ids"] == ["kim-lee"]


def test_the_shipped_people_are_valid_and_listed(soullink: Soullink) -> None:
    checked = soullink("people", "validate", str(EXAMPLES), "--json")
    assert checked.code == 0
    assert len(checked.document["files"]) == 12
    listed = soullink("people", "list", str(EXAMPLES))
    assert "Ada Okafor" in listed.out
    assert "林晓" in listed.out


def test_validate_names_every_bad_file(soullink: Soullink) -> None:
    Path("people").mkdir()
    Path("people/a.yaml").write_text("id: x\nname: A")
    Path("people/b.yaml").write_text("id: x\nname: B")
    Path("people/c.yaml").write_text("name: []")
    ended = soullink("people", "validate", "people", "missing.yaml")
    assert ended.code == 2
    lines = ended.out.splitlines()
    assert [line.split()[0] for line in lines] == ["ok", "bad", "bad", "bad"]
    assert "people/a.yaml" in lines[1]
    assert "missing.yaml" in lines[3]


def test_show_has_traits_with_intervals_and_keeps_secrets(soullink: Soullink) -> None:
    ended = soullink("people", "show", ADA)
    assert ended.code == 0
    assert "neuroticism" in ended.out
    assert "secrets: 1, not shown" in ended.out
    assert "promotion" not in ended.out
    persona = soullink("people", "show", ADA, "--json").document["persona"]
    for estimate in persona.values():
        assert 0 <= estimate["low"] <= estimate["percentile"] <= estimate["high"] <= 100


def test_a_questionnaire_is_scored_from_a_profile_a_list_and_a_table(soullink: Soullink) -> None:
    scored = soullink("personality", "score", ADA, "--json").document
    assert (scored["sex"], scored["inventory"]) == ("female", "ipip-neo-120")
    assert len(scored["scores"]) == 35
    answers = soullink("people", "show", ADA, "--json").document["profile"]["traits"]["answers"]
    Path("answers.json").write_text(json.dumps(answers["answers"]))
    Path("answers.csv").write_text("answer\n" + "\n".join(map(str, answers["answers"])))
    age = str(scored["age"])
    for file in ("answers.json", "answers.csv"):
        again = soullink("personality", "score", file, "--sex", "female", "--age", age, "--json")
        assert again.document["scores"] == scored["scores"]
    shown = soullink("personality", "score", ADA, "--no-facets").out
    assert "openness" in shown
    assert "gregariousness" not in shown


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", "[1, 2, 3]", "120 or 300"),
        ("a.json", json.dumps([9] * 120), "answer 1 is 9"),
        ("a.json", json.dumps([True] * 120), "answer 1"),
        ("a.json", "[", "not JSON"),
        ("a.csv", "1,2,x,y\n", "'x' is no answer"),
        ("a.csv", "", "0 answers"),
        ("a.yaml", "name: Eve", "no answers"),
        ("a.toml", "x = 1", "a.toml"),
    ],
)
def test_answers_that_cannot_be_scored_are_told(
    soullink: Soullink, name: str, text: str, words: str
) -> None:
    Path(name).write_text(text)
    ended = soullink("personality", "score", name)
    assert ended.code == 2
    assert words in ended.err
    assert len(ended.err.strip().splitlines()) == 1


def test_the_items_come_in_both_languages(soullink: Soullink) -> None:
    found = soullink("personality", "items", "--json").document
    assert [item["number"] for item in found] == list(range(1, 121))
    shown = soullink("personality", "items", "--language", "both").out
    assert str(found[0]["text_en"]) in shown
    assert str(found[0]["text_zh"]) in shown


def test_straight_lined_answers_are_told(soullink: Soullink) -> None:
    Path("answers.json").write_text(json.dumps([3] * 120))
    ended = soullink("personality", "score", "answers.json", "--json")
    assert ended.code == 0
    assert "straight-lined" in ended.err
    assert ended.document["straight_lined"] is True
    assert "straight-lined" in soullink("personality", "score", "answers.json").err
    Path("answers.json").write_text(json.dumps([1, 2, 3, 4, 5] * 24))
    careful = soullink("personality", "score", "answers.json", "--json")
    assert careful.err == ""
    assert careful.document["straight_lined"] is False


def test_a_bad_file_is_named_once(soullink: Soullink) -> None:
    Path("eve.json").write_text('{"name": "Eve", "age": 3}')
    Path("all.jsonl").write_text("oops")
    said = soullink("people", "validate", "eve.json", "all.jsonl", "gone.yaml").out.splitlines()
    assert [line.split(": ")[0] for line in said] == [
        "bad  eve.json", "bad  all.jsonl", "bad  gone.yaml",
    ]  # fmt: skip
    assert all(line.count(".json") + line.count(".yaml") == 1 for line in said)


def test_a_folder_that_is_not_there_is_said_not_to_exist(soullink: Soullink) -> None:
    assert "nowhere does not exist" in soullink("people", "list", "nowhere").err
    assert "nowhere does not exist" in soullink("simulate", "a", "b", "--people", "nowhere").err
    assert ". is a folder" in soullink("simulate", "--pairs", ".").err
    assert "nowhere does not exist" in soullink("simulate", "--pairs", "nowhere").err
