"""soullink prompts: what is said to language models, its versions and labels."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, examples, invocation_of
from soullink.entrypoints.cli.commands.prompts_ab import ab
from soullink.kernel.language import Language

prompts = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What is said to language models."
)
prompts.add_typer(ab, name="ab")

Name: TypeAlias = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of a prompt.", show_default=False)
]
InLanguage: TypeAlias = Annotated[Language, typer.Option(help="Which language.")]
Label: TypeAlias = Annotated[
    str, typer.Argument(metavar="LABEL", help="production is the one that is used.")
]
By: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="WHO", help="Who does this, for the record. Default: you.", show_default=False
    ),
]


@prompts.command("list", epilog=examples("soullink prompts list", "soullink prompts list --json"))
def list_prompts(context: typer.Context, as_json: AsJson = False) -> None:
    """List every shipped version of every prompt."""
    deferred.templates.list_prompts(invocation_of(context), as_json)


@prompts.command(
    "show",
    epilog=examples(
        "soullink prompts show simulation.turn",
        "soullink prompts show simulation.turn --language zh --version 1",
        "soullink prompts show simulation.turn --version 1001",
        "soullink prompts show simulation.turn --template > warmer.md",
    ),
)
def show_prompt(
    context: typer.Context,
    name: Name,
    language: InLanguage = "en",
    version: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Default: the newest shipped one. From 1001: one that was added.",
            show_default=False,
        ),
    ] = None,
    template: Annotated[
        bool,
        typer.Option("--template", help="Print the template alone, ready to be changed and added."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print one prompt's template."""
    deferred.templates.show(invocation_of(context), name, language, version, template, as_json)


@prompts.command("versions", epilog=examples("soullink prompts versions simulation.turn"))
def versions(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """List every version of a prompt, shipped and added, with the labels that point to it."""
    deferred.prompt_versions.versions(invocation_of(context), name, as_json)


@prompts.command(
    "add",
    epilog=examples(
        "soullink prompts add simulation.turn --file warmer.md",
        "soullink prompts add simulation.turn --language zh --file - --description 'Shorter.'",
    ),
)
def add(
    context: typer.Context,
    name: Name,
    file: Annotated[
        Path, typer.Option(metavar="FILE", help="The template, without front matter; - is stdin.")
    ],
    language: InLanguage = "en",
    variables: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME,...",
            help="Variables it declares. Default: all that the newest shipped version does.",
            show_default=False,
        ),
    ] = None,
    description: Annotated[
        str, typer.Option(metavar="TEXT", help="Default: as shipped.", show_default=False)
    ] = "",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Add a version to the database, for good; a template that is there already is not added.

    Added versions count from 1001. Nothing uses one before a label or a test points to it.
    """
    named = None if variables is None else [word.strip() for word in variables.split(",")]
    deferred.prompt_versions.add(
        invocation_of(context), name, language, file, named, description, by, as_json
    )


@prompts.command(
    "label",
    epilog=examples(
        "soullink prompts label simulation.turn production 1001",
        "soullink prompts label simulation.turn staging 2 --language zh",
    ),
)
def label(
    context: typer.Context,
    name: Name,
    label: Label,
    version: Annotated[
        int, typer.Argument(metavar="N", min=1, help="Version.", show_default=False)
    ],
    language: InLanguage = "en",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Point a label to a version."""
    deferred.prompt_versions.label(
        invocation_of(context), (name, language, label), version, by, as_json
    )


@prompts.command(
    "labels",
    epilog=examples("soullink prompts labels", "soullink prompts labels simulation.turn --history"),
)
def labels(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Only those of this prompt.", show_default=False),
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="Show every move.")] = False,
    as_json: AsJson = False,
) -> None:
    """List labels, where they point, and who moved them when."""
    deferred.prompt_versions.labels(invocation_of(context), name, history, as_json)


@prompts.command("rollback", epilog=examples("soullink prompts rollback simulation.turn"))
def rollback(
    context: typer.Context,
    name: Name,
    label: Label = "production",
    language: InLanguage = "en",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Point a label to where it pointed before; again, and it goes back one further.

    Before its first version a label points nowhere, and the newest shipped version is used.
    """
    deferred.prompt_versions.rollback(invocation_of(context), (name, language, label), by, as_json)


@prompts.command("performance", epilog=examples("soullink prompts performance simulation.turn"))
def performance(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Show calls, failures, repairs, fallbacks, scores, tokens and cost of each version."""
    deferred.prompt_versions.performance(invocation_of(context), name, as_json)
