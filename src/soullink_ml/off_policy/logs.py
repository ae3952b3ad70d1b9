"""Logs of shown lists, read from JSON lines.

One line is one list shown to one viewer, with equally long rows:
    {"viewer": "p1", "propensity": [...], "target": [...], "reward": [...],
     "predicted": [...], "target_predicted": 0.42}
propensity: the chance with which the logging ranker put this partner at this rank. target: the
chance with which the new ranker would. reward: 1 for a yes, else 0 (or any number). predicted and
target_predicted are for the doubly robust estimate, all lines or none: a model's expected reward
of each partner at its rank, and of the new ranker's whole list. viewer may be left out.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.errors import InvalidInputError

Rows = NDArray[np.float64]
_EACH = ("propensity", "target", "reward")
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Logs:
    """n lists of at most k ranks; shorter ones are filled with target and reward 0, propensity 1.

    propensity, target, reward, predicted: (n, k). ranks: (n,) how long each list was.
    target_predicted: (n,). Both predictions are None where there is no model. viewers: (n,) whole
    numbers, alike for lists of one person, whose rewards depend on each other.
    """

    propensity: Rows
    target: Rows
    reward: Rows
    ranks: Rows
    viewers: NDArray[np.int64]
    predicted: Rows | None = None
    target_predicted: Rows | None = None


def read_logs(lines: Iterable[str]) -> Logs:
    """Read JSON lines, blank ones left out; raises InvalidInputError that names the line."""
    read = [_line(number, text) for number, text in enumerate(lines, start=1) if text.strip()]
    if not read:
        raise InvalidInputError("the logs hold no list")
    modelled = {("predicted" in line, "target_predicted" in line) for line in read}
    if len(modelled) > 1 or modelled - {(True, True), (False, False)}:
        raise InvalidInputError(
            "predicted and target_predicted must stand in every line, or in none"
        )
    length = max(len(line["reward"]) for line in read)
    viewers: dict[Any, int] = {}
    for number, line in enumerate(read):
        viewers.setdefault(line.get("viewer", (number,)), len(viewers))
    has_model = modelled == {(True, True)}
    return Logs(
        propensity=_filled(read, "propensity", length, 1.0),
        target=_filled(read, "target", length, 0.0),
        reward=_filled(read, "reward", length, 0.0),
        ranks=np.array([float(len(line["reward"])) for line in read]),
        viewers=np.array(
            [viewers[line.get("viewer", (number,))] for number, line in enumerate(read)]
        ),
        predicted=_filled(read, "predicted", length, 0.0) if has_model else None,
        target_predicted=(
            np.array([line["target_predicted"] for line in read]) if has_model else None
        ),
    )


def _line(number: int, text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError as error:
        raise InvalidInputError(f"line {number} is not JSON") from error
    if not isinstance(line, dict):
        raise InvalidInputError(f"line {number} is not an object")
    for name in (*_EACH, *(("predicted",) if "predicted" in line else ())):
        _check_row(number, line, name)
    if "target_predicted" in line and not _is_number(line["target_predicted"]):
        raise InvalidInputError(f"line {number}: target_predicted must be a number")
    if not isinstance(line.get("viewer", ""), str):
        raise InvalidInputError(f"line {number}: viewer must be a text")
    for name in ("propensity", "target"):
        if not all(0.0 <= value <= 1.0 + _ROUNDING for value in line[name]):
            raise InvalidInputError(f"line {number}: {name} must hold chances between 0 and 1")
    if not all(value > 0.0 for value in line["propensity"]):
        raise InvalidInputError(f"line {number}: what was shown cannot have had the propensity 0")
    return line


def _check_row(number: int, line: dict[str, Any], name: str) -> None:
    row = line.get(name)
    if not isinstance(row, list) or not row or not all(map(_is_number, row)):
        raise InvalidInputError(f"line {number}: {name} must be a list of numbers")
    if len(row) != len(line["propensity"]):
        raise InvalidInputError(f"line {number}: {name} must be as long as propensity")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and bool(np.isfinite(value))


def _filled(lines: list[dict[str, Any]], name: str, length: int, rest: float) -> Rows:
    return np.array([[*line[name], *[rest] * (length - len(line[name]))] for line in lines])
