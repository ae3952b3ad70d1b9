"""Identifiers: of their form, in the order of their time, and never twice."""

import os
import time
from uuid import RFC_4122, UUID

import pytest

from soullink.kernel.ids import new_uuid7, new_uuid7_text


def test_an_id_is_a_uuid_of_version_7_that_begins_with_the_time() -> None:
    for _ in range(1000):
        before = time.time_ns() // 1_000_000
        text = new_uuid7_text()
        after = time.time_ns() // 1_000_000
        parsed = UUID(text)
        assert str(parsed) == text
        assert (parsed.version, parsed.variant) == (7, RFC_4122)
        assert before <= parsed.int >> 80 <= after


def test_ids_differ_in_all_their_random_bits() -> None:
    found = [new_uuid7().int for _ in range(2000)]
    assert len(set(found)) == len(found)
    fixed = {*range(76, 80), 62, 63}
    for bit in range(80):
        ones = sum(number >> bit & 1 for number in found)
        assert bit in fixed or 800 < ones < 1200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_forked_process_draws_ids_of_its_own() -> None:
    new_uuid7_text()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_uuid7_text().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 100).decode()
    os.close(reading)
    os.close(writing)
    assert theirs[14:] != new_uuid7_text()[14:]
