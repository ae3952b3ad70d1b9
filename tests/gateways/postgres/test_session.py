"""Statements of one transaction: savepoints, streams, and what a cancellation leaves behind."""

import asyncio

import pytest
from sqlalchemy import QueuePool, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from soullink.gateways.postgres.database import Database, Work, outbox

pytestmark = pytest.mark.anyio

SLOW_COMMIT = """
CREATE TEMPORARY TABLE slow (n int) ON COMMIT DROP;
CREATE FUNCTION pg_temp.wait() RETURNS trigger LANGUAGE plpgsql
  AS 'BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION pg_temp.wait();
INSERT INTO slow VALUES (1)
"""


def _taken(database: Database) -> int:
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


async def _fail_within(work: Work) -> None:
    async with work.session.begin_nested():
        await work.session.execute(insert(outbox).values(name="within", payload={}))
        await work.session.execute(text("INSERT INTO outbox (payload) VALUES ('{}')"))


async def _names(database: Database) -> list[str]:
    async with database.work() as work:
        return list((await work.session.execute(select(outbox.c.name))).scalars())


async def test_a_savepoint_undoes_only_what_failed_within(database: Database) -> None:
    async with database.work() as work:
        await work.session.execute(insert(outbox).values(name="before", payload={}))
        with pytest.raises(IntegrityError):
            await _fail_within(work)
        async with work.session.begin_nested():
            await work.session.execute(insert(outbox).values(name="after", payload={}))
    assert await _names(database) == ["before", "after"]


async def test_a_stream_hands_out_every_row_in_parts(database: Database) -> None:
    numbers = select(func.generate_series(1, 10).column_valued("n"))
    async with database.work() as work:
        parts = [[row[0] for row in part] async for part in work.session.stream(numbers, 4)]
        assert await work.session.scalar(text("SELECT 1")) == 1, "the session goes on"
    assert parts == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]


async def test_a_connection_is_taken_by_the_first_statement(database: Database) -> None:
    async with database.work() as work:
        assert _taken(database) == 0
        await work.session.execute(text("SELECT 1"))
        assert _taken(database) == 1
    assert _taken(database) == 0


async def test_one_who_is_cancelled_leaves_nothing_behind(database: Database) -> None:
    begun = asyncio.Event()

    async def long() -> None:
        async with database.work() as work:
            await work.session.execute(insert(outbox).values(name="lost", payload={}))
            begun.set()
            await work.session.execute(text("SELECT pg_sleep(30)"))

    task = asyncio.ensure_future(long())
    await begun.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _taken(database) == 0
    assert await _names(database) == []


async def test_a_commit_on_its_way_is_not_torn(database: Database) -> None:
    """Who is cancelled while it commits learns that afterwards."""
    committing = asyncio.Event()

    async def write() -> None:
        async with database.work() as work:
            await work.session.execute(insert(outbox).values(name="kept", payload={}))
            await work.session.execute(text(SLOW_COMMIT))
            committing.set()

    task = asyncio.ensure_future(write())
    await committing.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _taken(database) == 0
    assert await _names(database) == ["kept"]
