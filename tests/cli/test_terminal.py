"""What a terminal gets, and what a pipe gets."""

import errno
import json
import os
import pty
import select
import subprocess
import time
from pathlib import Path

import pytest
from rich.console import Console

from soullink.entrypoints.cli.exits import FULL_DISK_SENTENCE, code_of
from soullink.entrypoints.cli.main import globals_first
from soullink.entrypoints.cli.opening import writing
from soullink.entrypoints.cli.output import bar, cell, interval
from soullink.entrypoints.cli.text import printable, with_short_words
from soullink.entrypoints.cli.words import act_label, say
from soullink.gateways.llm.port import LlmAuthError, LlmRequestError, LlmTimeoutError
from soullink.kernel.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from soullink.modules.simulation.api import ACTS
from tests.cli.conftest import ADA, BEN, PROGRAM, SHORT, Soullink
from tests.conftest import REPOSITORY


def _on_a_terminal(*arguments: str, **environ: str) -> str:
    """Return what the command line writes to a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    program = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY / "src"),
            "TERM": "xterm-256color",
            "COLUMNS": "100",
            **environ,
        },
    )
    os.close(theirs)
    written = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                read = os.read(ours, 65536)
            except OSError:  # Linux says EIO when the other side is closed
                break
            if not read:
                break
            written += read
    os.close(ours)
    assert program.wait(timeout=10) == 0, written.decode()
    return written.decode()


def test_a_terminal_gets_colours_and_a_link(database_url: str) -> None:
    written = _on_a_terminal("simulate", ADA, BEN, *SHORT, SOULLINK_DATABASE_URL=database_url)
    assert "\x1b[1;36m" in written
    assert "file:///" in written


@pytest.mark.parametrize(("arguments", "environ"), [(("--no-color",), {}), ((), {"NO_COLOR": "1"})])
def test_a_terminal_gets_no_colours_when_none_are_wanted(
    arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    written = _on_a_terminal(
        "people", "list", str(REPOSITORY / "examples/people"), *arguments, **environ
    )
    assert "Ada Okafor" in written
    assert "\x1b[" not in written


def test_a_pipe_gets_no_escapes(soullink_db: Soullink) -> None:
    ended = soullink_db("simulate", ADA, BEN, *SHORT)
    assert "\x1b" not in ended.out + ended.err
    assert "file:///" not in ended.out


def test_options_for_all_commands_may_stand_anywhere() -> None:
    given = ["runs", "list", "--data-dir", "x", "--limit", "3", "--no-color", "--database-url=y"]
    assert globals_first(given) == [
        "--data-dir", "x", "--no-color", "--database-url=y", "runs", "list", "--limit", "3",
    ]  # fmt: skip
    assert globals_first(["a", "--", "--debug"]) == ["a", "--", "--debug"]
    assert globals_first(["--data-dir"]) == ["--data-dir"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInputError("x"), 2),
        (NotFoundError("x"), 3),
        (ConflictError("x"), 4),
        (UnavailableError("x"), 5),
        (LlmAuthError("x"), 5),
        (LlmTimeoutError("x"), 5),
        (LlmRequestError("x"), 2),
    ],
)
def test_every_kind_of_error_has_its_exit_code(error: Exception, code: int) -> None:
    assert code_of(error) == code  # type: ignore[arg-type]


def test_strange_text_becomes_harmless_and_letters_stay() -> None:
    assert printable("a\x1b[31mb\x07\r\nc\u202ed") == "a[31mb  cd"
    for kept in ("مريم العلي", "林晓", "👩‍🚀", "Zoë"):
        assert printable(kept) == kept


def test_markup_of_strangers_is_not_obeyed() -> None:
    console = Console(width=80, force_terminal=True)
    text = "[red]x[/red] [link=there]y[/link] :smile:"
    with console.capture() as captured:
        console.print(cell(text))
    assert captured.get() == text + "\n"


def test_bars_and_intervals_show_their_numbers() -> None:
    assert [bar(value, 4) for value in (-1.0, 0.0, 0.5, 1.0, 3.0)] == [
        "░░░░", "░░░░", "██░░", "████", "████",
    ]  # fmt: skip
    assert interval(0, 50, 100, 5) == "━━●━━"
    assert interval(25, 25, 50, 5) == "·●━··"


def test_every_act_has_a_label_in_both_languages() -> None:
    labels = [(act_label(act, "en"), act_label(act, "zh")) for act in ACTS]
    assert len(set(labels)) == len(ACTS)
    assert say("ended", "zh", outcome="好") == "结局：好"


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_full_disk_is_one_sentence_and_exit_code_5(arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  (a device)
        ended = subprocess.run(
            [*PROGRAM, "personality", "items", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
        )
    assert ended.returncode == 5
    assert ended.stderr.splitlines() == [FULL_DISK_SENTENCE]


def test_a_full_disk_under_out_is_no_bug() -> None:
    with (
        pytest.raises(UnavailableError, match=r"out/report.html .*the disk is full"),
        writing(Path("out")),
    ):
        raise OSError(errno.ENOSPC, "No space left on device", "out/report.html")


def test_what_somebody_typed_is_echoed_in_short() -> None:
    long = "x" * 5000
    for said in (f"'{long}' is no run.", f'"{long}" is no run.', f"There is no {long} here."):
        assert len(with_short_words(said)) < 100
    plain = "Nobody's run is 'abc'; it's the day's end, isn't it? " * 3
    assert with_short_words(plain) == plain
    path = "/home/somebody/with/many/folders/and/a/long/way/to/go/before/the/profile/ada.yaml"
    assert with_short_words(f"{path} does not exist.") == f"{path} does not exist."


@pytest.mark.parametrize("columns", [100, 60, 40])
def test_a_narrow_terminal_keeps_the_names_of_the_dimensions(
    database_url: str, columns: int
) -> None:
    written = _on_a_terminal(
        "simulate", ADA, BEN, *SHORT, "--no-color", "-q", "--out", "out",
        SOULLINK_DATABASE_URL=database_url, COLUMNS=str(columns),
    )  # fmt: skip
    (heading,) = (line for line in written.splitlines() if line.startswith("Dimension"))
    assert ("0 to 100" in heading) == (columns == 100)
    assert ("this course" in heading) == (columns == 100)
    assert "interval" in heading
    lines = written[written.index("Dimension") :].partition("\r\n\r\n")[0].splitlines()
    assert all(len(line) <= columns for line in lines)
    dimensions = json.loads(Path("out/report.json").read_text("utf-8"))["dimensions"]
    titles = [dimension["title"].split()[0] for dimension in dimensions]
    shown = [line.split()[0] for line in lines if " – " in line]
    assert len(shown) == len(titles)
    for title, word in zip(titles, shown, strict=True):  # a very long word may be folded
        assert title == word or (columns == 40 and title.startswith(word) and len(word) > 7)
