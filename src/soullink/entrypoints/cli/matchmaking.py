"""Matching: joining, lists, pairs, rounds, challenges, leaving."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args
from uuid import UUID

import msgspec
from rich.console import Console

from soullink import bootstrap
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import environment, opened
from soullink.entrypoints.cli.output import cell, print_json, stderr, stdout, table
from soullink.entrypoints.cli.prompt_versions import whoever
from soullink.entrypoints.cli.text import counted, shortened
from soullink.entrypoints.library import Session
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import PersonId
from soullink.kernel.language import Language
from soullink.modules.identity.api import Purpose
from soullink.modules.matching.api import (
    Challenge,
    ChallengeField,
    ChallengeState,
    Explanation,
    Matching,
    Method,
    NearPeople,
    PairView,
    RecommendSettings,
    Round,
    RoundSettings,
    Suggestions,
)
from soullink.modules.profiles.api import Profile

ListSettings = RecommendSettings

_SAME_FOR_ALL: Final = frozenset(
    ("near", "apart", "you_meet_theirs", "your_choosiness", "what_you_state")
)
"""Reasons that tell nobody on a list from the others, or stand in a column of their own."""


class _Left(NamedTuple):
    """What became of a person. waiting: parts of the house that have yet to delete theirs."""

    person: str
    state: str
    waiting: int = 0


def round_settings(
    method: Method, shown: int, capacity: int, seed: int, only: Sequence[str]
) -> RoundSettings:
    """Return the settings of a round from what was typed."""
    return RoundSettings(method, shown, capacity, seed, tuple(PersonId(one) for one in only))


def join(
    invocation: Invocation, paths: Sequence[Path], agreed: Sequence[str], as_json: bool
) -> None:
    """Keep profiles and consents."""
    purposes = _purposes(agreed)
    people = _read(paths)

    async def work() -> list[dict[str, Any]]:
        async with opened(invocation) as session:
            rows = []
            for person in people:
                rows.append(await _join_one(session, person, purposes))
                if len(people) > 50 and len(rows) % 50 == 0:
                    _remark(invocation, f"{len(rows)} of {len(people)} have joined.")
            await session.house.relay.drain()
        return rows

    rows = invocation.interruption.run(work())
    if as_json:
        print_json({"joined": rows})
        return
    console = stdout(invocation)
    for row in rows:
        missing = ", ".join(row["unknown"])
        more = f" Not stated, so open: {missing}." if missing else ""
        console.print(
            cell(f"{row['name']} ({row['id']}) takes part, revision {row['revision']}.{more}"),
            soft_wrap=True,
        )


async def _join_one(
    session: Session, person: Profile, purposes: Sequence[Purpose]
) -> dict[str, Any]:
    house = session.house
    member = await house.members.join(person)
    for purpose in purposes:
        await house.consents.grant(person.id, purpose, language=person.language, by=whoever(None))
    stated = {
        "gender": person.gender,
        "interested_in": person.interested_in,
        "location": house.profiles.cell_of(person),
        "languages": person.languages,
    }
    return {
        "id": str(person.id),
        "name": person.name,
        "revision": member.revision,
        "agreed": list(purposes),
        "unknown": [name for name, value in stated.items() if not value],
    }


def _purposes(agreed: Sequence[str]) -> list[Purpose]:
    known: tuple[Purpose, ...] = get_args(Purpose)
    found: list[Purpose] = ["matching"]
    for word in agreed:
        named = next((purpose for purpose in known if purpose == word), None)
        if named is None:
            raise InvalidInputError(
                f"{shortened(word)!r} is no purpose; known are {', '.join(known)}."
            )
        if named not in found:
            found.append(named)
    return found


def _read(paths: Iterable[Path]) -> list[Profile]:
    """Return the people in all `paths`. Raises InvalidInputError where an id comes twice."""
    profiles = bootstrap.build_profiles()
    found: dict[str, Profile] = {}
    for path in paths:
        for person in profiles.load_all(path.expanduser()):
            if person.id in found:
                raise InvalidInputError(f"The id {person.id!r} is given twice; leave one out.")
            found[person.id] = person
    return list(found.values())


@asynccontextmanager
async def _matching(invocation: Invocation, people: Path | None) -> AsyncIterator[Matching]:
    """Yield matching over `people`, or over those who have joined."""
    if people is not None:
        given = await asyncio.to_thread(_read, [people])
        yield bootstrap.build_given_matching(environment(), given)
        return
    async with opened(invocation) as session:
        yield session.house.matching


def recommend(
    invocation: Invocation,
    person: str,
    people: Path | None,
    settings: RecommendSettings,
    explain: bool,
    as_json: bool,
) -> None:
    """Print a list for one person."""

    async def work() -> Suggestions:
        async with _matching(invocation, people) as matching:
            return await matching.recommend(PersonId(person), settings)

    made = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(made))
        return
    console = stdout(invocation)
    fit = counted(made.candidates, "person fits", "people fit")
    console.print(cell(f"{fit} what {person} asked for, and the reverse."), soft_wrap=True)
    if made.suggestions:
        console.print()
    if explain:
        for one in made.suggestions:
            console.print(cell(f"{one.rank}. {one.name} ({one.person})", "bold"))
            _print_explanation(console, one.explanation)
    elif made.suggestions:
        shown = table(">#", "NAME", "=ID", ">KM", "=RANGE", "WHAT COUNTED")
        for one in made.suggestions:
            sure = one.explanation.sureness
            learned = "learned_interest" in sure.rests_on
            counts = [r.text for r in one.explanation.reasons if r.code not in _SAME_FOR_ALL]
            away = one.distance_km
            shown.add_row(
                str(one.rank),
                cell(one.name),
                str(one.person),
                "" if away is None else "<20" if away == 0 else str(away),
                f"{sure.low:.0%}–{sure.high:.0%}" if learned else "unknown",
                cell(" ".join(counts[:2])),
            )
        console.print(shown)
        console.print()
        console.print(
            "RANGE: of people in this place, how many would want to meet again; see --explain."
        )
    _print_degraded(invocation, made.degraded.values())


def pair(
    invocation: Invocation,
    first: str,
    second: str,
    people: Path | None,
    language: Language | None,
    as_json: bool,
) -> None:
    """Print what two people would be told."""

    async def work() -> PairView:
        async with _matching(invocation, people) as matching:
            return await matching.pair(PersonId(first), PersonId(second), language)

    view = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(view))
        return
    console = stdout(invocation)
    for reader, refusals in view.refusals.items():
        console.print(cell(f"Not suggested. What {reader} is told:", "bold"))
        for sentence in refusals:
            console.print(cell(f"  - {sentence}"), soft_wrap=True)
    for reader, explanation in view.explanations.items():
        console.print(cell(f"What {reader} is told:", "bold"))
        _print_explanation(console, explanation)
    _print_degraded(invocation, view.degraded.values())


def _print_explanation(console: Console, told: Explanation) -> None:
    for reason in told.reasons:
        mark = "+" if reason.favours else "-"
        how = reason.strength.replace("_", " ")
        console.print(cell(f"  {mark} {reason.text} ({how}; {reason.whose})"), soft_wrap=True)
    console.print(cell(f"  {told.sureness.text}"), soft_wrap=True)
    for sentence in told.would_change:
        console.print(cell(f"  > {sentence}"), soft_wrap=True)
    console.print()


def make_round(
    invocation: Invocation, settings: RoundSettings, people: Path | None, as_json: bool
) -> None:
    """Print the lists of a round."""

    async def work() -> Round:
        async with _matching(invocation, people) as matching:
            return await matching.round(settings)

    made = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(made))
        return
    console = stdout(invocation)
    shown = table("=PERSON", "IS SHOWN")
    for one in made.lists:
        shown.add_row(str(one.person), cell(", ".join(one.shown) or "nobody"))
    console.print(shown)
    console.print()
    for first, second in made.pairs:
        console.print(cell(f"pair: {first} and {second}"))
    console.print(
        cell(
            f"{made.method}: {counted(made.people, 'person', 'people')}, "
            f"{counted(made.allowed_pairs, 'pair')} that may meet; "
            f"{made.expected_matches:.2f} matches expected (one-sided lists: "
            f"{made.one_sided_matches:.2f}), exposure Gini {made.gini:.2f} "
            f"(one-sided {made.one_sided_gini:.2f})."
        ),
        soft_wrap=True,
    )
    _print_degraded(invocation, made.degraded.values())


def near(invocation: Invocation, person: str, people: Path | None, top: int, as_json: bool) -> None:
    """Print who writes alike."""

    async def work() -> NearPeople:
        if people is not None:
            given = await asyncio.to_thread(_read, [people])
            return await bootstrap.build_given_nearby(given).near(PersonId(person), top)
        async with opened(invocation) as session:
            return await session.house.nearby.near(PersonId(person), top)

    made = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(made))
        return
    console = stdout(invocation)
    fit = counted(made.candidates, "person fits", "people fit")
    console.print(cell(f"{fit} what {person} asked for, and the reverse."), soft_wrap=True)
    if made.people:
        shown = table(">#", "NAME", "=ID", ">LIKENESS")
        for one in made.people:
            shown.add_row(str(one.rank), cell(one.name), str(one.person), f"{one.likeness:.2f}")
        console.print()
        console.print(shown)
    elif made.candidates:
        _remark(
            invocation,
            f"Nobody to compare with: {person} or all of them wrote nothing, or have no vector "
            "yet; `soullink match reindex` makes them.",
        )


def reindex(invocation: Invocation, as_json: bool) -> None:
    """Make all vectors anew."""

    async def work() -> int:
        async with opened(invocation) as session:
            return await session.house.nearby.rebuild()

    count = invocation.interruption.run(work())
    if as_json:
        print_json({"vectors": count})
        return
    stdout(invocation).print(cell(f"{counted(count, 'person has', 'people have')} a vector."))


def challenge(
    invocation: Invocation,
    person: str,
    field: ChallengeField,
    text: str,
    match: str | None,
    as_json: bool,
) -> None:
    """Record a challenge."""

    async def work() -> Challenge:
        async with opened(invocation) as session:
            return await session.house.challenges.challenge(
                PersonId(person), field, text, None if match is None else PersonId(match)
            )

    _say_challenge(invocation, invocation.interruption.run(work()), as_json)


def challenges(
    invocation: Invocation, person: str | None, state: ChallengeState | None, as_json: bool
) -> None:
    """Print challenges."""

    async def work() -> list[Challenge]:
        async with opened(invocation) as session:
            return await session.house.challenges.list_challenges(
                None if person is None else PersonId(person), state
            )

    found = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    shown = table("=ID", "=PERSON", "=ABOUT", "=STATE", "TEXT", "ANSWER")
    for one in found:
        shown.add_row(
            str(one.id), str(one.person), one.field, one.state, cell(one.text), cell(one.answer)
        )
    stdout(invocation).print(shown)


def settle(
    invocation: Invocation,
    challenge_id: str,
    upheld: bool,
    answer: str,
    by: str | None,
    as_json: bool,
) -> None:
    """Settle a challenge."""
    try:
        which = UUID(challenge_id)
    except ValueError as error:
        raise InvalidInputError(
            f"{shortened(challenge_id)!r} is no id of a challenge; see `soullink match challenges`."
        ) from error

    async def work() -> Challenge:
        async with opened(invocation) as session:
            return await session.house.challenges.resolve(
                which, upheld=upheld, answer=answer, by=whoever(by)
            )

    _say_challenge(invocation, invocation.interruption.run(work()), as_json)


def _say_challenge(invocation: Invocation, made: Challenge, as_json: bool) -> None:
    if as_json:
        print_json(msgspec.to_builtins(made))
        return
    counts = "counts again" if made.state == "dismissed" else "counts no more"
    stdout(invocation).print(
        cell(f"Challenge {made.id} is {made.state}: {made.field} of {made.person} {counts}."),
        soft_wrap=True,
    )


def block(invocation: Invocation, person: str, other: str, undo: bool, as_json: bool) -> None:
    """Block somebody, or take it back."""

    async def work() -> None:
        async with opened(invocation) as session:
            matching = session.house.matching
            change = matching.unblock if undo else matching.block
            await change(PersonId(person), PersonId(other))

    invocation.interruption.run(work())
    if as_json:
        print_json({"person": person, "other": other, "blocked": not undo})
        return
    said = "may be suggested to each other again" if undo else "are not suggested to each other"
    stdout(invocation).print(cell(f"{person} and {other} {said}."), soft_wrap=True)


def pause(invocation: Invocation, person: str, end: bool, as_json: bool) -> None:
    """Pause, or go on."""

    async def work() -> _Left:
        async with opened(invocation) as session:
            members = session.house.members
            member = await (members.resume if end else members.pause)(PersonId(person))
            await session.house.relay.drain()
        return _Left(person, member.state)

    _say_state(invocation, invocation.interruption.run(work()), as_json)


def leave(invocation: Invocation, person: str, as_json: bool) -> None:
    """Withdraw the consent to be matched."""

    async def work() -> _Left:
        async with opened(invocation) as session:
            await session.house.members.get(PersonId(person))
            await session.house.consents.withdraw(PersonId(person), "matching", by=whoever(None))
            await session.house.relay.drain()
        return _Left(person, "left")

    _say_state(invocation, invocation.interruption.run(work()), as_json)


def forget(invocation: Invocation, person: str, as_json: bool) -> None:
    """Delete everything of a person, here and in every other part of the house."""

    async def work() -> _Left:
        async with opened(invocation) as session:
            found = await session.house.members.forget(PersonId(person))
            await session.house.relay.drain()
            waiting = await session.house.relay.waiting()
        mine = [one for one in waiting if one.stream == f"profiles/{person}"]
        return _Left(person, "forgotten" if found else "nobody", len(mine))

    _say_state(invocation, invocation.interruption.run(work()), as_json)


def _say_state(invocation: Invocation, left: _Left, as_json: bool) -> None:
    if as_json:
        print_json({"person": left.person, "state": left.state, "waiting": left.waiting})
        return
    said = {
        "active": "takes part again.",
        "paused": "pauses: nobody is suggested either way.",
        "left": "has left: nobody is suggested either way; the profile is kept.",
        "forgotten": "is forgotten.",
        "nobody": "was not here; what else named them is deleted.",
    }[left.state]
    stdout(invocation).print(cell(f"{left.person} {said}"), soft_wrap=True)
    if left.waiting:
        _remark(
            invocation,
            f"{counted(left.waiting, 'event')} could not be delivered yet; see `soullink events "
            "list`.",
        )


def _print_degraded(invocation: Invocation, sentences: Iterable[str]) -> None:
    for sentence in sentences:
        _remark(invocation, sentence)


def _remark(invocation: Invocation, sentence: str) -> None:
    stderr(invocation).print(cell(sentence, "dim"), soft_wrap=True)
