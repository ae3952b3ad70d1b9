"""Builds the profiles module."""

from soullink.kernel.clock import Clock, SystemClock
from soullink.modules.profiles.api import Profiles
from soullink.modules.profiles.service import FileProfiles


def build(clock: Clock | None = None) -> Profiles:
    """Return profiles in files; `clock` is the machine's unless given."""
    return FileProfiles(clock or SystemClock())
