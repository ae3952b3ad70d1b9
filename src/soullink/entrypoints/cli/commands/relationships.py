"""soullink relationships, feedback and archive: what becomes of two people."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import AsJson, examples, invocation_of
from soullink.kernel.language import Language
from soullink.modules.relationships.api import State

relationships = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What becomes of two people."
)
feedback = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Answers that go back to training."
)
archive = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Put away, bring back, erase."
)

Person: TypeAlias = Annotated[
    str, typer.Argument(metavar="PERSON", help="Id of whoever does this.", show_default=False)
]
Other: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="OTHER",
        help="The other person's id: the newest between the two. Or a relationship's id.",
        show_default=False,
    ),
]
Blocked: TypeAlias = Annotated[
    str, typer.Argument(metavar="OTHER", help="The other person's id.", show_default=False)
]
InLanguage: TypeAlias = Annotated[
    Language, typer.Option("--language", help="Language of what the member reads.")
]


@relationships.command(
    "propose",
    epilog=examples(
        "soullink relationships propose ada ben",
        "soullink relationships propose ada ben --by ada --json",
    ),
)
def propose(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="A", help="Id of one.", show_default=False)],
    second: Annotated[str, typer.Argument(metavar="B", help="Of the other.", show_default=False)],
    by: Annotated[
        str | None,
        typer.Option(
            metavar="PERSON",
            help="The one of the two who asks for it, and so has said yes.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose two people to each other. Both must have agreed to `matching`.

    They have 14 days. A proposal that is open already is shown again.
    """
    deferred.following.propose(invocation_of(context), first, second, by, as_json)


def _one_move(name: str, to: State, people: str, says: str) -> None:
    """Add the command `name`, which moves a relationship to one state."""

    @relationships.command(
        name, help=says, epilog=examples(f"soullink relationships {name} {people}")
    )
    def command(
        context: typer.Context,
        person: Person,
        other: Other,
        language: InLanguage = "en",
        as_json: AsJson = False,
    ) -> None:
        deferred.following.move(invocation_of(context), person, other, to, language, as_json)


_one_move("accept", "accepted", "ada ben", "Say yes to a proposal. It is accepted once both have.")
_one_move(
    "decline",
    "declined",
    "ben ada",
    "Say no to a proposal. For the other it looks like silence, until it expires.",
)
_one_move("met", "met", "ada ben", "Say that the two have met. Either may.")


@relationships.command(
    "move",
    epilog=examples(
        "soullink relationships move ada ben dating",
        "soullink relationships move ben ada paused --seen dating --json",
    ),
)
def move(
    context: typer.Context,
    person: Person,
    other: Other,
    to: Annotated[State, typer.Argument(help="Where to.", show_default=False)],
    seen: Annotated[
        State | None,
        typer.Option(
            help="The state that the person saw; refused where it is another by now.",
            show_default=False,
        ),
    ] = None,
    language: InLanguage = "en",
    as_json: AsJson = False,
) -> None:
    """Move on, or say that you want to, where it takes both: dating and together do.

    What one wants is not told to the other before they say the same. Moving to where it stands
    takes back what one wanted.
    """
    deferred.following.move(invocation_of(context), person, other, to, language, as_json, seen=seen)


_one_move("end", "ended", "ada ben", "End it, at once and without the other.")


@relationships.command("block", epilog=examples("soullink relationships block ada ben"))
def block(context: typer.Context, person: Person, other: Blocked, as_json: AsJson = False) -> None:
    """Keep two people apart, and close what is open between them.

    For the other it looks like an end, or like silence where it was a proposal.
    """
    deferred.following.block(invocation_of(context), person, other, as_json)


@relationships.command(
    "unblock",
    epilog=examples(
        "soullink relationships unblock ada ben", "soullink relationships unblock ada ben --json"
    ),
)
def unblock(
    context: typer.Context, person: Person, other: Blocked, as_json: AsJson = False
) -> None:
    """Take one's own block back. The other's stays, and nothing opens again.

    The two can be proposed to each other as after any end.
    """
    deferred.following.unblock(invocation_of(context), person, other, as_json)


@relationships.command(
    "checkin",
    epilog=examples(
        "soullink relationships checkin ada ben --satisfaction 8 --tension 2",
        "soullink relationships checkin lin chen --satisfaction 5 --tension 6 --text '有点累' "
        "--language zh",
    ),
)
def checkin(
    context: typer.Context,
    person: Person,
    other: Other,
    satisfaction: Annotated[
        int, typer.Option(metavar="0..10", min=0, max=10, help="How satisfied, all in all.")
    ],
    tension: Annotated[
        int, typer.Option(metavar="0..10", min=0, max=10, help="How much tension there was.")
    ],
    text: Annotated[
        str, typer.Option(metavar="TEXT", help="For the writer alone.", show_default=False)
    ] = "",
    language: InLanguage = "en",
    as_json: AsJson = False,
) -> None:
    """Keep how it goes for one of the two, today. The other never reads any of it.

    A second one of the same day replaces the first. Answers with what can be told of the trend.
    """
    deferred.following.check_in(
        invocation_of(context), person, other, (satisfaction, tension, text), language, as_json
    )


