"""Consents: grant, withdraw, show, and the texts."""

from collections.abc import Sequence

import msgspec
from rich.text import Text

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import opened
from soullink.entrypoints.cli.output import cell, print_json, stdout, table
from soullink.entrypoints.cli.prompt_versions import whoever
from soullink.kernel.ids import PersonId
from soullink.kernel.language import Language
from soullink.modules.identity.api import (
    ConsentAnswer,
    ConsentStanding,
    ConsentText,
    Purpose,
)


def grant(
    invocation: Invocation,
    person: str,
    purpose: Purpose,
    shown: tuple[Language, int | None],
    by: str | None,
    as_json: bool,
) -> None:
    """Record a consent."""

    async def work() -> ConsentAnswer:
        language, version = shown
        async with opened(invocation) as session:
            return await session.house.consents.grant(
                PersonId(person), purpose, language=language, version=version, by=whoever(by)
            )

    _say(invocation, invocation.interruption.run(work()), as_json)


def withdraw(
    invocation: Invocation,
    person: str,
    purpose: Purpose,
    language: Language,
    by: str | None,
    as_json: bool,
) -> None:
    """Record that there is none, or none any more."""

    async def work() -> ConsentAnswer:
        async with opened(invocation) as session:
            return await session.house.consents.withdraw(
                PersonId(person), purpose, language=language, by=whoever(by)
            )

    _say(invocation, invocation.interruption.run(work()), as_json)


def _say(invocation: Invocation, answer: ConsentAnswer, as_json: bool) -> None:
    if as_json:
        print_json(msgspec.to_builtins(answer))
        return
    said = "agrees" if answer.granted else "does not agree"
    stdout(invocation).print(
        cell(
            f"{answer.person_id} {said} to {answer.purpose} (text {answer.version}, "
            f"{answer.language}) since {_when(answer)} UTC."
        ),
        soft_wrap=True,
    )


def _when(answer: ConsentAnswer) -> str:
    return answer.at.isoformat()[:16].replace("T", " ")


def show(invocation: Invocation, person: str, history: bool, as_json: bool) -> None:
    """Print where a person stands, or every answer."""

    async def work() -> tuple[list[ConsentStanding], list[ConsentAnswer]]:
        async with opened(invocation) as session:
            consents = session.house.consents
            standing = await consents.standing(PersonId(person))
            return standing, await consents.history(PersonId(person)) if history else []

    standing, answers = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(answers if history else standing))
        return
    if history:
        _print_history(invocation, answers)
        return
    shown = table("=PURPOSE", "=AGREES", "=SINCE (UTC)", ">TEXT", "=LANGUAGE")
    for one in standing:
        said = "not asked" if one.answer is None else "yes" if one.holds else "no"
        if one.answer is not None and one.answer.granted and not one.holds:
            said = "ask again"
        shown.add_row(one.purpose, said, *_columns(one.answer))
    stdout(invocation).print(shown)


def _columns(answer: ConsentAnswer | None) -> tuple[str, str, str]:
    if answer is None:
        return "-", "-", "-"
    return _when(answer), str(answer.version), answer.language


def _print_history(invocation: Invocation, answers: Sequence[ConsentAnswer]) -> None:
    if not answers:
        stdout(invocation).print("No answers yet.")
        return
    shown = table("=WHEN (UTC)", "=PURPOSE", "=AGREED", ">TEXT", "=LANGUAGE", "=HASH", "BY")
    for answer in answers:
        shown.add_row(
            _when(answer),
            answer.purpose,
            "yes" if answer.granted else "no",
            str(answer.version),
            answer.language,
            answer.content_hash[:8],
            cell(answer.by),
        )
    stdout(invocation).print(shown)


def text(
    invocation: Invocation,
    purpose: Purpose,
    language: Language,
    version: int | None,
    as_json: bool,
) -> None:
    """Print a text."""

    async def work() -> ConsentText:
        async with opened(invocation) as session:
            return session.house.consents.text(purpose, language, version)

    found = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    console = stdout(invocation)
    console.print(Text(found.title, style="bold"), soft_wrap=True)
    console.print()
    console.print(Text(found.body), soft_wrap=True)
