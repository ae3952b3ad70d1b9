"""Same seed, same bytes; two people who change places live the mirrored course."""

from dataclasses import replace

import pytest

from soullink.gateways.postgres.database import Database, open_database
from soullink.gateways.postgres.schema import migrate
from soullink.kernel.canonical import canonical_json
from soullink.kernel.language import Language
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import Episode, Settings
from tests.simulation.courses import (
    ADA,
    BEN,
    COUPLE,
    FIVE,
    XIA,
    YUE,
    a_service,
    lived_course,
    mirrored,
    mirrored_episode,
    plain,
)

pytestmark = pytest.mark.anyio


async def test_the_same_seed_gives_the_same_bytes_in_another_database(
    database: Database, empty_database_url: str
) -> None:
    migrate(empty_database_url)
    other = open_database(empty_database_url)
    settings = Settings(seed=11, episodes=4)
    here, there = [await lived_course(a_service(d), settings) for d in (database, other)]
    again = await lived_course(a_service(database), settings)
    elsewhere = await lived_course(a_service(database), replace(settings, seed=12))
    await other.close()
    first = canonical_json(plain(here))
    assert canonical_json(plain(there)) == first
    assert canonical_json(plain(again)) == first
    assert canonical_json(plain(elsewhere)) != first


COUPLES: dict[Language, list[tuple[Profile, Profile]]] = {
    "en": [(ADA, BEN), (BEN, replace(XIA, language="en", name="Xia Lin"))],
    "zh": [(XIA, YUE)],
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_changing_places_mirrors_the_course_words_included(
    database: Database, language: Language, seed: int
) -> None:
    service = a_service(database)
    for number, people in enumerate(COUPLES[language]):
        settings = Settings(
            seed=seed, language=language, scenarios=() if number else (*FIVE, "composed:crisis")
        )
        one = await lived_course(service, settings, people)
        other = await lived_course(service, settings, people[::-1])
        assert tuple(mirrored(turn) for turn in other.turns) == one.turns
        assert [_unordered(mirrored_episode(e)) for e in other.episodes] == [
            _unordered(e) for e in one.episodes
        ]
        assert {turn.speaker for turn in one.turns} == {0, 1}


def _unordered(episode: Episode) -> Episode:
    """Return the episode with the life events before it in an order of their own."""
    return replace(episode, between=tuple(sorted(episode.between)))


async def test_changing_places_mirrors_the_replicas(database: Database) -> None:
    service = a_service(database)
    settings = Settings(seed=2, scenarios=FIVE)
    runs = [await service.start(people, settings) for people in (COUPLE, COUPLE[::-1])]
    one, other = [(await service.replicas(run.id, 50))[0] for run in runs]
    assert (one.states == other.states[:, :, ::-1]).all()
    assert (one.acts == other.acts[:, ::-1]).all()
    assert (one.outcomes == other.outcomes).all()
    assert (one.satisfaction == other.satisfaction[:, ::-1]).all()
    assert (one.left_by == [(-1, 1, 0)[number + 1] for number in other.left_by]).all()