@relationships.command(
    "due", epilog=examples("soullink relationships due", "soullink relationships due ada --json")
)
def due(
    context: typer.Context,
    person: Annotated[
        str | None,
        typer.Argument(metavar="[PERSON]", help="Only this one.", show_default=False),
    ] = None,
    language: InLanguage = "en",
    as_json: AsJson = False,
) -> None:
    """List who should be asked how it goes, with the questions."""
    deferred.following.due(invocation_of(context), person, language, as_json)


@relationships.command(
    "state",
    epilog=examples(
        "soullink relationships state ada ben",
        "soullink relationships state lin chen --language zh",
    ),
)
def state(
    context: typer.Context,
    person: Person,
    other: Other,
    language: InLanguage = "en",
    as_json: AsJson = False,
) -> None:
    """Show how it stands and went, as far as this person may know, with their own answers."""
    deferred.following.state(invocation_of(context), person, other, language, as_json)


@relationships.command(
    "list",
    epilog=examples(
        "soullink relationships list",
        "soullink relationships list ada --archived --json",
    ),
)
def list_relationships(
    context: typer.Context,
    person: Annotated[
        str | None,
        typer.Argument(
            metavar="[PERSON]",
            help="As this person may see theirs. Default: all, as they are kept.",
            show_default=False,
        ),
    ] = None,
    archived: Annotated[
        bool, typer.Option("--archived", help="Those of PERSON in the archive.")
    ] = False,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="How many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List relationships, newest first."""
    deferred.following.list_relationships(invocation_of(context), person, archived, limit, as_json)


@feedback.command(
    "tell",
    epilog=examples(
        "soullink feedback tell ada ben --again", "soullink feedback tell ben ada --not-again"
    ),
)
def tell(
    context: typer.Context,
    person: Person,
    other: Other,
    again: Annotated[
        bool, typer.Option("--again/--not-again", help="Whether they would meet again.")
    ],
    as_json: AsJson = False,
) -> None:
    """Keep whether one would meet the other again. The other is not told."""
    deferred.feeding_back.tell(invocation_of(context), person, other, again, as_json)


@feedback.command(
    "export",
    epilog=examples(
        "soullink feedback export --out out/feedback",
        "soullink feedback export --out out/feedback --json",
    ),
)
def export(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for rows.jsonl and manifest.json.")
    ],
    as_json: AsJson = False,
) -> None:
    """Write the answers of those who agree to `training`, under names of this export alone.

    Every row is dated, and what was answered after a meeting is marked target_only. The manifest
    lists who must be deleted from earlier exports and from what was made of them.
    """
    deferred.feeding_back.export(invocation_of(context), out, as_json)


@feedback.command(
    "erasures",
    epilog=examples("soullink feedback erasures", "soullink feedback erasures --json"),
)
def erasures(context: typer.Context, as_json: AsJson = False) -> None:
    """List who must be deleted from earlier exports, and why."""
    deferred.feeding_back.erasures(invocation_of(context), as_json)


@archive.command(
    "run",
    epilog=examples(
        "soullink archive run", "soullink archive run --apply", "soullink archive run --json"
    ),
)
def run(
    context: typer.Context,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it. Without, only tell what would be done.")
    ] = False,
    batch: Annotated[
        int, typer.Option(metavar="N", min=1, max=10_000, help="Rows in one transaction.")
    ] = 500,
    as_json: AsJson = False,
) -> None:
    """Apply the rules of what is kept how long; first without --apply.

    Expires proposals, archives what is over, erases old words of check-ins, and erases what has
    been in the archive for its time. Rules are days in SOULLINK_RETAIN_ENDED_DAYS (180),
    _UNMET_DAYS (30), _TEXT_DAYS (365) and _ARCHIVE_DAYS (365). A run that was broken off is gone
    on with, under the rules that it began with.
    """
    deferred.archiving.run(invocation_of(context), apply, batch, as_json)


@archive.command(
    "restore",
    epilog=examples("soullink archive restore 0199d3a2-7c51-7f0e-9a4b-3f7a4c1d2e5b"),
)
def restore(
    context: typer.Context,
    relationship: Annotated[
        str, typer.Argument(metavar="ID", help="A relationship's id.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Take a relationship out of the archive, until it has been closed long enough again."""
    deferred.archiving.restore(invocation_of(context), relationship, as_json)


@archive.command(
    "reports", epilog=examples("soullink archive reports", "soullink archive reports --json")
)
def reports(
    context: typer.Context,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List what runs did, newest first."""
    deferred.archiving.reports(invocation_of(context), limit, as_json)
