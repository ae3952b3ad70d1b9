"""The command line as tests use it: in this process, or as a program of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from soullink.entrypoints.cli.main import main
from tests.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples" / "people"
ADA, BEN = str(EXAMPLES / "ada.yaml"), str(EXAMPLES / "ben.yaml")
LIN, CHEN = str(EXAMPLES / "lin.yaml"), str(EXAMPLES / "chen.yaml")
SHORT = ("--episodes", "1", "--replicas", "12")
PROGRAM = (sys.executable, "-c", "from soullink.entrypoints.cli.main import run; run()")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Soullink = Callable[..., Ended]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Work in an empty folder, without keys or settings of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("SOULLINK_LLM", "SOULLINK_DATA_DIR", "SOULLINK_DATABASE_URL")):
            monkeypatch.delenv(name)
        if name.endswith("_API_KEY") or name in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    yield
    structlog.reset_defaults()


@pytest.fixture
def soullink(capsys: pytest.CaptureFixture[str]) -> Soullink:
    """Call the command line in this process; for commands without a database."""

    def call(*arguments: str) -> Ended:
        capsys.readouterr()
        code = int(main(arguments))
        written = capsys.readouterr()
        return Ended(code, written.out, written.err)

    return call


@pytest.fixture
def soullink_db(soullink: Soullink, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Soullink:
    """Call the command line in this process, with an empty database."""
    monkeypatch.setenv("SOULLINK_DATABASE_URL", database_url)
    return soullink


@pytest.fixture
def start(database_url: str) -> Iterator[Start]:
    """Start the command line as a program of its own; it is killed when the test is over."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **environ: str) -> "subprocess.Popen[str]":
        program = subprocess.Popen(
            [*PROGRAM, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env={
                **os.environ,
                "PYTHONPATH": str(REPOSITORY / "src"),
                "SOULLINK_DATABASE_URL": database_url,
                **environ,
            },
        )
        started.append(program)
        return program

    yield begin
    for program in started:
        if program.poll() is None:
            program.kill()
        program.communicate()


def interrupt_after(
    program: "subprocess.Popen[str]", lines: int, number: int = signal.SIGINT
) -> tuple[int, str]:
    """Signal `program` once it has printed so many lines; return its exit code and stderr."""
    assert program.stdout is not None
    for _ in range(lines):
        assert program.stdout.readline() != "", "it ended before it could be interrupted"
    program.send_signal(number)
    _, err = program.communicate(timeout=60)
    return program.returncode, err


def without_wall(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a course.jsonl without what depends on the hour and the machine."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [{key: value for key, value in row.items() if key != "wall"} for row in rows]
