"""Profiles in files: import, show, validate, list."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import NormalDist
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from soullink import bootstrap
from soullink.entrypoints.cli.exits import ExitCode
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import writing
from soullink.entrypoints.cli.output import cell, interval, print_json, stderr, stdout, table
from soullink.entrypoints.cli.persons import PROFILE_SUFFIXES
from soullink.entrypoints.cli.text import counted, with_short_words
from soullink.kernel.clock import SystemClock
from soullink.kernel.errors import ConflictError, InvalidInputError, SoulLinkError
from soullink.modules.personality.api import Estimate
from soullink.modules.profiles.api import InvalidProfileError, Profile

_TENTH = NormalDist().inv_cdf(0.9)
"""Half the width of an 80 % interval, in standard deviations."""


def import_people(
    invocation: Invocation,
    source: Path,
    format_name: str,
    out: Path,
    limit: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write one profile a person into `out`."""
    profiles = bootstrap.build_profiles()
    people = profiles.import_people(source.expanduser(), format_name, limit)
    files = {out / f"{person.id}.yaml": person for person in people}
    there = [path for path in files if path.exists()]
    if there and not force:
        raise ConflictError(
            f"{there[0]} is there already"
            + (f", and {len(there) - 1} more" if len(there) > 1 else "")
            + "; choose another --out, or overwrite with --force."
        )
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    with _progress(invocation) as progress:
        for path, person in progress.track(files.items(), description="Writing profiles"):
            profiles.save(person, path)
    left_out = sum(
        int(notice.get("count", 0))
        for notice in invocation.notices
        if notice.get("event") == "people_left_out"
    )
    if as_json:
        print_json(
            {
                "format": format_name,
                "imported": len(people),
                "left_out": left_out,
                "out": str(out.resolve()),
                "ids": [str(person.id) for person in people],
            }
        )
        return
    console = stdout(invocation)
    console.print(
        cell(f"{counted(len(people), 'person is', 'people are')} now in {out}."), soft_wrap=True
    )
    if left_out:
        who = counted(left_out, "person was", "people were")
        console.print(f"{who} left out, with an age outside 18 to 120.")


def _progress(invocation: Invocation) -> Progress:
    """Return a progress bar on stderr, which is not drawn where nobody watches."""
    console = stderr(invocation)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def show(invocation: Invocation, file: Path, as_json: bool) -> None:
    """Print a profile and the persona made of it."""
    profiles = bootstrap.build_profiles()
    person = profiles.load(file.expanduser())
    persona = bootstrap.build_personality().persona(person)
    estimates = {
        **persona.traits,
        "attachment anxiety": persona.anxiety,
        "attachment avoidance": persona.avoidance,
        **{f"values: {name.replace('_', ' ')}": e for name, e in persona.values.items()},
    }
    if as_json:
        print_json(
            {
                "profile": profiles.to_document(person),
                "persona": {name: _percentiles(e) for name, e in estimates.items()},
            }
        )
        return
    console = stdout(invocation)
    console.print(cell(person.name, "bold"))
    for label, value in _facts(person):
        console.print(cell(f"{label}: {value}"), soft_wrap=True)
    shown = table("ATTRIBUTE", ">PERCENTILE", "=80 % INTERVAL", "=0 TO 100", "FROM")
    for name, estimate in estimates.items():
        found = _percentiles(estimate)
        low, middle, high = found["low"], found["percentile"], found["high"]
        shown.add_row(
            name,
            f"{middle:.0f}",
            f"{low:.0f} – {high:.0f}",
            interval(low, middle, high),
            estimate.source,
        )
    console.print()
    console.print(shown)


def _percentiles(estimate: Estimate) -> dict[str, Any]:
    """Return an estimate as percentiles of the population, 0..100, with an 80 % interval."""
    normal = NormalDist()
    spread = _TENTH * estimate.sd
    return {
        "percentile": round(100 * normal.cdf(estimate.mean), 2),
        "low": round(100 * normal.cdf(estimate.mean - spread), 2),
        "high": round(100 * normal.cdf(estimate.mean + spread), 2),
        "source": estimate.source,
    }


