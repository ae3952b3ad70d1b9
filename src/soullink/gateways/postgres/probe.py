"""What a database is and has, for people who look for what is wrong."""

from typing import TypedDict

from soullink.gateways.postgres.conninfo import connect, connection_parameters
from soullink.gateways.postgres.schema import current_revision, known_revisions


class Description(TypedDict):
    """Versions are as the server writes them; None is: not there."""

    server_version: str
    pgvector_available: str | None
    pgvector_installed: str | None
    size_bytes: int
    revision: str | None
    newest_revision: str


def describe(url: str) -> Description:
    """Ask the database at `url` about itself. Raises UnavailableError, InvalidInputError."""
    with connect(connection_parameters(url)) as connection:
        row = connection.execute(
            """
            SELECT current_setting('server_version'),
                   (SELECT default_version FROM pg_available_extensions WHERE name = 'vector'),
                   (SELECT extversion FROM pg_extension WHERE extname = 'vector'),
                   pg_database_size(current_database())
            """
        ).fetchone()
        if row is None:  # a SELECT without FROM has one row
            raise AssertionError
        return Description(
            server_version=row[0],
            pgvector_available=row[1],
            pgvector_installed=row[2],
            size_bytes=row[3],
            revision=current_revision(connection),
            newest_revision=known_revisions()[-1],
        )
