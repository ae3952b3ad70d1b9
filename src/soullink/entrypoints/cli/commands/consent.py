"""soullink consent: what people agreed to."""

from typing import Annotated, TypeAlias

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, examples, invocation_of
from soullink.kernel.language import Language
from soullink.modules.identity.api import Purpose

consent = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What people agreed to.")

Person: TypeAlias = Annotated[
    str, typer.Argument(metavar="PERSON", help="Id of a person, as in the profile.")
]
ForPurpose: TypeAlias = Annotated[Purpose, typer.Argument(help="What the data would be used for.")]
TextVersion: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--text-version",
        metavar="N",
        min=1,
        help="Version of the text. Default: the newest.",
        show_default=False,
    ),
]
TextLanguage: TypeAlias = Annotated[Language, typer.Option(help="Language of the text.")]
By: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="WHO",
        help="Who writes this down, for the record. Default: you.",
        show_default=False,
    ),
]


@consent.command(
    "grant",
    epilog=examples(
        "soullink consent grant ada matching",
        "soullink consent grant lin training --language zh --text-version 1 --json",
    ),
)
def grant(
    context: typer.Context,
    person: Person,
    purpose: ForPurpose,
    language: TextLanguage = "en",
    text_version: TextVersion = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Record that a person agreed to a text that they were shown.

    The record holds the time and the text's version, language and hash. Agreeing again to the
    same version records nothing. No purpose implies another.
    """
    deferred.consenting.grant(
        invocation_of(context), person, purpose, (language, text_version), by, as_json
    )


@consent.command(
    "withdraw",
    epilog=examples(
        "soullink consent withdraw ada training", "soullink consent withdraw ada matching --json"
    ),
)
def withdraw(
    context: typer.Context,
    person: Person,
    purpose: ForPurpose,
    language: TextLanguage = "en",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Record that a person does not agree, or no longer; it holds at once.

    Whoever keeps copies is told: answers given to training are listed for deletion
    (`soullink feedback erasures`).
    """
    deferred.consenting.withdraw(invocation_of(context), person, purpose, language, by, as_json)


@consent.command(
    "show",
    epilog=examples("soullink consent show ada", "soullink consent show ada --history --json"),
)
def show(
    context: typer.Context,
    person: Person,
    history: Annotated[bool, typer.Option("--history", help="Show every answer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a person agrees to now, or every answer there was."""
    deferred.consenting.show(invocation_of(context), person, history, as_json)


@consent.command(
    "text",
    epilog=examples(
        "soullink consent text matching", "soullink consent text training --language zh"
    ),
)
def text(
    context: typer.Context,
    purpose: ForPurpose,
    language: TextLanguage = "en",
    text_version: TextVersion = None,
    as_json: AsJson = False,
) -> None:
    """Print what a person is shown before they agree."""
    deferred.consenting.text(invocation_of(context), purpose, language, text_version, as_json)
