"""Log events: kept for the command that caused them, printed with --verbose."""

from typing import Any

import structlog

from soullink import bootstrap
from soullink.entrypoints.cli.invocation import Invocation


def keep(invocation: Invocation) -> None:
    """Send log events to `invocation.notices`, and to stderr where it is verbose."""
    if invocation.verbose:
        bootstrap.log_to_stderr()
        printing: list[Any] = structlog.get_config()["processors"]
    else:
        printing = [_drop]
    structlog.configure(processors=[invocation.notice, *printing])


def _drop(_logger: object, _method: str, _event: object) -> str:
    raise structlog.DropEvent
