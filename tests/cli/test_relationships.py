"""Consents, relationships, feedback, the archive and events from the command line."""

import json
import re
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import Soullink


@pytest.fixture
def agreed(soullink_db: Soullink) -> Soullink:
    for person in ("ada", "ben"):
        assert soullink_db("consent", "grant", person, "matching", "--by", "test").code == 0
    return soullink_db


def met(soullink: Soullink) -> None:
    soullink("relationships", "propose", "ada", "ben")
    for person, other in (("ada", "ben"), ("ben", "ada")):
        assert soullink("relationships", "accept", person, other).code == 0
    assert soullink("relationships", "met", "ben", "ada").code == 0


def test_consent_is_shown_granted_and_withdrawn(soullink_db: Soullink) -> None:
    text = soullink_db("consent", "text", "training", "--language", "zh")
    assert text.out.startswith("从后来的情况中学习\n")
    assert soullink_db("consent", "text", "training", "--json").document["version"] == 1
    granted = soullink_db("consent", "grant", "ada", "training", "--language", "zh", "--json")
    assert (granted.document["granted"], granted.document["language"]) == (True, "zh")
    shown = soullink_db("consent", "show", "ada").out
    assert re.search(r"training +yes +.* +1 +zh", shown)
    assert re.search(r"matching +not asked", shown)
    said = soullink_db("consent", "withdraw", "ada", "training").out
    assert said.startswith("ada does not agree to training (text 1, zh) since ")
    history = soullink_db("consent", "show", "ada", "--history", "--json").document
    assert [answer["granted"] for answer in history] == [True, False]
    assert "training" in soullink_db("consent", "show", "ada", "--history").out
    assert [s["holds"] for s in soullink_db("consent", "show", "ada", "--json").document] == [
        False
    ] * 4
    assert soullink_db("consent", "show", "ben", "--history").out == "No answers yet.\n"
    assert soullink_db("consent", "grant", "ada", "fun").code == 2
    assert soullink_db("consent", "grant", "ada", "training", "--text-version", "9").code == 3


def test_a_way_of_two_people(agreed: Soullink) -> None:
    proposed = agreed("relationships", "propose", "ada", "ben", "--by", "ada")
    assert proposed.out.startswith("ada and ben are proposed to each other until ")
    waiting = agreed("relationships", "state", "ada", "ben").out
    assert "It goes on when both say yes." in waiting
    assert "It happens when the other says the same by themselves" in waiting
    assert "wish" not in agreed("relationships", "state", "ben", "ada", "--json").out
    accepted = agreed("relationships", "accept", "ben", "ada", "--language", "zh")
    assert accepted.out == "ada: 你们都同意了。\n"
    assert agreed("relationships", "met", "ben", "ada").out == "ada: You have met.\n"
    agreed("relationships", "move", "ada", "ben", "dating")
    stale = agreed("relationships", "move", "ben", "ada", "dating", "--seen", "accepted")
    assert (stale.code, stale.err) == (4, "It is met by now, not accepted; look again.\n")
    dating = agreed("relationships", "move", "ben", "ada", "dating", "--seen", "met", "--json")
    assert dating.document["state"] == "dating"
    done = agreed(
        "relationships", "checkin", "ada", "ben",
        "--satisfaction", "8", "--tension", "2", "--text", "canary",
    )  # fmt: skip
    assert "There are too few answers yet" in done.out
    assert "canary" in agreed("relationships", "state", "ada", "ben").out
    for language in ("en", "zh"):
        theirs = agreed("relationships", "state", "ben", "ada", "--language", language)
        assert "canary" not in theirs.out
    assert "canary" not in agreed("relationships", "state", "ben", "ada", "--json").out
    assert agreed("relationships", "due").out == "Nobody is to be asked now.\n"
    assert set(agreed("relationships", "due", "ada", "--json").document["questions"]) == {
        "satisfaction",
        "tension",
        "text",
    }
    assert agreed("relationships", "end", "ben", "ada").out == "ada: It has ended.\n"
    over = agreed("relationships", "move", "ada", "ben", "together")
    assert (over.code, over.err) == (4, "This is over (ended); nothing comes after.\n")
    listed = agreed("relationships", "list").out
    assert re.search(r"ada, ben +ended", listed)
    (kept,) = agreed("relationships", "list", "--json").document
    by_id = agreed("relationships", "state", "ada", kept["id"], "--json").document
    assert by_id["relationship"]["state"] == "ended"
    assert re.search(r"ben +ended", agreed("relationships", "list", "ada").out)


def test_a_decline_and_a_block_are_told_to_whoever_did_it_alone(agreed: Soullink) -> None:
    agreed("relationships", "propose", "ada", "ben")
    assert agreed("relationships", "decline", "ben", "ada").out == "ada: You said no.\n"
    assert (
        agreed("relationships", "state", "ada", "ben", "--json").document["relationship"]["state"]
        == "proposed"
    )
    blocked = agreed("relationships", "block", "ada", "ben", "--json")
    assert blocked.document == {"person": "ada", "blocked": "ben"}
    assert agreed("relationships", "unblock", "ada", "ben").out == "ada does not block ben.\n"
    undone = agreed("relationships", "unblock", "ada", "ben", "--json")
    assert undone.document == {"person": "ada", "unblocked": "ben"}
    assert "kept" not in agreed("relationships", "block", "ada", "ben").err
    refused = agreed("relationships", "propose", "ada", "ben")
    assert (refused.code, refused.err) == (
        4,
        "These two cannot be proposed to each other now.\n",
    )


