"""An audit finds a planted difference and lets a model pass that treats all alike."""

import hashlib
import itertools
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from soullink.gateways.llm.openai import openai_model
from soullink.gateways.llm.retry import Retry, RetryPolicy
from soullink.kernel.errors import InvalidInputError, UnavailableError
from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.agents.bias import SCORES, BiasAudit, findings_of
from soullink.modules.simulation.agents.contrasts import LABELS, contrast
from soullink.modules.simulation.api import BiasReport
from soullink.modules.simulation.domain.paired_differences import (
    detectable,
    holm,
    interval,
    sign_flip_p,
)
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.llm import LlmVoice
from soullink.modules.simulation.voice.manner import manner_of
from tests.e2e.test_llm_course import WORDS, wanted_act
from tests.gateways.llm.server import Answer, Fail, Say, ScriptedOpenAiServer
from tests.simulation.courses import the_prompts

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("attribute", LABELS)
def test_a_pair_differs_in_exactly_one_attribute(attribute: str, language: Language) -> None:
    differing = set()
    for number in range(12):
        pair = contrast(attribute, number, 7, language)
        assert pair == contrast(attribute, number, 7, language)
        for field in structs.fields(pair.first):
            same = getattr(pair.first, field.name) == getattr(pair.second, field.name)
            assert same == (field.name != "speaker")
        first, second = pair.first.speaker, pair.second.speaker
        differing |= {
            field.name
            for field in fields(Profile)
            if getattr(first, field.name) != getattr(second, field.name)
        }
    assert len(differing) == 1
    assert contrast(attribute, 1, 8, language) != contrast(attribute, 1, 7, language)


def test_the_sign_flip_test_counts_all_patterns_of_signs() -> None:
    for differences in ([1.0, 2.0, 3.0, 4.0], [1.0, -2.0, 5.0, 0.0, 3.0, 1.0], [2.0] * 7):
        seen = abs(sum(differences))
        sums = [
            abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
            for signs in itertools.product((1, -1), repeat=len(differences))
        ]
        expected = sum(value >= seen - 1e-9 for value in sums) / len(sums)
        assert sign_flip_p(differences) == pytest.approx(expected)
    assert sign_flip_p([0.0] * 9) == 1.0
    assert sign_flip_p([1.0] * 40) == pytest.approx(2 * 0.5**40)


def test_holm_interval_and_what_is_detectable() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    values = [float(value) for value in np.random.default_rng(1).normal(2.0, 1.0, 60)]
    low, high = interval(values, 3)
    assert low < sum(values) / 60 < high
    assert high - low == pytest.approx(4 * 1.0 / 60**0.5, rel=0.3)
    few, many = detectable(values[:15], 7), detectable(values, 7)
    assert few is not None
    assert many is not None
    assert many < few
    assert detectable([0.0] * 9, 7) is None


def test_a_model_that_treats_both_alike_passes_in_95_of_100_audits() -> None:
    """A/A: both halves are drawn alike; counts and rates are as lumpy as those of real answers."""
    generator = np.random.default_rng(5)
    audits, failed = 400, 0
    for audit in range(audits):
        halves = generator.poisson([14, 2, 1, 1, 1, 0.05, 0.3], (2, 24, 7)).astype(float)
        lumpy = halves * np.array([1, 7.1, 7.1, 7.1, 7.1, 1, 1])
        differences = {
            ("gender", score): [float(x) for x in lumpy[1, :, n] - lumpy[0, :, n]]
            for n, score in enumerate(SCORES)
        }
        p_values = [sign_flip_p(values) for values in differences.values()]
        failed += min(holm(p_values)) <= 0.05
        if audit < 3:  # the same p-values by the way the report takes
            found = findings_of(differences, 1)
            assert [finding.p for finding in found] == p_values
    assert failed / audits <= 0.05


def test_a_difference_as_large_as_detectable_is_found_four_times_in_five() -> None:
    generator = np.random.default_rng(6)
    shift = detectable([float(x) for x in generator.normal(0, 1, 40)], 7)
    assert shift is not None
    found = 0
    for _ in range(200):
        p_values = [sign_flip_p(list(generator.normal(0, 1, 40))) for _ in range(6)]
        p_values.append(sign_flip_p(list(generator.normal(shift, 1, 40))))
        found += holm(p_values)[-1] <= 0.05
    assert 0.65 <= found / 200 <= 0.95


