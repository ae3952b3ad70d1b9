"""Versions, labels and A/B tests of prompts from the command line."""

import asyncio
import json
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import ADA, BEN, SHORT, Soullink
from tests.gateways.llm.server import Answer, Fail, Script, ScriptedOpenAiServer

TURN = "simulation.turn"
COLD = "You are a cold voice.\n---user---\nACT={{ act.name }}, answer as JSON.\n"
WARM = "You are a warm voice.\n---user---\nACT={{ act.name }}, answer as JSON.\n"
POOL = "lamp river bread quiet window rain slow paper night button orange stairs map".split()  # noqa: SIM905


def added(soullink: Soullink, template: str, *more: str) -> int:
    Path("template.md").write_text(template, "utf-8")
    document = soullink(
        "prompts", "add", TURN, "--file", "template.md", "--variables", "act", "--json", *more
    ).document
    return int(document["version"])


def test_a_version_is_added_once_shown_and_listed(soullink_db: Soullink) -> None:
    assert added(soullink_db, COLD, "--by", "mia", "--description", "Colder.") == 1001
    again = soullink_db("prompts", "add", TURN, "--file", "template.md", "--json").document
    assert (again["version"], again["new"]) == (1001, False)
    shown = soullink_db("prompts", "show", TURN, "--version", "1001", "--json").document
    assert (shown["template"], shown["description"]) == (COLD, "Colder.")
    assert soullink_db("prompts", "show", TURN, "--version", "1001", "--template").out == COLD
    listed = soullink_db("prompts", "versions", TURN, "--json").document
    found = next(row for row in listed if row["version"] == 1001)
    assert (found["shipped"], found["variables"], found["labels"]) == (False, ["act"], [])
    assert all(row["shipped"] for row in listed if row["version"] != 1001)
    assert "Colder." in soullink_db("prompts", "versions", TURN).out
    assert soullink_db("prompts", "versions", "no.such").code == 3


def test_a_template_that_cannot_work_is_refused(soullink_db: Soullink) -> None:
    Path("bad.md").write_text("Hi {{ nobody }}", "utf-8")
    ended = soullink_db("prompts", "add", TURN, "--file", "bad.md")
    assert (ended.code, "uses nobody" in ended.err) == (2, True)
    assert soullink_db("prompts", "add", TURN, "--file", "missing.md").code == 2
    Path("bad.md").write_bytes(b"\xff\xfe")
    assert "UTF-8" in soullink_db("prompts", "add", TURN, "--file", "bad.md").err


def test_production_is_moved_and_rolled_back_with_one_command_each(soullink_db: Soullink) -> None:
    version = added(soullink_db, COLD)
    assert "No labels yet" in soullink_db("prompts", "labels").out
    moved = soullink_db(
        "prompts", "label", TURN, "production", str(version), "--by", "mia", "--json"
    ).document
    assert (moved["version"], moved["previous"], moved["moved_by"]) == (1001, None, "mia")
    listed = soullink_db("prompts", "versions", TURN, "--json").document
    assert [row["version"] for row in listed if row["labels"] == ["production"]] == [1001]
    back = soullink_db("prompts", "rollback", TURN, "--by", "noa")
    assert "points to nothing (the newest shipped version), before to version 1001" in back.out
    history = soullink_db("prompts", "labels", TURN, "--history", "--json").document
    assert [(move["version"], move["moved_by"]) for move in history] == [
        (1001, "mia"),
        (None, "noa"),
    ]
    assert "noa (rollback)" in soullink_db("prompts", "labels").out
    assert soullink_db("prompts", "rollback", TURN).code == 4
    assert soullink_db("prompts", "label", TURN, "production", "77").code == 3


def test_outcomes_of_ones_own_are_recorded_and_decide(soullink_db: Soullink) -> None:
    version = str(added(soullink_db, WARM))
    start = ("prompts", "ab", "start", "warmer", TURN, "2", version)
    assert soullink_db(*start, "--metric", "liked").code == 0
    assert soullink_db(*start).code == 4
    for unit in range(12):
        assert soullink_db("prompts", "ab", "record", "warmer", f"u{unit}", "0", "1").code == 0
    again = soullink_db("prompts", "ab", "record", "warmer", "u3", "0", "1", "--json").document
    assert again["new"] is False
    assert soullink_db("prompts", "ab", "record", "warmer", "u3", "1", "1").code == 4
    assert soullink_db("prompts", "ab", "record", "warmer", "x", "1", "1", "1").code == 2
    shown = soullink_db("prompts", "ab", "status", "warmer")
    assert "B is better, decided after 12 pairs." in shown.out
    ended = soullink_db("prompts", "ab", "conclude", "warmer", "--json").document
    assert (ended["winner"], ended["experiment"]["status"]) == ("B", "concluded")
    (label,) = soullink_db("prompts", "labels", "--json").document
    assert (label["version"], label["reason"]) == (int(version), "experiment warmer")
    assert soullink_db("prompts", "rollback", TURN).code == 0
    assert "concluded, B won" in soullink_db("prompts", "ab", "list").out
    assert soullink_db("prompts", "ab", "status", "nothing").code == 3


