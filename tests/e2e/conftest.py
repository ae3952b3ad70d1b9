"""A server of its own for tests that kill it or those who use it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from soullink.gateways.postgres.embedded import EmbeddedPostgres


@pytest.fixture
def own_data_dir() -> Iterator[Path]:
    """A data folder that nothing else uses; what still runs there is stopped in the end."""
    parent = Path(tempfile.mkdtemp(prefix="soullink-e2e-"))
    yield parent / "data"
    EmbeddedPostgres(parent / "data").stop()
    shutil.rmtree(parent)
