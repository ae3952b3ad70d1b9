"""Versions and labels of prompts: list, add, point, take back."""

import getpass
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.money import dollars
from soullink.entrypoints.cli.opening import opened
from soullink.entrypoints.cli.output import cell, print_json, stdout, table
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.language import Language
from soullink.modules.prompts.api import LabelMove, Performance, Prompt, PromptNotFoundError


def whoever(by: str | None) -> str:
    """Return who acts: as typed, or the account that runs this program."""
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return ""


def versions(invocation: Invocation, name: str, as_json: bool) -> None:
    """Print the versions of a prompt."""

    async def work() -> tuple[list[Prompt], list[LabelMove]]:
        async with opened(invocation) as session:
            store = session.house.prompt_store
            kept = (await store.snapshot()).list_prompts()
            return [prompt for prompt in kept if prompt.name == name], await store.labels(name)

    found, moves = invocation.interruption.run(work())
    if not found:
        raise PromptNotFoundError(f"There is no prompt {name}; see `soullink prompts list`.")
    rows = [(prompt, _labels_of(prompt, moves)) for prompt in found]
    if as_json:
        print_json(
            [
                {
                    **msgspec.to_builtins(prompt),
                    "reference": prompt.reference,
                    "shipped": prompt.shipped,
                    "labels": labels,
                }
                for prompt, labels in rows
            ]
        )
        return
    shown = table("=LANGUAGE", ">VERSION", "=ORIGIN", "=HASH", "LABELS", "DESCRIPTION")
    for prompt, labels in rows:
        shown.add_row(
            prompt.language,
            str(prompt.version),
            "shipped" if prompt.shipped else "added",
            prompt.content_hash[:8],
            cell(", ".join(labels)),
            cell(prompt.description),
        )
    stdout(invocation).print(shown)


def _labels_of(prompt: Prompt, moves: Sequence[LabelMove]) -> list[str]:
    place = (prompt.language, prompt.version)
    return [move.label for move in moves if (move.language, move.version) == place]


def add(
    invocation: Invocation,
    name: str,
    language: Language,
    file: Path,
    variables: Sequence[str] | None,
    description: str,
    by: str | None,
    as_json: bool,
) -> None:
    """Add a version."""
    template = _text_of(file)

    async def work() -> tuple[Prompt, bool]:
        async with opened(invocation) as session:
            store = session.house.prompt_store
            before = {prompt.reference for prompt in (await store.snapshot()).list_prompts()}
            prompt = await store.add_version(
                name, language, template, variables, description, by=whoever(by)
            )
            return prompt, prompt.reference not in before

    prompt, new = invocation.interruption.run(work())
    if as_json:
        document = msgspec.to_builtins(prompt)
        print_json({**document, "reference": prompt.reference, "new": new})
        return
    said = "is now" if new else "has been before"
    stdout(invocation).print(
        cell(f"This {said} version {prompt.version} of {name} ({language}), {prompt.reference}."),
        soft_wrap=True,
    )


def _text_of(file: Path) -> str:
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.expanduser().read_bytes()
        return raw.decode()
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{file} is not UTF-8 text: {error.reason}.") from error


def label(
    invocation: Invocation,
    place: tuple[str, Language, str],
    version: int,
    by: str | None,
    as_json: bool,
) -> None:
    """Point a label to a version."""

    async def work() -> LabelMove:
        async with opened(invocation) as session:
            return await session.house.prompt_store.label(*place, version, by=whoever(by))

    _say_move(invocation, invocation.interruption.run(work()), as_json)


def rollback(
    invocation: Invocation, place: tuple[str, Language, str], by: str | None, as_json: bool
) -> None:
    """Point a label to where it pointed before."""

    async def work() -> LabelMove:
        async with opened(invocation) as session:
            return await session.house.prompt_store.rollback(*place, by=whoever(by))

    _say_move(invocation, invocation.interruption.run(work()), as_json)


def _say_move(invocation: Invocation, move: LabelMove, as_json: bool) -> None:
    if as_json:
        print_json(msgspec.to_builtins(move))
        return
    where = f"{move.label} of {move.prompt} ({move.language})"
    stdout(invocation).print(
        cell(f"{where} points to {_target(move.version)}, before to {_target(move.previous)}."),
        soft_wrap=True,
    )


def _target(version: int | None) -> str:
    return "nothing (the newest shipped version)" if version is None else f"version {version}"


def labels(invocation: Invocation, name: str | None, history: bool, as_json: bool) -> None:
    """Print labels, or every move of them."""

    async def work() -> list[LabelMove]:
        async with opened(invocation) as session:
            store = session.house.prompt_store
            last = await store.labels(name)
            if not history:
                return last
            return [
                move
                for place in last
                for move in await store.label_history(place.prompt, place.language, place.label)
            ]

    moves = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(moves))
        return
    if not moves:
        stdout(invocation).print("No labels yet: the newest shipped versions are used.")
        return
    shown = table("=PROMPT", "=LANGUAGE", "=LABEL", ">VERSION", ">BEFORE", "=MOVED (UTC)", "BY")
    for move in moves:
        shown.add_row(
            move.prompt,
            move.language,
            cell(move.label),
            "-" if move.version is None else str(move.version),
            "-" if move.previous is None else str(move.previous),
            move.moved_at.isoformat()[:16].replace("T", " "),
            cell(f"{move.moved_by} ({move.reason})"),
        )
    stdout(invocation).print(shown)


def performance(invocation: Invocation, name: str, as_json: bool) -> None:
    """Print how each version has done."""

    async def work() -> list[Performance]:
        async with opened(invocation) as session:
            return await session.house.prompt_store.performance(name)

    rows = invocation.interruption.run(work())
    if as_json:
        print_json(msgspec.to_builtins(rows))
        return
    shown = table(
        "=VERSION", "=LANGUAGE", ">CALLS", ">FAILED", ">TURNS", ">REPAIRED", ">FALLBACK",
        ">TOKENS", ">COST (USD)", "SCORES",
    )  # fmt: skip
    for row in rows:
        shown.add_row(
            row.reference.partition("@")[2],
            row.language or "?",
            str(row.calls),
            _share(row.failure_rate),
            str(row.turns),
            _share(row.repair_rate),
            _share(row.fallback_rate),
            str(row.input_tokens + row.output_tokens),
            _cost(row),
            cell(", ".join(f"{score} {mean:.2f}" for score, mean in row.quality.items())),
        )
    console = stdout(invocation)
    console.print(shown)
    if any(row.unpriced for row in rows):
        console.print("+ or ?: some or all attempts have no known price.")


def _cost(row: Performance) -> str:
    if not row.unpriced:
        return dollars(row.cost_nano_usd)
    return f"{dollars(row.cost_nano_usd)}+" if row.cost_nano_usd else "?"


def _share(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1%}"
