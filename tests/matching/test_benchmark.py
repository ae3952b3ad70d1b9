"""The benchmark's people and its exhaustive search, at a size that takes no time."""

import numpy as np

from benchmarks.match import candidates, essays, marginals
from benchmarks.match.population import make
from soullink.modules.matching.domain.facts import BITS
from soullink.modules.matching.domain.kinds import KindTables
from soullink.modules.matching.domain.pool import Pool
from tests.matching.people import SmallModel


def test_people_state_what_the_marginals_say() -> None:
    counts = marginals.shipped()
    people = make(20_000, counts, np.eye(80, dtype=np.float32), SmallModel(), 1)
    share = sum(counts["female"]["age"].values()) / 59_852
    for code, sex, part in (("1", "female", share), ("2", "male", 1 - share)):
        held = (people.columns.facts & np.uint64(BITS["gender"][code])) != 0
        assert abs(held.mean() - 0.98 * part) < 0.02
        smokes = (people.columns.facts[held] & np.uint64(BITS["smoking"]["often"])) != 0
        stated = counts[sex]["smoking"]
        assert abs(smokes.mean() - stated["often"] / sum(stated.values())) < 0.01


def test_the_search_agrees_with_the_exhaustive_one() -> None:
    generator = np.random.default_rng(3)
    sentences = generator.normal(size=(80, 96)).astype(np.float32)
    people = make(4_000, marginals.shipped(), sentences, SmallModel(), 2)
    pool = Pool()
    pool.load(people.ids, people.columns, people.places)
    rows = candidates._recall(pool, KindTables(SmallModel()), people, generator, 4_000)
    figures = {row["metric"]: row["value"] for row in rows}
    assert figures["filters agree"] == 1.0
    assert figures["recall@20"] >= 0.95


def test_there_is_a_sentence_for_every_topic_in_both_languages() -> None:
    assert len(essays.sentences()) == 80
    assert len(set(essays.sentences())) == 80
