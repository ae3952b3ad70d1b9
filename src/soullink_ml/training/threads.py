"""Linear algebra in one thread."""

from contextlib import AbstractContextManager, nullcontext
from typing import cast


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which linear algebra uses one thread, where that can be had.

    These matrices are small: threads that wait for each other cost more than they bring, most of
    all on a busy machine. threadpoolctl comes with the extra `ml`; without it nothing changes.
    """
    try:
        from threadpoolctl import threadpool_limits  # noqa: PLC0415  (comes with the extra)
    except ImportError:
        return nullcontext()
    return cast("AbstractContextManager[object]", threadpool_limits(limits=1, user_api="blas"))
