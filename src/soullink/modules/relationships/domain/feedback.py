"""What of an answer may go to training, and under which name."""

import hashlib
import hmac
from datetime import datetime

from soullink.modules.relationships.api import Phase

SALT_BYTES = 32
_DIGITS = 32


def name_under(salt: bytes, of: str) -> str:
    """Return a name that only who has the salt can tell from another (HMAC-SHA256, 128 bits)."""
    return hmac.new(salt, of.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def phase_of(answered_at: datetime, met_at: datetime | None) -> Phase:
    """Return whether something was answered before the two met.

    An answer of the very moment counts as after: what may have been known afterwards is never a
    feature.
    """
    return "before_meeting" if met_at is None or answered_at < met_at else "after_meeting"
