"""Prompts: list and show."""

import sys
from dataclasses import asdict

from rich.text import Text

from soullink import bootstrap
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import opened
from soullink.entrypoints.cli.output import cell, print_json, stdout, table
from soullink.kernel.language import Language
from soullink.modules.prompts.api import FIRST_STORED, Prompt


def list_prompts(invocation: Invocation, as_json: bool) -> None:
    """Print every version of every prompt."""
    found = bootstrap.build_prompts().list_prompts()
    if as_json:
        print_json(
            [
                {
                    "name": prompt.name,
                    "language": prompt.language,
                    "version": prompt.version,
                    "reference": prompt.reference,
                    "description": prompt.description,
                    "variables": list(prompt.variables),
                }
                for prompt in found
            ]
        )
        return
    shown = table("=NAME", "=LANGUAGE", ">VERSION", "=HASH", "DESCRIPTION")
    for prompt in found:
        shown.add_row(
            prompt.name,
            prompt.language,
            str(prompt.version),
            prompt.content_hash[:8],
            cell(prompt.description),
        )
    stdout(invocation).print(shown)


async def _added(invocation: Invocation, name: str, language: str, version: int) -> Prompt:
    async with opened(invocation) as session:
        return (await session.house.prompt_store.snapshot()).get(name, language, version)


def show(
    invocation: Invocation,
    name: str,
    language: Language,
    version: int | None,
    template_alone: bool,
    as_json: bool,
) -> None:
    """Print one prompt's template."""
    if version is None or version < FIRST_STORED:
        prompt = bootstrap.build_prompts().get(name, language, version)
    else:
        prompt = invocation.interruption.run(_added(invocation, name, language, version))
    if as_json:
        print_json({**asdict(prompt), "reference": prompt.reference})
        return
    if template_alone:
        sys.stdout.write(prompt.template)
        return
    console = stdout(invocation)
    console.print(Text(f"# {prompt.reference} ({prompt.language})", style="dim"), soft_wrap=True)
    console.print(Text(f"# variables: {', '.join(prompt.variables)}", style="dim"), soft_wrap=True)
    console.print(Text(prompt.template), soft_wrap=True)
