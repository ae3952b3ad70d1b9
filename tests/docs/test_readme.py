"""What the pages for users say can be typed, followed and found."""

import json
import re
import shlex
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import soullink
from soullink.entrypoints.cli.main import app, globals_first
from soullink.gateways.llm.opening import PROVIDERS
from soullink.kernel.language import Language
from soullink.modules.simulation.api import STAGES, Act, Settings
from soullink.modules.simulation.scenarios import library
from tests.conftest import REPOSITORY

README, CHINESE = REPOSITORY / "README.md", REPOSITORY / "README.zh.md"
DOCS = REPOSITORY / "docs"
GUIDES = sorted(page for kind in ("tutorials", "how-to") for page in (DOCS / kind).glob("*.md"))
TYPED = [README, CHINESE, *GUIDES]
"""Pages whose commands somebody types."""
PAGES = [README, CHINESE, *sorted(DOCS.rglob("*.md")), *sorted(REPOSITORY.glob("examples/**/*.md"))]

PLANS = re.compile(
    r"coming soon|will be (?!the|no)|not yet (?:implemented|supported|done)|in a (?:later|future) "
    r"version|roadmap|work in progress|to be (?:done|added|written)|planned (?:for|to)|\btodo\b"
    r"|即将|敬请期待|今后会|以后会支持|尚未实现|暂未支持|开发中",
    re.IGNORECASE,
)
SMALLEST_PICTURE, LARGEST_PICTURE = 50_000, 400_000


