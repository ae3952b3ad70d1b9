"""Two people's way on a real database: what is recorded, published and shown to whom."""

import asyncio
import random
from datetime import timedelta
from itertools import pairwise
from typing import Any, cast
from uuid import UUID

import psycopg
import pytest

from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import PersonId
from soullink.modules.relationships.api import (
    STATES,
    MissingConsentError,
    MoveNotPossibleError,
    ProposalNotPossibleError,
    RelationshipId,
    RelationshipNotFoundError,
    StaleMoveError,
    State,
    TooEarlyError,
)
from soullink.modules.relationships.service import AGAIN_DAYS, PROPOSAL_DAYS
from tests.relationships.conftest import ADA, BEN, CHEN, House, names_ada

pytestmark = pytest.mark.anyio

WORDS = "canary-words"


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def published(url: str) -> list[tuple[str, Any]]:
    return rows(url, "SELECT name, payload FROM outbox ORDER BY id")


async def test_from_a_proposal_to_an_end(house: House, database_url: str) -> None:
    way = ("accepted", "met", "dating", "together")
    found = await house.couple(*way)
    paused = await house.relationships.move(found, BEN, "paused")
    assert (paused.state, paused.moves) == (
        "paused",
        {"together": "both", "ended": "one", "blocked": "one"},
    )
    await house.relationships.move(found, ADA, "together")
    waiting = await house.relationships.view(found, ADA)
    assert (waiting.state, waiting.you_want) == ("paused", "together")
    assert (await house.relationships.view(found, BEN)).you_want is None
    await house.relationships.move(found, BEN, "together")
    ended = await house.relationships.move(found, ADA, "ended", seen="paused")
    assert (ended.state, ended.moves, ended.other) == ("ended", {}, BEN)
    changes = [
        (p["before"], p["state"], p["people"])
        for name, p in published(database_url)
        if name == "relationships.moved.v1"
    ]
    order = ["proposed", *way, "paused", "together", "ended"]
    assert changes == [(a, b, ["ada", "ben"]) for a, b in pairwise(order)]
    told = [(e.kind, e.by, e.state) for e in await house.relationships.timeline(found, BEN)]
    assert told == [
        ("state", None, "proposed"),
        ("wish", "you", "accepted"),
        ("state", "both", "accepted"),
        ("state", "other", "met"),
        ("wish", "you", "dating"),
        ("state", "both", "dating"),
        ("wish", "you", "together"),
        ("state", "both", "together"),
        ("state", "you", "paused"),
        ("wish", "you", "together"),
        ("state", "both", "together"),
        ("state", "other", "ended"),
    ]


async def test_a_proposal_needs_two_people_who_agreed_to_be_matched(house: House) -> None:
    await house.agree(ADA)
    with pytest.raises(MissingConsentError, match="Both people"):
        await house.relationships.propose(ADA, BEN)
    await house.agree(BEN)
    for first, second, by in ((ADA, ADA, None), (ADA, BEN, CHEN), (PersonId(" "), BEN, None)):
        with pytest.raises(InvalidInputError):
            await house.relationships.propose(first, second, by=by)
    both = await asyncio.gather(
        *(house.relationships.propose(*pair) for pair in ((ADA, BEN), (BEN, ADA)))
    )
    assert both[0] == both[1]
    assert len(await house.relationships.list_all()) == 1


async def test_who_proposes_has_accepted_and_the_other_is_not_told(house: House) -> None:
    await house.agree(ADA, BEN)
    found = await house.relationships.propose(ADA, BEN, by=BEN)
    assert (await house.relationships.view(found.id, BEN)).you_want == "accepted"
    seen = await house.relationships.view(found.id, ADA)
    assert (seen.state, seen.you_want) == ("proposed", None)
    assert [e.kind for e in await house.relationships.timeline(found.id, ADA)] == ["state"]
    assert (await house.relationships.move(found.id, ADA, "accepted")).state == "accepted"


