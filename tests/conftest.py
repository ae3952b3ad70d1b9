"""What every test shares."""

import os
from pathlib import Path

import pytest

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
