"""Keys, budgets, usage and questions from the command line, with a real database."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from soullink.entrypoints.cli.money import dollars, nano_usd
from soullink.kernel.errors import InvalidInputError
from tests.cli.conftest import Soullink
from tests.cli.serving import provider

MODEL = "openai:gpt-4o-mini"
CONFIG = """
routes:
  fast:
    deployments:
      - {{model: "{model}", base_url: "{url}"}}
prices:
  "{model}": {{input: "1", output: "2", cached_input: "0.5"}}
"""


@pytest.fixture
def config() -> Iterator[str]:
    """A configuration with one route, to a provider that says good morning."""
    with provider() as server:
        Path("llm.yaml").write_text(CONFIG.format(model=MODEL, url=server.base_url), "utf-8")
        yield "llm.yaml"


@pytest.mark.parametrize(
    ("text", "nano", "shown"),
    [
        ("0", 0, "0.00"),
        ("25", 25_000_000_000, "25.00"),
        ("$1.5", 1_500_000_000, "1.50"),
        ("0.000000001", 1, "0.000000001"),
        ("0.1", 100_000_000, "0.10"),
        ("999999999.999999999", 999_999_999_999_999_999, "999999999.999999999"),
    ],
)
def test_dollars_are_read_and_written_exactly(text: str, nano: int, shown: str) -> None:
    assert nano_usd(text) == nano
    assert dollars(nano) == shown


@pytest.mark.parametrize("text", ["", "-1", "1e3", "1,5", "0.0000000001", "1.", ".5", "inf", "一"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="write US dollars"):
        nano_usd(text)


def test_what_is_owed_has_a_minus() -> None:
    assert dollars(-1_500_000_000) == "-1.50"


def test_a_key_is_made_listed_and_revoked(soullink_db: Soullink) -> None:
    made = soullink_db(
        *("llm", "keys", "create", "acme", "--name", "batch", "--model", "fast", "--rpm", "60"),
        *("--budget", "2.50", "--period", "month", "--expires", "2999-01-01", "--json"),
    ).document
    assert made["secret"].startswith(made["prefix"])
    assert (made["tenant"], made["models"], made["requests_per_minute"]) == ("acme", ["fast"], 60)
    assert made["expires_at"] == "2999-01-01T00:00:00+00:00"
    [budget] = soullink_db("llm", "budgets", "list", "--json").document
    assert (budget["scope"], budget["subject"], budget["period"]) == ("key", made["id"], "month")
    assert budget["limit_nano_usd"] == 2_500_000_000
    listed = soullink_db("llm", "keys", "list")
    assert made["prefix"] in listed.out
    assert made["secret"] not in listed.out + listed.err
    [found] = soullink_db("llm", "keys", "list", "--tenant", "acme", "--json").document
    assert (found["state"], found["name"]) == ("works", "batch")
    assert soullink_db("llm", "keys", "list", "--tenant", "other", "--json").document == []
    said = soullink_db("llm", "keys", "revoke", made["prefix"]).out
    assert f"{made['id']} is revoked" in said
    assert "within 5 seconds" in said
    [found] = soullink_db("llm", "keys", "list", "--json").document
    assert found["state"] == "revoked"


def test_a_secret_is_printed_alone_so_that_it_can_be_copied(soullink_db: Soullink) -> None:
    lines = soullink_db("llm", "keys", "create", "acme", "--name", "batch").out.splitlines()
    assert lines[0].startswith("sl-")
    assert len(lines[0]) == 46
    assert "not shown again" in lines[1]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("keys", "create", "", "--name", "x"), 2, "tenant"),
        (("keys", "create", "acme", "--name", "x", "--expires", "soon"), 2, "--expires"),
        (("keys", "create", "acme", "--name", "x", "--expires", "2001-01-01"), 2, "expired"),
        (("keys", "create", "acme", "--name", "x", "--budget", "much"), 2, "US dollars"),
        (("keys", "revoke", "abcd1234"), 3, "no key"),
        (("keys", "revoke", "ab"), 2, "at least 4"),
        (("budgets", "set", "5"), 2, "--tenant"),
        (("budgets", "set", "5", "--all", "--run", "x"), 2, "Give one"),
        (("budgets", "set", "-5", "--all"), 2, "-5"),
        (("budgets", "set", "5", "--key", "abcd1234"), 3, "no key"),
        (("budgets", "remove", "--tenant", "acme"), 3, "acme"),
        (("usage", "--by", "colour"), 2, "--by is one or more of model, prompt"),
        (("usage", "--since", "yesterday"), 2, "--since"),
        (("usage", "--csv", "--json"), 2, "not both"),
        (("ask", "nothing", "Hello"), 2, "nothing"),
        (("ask", MODEL, "Hello"), 5, "OPENAI_API_KEY"),
        (("models", "--config", "nowhere.yaml"), 2, "nowhere.yaml"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    soullink_db: Soullink, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended = soullink_db("llm", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert soullink_db("llm", "keys", "list", "--json").document == []


def test_budgets_are_set_changed_and_removed(soullink_db: Soullink) -> None:
    key = soullink_db("llm", "keys", "create", "acme", "--name", "x", "--json").document
    for whose in (
        ("--all",),
        ("--tenant", "acme"),
        ("--key", key["id"][-8:]),
        ("--run", "course-7"),
        ("--model", MODEL),
    ):
        ended = soullink_db("llm", "budgets", "set", "0.005", *whose, "--json")
        assert ended.document["limit_nano_usd"] == 5_000_000, ended.err
    changed = soullink_db("llm", "budgets", "set", "7", "--tenant", "acme")
    assert "7.00" in changed.out
    listed = soullink_db("llm", "budgets", "list", "--json").document
    assert {(budget["scope"], budget["subject"]) for budget in listed} == {
        ("all", ""),
        ("tenant", "acme"),
        ("key", key["id"]),
        ("run", "course-7"),
        ("model", MODEL),
    }
    removed = soullink_db("llm", "budgets", "remove", "--tenant", "acme", "--json").document
    assert removed == {"removed": {"scope": "tenant", "subject": "acme", "period": "total"}}
    assert len(soullink_db("llm", "budgets", "list", "--json").document) == 4


def test_a_question_is_answered_paid_for_and_on_record(soullink_db: Soullink, config: str) -> None:
    asked = soullink_db("llm", "ask", "fast", "Hello", "--config", config)
    assert (asked.code, asked.out) == (0, "Good morning to you.\n")
    assert "120 tokens in and 30 out, 0.00017 USD" in asked.err
    whole = soullink_db("llm", "ask", "fast", "Hello", "--config", config, "--json").document
    # 100 tokens at 1 dollar a million, 20 cached at half, 30 out at 2.
    assert whole["cost_nano_usd"] == 170_000
    [row] = soullink_db("llm", "usage", "--by", "tenant,model,purpose", "--json").document
    assert (row["tenant"], row["model"], row["purpose"]) == ("cli", MODEL, "cli.ask")
    assert (row["calls"], row["cost_nano_usd"], row["cost_usd"]) == (2, 340_000, "0.00034")
    assert row["estimated_share"] == 0.0
    shown = soullink_db("llm", "usage").out
    assert "2 calls for 0.00034 USD, 0 % of that estimated." in shown
    written = soullink_db("llm", "usage", "--by", "day", "--csv").out
    [line] = csv.DictReader(io.StringIO(written))
    assert line["cost_nano_usd"] == "340000"
    assert soullink_db("llm", "usage", "--tenant", "other", "--json").document == []
    assert soullink_db("llm", "usage", "--until", "2001-01-01", "--json").document == []
    assert "No call is on record" in soullink_db("llm", "usage", "--since", "2999-01-01").out


def test_a_question_is_recorded_and_played_back_where_the_environment_says_so(
    soullink_db: Soullink, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOULLINK_LLM_CASSETTE", "calls.jsonl")
    first = soullink_db("llm", "ask", "fast", "Hello", "--config", config)
    monkeypatch.setenv("SOULLINK_LLM_CASSETTE_MODE", "replay")
    again = soullink_db("llm", "ask", "fast", "Hello", "--config", config)
    assert (first.code, again.code, again.out) == (0, 0, first.out)
    missing = soullink_db("llm", "ask", "fast", "Something else", "--config", config)
    assert (missing.code, missing.out) == (4, "")
    [row] = soullink_db("llm", "usage", "--json").document
    assert row["calls"] == 1


def test_a_budget_stops_a_question_before_it_is_sent(soullink_db: Soullink, config: str) -> None:
    soullink_db("llm", "budgets", "set", "0.000000001", "--tenant", "cli")
    ended = soullink_db("llm", "ask", "fast", "Hello", "--config", config)
    assert (ended.code, ended.out) == (5, "")
    assert "budget" in ended.err


def test_routes_are_listed_with_what_stands_behind_them(soullink_db: Soullink, config: str) -> None:
    [route] = soullink_db("llm", "models", "--config", config, "--json").document
    assert (route["name"], route["kind"]) == ("fast", "chat")
    assert [deployment["model"] for deployment in route["deployments"]] == [MODEL]
    shown = soullink_db("llm", "models", "--config", config).out
    assert "fast" in shown
    assert MODEL in shown
