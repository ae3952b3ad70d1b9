"""soullink people and personality: profiles and questionnaires."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, examples, invocation_of
from soullink.modules.profiles.api import Inventory

people = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Import, show, check and list profiles."
)
personality = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The questionnaire and its scores."
)

ProfileFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="A profile in YAML or JSON.", show_default=False)
]


@people.command(
    "import",
    epilog=examples(
        "soullink people import --format sotopia agent_profiles.jsonl --out people/",
        "soullink people import --format okcupid profiles.csv --out people/ --limit 100",
    ),
)
def import_people(
    context: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="The file of the other system.", show_default=False),
    ],
    # A word, not a choice of words: a slip is answered with the nearest format.
    format_name: Annotated[
        str,
        typer.Option("--format", metavar="FORMAT", help="Its format: sotopia or okcupid."),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Folder for the profiles, one YAML file a person."),
    ] = Path("people"),
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Only the first N people.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite profiles that are there already.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Turn people of another system into profiles.

    Whoever is younger than 18 is left out. What the other system does not know stays unknown.
    """
    deferred.people.import_people(
        invocation_of(context), source, format_name, out, limit, force, as_json
    )


@people.command("show", epilog=examples("soullink people show examples/people/ada.yaml"))
def show(context: typer.Context, file: ProfileFile, as_json: AsJson = False) -> None:
    """Show a profile and what is made of it: traits with their uncertainty."""
    deferred.people.show(invocation_of(context), file, as_json)


@people.command(
    "validate",
    epilog=examples(
        "soullink people validate ada.yaml ben.yaml", "soullink people validate people/"
    ),
)
def validate(
    context: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="Profiles, folders of them, JSONL files.", show_default=False
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Check profiles; says for each file what to change. Exit code 2 if any cannot be used."""
    code = deferred.people.validate(invocation_of(context), paths, as_json)
    if code:
        raise typer.Exit(code)


@people.command("list", epilog=examples("soullink people list examples/people"))
def list_people(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="A folder of profiles, or a JSONL file.", show_default=False
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """List the people in a folder."""
    deferred.people.list_people(invocation_of(context), folder, as_json)


@personality.command(
    "items",
    epilog=examples(
        "soullink personality items", "soullink personality items --language zh --json"
    ),
)
def items(
    context: typer.Context,
    inventory: Annotated[Inventory, typer.Option(help="Which questionnaire.")] = "ipip-neo-120",
    language: Annotated[
        Literal["en", "zh", "both"], typer.Option(help="Language of the questions.")
    ] = "en",
    as_json: AsJson = False,
) -> None:
    """List the questions, in the order that answers are given in."""
    deferred.questionnaire.items(invocation_of(context), inventory, language, as_json)


@personality.command(
    "score",
    epilog=examples(
        "soullink personality score examples/people/ada.yaml",
        "soullink personality score answers.csv --sex female --age 31",
    ),
)
def score(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A profile with answers; or 120 or 300 answers (1 to 5) as a JSON list or CSV.",
            show_default=False,
        ),
    ],
    sex: Annotated[
        Literal["female", "male"] | None,
        typer.Option(help="For the norms; averaged over both when unknown.", show_default=False),
    ] = None,
    age: Annotated[
        int | None,
        typer.Option(
            metavar="YEARS",
            min=18,
            max=120,
            help="For the norms; averaged when unknown.",
            show_default=False,
        ),
    ] = None,
    facets: Annotated[
        bool, typer.Option("--facets/--no-facets", help="Show the 30 facets too.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Score a filled-in questionnaire: five domains and thirty facets, as percentiles."""
    deferred.questionnaire.score(invocation_of(context), file, sex, age, facets, as_json)
