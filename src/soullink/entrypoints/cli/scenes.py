"""Scenarios: list, show, generate, validate."""

import json
from pathlib import Path
from typing import Any

import yaml

from soullink import bootstrap
from soullink.entrypoints.cli.exits import ExitCode
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.llm_opening import model_opened
from soullink.entrypoints.cli.opening import writing
from soullink.entrypoints.cli.output import cell, print_json, stderr, stdout, table
from soullink.entrypoints.cli.people import print_verdicts
from soullink.entrypoints.cli.persons import find_person
from soullink.entrypoints.cli.words import stage_label
from soullink.kernel.errors import InvalidInputError, SoulLinkError
from soullink.kernel.language import Language
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import STAGES, Scenario, Scenarios, Stage


def named(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Scenario, ...]]:
    """Return ids of scenarios, files read, and what was in the files.

    names: ids, "composed:STAGE", or files of yours by their ending. Raises InvalidScenarioError.
    """
    ids: list[str] = []
    own: list[Scenario] = []
    for name in names:
        if Path(name).suffix.lower() in {".yaml", ".yml", ".json"}:
            own.append(_shipped().load(Path(name).expanduser()))
            ids.append(own[-1].id)
        else:
            ids.append(name)
    return tuple(ids), tuple(own)


def list_scenarios(
    invocation: Invocation, stage: str | None, language: Language, as_json: bool
) -> None:
    """Print the shipped scenarios."""
    wanted = None if stage is None else _stage(stage)
    found = [s for s in _shipped().shipped() if wanted in {None, s.stage}]
    if as_json:
        print_json(
            [
                {
                    "id": scenario.id,
                    "version": scenario.version,
                    "stage": str(scenario.stage),
                    "topic": str(scenario.topic),
                    "title": dict(scenario.title),
                    "turns": list(scenario.turns),
                    "decision": scenario.decision is not None,
                }
                for scenario in found
            ]
        )
        return
    shown = table("=ID", "=STAGE", "=TOPIC", "=TURNS", "=DECISION", "TITLE")
    for scenario in found:
        shown.add_row(
            scenario.id,
            stage_label(scenario.stage, language),
            str(scenario.topic),
            f"{scenario.turns[0]}–{scenario.turns[1]}",
            "yes" if scenario.decision is not None else "",
            cell(scenario.title[language]),
        )
    stdout(invocation).print(shown)


def show(invocation: Invocation, scenario_id: str, as_json: bool) -> None:
    """Print one scenario as YAML."""
    scenarios = _shipped()
    _print(invocation, scenarios, scenarios.get(scenario_id), as_json)


def generate(
    invocation: Invocation,
    names: tuple[str, str],
    stage: str,
    seed: int,
    model: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compose a scenario for two people; print it, or write it to `out`."""
    wanted = _stage(stage)
    people = (find_person(names[0], {}), find_person(names[1], {}))
    if people[0].id == people[1].id:
        raise InvalidInputError(
            f"Both people have the id {str(people[0].id)!r}; give one profile another `id`."
        )
    if out is not None and out.suffix.lower() not in {".yaml", ".yml", ".json"}:
        raise InvalidInputError(f"{out}: a scenario ends in .yaml, .yml or .json.")
    scenarios = bootstrap.build_scenarios()
    scenario = invocation.interruption.run(_compose(invocation, model, people, wanted, seed))
    if model is not None and scenario.origin != "model":
        stderr(invocation).print(
            cell(f"{model} gave nothing usable; this scenario was composed by rule.", "yellow")
        )
    if out is None:
        _print(invocation, scenarios, scenario, as_json)
        return
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        document = scenarios.to_document(scenario)
        if out.suffix.lower() == ".json":
            text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        else:
            text = _yaml(document)
        out.write_text(text, "utf-8")
    if as_json:
        print_json({"id": scenario.id, "origin": scenario.origin, "out": str(out.resolve())})
    else:
        stdout(invocation).print(cell(f"{scenario.id} is now in {out}."), soft_wrap=True)


async def _compose(
    invocation: Invocation,
    model: str | None,
    people: tuple[Profile, Profile],
    stage: Stage,
    seed: int,
) -> Scenario:
    if model is None:
        return await bootstrap.build_scenarios().compose(people, stage, seed)
    async with model_opened(invocation, model) as opened:
        return await bootstrap.build_scenarios(opened).compose(people, stage, seed)


def validate(invocation: Invocation, files: list[Path], as_json: bool) -> ExitCode:
    """Check scenarios in files."""
    scenarios = _shipped()
    rows: list[dict[str, Any]] = []
    for file in files:
        try:
            scenario = scenarios.load(file.expanduser())
            rows.append({"path": str(file), "ok": True, "ids": [scenario.id], "error": None})
        except SoulLinkError as error:
            rows.append({"path": str(file), "ok": False, "ids": [], "error": str(error)})
    print_verdicts(invocation, rows, as_json)
    return ExitCode.OK if all(row["ok"] for row in rows) else ExitCode.INPUT


def _shipped() -> Scenarios:
    return bootstrap.build_scenarios()


def _stage(name: str) -> Stage:
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    if wanted not in list(STAGES):
        raise InvalidInputError(f"{name!r} is no stage; stages: {', '.join(STAGES)}.")
    return Stage(wanted)


def _print(invocation: Invocation, scenarios: Scenarios, scenario: Scenario, as_json: bool) -> None:
    document = scenarios.to_document(scenario)
    if as_json:
        print_json(document)
    else:
        stdout(invocation).out(_yaml(document), end="", highlight=False)


def _yaml(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=96)
