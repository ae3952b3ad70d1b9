"""The model card of an artifact, made from nothing but the artifact."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from soullink.modules.matching.domain.interest import artifact

_USE: Final = """\
## What it is for

The chance that one member says yes to another whom they have not met, as one of several things
that order recommendations, with an interval that is shown beside it. It is not for telling
anybody whether they will be happy together, nor for deciding alone about whom anybody may meet.

## What it cannot do

- Before people meet, answers tell a little about how choosy and how sought after somebody is and
  next to nothing about who clicks with whom (Joel, Eastwick & Finkel 2017). The figures above are
  what that looks like.
- It was learned from students in one city who met for four minutes, women and men, in 2002 to
  2004. For anybody else it is a starting point that histories move: for people of other ages
  numbers are held at the edge of what was seen; for two women or two men the parts that were
  learned apply, but nobody has checked them.
- Decisions of members are about whom they were recommended, the dates' were about everybody.
- Likeness was learned as the correlation of rated interests; likeness of texts takes its place in
  the product and is another thing.

## What it does not read

Race, religion, origin, income, schools and how important these are to anybody: never read, though
the file has them. Anything recorded at or after a meeting: a test changes all of it and sees that
nothing moves.
"""


def card(document: Mapping[str, Any]) -> str:
    """Return the card as Markdown. Raises InvalidInterestModelError."""
    version, numbers = artifact.read(dict(document), "the artifact")
    return "\n".join(
        [
            f"# Interest model {version}",
            "",
            "Written by `soullink ml report` from the artifact; nothing here was typed by hand.",
            "",
            *_provenance(document),
            *_metrics(document),
            _USE,
            *_numbers(numbers),
            *_features(document),
        ]
    )


def _provenance(document: Mapping[str, Any]) -> Iterator[str]:
    made = document["provenance"]
    waves = ", ".join(str(wave) for wave in made["waves"])
    yield "| | |"
    yield "|---|---|"
    yield f"| data | {made['data']}, SHA-256 {made['data_digest']} |"
    yield f"| | {made['decisions']} decisions of {made['people']} people; waves {waves} |"
    yield f"| seed | {made['seed']} |"
    yield f"| code | soullink {made['code']}, sources {made['code_digest'][:16]} |"
    yield f"| digest | {document['digest']} |"
    yield ""


def _metrics(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## How well it foretells"
    yield ""
    yield (
        "Each wave by a model of the others. AUC with a 95 % bootstrap interval over people; log "
        "loss in nats beside the best constant's; calibration error over ten bins of equal width."
    )
    yield ""
    yield "| target | knowing | AUC | log loss | base rate's | calibration |"
    yield "|---|---|---|---|---|---|"
    for row in document["metrics"]:
        yield (
            f"| {row['target']} | {row['features']} "
            f"| {row['auc']:.3f} ({row['auc_low']:.3f} to {row['auc_high']:.3f}) "
            f"| {row['log_loss']:.4f} | {row['base_log_loss']:.4f} "
            f"| {row['calibration_error']:.3f} |"
        )
    yield ""


def _numbers(numbers: artifact.Numbers) -> Iterator[str]:
    yield "## Its numbers"
    yield ""
    yield (
        f"Log-odds of a yes between two people of whom nothing is known: {numbers.intercept:+.3f}. "
        f"Beyond their answers people differ by a standard deviation of {numbers.actor_sd:.2f} in "
        f"saying yes and {numbers.partner_sd:.2f} in hearing it, evenings by {numbers.wave_sd:.2f}."
    )
    yield ""
    yield "| term | per standard deviation | 80 % interval |"
    yield "|---|---|---|"
    for index, term in enumerate(numbers.terms, start=1):
        reach = 1.2816 * float(numbers.covariance[index, index]) ** 0.5
        low, high = term.coefficient - reach, term.coefficient + reach
        yield f"| {term.name} | {term.coefficient:+.3f} | {low:+.3f} to {high:+.3f} |"
    yield ""


def _features(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## What it reads, and when that is known"
    yield ""
    yield "| feature | explained as | columns of the file | known |"
    yield "|---|---|---|---|"
    for one in document["features"]:
        columns = ", ".join(one["columns_of_file"])
        yield f"| {one['name']} | {one['part']} | {columns} | {one['known']} |"
    yield ""
