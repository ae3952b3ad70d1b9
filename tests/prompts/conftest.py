"""Prompts of a greeting module, with a clock that moves on by itself."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from soullink.gateways.postgres.database import Database
from soullink.modules.prompts import wiring
from soullink.modules.prompts.api import Experiments, PromptStore

NAME = "greeting.hello"
HEAD = "---\ndescription: Says hello.\nvariables:\n  who: a name\n  mood: how they feel\n---\n"


@dataclass
class TickingClock:
    """Each look is a second later than the last."""

    time: datetime = field(default=datetime(2026, 11, 23, 12, tzinfo=UTC))

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with greeting.hello in versions 1 and 2, in English and Chinese."""
    found = tmp_path / "greeting" / "prompts"
    found.mkdir(parents=True)
    for name, template in {
        "hello.en.v1.md": "Hello {{ who }} ({{ mood }})",
        "hello.en.v2.md": "Good day {{ who }} ({{ mood }})",
        "hello.zh.v1.md": "你好，{{ who }}（{{ mood }}）",
    }.items():
        (found / name).write_text(HEAD + template, "utf-8")
    return found


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def store(folder: Path, database: Database, clock: TickingClock) -> PromptStore:
    return wiring.build_store([folder], database, clock)


@pytest.fixture
def experiments(folder: Path, database: Database, clock: TickingClock) -> Experiments:
    return wiring.build_experiments([folder], database, clock)
