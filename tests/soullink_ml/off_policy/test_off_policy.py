"""Estimates from logs beside the truth; refusals where the logs cannot tell."""

import json
from typing import Any

import numpy as np
import pytest

from soullink.kernel.errors import InvalidInputError
from soullink_ml.off_policy.estimate import Evaluation, MissingOverlapError, evaluate
from soullink_ml.off_policy.logs import read_logs
from tests.soullink_ml.off_policy.simulated import Simulated

LINE: dict[str, Any] = {"propensity": [0.5, 0.5], "target": [0.5, 0.5], "reward": [1, 0]}


def by_name(evaluation: Evaluation) -> dict[str, float]:
    return {estimate.name: estimate.value for estimate in evaluation.estimates}


def test_estimates_are_right_in_the_mean_and_their_intervals_cover() -> None:
    market = Simulated(300)
    truth = market.truth()
    found = [evaluate(read_logs(market.lines(seed))) for seed in range(150)]
    names = [estimate.name for estimate in found[0].estimates]
    assert names == ["IPS", "SNIPS", "doubly robust"]
    spread = []
    for index in range(3):
        estimates = [evaluation.estimates[index] for evaluation in found]
        values = np.array([estimate.value for estimate in estimates])
        covers = np.mean([estimate.low <= truth <= estimate.high for estimate in estimates])
        assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(len(values))
        assert 0.90 <= covers <= 0.99, names[index]
        spread.append(values.std())
    assert spread[2] < spread[0]
    assert np.mean([evaluation.covered for evaluation in found]) == pytest.approx(1.0, abs=0.04)


def test_a_model_that_knows_nothing_does_no_harm_in_the_mean() -> None:
    market = Simulated(300)
    values = [
        by_name(evaluate(read_logs(market.lines(seed, model_error=-1.0))))["doubly robust"]
        for seed in range(60)
    ]
    assert np.mean(values) == pytest.approx(market.truth(), abs=4 * np.std(values) / 60**0.5)


def test_the_same_ranker_is_worth_what_was_logged() -> None:
    logs = read_logs([json.dumps(LINE | {"reward": [i % 2, 1]}) for i in range(100)])
    evaluation = evaluate(logs)
    assert evaluation.logged.value == pytest.approx(1.5)
    assert by_name(evaluation) == pytest.approx({"IPS": 1.5, "SNIPS": 1.5})
    assert evaluation.effective_lists == pytest.approx(100.0)
    assert evaluation.estimates[0].low == pytest.approx(1.5 - 1.96 * 0.5025 / 10, abs=1e-3)


def test_lists_of_one_viewer_count_together() -> None:
    apart = [json.dumps(LINE | {"reward": [i // 50, 0]}) for i in range(100)]
    together = [
        json.dumps(LINE | {"reward": [i // 50, 0], "viewer": f"p{i // 10}"}) for i in range(100)
    ]
    alone, grouped = evaluate(read_logs(apart)), evaluate(read_logs(together))
    assert (alone.viewers, grouped.viewers) == (100, 10)
    assert grouped.estimates[0].high - grouped.estimates[0].low == pytest.approx(
        (alone.estimates[0].high - alone.estimates[0].low) * 10**0.5, rel=0.1
    )


def test_without_exploration_it_refuses_and_says_why() -> None:
    market = Simulated(200, epsilon=0.0)
    with pytest.raises(MissingOverlapError, match=r"cover only \d+% of what the new ranker"):
        evaluate(read_logs(market.lines(0)))


def test_with_too_few_effective_lists_it_refuses_and_says_why() -> None:
    with pytest.raises(MissingOverlapError, match="60 lists count as only"):
        evaluate(read_logs(Simulated(60).lines(0)))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "line 1 is not JSON"),
        ("[]", "line 1 is not an object"),
        (json.dumps(LINE | {"reward": [1]}), "reward must be as long as propensity"),
        (json.dumps(LINE | {"reward": []}), "reward must be a list of numbers"),
        (json.dumps(LINE | {"target": [0.5, 1.5]}), "target must hold chances"),
        (json.dumps(LINE | {"propensity": [0.5, 0]}), "propensity 0"),
        (json.dumps(LINE | {"propensity": [0.5, float("nan")]}), "list of numbers"),
        (json.dumps(LINE | {"viewer": 3}), "viewer must be a text"),
        (json.dumps(LINE | {"predicted": [0.1, 0.2]}), "in every line, or in none"),
        (
            json.dumps(LINE | {"predicted": [0.1, 0.2], "target_predicted": "x"}),
            "target_predicted must be a number",
        ),
        ("", "the logs hold no list"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(line: str, sentence: str) -> None:
    with pytest.raises(InvalidInputError, match=sentence):
        read_logs([line])


def test_shorter_lists_count_with_their_own_ranks() -> None:
    short = LINE | {"propensity": [0.5], "target": [0.5], "reward": [1]}
    logs = read_logs([json.dumps(LINE), json.dumps(short)] * 40)
    assert logs.ranks.tolist()[:2] == [2.0, 1.0]
    assert evaluate(logs).estimates[0].value == pytest.approx(1.0)
    assert evaluate(logs).covered == pytest.approx(1.0)
