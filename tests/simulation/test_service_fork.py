"""Forks: the past is shared to the byte, the future begins at the turn that was changed."""

from collections.abc import Mapping
from itertools import pairwise

import msgspec
import pytest

from soullink.gateways.postgres.database import Database
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import RunId
from soullink.modules.simulation.api import Act, Course, Fork, Settings, TurnTaken
from soullink.modules.simulation.domain.forking import overrides_of
from soullink.modules.simulation.service import SimulationService
from tests.simulation.courses import COUPLE, FIVE, a_service, live, lived_course, plain, stop_after

pytestmark = pytest.mark.anyio

SETTINGS = Settings(seed=5, scenarios=FIVE[:3])


async def forked(
    service: SimulationService, parent: Course, episode: int, turn: int, **changes: str
) -> Course:
    keys = {key.replace("_", "."): value for key, value in changes.items()}
    fork = Fork(parent.run.id, episode, turn, keys)
    run = await service.fork(fork)
    assert run.fork == fork
    await live(service, run.id)
    return await service.course(run.id)


def before(course: Course, episode: int, turn: int) -> bytes:
    return msgspec.json.encode(
        [t for t in course.turns if (t.episode, t.sequence) < (episode, turn)]
    )


@pytest.mark.parametrize(
    ("episode", "turn", "changes"),
    [
        (1, 1, {"ada_mood": "-0.9"}),
        (1, 6, {"ben_stress": "1"}),
        (2, 1, {"ada_trust": "0"}),
        (2, 7, {"ben_closeness": "0.95", "ada_commitment": "0.9"}),
        (3, 4, {"ada_arousal": "1", "ada_mood": "-1"}),
    ],
)
async def test_a_changed_state_changes_what_follows_and_nothing_before(
    database: Database, episode: int, turn: int, changes: Mapping[str, str]
) -> None:
    service = a_service(database)
    parent = await lived_course(service, SETTINGS)
    child = await forked(service, parent, episode, turn, **changes)
    assert before(child, episode, turn) == before(parent, episode, turn)
    first = next(t for t in child.turns if (t.episode, t.sequence) == (episode, turn))
    was = next(t for t in parent.turns if (t.episode, t.sequence) == (episode, turn))
    for key, value in changes.items():
        person, _, name = key.partition("_")
        position = ("ada", "ben").index(person)
        assert getattr(first.before[position], name) == float(value)
        assert getattr(was.before[position], name) != float(value)
    assert child.turns != parent.turns
    assert child.episodes[: episode - 1] == parent.episodes[: episode - 1]
    assert [m async for m in service.replay(child.run.id)]


async def test_walls_of_the_shared_past_are_the_parents(database: Database) -> None:
    service = a_service(database)
    parent = await lived_course(service, SETTINGS)
    child = await forked(service, parent, 2, 3, ada_mood="-0.9")
    shared = parent.episodes[0].turns + 2
    assert child.walls[:shared] == parent.walls[:shared]
    assert child.walls[shared].started_at > parent.walls[-1].started_at


@pytest.mark.parametrize("act", [Act.APOLOGISE, Act.LEAVE, Act.BELITTLE])
async def test_an_act_can_be_forced_on_either_person(database: Database, act: Act) -> None:
    service = a_service(database)
    parent = await lived_course(service, SETTINGS)
    for position, person in enumerate(("ada", "ben")):
        child = await forked(service, parent, 2, 4, **{f"{person}_act": str(act)})
        assert before(child, 2, 4) == before(parent, 2, 4)
        changed = next(t for t in child.turns if (t.episode, t.sequence) == (2, 4))
        assert (changed.act, changed.speaker) == (act, position)
        if act is Act.LEAVE:
            assert (child.episodes[1].turns, child.episodes[1].ended_by) == (4, "left")


async def test_a_fork_of_a_fork_keeps_both_changes(database: Database) -> None:
    service = a_service(database)
    parent = await lived_course(service, SETTINGS)
    child = await forked(service, parent, 1, 4, ada_mood="-0.9")
    grandchild = await forked(service, child, 2, 2, ben_trust="0.01")
    assert before(grandchild, 2, 2) == before(child, 2, 2)
    assert before(grandchild, 2, 2) != before(parent, 2, 2)
    at = {(t.episode, t.sequence): t for t in grandchild.turns}
    assert at[1, 4].before[0].mood == -0.9
    assert at[2, 2].before[1].trust == 0.01
    assert [m async for m in service.replay(grandchild.run.id)]


async def test_a_fork_at_the_same_turn_takes_the_place_of_its_parents_act(
    database: Database,
) -> None:
    service = a_service(database)
    parent = await lived_course(service, SETTINGS)
    child = await forked(service, parent, 1, 5, ben_act="joke", ada_mood="-0.5")
    other = await forked(service, child, 1, 5, ada_act="apologise")
    turn = next(t for t in other.turns if (t.episode, t.sequence) == (1, 5))
    assert (turn.speaker, turn.act, turn.before[0].mood) == (0, Act.APOLOGISE, -0.5)


