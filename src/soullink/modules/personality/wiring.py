"""Builds the personality module."""

from soullink.kernel.clock import Clock, SystemClock
from soullink.modules.personality.api import Personality
from soullink.modules.personality.service import NormedPersonality


def build(clock: Clock | None = None) -> Personality:
    """Return personality by published norms; `clock` is the machine's unless given."""
    return NormedPersonality(clock or SystemClock())
