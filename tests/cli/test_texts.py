"""Scenarios, prompts and doctor from the command line."""

import json
from pathlib import Path

import pytest
import yaml

from soullink.modules.simulation.api import STAGES
from tests.cli.conftest import ADA, BEN, Soullink


def test_scenarios_are_listed_over_all_stages(soullink: Soullink) -> None:
    listed = soullink("scenarios", "list", "--json").document
    assert len(listed) >= 30
    assert {scenario["stage"] for scenario in listed} == set(STAGES)
    crisis = soullink("scenarios", "list", "--stage", "crisis", "--json").document
    assert crisis == [scenario for scenario in listed if scenario["stage"] == "crisis"]
    assert listed[0]["title"]["zh"] in soullink("scenarios", "list", "--language", "zh").out


def test_a_shown_scenario_validates_and_a_changed_one_is_checked(soullink: Soullink) -> None:
    name = soullink("scenarios", "list", "--json").document[0]["id"]
    text = soullink("scenarios", "show", name).out
    Path("mine.yaml").write_text(text, "utf-8")
    assert soullink("scenarios", "validate", "mine.yaml").code == 0
    document = yaml.safe_load(text)
    document["minutes"] = "long"
    Path("bad.yaml").write_text(yaml.safe_dump(document), "utf-8")
    ended = soullink("scenarios", "validate", "mine.yaml", "bad.yaml", "--json")
    assert ended.code == 2
    assert [file["ok"] for file in ended.document["files"]] == [True, False]
    assert "minutes" in ended.document["files"][1]["error"]
    assert soullink("scenarios", "show", "no-such-scene").code == 3


@pytest.mark.parametrize("name", ["scene.yaml", "scene.json"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_composed_scenario_validates(soullink: Soullink, stage: str, name: str) -> None:
    command = ("scenarios", "generate", ADA, BEN, "--stage", stage, "--seed", "3")
    assert soullink(*command, "--out", name).code == 0
    assert soullink("scenarios", "validate", name).code == 0
    printed = soullink(*command, "--json").document
    assert printed["stage"] == stage
    assert printed == yaml.safe_load(soullink(*command).out)


def test_a_model_that_does_not_answer_is_replaced_by_the_rule(
    soullink: Soullink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOULLINK_LLM_BASE_URL", "http://127.0.0.1:1/v1")
    ended = soullink(
        "scenarios", "generate", ADA, BEN, "--stage", "crisis", "--model", "openai:any", "--json"
    )
    assert ended.code == 0
    assert ended.document["origin"] == "composed"
    assert ended.err == "openai:any gave nothing usable; this scenario was composed by rule.\n"


def test_prompts_are_listed_and_shown(soullink: Soullink) -> None:
    listed = soullink("prompts", "list", "--json").document
    assert {prompt["language"] for prompt in listed} == {"en", "zh"}
    for prompt in listed:
        command = ("prompts", "show", prompt["name"], "--language", prompt["language"])
        command += ("--version", str(prompt["version"]))
        document = soullink(*command, "--json").document
        assert document["reference"] == prompt["reference"]
        assert document["template"] in soullink(*command).out
    assert soullink("prompts", "show", "no.such").code == 3


def test_doctor_finds_everything_that_a_course_needs(soullink_db: Soullink) -> None:
    ended = soullink_db("doctor", "--json")
    assert ended.code == 0, ended.out
    assert ended.document["ok"] is True
    found = {check["name"]: check for check in ended.document["checks"]}
    needed = ("python", "prompts", "scenarios", "database", "pgvector", "migrations", "course")
    assert {found[name]["status"] for name in needed} == {"works"}
    assert found["voice openai"]["remedy"] == "set OPENAI_API_KEY"
    assert soullink_db("runs", "list", "--json").document == []


def test_doctor_never_shows_a_key(soullink_db: Soullink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    ended = soullink_db("doctor")
    assert "OPENAI_API_KEY set" in ended.out
    assert "sk-very-secret" not in ended.out + ended.err


def test_doctor_says_how_to_get_what_is_missing(
    soullink: Soullink, empty_database_url: str
) -> None:
    ended = soullink("doctor", "--json", "--database-url", empty_database_url)
    assert ended.code == 5
    missing = [check for check in ended.document["checks"] if check["status"] == "missing"]
    assert [check["name"] for check in missing] == ["migrations"]
    assert missing[0]["remedy"] == "soullink migrate"
    unreachable = soullink("doctor", "--database-url", "postgresql://127.0.0.1:1/none")
    assert unreachable.code == 5
    assert "Cannot connect to the database" in " ".join(unreachable.out.split())


def test_doctor_tells_of_a_folder_that_cannot_be_used(soullink: Soullink) -> None:
    Path("file").write_text("")
    ended = soullink("doctor", "--json", "--data-dir", "file/below")
    assert ended.code == 5
    missing = {check["name"] for check in ended.document["checks"] if check["status"] == "missing"}
    assert missing == {"data folder", "database"}
    assert json.loads(ended.out)["ok"] is False
