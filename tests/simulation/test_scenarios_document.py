"""The reader of scenario documents: what it accepts, what it refuses, and in which words."""

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from soullink.modules.simulation.api import Condition, InvalidScenarioError, Outcome, Scenario
from soullink.modules.simulation.domain.environment import PULL_NAMES
from soullink.modules.simulation.scenarios import library, limits
from soullink.modules.simulation.scenarios.document import from_document, to_document
from soullink.modules.simulation.scenarios.reading import parse
from soullink.modules.simulation.scenarios.schema import scenario_schema

Document = dict[str, Any]
Change = Callable[[Document], None]


def document() -> Document:
    return copy.deepcopy(to_document(library.get("last-train-noodle-bar")))


def test_what_is_written_reads_back_to_an_equal_scenario() -> None:
    for scenario in library.shipped():
        assert from_document(to_document(scenario), "again") == scenario


def test_bounds_of_one_variable_become_one_condition_and_are_written_again() -> None:
    changed = document()
    changed["outcomes"][0]["when"] = ["conflict >= 0.25", "conflict <= 0.5"]

    scenario = from_document(changed, "test")

    assert scenario.outcomes[0].when == (Condition("conflict", 0.25, 0.5),)
    assert to_document(scenario)["outcomes"][0]["when"] == changed["outcomes"][0]["when"]


@given(st.floats(0.0, 1.0))
def test_every_bound_survives_writing_and_reading(bound: float) -> None:
    base = library.get("hospital-corridor")
    first = base.outcomes[0]
    outcome = Outcome(
        first.id, first.title, (Condition("conflict", bound),), first.success, first.effect
    )
    scenario = _with_outcomes(base, (outcome, *base.outcomes[1:]))

    again = from_document(to_document(scenario), "again").outcomes[0].when[0].at_least

    assert again is not None
    assert math.isclose(again, bound, rel_tol=1e-12, abs_tol=1e-18)


def _with_outcomes(base: Scenario, outcomes: tuple[Outcome, ...]) -> Scenario:
    fields = {name: getattr(base, name) for name in Scenario.__dataclass_fields__}
    return Scenario(**{**fields, "outcomes": outcomes})


def _set(*path_and_value: Any) -> Change:
    *path, value = path_and_value

    def change(target: Document) -> None:
        place: Any = target
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return change


def _drop(key: str) -> Change:
    return lambda target: target.pop(key)


WRONG: list[tuple[str, Change, str]] = [
    ("unknown key", _set("titel", "x"), "'titel'.*did you mean 'title'"),
    ("missing key", _drop("words"), "lacks 'words'"),
    ("bad id", _set("id", "Last Train"), "'id'.*like 'last-train-noodle-bar'"),
    ("bad stage", _set("stage", "first_metting"), "'stage'.*'first_meeting'"),
    ("bad topic", _set("topic", "sports"), "'topic'.*not a topic"),
    ("missing language", _set("title", {"en": "x"}), "'title' lacks 'zh'"),
    ("empty language", _set("title", "en", "  "), "'title.en' is empty"),
    ("English in zh", _set("title", "zh", "The last train"), "'title.zh' has no Chinese"),
    ("line break", _set("title", "en", "a\nb"), "'title.en' has a line break"),
    ("right-to-left mark", _set("title", "en", "a\u202eb"), "'title.en'.*invisible"),
    ("too long", _set("title", "en", "x" * 81), "'title.en' has 81 characters"),
    ("slot in title", _set("title", "en", "In {weather}"), "'title.en' has a brace"),
    ("unknown slot", _set("setting", "zh", "外面{wether}"), "'setting.zh'.*'weather'"),
    ("single brace", _set("setting", "en", "Out { there"), "'setting.en' has a single brace"),
    ("too few turns", _set("turns", [3, 10]), r"'turns\[0\]' is 3; write 4 to 40"),
    ("turns reversed", _set("turns", [20, 10]), "'turns' runs from 20 to 10"),
    ("turns as word", _set("turns", "many"), "'turns' must be a list"),
    ("minutes as bool", _set("minutes", True), "'minutes' must be a whole number"),
    ("unknown demand", _set("demands", "thread", 0.2), "'demands' has 'thread'.*'threat'"),
    ("demand too high", _set("demands", "threat", 1.2), "'demands.threat' is 1.2"),
    ("not a number", _set("demands", "threat", math.nan), "'demands.threat' is nan"),
    ("huge number", _set("demands", "threat", 10**400), "'demands.threat' is a very large"),
    ("unknown factor", _set("pressures", {"cash": 0.1}), "'pressures' has 'cash'"),
    ("unknown act", _set("acts", {"praise": 0.1}), "'acts' has 'praise', which is not an act"),
    ("odds too large", _set("acts", {"ask": 2.5}), "'acts.ask' is 2.5"),
    ("one choice", lambda d: d["parameters"][0]["choices"].__delitem__(slice(1, None)), "choices"),
    ("one goal", lambda d: d["goals"].pop(), "'goals' has 1 entries; write 2 entries"),
    ("same goal twice", lambda d: d["goals"].__setitem__(1, d["goals"][0]), "twice"),
    ("unknown variable", _set("triggers", 0, "when", ["conflikt >= 1"]), "'conflict'"),
    ("unknown sign", _set("triggers", 0, "when", ["turn > 3"]), "like 'conflict >= 0.5'"),
    ("out of range", _set("triggers", 0, "when", ["conflict >= 3"]), "goes from 0 to 1"),
    ("same side", _set("triggers", 0, "when", ["turn >= 3", "turn >= 4"]), "twice from the same"),
    ("impossible", _set("triggers", 0, "when", ["turn >= 6", "turn <= 5"]), "can never hold"),
    ("trigger always", _set("triggers", 0, "when", []), "is empty; say when"),
    ("ends as word", _set("triggers", 0, "ends", "yes"), "must be true or false"),
    ("unknown state", _set("triggers", 0, "effect", {"joy": 0.1}), "'joy'"),
    ("last has when", _set("outcomes", -1, "when", ["left >= 1"]), "belongs to the last outcome"),
    ("early catch-all", _set("outcomes", 0, "when", []), "no later outcome is ever reached"),
    ("no outcome", _set("outcomes", []), "'outcomes' has 0 entries; write 1 to 20"),
    ("too many", lambda d: d.__setitem__("outcomes", d["outcomes"] * 6), "write 1 to 20 entries"),
    ("decision missing", _drop("decision"), "condition on 'agreed' but no 'decision'"),
    ("late deadline", _set("decision", "deadline_turn", 39), "after the last turn 20"),
    ("unknown pull", _set("decision", "pull", {"courage": 0.3}), "'courage'"),
    ("one phrase", _set("words", "place", "zh", ["这里"]), r"words.place.zh'.*write 2 to 12"),
    ("phrase twice", _set("words", "plan", "en", ["go", "go"]), "'go' twice"),
    ("phrase with slot", _set("words", "plan", "en", ["go {x}", "run"]), "has a brace"),
    ("slot missing", lambda d: d["words"].pop("memory"), "'words' lacks 'memory'"),
    ("origin", _set("origin", "dream"), "'origin' is 'dream'"),
]


