"""Offline learning: evaluate, train, roll back, report."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from soullink.entrypoints.cli.exits import FULL_DISK
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.opening import check_folder
from soullink.entrypoints.cli.output import cell, print_json, say_file, stderr, stdout, table
from soullink.kernel.errors import InvalidInputError
from soullink_ml.artifacts import building, tracking
from soullink_ml.artifacts.card import card
from soullink_ml.artifacts.store import Artifacts
from soullink_ml.datasets import speed_dates
from soullink_ml.evaluation import speed_dating
from soullink_ml.evaluation.measures import BINS

LINE_SECONDS: Final = 5.0
"""How often progress is said."""


def evaluate(
    invocation: Invocation,
    dates: Path,
    train: Path | None,
    seed: int,
    out: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Evaluate on one file of speed dates."""
    if out is not None:
        check_folder(out.expanduser().parent)
    test = speed_dates.read(dates.expanduser())
    training = None if train is None else speed_dates.read(train.expanduser())
    found = speed_dating.evaluate(test, training, seed, _progress(invocation, quiet))
    document = as_document(found)
    if out is not None:
        _write(out.expanduser(), json.dumps(document, indent=1) + "\n")
    if as_json:
        print_json(document)
        return
    _show(invocation, found)
    if out is not None:
        say_file(stdout(invocation), "Result: ", out)


def as_document(found: speed_dating.Evaluation) -> dict[str, Any]:
    """Return an evaluation as JSON prints it."""
    return {
        "held_out": found.held_out,
        "waves": list(found.waves),
        "training_digest": found.training_digest,
        "test_digest": found.test_digest,
        "seed": found.seed,
        "rows": [asdict(row) for row in found.rows],
        "matches": [asdict(row) for row in found.matches],
    }


def _progress(invocation: Invocation, quiet: bool) -> speed_dating.Progress | None:
    if quiet:
        return None
    console = stderr(invocation)
    said = time.monotonic() - LINE_SECONDS

    def say(done: int, total: int, what: str) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= LINE_SECONDS:
            said = now
            console.print(cell(f"[{done}/{total}] {what}", "dim"), soft_wrap=True)

    return say


def _show(invocation: Invocation, found: speed_dating.Evaluation) -> None:
    console = stdout(invocation)
    shown = table(
        "TARGET", "FEATURES", "MODEL", ">AUC", ">95 %", ">LOG LOSS", ">BASE RATE'S", ">CALIBRATION"
    )
    for row in found.rows:
        shown.add_row(
            row.target,
            row.features,
            row.model,
            f"{row.auc:.3f}",
            f"{row.auc_low:.3f} to {row.auc_high:.3f}",
            f"{row.log_loss:.4f}",
            f"{row.base_log_loss:.4f}",
            f"{row.calibration_error:.3f}",
        )
    console.print(shown)
    console.print(
        cell(
            f"Held out: {found.held_out} ({len(found.waves)} waves). AUC: pooled, interval by "
            "bootstrap over people. Base rate's: the best constant's log loss, in nats. "
            f"Calibration: mean error over {BINS} bins of equal width."
        ),
        soft_wrap=True,
    )
    console.print()
    lists = table("LISTS OF AN EVENING", "KNOWING", ">MATCHES A WAVE", ">95 %")
    for one in found.matches:
        lists.add_row(
            one.method, one.knows, f"{one.matches_per_wave:.2f}", f"{one.low:.2f} to {one.high:.2f}"
        )
    console.print(lists)
    console.print(
        cell("Matches: on true decisions, each seen with chance 1/rank; scores from profiles."),
        soft_wrap=True,
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        if error.errno in FULL_DISK:
            raise
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}.") from error


def train(
    invocation: Invocation,
    dates: Path,
    out: Path,
    activate: bool,
    seed: int,
    mlflow: str | None,
    as_json: bool,
) -> None:
    """Train, keep, and where wished use and log an artifact."""
    folder = out.expanduser()
    check_folder(folder)
    data = speed_dates.read(dates.expanduser())
    stderr(invocation).print(cell("Learning from all waves, then with each left out.", "dim"))
    document = building.build(data, dates.name, seed)
    artifacts = Artifacts(folder)
    path = artifacts.add(document)
    pointer = artifacts.activate(document["version"]) if activate else artifacts.pointer()
    run = None if mlflow is None else tracking.log(document, mlflow)
    if as_json:
        print_json(
            {
                "version": document["version"],
                "digest": document["digest"],
                "path": str(path.resolve()),
                "active": pointer.active,
                "metrics": document["metrics"],
                "mlflow_run": run,
            }
        )
        return
    console = stdout(invocation)
    shown = table("TARGET", "KNOWING", ">AUC", ">LOG LOSS", ">BASE RATE'S", ">CALIBRATION")
    for row in document["metrics"]:
        shown.add_row(
            row["target"],
            row["features"],
            f"{row['auc']:.3f}",
            f"{row['log_loss']:.4f}",
            f"{row['base_log_loss']:.4f}",
            f"{row['calibration_error']:.3f}",
        )
    console.print(shown)
    say_file(console, "Artifact: ", path)
    console.print(cell(_use(pointer.active, document["version"])), soft_wrap=True)


def _use(active: str | None, version: str) -> str:
    if active == version:
        return f"In use: {version}."
    return f"In use: {active or 'none'}; --activate uses {version}."


def rollback(invocation: Invocation, folder: Path, to: str | None, as_json: bool) -> None:
    """Go back to an earlier artifact."""
    pointer = Artifacts(folder.expanduser()).rollback(to)
    if as_json:
        print_json({"active": pointer.active, "before": list(pointer.before)})
        return
    stdout(invocation).print(cell(f"In use: {pointer.active}."))


def report(
    invocation: Invocation, folder: Path, version: str | None, out: Path | None, as_json: bool
) -> None:
    """Write a model card."""
    if out is not None:
        check_folder(out.expanduser().parent)
    document = Artifacts(folder.expanduser()).get(version)
    text = card(document)
    if out is not None:
        _write(out.expanduser(), text)
    if as_json:
        print_json({"version": document["version"], "card": text})
    elif out is None:
        sys.stdout.write(text)
    else:
        say_file(stdout(invocation), "Card: ", out)
