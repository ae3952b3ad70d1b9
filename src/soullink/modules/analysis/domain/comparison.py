"""A fork beside the course that it left."""

from collections.abc import Sequence

from soullink.kernel.language import Language, Text
from soullink.modules.analysis.api import DIMENSIONS, Comparison
from soullink.modules.analysis.domain import standing
from soullink.modules.analysis.domain.counts import Counts, of_course
from soullink.modules.analysis.domain.wording.codes import DIMENSIONS as TITLES
from soullink.modules.analysis.domain.wording.phrases import text
from soullink.modules.simulation.api import Course, Fork, Turn

_END: dict[str, Text] = {
    "closeness": text("Closeness at the end", "结束时的亲密"),
    "trust": text("Trust at the end", "结束时的信任"),
    "commitment": text("Commitment at the end", "结束时的投入"),
}
_COUNTED: dict[str, Text] = {
    "episodes": text("Episodes lived", "走过的段数"),
    "turns": text("Turns", "说过的句数"),
    "conflict_peak": text("Highest open conflict", "公开冲突的最高点"),
}


def comparison(parent: Course, course: Course, fork: Fork, language: Language) -> Comparison:
    """Return what differs between `parent` and its `fork`, lived as `course`."""
    before, here = of_course(parent), of_course(course)
    rows = [
        (name, TITLES[name][language], _score(name, before, parent), _score(name, here, course))
        for name in DIMENSIONS
    ]
    rows += [
        (
            f"{name}_at_end",
            title[language],
            float(before.at_end(name).mean()),
            float(here.at_end(name).mean()),
        )
        for name, title in _END.items()
    ]
    rows += [
        (name, title[language], _counted(name, before), _counted(name, here))
        for name, title in _COUNTED.items()
    ]
    return Comparison(
        parent=str(fork.parent),
        changes=dict(fork.changes),
        differs_from=first_difference(parent.turns, course.turns),
        rows=tuple(rows),
    )


def first_difference(parent: Sequence[Turn], here: Sequence[Turn]) -> tuple[int, int] | None:
    """Return (episode, turn) of the first turn that is not the same, None where all are."""
    for old, new in zip(parent, here, strict=False):
        if old != new:
            return new.episode, new.sequence
    if len(parent) == len(here):
        return None
    longer = parent if len(parent) > len(here) else here
    turn = longer[min(len(parent), len(here))]
    return turn.episode, turn.sequence


def _score(name: str, counts: Counts, course: Course) -> float:
    ids = [episode.scenario.id for episode in course.episodes] or [""]
    return float(standing.scores(name, counts, ids)[0])


def _counted(name: str, counts: Counts) -> float:
    if name == "episodes":
        return float(counts.lived.sum())
    if name == "turns":
        return float(counts.acts.sum())
    return float(counts.conflict_peak.max())