@pytest.mark.parametrize(("change", "sentence"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_mistake_is_named_in_one_sentence(change: Change, sentence: str) -> None:
    broken = document()
    change(broken)

    with pytest.raises(InvalidScenarioError, match=sentence) as caught:
        from_document(broken, "mine.yaml")

    message = str(caught.value)
    assert message.startswith("mine.yaml: ")
    assert "\n" not in message
    assert message.endswith(".")
    assert len(message) < 700


def test_a_decision_that_nothing_looks_at_is_refused() -> None:
    broken = document()
    broken["outcomes"] = [broken["outcomes"][0], broken["outcomes"][-1]]

    with pytest.raises(InvalidScenarioError, match="'decision' is never looked at"):
        from_document(broken, "mine.yaml")


@pytest.mark.parametrize("value", [None, [], "x", 3, {1: 2}, {"id": {}}])
def test_other_data_is_refused(value: Any) -> None:
    with pytest.raises(InvalidScenarioError):
        from_document(value, "mine.yaml")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_change_gives_a_scenario_of_the_schema_or_one_sentence(data: st.DataObject) -> None:
    changed = document()
    place: Any = changed
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = data.draw(PLAIN)
        break
    scenario, complaint = None, "mine.yaml: ."
    try:
        scenario = from_document(changed, "mine.yaml")
    except InvalidScenarioError as error:
        complaint = str(error)

    assert complaint.startswith("mine.yaml: ")
    assert complaint.endswith(".")
    assert "\n" not in complaint
    if scenario is not None:
        schema = Draft202012Validator(scenario_schema())
        assert not list(schema.iter_errors(changed))
        assert not list(schema.iter_errors(to_document(scenario)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\na: 2", "line 2.*'a' is given twice"),
        ("a: [1", "line"),
        ("a: !!python/object/apply:os.system [ls]", "line 1"),
        ("? [a]\n: 1", "line 1.*a key is not a word"),
        ("a: \x00", "cannot be read|not plain YAML"),
    ],
)
def test_a_file_that_is_not_plain_yaml_is_refused_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(InvalidScenarioError, match=sentence):
        parse(text, "mine.yaml")


def test_nested_data_does_not_grow_the_message() -> None:
    bomb: Any = ["x"]
    for _ in range(30):
        bomb = [bomb] * 9
    for key in ("id", "stage", "minutes", "goals", "words"):
        with pytest.raises(InvalidScenarioError) as caught:
            from_document({**document(), key: bomb}, "bomb.yaml")
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["a: &a [1]\nb: *a", "a: " + "[" * 200_000, "{a: " * 50_000])
def test_aliases_and_deep_nesting_are_refused_before_they_hurt(text: str) -> None:
    with pytest.raises(InvalidScenarioError, match=r"aliases like|nested too deeply"):
        parse(text, "mine.yaml")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("mine.txt", b"", "ends in .yaml"),
        ("mine.yaml", b"\xff\xfe\x00", "not UTF-8"),
        ("mine.yaml", b"", "must be a mapping"),
        ("mine.json", b'{"id": 1', "line"),
        ("mine.yaml", b"#" * 300_000, "larger than 256 KB"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(InvalidScenarioError, match=sentence):
        library.load_file(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidScenarioError, match=r"none\.yaml is not a file"):
        library.load_file(tmp_path / "none.yaml")


def test_pulls_are_those_that_the_dynamics_weigh() -> None:
    assert limits.PULLS == PULL_NAMES
