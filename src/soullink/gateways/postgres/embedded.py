"""A PostgreSQL server of our own: started by the first process, stopped by the last."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final

import platformdirs
from psycopg import sql

from soullink.gateways.postgres import postmaster
from soullink.gateways.postgres.conninfo import connect, connection_parameters
from soullink.gateways.postgres.postmaster import Postmaster, Programs
from soullink.gateways.postgres.server_account import ServerAccount, choose_account
from soullink.kernel.errors import ConflictError, UnavailableError

DATABASE: Final = "soullink"
_TURN_TIMEOUT_SECONDS: Final = 360.0  # longer than a start may take
_REMOVAL_SECONDS: Final = 5.0
_ELSEWHERE: Final = "choose another folder with --data-dir or SOULLINK_DATA_DIR"


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Return SOULLINK_DATA_DIR, or else `soullink` in the user's data home."""
    named = environ.get("SOULLINK_DATA_DIR", "").strip()
    if named:
        return Path(named).expanduser()
    return platformdirs.user_data_path("soullink", appauthor=False)


class EmbeddedPostgres:
    """The server whose files are in `data_dir`/postgres, shared by all who start it.

    Two locks, which the kernel drops when a process dies however it dies:
    `postgres.lock` is held while starting or stopping, `postgres.holders` is shared by
    everyone who uses the server. Whoever can have the second one alone is the last.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self.cluster = self.data_dir / "postgres"
        self._holder: int | None = None

    def start(self) -> str:
        """Start or join the server and return its URL. Blocks; calling it again is no harm.

        Calling it again after the server was killed starts it anew, with what was committed.
        Raises UnavailableError, or ConflictError when the files are of another PostgreSQL.
        """
        with self._plainly():
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._turn():
                self._hold()
                try:
                    return self._url(self._running() or self._launch())
                except BaseException:  # Ctrl-C too: nothing may be left running
                    self._let_go()
                    raise

    def stop(self) -> bool:
        """Leave the server; stop it if nobody else is there. Return whether it is stopped."""
        if not self.data_dir.is_dir():
            return True
        with self._plainly(), self._turn():
            self._hold()
            return self._let_go()

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UnavailableError(
                f"The database in {self.data_dir} cannot be used"
                f" ({error.strerror or error}): {_ELSEWHERE}."
            ) from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until nobody else is starting or stopping this server."""
        lock = self._open("postgres.lock")
        try:
            deadline = time.monotonic() + _TURN_TIMEOUT_SECONDS
            while not _locked(lock, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise UnavailableError(
                        f"Another process has been starting or stopping the database in"
                        f" {self.data_dir} for {_TURN_TIMEOUT_SECONDS / 60:.0f} minutes; look for"
                        " it and end it."
                    )
                time.sleep(0.01)
            yield
        finally:
            os.close(lock)

    def _hold(self) -> None:
        if self._holder is None:
            self._holder = self._open("postgres.holders")
        _locked(self._holder, fcntl.LOCK_SH)  # never refused: only the turn's owner goes further

    def _alone(self) -> bool:
        return self._holder is not None and _locked(self._holder, fcntl.LOCK_EX)

    def _let_go(self) -> bool:
        if self._holder is None:
            return False
        try:
            last = self._alone()
            if last:
                self._end()
            return last
        finally:
            os.close(self._holder)
            self._holder = None

    def _open(self, name: str) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.data_dir / name, flags, 0o600)
        if os.geteuid() == 0:
            # Root must not leave locks in a user's folder that the user cannot open.
            owner = self.data_dir.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        return descriptor

    def _running(self) -> Postmaster | None:
        """Return the server that runs, waiting for one that starts or stops just now."""
        server = postmaster.find(self.cluster)
        if server is None or _answers(server):
            return server
        if not self._alone():
            self._hold()
            raise UnavailableError(
                f"The database server of {self.data_dir} (process {server.pid}) runs but does not"
                " answer; end what uses it and try again."
            )
        # Alone with a server that nobody can reach, its socket swept away for example.
        self._end()
        self._hold()
        return None

    def _end(self) -> None:
        server = postmaster.find(self.cluster)
        if server is not None:
            postmaster.stop(server, self.cluster, answers=_answers(server))
            self._sweep(server.socket_dir)

    def _launch(self) -> Postmaster:
        programs = Programs.installed()
        for leftover in self.data_dir.glob("postgres.new-*"):
            # A killed process's initdb may still write to it; then the next start removes it.
            shutil.rmtree(leftover, ignore_errors=True)
        if not (self.cluster / "PG_VERSION").exists():
            self._create(programs)
        found = (self.cluster / "PG_VERSION").read_text().strip()
        if found != str(programs.major):
            raise ConflictError(
                f"The database in {self.cluster} was made by PostgreSQL {found}, this is"
                f" {programs.major}: bring it over with pg_dump and psql, or {_ELSEWHERE}."
            )
        account = choose_account(self.cluster)
        account.let_run(programs.root)
        account.let_reach(self.cluster)
        stale = postmaster.forget(self.cluster)
        if stale is not None:
            self._sweep(stale)
        socket_dir = self._socket_dir(account)
        try:
            return postmaster.launch(programs, self.cluster, socket_dir, account)
        except UnavailableError:
            self._sweep(socket_dir)
            raise

    def _create(self, programs: Programs) -> None:
        """Make the files aside and move them into place, so that none are ever half made."""
        if self.cluster.is_dir() and any(self.cluster.iterdir()):
            raise ConflictError(
                f"{self.cluster} holds something else than a database: move it away, or"
                f" {_ELSEWHERE}."
            )
        fresh = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.data_dir))
        try:
            account = choose_account(self.cluster)
            account.own(fresh)
            account.let_run(programs.root)
            account.let_reach(fresh)
            postmaster.initialise(programs, fresh, account)
            fresh.rename(self.cluster)
            _make_durable(self.data_dir)
        except BaseException:
            _remove(fresh)
            raise

    def _socket_dir(self, account: ServerAccount) -> Path:
        """Return the cluster's folder, or a short one when that is too long for a socket."""
        if postmaster.fits_socket(self.cluster):
            return self.cluster
        for base in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - mkdtemp below
            if postmaster.fits_socket(base / "soullink-12345678"):
                folder = Path(tempfile.mkdtemp(prefix="soullink-", dir=base))
                account.own(folder)
                account.let_reach(folder)
                return folder
        raise UnavailableError(
            f"The path {self.cluster} is too long for a socket and so is that of every temporary"
            f" folder: {_ELSEWHERE}."
        )

    def _sweep(self, socket_dir: Path) -> None:
        """Remove a short socket folder; the cluster's own folder stays."""
        if socket_dir == self.cluster or not socket_dir.name.startswith("soullink-"):
            return
        with suppress(OSError):  # swept already, or something of somebody else's lies in it
            for name in postmaster.SOCKET_FILES:
                (socket_dir / name).unlink(missing_ok=True)
            socket_dir.rmdir()

    def _url(self, server: Postmaster) -> str:
        _ensure_database(server)
        return server.url(DATABASE)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(folder: Path) -> None:
    """Remove `folder`, though processes that were just killed write to it for a moment more."""
    deadline = time.monotonic() + _REMOVAL_SECONDS
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists() or time.monotonic() > deadline:
            return
        time.sleep(0.01)


def _answers(server: Postmaster) -> bool:
    try:
        connect(connection_parameters(server.url("postgres"))).close()
    except UnavailableError:
        return False
    return True


def _ensure_database(server: Postmaster) -> None:
    with connect(connection_parameters(server.url("postgres"))) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(query, [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
