"""Data folders for servers of our own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from soullink.gateways.postgres.embedded import EmbeddedPostgres
from soullink.gateways.postgres.schema import migrate


@pytest.fixture
def empty_dir() -> Iterator[Path]:
    """A data folder that is not there yet, in a closed folder as /root is one."""
    parent = Path(tempfile.mkdtemp(prefix="soullink-empty-"))
    yield parent / "data"
    assert EmbeddedPostgres(parent / "data").stop()
    shutil.rmtree(parent)


@pytest.fixture(scope="session")
def made_once() -> Iterator[Path]:
    """A data folder for many tests: to make one costs much more than to recover it."""
    parent = Path(tempfile.mkdtemp(prefix="soullink-made-"))
    with EmbeddedPostgres(parent / "data") as url:
        migrate(url)
    yield parent / "data"
    shutil.rmtree(parent)


@pytest.fixture
def data_dir(made_once: Path) -> Iterator[Path]:
    """A data folder with an empty outbox, whose server is stopped."""
    with EmbeddedPostgres(made_once) as url, psycopg.connect(url) as connection:
        connection.execute("TRUNCATE outbox")
    yield made_once
    assert EmbeddedPostgres(made_once).stop()
