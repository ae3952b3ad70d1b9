"""Versions that operators add, and labels: every change is one transaction."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import psycopg

from soullink.gateways.llm.ledger.port import UsageColumn, UsageRow
from soullink.gateways.postgres.database import Database, Work
from soullink.gateways.postgres.grouped import Grouped
from soullink.kernel.clock import Clock
from soullink.kernel.errors import InvalidInputError
from soullink.modules.prompts.api import (
    FIRST_STORED,
    PRODUCTION,
    SEPARATOR,
    Experiment,
    InvalidPromptError,
    LabelMove,
    LabelMoved,
    Performance,
    Prompt,
    PromptConflictError,
    Prompts,
    PromptStore,
    SpokenTurns,
)
from soullink.modules.prompts.domain.assignment import arm_of
from soullink.modules.prompts.performance import performance_of
from soullink.modules.prompts.sandbox import check
from soullink.modules.prompts.service import FilePrompts, Key
from soullink.modules.prompts.store import MARK, ExperimentStore, VersionStore

_LABEL: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class PromptUsage(Protocol):
    """What is read of the gateway's accounts."""

    async def usage(self, by: Sequence[UsageColumn]) -> list[UsageRow]:
        """Return usage grouped by `by`."""
        ...


async def kept_prompts(shipped: FilePrompts, work: Work) -> FilePrompts:
    """Return shipped and added versions together, no label in force."""
    return shipped.with_added(await VersionStore(work.session).all(), {})


async def move_label(
    work: Work,
    clock: Clock,
    place: tuple[str, str, str],
    version: int,
    reason: str,
    by: str,
) -> LabelMove:
    """Point a label (prompt, language, label) to `version` and publish it.

    Where it points there already, its last move is returned.
    """
    store = VersionStore(work.session)
    await store.alone("label", *place)
    pointer = await store.pointer(*place)
    if pointer is not None and pointer.version == version:
        return (await store.history(*place))[-1]
    previous = None if pointer is None else pointer.version
    move = LabelMove(*place, version, previous, reason, by, clock.now())
    await _record(work, move, None if pointer is None else pointer.id)
    return move


