"""Builds the module."""

from collections.abc import Sequence
from pathlib import Path

from soullink.modules.prompts.api import Prompts
from soullink.modules.prompts.files import read_folder
from soullink.modules.prompts.service import FilePrompts


def build(folders: Sequence[Path]) -> Prompts:
    """Return the prompts in `folders`, e.g. [.../modules/simulation/prompts].

    Raises InvalidPromptError, naming the file, before anything runs on a broken prompt.
    """
    return FilePrompts(prompt for folder in folders for prompt in read_folder(folder))
