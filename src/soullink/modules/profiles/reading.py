"""Turns bytes of YAML, JSON and JSONL into plain data, and refuses what could hurt or confuse."""

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from soullink.modules.profiles.api import InvalidProfileError
from soullink.modules.profiles.domain import clean_line

MAXIMUM_BYTES = 2 * 1024 * 1024
MAXIMUM_DEPTH = 12
MAXIMUM_NODES = 20_000

YAML_SUFFIXES = (".yaml", ".yml")
JSON_SUFFIXES = (".json",)


def read_document(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML or JSON file. Raises InvalidProfileError."""
    suffix = path.suffix.lower()
    check_is_file(path)
    if suffix not in YAML_SUFFIXES + JSON_SUFFIXES:
        raise InvalidProfileError(f"{path.name}: a profile ends in .yaml, .yml or .json.")
    text = decode(read_bytes(path), path.name)
    if not text.strip():
        raise InvalidProfileError(f"{path.name}: the file is empty; write at least a name.")
    return parse_json(text, path.name) if suffix in JSON_SUFFIXES else parse_yaml(text, path.name)


def read_bytes(path: Path) -> bytes:
    """Return the content of a regular file of at most 2 MB. Raises InvalidProfileError."""
    try:
        check_is_file(path)
        if path.stat().st_size > MAXIMUM_BYTES:
            raise InvalidProfileError(f"{path.name}: the file is larger than 2 MB; shorten it.")
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error


def check_is_file(path: Path) -> None:
    """Raise InvalidProfileError unless `path` is an existing regular file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise InvalidProfileError(f"{path} does not exist; check the path.") from error
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:  # what Python says of a path with a NUL character
        raise InvalidProfileError(f"{clean_line(str(path))} is no path; check it.") from error
    if stat.S_ISDIR(mode):
        raise InvalidProfileError(f"{path} is a folder; name one file in it.")
    if not stat.S_ISREG(mode):
        raise InvalidProfileError(f"{path} is not a regular file; save the profile to one.")


def unreadable(path: Path, error: OSError) -> InvalidProfileError:
    """Return the error that says why `path` cannot be read."""
    return InvalidProfileError(f"{path} cannot be read: {error.strerror or error}.")


def decode(content: bytes, source: str, *, one_line: bool = False) -> str:
    """Return UTF-8 `content` as text, without a byte order mark. Raises InvalidProfileError.

    one_line: `source` names the line already.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = "it" if one_line else f"line {line}"
        raise InvalidProfileError(
            f"{source}: {what} is not UTF-8; save the file with the encoding UTF-8."
        ) from error


def parse_json(text: str, source: str, *, one_line: bool = False) -> dict[str, Any]:
    """Return the object in JSON `text`. Raises InvalidProfileError.

    one_line: `source` names the line already.
    """

    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise InvalidProfileError(f"{source}: '{_shown(key)}' is given twice; keep one.")
            found[key] = value
        return found

    def refuse_constant(name: str) -> None:
        raise InvalidProfileError(f"{source}: {name} is not a number; leave the field out.")

    try:
        data = json.loads(
            text, object_pairs_hook=without_duplicates, parse_constant=refuse_constant
        )
    except json.JSONDecodeError as error:
        what = "it" if one_line else f"line {error.lineno}"
        raise InvalidProfileError(
            f"{source}: {what} is not JSON ({error.msg}); correct it."
        ) from error
    except RecursionError as error:
        raise InvalidProfileError(f"{source}: the lists are nested too deeply.") from error
    except ValueError as error:
        raise InvalidProfileError(f"{source}: a number has too many digits.") from error
    return _mapping(data, source)


def parse_yaml(text: str, source: str) -> dict[str, Any]:
    """Return the mapping in YAML `text`. Raises InvalidProfileError.

    Only plain data is read: no tags, no anchors, no dates, and of the words only true, false
    and null mean something, so that a person can be called No.
    """
    try:
        data = yaml.load(text, Loader=_PlainLoader)  # noqa: S506 (a safe loader, made stricter)
    except yaml.MarkedYAMLError as error:
        raise InvalidProfileError(f"{source}: {_yaml_sentence(error)}") from error
    except yaml.YAMLError as error:
        raise InvalidProfileError(
            f"{source}: a character is not allowed in YAML; remove control characters."
        ) from error
    except (RecursionError, ValueError) as error:
        raise InvalidProfileError(
            f"{source}: the YAML cannot be read ({type(error).__name__}); simplify it."
        ) from error
    return _mapping(data, source)


def read_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (where, object) for each line of a JSONL file. Raises InvalidProfileError."""
    try:
        check_is_file(path)
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAXIMUM_BYTES + 1):
                number += 1
                where = f"{path.name}, line {number}"
                if len(line) > MAXIMUM_BYTES:
                    raise InvalidProfileError(f"{where}: the line is larger than 2 MB.")
                text = decode(line, where, one_line=True)
                if text.strip():
                    yield where, parse_json(text, where, one_line=True)
    except OSError as error:
        raise unreadable(path, error) from error


def write_yaml(document: dict[str, object]) -> str:
    """Return `document` as YAML that parse_yaml reads back to equal data."""
    return yaml.dump(
        document,
        Dumper=_PlainDumper,
        allow_unicode=True,
        sort_keys=False,
        width=96,
        default_flow_style=False,
    )


def _mapping(data: object, source: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidProfileError(f"{source}: a profile is a mapping such as 'name: Ada'.")
    return data


def _shown(key: str) -> str:
    return clean_line(key)[:60]


def _yaml_sentence(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    line = f"line {mark.line + 1}" if mark is not None else "somewhere"
    problem = error.problem or error.context or "it is not YAML"
    if "'\\t'" in problem:
        return f"{line} is indented with a tab; use spaces."
    return f"{line} is not plain YAML ({clean_line(problem)[:200]}); correct it."


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases, tags, dates and duplicate keys, and not deeply nested."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 (the base class's own design)
    _depth = 0
    _nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        start = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(
                None, None, "aliases like *name are not accepted", start
            )
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            raise yaml.composer.ComposerError(None, None, "it is nested too deeply", start)
        self._nodes += 1
        if self._nodes > MAXIMUM_NODES:  # reading on would take minutes
            raise yaml.composer.ComposerError(None, None, "it holds too many entries", start)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key is not a word", key_node.start_mark
                )
            key = str(key_node.value)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"'{_shown(key)}' is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_PATTERNS = (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?(?:0|[1-9][0-9]{0,17})$", list("-+0123456789")),
    ("float", r"^[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?$", list("-+0123456789")),
)


class _PlainDumper(yaml.SafeDumper):
    """Writes long texts as blocks, so that people can read and edit them."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (the base class's signature)
        return True


def _represent_text(dumper: _PlainDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_list(dumper: _PlainDumper, entries: list[Any]) -> yaml.SequenceNode:
    """Write answers on few lines instead of one each."""
    numbers = bool(entries) and all(isinstance(entry, int) for entry in entries)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", entries, flow_style=numbers)


def _prepare() -> None:
    for name, pattern, first in _PATTERNS:
        _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(pattern), first)
    _PlainDumper.add_representer(str, _represent_text)
    _PlainDumper.add_representer(list, _represent_list)


_prepare()
