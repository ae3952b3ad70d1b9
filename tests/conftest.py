"""What every test shares."""

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings

from soullink.gateways.postgres.database import Database, open_database
from soullink.gateways.postgres.embedded import EmbeddedPostgres
from soullink.gateways.postgres.schema import migrate

# The same examples in every run; SOULLINK_TEST_EXPLORE=1 looks for new ones.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("explore" if os.environ.get("SOULLINK_TEST_EXPLORE") else "fixed")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def data_samples() -> Path:
    """The folder of real data sets, which is not part of the project."""
    named = os.environ.get("SOULLINK_DATA_SAMPLES")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no data samples at {folder}; set SOULLINK_DATA_SAMPLES")
    return folder


# One server for all workers. The process that starts them names its folder (short, for the
# socket) and removes it when they have ended, killed ones included.
SERVER_FOLDER = "SOULLINK_TEST_SERVER_FOLDER"


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's background jobs ignore Ctrl-C, and hand that on to programs that they start.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        os.environ[SERVER_FOLDER] = tempfile.mkdtemp(prefix="soullink-tests-", dir="/tmp")


# Begun first, so that no worker is left with one of them when the others have ended.
LONGEST = (
    "tests/e2e/",
    "tests/simulation/test_population.py",
    "tests/simulation/calibration/test_service.py",
    "tests/gateways/llm/ledger/test_ten_thousand_calls.py",
    "tests/gateways/postgres/test_embedded",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ.pop(SERVER_FOLDER))
        EmbeddedPostgres(folder).stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The server's own database: for CREATE DATABASE, not for tables."""
    with EmbeddedPostgres(Path(os.environ[SERVER_FOLDER])) as url:
        with psycopg.connect(url, autocommit=True) as server:
            # What these tests commit need not outlive the machine; those of crashes have their own.
            server.execute("ALTER SYSTEM SET fsync = off")
            server.execute("SELECT pg_reload_conf()")
        yield url


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> str:
    """The name of a migrated database that nobody is connected to."""
    name = "migrated"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(1)")  # until the connection closes
        known = "SELECT 1 FROM pg_database WHERE datname = %s"
        if server.execute(known, [name]).fetchone() is None:
            server.execute("CREATE DATABASE migrating")
            migrate(postgres_url.replace("/soullink?", "/migrating?"))
            server.execute(f"ALTER DATABASE migrating RENAME TO {name}")
    return name


@pytest.fixture(scope="session")
def worker_database_url(postgres_url: str, migrated_template: str) -> str:
    """A migrated database of this worker; it goes with the server."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_template}")
    return postgres_url.replace("/soullink?", f"/{name}?")


# Most tables are empty most of the time, and to truncate one makes new files.
EMPTY_ALL_TABLES = """
DO $$
DECLARE
    name text;
    filled boolean;
    to_empty text[] := '{}';
BEGIN
    FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO filled;
        IF filled THEN
            to_empty := to_empty || format('%I', name);
        END IF;
    END LOOP;
    IF to_empty <> '{}' THEN
        EXECUTE 'TRUNCATE ' || array_to_string(to_empty, ', ') || ' CASCADE';
    END IF;
    FOR name IN SELECT sequencename FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL
    LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', name);
    END LOOP;
END $$
"""
GO = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Janitor:
    """Empties a database with one connection, opened again when a test has cut it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = psycopg.connect(url, autocommit=True)

    def clean(self) -> None:
        try:
            self.connection.execute(GO)
        except psycopg.OperationalError:
            self.connection.close()
            self.connection = psycopg.connect(self.url, autocommit=True)
            self.connection.execute(GO)
        self.connection.execute(EMPTY_ALL_TABLES)


@pytest.fixture(scope="session")
def janitor(worker_database_url: str) -> Iterator[Janitor]:
    found = Janitor(worker_database_url)
    yield found
    found.connection.close()


@pytest.fixture
def database_url(worker_database_url: str, janitor: Janitor) -> str:
    """A migrated database with empty tables and nobody at work in it; work really commits.

    Tests that change its tables' shape take `empty_database_url` and `migrate`.
    """
    janitor.clean()
    return worker_database_url


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database with nothing in it, not even migrated, for one test."""
    name = f"empty_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield postgres_url.replace("/soullink?", f"/{name}?")
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(database_url)
    yield opened
    await opened.close()
