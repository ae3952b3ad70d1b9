"""Ctrl-C and SIGTERM: nothing is lost, and what goes on ends like an unbroken run."""

import json
import signal
import tempfile
from pathlib import Path

from tests.cli.conftest import ADA, BEN, Soullink, Start, interrupt_after, without_wall

LONG = ("--episodes", "8", "--replicas", "12", "--seed", "11")


def test_an_interrupted_run_resumes_to_the_result_of_an_unbroken_one(
    soullink_db: Soullink, start: Start
) -> None:
    program = start("simulate", ADA, BEN, *LONG, "--out", "broken")
    code, err = interrupt_after(program, 12, signal.SIGINT)
    assert code == 130
    assert "Nothing is lost; go on with: soullink resume " in err
    assert "Traceback" not in err
    listed = soullink_db("runs", "list", "--json").document
    assert [run["status"] for run in listed] == ["running"]
    assert listed[0]["short_id"] in err

    resumed = soullink_db("resume", "last", "--out", "broken", "--replicas", "12")
    assert resumed.code == 0, resumed.err
    assert "turns from the record" in resumed.out
    whole = soullink_db("simulate", ADA, BEN, *LONG, "--quiet", "--out", "whole")
    assert whole.code == 0, whole.err
    assert without_wall(Path("broken/course.jsonl")) == without_wall(Path("whole/course.jsonl"))
    reports = [json.loads(Path(f, "report.json").read_text()) for f in ("broken", "whole")]
    assert reports[0]["digest"] == reports[1]["digest"]


def test_an_interrupted_run_leaves_no_server_behind(start: Start) -> None:
    with tempfile.TemporaryDirectory(prefix="soullink-", dir="/tmp") as folder:
        program = start(
            "--data-dir", folder, "simulate", ADA, BEN, "--episodes", "40", "--out", "out"
        )
        code, err = interrupt_after(program, 8, signal.SIGTERM)
        assert code == 130, err
        assert f"soullink --data-dir {folder} resume " in err
        assert Path(folder, "postgres", "PG_VERSION").is_file()
        assert not Path(folder, "postgres", "postmaster.pid").exists()


def test_who_stops_reading_is_no_reason_to_complain(soullink_db: Soullink, start: Start) -> None:
    assert soullink_db("simulate", ADA, BEN, *LONG, "-q", "--out", "out").code == 0
    program = start("runs", "export", "last", "--out", "-")
    assert program.stdout.readline().startswith('{"fork":null,"kind":"run"')
    program.stdout.close()
    program.wait(timeout=60)
    assert program.stderr.read() == ""
    assert program.returncode in {0, 141}
