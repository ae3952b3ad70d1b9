"""JSON in answers: read, mended where it is broken, held against its schema."""

import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from soullink.gateways.llm.port import FixedSchema, LlmRequestError
from soullink.gateways.llm.response.plain_schema import plain_check

LONGEST: Final = 64_000
"""Characters of a broken answer that are mended; mending so many takes about 0.1 s."""

_KEPT: Final = 256
"""How many schemas stay compiled, and how many places of one are walked at a time."""

_RISKY: Final = re.compile(r"\)[*+?{]|\\[1-9]|\(\?[^:]")
_OPEN_ENDED: Final = re.compile(r"[*+]|\{\d*,\d*\}")
_DATA: Final = frozenset({"enum", "const", "default", "examples"})
_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic", enc_hook=dict)


class UnreadableError(ValueError):
    """The text is not JSON and cannot be made so."""


def read(text: str) -> Any:
    """Return the value of valid JSON (RFC 8259). Raises UnreadableError."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass  # half a surrogate pair and 1e999 are valid, yet nothing that msgspec reads
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("it is not JSON") from error


def mended(text: str) -> Any:
    """Return what broken JSON most likely means: fences, chatter, quotes, commas, cut-off ends.

    Raises UnreadableError where nothing like JSON is in it, or it is longer than LONGEST.
    """
    import json_repair  # noqa: PLC0415 - 25 ms, needed once something is broken

    if len(text) > LONGEST:
        raise UnreadableError("it is not JSON and too long to mend")
    _, thought, rest = text.rpartition("</think>")
    try:
        value = json_repair.loads(rest if thought else text)
    except (ValueError, RecursionError, IndexError) as error:
        raise UnreadableError("it is not JSON and cannot be mended") from error
    if value == "":
        raise UnreadableError("there is no JSON in it")
    return value


def written(value: Any) -> str:
    """Return `value` as JSON text that can be sent. Raises UnreadableError for infinite numbers."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("it holds numbers that JSON cannot write") from error
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, from an emoji that was cut
        return json.dumps(value)
    return text


class Schemas:
    """Compiled schemas, least recently used out first; the same content is compiled once."""

    def __init__(self) -> None:
        self._compiled: OrderedDict[bytes, _Compiled] = OrderedDict()
        self._last: tuple[Mapping[str, Any], _Compiled] | None = None

    def fault(self, schema: Mapping[str, Any], value: Any) -> str | None:
        """Return where `value` breaks `schema`, e.g. "/act (enum)", None where it does not.

        No words of the answer are in it. References outside the schema are not fetched, and
        patterns that may take forever are not checked. Raises LlmRequestError for a schema that
        is none.
        """
        compiled = self._compiled_of(schema)
        if compiled.holds is not None and compiled.holds(value):
            return None
        validator = compiled.validator()
        try:
            if validator.is_valid(value):
                return None
            error = next(validator.iter_errors(value))
        except RecursionError:
            return "/ (too deep)"
        except Exception as caught:  # the type is private to the library: an unknown reference
            if type(caught).__name__ == "_WrappedReferencingError":
                raise LlmRequestError(
                    "The json_schema refers to something that is not in it."
                ) from caught
            raise
        return (
            "/"
            + "/".join(str(part)[:40] for part in error.absolute_path)
            + (f" ({error.validator})")
        )

    def _compiled_of(self, schema: Mapping[str, Any]) -> "_Compiled":
        if self._last is not None and schema is self._last[0]:
            return self._last[1]
        try:
            key = _ENCODER.encode(schema)
        except (TypeError, ValueError, OverflowError) as error:
            raise LlmRequestError(f"The json_schema cannot be written down: {error}.") from error
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = _Compiled(msgspec.msgpack.decode(key))
            if len(self._compiled) >= _KEPT:
                self._compiled.popitem(last=False)
            self._compiled[key] = compiled
        else:
            self._compiled.move_to_end(key)
        if isinstance(schema, FixedSchema):
            self._last = (schema, compiled)
        return compiled


class _Compiled:
    """A schema as it is held against values.

    holds: tells at once of a value that surely follows it, where the schema is of the plain kind.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self.holds = plain_check(schema)
        self._schema = schema
        self._validator: Any = None
        if self.holds is None:
            self.validator()

    def validator(self) -> Any:
        """Return the library's validator, which takes thirty times as long and knows all kinds."""
        if self._validator is None:
            self._validator = _compile(self._schema)
        return self._validator


def _compile(schema: dict[str, Any]) -> Any:
    import jsonschema  # noqa: PLC0415 - 70 ms, needed once a schema is
    import referencing  # noqa: PLC0415 - comes with jsonschema

    try:
        kind = jsonschema.validators.validator_for(
            schema, default=jsonschema.validators.Draft202012Validator
        )
        kind.check_schema(schema)
    except (jsonschema.SchemaError, RecursionError, TypeError) as error:
        reason = getattr(error, "message", "it is nested too deep")
        raise LlmRequestError(f"The json_schema is no JSON Schema: {reason}.") from error
    # An empty registry: by default the library fetches unknown references over the network.
    return kind(_checkable(schema), registry=referencing.Registry())


def _checkable(schema: Any) -> Any:
    """Return `schema` without patterns that a regular expression engine may take forever over."""
    if isinstance(schema, list):
        return [_checkable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        name: part if name in _DATA else _checkable(part)
        for name, part in schema.items()
        if not (name == "pattern" and isinstance(part, str) and not _is_plain(part))
    }
    by_pattern = schema.get("patternProperties")
    if isinstance(by_pattern, dict) and not all(map(_is_plain, by_pattern)):
        kept.pop("patternProperties")
        kept.pop("additionalProperties", None)
    return kept


def _is_plain(pattern: str) -> bool:
    """Tell whether matching takes at most quadratic time: nothing nested, little open-ended."""
    if len(pattern) > 200 or _RISKY.search(pattern):
        return False
    return len(_OPEN_ENDED.findall(pattern)) <= (2 if pattern.startswith("^") else 1)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
