"""Help, documentation and wrong commands."""

import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer

from soullink import bootstrap
from soullink.entrypoints.cli.commands.options import MOST_REPLICAS
from soullink.entrypoints.cli.commands.simulate import MOST_EPISODES
from soullink.entrypoints.cli.commands.texts import STAGES as NAMED_STAGES
from soullink.entrypoints.cli.main import GLOBAL_VALUES, app, globals_first
from soullink.modules.profiles.api import IMPORT_FORMATS
from soullink.modules.simulation import api, service
from tests.cli.conftest import Soullink
from tests.cli.reference import PAGE_FILE, helps, page_text

HELPS = dict(helps())
COMMANDS = [name for name, text in HELPS.items() if "\nCommands:\n" not in text]
GROUPS = [name for name in HELPS if name not in COMMANDS]
EXAMPLES = sorted(
    {
        line.strip()
        for text in HELPS.values()
        for line in text.partition("Examples:")[2].splitlines()
        if line.strip()
    }
)


def test_the_reference_page_is_current() -> None:
    assert PAGE_FILE.read_text("utf-8") == page_text(), "run: python -m tests.cli.reference"


def test_there_is_every_command_that_the_product_promises() -> None:
    promised = (
        "simulate screen calibrate resume replay fork explain doctor migrate "
        "runs.list runs.show runs.export runs.delete "
        "serve.llm llm.ask llm.bias llm.models llm.usage "
        "llm.keys.create llm.keys.list llm.keys.revoke "
        "llm.budgets.set llm.budgets.list llm.budgets.remove "
        "people.import people.show people.validate people.list personality.items "
        "personality.score scenarios.list scenarios.show scenarios.generate scenarios.validate "
        "prompts.list prompts.show prompts.versions prompts.add prompts.label prompts.labels "
        "prompts.rollback prompts.performance prompts.ab.start prompts.ab.record prompts.ab.run "
        "prompts.ab.status prompts.ab.conclude prompts.ab.list "
        "match.join match.recommend match.pair match.near match.round match.challenge "
        "match.challenges match.settle match.block match.pause match.leave match.forget "
        "match.reindex "
        "consent.grant consent.withdraw consent.show consent.text events.list events.retry "
        "relationships.propose relationships.accept relationships.decline relationships.met "
        "relationships.move relationships.end relationships.block relationships.unblock "
        "relationships.checkin relationships.due relationships.state relationships.list "
        "feedback.tell feedback.export feedback.erasures "
        "archive.run archive.restore archive.reports "
        "ml.train ml.rollback ml.report ml.compare "
        "ml.evaluate.speed-dating ml.evaluate.market ml.fairness.speed-dating"
    )
    assert sorted(COMMANDS) == sorted(
        "soullink " + name.replace(".", " ") for name in promised.split()
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_examples_of_itself_and_speaks_json(command: str) -> None:
    text = HELPS[command]
    examples = text.partition("Examples:")[2].split("\n")
    shown = [line.strip() for line in examples if line.strip()]
    assert shown
    assert all(command in line for line in shown)
    assert "--json" in text


def _parsed(example: str) -> tuple[str, dict[str, Any]]:
    """Return the command's name and what it would be called with."""
    words = shlex.split(re.split(r" [>|] ", example)[0])
    while "=" in words[0]:
        words.pop(0)
    assert words.pop(0) == "soullink"
    words = globals_first(words)
    while words[0] in GLOBAL_VALUES:
        del words[:2]
    command: Any = typer.main.get_command(app)
    name = "soullink"
    while hasattr(command, "commands") and not words[0].startswith("-"):
        name = words.pop(0)
        command = command.commands[name]
    return name, command.make_context(name, words).params


@pytest.mark.parametrize("example", [line for line in EXAMPLES if "--help" not in line])
def test_every_example_can_be_typed(example: str) -> None:
    name, given = _parsed(example)
    shipped = {s.id for s in bootstrap.build_scenarios().shipped()}
    if name == "simulate" and given["scenarios"]:
        assert set(given["scenarios"].split(",")) <= shipped
    if "scenario" in given:
        assert given["scenario"] in shipped
    for word in re.findall(r"examples/\S+", example):
        assert Path(PAGE_FILE.parents[2], word).exists(), word


def test_examples_of_scenarios_are_among_the_examples() -> None:
    assert sum("last-train-noodle-bar" in example for example in EXAMPLES) == 4


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_alone_answers_with_its_help(soullink: Soullink, group: str) -> None:
    ended = soullink(*group.split()[1:])
    assert (ended.code, ended.out) == (2, "")
    assert [line.split() for line in ended.err.splitlines() if "  list " in line] == [
        line.split() for line in HELPS[group].splitlines() if "  list " in line
    ]
    assert ended.err.startswith("Usage: ")
    assert "\nCommands:\n" in ended.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(command: str) -> None:
    for line in HELPS[command].splitlines():
        found = re.match(r"^  (-\S.*?)(?:  +(.*))?$", line)
        if found and "\nOptions:\n" in HELPS[command].partition(line)[0] + "\n":
            following = HELPS[command].partition(line)[2].split("\n")[1]
            assert found[2] or following.startswith(" " * 10), line


def test_help_names_what_the_modules_know() -> None:
    assert NAMED_STAGES.split(", ") == list(api.STAGES)
    assert all(name in HELPS["soullink people import"] for name in IMPORT_FORMATS)
    assert all(name in HELPS["soullink fork"] for name in api.STATE_VARIABLES)
    assert (MOST_EPISODES, MOST_REPLICAS) == (service.MOST_EPISODES, service.MOST_REPLICAS)


def test_help_needs_nothing_heavy() -> None:
    """What takes long to import would make `--help` slow on every machine."""
    heavy = ("numpy", "sqlalchemy", "psycopg", "aiohttp", "structlog", "rich.table")
    code = (
        "import sys; from soullink.entrypoints.cli.main import main; main(['simulate', '--help']);"
        f"found = [name for name in {heavy!r} if name in sys.modules]; assert not found, found"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "Examples:" in ended.stdout


def test_the_version_is_printed(soullink: Soullink) -> None:
    assert soullink("--version").out == f"soullink {version('soullink')}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("dance",),
        ("simulate",),
        ("simulate", "one.yaml"),
        ("simulate", "a.yaml", "b.yaml", "c.yaml"),
        ("simulate", "a.yaml", "b.yaml", "--episodes", "none"),
        ("simulate", "a.yaml", "b.yaml", "--episodes", "0"),
        ("simulate", "a.yaml", "b.yaml", "--replicas", "0"),
        ("simulate", "a.yaml", "b.yaml", "--seed", "-1"),
        ("simulate", "a.yaml", "b.yaml", "--language", "fr"),
        ("simulate", "a.yaml", "b.yaml", "--pairs", "pairs.csv"),
        ("simulate", "a.yaml", "b.yaml", "--frob"),
        ("--data-dir", "x", "--database-url", "y", "runs", "list"),
        ("runs", "list", "--limit", "0"),
        ("people", "list", "a\0b"),
        ("fork", "last", "--episode", "1"),
        ("scenarios", "list", "--stage", "divorce"),
        ("people", "import", "x.csv", "--format", "tinder"),
        ("serve", "llm", "--port", "70000"),
        ("llm", "keys", "create", "acme"),
        ("llm", "budgets", "set", "5", "--all", "--period", "year"),
    ],
)
def test_a_wrong_command_is_one_sentence_and_exit_code_2(
    soullink: Soullink, arguments: tuple[str, ...]
) -> None:
    ended = soullink(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.strip().splitlines()) == 1
    assert "Traceback" not in ended.err
    assert "Value error" not in ended.err
    assert "Input should" not in ended.err
