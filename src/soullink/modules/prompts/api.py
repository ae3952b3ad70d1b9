"""Prompts: versioned templates of what is said to language models. Nothing else here is public."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from soullink.kernel.errors import InvalidInputError, NotFoundError

SEPARATOR = "---user---"
"""A line of its own in a template: what stands above is the system part, below the user part."""


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A filled-in prompt. system is empty where the template has no SEPARATOR.

    reference: of the prompt, for the journal.
    """

    system: str
    user: str
    reference: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One immutable version of a template.

    name: e.g. "simulation.turn"; version: counts from 1; content_hash: SHA-256 of the template,
    64 hexadecimal digits; variables: the names that the template may use; language: "en" or "zh".
    """

    name: str
    version: int
    language: str
    description: str
    variables: tuple[str, ...]
    template: str
    content_hash: str

    @property
    def reference(self) -> str:
        """Return e.g. "simulation.turn@1:3f2a91bc", which names exactly these bytes."""
        return f"{self.name}@{self.version}:{self.content_hash[:8]}"


class PromptNotFoundError(NotFoundError):
    """No prompt has this name, language and version."""

    code = "prompt_not_found"


class InvalidPromptError(InvalidInputError):
    """A prompt file cannot be used; the message names the file and what to change."""

    code = "invalid_prompt"


class PromptRenderError(InvalidInputError):
    """A template's variables and the values given do not agree."""

    code = "prompt_render"


class Prompts(Protocol):
    """Keeps templates and fills them in."""

    def list_prompts(self) -> list[Prompt]:
        """Return every version of every prompt, sorted by name, language, version."""
        ...

    def get(self, name: str, language: str, version: int | None = None) -> Prompt:
        """Return the newest version, or the one asked for. Raises PromptNotFoundError."""
        ...

    def render(self, prompt: Prompt, variables: Mapping[str, object]) -> str:
        """Return the filled-in template, in a sandbox, every variable declared and given.

        Values are plain data: text, numbers, booleans, None, lists and mappings of them. They are
        put in as they are and never read as templates. A SEPARATOR becomes an empty line.
        Raises PromptRenderError.
        """
        ...

    def render_parts(self, prompt: Prompt, variables: Mapping[str, object]) -> RenderedPrompt:
        """Return the system and the user part, split where the template says SEPARATOR.

        A value that holds the same line splits nothing. Raises PromptRenderError.
        """
        ...
