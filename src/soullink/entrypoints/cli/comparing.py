"""Comparing ways to rank: from logs of one of them, and on a market with a published table."""

import sys
from dataclasses import asdict
from pathlib import Path

from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.output import print_json, stdout, table
from soullink.kernel.errors import InvalidInputError, NotFoundError
from soullink_ml.markets.synthetic import synthetic_market
from soullink_ml.markets.synthetic import table as market_rows
from soullink_ml.off_policy.estimate import Evaluation, evaluate
from soullink_ml.off_policy.logs import read_logs

STDIN = Path("-")


def compare(invocation: Invocation, logs: Path, as_json: bool) -> None:
    """Estimate a new ranker from the logs of an old one, and print both."""
    found = evaluate(read_logs(_lines(logs)))
    if as_json:
        print_json(asdict(found))
        return
    console = stdout(invocation)
    console.print(_shown(found))
    console.print(
        f"{found.lists:,} lists of {found.viewers:,} viewers count as "
        f"{found.effective_lists:,.0f} for the new ranker; the logs cover "
        f"{found.covered:.0%} of it."
    )


def market(invocation: Invocation, seed: int, as_json: bool) -> None:
    """Print expected matches and envy of every method on one synthetic market."""
    found = market_rows(seed)
    if as_json:
        print_json([asdict(row) for row in found])
        return
    left, right = synthetic_market(seed=seed).allowed.shape
    shown = table(
        "method",
        ">matches",
        ">published",
        ">envious pairs",
        ">published",
        ">Gini left",
        ">right",
        title=f"{left} x {right} people, seed {seed}, examination 1/rank",
    )
    for row in found:
        shown.add_row(
            row.method,
            f"{row.expected_matches:.2f}",
            "" if row.published_matches is None else f"{row.published_matches:.2f}",
            str(row.envious_left + row.envious_right),
            "" if row.published_envious is None else str(row.published_envious),
            f"{row.gini_left:.2f}",
            f"{row.gini_right:.2f}",
        )
    stdout(invocation).print(shown)


def _lines(path: Path) -> list[str]:
    if path == STDIN:
        return sys.stdin.read().splitlines()
    try:
        return path.read_text("utf-8").splitlines()
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} cannot be read as text.") from error


def _shown(found: Evaluation) -> object:
    rows = table("ranker", "estimate", ">yeses a list", ">95 % from", ">to")
    for ranker, estimates in (("old", (found.logged,)), ("new", found.estimates)):
        for each in estimates:
            rows.add_row(
                ranker, each.name, f"{each.value:.3f}", f"{each.low:.3f}", f"{each.high:.3f}"
            )
    return rows