def _facts(person: Profile) -> Iterator[tuple[str, str]]:
    """Yield what a person told, label and text; of secrets only how many there are."""
    age = person.age_on(SystemClock().now().date())
    shown = (
        ("id", str(person.id)),
        ("age", "" if age is None else str(age)),
        ("pronouns", person.pronouns),
        ("city", person.city),
        ("occupation", person.occupation),
        ("speaks here", person.language),
        ("languages", ", ".join(person.languages)),
        ("interests", ", ".join(person.interests)),
        ("gender", ", ".join(person.gender)),
        ("wants to meet", ", ".join(person.interested_in)),
        ("looks for", ", ".join(filter(None, (person.wants.goal, person.wants.text)))),
        ("children", person.wants.children),
        ("deal-breakers", ", ".join(person.deal_breakers)),
        ("essays", ", ".join(f"{k} ({len(v)} characters)" for k, v in person.essays.items())),
        ("secrets", f"{len(person.secrets)}, not shown" if person.secrets else ""),
    )
    yield from ((label, value) for label, value in shown if value)


def validate(invocation: Invocation, paths: list[Path], as_json: bool) -> ExitCode:
    """Check every profile in `paths` and that no two have the same id."""
    rows: list[dict[str, Any]] = []
    seen: dict[str, str] = {}
    for place, people, problem in _checked(paths):
        ids = [str(person.id) for person in people]
        twice = [f"'{key}' is in {seen[key]} too" for key in ids if key in seen]
        error = problem or "".join(f"The id {t}; give one another 'id'." for t in twice[:1])
        seen.update({key: place for key in ids if key not in seen})
        rows.append({"path": place, "ok": not error, "ids": ids, "error": error or None})
    bad = sum(not row["ok"] for row in rows)
    print_verdicts(invocation, rows, as_json)
    return ExitCode.INPUT if bad else ExitCode.OK


def print_verdicts(invocation: Invocation, rows: list[dict[str, Any]], as_json: bool) -> None:
    """Print one line a file: fine, or what to change."""
    if as_json:
        print_json({"ok": all(row["ok"] for row in rows), "files": rows})
        return
    console = stdout(invocation)
    for row in rows:
        if row["ok"]:
            console.print(cell(f"ok   {row['path']}", "green"), soft_wrap=True)
        else:
            said = with_short_words(_without_name(row["error"], Path(row["path"])))
            console.print(cell(f"bad  {row['path']}: {said}", "red"), soft_wrap=True)


def _without_name(error: str, path: Path) -> str:
    """Return `error` without the file's name in front of it."""
    for name in (str(path), path.name):
        for end in (": ", ", ", " "):
            if name and error.startswith(name + end):
                return error.removeprefix(name + end)
    return error


def _checked(paths: list[Path]) -> Iterator[tuple[str, list[Profile], str | None]]:
    """Yield (path, people, what is wrong) for every file."""
    profiles = bootstrap.build_profiles()
    personality = bootstrap.build_personality()
    for path in _files(paths):
        try:
            if path.suffix.lower() == ".jsonl":
                people = profiles.load_all(path)
            else:
                people = [profiles.load(path)]
            for person in people:
                personality.persona(person)
            yield str(path), people, None
        except SoulLinkError as error:
            yield str(path), [], str(error)


def _files(paths: list[Path]) -> Iterator[Path]:
    for given in paths:
        path = given.expanduser()
        if not path.is_dir():
            yield path
            continue
        try:
            found = sorted(f for f in path.iterdir() if f.suffix.lower() in PROFILE_SUFFIXES)
        except OSError as error:
            raise InvalidInputError(f"{path} cannot be read: {error.strerror}.") from error
        if not found:
            raise InvalidProfileError(f"{path} holds no profile; add a .yaml or .json file.")
        yield from found


def list_people(invocation: Invocation, folder: Path, as_json: bool) -> None:
    """Print who is in a folder or a JSONL file."""
    people = bootstrap.build_profiles().load_all(folder.expanduser())
    today = datetime.now(UTC).date()
    rows = [
        {
            "id": str(person.id),
            "name": person.name,
            "age": person.age_on(today),
            "city": person.city,
            "language": person.language,
            "traits": _traits(person),
            "source_id": person.source_id,
        }
        for person in people
    ]
    if as_json:
        print_json(rows)
        return
    shown = table("=ID", "NAME", ">AGE", "CITY", "=LANGUAGE", "TRAITS FROM")
    for row in rows:
        shown.add_row(
            str(row["id"]),
            cell(str(row["name"])),
            "" if row["age"] is None else str(row["age"]),
            cell(str(row["city"] or "")),
            str(row["language"]),
            str(row["traits"]),
        )
    stdout(invocation).print(shown)


def _traits(person: Profile) -> str:
    if person.answers is not None:
        return f"answers ({person.answers.inventory})"
    if person.percentiles:
        return "percentiles"
    return "words" if person.levels else "unknown"
