"""Looks at everything that a course needs, and says how to get what is missing."""

import asyncio
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from soullink import bootstrap
from soullink.entrypoints.cli.exits import ExitCode
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import opened, postgres_settings
from soullink.entrypoints.cli.output import cell, print_json, stdout, table
from soullink.entrypoints.library import Session
from soullink.gateways.llm.opening import BASE_URL_VARIABLES, KEY_VARIABLES, PROVIDERS
from soullink.gateways.postgres import schema
from soullink.gateways.postgres.embedded import default_data_dir
from soullink.gateways.postgres.probe import Description, describe
from soullink.kernel.errors import InvalidInputError, SoulLinkError
from soullink.kernel.ids import PersonId
from soullink.kernel.language import LANGUAGES
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import STAGES, Settings, TurnTaken
from soullink.settings import PostgresSettings

OLDEST_PYTHON = (3, 11)
_MIGRATE = "soullink migrate"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome-headless-shell")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. status: works, missing (needed) or optional (and not there).

    remedy: how to get it; empty when it works.
    """

    name: str
    status: Literal["works", "missing", "optional"]
    detail: str
    remedy: str = ""


def examine(invocation: Invocation, as_json: bool) -> ExitCode:
    """Look at everything and print what was found."""
    findings = [
        _python(),
        Finding("soullink", "works", bootstrap.code_version()),
        *_data_dir(invocation),
        *_attempt("prompts", _prompts, "reinstall soullink"),
        *_attempt("scenarios", _scenarios, "reinstall soullink"),
        *_attempt(
            "database",
            lambda: invocation.interruption.run(_database(invocation)),
            "see the sentence; --data-dir takes another folder, --database-url another server",
        ),
        *_voices(os.environ),
        _browser(),
    ]
    works = all(finding.status != "missing" for finding in findings)
    if as_json:
        print_json({"ok": works, "checks": [asdict(finding) for finding in findings]})
        return ExitCode.OK if works else ExitCode.UNAVAILABLE
    console = stdout(invocation)
    marks = {"works": ("ok", "green"), "missing": ("MISSING", "red"), "optional": ("-", "yellow")}
    shown = table("", "=CHECK", "FOUND", "HOW TO GET IT")
    for finding in findings:
        mark, style = marks[finding.status]
        shown.add_row(
            cell(mark, style), finding.name, cell(finding.detail), cell(finding.remedy, "dim")
        )
    console.print(shown)
    console.print(
        "Everything that a course needs works here."
        if works
        else "Something that a course needs is missing."
    )
    return ExitCode.OK if works else ExitCode.UNAVAILABLE


def migrate(invocation: Invocation, as_json: bool) -> None:
    """Bring the tables of somebody's own database up to date."""
    url = postgres_settings(invocation).url
    if url is None:
        raise InvalidInputError(
            "Name your database with --database-url or SOULLINK_DATABASE_URL; our own is kept up "
            "to date by itself."
        )
    before = describe(url)["revision"]
    schema.migrate(url)
    now = describe(url)["revision"]
    if as_json:
        print_json({"before": before, "now": now})
    elif before == now:
        stdout(invocation).print(f"The tables are up to date already ({now}).")
    else:
        stdout(invocation).print(
            f"The tables are at {now} now; they were at {before or 'nothing'}."
        )


def _attempt(name: str, look: Callable[[], list[Finding]], remedy: str) -> list[Finding]:
    """Return what `look` finds, or that it failed; the error's sentence says how."""
    try:
        return look()
    except SoulLinkError as error:
        return [Finding(name, "missing", str(error), remedy)]


def _python() -> Finding:
    found = platform.python_version()
    if sys.version_info >= OLDEST_PYTHON:
        return Finding("python", "works", found)
    return Finding("python", "missing", found, "install Python 3.11 or newer")


def _data_dir(invocation: Invocation) -> list[Finding]:
    postgres = postgres_settings(invocation)
    if postgres.url is not None:
        return []
    folder = (postgres.data_dir or default_data_dir({})).absolute()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        remedy = "choose another folder with --data-dir or SOULLINK_DATA_DIR"
        return [Finding("data folder", "missing", f"{folder}: {error.strerror}", remedy)]
    free = shutil.disk_usage(existing).free / 1e9
    return [Finding("data folder", "works", f"{folder}, {free:.1f} GB free")]


