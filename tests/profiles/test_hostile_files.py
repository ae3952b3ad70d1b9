"""Files that are broken, huge or meant to hurt give one clear sentence."""

import errno
import json
import os
from pathlib import Path

import pytest

from soullink.kernel.errors import SoulLinkError, UnavailableError
from soullink.modules.profiles.api import InvalidProfileError

BOMB = (
    "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "name: Ada\n"
)

YAML_FILES = {
    "billion laughs": (BOMB, "alias"),
    "one alias": ("name: &n Ada\ncity: *n\n", "alias"),
    "a key that is given twice": ("name: Ada\nname: Eve\n", "'name' is given twice"),
    "a nested key that is given twice": ("name: A\nwants: {goal: dating, goal: casual}", "twice"),
    "a tab": ("name: Ada\nwants:\n\tgoal: dating\n", "tab"),
    "an object": ("name: !!python/object/apply:os.system ['true']\n", "line 1"),
    "only a comment": ("# nothing\n", "mapping"),
    "a list": ("- Ada\n", "mapping"),
    "two documents": ("name: Ada\n---\nname: Eve\n", "line 2"),
    "deep nesting": ("name: " + "[" * 5000 + "]" * 5000, "nested too deeply"),
    "a million entries": ("name: Ada\ninterests: [" + "a," * 1_000_000 + "]\n", "too many entries"),
    "a key of several lines twice": ('"a\\nb": 1\n"a\\nb": 2\n', "'a b' is given twice"),
    "a very long unknown key": ("name: Ada\n? " + "agee" * 100_000 + "\n: 1\n", "unknown key"),
    "an unclosed list": ("name: [Ada\n", "line"),
    "a control character": ("name: A\x07da\n", "control character"),
    "a key that is a list": ("? [a, b]\n: x\nname: Ada\n", "key"),
    "a merge key": ("name: Ada\n<<: {age: 30}\n", "unknown key"),
    "an impossible timestamp": (
        "name: Ada\nbirth_date: !!timestamp 2001-02-30\n",
        "cannot be read",
    ),
    "a number as key": ("name: Ada\n1: x\n", "the key 1"),
}


@pytest.mark.parametrize("case", YAML_FILES)
def test_bad_yaml_gives_one_sentence_with_the_file(profiles, written, case: str) -> None:
    content, expected = YAML_FILES[case]
    message = _refusal(profiles, written(content))
    assert message.startswith("ada.yaml: ")
    assert expected in message


JSON_FILES = {
    "not JSON": ("{name: Ada}", "line 1"),
    "a key that is given twice": ('{"name": "Ada", "name": "Eve"}', "twice"),
    "not a number": ('{"name": "Ada", "age": NaN}', "NaN"),
    "an array": ("[1]", "mapping"),
    "deep nesting": ('{"name": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
    "endless digits": ('{"name": "Ada", "age": ' + "9" * 6000 + "}", "too many digits"),
    "infinite": ('{"name": "Ada", "attachment": {"anxiety": 1e999}}', "'attachment.anxiety'"),
}


@pytest.mark.parametrize("case", JSON_FILES)
def test_bad_json_gives_one_sentence_with_the_file(profiles, written, case: str) -> None:
    content, expected = JSON_FILES[case]
    message = _refusal(profiles, written(content, "ada.json"))
    assert message.startswith("ada.json: ")
    assert expected in message


@pytest.mark.parametrize("name", ["ada.yaml", "ada.json"])
def test_an_empty_file_is_refused(profiles, written, name: str) -> None:
    assert "empty" in _refusal(profiles, written(b" \n ", name))


def test_other_encodings_are_refused_with_the_line(profiles, written) -> None:
    assert "line 2 is not UTF-8" in _refusal(profiles, written(b"name: Ada\ncity: K\xf6ln\n"))
    assert "UTF-8" in _refusal(profiles, written("name: 林晓".encode("utf-16")))


def test_a_byte_order_mark_does_no_harm(profiles, written) -> None:
    assert profiles.load(written(b"\xef\xbb\xbfname: Ada\n")).name == "Ada"


def test_a_huge_file_is_refused_before_it_is_parsed(profiles, written) -> None:
    content = b"name: Ada\nessays: {a: '" + b"x" * (2 * 1024 * 1024) + b"'}\n"
    assert "2 MB" in _refusal(profiles, written(content))


def test_what_is_not_a_file_is_refused(profiles, tmp_path: Path) -> None:
    folder = tmp_path / "ada.yaml"
    folder.mkdir()
    assert "is a folder" in _refusal(profiles, folder)
    assert "does not exist" in _refusal(profiles, tmp_path / "eve.yaml")
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    assert "not a regular file" in _refusal(profiles, pipe)


def test_a_path_that_the_system_refuses_is_told(profiles, tmp_path: Path) -> None:
    with pytest.raises(InvalidProfileError, match="cannot be read"):
        profiles.load_all(tmp_path / ("x" * 300 + ".yaml"))


@pytest.mark.parametrize("name", ["nowhere", "nowhere.yaml", "nowhere.jsonl"])
def test_what_does_not_exist_is_said_not_to_exist(profiles, tmp_path: Path, name: str) -> None:
    for read in (profiles.load, profiles.load_all):
        with pytest.raises(InvalidProfileError, match="does not exist"):
            read(tmp_path / name)


def test_a_path_with_a_nul_character_is_no_path(profiles) -> None:
    for read in (profiles.load, profiles.load_all):
        with pytest.raises(InvalidProfileError, match="is no path"):
            read(Path("ada\0.yaml"))


def test_a_bad_line_of_jsonl_is_named_once(profiles, written) -> None:
    for bad in ("oops", "\udcff"):
        content = ('{"name": "Ada"}\n' + bad).encode("utf-8", "surrogateescape")
        with pytest.raises(InvalidProfileError, match=r"all\.jsonl, line 2: it is not") as caught:
            profiles.load_all(written(content, "all.jsonl"))
        assert str(caught.value).count("line") == 1


def test_a_full_disk_is_said_to_be_full(
    profiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    person = profiles.from_document({"name": "Ada"}, "a")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnavailableError, match="disk is full"):
        profiles.save(person, tmp_path / "ada.yaml")
    assert list(tmp_path.iterdir()) == []


def test_many_essays_are_refused_quickly(profiles) -> None:
    essays = {f"essay {number}": "x" for number in range(100_000)}
    with pytest.raises(InvalidProfileError, match="more than 100 entries"):
        profiles.from_document({"name": "Ada", "essays": essays}, "a")


def test_another_suffix_is_refused(profiles, written) -> None:
    assert ".yaml, .yml or .json" in _refusal(profiles, written("name: Ada", "ada.txt"))


def test_a_long_line_of_jsonl_is_refused(profiles, written) -> None:
    path = written('{"name": "' + "x" * (2 * 1024 * 1024) + '"}', "all.jsonl")
    with pytest.raises(InvalidProfileError, match="line 1: the line is larger than 2 MB"):
        profiles.load_all(path)


def test_half_a_character_is_left_out(profiles, written) -> None:
    path = written(json.dumps({"name": "A\ud83dda", "essays": {"me": "x\ud83d y"}}), "ada.json")
    person = profiles.load(path)
    assert person.name == "Ada"
    assert person.essays["me"] == "x y"


def test_errors_have_a_stable_code() -> None:
    assert issubclass(InvalidProfileError, SoulLinkError)
    assert InvalidProfileError.code == "invalid_profile"


def _refusal(profiles, path: Path) -> str:
    with pytest.raises(InvalidProfileError) as caught:
        profiles.load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message
