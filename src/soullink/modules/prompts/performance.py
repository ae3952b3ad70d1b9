"""How versions have done, from the gateway's accounts and from recorded turns."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from soullink.gateways.llm.ledger.port import UsageRow
from soullink.modules.prompts.api import Performance, TurnCounts

T = TypeVar("T")


def performance_of(
    name: str,
    known: Mapping[str, str],
    usage: Sequence[UsageRow],
    counts: Sequence[TurnCounts],
) -> list[Performance]:
    """Return one row a version of `name`, known ones and those only accounts still tell of.

    known: language by reference. A call whose prompt had several parts counts for each of them.
    """
    spent = _by_part(name, ((row.group[0], row) for row in usage))
    spoken = _by_part(name, ((row.reference, row) for row in counts))
    references = sorted({*known, *spent, *spoken}, key=lambda reference: _order(known, reference))
    return [
        _performance(reference, known.get(reference, ""), spent.get(reference, ()), turns)
        for reference in references
        for turns in (spoken.get(reference, ()),)
    ]


def _by_part(name: str, rows: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for reference, row in rows:
        for part in dict.fromkeys(reference.split("+")):
            if part.startswith(f"{name}@"):
                found.setdefault(part, []).append(row)
    return found


def _order(known: Mapping[str, str], reference: str) -> tuple[str, int, str]:
    version = reference.partition("@")[2].partition(":")[0]
    return known.get(reference, ""), int(version) if version.isdecimal() else 0, reference


def _performance(
    reference: str, language: str, usage: Sequence[UsageRow], counts: Sequence[TurnCounts]
) -> Performance:
    attempts = sum(row.attempts for row in usage)
    turns = sum(row.turns for row in counts)
    return Performance(
        reference=reference,
        language=language,
        calls=sum(row.calls for row in usage),
        failure_rate=_rate(sum(row.failed for row in usage), attempts),
        input_tokens=sum(row.input_tokens for row in usage),
        output_tokens=sum(row.output_tokens for row in usage),
        cost_nano_usd=sum(row.cost_nano_usd for row in usage),
        quality=_means(usage),
        turns=turns,
        repair_rate=_rate(sum(row.repaired for row in counts), turns),
        fallback_rate=_rate(sum(row.fallback for row in counts), turns),
        unpriced=sum(row.unpriced for row in usage),
    )


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _means(usage: Sequence[UsageRow]) -> dict[str, float]:
    """Return the mean of each score, rows weighted by their attempts with an answer."""
    names = sorted({name for row in usage for name in row.quality})
    means: dict[str, float] = {}
    for name in names:
        having = [
            (row.quality[name], row.attempts - row.failed) for row in usage if name in row.quality
        ]
        weight = sum(count for _, count in having)
        if weight:
            means[name] = sum(score * count for score, count in having) / weight
    return means
