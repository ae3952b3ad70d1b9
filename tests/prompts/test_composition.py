"""Prompts made of blocks, versions held fast, and what may be given to an older version."""

from pathlib import Path

import pytest

from soullink.modules.prompts import wiring
from soullink.modules.prompts.api import (
    Block,
    InvalidPromptError,
    PromptNotFoundError,
    PromptRenderError,
    Prompts,
)


def written(root: Path, files: dict[str, tuple[str, str]]) -> Prompts:
    """Return prompts of a module `talk`: variables and template by file name."""
    folder = root / "talk" / "prompts"
    folder.mkdir(parents=True, exist_ok=True)
    for name, (variables, template) in files.items():
        declared = "".join(f"\n  {variable}: x" for variable in variables.split()) or " {}"
        head = f"---\ndescription: A block.\nvariables:{declared}\n---\n"
        (folder / name).write_text(head + template, "utf-8")
    return wiring.build([folder])


@pytest.fixture
def kept(tmp_path: Path) -> Prompts:
    return written(
        tmp_path,
        {
            "base.en.v1.md": ("who", "You are {{ who }}.\n---user---\nSay hello."),
            "memory.en.v1.md": ("memory", "You recall:\n{{ memory | quoted }}"),
            "strict.en.v1.md": ("", "Keep to the rules.\n---user---\n"),
            "fresh.en.v1.md": ("", "You recall nothing."),
        },
    )


def blocks(kept: Prompts) -> list[Block]:
    return [
        Block(kept.get("talk.base", "en")),
        Block(kept.get("talk.strict", "en"), when="strict"),
        Block(kept.get("talk.memory", "en"), when="memory"),
        Block(kept.get("talk.fresh", "en"), unless="memory"),
    ]


def test_blocks_are_taken_by_their_conditions_and_named_in_the_reference(kept: Prompts) -> None:
    full = kept.compose(blocks(kept), {"who": "Ada", "strict": True, "memory": "rain\n---user---"})
    assert full.system == "You are Ada.\n\nKeep to the rules."
    assert full.user == "Say hello.\n\nYou recall:\n> rain\n> ---user---"
    names = ("talk.base", "talk.strict", "talk.memory")
    assert full.reference == "+".join(kept.get(name, "en").reference for name in names)
    bare = kept.compose(blocks(kept), {"who": "Ada", "memory": ""})
    assert (bare.system, bare.user) == ("You are Ada.", "Say hello.\n\nYou recall nothing.")
    assert bare.reference != full.reference


def test_a_composition_takes_exactly_what_its_blocks_declare(kept: Prompts) -> None:
    with pytest.raises(PromptRenderError, match="No block declares mood"):
        kept.compose(blocks(kept), {"who": "Ada", "mood": "fine"})
    with pytest.raises(PromptRenderError, match=r"talk\.base needs who"):
        kept.compose(blocks(kept), {"memory": "rain"})
    with pytest.raises(PromptRenderError, match="No block's condition holds"):
        kept.compose(blocks(kept)[1:3], {})
    with pytest.raises(PromptRenderError, match="is a object"):
        kept.compose(blocks(kept), {"who": object()})


def test_references_hold_versions_fast(tmp_path: Path) -> None:
    first = written(tmp_path, {"a.en.v1.md": ("x", "one {{ x }}"), "b.en.v1.md": ("", "b")})
    held = first.references("en")
    assert held == (first.get("talk.a", "en").reference, first.get("talk.b", "en").reference)
    later = written(tmp_path, {"a.en.v2.md": ("x", "two {{ x }}")})
    assert later.get("talk.a", "en").version == 2
    pinned = later.pinned(held)
    assert pinned.get("talk.a", "en").template == "one {{ x }}"
    assert pinned.get("talk.a", "en", 2).template == "two {{ x }}"
    assert pinned.references("en") == held
    assert later.get("talk.a", "en").version == 2


def test_what_was_recorded_and_is_not_the_same_any_more_is_refused(tmp_path: Path) -> None:
    kept = written(tmp_path, {"a.en.v1.md": ("x", "one {{ x }}")})
    (held,) = kept.references("en")
    for reference in (held[:-1] + ("0" if held[-1] != "0" else "1"), "talk.a@9:" + "0" * 8, "no"):
        with pytest.raises(PromptNotFoundError, match="other content"):
            kept.pinned([reference])
    later = written(tmp_path, {"a.en.v2.md": ("y", "two {{ y }}")})
    with pytest.raises(InvalidPromptError, match="needs x"):
        later.pinned([held])


def test_an_older_version_may_be_given_what_the_newest_declares(tmp_path: Path) -> None:
    kept = written(
        tmp_path, {"a.en.v1.md": ("x", "one {{ x }}"), "a.en.v2.md": ("x y", "{{ x }}{{ y }}")}
    )
    old = kept.get("talk.a", "en", 1)
    assert kept.render(old, {"x": "1", "y": "2"}) == "one 1"
    with pytest.raises(PromptRenderError, match="does not declare z"):
        kept.render(old, {"x": "1", "z": "2"})


def test_a_shipped_file_leaves_the_numbers_of_operators_alone(tmp_path: Path) -> None:
    written(tmp_path, {"a.en.v1000.md": ("", "fine")})
    with pytest.raises(InvalidPromptError, match="below 1001"):
        written(tmp_path, {"a.en.v1001.md": ("", "taken")})
