"""What many runs have in common: people, personas and scenes, written and read once.

They are frozen, and courses of the same people through the same scenes share them, in memory too.
"""

from functools import lru_cache
from typing import Any, Final

import msgspec

from soullink.modules.personality.api import Persona
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import Scenario
from soullink.modules.simulation.domain.kept import Kept
from soullink.modules.simulation.scenarios import document as scenario_document

MOST: Final = 512
"""Documents of one kind kept at once."""

written: Final = Kept(lambda one: msgspec.Raw(msgspec.json.encode(one)), MOST)
"""A profile or a persona as JSON; the same bytes for the same object."""

scenario_written: Final = Kept(
    lambda one: msgspec.Raw(msgspec.json.encode(scenario_document.to_document(one))), MOST
)
"""A scenario as JSON; the same bytes for the same object."""


def as_kept(value: Any) -> Any:
    """Return plain JSON data as PostgreSQL's jsonb gives it back.

    Keys go by length in UTF-8, then by bytes, and there is no negative zero
    (https://www.postgresql.org/docs/18/datatype-json.html; `lengthCompareJsonbStringValue`).
    """
    if isinstance(value, dict):
        return {key: as_kept(value[key]) for key in sorted(value, key=_jsonb_order)}
    if isinstance(value, list):
        return [as_kept(one) for one in value]
    return value + 0.0 if isinstance(value, float) else value


def _jsonb_order(key: str) -> tuple[int, bytes]:
    encoded = key.encode()
    return len(encoded), encoded


def _kept_scenario(scenario: Scenario) -> Scenario:
    document = as_kept(msgspec.json.decode(scenario_written(scenario)))
    return scenario_document.from_document(document, "a recorded run")


# What reading a run gives that was written from these: equal, and with mappings in its order.
profile_as_read: Final = Kept(
    lambda one: msgspec.convert(as_kept(msgspec.json.decode(written(one))), Profile), MOST
)
persona_as_read: Final = Kept(
    lambda one: msgspec.convert(as_kept(msgspec.json.decode(written(one))), Persona), MOST
)
scenario_as_read: Final = Kept(_kept_scenario, MOST)


@lru_cache(maxsize=1024)
def people_of(text: str) -> tuple[Profile, Profile]:
    """Return the people in a run's JSON."""
    return msgspec.json.decode(text, type=tuple[Profile, Profile])


@lru_cache(maxsize=1024)
def personas_of(text: str) -> tuple[Persona, Persona]:
    """Return the personas in a run's JSON."""
    return msgspec.json.decode(text, type=tuple[Persona, Persona])


@lru_cache(maxsize=256)
def scenarios_of(text: str) -> tuple[Scenario, ...]:
    """Return the scenarios in a run's JSON."""
    documents = msgspec.json.decode(text)
    return tuple(scenario_document.from_document(one, "a recorded run") for one in documents)
