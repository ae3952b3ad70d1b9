"""Answers return to training with consent, under other names, and can be called back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.gateways.postgres.database import Database
from soullink.kernel.ids import PersonId
from soullink.modules.identity.api import Consents, Purpose
from soullink.modules.profiles.api import PersonForgotten
from soullink.modules.relationships.api import FeedbackExport, FeedbackRow, RelationshipId
from soullink.modules.relationships.domain.feedback import name_under, phase_of
from soullink.modules.relationships.feedback import StoredFeedback
from tests.relationships.conftest import ADA, BEN, House, names_ada

MEETING = datetime(2026, 5, 1, 19, tzinfo=UTC)


async def dated(house: House) -> RelationshipId:
    found = await house.couple("accepted", "met")
    for person, again in ((ADA, True), (BEN, False)):
        await house.relationships.check_in(found, person, 7, 3, "canary-words")
        await house.relationships.tell_outcome(found, person, would_meet_again=again)
    return found


@dataclass(frozen=True)
class Exported:
    """An export with its rows."""

    export: FeedbackExport
    rows: list[FeedbackRow]

    @property
    def raters(self) -> set[str]:
        return {row.rater for row in self.rows}


async def exported(house: House, page: int = 1) -> Exported:
    rows: list[FeedbackRow] = []
    export = await house.feedback.export(rows.extend, page=page)
    assert export.rows == len(rows)
    return Exported(export, rows)


@pytest.mark.anyio
async def test_without_consent_nothing_leaves_and_one_sides_consent_gives_that_side_alone(
    house: House,
) -> None:
    await dated(house)
    assert (await exported(house)).rows == []
    await house.consents.grant(ADA, "training")
    export = await exported(house)
    assert [(row.kind, row.value, row.phase, row.target_only) for row in export.rows] == [
        ("said_yes", 1, "before_meeting", False),
        ("satisfaction", 7, "after_meeting", True),
        ("tension", 3, "after_meeting", True),
        ("would_meet_again", 1, "after_meeting", True),
    ]
    assert {row.partner for row in export.rows} == {None}
    assert export.export.people == len(export.raters) == 1
    assert "canary" not in str(export)
    assert not names_ada(export)
    await house.consents.grant(BEN, "training")
    both = await exported(house)
    assert (len(both.rows), both.export.people) == (8, 2)
    assert {(row.rater, row.partner) for row in both.rows} == {
        (one, other) for one in both.raters for other in both.raters if one != other
    }
    assert not export.raters & both.raters  # other names in every export


@pytest.mark.anyio
async def test_a_declined_proposal_is_an_answer_before_any_meeting(house: House) -> None:
    found = await house.couple()
    await house.relationships.move(found, ADA, "accepted")
    await house.relationships.move(found, ADA, "declined")
    await house.consents.grant(ADA, "training")
    (row,) = (await exported(house)).rows
    assert (row.kind, row.value, row.met_on, row.phase) == ("said_yes", 0, None, "before_meeting")
    assert row.answered_on == house.clock.time.date()


@pytest.mark.anyio
async def test_consent_withdrawn_leaves_later_exports_at_once_and_earlier_ones_by_the_manifest(
    house: House,
) -> None:
    await dated(house)
    for person in (ADA, BEN):
        await house.consents.grant(person, "training")
    first = await exported(house)
    second = await exported(house)
    (ada,) = {row.rater for row in first.rows if row.kind == "would_meet_again" and row.value}
    await house.consents.withdraw(ADA, "training")
    # Before any event is delivered.
    later = await exported(house)
    assert (len(later.rows), later.export.people) == (4, 1)
    assert later.export.delete == []
    await house.relay.drain()
    await house.relay.drain()
    due = await house.feedback.erasures()
    assert {(e.export, e.reason) for e in due} == {
        (first.export.id, "withdrawn"),
        (second.export.id, "withdrawn"),
    }
    assert ada in {e.name for e in due if e.export == first.export.id}
    assert (await exported(house)).export.delete == due
    # Consent given again counts for what comes; what was called back stays called back.
    await house.consents.grant(ADA, "training")
    assert (await exported(house)).export.people == 2
    assert await house.feedback.erasures() == due
    # Another purpose is no matter of training.
    await house.consents.withdraw(BEN, "matching")
    await house.relay.drain()
    assert await house.feedback.erasures() == due


@pytest.mark.anyio
async def test_a_forgotten_person_is_called_back_and_their_name_is_nowhere(
    house: House, database: Database, database_url: str
) -> None:
    await dated(house)
    await house.consents.grant(ADA, "training")
    export = await exported(house)
    async with database.work() as work:
        await work.publish(PersonForgotten(person_id="ada"))
    done = await house.relay.drain()
    assert (done.failed, await house.relay.waiting()) == (0, [])
    (erasure,) = await house.feedback.erasures()
    assert (erasure.export, erasure.reason) == (export.export.id, "forgotten")
    assert {erasure.name} == export.raters
    with psycopg.connect(database_url) as connection:
        for table in ("relationship", "relationship_move", "feedback_export_name", "outbox"):
            text = connection.execute(
                f"SELECT string_agg(t::text, ' ') FROM {table} t".encode()  # noqa: S608 - ours
            ).fetchone()
            assert not names_ada(text), table
    assert (await exported(house)).rows == []


@pytest.mark.anyio
async def test_who_takes_consent_back_in_the_middle_of_an_export_is_left_out_or_called_back(
    house: House,
) -> None:
    await dated(house)
    await house.couple("accepted", people=(ADA, PersonId("zoe")))
    await house.consents.grant(ADA, "training")
    given: list[FeedbackRow] = []
    changed = False
    holders = house.consents.holders

    async def asked(people: Collection[PersonId], purpose: Purpose) -> frozenset[PersonId]:
        """Answer, and then have Ada change her mind and everybody be told, once."""
        nonlocal changed
        answer = await holders(people, purpose)
        if not changed and purpose == "training":
            changed = True
            await house.consents.withdraw(ADA, "training")
            await house.relay.drain()
        return answer

    class Changing:
        holders = staticmethod(asked)

    feedback = StoredFeedback(house.database, house.clock, cast("Consents", Changing()))
    export = await feedback.export(given.extend, page=1)
    # She was told of before her name was on record; so no row may hold it.
    assert (given, export.rows, export.delete) == ([], 0, [])


@given(st.integers(-10_000, 10_000), st.booleans())
def test_nothing_told_after_a_meeting_is_ever_marked_as_before_it(seconds: int, met: bool) -> None:
    at = MEETING + timedelta(seconds=seconds)
    phase = phase_of(at, MEETING if met else None)
    assert phase == ("before_meeting" if not met or at < MEETING else "after_meeting")


def test_names_depend_on_the_salt_and_on_the_person() -> None:
    salts = [bytes([n]) * 32 for n in range(3)]
    names = {name_under(salt, person) for salt in salts for person in ("ada", "ben")}
    assert len(names) == 6
    assert {len(name) for name in names} == {32}
