"""Relationships: propose, move, check in, and what each side may see."""

import msgspec
from rich.console import Console

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import opened
from soullink.entrypoints.cli.output import cell, print_json, stdout, table
from soullink.entrypoints.library import Session
from soullink.kernel.ids import PersonId
from soullink.kernel.language import Language
from soullink.modules.relationships.api import (
    CheckIn,
    DueCheckIn,
    Relationship,
    RelationshipId,
    RelationshipNotFoundError,
    RelationshipView,
    State,
    TimelineEntry,
    Trends,
    Words,
)

_YES_NO: dict[Language, tuple[str, str]] = {"en": ("no", "yes"), "zh": ("不愿意", "愿意")}
_WHO: dict[Language, dict[str | None, str]] = {
    "en": {"you": "you", "other": "the other", "both": "both", None: ""},
    "zh": {"you": "你", "other": "对方", "both": "双方", None: ""},
}


async def find(session: Session, person: str, other: str) -> RelationshipId:
    """Return what is between two people, the newest, or what has the id `other`.

    Raises RelationshipNotFoundError.
    """
    relationships = session.house.relationships
    views = await relationships.list_views(PersonId(person))
    views += await relationships.list_views(PersonId(person), archived=True)
    for view in views:
        if view.other == other or str(view.id) == other.lower():
            return view.id
    raise RelationshipNotFoundError(
        f"There is nothing between {person} and {other}; "
        f"see `soullink relationships list {person}`."
    )


def propose(invocation: Invocation, first: str, second: str, by: str | None, as_json: bool) -> None:
    """Propose two people to each other."""

    async def work() -> Relationship:
        async with opened(invocation) as session:
            return await session.house.relationships.propose(
                PersonId(first), PersonId(second), by=None if by is None else PersonId(by)
            )

    found = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    stdout(invocation).print(
        cell(
            f"{first} and {second} are proposed to each other until "
            f"{_when(found.expires_at)} UTC ({found.id})."
        ),
        soft_wrap=True,
    )


def move(
    invocation: Invocation,
    person: str,
    other: str,
    to: State,
    language: Language,
    as_json: bool,
    *,
    seen: State | None = None,
) -> None:
    """Move a relationship, and show it as the person sees it."""

    async def work() -> tuple[RelationshipView, Words]:
        async with opened(invocation) as session:
            relationships = session.house.relationships
            found = await find(session, person, other)
            view = await relationships.move(found, PersonId(person), to, seen=seen)
            return view, relationships.words(language)

    view, words = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(view))
        return
    _say_view(stdout(invocation), view, words)


def _say_view(console: Console, view: RelationshipView, words: Words) -> None:
    console.print(cell(f"{view.other or words.gone}: {words.states[view.state]}"), soft_wrap=True)
    if view.you_want is not None:
        waiting = words.waiting.format(state=words.names[view.you_want])
        console.print(cell(waiting), soft_wrap=True)


def block(invocation: Invocation, person: str, other: str, as_json: bool) -> None:
    """Keep two people apart."""

    async def work() -> None:
        async with opened(invocation) as session:
            await session.house.relationships.block(PersonId(person), PersonId(other))

    invocation.interruption.run(work())
    if as_json:
        print_json({"person": person, "blocked": other})
        return
    stdout(invocation).print(
        cell(f"{person} and {other} are not proposed to each other again."), soft_wrap=True
    )


def unblock(invocation: Invocation, person: str, other: str, as_json: bool) -> None:
    """Take a block back. Whether the other blocks too is not told."""

    async def work() -> None:
        async with opened(invocation) as session:
            await session.house.relationships.unblock(PersonId(person), PersonId(other))

    invocation.interruption.run(work())
    if as_json:
        print_json({"person": person, "unblocked": other})
        return
    stdout(invocation).print(cell(f"{person} does not block {other}."), soft_wrap=True)


def check_in(
    invocation: Invocation,
    person: str,
    other: str,
    answers: tuple[int, int, str],
    language: Language,
    as_json: bool,
) -> None:
    """Keep a check-in, and tell what the trend is."""

    async def work() -> tuple[CheckIn, Trends, Words]:
        async with opened(invocation) as session:
            relationships = session.house.relationships
            found = await find(session, person, other)
            done = await relationships.check_in(found, PersonId(person), *answers)
            trends = await relationships.trends(found, PersonId(person))
            return done, trends, relationships.words(language)

    done, trends, words = invocation.interruption.run(work())
    if as_json:
        print_json({"check_in": msgspec.to_builtins(done), "trends": msgspec.to_builtins(trends)})
        return
    _say_trends(stdout(invocation), trends, words)