def test_of_several_forks_at_one_turn_the_last_wins() -> None:
    forks = [
        (1, 2, {"ada.act": "joke", "ada.mood": "0.1"}),
        (1, 2, {"ben.act": "tease", "ada.mood": "0.2"}),
        (2, 1, {"a.b.trust": "1"}),
    ]
    overrides = overrides_of(forks[:2], ("ada", "ben"))
    assert set(overrides[1, 2]) == {"1.act", "0.mood"}
    assert overrides[1, 2]["0.mood"] == 0.2
    assert overrides_of(forks[2:], ("a.b", "b")) == {(2, 1): {"0.trust": 1.0}}


async def test_forks_move_the_replicas_as_well(database: Database) -> None:
    service = a_service(database)
    parent = await lived_course(service, SETTINGS)
    run = await service.fork(Fork(parent.run.id, 1, 3, {"ben.act": "leave"}))
    main, changed = [(await service.replicas(id_, 30))[0] for id_ in (parent.run.id, run.id)]
    assert (changed.turns[:, 0].sum(axis=1) <= 3).all()
    assert main.turns[:, 0].sum() > changed.turns[:, 0].sum()


async def test_a_run_that_still_goes_on_can_be_forked(database: Database) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SETTINGS)
    await stop_after(service, run.id, 6)
    child = await service.fork(Fork(run.id, 1, 6, {"ada.mood": "0.9"}))
    moments = await live(service, child.id)
    assert [m.replayed for m in moments if isinstance(m, TurnTaken)][:7] == [True] * 5 + [False] * 2
    with pytest.raises(InvalidInputError, match="no turn 7 in episode 1"):
        await service.fork(Fork(run.id, 1, 7, {"ada.mood": "0.9"}))


async def test_a_change_to_what_was_already_so_leaves_the_course_alone(database: Database) -> None:
    service = a_service(database)
    parent = await lived_course(service, SETTINGS)
    act = next(t for t in parent.turns if (t.episode, t.sequence) == (2, 3))
    same = await forked(service, parent, 2, 3, **{f"{COUPLE[act.speaker].id}_act": str(act.act)})
    assert plain(same) == plain(parent)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, r"Say what changes, e\.g\. --set ada\.mood=0\.5"),
        ({"cleo.mood": "0"}, r"Cannot set 'cleo\.mood'; .* one of ada, ben"),
        ({"mood": "0"}, "Cannot set 'mood'"),
        ({"ada": "0"}, "Cannot set 'ada'"),
        ({"ada.charm": "1"}, "KEY one of act, mood, arousal, stress"),
        ({"ada.mood": "high"}, r"ada\.mood takes a number, not 'high'"),
        ({"ada.mood": "-1.01"}, r"ada\.mood lies between -1 and 1"),
        ({"ada.trust": "-0.1"}, r"ada\.trust lies between 0 and 1"),
        ({"ada.trust": "nan"}, r"ada\.trust lies between 0 and 1"),
        ({"ada.stress": "inf"}, r"ada\.stress lies between 0 and 1"),
        ({"ada.act": "hug"}, "no act 'hug'; acts: greet, small_talk"),
        ({"ada.act": "joke", "ben.act": "joke"}, "One turn has one speaker"),
    ],
)
async def test_what_cannot_be_set_is_said_in_one_sentence(
    database: Database, changes: Mapping[str, str], sentence: str
) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SETTINGS)
    await stop_after(service, run.id, 3)
    await _refused(service, Fork(run.id, 1, 2, changes), sentence)


@pytest.mark.parametrize(("episode", "turn"), [(1, 0), (0, 1), (1, 99), (9, 1), (-1, -1)])
async def test_a_turn_that_was_not_lived_cannot_be_changed(
    database: Database, episode: int, turn: int
) -> None:
    service = a_service(database)
    run = await service.start(COUPLE, SETTINGS)
    await stop_after(service, run.id, 3)
    await _refused(
        service,
        Fork(run.id, episode, turn, {"ada.mood": "0"}),
        f"no turn {turn} in episode {episode}",
    )


async def _refused(service: SimulationService, fork: Fork, sentence: str) -> None:
    known: list[RunId] = [run.id for run in await service.list_runs()]
    with pytest.raises(InvalidInputError, match=sentence) as caught:
        await service.fork(fork)
    assert "\n" not in str(caught.value)
    assert [run.id for run in await service.list_runs()] == known


async def test_the_same_fork_gives_the_same_course(database: Database) -> None:
    service = a_service(database)
    parent = await lived_course(service, SETTINGS)
    twins = [await forked(service, parent, 1, 5, ada_mood="-0.7") for _ in range(3)]
    assert all(plain(one) == plain(other) for one, other in pairwise(twins))
