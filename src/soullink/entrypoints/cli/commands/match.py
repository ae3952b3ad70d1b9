"""soullink match: whom to meet."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from soullink.entrypoints.cli import deferred
from soullink.entrypoints.cli.commands.options import (
    LARGEST_SEED,
    AsJson,
    Seed,
    examples,
    invocation_of,
)
from soullink.kernel.language import Language
from soullink.modules.matching.api import (
    MOST_SHOWN,
    ChallengeField,
    ChallengeState,
    Method,
)

match = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Whom to meet: join, lists, pairs, rounds, and what is wrong with them.",
)

Person: TypeAlias = Annotated[
    str, typer.Argument(metavar="PERSON", help="Id of a person.", show_default=False)
]
PeoplePath: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--people",
        metavar="PATH",
        help=(
            "A folder of profiles or a JSONL file, instead of those who have joined; nothing is "
            "stored."
        ),
        show_default=False,
    ),
]
TextLanguage: TypeAlias = Annotated[
    Language | None,
    typer.Option(
        "--language",
        help="Language of what people are told; each one's own when left out.",
        show_default=False,
    ),
]


@match.command(
    "join",
    epilog=examples(
        "soullink match join examples/people/ada.yaml examples/people/ben.yaml",
        "soullink match join people/ --agreed simulation_before_meeting --json",
    ),
)
def join(
    context: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="Profiles, folders of them, JSONL files.", show_default=False
        ),
    ],
    agreed: Annotated[
        list[str] | None,
        typer.Option(
            "--agreed",
            metavar="PURPOSE",
            help=(
                "What these people agreed to besides being matched, e.g. "
                "simulation_before_meeting or training; may be given several times."
            ),
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take people in: keep their profiles, and record that they agreed to be matched.

    They have seen `soullink consent text matching` and agreed to it; whoever joins them vouches
    for that. Joining again replaces the profile and ends a pause.
    """
    deferred.matchmaking.join(invocation_of(context), paths, agreed or [], as_json)


@match.command(
    "recommend",
    epilog=examples(
        "soullink match recommend ada --people examples/people",
        "soullink match recommend ada --top 20 --explain",
        "soullink match recommend ada --explore 0.1 --screen 10 --json",
    ),
)
def recommend(
    context: typer.Context,
    person: Person,
    people: PeoplePath = None,
    top: Annotated[
        int, typer.Option(metavar="N", min=1, max=MOST_SHOWN, help="How many to show.")
    ] = 20,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print everything that the person is told.")
    ] = False,
    explore: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            min=0.0,
            max=0.5,
            help="Chance that a place goes to somebody further down, to learn from.",
        ),
    ] = 0.0,
    diversity: Annotated[
        float,
        typer.Option(
            metavar="W",
            min=0.0,
            max=10.0,
            help="What it costs, in log-odds, to write like somebody already on the list.",
        ),
    ] = 0.0,
    exposure_limit: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Leave out who was shown N times in the last seven days; 0 is no limit.",
        ),
    ] = 0,
    screen: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=MOST_SHOWN,
            help="Live through the first N and reorder them, where both agreed to that.",
        ),
    ] = 0,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=LARGEST_SEED,
            help="Of what is explored; the list's id when left out.",
            show_default=False,
        ),
    ] = None,
    language: TextLanguage = None,
    as_json: AsJson = False,
) -> None:
    """Show whom a person may want to meet, best first, and why, as that person may know it.

    Both have to fit what the other asked for. Who was shown to whom is logged with its chance,
    except with --people.
    """
    deferred.matchmaking.recommend(
        invocation_of(context),
        person,
        people,
        deferred.matchmaking.ListSettings(
            top, explore, diversity, exposure_limit, screen, seed, language
        ),
        explain,
        as_json,
    )


@match.command(
    "pair",
    epilog=examples(
        "soullink match pair ada ben --people examples/people",
        "soullink match pair lin chen --language en --json",
    ),
)
def pair(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="A", help="Id of a person.", show_default=False)],
    second: Annotated[str, typer.Argument(metavar="B", help="Id of another.", show_default=False)],
    people: PeoplePath = None,
    language: TextLanguage = None,
    as_json: AsJson = False,
) -> None:
    """Show what each of two people would be told of the other, or why they are not suggested.

    What one is told holds nothing private of the other. Nothing is logged.
    """
    deferred.matchmaking.pair(invocation_of(context), first, second, people, language, as_json)


