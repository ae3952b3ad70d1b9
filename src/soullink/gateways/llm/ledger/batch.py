"""What is booked together: decided one by one in order, written as rows of one statement."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from soullink.gateways.llm.ledger.budgets import BudgetLine, Subject, booked_cost, refusal
from soullink.gateways.llm.ledger.port import Intent, Settlement
from soullink.gateways.llm.port import LlmBudgetError


class Attempt:
    """An intent on its way through the ledger.

    granted: resolved once it is durable. batch: in which it was. settlement, cost, estimated: once
    it is known how it ended. lost_at: when others booked it as lost, wrongly.
    """

    __slots__ = (
        "batch",
        "bound",
        "cost",
        "estimated",
        "granted",
        "intent",
        "lost_at",
        "settlement",
        "subjects",
    )

    def __init__(
        self,
        intent: Intent,
        subjects: tuple[Subject, ...],
        granted: "asyncio.Future[None] | None" = None,
    ) -> None:
        self.intent = intent
        self.subjects = subjects
        self.bound = intent.bound_nano_usd
        self.granted = granted
        self.batch = 0
        self.settlement: Settlement | None = None
        self.cost: int | None = None
        self.estimated = False
        self.lost_at: datetime | None = None

    def end(self, settlement: Settlement) -> None:
        self.settlement = settlement
        self.cost, self.estimated = booked_cost(settlement, self.bound)

    @property
    def waits(self) -> bool:
        """Return whether somebody still wants to know."""
        return self.granted is not None and not self.granted.done()


class Batch:
    """Attempts that ended, and attempts that want to begin.

    After `decide`: granted and refused, in the order in which they came.
    """

    __slots__ = ("corrected", "ended", "granted", "number", "refused", "wanted")

    def __init__(self, ended: Iterable[Attempt] = (), wanted: Iterable[Attempt] = ()) -> None:
        self.number = 0
        self.ended: list[Attempt] = []
        self.corrected: list[Attempt] = []
        for attempt in ended:
            (self.ended if attempt.lost_at is None else self.corrected).append(attempt)
        self.wanted = list(wanted)
        self.granted: list[Attempt] = []
        self.refused: list[tuple[Attempt, LlmBudgetError]] = []

    def __len__(self) -> int:
        return len(self.ended) + len(self.corrected) + len(self.wanted)

    def alone(self) -> "list[Batch]":
        """Return the same work, one thing at a time."""
        ended = [Batch(ended=[attempt]) for attempt in (*self.ended, *self.corrected)]
        return ended + [Batch(wanted=[attempt]) for attempt in self.wanted]

    def subjects(self) -> list[Subject]:
        """Return whose budgets are touched."""
        tuples = {a.subjects for some in (self.ended, self.corrected, self.wanted) for a in some}
        return list({subject for subjects in tuples for subject in subjects})

    def decide(self, lines: Sequence[BudgetLine], now: datetime) -> None:
        """Count what ended, then grant what the budgets still allow. Changes `lines`."""
        self.refused = []
        if not lines:
            self.granted = [attempt for attempt in self.wanted if attempt.waits]
            return
        self.granted = []
        for line in lines:
            line.turn(now)
        matches = _Matches(lines)
        for attempt in self.ended:
            for line in matches[attempt.subjects]:
                line.book(attempt.bound or 0, attempt.cost or 0)
        for attempt in self.corrected:
            for line in matches[attempt.subjects]:
                # What was lost in an earlier period is no longer counted.
                if attempt.lost_at is not None and attempt.lost_at >= line.since:
                    line.spend((attempt.cost or 0) - (attempt.bound or 0))
        for attempt in self.wanted:
            if not attempt.waits:
                continue
            error = refusal(attempt.intent, matches[attempt.subjects])
            if error is None:
                self.granted.append(attempt)
            else:
                self.refused.append((attempt, error))

    def intent_rows(self) -> list[tuple[Any, ...]]:
        return [
            (
                (i := a.intent).attempt_id,
                i.call_id,
                (by := i.attribution).tenant,
                by.key,
                by.run,
                by.prompt,
                i.purpose,
                i.provider,
                i.model,
                a.bound,
                i.started_at,
            )
            for a in self.granted
        ]

    def ended_rows(self) -> list[tuple[Any, ...]]:
        return _settlement_rows(self.ended)

    def corrected_rows(self) -> list[tuple[Any, ...]]:
        return _settlement_rows(self.corrected)


class _Matches(dict[tuple[Subject, ...], list[BudgetLine]]):
    """The lines for each set of subjects; there are few sets in a batch."""

    def __init__(self, lines: Sequence[BudgetLine]) -> None:
        super().__init__()
        self._lines = lines

    def __missing__(self, subjects: tuple[Subject, ...]) -> list[BudgetLine]:
        found = [line for line in self._lines if (line.scope, line.subject) in subjects]
        self[subjects] = found
        return found


def _settlement_rows(attempts: Iterable[Attempt]) -> list[tuple[Any, ...]]:
    return [
        (
            s.attempt_id,
            s.outcome,
            (u := s.usage).input_tokens,
            u.output_tokens,
            u.cached_input_tokens,
            u.estimated,
            a.cost,
            a.estimated,
            s.latency_seconds,
            s.error_code,
            s.quality,
        )
        for a in attempts
        if (s := a.settlement) is not None
    ]
