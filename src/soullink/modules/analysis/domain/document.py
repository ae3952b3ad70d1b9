"""A report as plain JSON data and back, and its digest."""

import dataclasses
import functools
import math
import numbers
import types
from collections.abc import Mapping
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from soullink.kernel.canonical import digest
from soullink.kernel.errors import InvalidInputError
from soullink.modules.analysis.api import Report

SCHEMA: Final = "soullink.report.v1"
"""What `Report.schema` says; a report of another schema is not loaded."""

DECIMALS: Final = 4

NOT_DIGESTED: Final = ("run_id", "digest", "wall")
"""What two runs of the same course may differ in."""


class InvalidReportError(InvalidInputError):
    """A document is not a report; the message names the field."""

    code = "invalid_report"


def to_document(report: Report) -> dict[str, Any]:
    """Return `report` as plain data in the order of its fields, mappings sorted by key.

    Floats are rounded to 4 decimals, tuples become lists. Raises ValueError where a number is
    not finite, TypeError where a value has no JSON form, InvalidReportError where it has not the
    type of its field.
    """
    # Reading what was written turns a whole number into the float that its field asks for, so
    # that 3 and 3.0 give one digest.
    typed = _read_dataclass(Report, _fields(report, "report"), "report")
    return _fields(typed, "report")


def digest_of(report: Report) -> str:
    """Return the SHA-256 over the document of `report` without run_id, digest and wall."""
    document = to_document(report)
    return digest({key: value for key, value in document.items() if key not in NOT_DIGESTED})


def with_digest(report: Report) -> Report:
    """Return `report` with its digest filled in."""
    return dataclasses.replace(report, digest=digest_of(report))


def load(document: Mapping[str, Any]) -> Report:
    """Return the report in `document`, as `to_document` or a JSON parser gives it.

    Raises InvalidReportError for another schema, a missing, unknown or ill-typed field.
    """
    found = document.get("schema")
    if found != SCHEMA:
        raise InvalidReportError(
            f"The document's schema is {found!r}, this version reads {SCHEMA!r}; "
            "write the report again from its run."
        )
    report: Report = _read_dataclass(Report, document, "report")
    return report


def _fields(value: Any, path: str) -> dict[str, Any]:
    return {
        field.name: _plain(getattr(value, field.name), f"{path}.{field.name}")
        for field in dataclasses.fields(value)
    }


def _plain(value: Any, path: str) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value, path)
    if isinstance(value, Mapping):
        return {str(key): _plain(value[key], f"{path}.{key}") for key in sorted(value)}
    if isinstance(value, tuple | list):
        return [_plain(part, f"{path}[{index}]") for index, part in enumerate(value)]
    return _plain_scalar(value, path)


def _plain_scalar(value: Any, path: str) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)  # also turns a StrEnum into its value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{path} is {number}, which JSON cannot say; use None for unknown.")
        return round(number, DECIMALS) + 0.0  # adding zero turns -0.0 into 0.0
    raise TypeError(f"{path} is a {type(value).__name__}, which has no JSON form.")


def _read(hint: Any, value: Any, path: str) -> Any:
    origin = get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return _read_dataclass(hint, value, path)
    if origin is tuple:
        return _read_tuple(get_args(hint), value, path)
    if origin is Mapping:
        return _read_mapping(get_args(hint), value, path)
    if origin in (Union, types.UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not types.NoneType]
        return None if value is None else _read(kinds[0], value, path)
    return _read_scalar(hint, value, path)


def _read_dataclass(kind: Any, value: Any, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise InvalidReportError(f"{path} must be an object.")
    hints = _hints(kind)
    names = list(hints)
    missing = [name for name in names if name not in value]
    unknown = sorted(str(name) for name in value if name not in names)
    if missing:
        raise InvalidReportError(f"{path} lacks the field {missing[0]!r}.")
    if unknown:
        raise InvalidReportError(f"{path} has an unknown field {unknown[0]!r}.")
    return kind(**{name: _read(hints[name], value[name], f"{path}.{name}") for name in names})


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read_tuple(kinds: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise InvalidReportError(f"{path} must be a list.")
    if kinds[-1] is not Ellipsis and len(value) != len(kinds):
        raise InvalidReportError(f"{path} must have {len(kinds)} entries, not {len(value)}.")
    per_entry = (kinds[0],) * len(value) if kinds[-1] is Ellipsis else kinds
    return tuple(
        _read(kind, part, f"{path}[{index}]")
        for index, (kind, part) in enumerate(zip(per_entry, value, strict=True))
    )


def _read_mapping(kinds: tuple[Any, ...], value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidReportError(f"{path} must be an object.")
    return {str(key): _read(kinds[1], part, f"{path}.{key}") for key, part in value.items()}


def _read_scalar(kind: Any, value: Any, path: str) -> Any:
    if kind is Any:
        return value
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise InvalidReportError(f"{path} must be one of {list(get_args(kind))}.")
        return value
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)  # JSON does not tell 3 from 3.0
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise InvalidReportError(f"{path} must be {_KIND_NAMES[kind]}.")


_KIND_NAMES: Final[dict[type, str]] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}
