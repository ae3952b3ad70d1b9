"""Vectors in plain tables of PostgreSQL, searched in this process's memory (extra `vectors`).

The tables are the truth; the memory follows them: before every search one row is read that tells
whether another process has changed the collection, and then what it changed.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from collections.abc import Collection as Ids
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from soullink.gateways.postgres.database import Database
from soullink.gateways.vectors import graph, store
from soullink.gateways.vectors.graph import Graph
from soullink.gateways.vectors.port import (
    Collection,
    Neighbour,
    Rows,
    checked_ids,
    last_of_each,
    unit_query,
)
from soullink.gateways.vectors.store import CollectionStore, Entries, Registered, State
from soullink.kernel.errors import UnavailableError

CANDIDATES: Final = 128
_PUT_AT_ONCE: Final = 512
"""Rows that are put into the graph between two searches."""
Done = TypeVar("Done")


class UsearchIndexes:
    """Implements VectorIndexes. Opening a collection reads it into memory.

    snapshots: a folder where graphs are saved on `close`, so that the next start need not build
    them; without one they are built from the tables, at about 6,000 to 12,000 vectors a second. A
    deletion removes the saved graph at once. candidates: how many a search holds.
    current_within_seconds: how old the last look at the tables may be when a search begins; 0.0
    looks every time, which takes about a millisecond. What this process itself changes is always
    seen. Belongs to one event loop.
    """

    def __init__(
        self,
        database: Database,
        *,
        snapshots: Path | None = None,
        candidates: int | None = None,
        current_within_seconds: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        graph.check_installed()
        self._database = database
        self._snapshots = snapshots
        self._candidates = candidates or CANDIDATES
        self._within = current_within_seconds
        self._monotonic = monotonic
        self._open: dict[str, UsearchIndex] = {}
        self._opening = asyncio.Lock()

    async def open(self, collection: Collection) -> "UsearchIndex":
        async with self._opening:
            async with self._database.work() as work:
                keeping = CollectionStore(work.session)
                await keeping.alone()
                registered, _ = await keeping.register(collection, "rows")
            known = self._open.get(collection.name)
            if known is not None and known.registered.state.made == registered.state.made:
                return known
            if known is not None:
                known.let_go()
            index = UsearchIndex(
                self._database,
                registered,
                Graph(collection, self._candidates),
                self._snapshots,
                self._within,
                self._monotonic,
            )
            try:
                await index.read()
            except BaseException:
                index.let_go()
                raise
            self._open[collection.name] = index
            return index

    async def collections(self) -> list[Collection]:
        return await store.all_collections(self._database)

    async def drop(self, name: str) -> bool:
        index = self._open.pop(name, None)
        if index is not None:
            index.let_go()
        if self._snapshots is not None:
            graph.discard(self._snapshots, name)
        return await store.drop(self._database, name)

    async def forget(self, ids: Sequence[str]) -> int:
        done = await store.forget(self._database, ids)
        for name, (removed, state) in done.items():
            if removed and self._snapshots is not None:
                graph.discard(self._snapshots, name)
            if name in self._open:
                await self._open[name].deleted(ids, state)
        return sum(removed for removed, _ in done.values())

    async def close(self) -> None:
        while self._open:
            _, index = self._open.popitem()
            try:
                await index.save()
            finally:
                index.let_go()


class UsearchIndex:
    """Implements VectorIndex.

    One thread owns the graph, so that searches wait for the row that is being put in, not for all
    of them. A deletion by another process makes this one compare all ids, which takes about a
    second for a million. `compact` rebuilds the graph and rewrites the table.
    """

    def __init__(
        self,
        database: Database,
        registered: Registered,
        memory: Graph,
        snapshots: Path | None,
        within_seconds: float,
        monotonic: Callable[[], float],
    ) -> None:
        self.registered = registered
        self._database = database
        self._memory = memory
        self._snapshots = snapshots
        self._within = within_seconds
        self._monotonic = monotonic
        self._looked = -float("inf")
        self._seen = State(registered.state.made, 0, 0)
        self._saved = False
        self._following = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"vectors-{self.collection.name}")

    @property
    def collection(self) -> Collection:
        return self.registered.collection

    async def upsert(self, ids: Sequence[str], vectors: ArrayLike) -> None:
        names, rows = last_of_each(self.collection, ids, vectors)
        if not names:
            return
        async with self._following:
            async with self._database.work() as work:
                keeping = CollectionStore(work.session)
                state = await keeping.begin_change(self.registered, deletions=0)
                await keeping.put(self.collection.name, names, rows, state.changes)
            if state.changes == self._seen.changes + 1:
                await self._put(names, rows)
                self._seen = state
            else:  # another process was faster
                await self._follow()

    async def delete(self, ids: Sequence[str]) -> int:
        names = checked_ids(ids)
        async with self._database.work() as work:
            keeping = CollectionStore(work.session)
            removed, state = await keeping.delete(self.registered, names)
        await self.deleted(names, state)
        return removed

    async def deleted(self, names: Sequence[str], state: State) -> None:
        """Follow a deletion that this process made, after which the tables were in `state`."""
        async with self._following:
            self._discard()
            if state.changes == self._seen.changes + 1:
                await self._in_thread(lambda: self._memory.remove(names))
                self._seen = state
            else:
                await self._follow()

    async def search(
        self, query: ArrayLike, k: int, *, only: Ids[str] | None = None
    ) -> list[Neighbour]:
        row = unit_query(self.collection, query, k)
        if self._monotonic() - self._looked >= self._within:
            await self.follow()
        return await self._in_thread(lambda: self._memory.search(row, k, only))

    async def count(self) -> int:
        await self.follow()
        return len(self._memory)

    async def compact(self) -> None:
        async with self._following:
            self._discard()
            await self._follow()
            await self._in_thread(self._memory.rebuild)
        await store.rewrite(self._database, "vector_entry")

    async def follow(self) -> None:
        """Bring the memory to what the tables say."""
        async with self._following:
            await self._follow()

    async def read(self) -> None:
        """Read the tables for the first time, over a saved graph where there is one."""
        async with self._following:
            async with self._database.work() as work:
                keeping = CollectionStore(work.session)
                state = await keeping.state(self.registered)
                found = await keeping.since(self.collection, -1)
            saved = await self._in_thread(lambda: self._load(state, found))
            if saved is None:
                await self._put(found.ids, found.rows)
            else:
                gone = list(set(self._memory.ids).difference(found.ids))
                if gone:
                    self._discard()
                    await self._in_thread(lambda: self._memory.remove(gone))
                new = np.flatnonzero(found.changes > saved)
                await self._put([found.ids[at] for at in new], found.rows[new])
                self._saved = not gone and not len(new)
            self._seen = state

    async def save(self) -> None:
        """Save the graph where a folder is set and something has changed."""
        folder = self._snapshots
        if folder is None:
            return
        async with self._following:
            try:
                await self._follow()
            except UnavailableError:
                # Nobody knows what was deleted meanwhile, so nothing may be saved.
                return
            if self._saved:
                return
            made, change = self._seen.made.hex, self._seen.changes
            await self._in_thread(lambda: self._memory.save(folder, made, change))
            self._saved = True

    def let_go(self) -> None:
        """End the thread; the index cannot be used any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _follow(self) -> None:
        looked = self._monotonic()
        async with self._database.work() as work:
            keeping = CollectionStore(work.session)
            state = await keeping.state(self.registered)
            if state.changes != self._seen.changes:
                found = await keeping.since(self.collection, self._seen.changes)
                there = None
                if state.deletions != self._seen.deletions:
                    there = await keeping.ids(self.collection.name)
        if state.changes != self._seen.changes:
            await self._put(found.ids, found.rows)
            if there is not None:
                gone = list(set(self._memory.ids) - there)
                self._discard()
                await self._in_thread(lambda: self._memory.remove(gone))
            self._seen = state
        self._looked = looked

    async def _put(self, ids: Sequence[str], rows: Rows) -> None:
        for start in range(0, len(ids), _PUT_AT_ONCE):
            some = slice(start, start + _PUT_AT_ONCE)
            await self._in_thread(partial(self._memory.put, ids[some], rows[some]))
        if ids:
            self._saved = False

    def _load(self, state: State, found: Entries) -> int | None:
        if self._snapshots is None:
            return None
        return self._memory.load(self._snapshots, state.made.hex, found.ids, found.rows)

    def _discard(self) -> None:
        """Remove the saved graph: what was deleted is in it."""
        self._saved = False
        if self._snapshots is not None:
            graph.discard(self._snapshots, self.collection.name)

    async def _in_thread(self, work: Callable[[], Done]) -> Done:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
