"""What the tests of the interest model share."""

from collections.abc import Iterator

import pytest

from soullink_ml.training.threads import one_thread


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    """Threads of linear algebra wait for each other where tests run side by side."""
    with one_thread():
        yield