async def test_nobody_learns_who_declined(house: House, database_url: str) -> None:
    """Ben said no to Ada; Chen never answered. Ada sees the same of both, to the second."""
    silent = await house.couple(people=(ADA, CHEN))
    declined = await house.couple()
    await house.relationships.move(declined, BEN, "declined")
    for answer in (None, "accepted"):
        for found in (silent, declined):
            if answer is not None:
                await house.relationships.move(found, ADA, cast("State", answer))
        views = [await house.relationships.view(found, ADA) for found in (silent, declined)]
        assert {(v.state, v.you_want, tuple(v.moves)) for v in views} == {
            ("proposed", answer, ("accepted", "declined", "blocked"))
        }
        lines = [await house.relationships.timeline(found, ADA) for found in (silent, declined)]
        assert [[(e.kind, e.by, e.state) for e in line] for line in lines] == [
            [(e.kind, e.by, e.state) for e in lines[0]]
        ] * 2
    for other in (BEN, CHEN):
        assert (await house.relationships.propose(ADA, CHEN)).id == silent
        assert (await house.relationships.view(declined, BEN)).state == "declined"
        assert other not in await house.relationships.blocked_with(ADA)
    house.clock.pass_days(PROPOSAL_DAYS)
    views = [await house.relationships.view(found, ADA) for found in (silent, declined)]
    assert [(v.state, v.since - v.since.replace(microsecond=0)) for v in views] == [
        ("expired", timedelta(0))
    ] * 2
    lines = [await house.relationships.timeline(found, ADA) for found in (silent, declined)]
    assert [[(e.kind, e.by, e.state) for e in line] for line in lines] == [
        [("state", None, "proposed"), ("wish", "you", "accepted"), ("state", None, "expired")]
    ] * 2
    refused = []
    for other in (BEN, CHEN):
        with pytest.raises(ProposalNotPossibleError) as caught:
            await house.relationships.propose(ADA, other)
        refused.append(str(caught.value))
    assert len(set(refused)) == 1
    assert "declined" not in str([p for n, p in published(database_url) if "by" in p])
    house.clock.pass_days(AGAIN_DAYS)
    assert len({(await house.relationships.propose(ADA, other)).id for other in (BEN, CHEN)}) == 2


async def test_a_block_closes_what_is_open_and_no_proposal_comes_again(
    house: House, database_url: str
) -> None:
    found = await house.couple("accepted", "met")
    await house.relationships.block(BEN, ADA)
    await house.relationships.block(BEN, ADA)
    assert (await house.relationships.view(found, BEN)).state == "blocked"
    assert (await house.relationships.view(found, ADA)).state == "ended"
    closing = (await house.relationships.timeline(found, ADA))[-1]
    assert (closing.by, closing.state) == ("other", "ended")
    assert await house.relationships.blocked_with(ADA) == {BEN}
    house.clock.pass_days(1000)
    for pair in ((ADA, BEN), (BEN, ADA)):
        with pytest.raises(ProposalNotPossibleError):
            await house.relationships.propose(*pair)
    names = [name for name, _ in published(database_url)]
    assert names.count("relationships.blocked.v1") == 1
    # Before anything was between them, and by a move, it is the same.
    await house.relationships.block(ADA, CHEN)
    await house.agree(ADA, CHEN)
    with pytest.raises(ProposalNotPossibleError):
        await house.relationships.propose(ADA, CHEN)


async def test_a_block_is_taken_back_by_whoever_made_it_alone(
    house: House, database_url: str
) -> None:
    found = await house.couple("accepted", "met")
    await house.relationships.block(BEN, ADA)
    await house.relationships.unblock(ADA, BEN)  # it is not Ada's to take back
    assert await house.relationships.blocked_with(ADA) == {BEN}
    await house.relationships.block(ADA, BEN)
    await house.relationships.unblock(BEN, ADA)
    await house.relationships.unblock(BEN, ADA)
    assert await house.relationships.blocked_with(BEN) == {ADA}  # Ada's own stands
    await house.relationships.unblock(ADA, BEN)
    assert await house.relationships.blocked_with(BEN) == frozenset()
    names = [name for name, _ in published(database_url)]
    assert names.count("relationships.unblocked.v1") == 2
    assert (await house.relationships.view(found, ADA)).state == "ended"  # nothing opens again
    with pytest.raises(ProposalNotPossibleError):
        await house.relationships.propose(ADA, BEN)
    house.clock.pass_days(AGAIN_DAYS)
    assert (await house.relationships.propose(ADA, BEN)).id != found
    with pytest.raises(InvalidInputError, match="two different people"):
        await house.relationships.unblock(ADA, ADA)


