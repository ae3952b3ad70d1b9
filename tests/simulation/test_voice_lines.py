"""The authored lines: complete, well formed, and clear about mistakes."""

import shutil
from pathlib import Path

import pytest

from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.profiles.api import SCHWARTZ_VALUES
from soullink.modules.simulation.api import ACTS, Act
from soullink.modules.simulation.domain.acts import CLASSES
from soullink.modules.simulation.voice.echoes import similarity
from soullink.modules.simulation.voice.lines import (
    INTERRUPTION,
    LINES,
    PROFILE_SLOTS,
    SLOT,
    THOUGHT_STATES,
    LinesError,
    line_book,
    read_book,
    version_digest,
)
from soullink.modules.simulation.voice.port import STYLES
from soullink.modules.simulation.voice.text import count_words, han_share

MUCH_USED = frozenset(
    {Act.ASK, Act.DISCLOSE, Act.SMALL_TALK, Act.JOKE, Act.AGREE, Act.VALIDATE, Act.SUPPORT}
    | {Act.COMPLIMENT, Act.PLAN, Act.COMPLAIN, Act.DEFEND, Act.CRITICISE, Act.REPAIR}
    | {Act.APOLOGISE, Act.REQUEST, Act.INSIST, Act.TEASE, Act.WITHDRAW, Act.THANK}
    | {Act.AFFECTION, Act.CONFIDE}
)

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


def test_every_act_has_enough_lines_of_every_style(language: Language) -> None:
    book = line_book(language)
    assert set(book.lines) == set(ACTS)
    assert [
        (act, style)
        for act, lines in book.lines.items()
        for style in STYLES
        if sum(line.style == style for line in lines) < 2
    ] == []
    counts = {act: len(lines) for act, lines in book.lines.items()}
    assert {a: n for a, n in counts.items() if n < (28 if a in MUCH_USED else 20)} == {}
    assert sum(counts.values()) >= 850


def test_every_act_can_be_done_by_somebody_of_whom_nothing_is_known(language: Language) -> None:
    facts = PROFILE_SLOTS - {"me", "partner"}
    bare = {
        act: sum(not facts.intersection(line.slots) for line in lines)
        for act, lines in line_book(language).lines.items()
    }
    assert {act: count for act, count in bare.items() if count < 10} == {}


def test_lines_are_of_spoken_length_and_in_their_language(language: Language) -> None:
    few, many = (6, 25) if language == "en" else (6, 45)  # a slot adds what a short line lacks
    wrong = []
    for act, lines in line_book(language).lines.items():
        for line in lines:
            count = count_words(SLOT.sub("…", line.text), language)
            slack = 2 if language == "en" and not line.slots else 0
            if act is not Act.SILENCE and not few + slack <= count <= many:
                wrong.append((line.id, count, line.text))
            share = han_share(SLOT.sub("", line.text))
            if share != (1.0 if language == "zh" else 0.0):
                wrong.append((line.id, share, line.text))
            if len(line.slots) > 2:
                wrong.append((line.id, len(line.slots), line.text))
    assert wrong == []


def test_no_line_is_a_variation_of_another(language: Language) -> None:
    twins = []
    for lines in line_book(language).lines.values():
        texts = [line.text for line in lines]
        twins += [
            (one, other)
            for place, one in enumerate(texts)
            for other in texts[place + 1 :]
            if similarity(one, other) > 0.8
        ]
    assert twins == []


def test_thoughts_and_touches_cover_every_class(language: Language) -> None:
    book = line_book(language)
    assert len(book.thoughts) >= 60
    assert len({thought.text for thought in book.thoughts}) == len(book.thoughts)
    for act_class in CLASSES:
        for state in THOUGHT_STATES:
            assert any(
                (not t.classes or act_class in t.classes) and (not t.states or state in t.states)
                for t in book.thoughts
            ), (act_class, state)
    for style in set(STYLES) - {"plain"}:
        occasions = {o for t in book.touches if t.style == style for o in t.occasions}
        assert INTERRUPTION in occasions
        assert occasions >= {"warm", "open", "task", "demand"}, style


def test_every_value_has_several_phrases(language: Language) -> None:
    values = line_book(language).values
    assert {name: len(values[name]) for name in SCHWARTZ_VALUES} == dict.fromkeys(
        SCHWARTZ_VALUES, 3
    )


@pytest.mark.parametrize(
    ("file", "row", "complaint"),
    [
        ("ask.txt", "loud | - | - | How was it?", "'loud' is no style"),
        ("ask.txt", "plain | happy | - | How was it?", "'happy' is no class of acts"),
        ("ask.txt", "plain | - | wedding | How was it?", "'wedding' is no stage"),
        ("ask.txt", "plain | - | - | How was {holiday}?", "there is no slot {holiday}"),
        ("ask.txt", "plain | - | - | How was {place?", "a brace is left open"),
        ("ask.txt", "plain | - | How was it?", "write 4 fields"),
        ("ask.txt", "plain | - | - | How was it? | Well?", "cannot contain '|'"),
        ("_facts.txt", "sing | plain | - | - | How was it?", "'sing' is no act"),
        ("_thoughts.txt", "warm | sleepy | Hm.", "'sleepy' is no state"),
        ("_touches.txt", "warm | always | Hm.", "'always' is no occasion"),
        ("_values.txt", "fame | being known", "'fame' is no value"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(
    tmp_path: Path, language: Language, file: str, row: str, complaint: str
) -> None:
    shutil.copytree(LINES / language, tmp_path / language)
    path = tmp_path / language / file
    path.write_text(f"# a comment\n\n{row}\n", encoding="utf-8")
    with pytest.raises(LinesError) as raised:
        read_book(tmp_path, language)
    assert f"{language}/{file}, line 3" in str(raised.value)
    assert complaint in str(raised.value)


def test_a_missing_file_and_a_line_that_stands_twice_are_refused(
    tmp_path: Path, language: Language
) -> None:
    shutil.copytree(LINES / language, tmp_path / language)
    path = tmp_path / language / "agree.txt"
    path.write_text("plain | - | - | Yes.\nwarm | - | - | Yes.\n", encoding="utf-8")
    with pytest.raises(LinesError, match="line 2: this text stands twice"):
        read_book(tmp_path, language)
    path.unlink()
    with pytest.raises(LinesError, match=r"agree\.txt is missing"):
        read_book(tmp_path, language)


def test_ids_follow_the_text_and_not_its_place(tmp_path: Path, language: Language) -> None:
    shutil.copytree(LINES / language, tmp_path / language)
    path = tmp_path / language / "agree.txt"
    rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(reversed(rows)), encoding="utf-8")
    moved = {line.text: line.id for line in read_book(tmp_path, language).lines[Act.AGREE]}
    assert moved == {line.text: line.id for line in line_book(language).lines[Act.AGREE]}


def test_the_version_names_all_lines(language: Language) -> None:
    assert len(version_digest()) == 64
    assert line_book(language) is line_book(language)
