"""Builds the module."""

from pathlib import Path
from typing import Final

from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock
from soullink.modules.identity.api import Consents
from soullink.modules.identity.files import read_folder
from soullink.modules.identity.service import StoredConsents

TEXTS: Final = Path(__file__).parent / "consents"


def build(database: Database, clock: Clock, texts: Path = TEXTS) -> Consents:
    """Return the consents kept in `database`, over the texts in a folder.

    Raises InvalidConsentTextError.
    """
    return StoredConsents(database, clock, read_folder(texts))
