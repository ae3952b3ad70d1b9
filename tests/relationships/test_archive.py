"""Put away, brought back, erased; broken off and gone on with."""

import asyncio
from dataclasses import asdict

import psycopg
import pytest

from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import PersonId
from soullink.modules.relationships.api import (
    ArchiveReport,
    RelationshipId,
    RelationshipNotFoundError,
    RetentionRules,
)
from soullink.modules.relationships.service import PROPOSAL_DAYS
from tests.relationships.conftest import ADA, BEN, House

pytestmark = pytest.mark.anyio

RULES = RetentionRules()


def counts(report: ArchiveReport) -> tuple[int, int, int, int]:
    return report.expired, report.archived, report.texts_erased, report.erased


async def ended(house: House, *people: PersonId) -> RelationshipId:
    found = await house.couple("accepted", "met", people=(people[0], people[1]))
    await house.relationships.check_in(found, people[0], 5, 5, "words")
    await house.relationships.move(found, people[0], "ended")
    return found


async def test_the_plan_is_what_the_run_does_and_does_nothing_itself(house: House) -> None:
    over = await ended(house, ADA, BEN)
    unanswered = await house.couple(people=(ADA, PersonId("chen")))
    declined = await house.couple(people=(ADA, PersonId("dora")))
    await house.relationships.move(declined, ADA, "declined")
    kept = await house.couple("accepted", people=(ADA, PersonId("ede")))
    house.clock.pass_days(PROPOSAL_DAYS + 29)
    assert counts(await house.archive.plan(RULES)) == (1, 0, 0, 0)
    house.clock.pass_days(1)
    # What was declined goes with what was never answered, so that nothing tells them apart.
    plan = await house.archive.plan(RULES)
    assert (counts(plan), plan.run) == ((1, 2, 0, 0), None)
    assert len(await house.relationships.list_views(ADA)) == 4
    run = await house.archive.run(RULES)
    assert counts(run) == counts(plan)
    assert run.finished_at is not None
    assert {v.id for v in await house.relationships.list_views(ADA)} == {over, kept}
    away = await house.relationships.list_views(ADA, archived=True)
    assert {v.id for v in away} == {unanswered, declined}
    house.clock.pass_days(180)
    plan = await house.archive.plan(RULES)
    assert counts(plan) == counts(await house.archive.run(RULES)) == (0, 1, 0, 0)
    assert counts(await house.archive.run(RULES)) == (0, 0, 0, 0)


async def test_words_are_erased_and_numbers_stay(house: House) -> None:
    found = await ended(house, ADA, BEN)
    house.clock.pass_days(365)
    assert counts(await house.archive.run(RULES)) == (0, 1, 1, 0)
    (entry,) = [e for e in await house.relationships.timeline(found, ADA) if e.check_in]
    assert entry.check_in is not None
    assert (entry.check_in.text, entry.check_in.erased, entry.check_in.satisfaction) == (
        "",
        True,
        5,
    )


async def test_restored_within_the_window_and_gone_after_it(house: House) -> None:
    found = await ended(house, ADA, BEN)
    house.clock.pass_days(180)
    await house.archive.run(RULES)
    restored = await house.archive.restore(found)
    assert restored.archived_at is None
    assert await house.archive.restore(found) == restored
    assert counts(await house.archive.run(RULES)) == (0, 0, 0, 0)  # counts from today again
    house.clock.pass_days(180)
    assert counts(await house.archive.run(RULES)) == (0, 1, 0, 0)
    house.clock.pass_days(365)
    plan = await house.archive.plan(RULES)
    assert counts(await house.archive.run(RULES)) == counts(plan) == (0, 0, 1, 1)
    with pytest.raises(RelationshipNotFoundError):
        await house.archive.restore(found)
    assert await house.relationships.list_all() == []


async def test_a_run_that_was_broken_off_is_gone_on_with(house: House, database_url: str) -> None:
    for n in range(7):
        await ended(house, ADA, PersonId(f"p{n}"))
    house.clock.pass_days(200)

    def stop(report: ArchiveReport) -> None:
        if report.archived == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await house.archive.run(RULES, batch=2, progress=stop)
    (begun,) = await house.archive.reports()
    assert (begun.finished_at, begun.archived) == (None, 4)
    with psycopg.connect(database_url) as connection:
        put_away = connection.execute(
            "SELECT count(*) FROM relationship WHERE archived_at IS NOT NULL"
        ).fetchone()
    assert put_away == (4,)
    seen: list[ArchiveReport] = []
    # The rules that it began with hold for the rest of it.
    ended_run = await house.archive.run(
        RetentionRules(ended_days=10_000), batch=2, progress=seen.append
    )
    assert (ended_run.run, ended_run.archived) == (begun.run, 7)
    assert asdict(ended_run.rules) == asdict(RULES)
    assert [report.archived for report in seen] == sorted(report.archived for report in seen)
    assert await house.archive.reports() == [ended_run]


async def test_two_runs_at_once_do_everything_once(house: House) -> None:
    for n in range(9):
        await ended(house, ADA, PersonId(f"p{n}"))
    house.clock.pass_days(200)
    await asyncio.gather(*(house.archive.run(RULES, batch=2) for _ in range(3)))
    reports = await house.archive.reports()
    assert sum(report.archived for report in reports) == 9
    assert all(report.finished_at for report in reports)


async def test_rules_and_batches_have_bounds(house: House) -> None:
    with pytest.raises(InvalidInputError, match="archive_days is 1 to"):
        RetentionRules(archive_days=0)
    with pytest.raises(InvalidInputError, match="ended_days is 0 to"):
        RetentionRules(ended_days=-1)
    with pytest.raises(InvalidInputError, match="1 to 10000"):
        await house.archive.run(RULES, batch=0)
