"""A/B tests on record: sticky arms, pairs once each, a decision, and the way back."""

import asyncio

import psycopg
import pytest

from soullink.kernel.errors import InvalidInputError
from soullink.modules.prompts.api import (
    ExperimentNotFoundError,
    Experiments,
    PromptConflictError,
    PromptNotFoundError,
    PromptStore,
)
from tests.prompts.conftest import NAME

pytestmark = pytest.mark.anyio


async def began(experiments: Experiments, name: str = "warmer", **more: object) -> None:
    await experiments.start_experiment(name, NAME, "en", (1, 2), **more)  # type: ignore[arg-type]


async def test_pairs_are_recorded_once_and_decide(experiments: Experiments) -> None:
    await began(experiments)
    for unit in range(13):
        assert await experiments.record_pair("warmer", f"seed {unit}", 0, 1)
    assert not await experiments.record_pair("warmer", "seed 3", 0, 1)
    assert await experiments.record_pair("warmer", "even", True, True)
    with pytest.raises(PromptConflictError, match="another outcome"):
        await experiments.record_pair("warmer", "seed 3", 1, 1)
    status = await experiments.status("warmer")
    assert (status.pairs, status.discordant, status.wins) == (14, 13, (0, 13))
    assert (status.winner, status.decided_after) == ("B", 12)
    assert status.e_value >= 20
    assert status.interval[0] > 0.5


async def test_a_conclusion_points_production_to_the_winner_and_can_be_taken_back(
    experiments: Experiments, store: PromptStore, database_url: str
) -> None:
    await began(experiments)
    for unit in range(13):
        await experiments.record_pair("warmer", str(unit), 1, 0)
    status = await experiments.conclude("warmer", by="mia")
    assert (status.experiment.status, status.experiment.winner) == ("concluded", "A")
    assert status.experiment.concluded_at is not None
    assert (await store.snapshot()).get(NAME, "en").version == 1
    (move,) = await store.labels()
    assert (move.reason, move.moved_by) == ("experiment warmer", "mia")
    with pytest.raises(PromptConflictError, match="concluded already"):
        await experiments.conclude("warmer")
    with pytest.raises(PromptConflictError, match="is concluded"):
        await experiments.record_pair("warmer", "late", 1, 0)
    await store.rollback(NAME, "en", "production")
    assert (await store.snapshot()).get(NAME, "en").version == 2
    with psycopg.connect(database_url) as connection:
        names = connection.execute("SELECT name FROM outbox ORDER BY id").fetchall()
    assert [name for (name,) in names] == [
        "prompts.label_moved.v1",
        "prompts.experiment_concluded.v1",
        "prompts.label_moved.v1",
    ]


async def test_stopping_early_decides_nothing_and_moves_nothing(
    experiments: Experiments, store: PromptStore
) -> None:
    await began(experiments)
    await experiments.record_pair("warmer", "one", 0, 1)
    status = await experiments.conclude("warmer")
    assert (status.winner, status.experiment.winner) == (None, None)
    assert await store.labels() == []


async def test_a_conclusion_and_a_record_at_once_do_not_cross(experiments: Experiments) -> None:
    await began(experiments)
    for unit in range(12):
        await experiments.record_pair("warmer", str(unit), 0, 1)
    late = (experiments.record_pair("warmer", f"late {i}", 1, 0) for i in range(4))
    ended = await asyncio.gather(experiments.conclude("warmer"), *late, return_exceptions=True)
    refused = [end for end in ended[1:] if isinstance(end, PromptConflictError)]
    counted = [end for end in ended[1:] if end is True]
    assert len(refused) + len(counted) == 4
    assert (await experiments.status("warmer")).pairs == 12 + len(counted)


async def test_live_units_keep_their_arm_and_are_paired_in_their_order(
    experiments: Experiments, store: PromptStore
) -> None:
    await began(experiments, mode="live")
    units = [f"unit {i}" for i in range(200)]
    arms = {unit: (await experiments.assign("warmer", unit)).arm for unit in units[:40]}
    for unit, arm in arms.items():
        assigned = await experiments.assign("warmer", unit)
        assert (assigned.arm, assigned.version) == (arm, 1 if arm == "A" else 2)
        assert (await store.snapshot(unit)).get(NAME, "en").version == assigned.version
    assert (await store.snapshot()).get(NAME, "en").version == 2
    assert 10 <= sum(arm == "A" for arm in arms.values()) <= 30
    for unit, arm in arms.items():
        assert await experiments.record("warmer", unit, arm == "B")
        assert not await experiments.record("warmer", unit, arm == "B")
    status = await experiments.status("warmer")
    few = min(sum(arm == side for arm in arms.values()) for side in "AB")
    assert (status.pairs, status.wins) == (few, (0, few))
    assert status.winner == "B"
    await experiments.conclude("warmer")
    assert (await store.snapshot(units[0])).get(NAME, "en").version == 2


async def test_scores_are_compared_by_their_difference(experiments: Experiments) -> None:
    await began(experiments, scale="score", metric="quality")
    for unit in range(60):
        await experiments.record_pair("warmer", str(unit), 0.55, 0.75 if unit % 4 else 0.5)
    status = await experiments.status("warmer")
    assert status.winner == "B"
    assert 0.0 < status.interval[0] < 0.1375 < status.interval[1]


async def test_what_cannot_be_compared_is_refused(experiments: Experiments) -> None:
    with pytest.raises(PromptNotFoundError):
        await experiments.start_experiment("x", NAME, "en", (1, 9))
    for name, alpha in (("No Name", 0.05), ("fine", 0.0), ("fine", 1.0)):
        with pytest.raises(InvalidInputError):
            await began(experiments, name, alpha=alpha)
    await began(experiments)
    with pytest.raises(PromptConflictError, match="already an experiment warmer"):
        await began(experiments)
    await began(experiments, "live", mode="live")
    with pytest.raises(PromptConflictError, match="running on"):
        await began(experiments, "other", mode="live")
    for outcome in (0.5, 2, float("nan")):
        with pytest.raises(InvalidInputError):
            await experiments.record_pair("warmer", "u", 0, outcome)
    with pytest.raises(PromptConflictError, match="is paired"):
        await experiments.record("warmer", "u", 1)
    with pytest.raises(PromptConflictError, match="is live"):
        await experiments.record_pair("live", "u", 0, 1)
    with pytest.raises(ExperimentNotFoundError):
        await experiments.status("nothing")
    assert {found.name for found in await experiments.list_experiments()} == {"warmer", "live"}


async def test_equal_versions_compared_find_no_winner(experiments: Experiments) -> None:
    """A/A on record: the same outcomes for both arms are no evidence at all."""
    await experiments.start_experiment("same", NAME, "en", (1, 1))
    for unit in range(20):
        await experiments.record_pair("same", str(unit), unit % 2, unit % 2)
    status = await experiments.status("same")
    assert (status.discordant, status.e_value, status.winner) == (0, 1.0, None)
    assert status.interval == (0.0, 1.0)
