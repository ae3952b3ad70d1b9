"""Audits of many made-up evenings: how often they find what is there, and what is not."""

from collections.abc import Iterable, Mapping

from soullink_ml.fairness import audit, figures, lists
from soullink_ml.fairness.draws import Draws, groups_of
from soullink_ml.fairness.figures import Figures
from soullink_ml.fairness.resampling import Cluster
from soullink_ml.fairness.rows import GAPS
from soullink_ml.fairness.simulated import World, simulated

DRAWS = 150


def audited(world: World, seed: int, cluster: Cluster = "people", draws: int = DRAWS) -> Figures:
    """Return the figures of the group "few" in one world, before any mitigation."""
    dates, scores = simulated(world, seed)
    drawn = Draws.of(dates, draws, seed, cluster)
    groups = [group for group in groups_of(dates) if group.name == "few"]
    shown = lists.shown_by(dates, scores, dates.groups["group"], lists.METHODS[audit.PRODUCT])
    return {
        **figures.of_scores(drawn, groups, scores),
        **figures.of_lists(drawn, groups, shown),
    }


def found(
    world: World, seeds: Iterable[int], cluster: Cluster = "people", draws: int = DRAWS
) -> Mapping[str, list[bool]]:
    """Return for each comparison whether its interval left out "no difference", world by world.

    Named "role target metric". Worlds where the group came out too small are left out.
    """
    made: dict[str, list[bool]] = {}
    for seed in seeds:
        for key, values in audited(world, seed, cluster, draws).items():
            twice = key.target == "match" and key.role == "consumer"
            row = audit.row_of(key, values, "before", audit.PRODUCT)
            if key.metric in GAPS and not twice and row.low is not None:
                made.setdefault(f"{key.role} {key.target} {key.metric}", []).append(row.found)
    return made
