"""Other processes that use a server of our own, and what is to be seen of it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from soullink.gateways.postgres import postmaster
from soullink.gateways.postgres.embedded import EmbeddedPostgres
from soullink.gateways.postgres.postmaster import Postmaster

HOLD = """
import sys
from pathlib import Path
from soullink.gateways.postgres.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


class Holder:
    """Another process that uses the server until it is told to leave."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def url(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> int:
        self.process.communicate(timeout=60)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=60)


@contextmanager
def renamed(data_dir: Path, name: str) -> Iterator[Path]:
    path = data_dir.rename(data_dir.with_name(name))
    try:
        yield path
    finally:
        EmbeddedPostgres(path).stop()
        path.rename(data_dir)


@contextmanager
def rewritten(file: Path, text: str) -> Iterator[None]:
    before = file.read_text()
    file.write_text(text)
    try:
        yield
    finally:
        file.write_text(before)


def running(data_dir: Path) -> Postmaster | None:
    return postmaster.find(data_dir / "postgres")


def note(url: str, name: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO outbox (name, payload) VALUES (%s, '{}')", [name])


def noted(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM outbox ORDER BY id")]
