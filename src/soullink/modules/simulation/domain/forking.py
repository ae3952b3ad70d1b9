"""What a fork may change, and what all forks that lead to a run come to."""

from collections.abc import Iterable, Mapping, Sequence

from soullink.kernel.errors import InvalidInputError
from soullink.modules.simulation.api import ACTS, Act, Fork
from soullink.modules.simulation.domain.course import STATE_KEYS, Overrides

Changes = tuple[int, int, Mapping[str, str]]
"""(episode, turn, changes) of one fork."""


def check_changes(fork: Fork, people: Sequence[str]) -> None:
    """Check keys and values against the two ids `people`. Raises InvalidInputError."""
    if not fork.changes:
        raise InvalidInputError(f"Say what changes, e.g. --set {people[0]}.mood=0.5.")
    acts = [key for key in fork.changes if key.endswith(".act")]
    if len(acts) > 1:
        raise InvalidInputError("One turn has one speaker: set the act of one person only.")
    for key, value in fork.changes.items():
        person, _, name = key.rpartition(".")
        if person not in people or name not in (*STATE_KEYS, "act"):
            raise InvalidInputError(
                f"Cannot set {key!r}; set PERSON.KEY with PERSON one of {', '.join(people)} and "
                f"KEY one of act, {', '.join(STATE_KEYS)}."
            )
        if name != "act":
            _check_number(key, name, value)
        elif value not in list(ACTS):
            raise InvalidInputError(f"There is no act {value!r}; acts: {', '.join(ACTS)}.")


def _check_number(key: str, name: str, value: str) -> None:
    low = -1.0 if name == "mood" else 0.0
    try:
        number = float(value)
    except ValueError as error:
        raise InvalidInputError(f"{key} takes a number, not {value!r}.") from error
    if not low <= number <= 1.0:
        raise InvalidInputError(f"{key} lies between {low:g} and 1, not {value}.")


def overrides_of(forks: Iterable[Changes], people: Sequence[str]) -> Overrides:
    """Return what `forks`, oldest first, set before each turn; the later one wins.

    people: the two ids, whose positions the engine knows them by.
    """
    overrides: dict[tuple[int, int], dict[str, float]] = {}
    for episode, turn, changes in forks:
        place = overrides.setdefault((episode, turn), {})
        for key, value in changes.items():
            person, _, name = key.rpartition(".")
            if name == "act":  # one turn, one speaker: the earlier fork's act is off
                for number in (0, 1):
                    place.pop(f"{number}.act", None)
            set_to = float(ACTS.index(Act(value))) if name == "act" else float(value)
            place[f"{people.index(person)}.{name}"] = set_to
    return overrides
