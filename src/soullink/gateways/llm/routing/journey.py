"""One call's way: which deployment is asked first, and which after each error."""

from collections.abc import Mapping

from soullink.gateways.llm.port import LlmError
from soullink.gateways.llm.routing.means import Means
from soullink.gateways.llm.routing.pool import Needs, Pool, RequestT
from soullink.gateways.llm.routing.reactions import Reaction, reaction_to
from soullink.gateways.llm.routing.upstream import ModelT, Upstream

ANY = "any"


class Journey(Needs[ModelT, RequestT]):
    """Takes places for one call until it is answered or given up.

    pool: the route that is asked now. attempts: requests sent so far. call_id: the first
    attempt's id. started: point on the monotonic clock.
    """

    __slots__ = (
        "_barred",
        "_failures",
        "_means",
        "_pools",
        "_repeated",
        "_visited",
        "attempts",
        "call_id",
        "error",
        "pool",
        "started",
    )

    def __init__(
        self,
        means: Means,
        pool: Pool[ModelT],
        pools: Mapping[str, Pool[ModelT]],
        request: RequestT,
    ) -> None:
        self.started = means.monotonic()
        super().__init__(request, self.started + request.timeout_seconds)
        self.pool = pool
        self.attempts = 0
        self.call_id = ""
        self.error: LlmError | None = None
        self._means = means
        self._pools = pools
        self._failures = 0
        self._repeated = 0
        self._visited: list[Pool[ModelT]] | None = None
        self._barred: set[Upstream[ModelT]] | None = None

    async def first(self) -> Upstream[ModelT]:
        """Take the first place, waiting where all are busy. Raises LlmError."""
        upstream = self.pool.take(self, self.started)
        return await self._find() if upstream is None else upstream

    def another(self) -> Upstream[ModelT] | None:
        """Take a place elsewhere in this route for a second request beside the first, or none."""
        limit = self.first_pool.retry.policy.max_attempts
        return None if self.attempts >= limit else self.pool.take(self, self._means.monotonic())

    def pass_by(self, upstream: Upstream[ModelT]) -> None:
        """Ask somebody else than `upstream` from now on."""
        if self.passed is None:
            self.passed = set()
        self.passed.add(upstream)

    async def after(self, error: LlmError, upstream: Upstream[ModelT]) -> Upstream[ModelT]:
        """Take the next place after `upstream` failed with `error`, or raise it."""
        self.error = error
        error.attempts = self.attempts
        reaction = reaction_to(error)
        now = self._means.monotonic()
        pool = self.pool
        if self.attempts >= self.first_pool.retry.policy.max_attempts or now >= self.deadline:
            raise error
        self._failures += 1
        self.pass_by(upstream)
        if reaction.larger:
            self.larger_than = max(self.larger_than or 0, upstream.context_tokens or 0)
            self.sized = True
        if reaction.health == "barred":
            self._bar(upstream)
        if reaction.once:
            self._repeated += 1
        here = not reaction.once or self._repeated <= 1
        if reaction.elsewhere and here:
            other = pool.take(self, now)
            if other is not None:
                return other
        if reaction.fallback and self._fall_back(error.code, reaction):
            return await self._find()
        if reaction.same and here:
            return await self._again(error, pause=not reaction.once)
        if reaction.elsewhere and here and pool.fitting(self):
            return await self._find()
        raise error

    @property
    def first_pool(self) -> Pool[ModelT]:
        """Return the route that the caller named."""
        return self._visited[0] if self._visited else self.pool

    async def _again(self, error: LlmError, *, pause: bool) -> Upstream[ModelT]:
        """Ask the same again after a pause, or others that become free before."""
        if pause:
            now = self._means.monotonic()
            delay = self.pool.retry.delay_seconds(self._failures, error.retry_after_seconds)
            until = now + delay
            latest = self._latest(now)
            if self.pool.fitting(self):
                other = await self._wait(min(until, latest), hopeful=until < latest)
                if other is not None:
                    return other
            elif until < latest:
                await self._means.sleep(delay)
            if until >= latest:
                raise error
        self.passed = set(self._barred) if self._barred else None
        self._start_over()
        return await self._find()

    async def _find(self) -> Upstream[ModelT]:
        """Take a place in this route or its fallbacks, or wait for the first in this one."""
        while True:
            now = self._means.monotonic()
            pool = self.pool
            upstream = pool.take(self, now)
            if upstream is not None:
                return upstream
            fitting = pool.fitting(self)
            if not fitting or all(u.circuit.opened for u in fitting):
                # Those who are merely busy are waited for.
                why = pool.resting(self, now)
                cause = self.error or why
                if self._fall_back(cause.code, reaction_to(cause)):
                    continue
                if not fitting:
                    raise self._given_up(why)
                if self.error is None:
                    self._start_over()
            upstream = await self._wait(self._latest(now), hopeful=False)
            if upstream is None:
                raise self._given_up(self.pool.busy())
            return upstream

    def _latest(self, now: float) -> float:
        """Return until when a wait that begins now may last."""
        patience = self._means.wait_seconds
        return self.deadline if patience is None else min(self.deadline, now + patience)

    async def _wait(self, until: float, *, hopeful: bool) -> Upstream[ModelT] | None:
        """hopeful: there is something else to be done after `until`."""
        try:
            return await self.pool.wait(self, until)
        except LlmError as error:
            why = error
        if not hopeful:
            raise self._given_up(why)
        await self._means.sleep(max(0.0, until - self._means.monotonic()))
        return None

    def _given_up(self, why: LlmError) -> LlmError:
        # What a provider said tells more than that nobody is left to ask.
        error = self.error or why
        error.attempts = self.attempts
        return error

    def _start_over(self) -> None:
        if self._visited:
            self.pool = self._visited[0]
            self._visited = None

    def _fall_back(self, code: str, reaction: Reaction) -> bool:
        """Go to the next route that is named for `code` and was not visited; return if so."""
        if not reaction.fallback:
            return False
        if self._visited is None:
            self._visited = [self.pool]
        for pool in reversed(self._visited):
            names = pool.fallbacks.get(code, ())
            if reaction.by_any:
                names = (*names, *pool.fallbacks.get(ANY, ()))
            for name in names:
                other = self._pools[name]
                if other not in self._visited:
                    self._visited.append(other)
                    self.pool = other
                    # Who names another route for long requests knows that it takes more.
                    self.sized = False
                    return True
        return False

    def _bar(self, upstream: Upstream[ModelT]) -> None:
        if self._barred is None:
            self._barred = set()
        self._barred.add(upstream)
