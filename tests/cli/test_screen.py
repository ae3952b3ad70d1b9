"""soullink screen: from two populations to a file of rows, and what goes wrong on the way."""

import csv
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from soullink.entrypoints.cli.commands import screen as command
from soullink.modules.simulation.screening import api, service
from tests.cli.conftest import ADA, BEN, EXAMPLES, PROGRAM, Ended, Soullink
from tests.cli.test_terminal import _on_a_terminal as on_a_terminal
from tests.conftest import REPOSITORY

PEOPLE = str(EXAMPLES)
QUICK = (
    *("--scenarios", "last-train-noodle-bar", "--replicas", "4"),
    *("--engine", "numpy", "--threads", "1", "--seed", "3"),
)
SLOW = ("--episodes", "2", "--replicas", "24", "--engine", "numpy", "--threads", "1")
PAIRS = 66  # of twelve people


@pytest.fixture
def screen(soullink: Soullink) -> Any:
    def call(*arguments: str) -> Ended:
        return soullink("screen", *arguments)

    return call


def _rows(path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    return found


def test_every_pair_of_a_folder_comes_out_as_a_row(screen: Any) -> None:
    ended = screen(PEOPLE, "--against", PEOPLE, "--out", "new/pairs.parquet", "--top", "4", *QUICK)
    assert ended.code == 0, ended.err
    rows = _rows("new/pairs.parquet")
    assert len(rows) == PAIRS == len({(row["first"], row["second"]) for row in rows})
    assert all(row["first"] < row["second"] for row in rows)
    lines = ended.out.splitlines()
    assert lines[0].split() == ["PAIR", "TOGETHER", "SATISFIED", "AGAIN", "CONFLICT", "UNKNOWN"]
    best = max(rows, key=lambda row: row["together"])["together"]
    assert f"{100 * best:.0f} % (" in lines[1]
    assert len([line for line in lines if " + " in line]) == 4
    assert "66 pairs screened by numpy through 1 scenario: last-train-noodle-bar." in ended.out
    assert lines[-1] == "Rows: new/pairs.parquet"
    assert ended.err.splitlines()[-1].startswith("[66/66] ")
    assert "dyad-turns/s" in ended.err


def test_json_is_all_that_stdout_holds(screen: Any) -> None:
    ended = screen(ADA, "--against", PEOPLE, "--out", "o.parquet", "--json", "-q", *QUICK)
    assert (ended.code, ended.err) == (0, "")
    found = ended.document
    assert (found["pairs"], found["people"]) == (11, [1, 12])
    assert found["engine"] == "numpy"
    assert found["metadata"]["seed"] == 3
    assert found["turns"] > 0
    assert len(found["top"]) == 10
    assert {"ada"} <= {found["top"][0]["first"], found["top"][0]["second"]}
    together = [row["together"] for row in found["top"]]
    assert together == sorted(together, reverse=True)


def test_the_same_command_twice_does_nothing(screen: Any) -> None:
    command = (ADA, "--against", PEOPLE, "--out", "o.parquet", *QUICK)
    assert screen(*command).code == 0
    before = Path("o.parquet").read_bytes()
    ended = screen(*command, "--top", "0")
    assert ended.code == 0
    assert "o.parquet is finished already." in ended.err
    assert Path("o.parquet").read_bytes() == before


def test_another_command_on_the_same_file_is_refused(screen: Any) -> None:
    assert screen(ADA, "--against", PEOPLE, "--out", "o.parquet", *QUICK).code == 0
    ended = screen(BEN, "--against", PEOPLE, "--out", "o.parquet", *QUICK)
    assert ended.code == 4
    assert "other settings (people_digest)" in ended.err
    assert "choose another --out" in ended.err


def _killed_after_a_part(out: Path, number: int) -> "tuple[int, str]":
    """Start to screen, signal the program once something is kept; return code and stderr."""
    program = subprocess.Popen(
        [*PROGRAM, "screen", PEOPLE, "--against", PEOPLE, "--out", str(out), *SLOW],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
    )
    parts = out.with_name(out.name + ".parts")
    deadline = time.monotonic() + 60
    while not list(parts.glob("part-*")):
        assert program.poll() is None, "it ended before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    program.send_signal(number)
    _, err = program.communicate(timeout=60)
    return program.returncode, err


def test_what_is_killed_or_interrupted_goes_on_to_the_same_bytes(screen: Any) -> None:
    whole = screen(PEOPLE, "--against", PEOPLE, "--out", "whole.parquet", *SLOW)
    assert whole.code == 0, whole.err
    out = Path("cut.parquet").absolute()
    code, _ = _killed_after_a_part(out, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not out.exists()
    ended = screen(PEOPLE, "--against", PEOPLE, "--out", str(out), *SLOW)
    assert ended.code == 0, ended.err
    assert "pairs are there already; going on." in ended.err
    assert out.read_bytes() == Path("whole.parquet").read_bytes()
    assert not out.with_name("cut.parquet.parts").exists()

    out = Path("stopped.parquet").absolute()
    code, err = _killed_after_a_part(out, signal.SIGINT)
    assert code == 130, err
    assert "Nothing is lost; the same command goes on" in err
    assert "Traceback" not in err
    ended = screen(PEOPLE, "--against", PEOPLE, "--out", str(out), *SLOW)
    assert ended.code == 0, ended.err
    assert out.read_bytes() == Path("whole.parquet").read_bytes()


def test_populations_come_in_every_file_that_people_come_in(screen: Any) -> None:
    Path("two.jsonl").write_text(
        '{"id": "zoe", "name": "Zoe", "age": 30}\n{"id": "yan", "name": "Yan", "age": 31}\n'
    )
    Path("sotopia.jsonl").write_text(
        json.dumps({"first_name": "Sam", "last_name": "Moss", "age": 33, "occupation": "Baker"})
        + "\n"
    )
    with Path("okcupid.csv").open("w", newline="") as file:
        lines = csv.DictWriter(file, ["age", "sex", "job", "location"])
        lines.writeheader()
        lines.writerow({"age": "29", "sex": "m", "job": "student", "location": "oakland"})
    expected = {"two.jsonl": 2, "sotopia.jsonl": 1, "okcupid.csv": 1, BEN: 1}
    for place, size in expected.items():
        ended = screen(
            place, "--against", ADA, "--out", f"{Path(place).stem}.parquet", "--json", *QUICK
        )
        assert ended.code == 0, ended.err
        assert ended.document["people"] == [size, 1]
        assert ended.document["pairs"] == size


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((PEOPLE, "--against", PEOPLE), 2, "--out"),
        ((PEOPLE, "--out", "o.parquet"), 2, "--against"),
        (("nobody/", "--against", PEOPLE, "--out", "o.parquet"), 2, "does not exist"),
        ((PEOPLE, "--against", "empty.jsonl", "--out", "o.parquet"), 2, "no pair to screen"),
        ((ADA, "--against", ADA, "--out", "o.parquet"), 2, "no pair to screen"),
        ((ADA, "--against", BEN, "--out", "o.csv"), 2, "ends in .parquet"),
        ((ADA, "--against", BEN, "--out", "empty.jsonl/o.parquet"), 2, "is a file"),
        ((ADA, "--against", BEN, "--out", "o.parquet", "--replicas", "0"), 2, "--replicas"),
        ((ADA, "--against", BEN, "--out", "o.parquet", "--seed", "-1"), 2, "--seed"),
        ((ADA, "--against", BEN, "--out", "o.parquet", "--scenarios", "x\x1b[31m"), 3, "'x"),
        ((ADA, "--against", BEN, "--out", "o.parquet", "--scenarios", "composed:"), 2, "for all"),
        ((ADA, "--against", BEN, "--out", "o.parquet", "--engine", "abacus"), 2, "--engine"),
        ((ADA, "--against", BEN, "--out", "o.parquet", "--ray-address", "auto"), 2, "needs --eng"),
        (("twice.jsonl", "--against", ADA, "--out", "o.parquet"), 2, "two different people"),
        (("broken.jsonl", "--against", ADA, "--out", "o.parquet"), 2, "broken.jsonl, line 1"),
    ],
)
def test_what_cannot_be_screened_is_one_sentence(
    screen: Any, arguments: tuple[str, ...], code: int, said: str
) -> None:
    Path("empty.jsonl").write_text("")
    Path("twice.jsonl").write_text('{"id": "ada", "name": "Another", "age": 40}\n')
    Path("broken.jsonl").write_text("[[[[\n")
    before = sorted(Path().iterdir())
    ended = screen(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert "\x1b" not in ended.err
    assert len(ended.err.strip().splitlines()) <= 3
    assert sorted(Path().iterdir()) == before


def test_from_python_it_is_the_same(screen: Any) -> None:
    import soullink

    assert screen(ADA, "--against", PEOPLE, "--out", "o.parquet", *QUICK).code == 0
    settings = soullink.ScreeningSettings(
        seed=3, scenarios=("last-train-noodle-bar",), replicas=4, engine="numpy"
    )
    told: list[int] = []
    done = soullink.screen(
        [soullink.load_person(ADA)],
        soullink.load_people(PEOPLE),
        Path("p.parquet"),
        settings=settings,
        watch=lambda progress: told.append(progress.done),
    )
    assert done.path.read_bytes() == Path("o.parquet").read_bytes()
    assert told[0] == 0
    assert told[-1] == 11


def test_help_names_the_limits_of_screening() -> None:
    assert command.MOST_EPISODES == service.MOST_EPISODES
    assert command.MOST_REPLICAS == service.MOST_REPLICAS
    assert command.MOST_THREADS == api.MOST_THREADS
    assert set(command.Engine) == {*api.ENGINES, "ray"}


def test_a_terminal_gets_a_bar_with_speed_and_time_left() -> None:
    written = on_a_terminal("screen", ADA, "--against", PEOPLE, "--out", "o.parquet", *QUICK)
    drawn = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written)
    assert "Screening pairs" in drawn
    assert "11/11" in drawn
    assert re.search(r"[1-9][0-9.]* k dyad-turns/s left \d:\d\d:\d\d", drawn)
