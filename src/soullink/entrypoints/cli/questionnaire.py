"""The questionnaire: its items, and scoring answers."""

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from rich.text import Text

from soullink import bootstrap
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.output import bar, cell, print_json, stderr, stdout, table
from soullink.entrypoints.cli.text import shortened
from soullink.kernel.clock import SystemClock
from soullink.kernel.errors import InvalidInputError
from soullink.modules.personality.api import ScoringError
from soullink.modules.profiles.api import Answers, InvalidProfileError, Inventory

_INVENTORIES: dict[int, Inventory] = {120: "ipip-neo-120", 300: "ipip-neo-300"}
_MOST_BYTES = 1_000_000
Sex = Literal["female", "male"]


def items(
    invocation: Invocation,
    inventory: Inventory,
    language: Literal["en", "zh", "both"],
    as_json: bool,
) -> None:
    """Print the questions in order."""
    found = bootstrap.build_personality().items(inventory)
    if as_json:
        print_json([asdict(item) for item in found])
        return
    texts = ("en", "zh") if language == "both" else (language,)
    if not any(_item_text(asdict(item), name) for item in found for name in texts):
        raise InvalidInputError(
            f"The questions of {inventory} are not part of SoulLink in this language; "
            "ipip-neo-120 has them. With --json you get the keys."
        )
    shown = table(">NO", "=DOMAIN", "=FACET", "=KEY", *(f"ITEM ({name})" for name in texts))
    for item in found:
        shown.add_row(
            str(item.number),
            item.domain,
            item.facet.replace("_", " "),
            "+" if item.key > 0 else "-",
            *(cell(_item_text(asdict(item), name)) for name in texts),
        )
    console = stdout(invocation)
    console.print(shown)
    console.print(
        Text("Answers: 1 very inaccurate, 2, 3 neither, 4, 5 very accurate.", style="dim")
    )


def _item_text(item: dict[str, Any], language: str) -> str:
    return str(item[f"text_{language}"] or "")


def score(
    invocation: Invocation,
    file: Path,
    sex: Sex | None,
    age: int | None,
    facets: bool,
    as_json: bool,
) -> None:
    """Print the scores of a profile's answers, or of a list of answers."""
    answers, known_sex, known_age = _answers(file.expanduser())
    sex, age = sex or known_sex, age or known_age
    personality = bootstrap.build_personality()
    scores = personality.score(answers, sex, age)
    straight = personality.is_straight_line(answers)
    if straight:
        stderr(invocation).print(
            "The answers look straight-lined: one number runs on over a third of the questions. "
            "Personas ignore such answers.",
            style="yellow",
            soft_wrap=True,
        )
    shown = [found for found in scores if facets or not found.is_facet]
    if as_json:
        print_json(
            {
                "inventory": answers.inventory,
                "sex": sex,
                "age": age,
                "straight_lined": straight,
                "scores": [asdict(found) for found in shown],
            }
        )
        return
    rows = table("SCALE", ">RAW", ">PERCENTILE", "=0 TO 100", "=LEVEL")
    for found in shown:
        name = ("  " if found.is_facet else "") + found.name.replace("_", " ")
        rows.add_row(
            Text(name, style="" if found.is_facet else "bold"),
            f"{found.raw:.0f}",
            f"{found.percentile:.0f}",
            bar(found.percentile / 100, 20),
            found.level,
        )
    console = stdout(invocation)
    console.print(rows)
    norms = f"sex {sex or 'unknown: averaged'}, age {age or 'unknown: averaged'}"
    console.print(Text(f"{answers.inventory}; norms: {norms}.", style="dim"))


def _answers(file: Path) -> tuple[Answers, Sex | None, int | None]:
    """Return the answers in a profile, a JSON list or a CSV file, with sex and age if told."""
    if file.suffix.lower() == ".csv":
        return _of_numbers(_csv_numbers(_read(file), file), file), None, None
    if file.suffix.lower() == ".json":
        listed = _json_list(_read(file), file)
        if listed is not None:
            return _of_numbers(listed, file), None, None
    person = bootstrap.build_profiles().load(file)
    if person.answers is None:
        raise ScoringError(
            f"{file} has no answers; add them under traits: answers:, see "
            "`soullink personality items`."
        )
    return person.answers, person.sex, person.age_on(SystemClock().now().date())


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise InvalidInputError(f"{file} is larger than 1 MB; answers are 120 or 300 numbers.")
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise InvalidProfileError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidProfileError(f"{file} is not UTF-8; save it with this encoding.") from error


def _json_list(text: str, file: Path) -> list[object] | None:
    """Return the list in `text`; None when it is an object, which a profile is."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidProfileError(f"{file} is not JSON; correct it.") from error
    return data if isinstance(data, list) else None


def _csv_numbers(text: str, file: Path) -> list[object]:
    """Return the numbers of a CSV file, by row or by column, a heading left out."""
    words = [word.strip() for row in csv.reader(text.splitlines()) for word in row if word.strip()]
    digits = [word for word in words if word.lstrip("-").isdecimal()]
    if len(words) - len(digits) > 1 or (len(words) > len(digits) and words[0] in digits):
        odd = next(word for word in words[1:] if word not in digits)
        raise ScoringError(f"{file}: {odd[:40]!r} is no answer; answers are 1 to 5.")
    return [int(word[:9]) for word in digits]


def _of_numbers(numbers: list[object], file: Path) -> Answers:
    inventory = _INVENTORIES.get(len(numbers))
    if inventory is None:
        raise ScoringError(f"{file} has {len(numbers)} answers; give 120 or 300.")
    whole = []
    for position, number in enumerate(numbers, start=1):
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 5:
            raise ScoringError(
                f"{file}: answer {position} is {shortened(repr(number))}; answers are 1 to 5."
            )
        whole.append(number)
    return Answers(inventory, tuple(whole))
