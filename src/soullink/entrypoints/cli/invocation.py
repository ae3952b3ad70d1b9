"""What every command knows: the options that stand before all commands."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soullink.entrypoints.cli.signals import Interruption


@dataclass(slots=True)
class Invocation:
    """One call of the command line.

    data_dir, database_url: where runs are kept; None takes the environment. colour: whether
    the terminal may be given any. notices: what was logged on the way, oldest first.
    """

    data_dir: Path | None = None
    database_url: str | None = None
    colour: bool = True
    debug: bool = False
    verbose: bool = False
    interruption: Interruption = field(default_factory=Interruption)
    notices: list[Mapping[str, Any]] = field(default_factory=list)

    def notice(
        self, _logger: object, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Keep a log event, as a step of structlog's processing."""
        self.notices.append({"level": method, **event})
        return event

    def prefix(self) -> str:
        """Return how this program was called, for commands that we tell people to type."""
        words = ["soullink"]
        if self.data_dir is not None:
            words.append(f"--data-dir {self.data_dir}")
        if self.database_url is not None:
            words.append("--database-url ...")  # it may hold a password
        return " ".join(words)