@match.command(
    "near",
    epilog=examples(
        "soullink match near ada --people examples/people",
        "soullink match near ada --top 10 --json",
    ),
)
def near(
    context: typer.Context,
    person: Person,
    people: PeoplePath = None,
    top: Annotated[
        int, typer.Option(metavar="N", min=1, max=MOST_SHOWN, help="How many to show.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Show who writes most like a person, of those who fit both ways.

    Essays and interests are compared, across languages too. Likeness is no forecast: recommend
    weighs it with everything else.
    """
    deferred.matchmaking.near(invocation_of(context), person, people, top, as_json)


@match.command("reindex", epilog=examples("soullink match reindex"))
def reindex(context: typer.Context, as_json: AsJson = False) -> None:
    """Make the vectors of what everybody writes anew, as after a change of the embedder."""
    deferred.matchmaking.reindex(invocation_of(context), as_json)


@match.command(
    "round",
    epilog=examples(
        "soullink match round --method tu --people examples/people",
        "soullink match round --method stable --seed 3 --json",
    ),
)
def make_round(
    context: typer.Context,
    method: Annotated[
        Method, typer.Option(help="How chances become lists; see docs/explanation/matching.md.")
    ] = "tu",
    people: PeoplePath = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="PERSON",
            help="Only this person and others so named; may be given several times.",
            show_default=False,
        ),
    ] = None,
    shown: Annotated[
        int, typer.Option(metavar="N", min=1, max=MOST_SHOWN, help="Places on each list.")
    ] = 5,
    capacity: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=MOST_SHOWN, help="Pairs per person in --method stable."
        ),
    ] = 1,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Make lists for everybody at once, so that those in demand are shared out.

    Says how many matches are to be expected, and how evenly people are shown, beside lists that
    look at one side only. Takes up to 2,000 people.
    """
    deferred.matchmaking.make_round(
        invocation_of(context),
        deferred.matchmaking.round_settings(method, shown, capacity, seed, only or []),
        people,
        as_json,
    )


@match.command(
    "challenge",
    epilog=examples(
        'soullink match challenge ada --field location "I moved to Utrecht"',
        'soullink match challenge lin --field smoking --match chen "我早就戒了" --json',
    ),
)
def challenge(
    context: typer.Context,
    person: Person,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is wrong.", show_default=False)],
    field: Annotated[ChallengeField, typer.Option(help="What of the person it is about.")],
    match: Annotated[
        str | None,
        typer.Option(metavar="PERSON", help="In whose suggestion it was seen.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Record that something is wrong about a person; until it is settled it counts no more."""
    deferred.matchmaking.challenge(invocation_of(context), person, field, text, match, as_json)


@match.command(
    "challenges",
    epilog=examples(
        "soullink match challenges --state open", "soullink match challenges ada --json"
    ),
)
def challenges(
    context: typer.Context,
    person: Annotated[
        str | None,
        typer.Argument(
            metavar="[PERSON]", help="Of one person; of all when left out.", show_default=False
        ),
    ] = None,
    state: Annotated[
        ChallengeState | None, typer.Option(help="Only these.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what people said is wrong about them, newest first."""
    deferred.matchmaking.challenges(invocation_of(context), person, state, as_json)


@match.command(
    "settle",
    epilog=examples(
        'soullink match settle 0199... --upheld --answer "Corrected; thank you."',
        'soullink match settle 0199... --dismissed --answer "Your profile says so." --json',
    ),
)
def settle(
    context: typer.Context,
    challenge: Annotated[
        str, typer.Argument(metavar="ID", help="Id of a challenge.", show_default=False)
    ],
    answer: Annotated[str, typer.Option(metavar="TEXT", help="What the person is told.")],
    upheld: Annotated[
        bool,
        typer.Option(
            "--upheld/--dismissed",
            help="The person is right: it stays out until the profile changes. Or not.",
        ),
    ],
    by: Annotated[
        str | None,
        typer.Option(metavar="WHO", help="Who settles it. Default: you.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Settle a challenge."""
    deferred.matchmaking.settle(invocation_of(context), challenge, upheld, answer, by, as_json)


@match.command(
    "block",
    epilog=examples("soullink match block ada ben", "soullink match block ada ben --undo --json"),
)
def block(
    context: typer.Context,
    person: Person,
    other: Annotated[
        str, typer.Argument(metavar="OTHER", help="Whom they block.", show_default=False)
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Take the block back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Never suggest two people to each other; the other is not told."""
    deferred.matchmaking.block(invocation_of(context), person, other, undo, as_json)


@match.command(
    "pause",
    epilog=examples("soullink match pause ada", "soullink match pause ada --end --json"),
)
def pause(
    context: typer.Context,
    person: Person,
    end: Annotated[bool, typer.Option("--end", help="End the pause.")] = False,
    as_json: AsJson = False,
) -> None:
    """Suggest nobody to a person and the person to nobody, for a while."""
    deferred.matchmaking.pause(invocation_of(context), person, end, as_json)


@match.command(
    "leave", epilog=examples("soullink match leave ada", "soullink match leave ada --json")
)
def leave(context: typer.Context, person: Person, as_json: AsJson = False) -> None:
    """Record that a person no longer agrees to be matched; their profile is kept.

    To delete everything, use `soullink match forget`.
    """
    deferred.matchmaking.leave(invocation_of(context), person, as_json)


@match.command(
    "forget", epilog=examples("soullink match forget ada", "soullink match forget ada --json")
)
def forget(context: typer.Context, person: Person, as_json: AsJson = False) -> None:
    """Delete a person: profile, vectors, lists, challenges, consents, all of it, for good."""
    deferred.matchmaking.forget(invocation_of(context), person, as_json)