@contextmanager
def serving(script: Script) -> Iterator[ScriptedOpenAiServer]:
    """Serve in a thread, because the command line has an event loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = ScriptedOpenAiServer(script)
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def answer(body: dict[str, Any]) -> Answer:
    """Do the act that is asked for; told to be cold, another one three times of four."""
    told = json.dumps(body["messages"])
    act = re.search(r"ACT=(\w+)", told)
    assert act is not None
    draws = random.Random(json.dumps(body))  # noqa: S311 - a scripted model
    a, b, c, d, e, f = draws.sample(POOL, 6)
    words = f"There was {a} near {b}, and then {c} over {d}, like {e} without {f}."
    slips = "cold voice" in told and draws.random() < 0.75
    other = "joke" if act[1] != "joke" else "ask"
    return {"inner_thought": "Well.", "words": words, "act": other if slips else act[1]}


RUN = ("prompts", "ab", "run", "warmer", ADA, BEN, "--voice", "openai:any", "--json")


def test_a_model_speaks_both_versions_until_the_test_is_decided(
    soullink_db: Soullink, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    versions = [str(added(soullink_db, template)) for template in (COLD, WARM)]
    soullink_db("prompts", "ab", "start", "warmer", TURN, *versions)
    with serving(answer) as server:
        monkeypatch.setenv("SOULLINK_LLM_BASE_URL", server.base_url)
        part = soullink_db(*RUN, "--pairs", "4", "--episodes", "1").document
        assert (part["pairs"], part["winner"]) == (4, None)
        whole = soullink_db(*RUN, "--episodes", "1").document
    assert whole["winner"] == "B"
    assert whole["means"][0] < whole["means"][1]
    assert 12 <= whole["decided_after"] == whole["pairs"] < 60
    seeds = [request.json.get("seed") for request in server.requests]
    first = [
        r.json["messages"][0]["content"] for r in server.requests if len(r.json["messages"]) == 2
    ]
    assert first.count("You are a cold voice.") == first.count("You are a warm voice.")
    assert len(first) == 2 * whole["pairs"]
    assert None not in seeds
    assert soullink_db("runs", "list", "--json").document == []
    with psycopg.connect(database_url) as connection:
        units = connection.execute("SELECT unit FROM prompt_outcome").fetchall()
    assert len(set(units)) == whole["pairs"]


def test_a_model_that_does_not_answer_decides_nothing(
    soullink_db: Soullink, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = [str(added(soullink_db, template)) for template in (COLD, WARM)]
    soullink_db("prompts", "ab", "start", "warmer", TURN, *versions)
    with serving(lambda _: Fail(401)) as server:
        monkeypatch.setenv("SOULLINK_LLM_BASE_URL", server.base_url)
        ended = soullink_db(*RUN)
    assert (ended.code, "did not answer 5 turns in a row" in ended.err) == (5, True)
    assert soullink_db("prompts", "ab", "status", "warmer", "--json").document["pairs"] == 0
    assert soullink_db("runs", "list", "--json").document == []


def test_only_what_a_course_tells_can_be_run(
    soullink_db: Soullink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    version = str(added(soullink_db, WARM))
    soullink_db("prompts", "ab", "start", "warmer", TURN, "2", version, "--metric", "liked")
    ended = soullink_db(*RUN)
    assert (ended.code, "cannot measure liked" in ended.err) == (2, True)
    live = ("--mode", "live", "--metric", "accepted")
    soullink_db("prompts", "ab", "start", "other", TURN, "2", version, *live)
    assert soullink_db(*(word.replace("warmer", "other") for word in RUN)).code == 4


def test_performance_has_a_row_a_version(soullink_db: Soullink) -> None:
    version = added(soullink_db, WARM)
    rows = soullink_db("prompts", "performance", TURN, "--json").document
    assert any(f"@{version}:" in row["reference"] for row in rows)
    assert {row["turns"] for row in rows} == {0}
    assert soullink_db("prompts", "performance", TURN).code == 0
    assert soullink_db("prompts", "performance", "no.such").code == 3


def test_what_a_version_did_cost_is_not_told_where_no_price_is_known(
    soullink_db: Soullink, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(lambda _: "No JSON here.") as server:
        monkeypatch.setenv("SOULLINK_LLM_BASE_URL", server.base_url)
        assert soullink_db("simulate", ADA, BEN, *SHORT, "--voice", "openai:any").code == 0
    rows = soullink_db("prompts", "performance", TURN, "--json").document
    [used] = [row for row in rows if row["calls"]]
    assert (used["cost_nano_usd"], used["unpriced"]) == (0, used["calls"])
    assert used["quality"]["schema_valid"] == 0.0
    shown = soullink_db("prompts", "performance", TURN).out
    assert "no known price" in shown
    assert len([line for line in shown.splitlines() if " ? " in line]) == 1
