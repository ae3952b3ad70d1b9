"""Composes new scenarios for two people by rule, and chooses what a course lives through.

Every draw hashes the seed, a label and the two people in an order of their own, so that the same
scenario comes out whichever of them is named first.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from soullink.kernel.canonical import canonical_json, digest
from soullink.kernel.language import LANGUAGES
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import (
    DEMANDS,
    Document,
    InvalidScenarioError,
    Scenario,
    ScenarioNotFoundError,
    Stage,
)
from soullink.modules.simulation.scenarios.blocks import (
    Block,
    blocks,
    facts,
    places_for,
    tensions_for,
)
from soullink.modules.simulation.scenarios.document import from_document

T = TypeVar("T")

_CHOICES: Final = 3
"""Choices that a composed parameter offers."""

_REPLY_LENGTH: Final = 100_000
_TURNS: Final[Mapping[Stage, tuple[int, int]]] = {
    Stage.FIRST_MEETING: (8, 18),
    Stage.EARLY_DATING: (10, 20),
    Stage.COMMITTED: (10, 20),
    Stage.CRISIS: (11, 22),
    Stage.LONG_DISTANCE: (10, 20),
    Stage.FAMILY: (10, 22),
}
_GAP_DAYS: Final[Mapping[Stage, tuple[int, int]]] = {
    Stage.FIRST_MEETING: (2, 7),
    Stage.EARLY_DATING: (3, 14),
    Stage.COMMITTED: (7, 35),
    Stage.CRISIS: (3, 14),
    Stage.LONG_DISTANCE: (7, 28),
    Stage.FAMILY: (14, 50),
}
_DEMANDS: Final[Mapping[Stage, tuple[float, ...]]] = {
    # threat, closeness, autonomy, cooperation, play, novelty
    Stage.FIRST_MEETING: (0.2, 0.25, 0.2, 0.3, 0.35, 0.45),
    Stage.EARLY_DATING: (0.25, 0.4, 0.3, 0.35, 0.35, 0.3),
    Stage.COMMITTED: (0.3, 0.35, 0.35, 0.5, 0.2, 0.15),
    Stage.CRISIS: (0.6, 0.5, 0.35, 0.4, 0.0, 0.15),
    Stage.LONG_DISTANCE: (0.35, 0.55, 0.35, 0.45, 0.2, 0.2),
    Stage.FAMILY: (0.35, 0.4, 0.4, 0.55, 0.15, 0.2),
}
_ACTS: Final[Mapping[Stage, Mapping[str, float]]] = {
    Stage.FIRST_MEETING: {
        "affection": -1.5,
        "belittle": -1.4,
        "forgive": -1.0,
        "promise": -0.5,
        "ask": 0.4,
        "small_talk": 0.4,
    },
    Stage.EARLY_DATING: {"belittle": -1.0, "affection": -0.2, "leave": -0.3},
    Stage.COMMITTED: {"belittle": -0.6, "greet": -0.2, "leave": -0.5},
    Stage.CRISIS: {"complain": 0.5, "criticise": 0.3, "small_talk": -0.8, "tease": -0.8},
    Stage.LONG_DISTANCE: {"belittle": -0.8, "affection": 0.2, "leave": -0.3},
    Stage.FAMILY: {"belittle": -0.6, "plan": 0.3, "leave": -0.4},
}


def compose(people: tuple[Profile, Profile], stage: Stage, seed: int) -> Scenario:
    """Return a new scenario for these two at `stage`; the same for both orders of `people`.

    It says origin "composed" and has an id of its own content.
    """
    ordered = _ordered(people)
    key = ["compose", seed, stage.value, ordered[0].id, ordered[1].id]
    fitting = [
        (tension, found)
        for tension in tensions_for(stage)
        if (found := facts(tension, ordered)) is not None
    ]
    # What the two profiles say comes first; the general situations are for people who say little.
    own = [pair for pair in fitting if pair[0]["needs"] != "nothing"]
    tension, found = _pick(own if len(own) > 1 else fitting, [*key, "tension"])
    first, second = _pick(found, [*key, "facts"])
    place = _pick(places_for(stage), [*key, "place"])
    document = _filled(_assembled(stage, tension, place, key), {"<<a>>": first, "<<b>>": second})
    return _identified(document, "composed", "a composed scenario")


def parse_model_scenario(text: str, stage: Stage) -> Scenario:
    """Return the scenario in a model's reply, of origin "model".

    Slightly broken JSON is repaired; the content passes the same reader as every scenario.
    Raises InvalidScenarioError.
    """
    source = "the model's scenario"
    if len(text) > _REPLY_LENGTH:
        raise InvalidScenarioError(f"{source}: is longer than {_REPLY_LENGTH} characters.")
    import json_repair  # noqa: PLC0415 - 25 ms, needed once a model composes

    try:
        found = json_repair.loads(text)
    except (RecursionError, ValueError) as error:
        raise InvalidScenarioError(f"{source}: cannot be read as JSON.") from error
    if not isinstance(found, dict):
        raise InvalidScenarioError(f"{source}: must be one JSON object.")
    document = {key: value for key, value in found.items() if key != "$schema"}
    document.update(version=1, stage=stage.value)
    return _identified(document, "model", source)


def choose(
    people: tuple[Profile, Profile],
    count: int,
    seed: int,
    available: Sequence[Scenario],
    path: Sequence[Stage] | None = None,
) -> tuple[str, ...]:
    """Return the ids of the scenarios that a course of `count` episodes lives through.

    They follow a plausible arc from a first meeting on, or `path` where given (repeated to
    `count`). None comes twice before all of its stage were used. Both orders of `people` give
    the same. Raises ScenarioNotFoundError when nothing is available.
    """
    if count > 0 and not available:
        raise ScenarioNotFoundError("There is no scenario to choose from; give at least one.")
    ordered = _ordered(people)
    key: list[Any] = ["choose", seed, ordered[0].id, ordered[1].id]
    stages = _arc(ordered, count, key) if not path else [path[i % len(path)] for i in range(count)]
    used: list[str] = []
    for number, stage in enumerate(stages):
        of_stage = [scenario.id for scenario in available if scenario.stage == stage]
        candidates = of_stage or [scenario.id for scenario in available]
        uses = {name: used.count(name) for name in candidates}
        fewest = min(uses.values())
        fresh = sorted(name for name in uses if uses[name] == fewest)
        used.append(_pick(fresh, [*key, "scenario", number]))
    return tuple(used)


def _arc(people: tuple[Profile, Profile], count: int, key: list[Any]) -> list[Stage]:
    """Return the stages of a course: they meet, they date, then life comes."""
    cities = {person.city.casefold() for person in people if person.city}
    children = {person.wants.children for person in people} - {None, "does_not_want"}
    strain = [Stage.CRISIS, Stage.CRISIS, Stage.LONG_DISTANCE, Stage.FAMILY]
    strain += [Stage.LONG_DISTANCE] * 2 if len(cities) == 2 else []
    strain += [Stage.FAMILY] if children else []
    settled = [Stage.COMMITTED, Stage.COMMITTED, Stage.FAMILY]
    stages = [Stage.FIRST_MEETING, Stage.EARLY_DATING]
    for number in range(2, count):
        if number == 2:
            options = [Stage.EARLY_DATING, Stage.COMMITTED]
        else:
            options = strain if number % 2 else settled
            options = [stage for stage in options if stage != stages[-1]]
        stages.append(_pick(options, [*key, "stage", number]))
    return stages[: max(count, 0)]


def _assembled(stage: Stage, tension: Block, place: Block, key: list[Any]) -> Document:
    turns = _TURNS[stage]
    base = dict(zip(DEMANDS, _DEMANDS[stage], strict=True))
    demands = {
        name: round(min(1.0, max(0.0, base[name] + _of(tension, name) + _of(place, name))), 3)
        for name in DEMANDS
    }
    acts = dict(_ACTS[stage])
    for name, odds in tension["acts"].items():
        acts[name] = round(acts.get(name, 0.0) + odds, 3)
    document: Document = {
        "stage": stage.value,
        "topic": tension["topic"],
        "version": 1,
        "title": tension["title"],
        "setting": {
            language: (" " if language == "en" else "").join(
                (place["setting"][language], tension["setting"][language])
            )
            for language in LANGUAGES
        },
        "turns": list(turns),
        "minutes": 30 + 15 * _number([*key, "minutes"], 5),
        "gap_days": list(_GAP_DAYS[stage]),
        "demands": demands,
        "pressures": tension["pressures"],
        "parameters": [
            {"name": "hour", "choices": _drawn(blocks().hours, [*key, "hour"])},
            {"name": "occasion", "choices": _drawn(blocks().occasions, [*key, "occasion"])},
        ],
        "goals": tension["goals"],
        "acts": acts,
        "triggers": [place["trigger"], *tension["triggers"]],
        "outcomes": tension["outcomes"],
        "words": {**place["words"], **tension["words"], "memory": _memories(tension, place)},
    }
    if tension["decision"] is not None:
        late = turns[1] - 4 - _number([*key, "deadline"], 3)
        document["decision"] = {**tension["decision"], "deadline_turn": late}
    return document


def _memories(tension: Block, place: Block) -> dict[str, list[str]]:
    return {
        language: [*place["words"]["memory"][language], *tension["words"]["memory"][language]]
        for language in LANGUAGES
    }


def _of(block: Block, name: str) -> float:
    return float(block["demands"].get(name, 0.0))


def _filled(value: Any, slots: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for slot, phrase in slots.items():
            value = value.replace(slot, phrase)
        return value
    if isinstance(value, Mapping):
        return {name: _filled(entry, slots) for name, entry in value.items()}
    return [_filled(entry, slots) for entry in value] if isinstance(value, list | tuple) else value


def _identified(document: Document, origin: str, source: str) -> Scenario:
    content = {name: value for name, value in document.items() if name not in ("id", "origin")}
    try:
        short_hash = digest(content)[:10]
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidScenarioError(f"{source}: has a value that is no plain data.") from error
    return from_document({**content, "id": f"{origin}-{short_hash}", "origin": origin}, source)


def _ordered(people: tuple[Profile, Profile]) -> tuple[Profile, Profile]:
    first, second = sorted(people, key=lambda p: (p.id, p.name, p.interests, p.city or ""))
    return first, second


def _drawn(options: Sequence[Block], key: list[Any]) -> list[Block]:
    """Return some of `options`, in their order."""
    ranked = sorted(range(len(options)), key=lambda i: _number([*key, i], 1 << 30))
    return [options[position] for position in sorted(ranked[:_CHOICES])]


def _pick(options: Sequence[T], key: list[Any]) -> T:
    return options[_number(key, len(options))]


def _number(key: list[Any], below: int) -> int:
    """Return a whole number from 0 to `below` - 1 that depends on `key` alone."""
    # SHA-256 rather than hash(): the same on every machine and in every process.
    return int.from_bytes(hashlib.sha256(canonical_json(key)).digest()[:8]) % below
