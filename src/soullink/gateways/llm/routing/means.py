"""What calls need on their way: the ledger, the check, time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from soullink.gateways.llm.ledger.port import Ledger
from soullink.gateways.llm.response.port import ReplyCheck
from soullink.gateways.llm.routing.in_time import TimeLimits
from soullink.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class Means:
    """monotonic: seconds on the one clock that deadlines and circuits go by.

    wait_seconds: how long a call waits for a deployment at a stretch, None as long as it has.
    """

    ledger: Ledger
    check: ReplyCheck | None
    clock: Clock
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    wait_seconds: float | None = None
    time_limits: TimeLimits = field(default_factory=TimeLimits)
