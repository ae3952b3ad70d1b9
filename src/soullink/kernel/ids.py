"""Typed identifiers. One NewType per thing, so that a RunId never passes as another's id."""

import os
import time
from typing import NewType
from uuid import UUID

RunId = NewType("RunId", UUID)
"""One lived course of two people, and everything recorded about it."""

PersonId = NewType("PersonId", str)
"""The key that the owner of a profile gave it, e.g. `ada`; unique within one import."""


def new_uuid7() -> UUID:
    """Return a new UUID version 7 (RFC 9562): milliseconds since 1970, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    bits = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    bits = (bits & ~(0xF << 76)) | (0x7 << 76)
    bits = (bits & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=bits)
