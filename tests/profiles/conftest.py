"""What the tests of profiles share: a day that stands still."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from soullink.modules.profiles.api import Profiles
from soullink.modules.profiles.wiring import build


class StillClock:
    def now(self) -> datetime:
        return datetime(2026, 6, 15, tzinfo=UTC)


@pytest.fixture(scope="session")
def profiles() -> Profiles:
    return build(StillClock())


@pytest.fixture
def written(tmp_path: Path):
    """Write a file and return its path."""

    def write(content: str | bytes, name: str = "ada.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
