"""Prompt files: NAME.LANG.vN.md beside the module that uses them."""

import hashlib
import re
from pathlib import Path

import yaml

from soullink.kernel.language import LANGUAGES
from soullink.modules.prompts.api import FIRST_STORED, SEPARATOR, InvalidPromptError, Prompt

_FILE_NAME = re.compile(
    rf"(?P<name>[a-z][a-z0-9_]*)\.(?P<language>{'|'.join(LANGUAGES)})\.v(?P<version>[1-9]\d*)\.md"
)
_VARIABLE = re.compile(r"[a-z][a-z0-9_]*")
_FENCE = "---\n"


def read_folder(folder: Path) -> list[Prompt]:
    """Return the prompts in `folder`, named after the folder that it stands in.

    A README.md is left alone; any other file must be a prompt. Raises InvalidPromptError.
    """
    if not folder.is_dir():
        raise InvalidPromptError(f"There is no folder of prompts {folder}.")
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return [read_file(path) for path in files if path.name != "README.md"]


def read_file(path: Path) -> Prompt:
    """Return the prompt in one file. Raises InvalidPromptError."""
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        raise InvalidPromptError(f"{path} must be called NAME.LANG.vN.md, e.g. turn.en.v1.md.")
    if int(match["version"]) >= FIRST_STORED:
        raise InvalidPromptError(
            f"{path} must have a version below {FIRST_STORED}, where operators' versions begin."
        )
    try:
        text = path.read_bytes().decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InvalidPromptError(f"{path} is not UTF-8 text: {error.reason}.") from error
    head, fence, template = text.removeprefix(_FENCE).partition(f"\n{_FENCE}")
    if not text.startswith(_FENCE) or not fence:
        raise InvalidPromptError(f"{path} must begin with a YAML front matter between two '---'.")
    if not template.strip():
        raise InvalidPromptError(f"{path} has no template below its front matter.")
    if template.splitlines().count(SEPARATOR) > 1:
        raise InvalidPromptError(f"{path} has more than one line {SEPARATOR}.")
    description, variables = _front_matter(head, path)
    return Prompt(
        name=f"{path.parent.parent.name}.{match['name']}",
        version=int(match["version"]),
        language=match["language"],
        description=description,
        variables=variables,
        template=template,
        content_hash=hashlib.sha256(template.encode()).hexdigest(),
    )


def _front_matter(head: str, path: Path) -> tuple[str, tuple[str, ...]]:
    try:
        document = yaml.safe_load(head)
    except yaml.YAMLError as error:
        raise InvalidPromptError(f"The front matter of {path} is not YAML: {error}.") from error
    if not isinstance(document, dict) or set(document) != {"description", "variables"}:
        raise InvalidPromptError(
            f"The front matter of {path} must have exactly description and variables."
        )
    description, variables = document["description"], document["variables"]
    if not isinstance(description, str) or not description.strip():
        raise InvalidPromptError(f"The description in {path} must be a sentence.")
    if not isinstance(variables, dict) or not all(
        isinstance(name, str) and _VARIABLE.fullmatch(name) and isinstance(meaning, str)
        for name, meaning in variables.items()
    ):
        raise InvalidPromptError(
            f"The variables in {path} must be a mapping from each name to what it means."
        )
    return description.strip(), tuple(variables)
