"""What an operator is told about a configuration that cannot be used."""

from pathlib import Path

import pytest

from soullink.gateways.llm.config import GatewayConfig, read_config
from soullink.kernel.errors import InvalidInputError


def read(folder: Path, text: str) -> GatewayConfig:
    path = folder / "llm.yaml"
    path.write_text(text, "utf-8")
    return read_config(path)


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(InvalidInputError) as caught:
        read(folder, text)
    return str(caught.value).removeprefix(f"{folder / 'llm.yaml'}")


A = "routes: {a: {deployments: [{model: 'openai:x'}]"
V = "routes: {v: {kind: embedding, deployments: [{model: 'openai:x'%s}]%s}}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("just words", ": the file: must be a mapping (name: value)."),
        ("routs: {}", ": the file: there is no setting 'routs', but 'routes'."),
        ("routes: [1]", ": routes: must be a mapping (name: value)."),
        ("routes: {a: {deployments: []}}", ": routes.a.deployments: must hold at least one."),
        (
            "routes: {a: {deployments: [{model: 'openai:x', prority: 1}]}}",
            ": routes.a.deployments.0: there is no setting 'prority', but 'priority'.",
        ),
        ("capacity: many", ": capacity: must be a valid integer, unable to parse string as an "),
        ("models: {a: {requests_per_minute: 0}}", "requests_per_minute: must be greater than "),
        ("models: {fats: {requests_per_minute: 1}}", ": models.fats: is neither a route nor "),
        ("prices: {gpt: {input: 1, output: 2}}", ": prices.gpt: must be named PROVIDER:MODEL."),
        ("prices: {'openai:m': {input: 1}}", ": prices.openai:m.output: is missing."),
        (
            "prices: {'openai:m': {input: -1, output: .inf}}",
            ": prices.openai:m.input: must be US dollars, e.g. 0.15; prices.openai:m.output: must ",
        ),
        (A + ", fallbacks: {any: [b]}}}", ": routes.a.fallbacks names 'b', which is no route."),
        (A + ", fallbacks: {any: [a]}}}", "fallbacks names 'a', which is this route itself."),
        (A + ", fallbacks: {llm_slow: []}}}", "there is no error 'llm_slow' to fall back for"),
        (
            A + ", fallbacks: {any: [v]}}, v: {kind: embedding, deployments: [{model: 'o:x'}]}}",
            "fallbacks names 'v', which is for embeddings.",
        ),
        ("routes: {'a\\nb': {deployments: [{model: 'openai:x'}]}}".replace("'", '"'), "no name"),
        (V % ("", ", affinity: true"), ": routes.v.affinity: has no effect on embeddings"),
        (V % ("", ", strategy: latency"), ": routes.v.strategy: has no effect on embeddings"),
        (V % (", weight: 2", ""), ": routes.v.deployments.0.weight: has no effect on embeddings"),
        ("a: [", " is not YAML at line 1, column 5: expected the node content"),
    ],
)
def test_a_fault_is_told_with_its_place_and_what_to_write(
    tmp_path: Path, text: str, said: str
) -> None:
    assert said in complaint(tmp_path, text)


def test_all_faults_are_told_at_once_and_never_too_many(tmp_path: Path) -> None:
    said = complaint(tmp_path, "capacity: 0\nqueue: x\nbudget: 5")
    assert "capacity: must be" in said
    assert "queue: must be" in said
    assert "no setting 'budget'" in said
    many = complaint(tmp_path, "\n".join(f"unknown_{number}: 1" for number in range(20)))
    assert many.endswith("; and 12 more.")


def test_a_key_that_was_put_into_the_file_is_not_repeated(tmp_path: Path) -> None:
    text = "routes: {a: {deployments: [{model: [sk-hidden], api_key: sk-hidden}]}}"
    with pytest.raises(InvalidInputError) as caught:
        read(tmp_path, text)
    assert "there is no setting 'api_key', but 'api_key_env'" in str(caught.value)
    assert "sk-hidden" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_prices_may_be_written_as_numbers(tmp_path: Path) -> None:
    found = read(
        tmp_path, "prices: {'openai:m': {input: 0.1, output: 4, cached_input: 0.00001}}"
    ).prices["openai:m"]
    assert (found.input, found.output, found.cached_input) == ("0.1", "4", "0.00001")


def test_an_embedding_route_may_say_how_it_is_asked_anyway(tmp_path: Path) -> None:
    assert read(tmp_path, V % (", priority: 1", ", strategy: priority")).routes["v"].attempts == 4