async def test_a_block_of_somebody_who_declined_is_seen_by_its_side_alone(house: House) -> None:
    found = await house.couple()
    await house.relationships.move(found, BEN, "declined")
    await house.relationships.block(ADA, BEN)
    assert (await house.relationships.view(found, ADA)).state == "blocked"
    assert (await house.relationships.view(found, BEN)).state == "declined"


async def test_strangers_and_wrong_moves_are_refused(house: House) -> None:
    found = await house.couple("accepted")
    with pytest.raises(RelationshipNotFoundError):
        await house.relationships.view(found, CHEN)
    with pytest.raises(RelationshipNotFoundError):
        await house.relationships.move(RelationshipId(UUID(int=1)), ADA, "met")
    with pytest.raises(MoveNotPossibleError, match="met, ended, blocked"):
        await house.relationships.move(found, ADA, "together")
    with pytest.raises(StaleMoveError):
        await house.relationships.move(found, ADA, "met", seen="proposed")
    with pytest.raises(InvalidInputError, match="no state"):
        await house.relationships.move(found, ADA, cast("State", "married"))


async def test_check_ins_are_private_dated_and_one_a_day(house: House) -> None:
    found = await house.couple("accepted")
    with pytest.raises(TooEarlyError):
        await house.relationships.check_in(found, ADA, 7, 2)
    await house.relationships.move(found, ADA, "met")
    first = await house.relationships.check_in(found, ADA, 7, 2, f" {WORDS} ")
    assert first.text == WORDS
    assert await house.relationships.check_in(found, ADA, 7, 2, WORDS) == first
    again = await house.relationships.check_in(found, ADA, 6, 2, WORDS)
    assert again.satisfaction == 6
    for satisfaction, tension, text in ((11, 0, ""), (0, -1, ""), (5, 5, "x" * 4001)):
        with pytest.raises(InvalidInputError):
            await house.relationships.check_in(found, ADA, satisfaction, tension, text)
    await house.relationships.tell_outcome(found, ADA, would_meet_again=False)
    own = await house.relationships.timeline(found, ADA)
    assert [e.kind for e in own][-2:] == ["check_in", "outcome"]
    shown = str(await house.relationships.timeline(found, BEN))
    assert WORDS not in shown
    assert "'check_in'" not in shown
    assert "'outcome'" not in shown
    assert WORDS not in str(await house.relationships.view(found, BEN))
    trends = await house.relationships.trends(found, BEN)
    assert (trends.satisfaction.answers, trends.satisfaction.direction) == (0, "too_few")


async def test_each_side_is_asked_when_its_own_time_has_come(house: House) -> None:
    found = await house.couple("accepted", "met", "dating")
    assert await house.relationships.due_check_ins() == []
    house.clock.pass_days(14)
    assert [d.person for d in await house.relationships.due_check_ins()] == [ADA, BEN]
    await house.relationships.check_in(found, BEN, 8, 1)
    assert [d.person for d in await house.relationships.due_check_ins()] == [ADA]
    assert await house.relationships.due_check_ins(BEN) == []
    house.clock.pass_days(14)
    due = await house.relationships.due_check_ins()
    assert [d.person for d in due] == [ADA, BEN]
    await house.relationships.move(found, ADA, "paused")
    assert await house.relationships.due_check_ins() == []
    await house.relationships.move(found, ADA, "ended")
    with pytest.raises(MoveNotPossibleError, match="over"):
        await house.relationships.check_in(found, ADA, 1, 1)


async def test_a_trend_is_told_to_its_side(house: House) -> None:
    found = await house.couple("accepted", "met", "dating")
    for satisfaction in (9, 8, 6, 5, 3, 2):
        house.clock.pass_days(14)
        await house.relationships.check_in(found, ADA, satisfaction, 2)
        await house.relationships.check_in(found, BEN, 7, 10 - satisfaction)
    ada = await house.relationships.trends(found, ADA)
    ben = await house.relationships.trends(found, BEN)
    assert [t.direction for t in (ada.satisfaction, ada.tension)] == ["falling", "no_change_seen"]
    assert [t.direction for t in (ben.satisfaction, ben.tension)] == ["no_change_seen", "rising"]


