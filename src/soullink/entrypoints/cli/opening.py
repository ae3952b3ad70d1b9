"""Opens what commands work with."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from uuid import UUID

from soullink import bootstrap
from soullink.entrypoints.cli.exits import FULL_DISK
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.output import stderr
from soullink.entrypoints.cli.text import shortened
from soullink.entrypoints.library import Session, open_session, run_id_of
from soullink.gateways.postgres.probe import describe
from soullink.kernel.errors import ConflictError, InvalidInputError, UnavailableError
from soullink.kernel.ids import RunId
from soullink.modules.simulation.api import Run, RunNotFoundError
from soullink.settings import PostgresSettings, Settings

BUILT_IN = "built-in"
_PAGE = 200
_SHORTEST = 4


@asynccontextmanager
async def opened(invocation: Invocation, processes: int = 1) -> AsyncIterator[Session]:
    """Yield a Session on the database that the invocation or the environment names."""
    database = postgres_settings(invocation)
    if database.url is not None:
        await asyncio.to_thread(check_tables, database.url)
    async with AsyncExitStack() as stack:
        with invocation.interruption.held():
            session = await stack.enter_async_context(
                open_session(invocation.data_dir, invocation.database_url, None, processes)
            )
        await asyncio.sleep(0)  # where a signal that waited comes through
        yield session
        await _deliver(invocation, session)


async def _deliver(invocation: Invocation, session: Session) -> None:
    """Take what the command published to whom it concerns. The command itself has succeeded."""
    try:
        drained = await session.house.relay.drain()
    except UnavailableError as error:
        stderr(invocation).print(f"What was changed is not passed on yet: {error}", soft_wrap=True)
        return
    if drained.failed:
        stderr(invocation).print(
            f"{drained.failed} of what was changed could not be passed on yet; "
            "see `soullink events list`.",
            soft_wrap=True,
        )


def postgres_settings(invocation: Invocation) -> PostgresSettings:
    """Return where runs are kept: what was typed, or else what the environment says."""
    if invocation.database_url is not None:
        return PostgresSettings(invocation.database_url, None)
    if invocation.data_dir is not None:
        return PostgresSettings(None, invocation.data_dir)
    return PostgresSettings.read(os.environ)


def check_tables(url: str) -> None:
    """Raise ConflictError unless the tables of somebody's own database are those we know."""
    found = describe(url)
    if found["revision"] != found["newest_revision"]:
        raise ConflictError(
            f"The tables of the database are at {found['revision'] or 'nothing'}, this SoulLink "
            f"needs {found['newest_revision']}: bring them up to date with `soullink migrate`."
        )


def environment() -> Settings:
    """Return what the environment says. Raises InvalidInputError."""
    return Settings.read(os.environ)


def short(run_id: RunId) -> str:
    """Return the end of the id: its beginning is a time, which neighbours share."""
    return run_id.hex[-8:]


async def all_runs(session: Session) -> AsyncIterator[Run]:
    """Yield every run, newest first."""
    before: RunId | None = None
    while page := await session.house.simulation.list_runs(_PAGE, before):
        for run in page:
            yield run
        if len(page) < _PAGE:
            return
        before = page[-1].id


async def find_run(session: Session, text: str) -> RunId:
    """Return the run that `text` means: "last", an id, or the beginning or end of one.

    Raises InvalidInputError, RunNotFoundError.
    """
    wanted = text.strip().lower().replace("-", "")
    if wanted == "last":
        async for run in all_runs(session):
            return run.id
        raise RunNotFoundError("There is no run yet; begin one with `soullink simulate`.")
    if len(wanted) == len(UUID(int=0).hex):
        return run_id_of(text.strip())
    shown = shortened(text)
    if len(wanted) < _SHORTEST or not set(wanted) <= set("0123456789abcdef"):
        raise InvalidInputError(
            f"{shown!r} is not a run: give an id, at least {_SHORTEST} characters of its beginning "
            "or end, or the word last."
        )
    found = [
        run.id
        async for run in all_runs(session)
        if run.id.hex.startswith(wanted) or run.id.hex.endswith(wanted)
    ]
    if not found:
        raise RunNotFoundError(f"There is no run {shown}; see `soullink runs list`.")
    if len(found) > 1:
        raise InvalidInputError(
            f"{len(found)} runs fit {shown!r}, among them {found[0]} and {found[1]}; give more."
        )
    return found[0]


async def check_voice(name: str) -> None:
    """See that the voice can be opened, before a run is recorded that nobody can live.

    Raises InvalidInputError, LlmRequestError, LlmAuthError.
    """
    settings = environment().llm
    if name == BUILT_IN or settings.cassette is not None:
        return
    await bootstrap.check_model(settings, name)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what can go wrong with a file of the caller's choice into one sentence."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        if error.errno in FULL_DISK:
            raise UnavailableError(
                f"{where} cannot be written, because the disk is full; make room and try again."
            ) from error
        raise InvalidInputError(f"{where} cannot be written: {error.strerror or error}.") from error


def check_folder(folder: Path) -> None:
    """See that `folder` could be made, and make nothing yet. Raises InvalidInputError."""
    with writing(folder):
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise InvalidInputError(f"{there} is a file; choose another --out.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InvalidInputError(f"{there} cannot be written to; choose another --out.")


def prepare_folder(folder: Path) -> None:
    """Make `folder` and see that it can be written to, before hours of work are spent on it."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable.{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
