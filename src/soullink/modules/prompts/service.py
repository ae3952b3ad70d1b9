"""Prompts kept in memory: what is known never changes while it is held."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from soullink.modules.prompts.api import (
    Block,
    Context,
    ContextBudget,
    ContextParts,
    Counter,
    InvalidPromptError,
    Prompt,
    PromptNotFoundError,
    PromptRenderError,
    RenderedPrompt,
)
from soullink.modules.prompts.domain import context
from soullink.modules.prompts.domain.growing import Growing
from soullink.modules.prompts.sandbox import check, fill, parts, plain, used

_REFERENCE: Final = re.compile(r"(?P<name>[^@]+)@(?P<version>\d+):(?P<hash>[0-9a-f]{8,64})")

Key = tuple[str, str]
"""Name and language of a prompt."""


class FilePrompts:
    """Implements Prompts over prompts already read.

    Raises InvalidPromptError when two are the same version, or a template cannot work.
    """

    def __init__(self, prompts: Iterable[Prompt]) -> None:
        self._prompts: dict[tuple[str, str, int], Prompt] = {}
        self._chosen: Mapping[Key, int] = {}
        for prompt in prompts:
            key = (prompt.name, prompt.language, prompt.version)
            if key in self._prompts:
                raise InvalidPromptError(
                    f"{prompt.name} ({prompt.language}, version {prompt.version}) exists twice."
                )
            check(prompt)
            self._prompts[key] = prompt
        self._newest = self._newest_shipped()

    def _newest_shipped(self) -> dict[Key, Prompt]:
        ordered = sorted(self._prompts.items())
        return {(p.name, p.language): p for _, p in ordered if p.shipped}

    def with_added(self, added: Iterable[Prompt], chosen: Mapping[Key, int]) -> "FilePrompts":
        """Return these prompts and `added` ones, where `get` takes the versions of `chosen`.

        Added ones have been checked when they were added. Raises PromptNotFoundError and
        InvalidPromptError where a chosen version is gone, or needs what the code does not give.
        """
        more = {(p.name, p.language, p.version): p for p in added}
        found = self._copy({**self._prompts, **more}, {})
        for (name, language), version in chosen.items():
            found.require_fillable(found.get(name, language, version))
        return self._copy(found._prompts, chosen)  # noqa: SLF001  (of its own kind)

    def _copy(
        self, prompts: Mapping[tuple[str, str, int], Prompt], chosen: Mapping[Key, int]
    ) -> "FilePrompts":
        found = FilePrompts(())
        found._prompts = dict(prompts)
        found._chosen = dict(chosen)
        found._newest = self._newest
        return found

    def newest_shipped(self, name: str, language: str) -> Prompt:
        """Return the version that the code is written for. Raises PromptNotFoundError."""
        found = self._newest.get((name, language))
        if found is None:
            raise self._not_found(name, language, None)
        return found

    def require_fillable(self, prompt: Prompt) -> None:
        """Raise InvalidPromptError where `prompt` needs variables that the code does not give."""
        given = self.newest_shipped(prompt.name, prompt.language)
        lacking = sorted(set(prompt.variables) - set(given.variables))
        if lacking:
            raise InvalidPromptError(
                f"{prompt.reference} ({prompt.language}) needs {', '.join(lacking)}, which this "
                f"SoulLink does not give it; it gives {', '.join(given.variables)}."
            )

    def list_prompts(self) -> list[Prompt]:
        return [self._prompts[key] for key in sorted(self._prompts)]

    def get(self, name: str, language: str, version: int | None = None) -> Prompt:
        if version is None:
            version = self._chosen.get((name, language))
        if version is None:
            return self.newest_shipped(name, language)
        found = self._prompts.get((name, language, version))
        if found is None:
            raise self._not_found(name, language, version)
        return found

    def _not_found(self, name: str, language: str, version: int | None) -> PromptNotFoundError:
        wanted = "" if version is None else f", version {version}"
        known_names = ", ".join(sorted({known for known, _, _ in self._prompts})) or "none"
        return PromptNotFoundError(
            f"There is no prompt {name} ({language}{wanted}); there are: {known_names}."
        )

    def references(self, language: str) -> tuple[str, ...]:
        names = {name for name, tongue in self._newest if tongue == language}
        return tuple(sorted(self.get(name, language).reference for name in names))

    def pinned(self, references: Iterable[str]) -> "FilePrompts":
        chosen = dict(self._chosen)
        for reference in references:
            match = _REFERENCE.fullmatch(reference)
            found = [
                prompt
                for prompt in self._prompts.values()
                if match
                and (prompt.name, prompt.version) == (match["name"], int(match["version"]))
                and prompt.content_hash.startswith(match["hash"])
            ]
            if not found:
                raise PromptNotFoundError(
                    f"There is no prompt {reference}, or that version has other content by now."
                )
            for prompt in found:
                self.require_fillable(prompt)
                chosen[prompt.name, prompt.language] = prompt.version
        return self._copy(self._prompts, chosen)

    def render(self, prompt: Prompt, variables: Mapping[str, object]) -> str:
        return "\n\n".join(self._filled(prompt, variables))

    def render_parts(self, prompt: Prompt, variables: Mapping[str, object]) -> RenderedPrompt:
        filled = self._filled(prompt, variables)
        system = filled[0] if len(filled) > 1 else ""
        return RenderedPrompt(system=system, user=filled[-1], reference=prompt.reference)

    def render_user(self, prompt: Prompt, variables: Mapping[str, object]) -> str:
        return self._filled(prompt, variables, first=-1)[0]

    def looked_at(self, prompt: Prompt) -> tuple[frozenset[str], frozenset[str]]:
        filled = parts(prompt.template)
        return frozenset(used(filled[:-1])), frozenset(used(filled[-1:]))

    def assemble(self, parts: ContextParts, budget: ContextBudget, count: Counter) -> Context:
        return context.assemble(parts, budget, count)

    def conversation(
        self,
        earlier: str,
        pause: str,
        marks: tuple[str, str, str],
        budget: ContextBudget,
        count: Counter,
    ) -> Growing:
        return Growing(earlier, pause, marks, budget, count)

    def compose(self, blocks: Sequence[Block], variables: Mapping[str, object]) -> RenderedPrompt:
        declared = {name for block in blocks for name in block.prompt.variables}
        conditions = {name for block in blocks for name in (block.when, block.unless) if name}
        unknown = sorted(set(variables) - declared - conditions)
        if unknown:
            raise PromptRenderError(f"No block declares {', '.join(unknown)}.")
        taken = [
            block.prompt
            for block in blocks
            if (not block.when or variables.get(block.when))
            and not (block.unless and variables.get(block.unless))
        ]
        if not taken:
            raise PromptRenderError("No block's condition holds; give one that has none.")
        rendered = [
            self.render_parts(
                prompt, {name: variables[name] for name in prompt.variables if name in variables}
            )
            for prompt in taken
        ]
        return RenderedPrompt(
            system="\n\n".join(part.system for part in rendered if part.system),
            user="\n\n".join(part.user for part in rendered if part.user),
            reference="+".join(part.reference for part in rendered),
        )

    def _filled(self, prompt: Prompt, variables: Mapping[str, object], first: int = 0) -> list[str]:
        """Return the parts from the `first` on, filled in."""
        # An older or added version may use less than what the code gives the newest one.
        newest = self._newest.get((prompt.name, prompt.language), prompt)
        given = tuple(variables)
        missing, unknown = _misfits(prompt.variables, newest.variables, given)
        if missing:
            raise PromptRenderError(f"{prompt.name} needs {', '.join(missing)}.")
        if unknown:
            raise PromptRenderError(f"{prompt.name} does not declare {', '.join(unknown)}.")
        filled = parts(prompt.template)[first:]
        values = {name: plain(variables[name], name) for name in used(filled) if name in given}
        return [fill(part, values, prompt.name) for part in filled]


@lru_cache(maxsize=512)
def _misfits(
    declared: tuple[str, ...], newest: tuple[str, ...], given: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is declared and not given, and what is given and not declared anywhere."""
    missing = tuple(name for name in declared if name not in given)
    return missing, tuple(sorted(set(given) - set(declared) - set(newest)))
