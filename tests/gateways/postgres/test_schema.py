"""The migrations make the tables that the stores mean."""

import importlib
import pkgutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

import soullink.gateways
import soullink.modules
from soullink.gateways.postgres.conninfo import connection_parameters
from soullink.gateways.postgres.database import metadata
from soullink.gateways.postgres.probe import describe
from soullink.gateways.postgres.schema import MIGRATIONS, known_revisions, migrate
from soullink.kernel.errors import ConflictError, UnavailableError


def test_the_migrated_schema_is_what_every_store_declares(database_url: str) -> None:
    for package in (soullink.gateways, soullink.modules):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".store" in module.name:
                importlib.import_module(module.name)
    engine = create_engine(
        "postgresql+psycopg://", connect_args=connection_parameters(database_url)
    )
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, metadata)
        checks = connection.exec_driver_sql(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint"
            " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
        ).all()
    engine.dispose()
    assert differences == []
    # Alembic does not compare checks.
    assert {(str(table), str(name)) for table, name in checks} == {
        (table.name, f"{constraint.name}")
        for table in metadata.tables.values()
        for constraint in table.constraints
        if constraint.__visit_name__ == "check_constraint"
    }


def test_revisions_are_one_line_named_by_their_files() -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    walked = [revision.revision for revision in script.walk_revisions()]
    assert tuple(reversed(walked)) == known_revisions()


def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    assert migrate(empty_database_url) == migrate(empty_database_url) == known_revisions()[-1]
    assert describe(empty_database_url)["revision"] == known_revisions()[-1]


def test_migrating_from_many_places_at_once_does_no_harm(empty_database_url: str) -> None:
    # Processes, as alembic's context belongs to the process; threads only wait for them.
    code = (
        "from soullink.gateways.postgres.schema import migrate;"
        f" print(migrate({empty_database_url!r}))"
    )
    with ThreadPoolExecutor() as pool:
        printed = list(pool.map(_python, [code] * 4))
    assert printed == [known_revisions()[-1]] * 4


def test_at_head_alembic_is_not_even_imported(database_url: str) -> None:
    code = (
        "import sys; from soullink.gateways.postgres.schema import migrate;"
        f" migrate({database_url!r}); print('alembic' in sys.modules)"
    )
    assert _python(code) == "False"


def test_a_database_of_a_newer_version_is_left_alone(empty_database_url: str) -> None:
    migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConflictError, match="revision 9999, made by a newer SoulLink"):
        migrate(empty_database_url)


def test_a_migration_that_cannot_be_made_leaves_nothing_behind(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE TABLE outbox (something_else int)")
    with pytest.raises(UnavailableError, match="could not be migrated") as caught:
        migrate(empty_database_url)
    assert "\n" not in str(caught.value)
    assert describe(empty_database_url)["revision"] is None


def test_a_database_describes_itself(empty_database_url: str) -> None:
    migrate(empty_database_url)
    description = describe(empty_database_url)
    assert description["server_version"].startswith("18.")
    assert description["pgvector_available"]
    assert description["pgvector_installed"] is None
    assert description["size_bytes"] > 1_000_000
    assert description["revision"] == description["newest_revision"] == known_revisions()[-1]
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE EXTENSION vector")
    assert describe(empty_database_url)["pgvector_installed"] == description["pgvector_available"]


def _python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()
