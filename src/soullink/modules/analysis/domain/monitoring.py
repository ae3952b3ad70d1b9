"""What a run took and how its words fared."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from soullink.modules.analysis.api import Monitoring
from soullink.modules.simulation.api import Course, Turn, Wall


def monitoring(turns: Sequence[Turn]) -> Monitoring:
    """Return sums over all turns; quality is the mean over the turns that have the score."""
    costs = [turn.speech.cost_nano_usd for turn in turns]
    known = [cost for cost in costs if cost is not None]
    scores: dict[str, list[float]] = {}
    for turn in turns:
        for name, score in turn.speech.quality.items():
            scores.setdefault(name, []).append(score)
    return Monitoring(
        turns=len(turns),
        calls=sum(turn.speech.calls for turn in turns),
        input_tokens=sum(turn.speech.input_tokens for turn in turns),
        output_tokens=sum(turn.speech.output_tokens for turn in turns),
        cost_nano_usd=sum(known) if len(known) == len(costs) else None,
        statuses=dict(sorted(Counter(str(turn.speech.status) for turn in turns).items())),
        faults=dict(sorted(Counter(f for turn in turns for f in turn.speech.faults).items())),
        quality={name: sum(found) / len(found) for name, found in sorted(scores.items())},
    )


def wall(course: Course) -> dict[str, Any]:
    """Return what depends on the machine and the hour."""
    walls: Sequence[Wall] = course.walls
    return {
        "created_at": course.run.created_at,
        "finished_at": course.run.finished_at or "",
        "started_at": walls[0].started_at if walls else "",
        "latency_seconds": float(sum(one.latency_seconds for one in walls)),
        "cpu_seconds": float(sum(one.cpu_seconds for one in walls)),
        "memory_mb": float(max((one.memory_mb for one in walls), default=0.0)),
    }