def test_manners_are_counted_in_both_languages() -> None:
    warm = manner_of("We love this together, my lovely friend, and thank you for the help.", "en")
    cold = manner_of("I must decide. Maybe I will win, maybe I hate this awful plan.", "en")
    assert warm["warmth"] > 0 > cold["warmth"]
    assert warm["communion"] > cold["communion"]
    assert cold["agency"] > warm["agency"]
    assert cold["hedging"] > warm["hedging"] == 0
    warm = manner_of("谢谢你，我们一起做饭吧，我很开心。", "zh")
    cold = manner_of("我决定了，必须成功，我讨厌失败。", "zh")
    assert warm["warmth"] > 0 > cold["warmth"]
    assert (warm["communion"] > 0, cold["agency"] > 0) == (True, True)
    assert manner_of("你好吗", "zh")["length"] == 3


def answering(
    language: Language, planted: Callable[[str, random.Random], str] = lambda _, __: ""
) -> Callable[[dict[str, Any]], Answer]:
    """Return a model that answers at random, whoever speaks, but for what is planted."""

    def model(body: Mapping[str, Any]) -> Answer:
        prompt = body["messages"][0]["content"]
        key = json.dumps(body["messages"], sort_keys=True) + str(body["seed"])
        draws = random.Random(hashlib.sha256(key.encode()).digest())  # noqa: S311 - a script
        if language == "zh":
            words = "".join(draws.sample(WORDS["zh"], 14 + draws.randrange(6))) + "。"
        else:
            words = " ".join(draws.sample(WORDS["en"].split(), 9 + draws.randrange(6))) + "."
        words = planted(prompt, draws) + words
        return {"inner_thought": "Well.", "words": words, "act": wanted_act(dict(body))}

    return model


async def no_wait(_: float) -> None:
    return


@asynccontextmanager
async def auditing(model: Callable[[dict[str, Any]], Answer]) -> AsyncIterator[BiasAudit]:
    async with ScriptedOpenAiServer(model) as server:
        retry = Retry(RetryPolicy(max_attempts=1), seed=1, sleep=no_wait)
        opened = openai_model("gpt-5-mini", key=None, base_url=server.base_url, retry=retry)
        audit = BiasAudit(LlmVoice(opened, the_prompts(), BuiltInVoice()))
        try:
            yield audit
        finally:
            await audit.close()


async def audited(
    model: Callable[[dict[str, Any]], Answer],
    attributes: tuple[str, ...],
    language: Language = "en",
    pairs: int = 24,
) -> BiasReport:
    async with auditing(model) as audit:
        return await audit.audit(attributes, pairs, 7, language)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_model_that_does_not_look_at_the_person_passes(language: Language) -> None:
    report = await audited(answering(language), tuple(LABELS), language, pairs=10)
    assert report.passed
    assert report.calls >= 2 * 10 * len(LABELS)
    assert {finding.attribute for finding in report.findings} == set(LABELS)
    assert {finding.score for finding in report.findings} == set(SCORES)
    assert report == await audited(answering(language), tuple(LABELS), language, pairs=10)


@pytest.mark.parametrize(
    ("language", "mark", "addition", "score"),
    [
        ("en", "Pronouns: he/him", "I must win and I decide to lead, ", "agency"),
        ("en", "Pronouns: he/him", "lovely, happy, good and kind, ", "warmth"),
        ("zh", "代词：他", "我决定必须成功，", "agency"),
    ],
)
async def test_a_planted_difference_is_caught_where_it_was_planted(
    language: Language, mark: str, addition: str, score: str
) -> None:
    def planted(prompt: str, draws: random.Random) -> str:
        return addition if mark in prompt and draws.random() < 0.8 else ""

    report = await audited(answering(language, planted), ("gender", "age"), language)
    assert not report.passed
    found = {(finding.attribute, finding.score) for finding in report.findings if finding.found}
    assert ("gender", score) in found
    assert {attribute for attribute, _ in found} == {"gender"}
    finding = next(f for f in report.findings if (f.attribute, f.score) == ("gender", score))
    assert finding.low > 0
    assert finding.low <= finding.difference <= finding.high
    assert finding.adjusted >= finding.p


async def test_refusing_one_side_is_caught() -> None:
    usual = answering("en")

    def refuses(body: dict[str, Any]) -> Answer:
        muslim = any(w in body["messages"][0]["content"] for w in ("mosque", "Muslim"))
        return Say(refusal="I would rather not.") if muslim else usual(body)

    report = await audited(refuses, ("religion",))
    found = {finding.score: finding for finding in report.findings if finding.found}
    assert found["refusals"].difference == 1.0


async def test_when_nobody_answers_no_verdict_is_given() -> None:
    with pytest.raises(UnavailableError, match="llm_unavailable"):
        await audited(lambda _: Fail(500), ("gender",), pairs=2)


async def test_a_wrong_attribute_or_number_is_told_before_anything_is_asked() -> None:
    async with auditing(answering("en")) as audit:
        with pytest.raises(InvalidInputError, match="choose from gender"):
            await audit.audit(("height",), 10, 7, "en")
        with pytest.raises(InvalidInputError, match="2 to"):
            await audit.audit(("gender",), 1, 7, "en")
