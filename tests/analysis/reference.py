"""Writes docs/reference/report.schema.json and the tables of docs/reference/report.md.

Run `python -m tests.analysis.reference` after a change of the report; a test compares both.
"""

import json
from pathlib import Path
from typing import Any

from soullink.modules.analysis.domain.document_schema import parts, schema

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
SCHEMA_FILE = FOLDER / "report.schema.json"
PAGE_FILE = FOLDER / "report.md"
BEGIN = "<!-- fields: begin (python -m tests.analysis.reference) -->"
END = "<!-- fields: end -->"


def schema_text() -> str:
    """Return the file of the schema."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def tables() -> str:
    """Return one table per part of the report, between the markers."""
    described = schema()
    sections = [_table(kind.__name__, described) for kind in parts()]
    return "\n".join([BEGIN, "", *sections, END])


def page_text(current: str) -> str:
    """Return the page `current` with its tables made anew."""
    head, _, rest = current.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + tables() + tail


def _table(name: str, described: dict[str, Any]) -> str:
    part = described if name == "Report" else described["$defs"][name]
    rows = [
        f"| `{field}` | {_kind(typed)} | {typed['description']} |"
        for field, typed in part["properties"].items()
    ]
    return "\n".join(
        (
            f"### {name}",
            f"\n{part['description']}\n",
            "| field | type | meaning |",
            "|---|---|---|",
            *rows,
            "",
        )
    )


def _kind(typed: dict[str, Any]) -> str:
    if "$ref" in typed:
        name = typed["$ref"].rsplit("/", maxsplit=1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in typed:
        return " or ".join(_kind(one) for one in typed["anyOf"])
    if "prefixItems" in typed:
        return "[" + ", ".join(_kind(one) for one in typed["prefixItems"]) + "]"
    if typed.get("type") == "array":
        return "list of " + _kind(typed["items"])
    if typed.get("type") == "object":
        return "object of " + _kind(typed["additionalProperties"])
    return str(typed.get("type", "any"))


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    PAGE_FILE.write_text(page_text(PAGE_FILE.read_text(encoding="utf-8")), encoding="utf-8")
