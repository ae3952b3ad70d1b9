"""Schemas of the plain kind: what is let through at once follows them by the library's word."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soullink.gateways.llm.response.plain_schema import plain_check
from soullink.modules.simulation.voice.llm import TURN_SCHEMA

names = st.sampled_from(["a", "b", "act", "words"])
words = st.sampled_from(["ask", "leave", "", "x"])
leaves = st.one_of(
    st.builds(lambda kind: {"type": kind}, st.sampled_from(["string", "boolean", "null", "array"])),
    st.builds(lambda some: {"type": "string", "enum": some}, st.lists(words, min_size=1)),
)


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.builds(
            lambda parts, needed, more: {
                "type": "object", "properties": parts, "required": needed,
                "additionalProperties": more,
            },
            st.dictionaries(names, inner, max_size=3),
            st.lists(names, unique=True, max_size=2),
            st.booleans(),
        ),
        st.builds(lambda items: {"type": "array", "items": items}, inner),
    )  # fmt: skip


schemas = st.recursive(leaves, _objects, max_leaves=6)
values = st.recursive(
    st.one_of(words, st.booleans(), st.none(), st.integers(0, 3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=300)
@given(schemas, values)
def test_what_follows_a_plain_schema_is_what_the_library_says_follows_it(
    schema: dict[str, Any], value: Any
) -> None:
    check = plain_check(schema)
    assert check is not None
    assert check(value) == jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        {"type": ["string", "null"]},
        {"type": "integer"},
        {"type": "string", "minLength": 3},
        {"type": "string", "enum": ["a", 1]},
        {"type": "object", "properties": {"a": {"$ref": "#/x"}}},
        {"type": "object", "required": ["a", "a"]},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "array", "items": {"type": "number"}},
        {"type": "string", "title": 7},
    ],
)
def test_other_kinds_are_left_to_the_library(schema: Any) -> None:
    assert plain_check(schema) is None


def test_the_schema_of_a_turn_is_of_the_plain_kind() -> None:
    check = plain_check(TURN_SCHEMA)
    assert check is not None
    assert check({"inner_thought": "hm", "words": "Well.", "act": "ask"})
    assert not check({"inner_thought": "hm", "words": "Well.", "act": "fly"})