def _prompts() -> list[Finding]:
    found = bootstrap.build_prompts().list_prompts()
    names = {prompt.name for prompt in found}
    return [Finding("prompts", "works", f"{len(found)} versions of {len(names)} prompts")]


def _scenarios() -> list[Finding]:
    found = bootstrap.build_scenarios().shipped()
    missing = [stage for stage in STAGES if not any(s.stage == stage for s in found)]
    if missing:
        return [
            Finding("scenarios", "missing", f"none for {', '.join(missing)}", "reinstall soullink")
        ]
    return [Finding("scenarios", "works", f"{len(found)} valid, over {len(STAGES)} stages")]


async def _database(invocation: Invocation) -> list[Finding]:
    """Open the database and live a course in it, which is erased again."""
    began = time.monotonic()
    settings = postgres_settings(invocation)
    kind = "our own PostgreSQL" if settings.url is None else "your PostgreSQL"
    async with _opened_url(invocation, settings) as url:
        seconds = time.monotonic() - began
        found = await asyncio.to_thread(describe, url)
        detail = f"{kind} {found['server_version']}, ready in {seconds:.1f} s"
        findings = [Finding("database", "works", detail), _pgvector(found)]
        if found["revision"] != found["newest_revision"]:
            at = f"at {found['revision'] or 'nothing'}, newest is {found['newest_revision']}"
            return [*findings, Finding("migrations", "missing", at, _MIGRATE)]
        findings.append(Finding("migrations", "works", f"at {found['revision']}"))
        return [*findings, *await _course(invocation)]


@asynccontextmanager
async def _opened_url(invocation: Invocation, settings: PostgresSettings) -> AsyncIterator[str]:
    async with AsyncExitStack() as stack:
        with invocation.interruption.held():
            url = await stack.enter_async_context(bootstrap.database_url(settings))
        yield url


def _pgvector(found: Description) -> Finding:
    version = found["pgvector_installed"] or found["pgvector_available"]
    if version:
        return Finding("pgvector", "works", version)
    return Finding("pgvector", "optional", "not there", "install pgvector on the server")


async def _course(invocation: Invocation) -> list[Finding]:
    """Live one episode of two people without a profile, in every language; replay; erase."""
    people = (Profile(PersonId("first"), "Noor"), Profile(PersonId("second"), "Kim"))
    began = time.monotonic()
    turns = 0
    async with opened(invocation) as session:
        for language in LANGUAGES:
            turns += await _lived(session, people, Settings(1, 1, language))
    seconds = time.monotonic() - began
    detail = f"{turns} turns lived, recorded and replayed in {seconds:.1f} s"
    return [Finding("course", "works", detail)]


async def _lived(session: Session, people: tuple[Profile, Profile], settings: Settings) -> int:
    simulation = session.house.simulation
    run = await simulation.start(people, settings)
    try:
        async for _ in simulation.live(run.id):
            pass
        return sum([isinstance(m, TurnTaken) async for m in simulation.replay(run.id)])
    finally:
        await simulation.delete(run.id)


def _voices(environ: Mapping[str, str]) -> list[Finding]:
    """Return which voices can speak; of keys only the name of their variable."""
    findings = [Finding("voice built-in", "works", "authored lines in " + ", ".join(LANGUAGES))]
    for provider in PROVIDERS:
        name = f"voice {provider}"
        if provider == "llamacpp":
            findings.append(_llamacpp(name))
            continue
        keys = [variable for variable in KEY_VARIABLES[provider] if environ.get(variable)]
        servers = [v for v in BASE_URL_VARIABLES.get(provider, ()) if environ.get(v)]
        if keys or servers:
            findings.append(Finding(name, "works", " and ".join([*keys, *servers]) + " set"))
        else:
            wanted = " or ".join(KEY_VARIABLES[provider])
            findings.append(Finding(name, "optional", "no key", f"set {wanted}"))
    return findings


def _llamacpp(name: str) -> Finding:
    if find_spec("xllamacpp") is not None:
        return Finding(name, "works", "installed; needs a model file (GGUF)")
    return Finding(name, "optional", "not installed", "pip install 'soullink[llamacpp]'")


def _browser() -> Finding:
    for browser in _BROWSERS:
        found = shutil.which(browser)
        if found:
            return Finding("Chromium", "works", str(Path(found)))
    return Finding("Chromium", "optional", "for tests only", "Debian: apt install chromium")
