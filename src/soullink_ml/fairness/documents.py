"""The audit as data: what `--json` prints and what is kept beside the documentation."""

import json
from dataclasses import fields
from typing import Any, Final

from soullink_ml.fairness.audit import Audit
from soullink_ml.fairness.rows import Row

SCHEMA: Final = "soullink.fairness.v1"


def as_json(audit: Audit) -> dict[str, Any]:
    """Return the audit as one object, rows last."""
    about = {one.name: getattr(audit, one.name) for one in fields(Audit) if one.name != "rows"}
    return {"schema": SCHEMA, **about, "rows": [row.as_json() for row in audit.rows]}


def compact(audit: Audit) -> str:
    """Return the audit as JSON text with names of columns once, a line for each row."""
    document = as_json(audit)
    rows = document.pop("rows")
    columns = [one.name for one in fields(Row)]
    lines = ",\n".join(json.dumps([row[name] for name in columns]) for row in rows)
    about = json.dumps({**document, "columns": columns}, indent=1)
    return f'{about.removesuffix("}").rstrip()},\n "rows": [\n{lines}\n]}}\n'


def of_json(document: dict[str, Any]) -> Audit:
    """Return the audit of an object that `as_json` or `compact` made."""
    if document.get("schema") != SCHEMA:
        raise ValueError(f"This is no document of the schema {SCHEMA}.")
    columns = document.get("columns")
    rows = document["rows"]
    if columns is not None:
        rows = [dict(zip(columns, row, strict=True)) for row in rows]
    own = {"schema", "rows", "columns"}
    about = {key: value for key, value in document.items() if key not in own}
    return Audit(rows=tuple(Row(**row) for row in rows), **about)
