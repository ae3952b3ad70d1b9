"""soullink scenarios, migrate and doctor: what the simulation is made of, and whether it works."""

from pathlib import Path
from typing import Annotated

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, Seed, examples, invocation_of
from soullink.kernel.language import Language

scenarios = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What people can live through."
)

STAGES = "first_meeting, early_dating, committed, crisis, long_distance, family"
MIGRATE_EXAMPLES = examples(
    "soullink migrate --database-url postgresql://me@db.example/soullink",
    "SOULLINK_DATABASE_URL=postgresql://me@db.example/soullink soullink migrate",
)
DOCTOR_EXAMPLES = examples("soullink doctor", "soullink doctor --json")


@scenarios.command(
    "list", epilog=examples("soullink scenarios list", "soullink scenarios list --stage crisis")
)
def list_scenarios(
    context: typer.Context,
    stage: Annotated[
        str | None,
        typer.Option(metavar="STAGE", help=f"Only this one of {STAGES}.", show_default=False),
    ] = None,
    language: Annotated[Language, typer.Option(help="Language of the titles.")] = "en",
    as_json: AsJson = False,
) -> None:
    """List the shipped scenarios by stage."""
    deferred.scenes.list_scenarios(invocation_of(context), stage, language, as_json)


@scenarios.command(
    "show",
    epilog=examples(
        "soullink scenarios show last-train-noodle-bar",
        "soullink scenarios show last-train-noodle-bar > mine.yaml",
    ),
)
def show_scenario(
    context: typer.Context,
    scenario: Annotated[
        str, typer.Argument(metavar="ID", help="Id of a shipped scenario.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Print a scenario as YAML, ready to be changed and validated."""
    deferred.scenes.show(invocation_of(context), scenario, as_json)


@scenarios.command(
    "generate",
    epilog=examples(
        "soullink scenarios generate ada.yaml ben.yaml --stage crisis",
        "soullink scenarios generate ada.yaml ben.yaml --stage family --out scene.yaml",
    ),
)
def generate(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="A", help="A profile.", show_default=False)],
    second: Annotated[
        str, typer.Argument(metavar="B", help="Another profile.", show_default=False)
    ],
    stage: Annotated[str, typer.Option(metavar="STAGE", help=f"One of {STAGES}.")],
    seed: Seed = 0,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Let a language model write it, PROVIDER:MODEL or a route; by rule when left "
            "out or when it fails.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it here instead.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compose a new scenario for two people, and print it as YAML."""
    deferred.scenes.generate(
        invocation_of(context), (first, second), stage, seed, model, out, as_json
    )


@scenarios.command("validate", epilog=examples("soullink scenarios validate mine.yaml other.yaml"))
def validate(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Scenarios in YAML or JSON.", show_default=False),
    ],
    as_json: AsJson = False,
) -> None:
    """Check scenarios; says for each file what to change. Exit code 2 if any cannot be used."""
    code = deferred.scenes.validate(invocation_of(context), files, as_json)
    if code:
        raise typer.Exit(code)


def migrate(context: typer.Context, as_json: AsJson = False) -> None:
    """Bring the tables of your own database up to date.

    Only for --database-url or SOULLINK_DATABASE_URL: our own PostgreSQL is kept up to date by
    itself. Running it again does no harm.
    """
    deferred.doctor.migrate(invocation_of(context), as_json)


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Tell what works here, what is missing, and how to get it.

    Exit code 0 when everything works that a course needs, else 5. Keys are never shown.
    """
    code = deferred.doctor.examine(invocation_of(context), as_json)
    if code:
        raise typer.Exit(code)
