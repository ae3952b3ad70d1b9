"""Somebody who is forgotten is nowhere: no table, list, cache or file has a word left."""

import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from soullink.entrypoints.cli.main import main
from tests.conftest import REPOSITORY

CANARIES = {
    "id": "canaryid",
    "name": "Canaryname",
    "city": "Canarycity",
    "occupation": "canaryjob",
    "pronouns": "canarypronouns",
    "interest": "canaryinterest",
    "title": "canarytitle",
    "essay": "canaryessay",
    "wants": "canarywants",
    "breaker": "canarybreaker",
    "secret": "canarysecret",
    "source": "canarysource",
    "challenge": "canarychallenge",
    "checkin": "canarycheckin",
}


def _document() -> dict[str, Any]:
    c = CANARIES
    return {
        "id": c["id"],
        "name": c["name"],
        "age": 32,
        "city": c["city"],
        "occupation": c["occupation"],
        "pronouns": c["pronouns"],
        "languages": ["English"],
        "interests": [c["interest"]],
        "essays": {c["title"]: f"I grow {c['essay']} in the garden."},
        "wants": {"goal": "long_term", "text": c["wants"]},
        "deal_breakers": [c["breaker"]],
        "secrets": [c["secret"]],
        "source_id": c["source"],
        "gender": "man",
        "interested_in": "woman",
        "location": {"cell": "788-0632"},
    }


def _rows_with(url: str, word: str) -> list[str]:
    """Return the tables of every schema that hold `word` anywhere, in any column."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        return [
            f"{schema}.{table}"
            for schema, table in tables
            if connection.execute(
                f'SELECT 1 FROM "{schema}"."{table}" AS r'  # noqa: S608 (names from the catalogue)
                " WHERE lower(r::text) LIKE %s LIMIT 1",
                [f"%{word}%"],
            ).fetchone()
        ]


def _files_with(folder: Path, word: bytes) -> list[str]:
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and word in path.read_bytes().lower()
    ]


@pytest.fixture
def run(database_url, monkeypatch, capsys, tmp_path):
    """Call the command line on the test's database, with its temporary files kept apart."""
    for name in list(os.environ):
        if name.startswith("SOULLINK_LLM") or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("SOULLINK_DATABASE_URL", database_url)
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.chdir(scratch)

    def call(*words: str, expected: int = 0) -> str:
        code = main(words)
        written = capsys.readouterr()
        assert code == expected, written.err
        return written.out + written.err

    return call


def test_nothing_is_left_of_somebody_who_is_forgotten(run, database_url, tmp_path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "canary.yaml").write_text(yaml.safe_dump(_document()), encoding="utf-8")
    person = CANARIES["id"]
    ada = str(REPOSITORY / "examples" / "people" / "ada.yaml")
    maya = str(REPOSITORY / "examples" / "people" / "maya.yaml")
    both = ("--agreed", "simulation_before_meeting", "--agreed", "training")
    run("match", "join", str(given / "canary.yaml"), *both)
    run("match", "join", ada, maya, *both)

    # Every way to leave traces: lists of both, screening, rounds, challenges, blocks.
    lived = run("match", "recommend", "ada", "--screen", "5", "--explore", "0.2", "--json")
    assert person in lived
    assert "simulated_interaction" in lived
    run("match", "recommend", person, "--json")
    run("match", "pair", "ada", person)
    assert person in run("match", "near", "ada", "--json")
    run("match", "round", "--method", "tu")
    run("match", "round", "--method", "stable", "--json")
    run("match", "challenge", person, "--field", "age", CANARIES["challenge"], "--match", "ada")
    run("match", "challenge", "ada", "--field", "location", "I moved.", "--match", person)
    # What becomes of two who were suggested: both say yes, meet, tell how it is.
    run("relationships", "propose", "ada", person)
    run("relationships", "accept", "ada", person)
    run("relationships", "accept", person, "ada")
    run("relationships", "met", "ada", person)
    run("relationships", "met", person, "ada")
    checkin = ("--satisfaction", "8", "--tension", "2", "--text")
    run("relationships", "checkin", person, "ada", *checkin, f"{CANARIES['checkin']}.")
    run("feedback", "tell", person, "ada", "--again")
    run("match", "block", person, "maya")
    run("match", "block", "maya", person)
    run("match", "pause", person)
    run("match", "pause", person, "--end")
    traces = {word: _rows_with(database_url, word.lower()) for word in CANARIES.values()}
    assert all(traces.values()), "a canary that leaves no trace proves nothing"
    assert "public.kept_embedding" in traces[person]
    assert "public.matching_exposure" in traces[person]
    assert any(table.startswith("soullink_vectors.") for table in traces[person])

    assert "is forgotten" in run("match", "forget", person)

    left = {word: _rows_with(database_url, word.lower()) for word in CANARIES.values()}
    assert {word: tables for word, tables in left.items() if tables} == {}
    for word in CANARIES.values():
        assert _files_with(tmp_path / "scratch", word.lower().encode()) == []
    run("match", "recommend", person, expected=3)
    for listed in (run("match", "recommend", "ada", "--json"), run("match", "round", "--json")):
        assert person not in listed
    run("match", "pair", "ada", person, expected=3)
    assert person not in run("match", "near", "ada", "--json")
    assert "location" in run("match", "challenges", "ada")
    assert "was not here" in run("match", "forget", person)
    assert _rows_with(database_url, person) == []


def test_somebody_may_come_back_as_if_never_there(run, database_url, tmp_path) -> None:
    path = tmp_path / "canary.yaml"
    path.write_text(yaml.safe_dump(_document()), encoding="utf-8")
    person = CANARIES["id"]
    ada = str(REPOSITORY / "examples" / "people" / "ada.yaml")
    run("match", "join", str(path), ada)
    run("match", "block", "ada", person)
    run("match", "forget", person)
    assert '"revision": 1' in run("match", "join", str(path), "--json")
    assert person in run("match", "recommend", "ada", "--json")
    assert _rows_with(database_url, person)
