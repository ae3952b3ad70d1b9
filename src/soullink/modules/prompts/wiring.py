"""Builds the module."""

from collections.abc import Sequence
from pathlib import Path

from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock
from soullink.modules.prompts.api import Experiments, Prompts, PromptStore, SpokenTurns
from soullink.modules.prompts.experiments import StoredExperiments
from soullink.modules.prompts.files import read_folder
from soullink.modules.prompts.service import FilePrompts
from soullink.modules.prompts.versions import PromptUsage, StoredPrompts


def build(folders: Sequence[Path]) -> Prompts:
    """Return the prompts in `folders`, e.g. [.../modules/simulation/prompts].

    Raises InvalidPromptError, naming the file, before anything runs on a broken prompt.
    """
    return _shipped(folders)


def build_store(
    folders: Sequence[Path],
    database: Database,
    clock: Clock,
    accounts: PromptUsage | None = None,
    turns: SpokenTurns | None = None,
) -> PromptStore:
    """Return the versions and labels over the prompts in `folders`.

    accounts, turns: what performance is read from. Raises InvalidPromptError as `build` does.
    """
    return StoredPrompts(database, clock, _shipped(folders), accounts, turns)


def build_experiments(folders: Sequence[Path], database: Database, clock: Clock) -> Experiments:
    """Return the A/B tests over the prompts in `folders`. Raises InvalidPromptError."""
    return StoredExperiments(database, clock, _shipped(folders))


def _shipped(folders: Sequence[Path]) -> FilePrompts:
    return FilePrompts(prompt for folder in folders for prompt in read_folder(folder))
