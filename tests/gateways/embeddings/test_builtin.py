"""What the embedder that needs nothing knows, and what it does not."""

import asyncio
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soullink.gateways.embeddings.builtin import BuiltinEmbedder, embed, things
from tests.gateways.embeddings.pairs import PAIRS


def cosine(a: str, b: str) -> float:
    left, right = embed([a, b])
    return float(left @ right)


def test_every_pair_across_languages_is_found_first_both_ways() -> None:
    english, chinese = embed([a for a, _ in PAIRS]), embed([b for _, b in PAIRS])
    cosines = english @ chinese.T
    assert cosines.argmax(axis=1).tolist() == list(range(len(PAIRS)))
    assert cosines.argmax(axis=0).tolist() == list(range(len(PAIRS)))
    unrelated = cosines[~np.eye(len(PAIRS), dtype=bool)]
    assert cosines.diagonal().min() > 0.5
    assert unrelated.max() < 0.3


def test_two_things_of_one_topic_are_nearer_than_of_two() -> None:
    assert cosine("hiking", "露营") > 0.1 > abs(cosine("hiking", "围棋"))
    assert cosine("guitar", "钢琴") > 0.1 > abs(cosine("guitar", "足球"))


def test_forms_of_a_word_are_one_thing() -> None:
    for form in ("hike", "Hikes", "HIKING", "hiker", "hiked", "ＨＩＫＩＮＧ"):
        assert things(form) == ["hiking"], form
    assert things("running runner runs") == ["running"] * 3
    assert things("Rock climbing and climbing") == ["rock climbing"] * 2


def test_the_longest_phrase_counts() -> None:
    assert things("I play table tennis") == ["table tennis"]
    assert things("table and tennis") == ["tennis"]
    assert things("中国象棋不是国际象棋") == ["chinese chess", "chess"]
    assert things("爱看科幻小说") == ["science fiction"]


def test_unknown_words_are_alike_as_far_as_they_are_spelled_alike() -> None:
    assert cosine("photosynthesis", "photosynthetic") > 0.3
    assert abs(cosine("photosynthesis", "quarterdeck")) < 0.25
    assert cosine("量子纠缠", "量子纠缠态") > 0.6


def test_small_words_say_little() -> None:
    assert cosine("I really love to go hiking", "hiking") > 0.9


def lines() -> list[tuple[list[str], list[str]]]:
    source = resources.files("soullink.gateways.embeddings").joinpath("interests.txt")
    sides = [
        [[word.strip() for word in side.split(",")] for side in line.split("|")]
        for line in source.read_text(encoding="utf-8").splitlines()
        if line and line[0] not in "#["
    ]
    return [(english, chinese) for english, chinese in sides]


def test_every_word_of_the_dictionary_is_found_as_its_thing_in_both_languages() -> None:
    assert len(lines()) >= 240
    wrong = [
        (word, english[0], things(word))
        for english, chinese in lines()
        for word in english + chinese
        if things(word) != [english[0]]
    ]
    assert wrong == []


@given(st.text(max_size=200))
def test_any_text_has_a_row_of_length_one_and_always_the_same(text: str) -> None:
    rows = embed([text, text])
    assert rows.shape == (2, 256)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1.0, 1.0], abs=1e-5)
    assert (rows[0] == rows[1]).all()


def test_rows_do_not_depend_on_what_else_is_embedded() -> None:
    alone = embed(["cats and dogs"])[0]
    assert (embed(["hiking", "cats and dogs", ""])[1] == alone).all()


def test_the_rows_are_those_of_this_version() -> None:
    # They are stored: when this fails on purpose, the version must change.
    assert BuiltinEmbedder.version == "1"
    row = embed(["I love hiking, 围棋 and quarterdecks"])[0]
    assert row[:6].tolist() == pytest.approx(EXPECTED, abs=1e-4)


def test_a_very_long_text_is_cut() -> None:
    assert embed(["cat " * 1_000_000]).shape == (1, 256)


async def _through_the_port() -> np.ndarray:
    embedder = BuiltinEmbedder()
    rows = await embedder.embed(["猫", "dogs"])
    assert (await embedder.embed([])).shape == (0, embedder.dimensions)
    await embedder.close()
    return rows


def test_it_is_a_text_embedder() -> None:
    assert (asyncio.run(_through_the_port()) == embed(["猫", "dogs"])).all()


EXPECTED = [0.07948, 0.02176, -0.09292, -0.08803, 0.02668, 0.00403]
