"""Writes the measured figures into the page: `python -m benchmarks.gateway.page`."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "gateway.json"
PAGE = ROOT / "docs" / "explanation" / "gateway.md"
BEGIN, END = "<!-- figures: made by a program -->\n", "<!-- figures: end -->"
NAMES = {
    "soullink": "**SoulLink**, everything on",
    "soullink_in_memory": "SoulLink, ledger in memory",
    "aiohttp": "aiohttp, bare",
    "httpx": "httpx, bare",
    "openai": "openai SDK",
    "litellm_router": "LiteLLM Router",
}
WIDTHS = (1, 32, 256)


def figures(document: dict[str, Any]) -> str:
    """Return the tables of one run."""
    values = {(r["subject"], r["metric"], r["in_flight"]): r["value"] for r in document["rows"]}

    def shown(subject: str, metric: str, width: int = 0, digits: int = 0) -> str:
        value = values.get((subject, metric, width))
        return "" if value is None else f"{value:,.{digits}f}"

    lines = [
        (
            f"{document['machine']}, Python {document['python']}, one run of `make bench-gateway`, "
            f"median of {document['rounds']} rounds of {document['seconds']:g} s. One server on "
            "loopback that answers at once; each client has a core to itself."
        ),
        "",
        (
            "| client | req/s at 1 | at 32 | at 256 | p50 / p99 ms at 256 | CPU µs a call at 256 | "
            "call cost after a burst | peak MB |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    for subject, name in NAMES.items():
        if (subject, "throughput", 256) not in values:
            continue
        p50, p99 = (values[subject, f"latency {p}", 256] / 1000 for p in ("p50", "p99"))
        cells = [
            name,
            *(shown(subject, "throughput", width) for width in WIDTHS),
            f"{p50:,.1f} / {p99:,.1f}",
            shown(subject, "CPU a call", 256),
            shown(subject, "call cost after a burst of 256", 1, 2) + " x",
            shown(subject, "peak memory", 256),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    over = [
        f"{shown('soullink', f'throughput over {peer}', 256, digits)} times {NAMES[peer]}"
        for peer, digits in (("litellm_router", 0), ("openai", 0), ("httpx", 0), ("aiohttp", 2))
        if ("soullink", f"throughput over {peer}", 256) in values
    ]
    lines += ["", f"At 256 in flight that is {', '.join(over)}.", ""]
    lines += ["| import | seconds | MB |", "|---|---|---|"]
    for subject, name in NAMES.items():
        if (subject, "import time", 0) in values:
            seconds, memory = (
                shown(subject, f"import {m}", 0, d) for m, d in (("time", 2), ("memory", 0))
            )
            lines.append(f"| {name.replace(', everything on', '')} | {seconds} | {memory} |")
    lines += [
        "",
        "| `soullink serve llm`, one process | at 1 | at 32 | at 256 |",
        "|---|---|---|---|",
    ]
    for metric, label in (
        ("throughput", "requests a second, with the client, the provider and PostgreSQL beside it"),
        ("throughput a core", "requests per second of its own processor time"),
        ("CPU a call", "CPU µs a request"),
    ):
        cells = [shown("soullink serve llm", metric, width) for width in WIDTHS]
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def with_figures(page: str, document: dict[str, Any]) -> str:
    """Return the page with the figures of `document` between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{figures(document)}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_figures(PAGE.read_text("utf-8"), json.loads(RESULTS.read_text())), "utf-8")
