"""soullink match: over a folder without storing, and over those who have joined."""

from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import ADA, BEN, EXAMPLES

PEOPLE = str(EXAMPLES)


def test_a_folder_is_enough_to_try_it(soullink) -> None:
    ended = soullink("match", "recommend", "ada", "--people", PEOPLE)
    assert ended.code == 0
    assert "2 people fit what ada asked for" in ended.out
    assert "Ben Halloran" in ended.out
    document = soullink("match", "recommend", "ada", "--people", PEOPLE, "--json").document
    assert {one["person"] for one in document["suggestions"]} == {"ben", "tomas"}
    assert document["candidates"] == 2


def test_a_language_may_be_asked_for(soullink) -> None:
    for language, word in (("en", "fits what you asked for"), ("zh", "符合你提出的条件")):
        ended = soullink(
            "match", "recommend", "lin", "--people", PEOPLE, "--language", language, "--explain"
        )
        assert word in ended.out


def test_a_pair_is_told_each_for_itself(soullink) -> None:
    ended = soullink("match", "pair", "ada", "ben", "--people", PEOPLE, "--json")
    view = ended.document
    assert view["may_meet"] is True
    assert view["explanations"].keys() == {"ada", "ben"}
    refused = soullink("match", "pair", "ada", "chen", "--people", PEOPLE)
    assert refused.code == 0
    assert "Not suggested. What ada is told:" in refused.out


@pytest.mark.parametrize("method", ["one_sided", "tu", "stable"])
def test_a_round_over_a_folder(soullink, method: str) -> None:
    ended = soullink("match", "round", "--method", method, "--people", PEOPLE, "--json")
    made = ended.document
    assert made["people"] == 12
    shown = {one["person"]: one["shown"] for one in made["lists"]}
    assert set(shown["ada"]) <= {"ben", "tomas"}


def test_a_round_as_a_table(soullink) -> None:
    ended = soullink("match", "round", "--method", "nash", "--people", PEOPLE)
    assert ended.code == 0
    assert "matches expected" in ended.out


def test_wrong_input_is_one_sentence(soullink, tmp_path: Path) -> None:
    for words, code, said in (
        (("recommend", "zoe", "--people", PEOPLE), 3, "Nobody with the id 'zoe'"),
        (("pair", "ada", "ada", "--people", PEOPLE), 2, "the same person twice"),
        (("recommend", "ada", "--people", str(tmp_path / "none.yaml")), 2, "does not exist"),
        (("join", ADA, ADA), 2, "given twice"),
        (("join", ADA, "--agreed", "everything"), 2, "known are matching"),
        (("settle", "abc", "--upheld", "--answer", "x"), 2, "no id of a challenge"),
    ):
        ended = soullink("match", *words)
        assert (ended.code, ended.out) == (code, ""), words
        assert said in ended.err
        assert len(ended.err.strip().splitlines()) == 1


def test_joining_being_suggested_and_leaving(soullink_db, database_url) -> None:
    joined = soullink_db("match", "join", PEOPLE, "--json").document["joined"]
    assert len(joined) == 12
    sam = next(one for one in joined if one["id"] == "sam")
    assert sam["unknown"] == ["gender", "interested_in", "location", "languages"]
    listed = soullink_db("match", "recommend", "ada", "--json").document
    assert {one["person"] for one in listed["suggestions"]} == {"ben", "tomas"}
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT shown_id, place, propensity FROM matching_exposure ORDER BY place"
        ).fetchall()
    assert [(who, place) for who, place, _ in rows] == [
        (one["person"], one["rank"]) for one in listed["suggestions"]
    ]
    soullink_db("match", "block", "ben", "ada")
    soullink_db("match", "pause", "tomas")
    assert soullink_db("match", "recommend", "ada", "--json").document["suggestions"] == []
    assert "pauses" in soullink_db("match", "recommend", "tomas").err
    soullink_db("match", "pause", "tomas", "--end")
    soullink_db("match", "block", "ben", "ada", "--undo")
    assert soullink_db("match", "recommend", "ada", "--json").document["candidates"] == 2
    left = soullink_db("match", "leave", "ben", "--json").document
    assert left == {"person": "ben", "state": "left", "waiting": 0}
    assert soullink_db("match", "recommend", "ada", "--json").document["candidates"] == 1
    assert soullink_db("match", "recommend", "ben").code == 4
    assert soullink_db("match", "join", BEN).code == 0
    assert soullink_db("match", "recommend", "ada", "--json").document["candidates"] == 2


def test_a_challenge_from_beginning_to_end(soullink_db) -> None:
    soullink_db("match", "join", ADA, BEN)
    made = soullink_db(
        "match", "challenge", "ada", "--field", "age", "I am older.", "--match", "ben", "--json"
    ).document
    assert (made["state"], made["field"], made["match"]) == ("open", "age", "ben")
    listed = soullink_db("match", "challenges", "ada")
    assert "I am older." in listed.out
    settled = soullink_db(
        "match", "settle", made["id"], "--dismissed", "--answer", "So it says.", "--json"
    ).document
    assert (settled["state"], settled["answer"]) == ("dismissed", "So it says.")
    again = soullink_db("match", "settle", made["id"], "--upheld", "--answer", "x")
    assert again.code == 4