def name_of(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def fences(text: str) -> Iterator[tuple[str, str]]:
    """Yield the language and the content of every fenced block."""
    for found in re.finditer(r"^```([a-z]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield found[1], found[2]


def commands(page: Path) -> list[list[str]]:
    """Return the arguments of every soullink command line in the blocks of a page."""
    found = []
    for language, block in fences(text_of(page)):
        if language:
            continue
        for line in block.splitlines():
            words = shlex.split(line, comments=True) if "soullink " in line else []
            while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
                words.pop(0)
            if words[:1] == ["soullink"]:
                found.append(words[1:] if ">" not in words else words[1 : words.index(">")])
    return found


def command_for(arguments: list[str]) -> tuple[Any, list[str]]:
    """Return the command that `arguments` begin with, and what is left of them."""
    command: Any = typer.main.get_command(app)
    rest = list(arguments)
    while children := getattr(command, "commands", None):
        assert rest, f"soullink {shlex.join(arguments)} is a group of commands"
        assert rest[0] in children, f"there is no command {rest[0]!r}"
        command = children[rest.pop(0)]
    return command, rest


def parsed(arguments: list[str]) -> dict[str, Any]:
    """Return the parameters of a command line; raises where an option or argument is wrong."""
    ordered = globals_first(arguments)
    start = next(i for i, word in enumerate(ordered) if word in typer_names())
    command, rest = command_for(ordered[start:])
    context = command.make_context(command.name, rest)
    values: dict[str, Any] = context.params
    return values


def typer_names() -> set[str]:
    root: Any = typer.main.get_command(app)
    return set(root.commands)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose parents a server's own account may enter, unlike those of tmp_path."""
    with tempfile.TemporaryDirectory(prefix="soullink-tour-") as folder:
        yield Path(folder)


def test_the_tour_of_the_library_runs(short_folder: Path) -> None:
    tour = [sys.executable, str(REPOSITORY / "examples" / "library_tour.py"), str(short_folder)]
    ended = subprocess.run(tour, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Replayed; the report is the same: True" in ended.stdout
    assert "fork: the first difference is at (1, 3)" in ended.stdout
    assert "nobody.yaml does not exist" in ended.stdout
    report = json.loads((short_folder / "course" / "report.json").read_text("utf-8"))
    assert report["summary"] in ended.stdout
    assert (short_folder / "course" / "report.html").is_file()


@pytest.mark.parametrize("page", [README, CHINESE, *GUIDES], ids=name_of)
def test_python_and_yaml_on_the_pages_are_well_formed(page: Path) -> None:
    for language, block in fences(text_of(page)):
        if language == "python":
            compile(block, name_of(page), "exec")
            for name in re.findall(r"\bsoullink\.([A-Za-z_]+)\(", block):
                assert callable(getattr(soullink, name))
        elif language == "yaml":
            assert yaml.safe_load(block)


LINES = [(page, line) for page in TYPED for line in commands(page)]


def test_the_pages_show_commands() -> None:
    """So that a change of the pages' form does not leave the tests below without any."""
    assert all(commands(page) for page in (README, CHINESE))
    assert len(LINES) > 60
    assert {line[0] for _, line in LINES} >= typer_names() - {"migrate"}


@pytest.mark.parametrize(
    ("page", "line"), LINES, ids=[f"{name_of(p)}: {shlex.join(line)}" for p, line in LINES]
)
def test_every_command_line_parses_and_names_what_exists(page: Path, line: list[str]) -> None:
    del page
    values = parsed(line)
    for scenario in (values.get("scenarios") or "").split(","):
        kind, _, stage = scenario.partition(":")
        if kind == "composed":
            assert stage in STAGES
        elif scenario and not scenario.endswith((".yaml", ".yml", ".json")):  # a reader's own file
            assert library.find(scenario) is not None, scenario
    for key in ("voice", "model"):
        voice = values.get(key) or "built-in"
        assert voice == "built-in" or voice.partition(":")[0] in PROVIDERS
    for change in values.get("changes") or []:
        name, _, value = change.partition("=")
        if name.endswith(".act"):
            assert value in list(Act)
    if line[:2] == ["scenarios", "show"]:
        assert library.find(line[2]) is not None, line[2]
    for word in line:
        if word.startswith("examples/"):
            assert (REPOSITORY / word).exists(), word


@pytest.mark.parametrize("page", TYPED, ids=name_of)
def test_commands_named_in_sentences_exist(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    for words in re.findall(r"`soullink ([a-z][^`]*)`", prose):
        command_for(words.split())


@pytest.mark.parametrize("page", [README, CHINESE], ids=name_of)
def test_both_commands_and_their_durations_stand_on_the_first_screen(page: Path) -> None:
    first = "\n".join(text_of(page).splitlines()[:14])
    assert re.search(r"^make demo ", first, re.MULTILINE)
    assert re.search(r"^make test ", first, re.MULTILINE)
    assert first.count("`make demo`") == first.count("`make test`") == 1
    targets = re.findall(r"^([a-z-]+):", text_of(REPOSITORY / "Makefile"), re.MULTILINE)
    assert set(re.findall(r"make ([a-z-]+)", text_of(page))) <= set(targets)


def test_both_readmes_show_the_same_commands_and_pages() -> None:
    def shape(page: Path) -> tuple[list[str], list[str], int]:
        ran = [word for line in commands(page) for word in line if word.isalpha()]
        links = re.findall(r"\]\(((?:docs/(?!images)|examples|LIC|CH)[^)]*)\)", text_of(page))
        return (
            [word for word in ran if word in typer_names()],
            sorted(set(links)),
            len(re.findall(r"^## ", text_of(page), re.MULTILINE)),
        )

    assert shape(README) == shape(CHINESE)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = [re.sub(r"[`*]|\]\([^)]*\)|\[", "", title).lower() for title in titles]
    return {
        "".join(c for c in title if c in " -_" or unicodedata.category(c)[0] in "LN").replace(
            " ", "-"
        )
        for title in plain
    }


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        assert "://" not in target, f"{target}: what a page needs is in the project"
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), target
        assert other.is_relative_to(REPOSITORY), target
        if anchor:
            assert anchor in anchors(text_of(other)), target


def test_every_page_is_in_the_index() -> None:
    index = DOCS / "README.md"
    linked = {
        (index.parent / target.partition("#")[0]).resolve()
        for target in re.findall(r"\]\(([^)\s]+)\)", text_of(index))
    }
    pages = {page.resolve() for page in DOCS.rglob("*.md") if page.name != "README.md"}
    assert pages <= linked


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_speaks_of_plans(page: Path) -> None:
    found = PLANS.search(text_of(page))
    assert found is None, f"{found and found[0]}: pages say what is"


@pytest.mark.parametrize("name", ["report.png", "report.zh.png"])
def test_pictures_are_small_enough_for_a_front_page(name: str) -> None:
    picture = (DOCS / "images" / name).read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(picture[16:20], "big") == 1180
    assert SMALLEST_PICTURE < len(picture) < LARGEST_PICTURE


def test_the_front_pages_give_the_figures_of_the_page_on_honesty() -> None:
    gate = text_of(DOCS / "explanation" / "honesty.md")
    found = re.search(r"^(\d+) of (\d+) figures are inside", gate, re.MULTILINE)
    assert found is not None
    inside, all_of_them = found[1], found[2]
    english, chinese = (" ".join(text_of(page).split()) for page in (README, CHINESE))
    assert f"Of {all_of_them} published figures" in english
    assert f"beside, {inside} lie inside the published range" in english
    assert f"拿来对照的 {all_of_them} 个已发表数字里，模拟人群有 {inside} 个" in chinese


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("page", "ids", "language", "said", "pattern"),
    [
        (
            README,
            ("ada", "ben"),
            "en",
            "second evening",
            r"demo (\d+) % of the replicas.*? only (\d+) % would both.*? in (\d+) % there",
        ),
        (
            CHINESE,
            ("lin", "chen"),
            "zh",
            "第二面",
            r"这一对，(\d+)% 的推演走到最后.*?再见的只占 (\d+)%.*?里也有 (\d+)%",
        ),
    ],
)
async def test_the_shares_on_the_front_page_are_those_of_its_course(
    database_url: str, page: Path, ids: tuple[str, str], language: Language, said: str, pattern: str
) -> None:
    found = re.search(pattern, " ".join(text_of(page).split()))
    assert found is not None
    a, b = (soullink.load_person(REPOSITORY / f"examples/people/{name}.yaml") for name in ids)
    async with soullink.open_session(database_url=database_url) as session:
        outcome = await session.simulate((a, b), Settings(7, 5, language), replicas=200)
    together = outcome.report.prediction.together.probability
    (second,) = (line for line in outcome.report.limits if said in line)
    both = re.findall(r"(\d+) ?%", second)[-1]
    assert (round(100 * together), both) == (int(found[1]), found[2])
    assert f"{found[3]}%" in re.findall(r"\d+%", outcome.report.summary)
