"""The audit as data: what `--json` prints and what is kept beside the documentation."""

from dataclasses import fields
from typing import Any, Final

from soullink_ml.fairness.audit import Audit
from soullink_ml.fairness.rows import Row

SCHEMA: Final = "soullink.fairness.v1"


def as_json(audit: Audit) -> dict[str, Any]:
    """Return the audit as one object, rows last."""
    about = {one.name: getattr(audit, one.name) for one in fields(Audit) if one.name != "rows"}
    return {"schema": SCHEMA, **about, "rows": [row.as_json() for row in audit.rows]}


def of_json(document: dict[str, Any]) -> Audit:
    """Return the audit of an object that `as_json` made."""
    if document.get("schema") != SCHEMA:
        raise ValueError(f"This is no document of the schema {SCHEMA}.")
    about = {key: value for key, value in document.items() if key not in {"schema", "rows"}}
    return Audit(rows=tuple(Row(**row) for row in document["rows"]), **about)
