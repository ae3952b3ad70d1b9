"""The Chinese lines of the built-in voice: their format, their number and their language."""

import itertools
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from soullink.modules.simulation import voice
from soullink.modules.simulation.api import ACTS, STAGES, Act
from soullink.modules.simulation.domain.acts import CLASSES
from soullink.modules.simulation.voice.port import STYLES

FOLDER = Path(voice.__file__).parent / "lines" / "zh"
AFTERS = {*(str(c) for c in CLASSES), "start"}
WHERES = {str(stage) for stage in STAGES}
SLOT = re.compile(r"\{([a-z_]+)\}")

# What a slot typically says: a short phrase and a long one.
PHRASES = {
    "partner": ("小满", "亚历山大"),
    "me": ("阿宁", "伊丽莎白"),
    "interest": ("夜跑", "修老合成器"),
    "partner_interest": ("爬山", "看黑白老电影"),
    "shared_interest": ("做饭", "逛旧书市场"),
    "job": ("护士", "小学音乐老师"),
    "partner_job": ("律师", "野生动物摄影师"),
    "city": ("成都", "哈尔滨"),
    "partner_city": ("青岛", "呼和浩特"),
    "value": ("做人有分寸", "逢年过节一家人齐齐整整"),
    "place": ("这间小屋", "这家只有八个座位的店"),
    "activity": ("听雨", "装作在看一部老电影"),
    "issue": ("钱的事", "少了的那笔现金"),
    "plan": ("跑过去", "冒雨也去泡个温泉"),
    "detail": ("那对耳朵", "公交卡后面那张照片"),
    "memory": ("那次买单", "从面馆走回家的那一路"),
}
SCENE_SLOTS = {"place", "activity", "issue", "plan", "detail"}
SHORTEST, LONGEST = 12, 45
ALIKE = 0.8

FREQUENT = {
    Act.ASK,
    Act.DISCLOSE,
    Act.SMALL_TALK,
    Act.JOKE,
    Act.AGREE,
    Act.VALIDATE,
    Act.SUPPORT,
    Act.COMPLIMENT,
    Act.PLAN,
    Act.COMPLAIN,
    Act.DEFEND,
    Act.CRITICISE,
    Act.REPAIR,
    Act.APOLOGISE,
    Act.REQUEST,
    Act.INSIST,
    Act.TEASE,
    Act.WITHDRAW,
    Act.THANK,
    Act.AFFECTION,
    Act.CONFIDE,
}
TOGETHER = {"committed", "crisis", "long_distance", "family"}


@dataclass(frozen=True, slots=True)
class Row:
    place: str
    style: str
    after: tuple[str, ...]
    where: tuple[str, ...]
    text: str

    @property
    def slots(self) -> set[str]:
        return set(SLOT.findall(self.text))

    def filled(self, which: int) -> str:
        return SLOT.sub(lambda slot: PHRASES[slot[1]][which], self.text)


@cache
def rows(act: Act) -> tuple[Row, ...]:
    path = FOLDER / f"{act}.txt"
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#"):
            continue
        parts = line.split(" | ")
        assert len(parts) == 4, f"{path.name}:{number} has {len(parts)} fields"
        style, after, where, text = parts
        found.append(
            Row(
                f"{path.name}:{number}",
                style,
                () if after == "-" else tuple(after.split(",")),
                () if where == "-" else tuple(where.split(",")),
                text,
            )
        )
    return tuple(found)


def every_row() -> list[Row]:
    return [row for act in ACTS for row in rows(act)]


def bigrams(text: str) -> frozenset[str]:
    letters = "".join(c for c in SLOT.sub("", text) if c.isalnum())
    return frozenset(a + b for a, b in itertools.pairwise(letters))


def alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def test_there_is_a_file_for_every_act_and_for_nothing_else() -> None:
    files = {path.stem for path in FOLDER.glob("*.txt") if not path.stem.startswith("_")}
    assert files == {str(act) for act in ACTS}


