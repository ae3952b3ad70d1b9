"""Who writes alike, through the vector gateway, in step with members."""

from collections.abc import Callable
from typing import Any

import pytest

from soullink.gateways.embeddings.builtin import BuiltinEmbedder
from soullink.gateways.vectors.fake import MemoryIndexes
from soullink.gateways.vectors.pgvector import PgvectorIndexes
from soullink.gateways.vectors.port import (
    Collection,
    OtherEmbedderError,
    VectorIndexes,
    VectorsUnavailableError,
)
from soullink.kernel.errors import UnavailableError
from soullink.kernel.ids import PersonId
from soullink.modules.matching.api import InvalidMatchingError
from soullink.modules.matching.nearby import PoolNearby
from soullink.modules.matching.nearness import COLLECTION, Nearness
from soullink.modules.matching.texts import PassingTexts
from tests.matching.conftest import World, person

pytestmark = pytest.mark.anyio


def nearby(world: World, opening: Callable[[], VectorIndexes]) -> PoolNearby:
    nearness = Nearness(opening, PassingTexts(BuiltinEmbedder()))
    return PoolNearby(world.matching, world.crowd.source, nearness, stored=True)


async def _join(world: World, near: PoolNearby, *documents: dict[str, Any]) -> list[PersonId]:
    ids = []
    for one in await world.join(*documents):
        await near.follow(one.id)
        ids.append(one.id)
    return ids


def _three() -> list[dict[str, Any]]:
    return [
        person("Ann", interests=["hiking", "jazz"]),
        person("Ben", "man", "woman", interests=["hiking", "jazz music"]),
        person("Cai", "man", "woman", interests=["徒步"]),
        person("Dan", "man", "woman", interests=["tax law"]),
        person("Eve", "woman", "woman", interests=["hiking", "jazz"]),
    ]


async def test_those_who_write_alike_come_first_and_others_pass_the_filters_or_are_not_shown(
    world, database
) -> None:
    near = nearby(world, lambda: PgvectorIndexes(database))
    ann, ben, cai, dan, eve = await _join(world, near, *_three())
    found = await near.near(ann)
    assert [one.person for one in found.people] == [ben, cai, dan]
    assert found.people[0].likeness > found.people[1].likeness > found.people[2].likeness
    assert (found.candidates, found.vectors) == (3, 5)
    assert eve not in [one.person for one in found.people]
    assert [one.person for one in (await near.near(ann, 1)).people] == [ben]
    await near.close()


async def test_blocked_paused_and_forgotten_people_are_not_near(world, database) -> None:
    near = nearby(world, lambda: PgvectorIndexes(database))
    ann, ben, cai, dan, _ = await _join(world, near, *_three())
    await world.matching.block(ben, ann)
    await world.members.pause(cai)
    await near.follow(cai)
    assert [one.person for one in (await near.near(ann)).people] == [dan]
    assert (await near.near(ann)).vectors == 4
    await world.members.forget(dan)
    await world.matching.forget(dan)
    await near.follow(dan)
    await near.follow(dan)
    gone = await near.near(ann)
    assert (gone.people, gone.vectors) == ((), 3)
    await near.close()


async def test_a_changed_person_is_near_by_what_they_write_now(world) -> None:
    near = nearby(world, lambda: kept)
    kept = MemoryIndexes()
    ann, ben, cai, _, _ = await _join(world, near, *_three())
    changed = person("Ben", "man", "woman", id=ben, interests=["tax law"])
    await _join(world, near, changed)
    assert (await near.near(ann)).people[0].person == cai
    silent = person("Ben", "man", "woman", id=ben)
    await _join(world, near, silent)
    assert ben not in [one.person for one in (await near.near(ann)).people]


async def test_vectors_are_made_anew_for_another_embedder(world) -> None:
    kept = MemoryIndexes()
    near = nearby(world, lambda: kept)
    ann, *_ = await _join(world, near, *_three())
    await kept.drop(COLLECTION)
    await kept.open(Collection(COLLECTION, 3, "another", "1"))
    with pytest.raises(OtherEmbedderError):
        await near.near(ann)
    assert await near.rebuild() == 5
    assert len((await near.near(ann)).people) == 3


async def test_joining_does_not_wait_for_vectors_but_forgetting_insists(world) -> None:
    class Missing(MemoryIndexes):
        async def open(self, _: Collection) -> Any:
            raise VectorsUnavailableError("There is no pgvector.")

    class Away(MemoryIndexes):
        async def open(self, _: Collection) -> Any:
            raise UnavailableError("The database does not answer.")

        async def forget(self, _: Any) -> int:
            raise UnavailableError("The database does not answer.")

    joined = await world.join(*_three())
    await nearby(world, Missing).follow(joined[0].id)
    with pytest.raises(VectorsUnavailableError):
        await nearby(world, Missing).near(joined[0].id)
    with pytest.raises(UnavailableError):
        await nearby(world, Away).follow(joined[0].id)
    with pytest.raises(UnavailableError):
        await nearby(world, Away).follow(PersonId("nobody"))


async def test_a_wrong_number_is_refused(world) -> None:
    with pytest.raises(InvalidMatchingError):
        await nearby(world, MemoryIndexes).near(PersonId("ann"), 0)
