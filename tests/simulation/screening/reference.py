"""Writes docs/reference/screen.md; run `python -m tests.simulation.screening.reference`."""

from pathlib import Path

from soullink.modules.simulation.screening.api import COLUMNS

PAGE_FILE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "screen.md"

HEAD = """\
# The file of a screening

Written by `python -m tests.simulation.screening.reference` from the columns themselves.

`soullink screen` writes one Parquet file with one row for each pair, sorted by the first person's
id, then the second's. Two people who stand on both sides are one pair, and the one whose id comes
first is its first. [How to screen](../how-to/screen-a-population.md) tells the rest.

## Columns

No value is ever missing. Each column's meaning also stands in the file, under `description`.

| column | type | meaning |
|---|---|---|
"""

TAIL = """
Who is unknown is drawn anew from the population in every replica, so the spread of
`satisfaction_first_q10` to `q90` holds both: what is not known of the two, and how differently it
can go between the same two. `together_se` and the interval are about counting replicas alone and
shrink with `--replicas`. Where a relationship ends, satisfaction is that at its end.

## Metadata

The file's metadata has one key, `soullink`: JSON that says how the file was made. The same
command goes on with an interrupted screening only if all of it is the same.

| key | meaning |
|---|---|
| `format` | `soullink.screening/1` |
| `soullink`, `dynamics` | Versions of the program and of the equations. |
| `engine` | The arithmetic: `numpy` or `numba`, on Ray or not. |
| `seed`, `replicas` | As given. |
| `scenarios`, `scenarios_digest` | Ids in order, and a SHA-256 over all that they say. |
| `people`, `against` | How many people on each side. |
| `people_digest`, `against_digest` | SHA-256 over their ids, traits and interests. |
| `pairs` | Rows. |
| `numbers` | Columns that an engine computes, in order. |

Nothing in the file depends on the hour, on the machine's cores or on how the work was cut: the same
command writes the same bytes with the same versions of SoulLink, NumPy, numba and pyarrow on the
same kind of processor.

## The draws

A pair's replicas are those that `simulate` would live of the same two with the same seed and
scenarios; a pair has the same numbers whoever else is screened. In replica number k a person is the
same towards everybody they meet.

## Files while it runs

`FILE.parquet.parts/` holds `manifest.json`, the metadata above; `part-START-STOP-CHECKSUM.bin`,
rows of `numbers` as little-endian float32 for the pairs START to STOP, which is left out; and a
lock. A part whose length or checksum is wrong is removed, and its pairs are lived again.
"""


def page_text() -> str:
    """Return the page."""
    rows = "".join(f"| `{c.name}` | {c.kind} | {c.meaning} |\n" for c in COLUMNS)
    return HEAD + rows + TAIL


if __name__ == "__main__":
    PAGE_FILE.write_text(page_text(), "utf-8")