async def test_the_outcome_waits_for_the_meeting_and_the_last_answer_counts(house: House) -> None:
    found = await house.couple("accepted")
    with pytest.raises(TooEarlyError):
        await house.relationships.tell_outcome(found, ADA, would_meet_again=True)
    await house.relationships.move(found, ADA, "met")
    await house.relationships.move(found, BEN, "ended")
    told = await house.relationships.tell_outcome(found, ADA, would_meet_again=True)
    assert await house.relationships.tell_outcome(found, ADA, would_meet_again=True) == told
    changed = await house.relationships.tell_outcome(found, ADA, would_meet_again=False)
    assert changed.answered_at > told.answered_at


async def test_many_moves_at_once_leave_one_history(house: House, database_url: str) -> None:
    """What is recorded leads from state to state, whoever came first."""
    draws = random.Random(4)  # noqa: S311 - which moves is no secret
    found = await house.couple("accepted")

    async def tries(person: PersonId, to: State) -> None:
        try:
            await house.relationships.move(found, person, to)
        except (MoveNotPossibleError, StaleMoveError):
            return

    lively = [state for state in STATES if state not in {"ended", "blocked"}]
    for _ in range(10):
        await asyncio.gather(
            *(tries(person, draws.choice(lively)) for person in (ADA, BEN) for _ in range(4))
        )
    await asyncio.gather(tries(ADA, "ended"), tries(BEN, "blocked"))
    steps = rows(
        database_url,
        "SELECT before, state FROM relationship_move WHERE kind = 'state' ORDER BY id",
    )
    assert [before for before, _ in steps[1:]] == [state for _, state in steps[:-1]]
    assert steps[-1][1] in {"ended", "blocked"}
    moved = [p for n, p in published(database_url) if n == "relationships.moved.v1"]
    assert [(p["before"], p["state"]) for p in moved] == steps[1:]


async def test_forgetting_takes_the_person_out_and_leaves_the_other_their_own(
    house: House, database_url: str
) -> None:
    found = await house.couple("accepted", "met", "dating")
    open_one = await house.couple(people=(ADA, CHEN))
    for person in (ADA, BEN):
        await house.relationships.check_in(found, person, 5, 5, f"{WORDS} of {person}")
        await house.relationships.tell_outcome(found, person, would_meet_again=True)
    await house.relationships.move(found, ADA, "together")
    await house.relationships.block(ADA, PersonId("dora"))
    assert await house.relationships.forget(ADA) == 2
    assert await house.relationships.forget(ADA) == 0
    view = await house.relationships.view(found, BEN)
    assert (view.other, view.state, view.you) == (None, "ended", BEN)
    assert (await house.relationships.view(open_one, CHEN)).state == "expired"
    own = await house.relationships.timeline(found, BEN)
    assert [e.check_in.text for e in own if e.check_in] == [f"{WORDS} of ben"]
    with pytest.raises(RelationshipNotFoundError):
        await house.relationships.view(found, ADA)
    with psycopg.connect(database_url) as connection:
        # The outbox holds what is not delivered yet; consents are identity's to forget.
        connection.execute("DELETE FROM outbox WHERE payload::text NOT LIKE '%null%'")
        connection.execute("DELETE FROM consent")
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (table,) in tables:
            text = connection.execute(
                f"SELECT string_agg(t::text, ' ') FROM {table} t".encode()  # noqa: S608 - ours
            ).fetchone()
            assert not names_ada(text), table
    await house.relationships.forget(BEN)
    assert [r.id for r in await house.relationships.list_all()] == [open_one]


async def test_pages_and_lists(house: House) -> None:
    people = [PersonId(f"p{n}") for n in range(5)]
    made = [await house.couple(people=(ADA, person)) for person in people]
    page = await house.relationships.list_all(3)
    assert [r.id for r in page] == made[:1:-1]
    rest = await house.relationships.list_all(3, page[-1].id)
    assert [r.id for r in rest] == made[1::-1]
    await house.relationships.move(made[0], ADA, "declined")
    assert [r.id for r in await house.relationships.list_all(state="declined")] == [made[0]]
    assert [v.id for v in await house.relationships.list_views(people[2])] == [made[2]]
    assert len(await house.relationships.list_views(ADA)) == 5
