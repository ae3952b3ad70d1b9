"""A circuit breaker: a deployment that keeps failing rests, then one probe decides."""

from soullink.gateways.llm.routing.port import CircuitRules, CircuitState


class Circuit:
    """Counts failures in a row and says whether a request may go out.

    Times are points on one monotonic clock, in seconds. `opened` is read on the hot path; a call
    enters only where `admits` said so, and ends with exactly one of the last four methods.
    """

    __slots__ = ("_cooldown", "_probing", "_rules", "because", "failures", "opened", "until")

    def __init__(self, rules: CircuitRules) -> None:
        self._rules = rules
        self._cooldown = rules.cooldown_seconds
        self._probing = False
        self.opened = False
        self.until = 0.0
        self.failures = 0
        self.because = ""
        """Code of the error that opened it."""

    def state(self, now: float) -> CircuitState:
        """Return the state; half open: its rest is over and nothing came back yet."""
        if not self.opened:
            return "closed"
        return "half_open" if self._probing or now >= self.until else "open"

    def admits(self, now: float) -> bool:
        """Return whether a request may go out: any when closed, one probe when half open."""
        return not self.opened or (now >= self.until and not self._probing)

    def enter(self) -> bool:
        """Let one request out; return whether it is the probe."""
        if not self.opened:
            return False
        self._probing = True
        return True

    def wait_seconds(self, now: float) -> float | None:
        """Return how long until a request may go out; None when that hangs on the probe."""
        if not self.opened:
            return 0.0
        return None if self._probing else max(0.0, self.until - now)

    def answered(self, *, probe: bool) -> None:
        """The deployment works. What was sent before the circuit opened does not close it."""
        if self.opened and not probe:
            return
        self.opened = self._probing = False
        self.failures = 0
        self._cooldown = self._rules.cooldown_seconds

    def failed(self, code: str, now: float, *, probe: bool, at_once: bool = False) -> None:
        """Count a failure. at_once: open without waiting for more of them."""
        self.failures += 1
        if self.opened and not probe:
            return
        if probe or at_once or self.failures >= self._rules.failures:
            self._rest(code, now + self._cooldown)
            self._cooldown = min(2.0 * self._cooldown, self._rules.longest_seconds)

    def told_to_rest(self, code: str, seconds: float, now: float, *, probe: bool) -> None:
        """Rest as long as the provider asked for, at most the rules' longest_seconds."""
        self.failures += 1
        until = now + min(seconds, self._rules.longest_seconds)
        if probe or not self.opened or until > self.until:
            # A probe that is still out belongs to somebody else and stays out.
            probing = self._probing and not probe
            self._rest(code, until)
            self._probing = probing

    def abandoned(self, *, probe: bool) -> None:
        """Nobody waited for the outcome; the next request may be the probe."""
        if probe:
            self._probing = False

    def _rest(self, code: str, until: float) -> None:
        self.opened = True
        self._probing = False
        self.until = until
        self.because = code