@pytest.mark.parametrize("act", ACTS)
def test_styles_classes_and_stages_are_known_and_named_once(act: Act) -> None:
    for row in rows(act):
        assert row.style in STYLES, row
        assert AFTERS.issuperset(row.after), row
        assert WHERES.issuperset(row.where), row
        assert len(set(row.after)) == len(row.after), row
        assert len(set(row.where)) == len(row.where), row


@pytest.mark.parametrize("act", ACTS)
def test_lines_have_at_most_two_slots_all_of_them_known(act: Act) -> None:
    for row in rows(act):
        assert set(PHRASES).issuperset(row.slots), row
        assert len(row.slots) <= 2, row
        assert not re.search(r"[{}]", SLOT.sub("", row.text)), row


@pytest.mark.parametrize("act", [act for act in ACTS if act is not Act.SILENCE])
def test_lines_are_as_long_as_a_turn_whatever_fills_them(act: Act) -> None:
    wrong = [
        (row.place, len(row.filled(which)), row.filled(which))
        for row in rows(act)
        for which in (0, 1)
        if not SHORTEST <= len(row.filled(which)) <= LONGEST
    ]
    assert wrong == []


def test_silence_is_told_as_a_stage_direction() -> None:
    for row in rows(Act.SILENCE):
        assert re.fullmatch(r"（[^（）]+[。]）", row.text), row
        assert "你" not in row.text, row


@pytest.mark.parametrize("act", ACTS)
def test_every_act_has_enough_lines_in_every_style(act: Act) -> None:
    styles = Counter(row.style for row in rows(act))
    assert sum(styles.values()) >= (28 if act in FREQUENT else 20)
    assert {style: styles[style] for style in STYLES if styles[style] < 2} == {}


@pytest.mark.parametrize("act", ACTS)
def test_every_act_can_be_spoken_where_nothing_is_known_about_the_people(act: Act) -> None:
    assert len([row for row in rows(act) if row.slots <= SCENE_SLOTS]) >= 10


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("stage", STAGES)
def test_every_style_has_words_for_an_answer_to_anything_in_every_stage(
    act: Act, stage: str
) -> None:
    able = {
        row.style
        for row in rows(act)
        if not row.after and row.slots <= SCENE_SLOTS and (not row.where or stage in row.where)
    }
    assert set(STYLES) - able == set()


@pytest.mark.parametrize("act", ACTS)
def test_lines_are_spread_over_what_they_answer(act: Act) -> None:
    assert len({after for row in rows(act) for after in row.after}) >= 4


def test_no_line_stands_twice() -> None:
    seen = Counter(row.text for row in every_row())
    assert [text for text, times in seen.items() if times > 1] == []


def test_no_two_lines_are_nearly_the_same() -> None:
    known = sorted(((bigrams(row.text), row.place) for row in every_row()), key=lambda k: len(k[0]))
    pairs = []
    for position, (one, place) in enumerate(known):
        for other, elsewhere in known[position + 1 :]:
            if len(one) <= ALIKE * len(other):
                break  # sorted by size: no later one can share enough
            if alike(one, other) > ALIKE:
                pairs.append((place, elsewhere))
    assert pairs == []


def test_the_partner_is_spoken_to_and_never_of() -> None:
    spoken_of = re.compile("(?<![其吉])他|她|牠|伊人")
    assert [row.place for row in every_row() if spoken_of.search(row.text)] == []


def test_punctuation_is_chinese_and_nothing_else_is_foreign() -> None:
    foreign = re.compile(r"[A-Za-z,.!?;:()\"'\s]|——|[\u3000]")
    assert [row.place for row in every_row() if foreign.search(SLOT.sub("", row.text))] == []


def test_love_is_declared_only_to_whom_one_is_together_with() -> None:
    for row in every_row():
        if "我爱你" in row.text or "我也爱你" in row.text:
            assert row.where, row
            assert TOGETHER.issuperset(row.where), row


def test_memories_are_not_spoken_of_at_a_first_meeting() -> None:
    for row in every_row():
        if "memory" in row.slots:
            assert row.where, row
            assert "first_meeting" not in row.where, row
