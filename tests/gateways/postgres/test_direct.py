"""Prepared statements over one connection: transactions, errors, losses, who waits meanwhile."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from soullink.gateways.postgres.database import Database, open_database
from soullink.gateways.postgres.direct import Direct
from soullink.kernel.errors import UnavailableError

pytestmark = pytest.mark.anyio

WORDS = "SELECT $1::text || ' ' || $2::text, NULL"
LIT = "INSERT INTO outbox (name, payload) VALUES ($1, $2::jsonb)"
ALL = "SELECT name FROM outbox ORDER BY id"
PID = "SELECT pg_backend_pid()"


async def test_rows_come_as_text_and_in_the_order_of_the_statements(database: Database) -> None:
    found = await database.direct.run((WORDS, (b"a", b"b")), ("SELECT 1 WHERE false", ()))
    assert found == [[(b"a b", None)], []]


async def test_many_ask_at_one_time_and_each_has_its_own_answer(database: Database) -> None:
    asked = [database.direct.run((WORDS, (b"%d" % n, b"x" * n * 1000))) for n in range(50)]
    answers = await asyncio.gather(*asked)
    assert [len(rows[0][0][0] or b"") for rows in answers] == [
        len(f"{n} ") + n * 1000 for n in range(50)
    ]


async def test_statements_asked_together_are_one_transaction(database: Database) -> None:
    good = (LIT, (b"one", b"{}"))
    with pytest.raises(psycopg.DataError):
        await database.direct.run(good, (LIT, (b"two", b"{")))
    assert await database.direct.run((ALL, ())) == [[]]
    # What was refused is known well enough to be asked again, beside what is asked for by others.
    first, second = await asyncio.gather(
        database.direct.run(good),
        database.direct.run((LIT, (b"two", b"{")), good),
        return_exceptions=True,
    )
    assert first == [[]]
    assert isinstance(second, psycopg.DataError)
    assert await database.direct.run((ALL, ())) == [[(b"one",)]]


async def test_a_statement_that_cannot_be_prepared_is_refused_each_time(
    database: Database,
) -> None:
    for _ in range(2):
        with pytest.raises(psycopg.errors.UndefinedTable):
            await database.direct.run(("SELECT * FROM nowhere", ()))
    assert await database.direct.run((WORDS, (b"a", b"b"))) == [[(b"a b", None)]]


async def test_who_is_cancelled_leaves_the_answers_of_others_alone(database: Database) -> None:
    asked = [asyncio.ensure_future(database.direct.run((WORDS, (b"a", b"b")))) for _ in range(3)]
    await asyncio.sleep(0)
    asked[1].cancel()
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(end, asyncio.CancelledError) for end in ends] == [False, True, False]


def terminate(url: str, pid: bytes | None) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (int(pid or 0),))


async def test_an_idle_connection_that_was_cut_is_replaced_unnoticed(
    database: Database, postgres_url: str
) -> None:
    for _ in range(2):
        ((pid,),) = (await database.direct.run((PID, ())))[0]
        terminate(postgres_url, pid)
        assert (await database.direct.run((PID, ())))[0] != [(pid,)]


async def test_a_connection_cut_in_the_middle_is_unavailable_to_all_who_wait(
    database: Database, postgres_url: str
) -> None:
    ((pid,),) = (await database.direct.run((PID, ())))[0]
    waiting = [
        asyncio.ensure_future(database.direct.run(("SELECT pg_sleep(20)", ()))) for _ in range(2)
    ]
    await asyncio.sleep(0.05)
    await asyncio.to_thread(terminate, postgres_url, pid)
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(end) for end in ends] == [UnavailableError, UnavailableError]
    assert "in the middle of work" in str(ends[0])
    assert await database.direct.run((WORDS, (b"a", b"b"))) == [[(b"a b", None)]]


async def test_a_statement_beyond_its_time_is_unavailable(database_url: str) -> None:
    other = open_database(f"{database_url}&options=-c%20statement_timeout%3D50ms")
    try:
        with pytest.raises(UnavailableError, match="took too long"):
            await other.direct.run(("SELECT pg_sleep(20)", ()))
    finally:
        await other.close()


async def test_a_server_that_is_not_there_is_unavailable_and_asked_anew(tmp_path: Path) -> None:
    direct = Direct({"host": str(tmp_path), "dbname": "soul"})
    for _ in range(2):
        with pytest.raises(UnavailableError, match="Cannot connect to the database soul"):
            await direct.run((PID, ()))
    await direct.close()


async def test_what_the_socket_does_not_take_at_once_arrives(database: Database) -> None:
    text = b"x" * 8_000_000
    rows = await asyncio.gather(*(database.direct.run((WORDS, (text, b"y"))) for _ in range(3)))
    assert [len(found[0][0][0] or b"") for found in rows] == [len(text) + 2] * 3


async def test_it_can_be_used_again_after_it_was_closed(database: Database) -> None:
    ((pid,),) = (await database.direct.run((PID, ())))[0]
    await database.direct.close()
    assert (await database.direct.run((PID, ())))[0] != [(pid,)]
