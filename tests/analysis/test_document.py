"""The report as data: faithful, stable, described and digested."""

import dataclasses
import json
from typing import Any

import jsonschema
import numpy as np
import pytest

from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.analysis.domain.document import (
    NOT_DIGESTED,
    InvalidReportError,
    digest_of,
    load,
    to_document,
    with_digest,
)
from soullink.modules.analysis.domain.document_fields import FIELDS, PARTS
from soullink.modules.analysis.domain.document_schema import parts, schema
from tests.analysis.reference import PAGE_FILE, SCHEMA_FILE, page_text, schema_text
from tests.analysis.sample import sample_report


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("hostile", [False, True])
def test_a_document_follows_the_schema(language: Language, hostile: bool) -> None:
    report = sample_report(language, hostile=hostile, forked=True)
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(to_document(report))


def test_the_schema_refuses_what_is_not_a_report() -> None:
    document = to_document(sample_report())
    validator = jsonschema.Draft202012Validator(schema())
    for name in document:
        assert not validator.is_valid({k: v for k, v in document.items() if k != name})
    assert not validator.is_valid({**document, "extra": 1})
    assert not validator.is_valid({**document, "seed": "7"})


@pytest.mark.parametrize("forked", [False, True])
def test_a_document_loads_to_the_same_report(forked: bool) -> None:
    report = sample_report(hostile=True, forked=forked)
    document = to_document(report)
    loaded = load(json.loads(json.dumps(document)))
    assert to_document(loaded) == document
    assert digest_of(loaded) == report.digest
    assert isinstance(loaded.episodes[0].turns, tuple)


def test_floats_are_rounded_and_negative_zero_is_zero() -> None:
    report = dataclasses.replace(
        sample_report(), wall={"a": 1 / 3, "b": -0.00001, "c": np.float64(0.5), "d": np.int64(3)}
    )
    assert json.dumps(to_document(report)["wall"]) == '{"a": 0.3333, "b": 0.0, "c": 0.5, "d": 3}'


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_cannot_say_is_named(number: float) -> None:
    report = dataclasses.replace(sample_report(), wall={"speed": number})
    with pytest.raises(ValueError, match=r"wall\.speed"):
        to_document(report)


def test_a_value_without_json_form_is_named() -> None:
    report = dataclasses.replace(sample_report(), wall={"when": object()})
    with pytest.raises(TypeError, match=r"wall\.when"):
        to_document(report)


def test_the_digest_covers_all_but_run_digest_and_wall() -> None:
    report = sample_report()
    free = dataclasses.replace(report, run_id="other", digest="x", wall={"host": "elsewhere"})
    assert digest_of(free) == report.digest == with_digest(free).digest
    for name, value in (("seed", 8), ("summary", "other"), ("replicas", 3), ("language", "zh")):
        changed = dataclasses.replace(report, **{name: value})  # type: ignore[arg-type]
        assert name not in NOT_DIGESTED
        assert digest_of(changed) != report.digest


def test_the_order_of_a_mapping_does_not_matter() -> None:
    report = sample_report()
    turned = dataclasses.replace(report, versions=dict(reversed(report.versions.items())))
    assert json.dumps(to_document(turned)) == json.dumps(to_document(report))


def _without(document: dict[str, Any]) -> None:
    del document["people"][0]["name"]


def _unknown(document: dict[str, Any]) -> None:
    document["prediction"]["stars"] = 5


def _three_people(document: dict[str, Any]) -> None:
    document["people"].append(document["people"][0])


def _text_for_number(document: dict[str, Any]) -> None:
    document["dimensions"][0]["value"] = "high"


def _truth_for_count(document: dict[str, Any]) -> None:
    document["replicas"] = True


def _no_object(document: dict[str, Any]) -> None:
    document["monitoring"]["faults"] = []


def _no_list(document: dict[str, Any]) -> None:
    document["episodes"][0]["turns"] = "none"


def _other_language(document: dict[str, Any]) -> None:
    document["language"] = "tlh"


def _other_schema(document: dict[str, Any]) -> None:
    document["schema"] = "soullink.report.v0"


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_without, r"report\.people\[0\] lacks the field 'name'"),
        (_unknown, r"report\.prediction has an unknown field 'stars'"),
        (_three_people, r"report\.people must have 2 entries, not 3"),
        (_text_for_number, r"report\.dimensions\[0\]\.value must be a number"),
        (_truth_for_count, r"report\.replicas must be a whole number"),
        (_no_object, r"report\.monitoring\.faults must be an object"),
        (_no_list, r"report\.episodes\[0\]\.turns must be a list"),
        (_other_language, r"report\.language must be one of"),
        (_other_schema, r"schema is 'soullink\.report\.v0'"),
    ],
)
def test_a_damaged_document_is_refused_by_the_field(damage: Any, named: str) -> None:
    document = json.loads(json.dumps(to_document(sample_report())))
    damage(document)
    with pytest.raises(InvalidReportError, match=named):
        load(document)


def test_every_field_is_described_and_nothing_else() -> None:
    fields = {kind.__name__: [f.name for f in dataclasses.fields(kind)] for kind in parts()}
    assert {name: list(described) for name, described in FIELDS.items()} == fields
    assert set(PARTS) == set(fields)


def test_the_reference_is_up_to_date() -> None:
    page = PAGE_FILE.read_text(encoding="utf-8")
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text()
    assert page == page_text(page)
    for kind, described in FIELDS.items():
        assert f"### {kind}" in page
        for name, meaning in described.items():
            assert f"| `{name}` |" in page
            assert meaning in page
