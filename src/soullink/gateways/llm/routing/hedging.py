"""Two requests where one is slow: the first good answer counts."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def hedge(
    first: Coroutine[Any, Any, T],
    second: Callable[[], Coroutine[Any, Any, T] | None],
    after_seconds: float,
    sleep: Callable[[float], Awaitable[None]],
) -> T:
    """Return the first result of `first` and of what `second` makes after `after_seconds`.

    The other is cancelled and has ended when this returns. Raises the error of `first` when
    both fail. After Dean and Barroso, "The Tail at Scale", CACM 2013.
    """
    tasks = [asyncio.ensure_future(first)]
    try:
        timer = asyncio.ensure_future(sleep(after_seconds))
        try:
            await asyncio.wait((tasks[0], timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        if not tasks[0].done() and (other := second()) is not None:
            tasks.append(asyncio.ensure_future(other))
        pending = set(tasks)
        while pending:
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done() and task.exception() is None:
                    return task.result()
        return tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
