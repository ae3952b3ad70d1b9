"""Brings a database's tables to what this version of the code expects."""

import re
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from soullink.gateways.postgres.conninfo import connect, connection_parameters
from soullink.kernel.errors import ConflictError, UnavailableError

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_REVISION_FILE: Final = re.compile(r"(\d{4})_\w+\.py")
_LOCK: Final = 0x50_4C_4E_4B  # any number that nobody else takes: "PLNK"


def known_revisions() -> tuple[str, ...]:
    """Return the revisions in order, e.g. ("0001", "0002"); they are the files' numbers."""
    files = (MIGRATIONS / "versions").iterdir()
    return tuple(sorted(match[1] for f in files if (match := _REVISION_FILE.fullmatch(f.name))))


def current_revision(connection: psycopg.Connection[Any]) -> str | None:
    """Return the revision a database is at; None when nothing was ever migrated."""
    known = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
    if not (known and known[0]):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def migrate(url: str) -> str:
    """Migrate to the newest revision and return it. Blocks; safe in two processes at once.

    Raises ConflictError when the database was migrated by a newer version of the code,
    UnavailableError when it cannot be reached or the migration cannot be made.
    """
    parameters = connection_parameters(url)
    head = known_revisions()[-1]
    with connect(parameters) as connection:
        if _revision_to_leave(connection) == head:
            return head
    _upgrade(parameters)
    return head


def _revision_to_leave(connection: psycopg.Connection[Any]) -> str | None:
    revision = current_revision(connection)
    if revision is not None and revision not in known_revisions():
        raise ConflictError(
            f"The database is at revision {revision}, made by a newer SoulLink than this one,"
            f" which knows {known_revisions()[-1]}: update SoulLink, or use another database."
        )
    return revision


def _upgrade(parameters: dict[str, Any]) -> None:
    # Imported here: alembic takes a quarter of a second, and mostly nothing is to be done.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import NullPool, create_engine  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    # Rewriting a large table may take longer than a statement of everyday work.
    patient = parameters | {"options": f"{parameters['options']} -c statement_timeout=0"}
    engine = create_engine("postgresql+psycopg://", connect_args=patient, poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    # One lock for as long as the connection lives, so that the second process finds it done.
    with connect(patient) as guard:
        guard.execute(sql.SQL("SELECT pg_advisory_lock({})").format(_LOCK))
        _revision_to_leave(guard)
        try:
            with engine.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except DBAPIError as error:
            raise UnavailableError(
                f"The database could not be migrated: {str(error.orig).partition(chr(10))[0]}"
            ) from error
