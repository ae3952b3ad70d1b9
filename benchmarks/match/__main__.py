"""Measures matching at a million people: `make bench-match`, about ten minutes on two quiet cores.

Writes benchmarks/results/match.json and the tables in docs/explanation/matching.md: the best twenty
candidates, the equilibrium of a large market, and stores of vectors beside each other.
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.match import candidates, equilibrium, marginals, page, vectors
from benchmarks.match.marginals import Marginals
from soullink.bootstrap import log_to_stderr

OKCUPID: Final = Path("../shared/data/okcupid/profiles_revised.csv.zip")


def main() -> int:
    """Run every part, or those that are named, and write what they came to."""
    reader = argparse.ArgumentParser(prog="python -m benchmarks.match", description=__doc__)
    reader.add_argument(
        "--okcupid",
        type=Path,
        default=OKCUPID if OKCUPID.exists() else None,
        help="profiles_revised.csv or its zip; the counts that are kept here when left out",
    )
    reader.add_argument(
        "--only", choices=("candidates", "equilibrium", "vectors"), help="one part; writes nothing"
    )
    asked = reader.parse_args()
    begun, rows = time.perf_counter(), []
    load = os.getloadavg()[0]
    log_to_stderr()
    counts = marginals.shipped() if asked.okcupid is None else marginals.count(asked.okcupid)
    parts: dict[str, Any] = {
        "candidates": lambda: candidates.main(rows, counts),
        "equilibrium": lambda: equilibrium.main(rows),
        "vectors": lambda: vectors.main(rows),
    }
    for name, measure in parts.items():
        if asked.only in (None, name):
            measure()
    document = {
        "machine": f"{os.cpu_count()} cores of {platform.machine()}, {platform.system()}",
        "python": platform.python_version(),
        "load_before": round(load, 2),
        "marginals": _marginals(asked.okcupid, counts),
        "seconds": round(time.perf_counter() - begun, 1),
        "rows": rows,
    }
    if asked.only is not None:
        print(json.dumps(document, indent=1, ensure_ascii=False))
        return 0
    page.RESULTS.write_text(
        json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    page.write(document)
    print(f"wrote {page.RESULTS.name} and the tables of {page.PAGE.name}")
    return 0


def _marginals(okcupid: Path | None, counts: Marginals) -> str:
    """Tell where the counts come from, and whether those that are kept are still the file's."""
    if okcupid is None:
        return "as kept"
    same = counts == marginals.shipped()
    return "counted anew, as kept" if same else "counted anew, not as kept"


if __name__ == "__main__":
    sys.exit(main())