def _say_trends(console: Console, trends: Trends, words: Words) -> None:
    for name, trend in (("satisfaction", trends.satisfaction), ("tension", trends.tension)):
        console.print(cell(words.questions[name]), soft_wrap=True)
        console.print(cell(f"  {words.trends[trend.direction]}"), soft_wrap=True)


def due(invocation: Invocation, person: str | None, language: Language, as_json: bool) -> None:
    """Print who should be asked."""

    async def work() -> tuple[list[DueCheckIn], Words]:
        async with opened(invocation) as session:
            relationships = session.house.relationships
            wanted = None if person is None else PersonId(person)
            return await relationships.due_check_ins(wanted), relationships.words(language)

    found, words = invocation.interruption.run(work())
    asked = ("satisfaction", "tension", "text")
    if as_json:
        questions = {name: words.questions[name] for name in asked}
        print_json({"due": msgspec.to_builtins(found), "questions": questions})
        return
    console = stdout(invocation)
    if not found:
        console.print("Nobody is to be asked now.")
        return
    shown = table("PERSON", "=SINCE (UTC)", "=RELATIONSHIP")
    for one in found:
        shown.add_row(cell(one.person), _when(one.due), str(one.relationship))
    console.print(shown)
    console.print()
    for name in asked:
        console.print(cell(words.questions[name]), soft_wrap=True)


def state(
    invocation: Invocation, person: str, other: str, language: Language, as_json: bool
) -> None:
    """Print how it stands and went, as one side sees it."""

    async def work() -> tuple[RelationshipView, list[TimelineEntry], Trends, Words]:
        async with opened(invocation) as session:
            relationships, who = session.house.relationships, PersonId(person)
            found = await find(session, person, other)
            return (
                await relationships.view(found, who),
                await relationships.timeline(found, who),
                await relationships.trends(found, who),
                relationships.words(language),
            )

    view, timeline, trends, words = invocation.interruption.run(work())
    if as_json:
        print_json(
            {
                "relationship": msgspec.to_builtins(view),
                "timeline": msgspec.to_builtins(timeline),
                "trends": msgspec.to_builtins(trends),
            }
        )
        return
    console = stdout(invocation)
    _say_view(console, view, words)
    console.print()
    shown = table("=UTC", "", "")
    for entry in timeline:
        shown.add_row(
            _when(entry.at), _WHO[language][entry.by], cell(_told(entry, words, language))
        )
    console.print(shown)
    if trends.satisfaction.answers:
        console.print()
        _say_trends(console, trends, words)


def _told(entry: TimelineEntry, words: Words, language: Language) -> str:
    if entry.check_in is not None:
        done = entry.check_in
        return f"{done.satisfaction}/10, {done.tension}/10 {done.text}".rstrip()
    if entry.would_meet_again is not None:
        answer = _YES_NO[language][entry.would_meet_again]
        return f"{words.questions['would_meet_again']} {answer}"
    if entry.state is None:
        raise AssertionError  # every other entry has one
    name = words.names[entry.state]
    return f"({name})" if entry.kind == "wish" else name


def list_relationships(
    invocation: Invocation, person: str | None, archived: bool, limit: int, as_json: bool
) -> None:
    """Print relationships, newest first."""

    async def work() -> tuple[list[Relationship], list[RelationshipView]]:
        async with opened(invocation) as session:
            relationships = session.house.relationships
            if person is None:
                return await relationships.list_all(limit), []
            views = await relationships.list_views(PersonId(person), archived=archived)
            return [], views[:limit]

    kept, views = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(kept if person is None else views))
        return
    if not kept and not views:
        stdout(invocation).print("No relationships.")
        return
    shown = table("=RELATIONSHIP", "PEOPLE", "=STATE", "=SINCE (UTC)", "=ARCHIVED (UTC)")
    for one in kept:
        people = ", ".join(who or "-" for who in one.people)
        away = "-" if one.archived_at is None else _when(one.archived_at)
        shown.add_row(str(one.id), cell(people), one.state, _when(one.since), away)
    for view in views:
        away = "-" if view.archived_at is None else _when(view.archived_at)
        shown.add_row(str(view.id), cell(view.other or "-"), view.state, _when(view.since), away)
    stdout(invocation).print(shown)


def _when(moment: object) -> str:
    return str(moment)[:16]
