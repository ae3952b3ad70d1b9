"""What is wrong with a configuration, in words that say what to change."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol

from soullink.gateways.llm.routing.journey import ANY
from soullink.gateways.llm.routing.reactions import REACTIONS

MOST_TOLD: Final = 8
"""Who has more faults than that in a file does not want them all at once."""

FALLBACK_CODES: Final = (
    ANY,
    *sorted(code for code, reaction in REACTIONS.items() if reaction.fallback),
)
"""Error codes under which a route may name others."""

_CHAT_ONLY: Final = ("strategy", "fallbacks", "hedge_after_seconds", "affinity")
_CHAT_ONLY_DEPLOYMENT: Final = ("weight", "context_tokens")


class _Given(Protocol):
    """A part of the file that knows which of its settings were written down."""

    @property
    def model_fields_set(self) -> set[str]: ...


class _Route(_Given, Protocol):
    @property
    def kind(self) -> str: ...

    @property
    def strategy(self) -> str: ...

    @property
    def fallbacks(self) -> Mapping[str, Sequence[str]]: ...

    @property
    def deployments(self) -> Sequence[_Given]: ...


def told(faults: Sequence[str]) -> str:
    """Return `faults` as one text that ends in a period."""
    shown = list(faults[:MOST_TOLD])
    if len(faults) > MOST_TOLD:
        shown.append(f"and {len(faults) - MOST_TOLD} more")
    return "; ".join(shown) + "."


def in_words(error: Mapping[str, Any], known: Collection[str]) -> str:
    """Return one of pydantic's errors as "place: what is wrong". known: names of settings.

    The value is never in it: it may be a key that somebody put there.
    """
    *parents, last = error["loc"] or ("the file",)
    place = ".".join(str(part) for part in error["loc"]) or "the file"
    kind = error["type"]
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(last), known, n=1)
        hint = f", but {near[0]!r}" if near else ""
        where = ".".join(str(part) for part in parents) or "the file"
        return f"{where}: there is no setting {str(last)!r}{hint}"
    if kind == "missing":
        return f"{place}: is missing"
    if kind in {"dict_type", "model_type", "model_attributes_type"}:
        return f"{place}: must be a mapping (name: value)"
    if kind == "too_short":
        return f"{place}: must hold at least one"
    if kind == "string_pattern_mismatch":
        return f"{place}: must be US dollars, e.g. 0.15"
    message = str(error["msg"])
    return f"{place}: {message[:1].lower()}{message[1:]}".replace("input should be", "must be")


def faults_of_routes(routes: Mapping[str, _Route]) -> list[str]:
    """Return what no single field shows: names that do not fit, settings without effect."""
    faults = []
    for name, route in routes.items():
        place = f"routes.{name}"
        if not (name and name.isprintable() and name == name.strip()):
            faults.append(f"routes: {name!r} is no name that callers could write")
        if route.kind == "embedding":
            given = route.model_fields_set
            if route.strategy == "priority":  # which is how they are asked
                given = given - {"strategy"}
            idle: list[str] = [field for field in _CHAT_ONLY if field in given]
            for number, deployment in enumerate(route.deployments):
                fields = deployment.model_fields_set
                idle += [
                    f"deployments.{number}.{field}"
                    for field in _CHAT_ONLY_DEPLOYMENT
                    if field in fields
                ]
            faults += [
                f"{place}.{field}: has no effect on embeddings, which are asked for by priority"
                for field in idle
            ]
            continue
        for code, others in route.fallbacks.items():
            if code not in FALLBACK_CODES:
                faults.append(
                    f"{place}.fallbacks: there is no error {code!r} to fall back for; known are "
                    + ", ".join(FALLBACK_CODES)
                )
            for other in others:
                target = routes.get(other)
                if target is None:
                    faults.append(f"{place}.fallbacks names {other!r}, which is no route")
                elif target.kind != "chat" or other == name:
                    why = "is this route itself" if other == name else "is for embeddings"
                    faults.append(f"{place}.fallbacks names {other!r}, which {why}")
    return faults


def faults_of_names(
    routes: Collection[str], models: Collection[str], prices: Collection[str]
) -> list[str]:
    """Return which limits and prices would never be looked at."""
    faults = [
        f"models.{name}: is neither a route nor PROVIDER:MODEL"
        for name in models
        if name not in routes and ":" not in name
    ]
    faults += [
        f"prices.{name}: must be named PROVIDER:MODEL"
        for name in prices
        if not all(name.partition(":")[::2])
    ]
    return faults
