"""Replicas made by hand: nothing happened unless a test says so."""

from typing import Any

import numpy as np

from soullink.modules.simulation.api import ACTS, STATE_VARIABLES, Act, Replicas

CALM = {"mood": 0.2, "arousal": 0.3, "stress": 0.2, "trust": 0.5, "closeness": 0.3,
        "commitment": 0.2}  # fmt: skip


def replicas(size: int = 1, episodes: int = 2, **changes: Any) -> Replicas:
    """Return `size` courses of `episodes` in which both are calm; changes: whole arrays."""
    shape = (size, 2)
    states = np.zeros((size, episodes + 1, 2, len(STATE_VARIABLES)))
    states[...] = [CALM[name] for name in STATE_VARIABLES]
    acts = np.zeros((size, 2, len(ACTS)), dtype=np.int64)
    acts[:, :, ACTS.index(Act.SMALL_TALK)] = 10
    per_person = {
        name: np.zeros(shape, dtype=np.int64)
        for name in (
            "positive", "negative", "repairs", "repairs_accepted", "pursue_withdraw", "answered",
            "disclosures", "misreads", "matched",
        )
    }  # fmt: skip
    fields: dict[str, Any] = {
        "people": ("ada", "ben"),
        "scenarios": tuple(f"scenario-{number}" for number in range(episodes)),
        "states": states,
        "days": np.tile(np.arange(episodes + 1.0) * 10, (size, 1)),
        "lived": np.ones((size, episodes), dtype=np.bool_),
        "ended": np.zeros(size, dtype=np.int64),
        "left_by": np.full(size, -1, dtype=np.int64),
        "turns": np.full((size, episodes, 2), 5, dtype=np.int64),
        "acts": acts,
        **per_person,
        "conflict_peak": np.full((size, episodes), 0.1),
        "success": np.zeros((size, episodes)),
        "outcomes": np.zeros((size, episodes), dtype=np.int64),
        "resolutions": np.zeros((size, episodes), dtype=np.int64),
        "satisfaction": np.full(shape, 0.5),
        "again": np.zeros(shape, dtype=np.bool_),
        "attraction": np.zeros(shape),
        "fun": np.zeros(shape),
        "perceived_similarity": np.full(shape, 0.5),
    }
    return Replicas(**{**fields, **changes})


def states(size: int, episodes: int, **values: Any) -> Any:
    """Return states in which the named variables hold `values`, broadcast to (R, E + 1, 2)."""
    out = replicas(size, episodes).states.copy()
    for name, value in values.items():
        out[..., STATE_VARIABLES.index(name)] = value
    return out
