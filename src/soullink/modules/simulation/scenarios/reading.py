"""Turns YAML and JSON text into plain data, and refuses what could hurt or confuse."""

from pathlib import Path
from typing import Any, Final

import yaml

from soullink.modules.simulation.api import InvalidScenarioError
from soullink.modules.simulation.scenarios.cursor import short

MAXIMUM_BYTES: Final = 256 * 1024
MAXIMUM_DEPTH: Final = 12
SUFFIXES: Final = (".yaml", ".yml", ".json")

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml reads ten times faster; the pure loader is there where PyYAML came without it."""


class _Loader(_Base):  # type: ignore[misc] # the base is chosen when imported
    """Plain data only; a key that is given twice is an error."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key is not a word", key.start_mark
                )
            if key.value in seen:
                problem = f"'{short(key.value)}' is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


def read_file(path: Path) -> Any:
    """Return the plain data in a YAML or JSON file. Raises InvalidScenarioError."""
    if path.suffix.lower() not in SUFFIXES:
        raise InvalidScenarioError(f"{path.name}: a scenario ends in .yaml, .yml or .json.")
    try:
        if not path.is_file():
            raise InvalidScenarioError(f"{path} is not a file; check the path.")
        if path.stat().st_size > MAXIMUM_BYTES:
            raise InvalidScenarioError(f"{path.name}: the file is larger than 256 KB; shorten it.")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidScenarioError(
            f"{path.name}: the file is not UTF-8; save it as UTF-8."
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidScenarioError(f"{path} cannot be read: {reason}.") from error
    return parse(text, path.name)


def parse(text: str, source: str) -> Any:
    """Return the plain data in YAML (or JSON, its subset). Raises InvalidScenarioError."""
    try:
        _check_shape(text, source)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader, made stricter)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}" if mark is not None else "somewhere"
        problem = error.problem or error.context or "it is not YAML"
        raise InvalidScenarioError(
            f"{source}: {line} is not plain YAML ({problem}); correct it."
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise InvalidScenarioError(
            f"{source}: the YAML cannot be read ({type(error).__name__}); simplify it."
        ) from error


def _check_shape(text: str, source: str) -> None:
    """Refuse aliases and deep nesting before libyaml builds them, whose stack can run out."""
    depth = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.AliasEvent):
            raise InvalidScenarioError(f"{source}: aliases like *name are not accepted; repeat it.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAXIMUM_DEPTH:
                raise InvalidScenarioError(f"{source}: it is nested too deeply; simplify it.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
