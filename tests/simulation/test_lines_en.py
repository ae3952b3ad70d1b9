"""The English lines that the built-in voice speaks: their form, their number, their variety."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest

from soullink.modules.simulation.api import ACTS, STAGES, WORD_SLOTS, Act, Stage
from soullink.modules.simulation.domain.acts import CLASSES
from soullink.modules.simulation.voice import port

FOLDER = Path(port.__file__).parent / "lines" / "en"
AFTER = {"start", *CLASSES}
FREQUENT = {
    "ask", "disclose", "small_talk", "joke", "agree", "validate", "support", "compliment",
    "plan", "complain", "defend", "criticise", "repair", "apologise", "request", "insist",
    "tease", "withdraw", "thank", "affection", "confide",
}  # fmt: skip
LEAST_FREQUENT_ACT, LEAST_OTHER_ACT, LEAST_PER_STYLE = 28, 20, 2
LEAST_WITHOUT_PROFILE = 10
LEAST_PER_STAGE = 10

# Three ways to fill every slot: a gerund, a plural or article phrase, and a long one.
FILLINGS: tuple[dict[str, str], ...] = (
    {
        "partner": "Ben", "me": "Ada", "interest": "night hiking", "job": "nurse",
        "partner_interest": "baking", "shared_interest": "chess", "partner_job": "welder",
        "city": "Leeds", "partner_city": "Porto", "value": "not letting people down",
        "place": "this sofa", "activity": "counting coins", "issue": "the bill",
        "plan": "take turns", "detail": "that egg timer", "memory": "the surprise party",
    },
    {
        "partner": "Mira", "me": "Tom", "interest": "old synthesisers", "job": "air traffic clerk",
        "partner_interest": "board games", "shared_interest": "street markets",
        "partner_job": "tax adviser", "city": "Buenos Aires", "partner_city": "New York",
        "value": "good food and no hurry", "place": "this little noodle bar",
        "activity": "waiting for the last train", "issue": "who pays",
        "plan": "order one more bowl", "detail": "the cat on the windowsill",
        "memory": "the night of the last train",
    },
    {
        "partner": "Alexander", "me": "Charlotte", "interest": "urban beekeeping",
        "job": "graphic designer", "partner_interest": "open water swimming",
        "shared_interest": "science fiction", "partner_job": "vet",
        "city": "Lyon", "partner_city": "Cape Town", "value": "being there for my people",
        "place": "the table by the door", "activity": "listening to the rain",
        "issue": "the lack of room", "plan": "stay under the blanket",
        "detail": "the socks on the lamp", "memory": "our weekend in the rain",
    },
)  # fmt: skip
SLOTS = set(FILLINGS[0])
PROFILE_SLOTS = SLOTS - set(WORD_SLOTS) - {"partner", "me"}  # everybody has a name
SLOT = re.compile(r"\{([a-z_]+)\}")
PRONOUNS = re.compile(r"\b(?:he|him|his|himself|she|her|hers|herself)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    place: str
    act: str
    style: str
    after: tuple[str, ...]
    where: tuple[str, ...]
    text: str

    @property
    def slots(self) -> list[str]:
        return SLOT.findall(self.text)


def _rows(act: Act) -> list[Row]:
    rows = []
    content = (FOLDER / f"{act}.txt").read_text(encoding="utf-8")
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            parts = line.split(" | ")
            assert len(parts) == 4, f"{act}.txt:{number} has {len(parts)} fields"
            style, after, where, text = parts
            after_all, where_all = tuple(after.split(",")), tuple(where.split(","))
            rows.append(Row(f"{act}.txt:{number}", act, style, after_all, where_all, text))
    return rows


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\{?[a-z']+\}?", text.casefold()))


ROWS = {act: _rows(act) for act in ACTS}
ALL = [row for rows in ROWS.values() for row in rows]


@pytest.mark.parametrize("act", ACTS)
def test_fields_use_the_known_vocabulary(act: Act) -> None:
    for row in ROWS[act]:
        assert row.style in port.STYLES, row.place
        assert row.after == ("-",) or set(row.after) <= AFTER, row.place
        assert row.where == ("-",) or set(row.where) <= set(STAGES), row.place
        assert len(set(row.after)) == len(row.after), row.place
        assert len(set(row.where)) == len(row.where), row.place


@pytest.mark.parametrize("act", ACTS)
def test_slots_are_known_and_at_most_two(act: Act) -> None:
    for row in ROWS[act]:
        assert set(row.slots) <= SLOTS, row.place
        assert len(row.slots) <= 2, row.place
        assert not set("{}|") & set(SLOT.sub("", row.text)), row.place


@pytest.mark.parametrize("act", [act for act in ACTS if act is not Act.SILENCE])
@pytest.mark.parametrize("filling", FILLINGS, ids=["short", "plural", "long"])
def test_a_spoken_line_has_8_to_25_words(act: Act, filling: dict[str, str]) -> None:
    for row in ROWS[act]:
        spoken = SLOT.sub(lambda slot: filling[slot[1]], row.text)
        assert 8 <= len(spoken.split()) <= 25, f"{row.place}: {len(spoken.split())}: {spoken}"


def test_silence_is_a_stage_direction() -> None:
    for row in ROWS[Act.SILENCE]:
        assert re.fullmatch(r"\([^()]+\)", row.text), row.place


@pytest.mark.parametrize("act", ACTS)
def test_every_act_has_enough_lines_in_every_style(act: Act) -> None:
    rows = ROWS[act]
    assert len(rows) >= (LEAST_FREQUENT_ACT if act in FREQUENT else LEAST_OTHER_ACT)
    styles = Counter(row.style for row in rows)
    assert {style: styles[style] for style in port.STYLES if styles[style] < LEAST_PER_STYLE} == {}


@pytest.mark.parametrize("act", ACTS)
def test_every_act_can_be_spoken_without_knowing_the_profile(act: Act) -> None:
    without = [row for row in ROWS[act] if not PROFILE_SLOTS & set(row.slots)]
    assert len(without) >= LEAST_WITHOUT_PROFILE


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("stage", STAGES)
def test_every_act_can_be_spoken_at_every_stage(act: Act, stage: Stage) -> None:
    usable = [
        row
        for row in ROWS[act]
        if (row.where == ("-",) or stage in row.where) and not PROFILE_SLOTS & set(row.slots)
    ]
    assert len(usable) >= LEAST_PER_STAGE
    assert {row.style for row in usable} == set(port.STYLES)


@pytest.mark.parametrize("act", ACTS)
def test_lines_answer_different_things(act: Act) -> None:
    assert len({row.after for row in ROWS[act]}) >= 3


def test_no_line_stands_twice() -> None:
    seen = Counter(row.text.casefold() for row in ALL)
    assert [text for text, times in seen.items() if times > 1] == []


def test_no_line_is_another_with_one_word_changed() -> None:
    words = [(row, _words(row.text)) for row in ALL]
    alike = [
        f"{one.place} ~ {other.place}"
        for (one, ours), (other, theirs) in combinations(words, 2)
        if len(ours & theirs) > 0.6 * len(ours | theirs)
    ]
    assert alike == []


def test_lines_leave_the_partners_gender_open() -> None:
    assert [row.place for row in ALL if PRONOUNS.search(row.text)] == []


def test_love_is_declared_to_a_partner_only() -> None:
    love = [row for row in ALL if re.search(r"\bI love you\b", row.text)]
    assert love
    early = {Stage.FIRST_MEETING, Stage.EARLY_DATING}
    assert [row.place for row in love if row.where == ("-",) or early & set(row.where)] == []


def test_memories_are_not_spoken_of_at_a_first_meeting() -> None:
    memories = [row for row in ALL if "memory" in row.slots]
    assert memories
    places = [row.place for row in memories if {"-", Stage.FIRST_MEETING} & set(row.where)]
    assert places == []


def test_lines_are_spoken_words_not_print() -> None:
    assert [row.place for row in ALL if re.search("[—–;]|As someone who", row.text)] == []
