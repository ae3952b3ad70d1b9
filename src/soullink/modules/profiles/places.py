"""Finds the grid cell of a city by its name."""

import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from soullink.modules.profiles.api import Cell, cell_of_text

_TABLE: Final = "places.tsv"
"""Cities of 100,000 people and more, largest first: cell, then names in Latin and Han script.

Made from GeoNames (geonames.org, CC BY 4.0). Of two cities of one name the larger is meant.
"""


def cell_of_city(city: str) -> Cell | None:
    """Return the cell of `city`, e.g. "Rotterdam" or "成都市", or None when it is not known.

    What follows a comma ("Leeds, England") is left out of account.
    """
    name = city.partition(",")[0].partition("，")[0]
    return _cells().get(_folded(name))


@cache
def _cells() -> Mapping[str, Cell]:
    table = files(__package__).joinpath(_TABLE).read_text(encoding="utf-8")
    found: dict[str, Cell] = {}
    for line in table.splitlines():
        cell, *names = line.split("\t")
        for name in names:
            found.setdefault(name, cell_of_text(cell))
    return found


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(letters.replace("'", " ").replace("-", " ").split())
