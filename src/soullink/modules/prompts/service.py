"""Prompts read from files once, kept in memory."""

from collections.abc import Iterable, Mapping

from soullink.modules.prompts.api import (
    InvalidPromptError,
    Prompt,
    PromptNotFoundError,
    PromptRenderError,
    RenderedPrompt,
)
from soullink.modules.prompts.sandbox import check, fill, parts, plain


class FilePrompts:
    """Implements Prompts over prompts already read.

    Raises InvalidPromptError when two are the same version, or a template cannot work.
    """

    def __init__(self, prompts: Iterable[Prompt]) -> None:
        self._prompts: dict[tuple[str, str, int], Prompt] = {}
        for prompt in prompts:
            key = (prompt.name, prompt.language, prompt.version)
            if key in self._prompts:
                raise InvalidPromptError(
                    f"{prompt.name} ({prompt.language}, version {prompt.version}) exists twice."
                )
            check(prompt)
            self._prompts[key] = prompt

    def list_prompts(self) -> list[Prompt]:
        return [self._prompts[key] for key in sorted(self._prompts)]

    def get(self, name: str, language: str, version: int | None = None) -> Prompt:
        versions = [
            number for known, tongue, number in self._prompts if (known, tongue) == (name, language)
        ]
        if version is None and versions:
            return self._prompts[name, language, max(versions)]
        if version is not None and version in versions:
            return self._prompts[name, language, version]
        wanted = "" if version is None else f", version {version}"
        known_names = ", ".join(sorted({known for known, _, _ in self._prompts})) or "none"
        raise PromptNotFoundError(
            f"There is no prompt {name} ({language}{wanted}); there are: {known_names}."
        )

    def render(self, prompt: Prompt, variables: Mapping[str, object]) -> str:
        return "\n\n".join(self._filled(prompt, variables))

    def render_parts(self, prompt: Prompt, variables: Mapping[str, object]) -> RenderedPrompt:
        filled = self._filled(prompt, variables)
        system = filled[0] if len(filled) > 1 else ""
        return RenderedPrompt(system=system, user=filled[-1], reference=prompt.reference)

    def _filled(self, prompt: Prompt, variables: Mapping[str, object]) -> list[str]:
        missing = [name for name in prompt.variables if name not in variables]
        unknown = sorted(set(variables) - set(prompt.variables))
        if missing:
            raise PromptRenderError(f"{prompt.name} needs {', '.join(missing)}.")
        if unknown:
            raise PromptRenderError(f"{prompt.name} does not declare {', '.join(unknown)}.")
        values = {name: plain(variables[name], name) for name in prompt.variables}
        return [fill(part, values, prompt.name) for part in parts(prompt.template)]
