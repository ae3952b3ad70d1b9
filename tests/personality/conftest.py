"""What the tests of personality share: a day that stands still."""

from datetime import UTC, datetime

import pytest

from soullink.modules.personality.api import Personality
from soullink.modules.personality.wiring import build


class StillClock:
    def now(self) -> datetime:
        return datetime(2026, 6, 15, tzinfo=UTC)


@pytest.fixture(scope="session")
def personality() -> Personality:
    return build(StillClock())
