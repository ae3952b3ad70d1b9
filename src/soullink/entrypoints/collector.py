"""How often a process looks for garbage that does nothing but many of the same for long."""

import contextlib
import gc
from collections.abc import Iterator

_COLLECT_AFTER = (50_000, 20, 20)
"""New objects before the youngest are looked at, and passes before the older ones are."""


@contextlib.contextmanager
def rarely_collected() -> Iterator[None]:
    """Keep the garbage collector off what was there at the start, and let it come less often.

    Calls and turns leave no cycles behind, but each pass would look at all of them in flight, and
    now and then at all that was ever imported: up to a fifth of their time, and pauses of tens of
    milliseconds. Only for a process that does nothing else.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