async def _record(work: Work, move: LabelMove, before: int | None) -> None:
    await VersionStore(work.session).add_move(move, before)
    await work.publish(
        LabelMoved(
            prompt=move.prompt,
            language=move.language,
            label=move.label,
            version=move.version,
            previous=move.previous,
            reason=move.reason,
            moved_by=move.moved_by,
            moved_at=move.moved_at,
        )
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """Added versions, those in production, and live experiments, as they stood when asked."""

    added: list[Prompt]
    chosen: Mapping[Key, int]
    running: list[Experiment]


@dataclass(frozen=True, slots=True)
class StoredPrompts(PromptStore):
    """PromptStore on PostgreSQL, over the shipped files.

    accounts, turns: where performance is read; None where nobody keeps them.
    """

    database: Database
    clock: Clock
    shipped: FilePrompts
    accounts: PromptUsage | None = None
    turns: SpokenTurns | None = None
    _reads: Grouped[None, "_Kept"] = field(init=False, repr=False)
    # What was read last, with the mark that was there before it.
    _known: list[tuple[bytes | None, "_Kept"]] = field(init=False, repr=False, default_factory=list)
    _last: list[tuple[list[Prompt], dict[Key, int], FilePrompts]] = field(
        init=False, repr=False, default_factory=list
    )

    def __post_init__(self) -> None:
        # One answer for all who asked: nobody is better off in a small round.
        object.__setattr__(self, "_reads", Grouped(self._read))

    async def snapshot(self, unit: str = "") -> Prompts:
        kept = await self._reads.ask(None)
        chosen = dict(kept.chosen)
        if unit:
            for experiment in kept.running:
                arm = arm_of(experiment.id, unit)
                key = (experiment.prompt, experiment.language)
                chosen[key] = experiment.arms["AB".index(arm)]
        last = self._last[0] if self._last else None
        if last is not None and last[:2] == (kept.added, chosen):
            return last[2]  # one for all courses that are told the same
        found = self.shipped.with_added(kept.added, chosen)
        self._last[:] = [(kept.added, chosen, found)]
        return found

    async def _read(self, asked: Sequence[None]) -> Sequence["_Kept"]:
        """Return what is kept, to everybody who asked before it was read."""
        try:
            mark = (await self.database.direct.run((MARK, ())))[0][0][0]
        except psycopg.Error:  # the question below is answered, or refused in plain words
            mark = None
        if mark is None or not self._known or self._known[0][0] != mark:
            self._known[:] = [(mark, await self._read_all())]
        return [self._known[0][1]] * len(asked)

    async def _read_all(self) -> "_Kept":
        chosen: dict[Key, int] = {}
        async with self.database.work() as work:
            store = VersionStore(work.session)
            added = await store.all()
            for move in await store.current(label=PRODUCTION):
                if move.version is not None:
                    chosen[move.prompt, move.language] = move.version
            running = await ExperimentStore(work.session).list_experiments("running", "live")
        return _Kept(added, chosen, running)

    async def add_version(
        self,
        name: str,
        language: str,
        template: str,
        variables: Sequence[str] | None = None,
        description: str = "",
        *,
        by: str = "",
    ) -> Prompt:
        newest = self.shipped.newest_shipped(name, language)
        text = template.replace("\r\n", "\n")
        if not text.strip() or "\0" in text:
            raise InvalidPromptError(f"The template for {name} is empty, or no text.")
        if text.splitlines().count(SEPARATOR) > 1:
            raise InvalidPromptError(f"The template for {name} has more than one {SEPARATOR}.")
        async with self.database.work() as work:
            store = VersionStore(work.session)
            await store.alone("versions", name, language)
            known = [
                prompt
                for prompt in (await kept_prompts(self.shipped, work)).list_prompts()
                if (prompt.name, prompt.language) == (name, language)
            ]
            prompt = Prompt(
                name=name,
                version=max(FIRST_STORED, known[-1].version + 1),
                language=language,
                description=description.strip() or newest.description,
                variables=tuple(newest.variables if variables is None else variables),
                template=text,
                content_hash=hashlib.sha256(text.encode()).hexdigest(),
            )
            self.shipped.require_fillable(prompt)
            check(prompt)
            for there in known:
                if there.content_hash == prompt.content_hash:
                    return there
            await store.add(prompt, by, self.clock.now())
        return prompt

    async def label(
        self, name: str, language: str, label: str, version: int, *, by: str = ""
    ) -> LabelMove:
        if not _LABEL.fullmatch(label):
            raise InvalidInputError(
                f"{label!r} is no label; take lower-case letters, digits, - and _."
            )
        async with self.database.work() as work:
            kept = await kept_prompts(self.shipped, work)
            kept.require_fillable(kept.get(name, language, version))
            return await move_label(work, self.clock, (name, language, label), version, "label", by)

    async def rollback(self, name: str, language: str, label: str, *, by: str = "") -> LabelMove:
        place = (name, language, label)
        async with self.database.work() as work:
            store = VersionStore(work.session)
            await store.alone("label", *place)
            pointer = await store.pointer(*place)
            if pointer is None or pointer.version is None:
                raise PromptConflictError(
                    f"The label {label} of {name} ({language}) points nowhere, so there is "
                    "nothing to go back to; see `soullink prompts labels`."
                )
            earlier = None if pointer.before is None else await store.pointer_at(pointer.before)
            version = None if earlier is None else earlier.version
            if version is not None:
                kept = await kept_prompts(self.shipped, work)
                kept.require_fillable(kept.get(name, language, version))
            move = LabelMove(*place, version, pointer.version, "rollback", by, self.clock.now())
            await _record(work, move, None if earlier is None else earlier.before)
        return move

    async def labels(self, name: str | None = None) -> list[LabelMove]:
        async with self.database.work() as work:
            return await VersionStore(work.session).current(name)

    async def label_history(self, name: str, language: str, label: str) -> list[LabelMove]:
        async with self.database.work() as work:
            return await VersionStore(work.session).history(name, language, label)

    async def performance(self, name: str) -> list[Performance]:
        async with self.database.work() as work:
            kept = (await kept_prompts(self.shipped, work)).list_prompts()
        known: Mapping[str, str] = {p.reference: p.language for p in kept if p.name == name}
        if not known:
            self.shipped.get(name, "en")  # says which prompts there are
        usage = [] if self.accounts is None else await self.accounts.usage(["prompt"])
        counts = [] if self.turns is None else await self.turns.counts_by_prompt()
        return performance_of(name, known, usage, counts)
