"""Builds the profiles module."""

from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock, SystemClock
from soullink.modules.profiles.api import Members, Profiles
from soullink.modules.profiles.members import StoredMembers
from soullink.modules.profiles.service import FileProfiles


def build(clock: Clock | None = None) -> Profiles:
    """Return profiles in files; `clock` is the machine's unless given."""
    return FileProfiles(clock or SystemClock())


def build_members(database: Database, clock: Clock | None = None) -> Members:
    """Return the people who have joined, in `database`; `clock` is the machine's unless given."""
    used = clock or SystemClock()
    return StoredMembers(database, used, FileProfiles(used))
