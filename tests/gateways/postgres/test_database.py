"""Units of work against a real server, and what is said when it is not there."""

import socket
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from soullink.gateways.postgres.conninfo import connect, connection_parameters
from soullink.gateways.postgres.database import Database, open_database, outbox
from soullink.kernel.errors import InvalidInputError, UnavailableError
from soullink.kernel.events import Event

pytestmark = pytest.mark.anyio

PASSWORD = "hunter2-sesame"  # noqa: S105 - opens nothing


@dataclass(frozen=True, slots=True)
class LampLit(Event):
    name: ClassVar[str] = "tests.lamp_lit.v1"
    room: str


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as bound:  # bound and not listening: refused, and nobody else's
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


async def _recorded(database: Database) -> list[tuple[str, dict[str, str]]]:
    async with database.work() as work:
        rows = await work.session.execute(
            select(outbox.c.name, outbox.c.payload).order_by(outbox.c.id)
        )
        return [(row.name, row.payload) for row in rows]


async def test_an_event_commits_with_its_work(database: Database) -> None:
    async with database.work() as work:
        await work.publish(LampLit(room="厨房"))
    assert await _recorded(database) == [("tests.lamp_lit.v1", {"room": "厨房"})]


async def test_work_that_fails_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.work() as work:
            await work.publish(LampLit(room="hall"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await _recorded(database) == []


async def test_bugs_keep_their_own_exception(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.work() as work:
            await work.session.execute(text("INSERT INTO outbox (payload) VALUES ('{}')"))


async def test_commits_wait_for_the_disk_and_sessions_have_limits(database: Database) -> None:
    async with database.work() as work:
        # That a server of our own flushes (fsync) is test_embedded's to see: this one need not.
        names = ("synchronous_commit", "statement_timeout", "application_name")
        shown = [await work.session.scalar(text(f"SHOW {name}")) for name in names]
    assert shown == ["on", "1min", "soullink"]


async def test_a_connection_cut_in_the_middle_is_unavailable_and_the_next_work_runs(
    database: Database, postgres_url: str
) -> None:
    async def cut() -> None:
        async with database.work() as work:
            await work.publish(LampLit(room="hall"))
            _terminate(postgres_url, await work.session.scalar(select(func.pg_backend_pid())))
            await work.publish(LampLit(room="attic"))

    with pytest.raises(UnavailableError, match="in the middle of work"):
        await cut()
    async with database.work() as work:
        await work.publish(LampLit(room="cellar"))
    assert [payload for _, payload in await _recorded(database)] == [{"room": "cellar"}]


async def test_a_connection_cut_before_the_commit_is_unavailable(
    database: Database, postgres_url: str
) -> None:
    async def cut() -> None:
        async with database.work() as work:
            await work.publish(LampLit(room="hall"))
            _terminate(postgres_url, await work.session.scalar(select(func.pg_backend_pid())))

    with pytest.raises(UnavailableError):
        await cut()
    assert await _recorded(database) == []


async def test_an_idle_connection_that_was_cut_is_replaced_unnoticed(
    database: Database, postgres_url: str
) -> None:
    async with database.work() as work:
        pid = await work.session.scalar(select(func.pg_backend_pid()))
    _terminate(postgres_url, pid)
    assert await _recorded(database) == []


async def test_a_statement_beyond_its_time_is_unavailable(database_url: str) -> None:
    database = open_database(f"{database_url}&options=-c%20statement_timeout%3D50ms")
    try:
        with pytest.raises(UnavailableError, match="took too long"):
            async with database.work() as work:
                await work.session.execute(text("SELECT pg_sleep(20)"))
    finally:
        await database.close()


async def test_a_database_that_does_not_exist_is_unavailable(postgres_url: str) -> None:
    database = open_database(postgres_url.replace("/soullink?", "/nowhere?"))
    with pytest.raises(UnavailableError, match='"nowhere" does not exist'):
        async with database.work() as work:
            await work.session.execute(text("SELECT 1"))


async def test_a_refused_connection_is_one_sentence_without_the_password(closed_port: int) -> None:
    url = f"postgresql+psycopg://ann:{PASSWORD}@127.0.0.1:{closed_port}/soul"
    database = open_database(url)
    with pytest.raises(UnavailableError) as caught:
        async with database.work() as work:
            await work.session.execute(text("SELECT 1"))
    sentence = str(caught.value)
    assert sentence.startswith(f"Cannot connect to the database soul at 127.0.0.1:{closed_port}: ")
    assert "refused" in sentence.lower()
    assert "\n" not in sentence
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in repr(database)
    assert PASSWORD not in repr(database.engine)


def test_the_blocking_connection_says_the_same(closed_port: int) -> None:
    parameters = connection_parameters(f"postgres://ann:{PASSWORD}@127.0.0.1:{closed_port}/soul")
    with pytest.raises(UnavailableError, match=r"soul at 127\.0\.0\.1") as caught:
        connect(parameters)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_a_socket_that_is_not_there_is_named() -> None:
    parameters = connection_parameters("postgresql:///soul?host=/nonexistent")
    with pytest.raises(UnavailableError, match="soul at /nonexistent: No such file"):
        connect(parameters)


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://ann:{PASSWORD}@host/soul",
        f"{PASSWORD}",
        f"postgresql://ann:x@{PASSWORD}@host/soul",
        f"postgresql://ann:x/{PASSWORD}@host/soul",
        f"postgresql://ann:%zz{PASSWORD}@host/soul",
        f"postgresql://ann:x@host/soul?{PASSWORD}=1",
        f"postgresql://ann:{PASSWORD}/soul",
        f"postgresql://ann:{PASSWORD}%00@host/soul",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        open_database(url)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
async def test_every_usual_scheme_connects(database_url: str, scheme: str) -> None:
    database = open_database(database_url.replace("postgresql", scheme, 1))
    try:
        assert await _recorded(database) == []
    finally:
        await database.close()


def test_what_the_url_says_wins_over_our_defaults() -> None:
    parameters = connection_parameters("postgresql://h/d?connect_timeout=9&application_name=mine")
    assert (parameters["connect_timeout"], parameters["application_name"]) == ("9", "mine")


def _terminate(url: str, pid: int | None) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        # Waits until it is gone.
        assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)