def test_what_cannot_be_done_is_one_sentence(soullink_db: Soullink) -> None:
    missing = soullink_db("relationships", "propose", "ada", "ben")
    assert missing.code == 4
    assert missing.err.startswith("Both people must have agreed to being matched")
    nothing = soullink_db("relationships", "end", "ada", "ben")
    assert (nothing.code, nothing.err.count("\n")) == (3, 1)
    assert soullink_db("archive", "restore", "x").code == 2
    assert soullink_db("archive", "restore", "0199d3a2-7c51-7f0e-9a4b-3f7a4c1d2e5b").code == 3
    assert soullink_db("events", "retry", "7").code == 3
    assert soullink_db("relationships", "list").out == "No relationships.\n"
    assert soullink_db("feedback", "erasures").out == "Nobody is to be deleted.\n"
    assert (
        soullink_db("archive", "reports").out == "No runs yet; begin with `soullink archive run`.\n"
    )
    assert soullink_db("events", "list").out == "Nothing waits.\n"


def test_feedback_goes_out_with_consent_and_is_called_back(
    agreed: Soullink, tmp_path: Path
) -> None:
    early = agreed("relationships", "propose", "ada", "ben")
    assert early.code == 0
    assert agreed("feedback", "tell", "ada", "ben", "--again").code == 4
    met(agreed)
    assert agreed("feedback", "tell", "ada", "ben", "--again").code == 0
    assert agreed("feedback", "tell", "ben", "ada", "--not-again", "--json").code == 0
    agreed("consent", "grant", "ada", "training")
    out = tmp_path / "first"
    said = agreed("feedback", "export", "--out", str(out))
    assert said.out.startswith("2 answers of 1 person; 0 to be deleted")
    rows = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
    assert [(r["kind"], r["phase"], r["target_only"]) for r in rows] == [
        ("said_yes", "before_meeting", False),
        ("would_meet_again", "after_meeting", True),
    ]
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest["columns"]) == set(rows[0])
    agreed("consent", "withdraw", "ada", "training")
    later = agreed("feedback", "export", "--out", str(tmp_path / "later"), "--json").document
    assert (later["rows"], later["people"]) == (0, 0)
    (called_back,) = later["delete"]
    assert (called_back["export"], called_back["name"]) == (manifest["export"], rows[0]["rater"])
    assert agreed("feedback", "erasures", "--json").document == later["delete"]
    assert "withdrawn" in agreed("feedback", "erasures").out


def test_the_archive_is_planned_before_it_is_run(
    agreed: Soullink, monkeypatch: pytest.MonkeyPatch
) -> None:
    met(agreed)
    agreed("relationships", "end", "ada", "ben")
    monkeypatch.setenv("SOULLINK_RETAIN_ENDED_DAYS", "0")
    plan = agreed("archive", "run")
    assert re.search(r"1 +closed relationships go to the archive", plan.out)
    assert "Nothing was done" in plan.out
    assert agreed("archive", "run", "--json").document["applied"] is False
    done = agreed("archive", "run", "--apply", "--json")
    assert (done.document["archived"], done.document["applied"]) == (1, True)
    assert "1 archived" in done.err
    (away,) = agreed("relationships", "list", "ada", "--archived", "--json").document
    assert agreed("relationships", "list", "ada", "--json").document == []
    assert agreed("archive", "restore", away["id"]).out == "ada and ben (ended) are back.\n"
    assert agreed("archive", "restore", away["id"], "--json").document["archived_at"] is None
    assert re.search(r" 0 +1 +0 +0$", agreed("archive", "reports").out.strip())
    assert len(agreed("archive", "reports", "--json").document) == 1
    monkeypatch.setenv("SOULLINK_RETAIN_ENDED_DAYS", "soon")
    wrong = agreed("archive", "run")
    assert (wrong.code, wrong.err) == (
        2,
        "SOULLINK_RETAIN_ENDED_DAYS is a whole number of days, not 'soon'.\n",
    )


def test_every_command_delivers_and_what_cannot_be_is_listed(
    soullink_db: Soullink, database_url: str
) -> None:
    soullink_db("consent", "grant", "ada", "matching")
    with psycopg.connect(database_url) as connection:
        for payload in ('{"person_id": "ada"}', '{"person": "nobody"}'):
            connection.execute(
                "INSERT INTO outbox (name, payload, stream)"
                " VALUES ('profiles.person_forgotten.v1', %s, %s)",
                [payload, payload],
            )
    ended = soullink_db("relationships", "list")
    assert (ended.code, ended.out) == (0, "No relationships.\n")
    assert ended.err.endswith(
        " of what was changed could not be passed on yet; see `soullink events list`.\n"
    )
    assert soullink_db("consent", "show", "ada", "--history", "--json").document == []
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE outbox SET set_aside_at = now()")
    listed = soullink_db("events", "list", "--set-aside")
    assert "profiles.person_forgotten.v1" in listed.out
    (event,) = soullink_db("events", "list", "--json").document
    assert event["tries"] >= 1  # on a slow machine the pause of a second is over by now
    assert soullink_db("events", "retry", str(event["id"]), "--json").document == {
        "retried": 1,
        "delivered": 0,
        "failed": 1,
        "set_aside": 0,
    }
    with psycopg.connect(database_url) as connection:
        connection.execute("""UPDATE outbox SET payload = '{"person_id": "ben"}'""")
    assert soullink_db("events", "retry", str(event["id"])).out == (
        "1 event tried again: 1 delivered, 0 failed.\n"
    )
