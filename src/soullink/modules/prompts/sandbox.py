"""The environment that templates are filled in by: sandboxed, strict, without a way out."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from soullink.modules.prompts.api import InvalidPromptError, Prompt, PromptRenderError

_KEPT = frozenset("\t\n\u200c\u200d")
"""Control characters with a use in text: tab, line feed, and the joiners of scripts and emoji."""


def quoted(value: object, limit: int | None = None) -> str:
    """Return `value` with "> " before every line, so that no line of it passes for the prompt's.

    limit: characters kept; what is longer ends in an ellipsis.
    """
    lines = _cleaned(value, limit).splitlines() or [""]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def one_line(value: object, limit: int | None = None) -> str:
    """Return `value` on one line, its white space as single spaces; limit as in `quoted`."""
    return " ".join(_cleaned(value, limit).split())


def _cleaned(value: object, limit: int | None) -> str:
    lines = str(value).splitlines()
    text = "\n".join(lines)
    if not all(line.isprintable() for line in lines):
        text = "".join(
            character
            for character in text
            # Controls and overrides of the writing direction could hide what a line really says.
            if character in _KEPT or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}
        )
    text = text.strip()
    return text if limit is None or len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.globals.clear()
    environment.filters |= {"quoted": quoted, "one_line": one_line}
    return environment


_ENVIRONMENT = _environment()
_OTHER_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


def check(prompt: Prompt) -> None:
    """Raise InvalidPromptError where the template cannot be filled in by its variables."""
    who = f"{prompt.name} ({prompt.language}, version {prompt.version})"
    try:
        tree = _ENVIRONMENT.parse(prompt.template)
        used = find_undeclared_variables(tree)
    except TemplateError as error:
        raise InvalidPromptError(f"The template of {who} is broken: {error}.") from error
    if any(True for _ in tree.find_all(_OTHER_FILES)):
        raise InvalidPromptError(f"The template of {who} may not load other files.")
    unknown = sorted(used - set(prompt.variables))
    if unknown:
        raise InvalidPromptError(
            f"The template of {who} uses {', '.join(unknown)}; declare it under variables."
        )


def fill(template: str, variables: Mapping[str, object], who: str) -> str:
    """Return `template` with `variables` in it, plain data. Raises PromptRenderError."""
    try:
        # A part that is the same on every turn of a course is filled in once.
        key = (template, *[_key(variables[name]) for name in _used(template) if name in variables])
        filled = _FILLED.get(key)
        if filled is None:
            if len(_FILLED) >= _MOST_FILLED:
                _FILLED.clear()
            filled = _FILLED[key] = _compiled(template).render(variables).strip()
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise PromptRenderError(f"{who} cannot be filled in: {error}.") from error
    return filled


_FILLED: dict[tuple[object, ...], str] = {}
_MOST_FILLED = 1024


def _key(value: object) -> object:
    """Return what tells plain values apart; 1, 1.0 and True are written differently."""
    kind = type(value)
    if kind is str:
        return value
    if isinstance(value, dict):
        return tuple([(name, _key(part)) for name, part in value.items()])
    if isinstance(value, list):
        return (list, *map(_key, value))
    return (kind, value)


@lru_cache(maxsize=512)
def used(templates: tuple[str, ...]) -> tuple[str, ...]:
    """Return the variables that any of the templates looks at, sorted."""
    return tuple(sorted({name for template in templates for name in _used(template)}))


@lru_cache(maxsize=512)
def _used(template: str) -> tuple[str, ...]:
    """Return the variables that the template looks at, sorted."""
    return tuple(sorted(find_undeclared_variables(_ENVIRONMENT.parse(template))))


@lru_cache(maxsize=512)
def _compiled(template: str) -> Template:
    # Compiling takes a hundred times as long as filling in.
    return _ENVIRONMENT.from_string(template)


_PLAIN = frozenset({str, bool, int, float, type(None)})


def plain(value: object, name: str) -> Any:
    """Return a copy of `value` made of plain data only. Raises PromptRenderError for others.

    An object with methods of its own would hand them to the template.
    """
    if type(value) in _PLAIN or isinstance(value, int | float):
        return value
    if isinstance(value, str):
        # A subclass (an enumeration, markup that escapes) would bring its own behaviour along.
        return str.__str__(value)
    if isinstance(value, dict | Mapping):
        return {str.__str__(str(key)): plain(part, f"{name}.{key}") for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part, f"{name}[{index}]") for index, part in enumerate(value)]
    raise PromptRenderError(
        f"The variable {name} is a {type(value).__name__}; give text, numbers, lists or mappings."
    )


_SEPARATOR_LINE = re.compile(r"^---user---\n", re.MULTILINE)


@lru_cache(maxsize=512)
def parts(template: str) -> tuple[str, ...]:
    """Return the template's parts: one, or system and user."""
    return tuple(_SEPARATOR_LINE.split(template))
