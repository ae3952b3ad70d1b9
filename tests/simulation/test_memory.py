"""Memories merge, contradict, fade, come back and move decisions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soullink.modules.simulation.api import ACTS, TOPICS, Act, Topic
from soullink.modules.simulation.domain import dynamics, memory
from soullink.modules.simulation.domain.acts import INDEX
from soullink.modules.simulation.domain.layout import N_TRAIT
from soullink.modules.simulation.domain.memory import Aspect, MemoryArrays, MemoryStream
from tests.simulation.worlds import same_pair

ROW, WHO = np.array([0]), np.array([1])


def lived(
    memories: MemoryArrays, act: Act, topic: Topic, affect: float, threat: float, day: float
) -> None:
    memory.remember(
        memories, ROW, WHO, np.array([INDEX[act]]), TOPICS.index(topic), np.array([affect]),
        np.array([threat]), np.array([day]),
    )  # fmt: skip


def test_the_same_fact_told_five_times_is_one_memory() -> None:
    stream = MemoryStream()
    for turn in range(5):
        stream.observe(
            Act.CONFIDE, Topic.FAMILY, 0.5, 0.0, 1.0, (1, turn + 1), "Ada tells of her father"
        )
    assert len(stream.items) == 1
    (item,) = stream.items
    assert item.count == 5
    assert len(item.turns) == 5
    assert item.importance <= 1.0


def test_what_contradicts_supersedes_and_history_is_kept() -> None:
    stream = MemoryStream()
    stream.observe(Act.COMPLIMENT, Topic.WORK, 0.5, 0.0, 1.0, (1, 1), "Ben praises")
    stream.observe(Act.BELITTLE, Topic.WORK, -0.9, 0.5, 2.0, (1, 3), "Ben mocks")
    assert [item.text for item in stream.current()] == ["Ben mocks"]
    assert len(stream.items) == 2
    assert stream.items[0].superseded_by == 1
    assert stream.items[1].valence < 0 < stream.items[0].valence


def test_a_small_contradiction_only_weakens() -> None:
    stream = MemoryStream()
    stream.observe(Act.BELITTLE, Topic.WORK, -0.95, 0.9, 1.0, (1, 1), "Ben mocks")
    before = stream.items[0]
    stream.observe(Act.THANK, Topic.WORK, 0.25, 0.0, 1.0, (1, 2), "Ben thanks")
    (after,) = stream.items
    assert before.valence < after.valence < 0


def test_recall_weighs_importance_recency_and_relevance() -> None:
    stream = MemoryStream()
    stream.observe(Act.SUPPORT, Topic.HEALTH, 0.8, 0.0, 0.0, (1, 1), "old, strong")
    stream.observe(Act.JOKE, Topic.LEISURE, 0.5, 0.0, 100.0, (3, 1), "new, small")
    assert stream.recall(Topic.HEALTH, 1.0)[0].text == "old, strong"
    assert stream.recall(Topic.LEISURE, 100.0)[0].text == "new, small"


EXPERIENCES = st.lists(
    st.tuples(st.sampled_from(ACTS), st.sampled_from(TOPICS), st.floats(-1, 1), st.floats(0, 1)),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(EXPERIENCES)
def test_the_stream_is_an_account_of_what_the_equations_use(experiences) -> None:
    arrays, stream = MemoryArrays.empty(2), MemoryStream()
    for number, (act, topic, affect, threat) in enumerate(experiences):
        lived(arrays, act, topic, affect, threat, float(number))
        stream.observe(act, topic, affect, threat, float(number), (1, number + 1), str(act))
    for item in stream.current():
        cell = (0, 1, int(item.aspect), TOPICS.index(item.topic))
        assert arrays.valence[cell] == pytest.approx(item.valence, abs=1e-12)
        assert arrays.importance[cell] == pytest.approx(item.importance, abs=1e-12)
        assert arrays.count[cell] == item.count
    assert (arrays.count[0, 1] > 0).sum() == len(stream.current())
    assert arrays.superseded[0, 1].sum() == len(stream.items) - len(stream.current())
    assert not arrays.count[1].any()
    assert not arrays.count[0, 0].any()


def test_forgetting_halves_after_the_half_life() -> None:
    arrays = MemoryArrays.empty(1)
    lived(arrays, Act.SUPPORT, Topic.HEALTH, 0.8, 0.0, 0.0)
    topic = TOPICS.index(Topic.HEALTH)
    now = memory.weights(arrays, ROW, WHO, topic, np.array([0.0])).sum()
    later = memory.weights(arrays, ROW, WHO, topic, np.array([memory.HALF_LIFE_DAYS])).sum()
    assert later == pytest.approx(now / 2)


def test_memories_move_decisions() -> None:
    """The same moment, once after five cruelties and once after five kindnesses."""
    distributions = []
    for act, affect in ((Act.BELITTLE, -0.8), (Act.SUPPORT, 0.8)):
        batch = same_pair(1, 1, [0] * N_TRAIT, [0] * N_TRAIT)
        for _ in range(5):
            lived(batch.memory, act, Topic.HEALTH, affect, max(-affect, 0.0), 0.0)
        signal, hurt = memory.recall(
            batch.memory, ROW, WHO, TOPICS.index(Topic.HEALTH), np.array([1.0])
        )
        x = np.zeros((1, len(dynamics.FEATURES)))
        x[0, 0] = 1.0
        x[0, dynamics.FEATURES.index("memory")] = signal[0]
        x[0, dynamics.FEATURES.index("hurt")] = hurt[0]
        distributions.append(dynamics.distribution(dynamics.utilities(x, np.zeros(len(ACTS))))[0])
    cruel, kind = distributions
    assert cruel[INDEX[Act.COMPLAIN]] > kind[INDEX[Act.COMPLAIN]] * 1.3
    assert kind[INDEX[Act.CONFIDE]] > cruel[INDEX[Act.CONFIDE]] * 1.3


def test_reflection_turns_memories_into_beliefs() -> None:
    arrays = MemoryArrays.empty(1)
    for _ in range(4):
        lived(arrays, Act.STONEWALL, Topic.TRUST, -0.7, 0.5, 0.0)
    memory.reflect(arrays, np.array([0]), np.array([0.0]))
    once = arrays.beliefs[0, 1, Aspect.CARE]
    memory.reflect(arrays, np.array([0]), np.array([0.0]))
    assert arrays.beliefs[0, 1, Aspect.CARE] < once < 0
    assert arrays.beliefs[0, 0].tolist() == [0.0] * len(Aspect)
