"""Scenarios as plain data: a strict reader, which names what is wrong, and a writer."""

import re
from collections.abc import Mapping
from itertools import chain
from typing import Any, Literal, cast

from soullink.kernel.language import LANGUAGES
from soullink.modules.simulation.api import (
    ACTS,
    CONDITION_VARIABLES,
    DEMANDS,
    FACTORS,
    STAGES,
    TOPICS,
    WORD_SLOTS,
    Act,
    Choice,
    Condition,
    Decision,
    Document,
    Effect,
    Goal,
    Outcome,
    Parameter,
    Scenario,
    Stage,
    Topic,
    Trigger,
)
from soullink.modules.simulation.scenarios import limits
from soullink.modules.simulation.scenarios.cursor import Cursor, hint, short

_SLOT = re.compile(r"\{([^{}]*)\}")


def from_document(document: Mapping[str, object], source: str) -> Scenario:
    """Return the scenario in plain data; `source` names it in errors.

    Raises InvalidScenarioError, one sentence with the field and what to write instead.
    """
    root = Cursor(document, source)
    fields = root.mapping(limits.REQUIRED_KEYS, limits.OPTIONAL_KEYS)
    decision = fields.get("decision")
    origin = fields["origin"].one_of(limits.ORIGINS, "an origin") if "origin" in fields else None
    scenario = Scenario(
        id=fields["id"].matching(
            limits.SCENARIO_ID, limits.SCENARIO_ID_LENGTH, "last-train-noodle-bar"
        ),
        version=fields["version"].integer(*limits.VERSION),
        stage=Stage(fields["stage"].one_of(STAGES, "a stage")),
        topic=Topic(fields["topic"].one_of(TOPICS, "a topic")),
        title=fields["title"].text(limits.TITLE_LENGTH),
        setting=fields["setting"].text(limits.SETTING_LENGTH, braces=True),
        turns=fields["turns"].span(*limits.TURNS),
        minutes=fields["minutes"].integer(*limits.MINUTES),
        gap_days=fields["gap_days"].span(*limits.GAP_DAYS),
        demands=fields["demands"].numbers(DEMANDS, 0.0, 1.0, "a demand"),
        pressures=fields["pressures"].numbers(FACTORS, 0.0, 1.0, "an external factor"),
        parameters=_parameters(fields["parameters"]),
        goals=_goals(fields["goals"]),
        acts=_acts(fields["acts"]),
        decision=None if decision is None or decision.value is None else _decision(decision),
        triggers=_triggers(fields["triggers"]),
        outcomes=_outcomes(fields["outcomes"]),
        words=_words(fields["words"]),
        origin=cast('Literal["template", "composed", "model"]', origin or "template"),
    )
    _check_slots(fields["setting"], scenario)
    _check_decision(root, scenario)
    return scenario


def to_document(scenario: Scenario) -> Document:
    """Return `scenario` as plain data that `from_document` reads back to an equal one."""
    document: Document = {
        "id": scenario.id,
        "version": scenario.version,
        "stage": scenario.stage.value,
        "topic": scenario.topic.value,
        "title": dict(scenario.title),
        "setting": dict(scenario.setting),
        "turns": list(scenario.turns),
        "minutes": scenario.minutes,
        "gap_days": list(scenario.gap_days),
        "demands": dict(scenario.demands),
        "pressures": dict(scenario.pressures),
        "parameters": [
            {
                "name": parameter.name,
                "choices": [
                    {"id": choice.id, "text": dict(choice.text), "demands": dict(choice.demands)}
                    for choice in parameter.choices
                ],
            }
            for parameter in scenario.parameters
        ],
        "goals": [
            {"id": goal.id, "text": dict(goal.text), "acts": _plain_acts(goal.acts)}
            for goal in scenario.goals
        ],
        "acts": _plain_acts(scenario.acts),
        "triggers": [_plain_trigger(trigger) for trigger in scenario.triggers],
        "outcomes": [
            {
                "id": outcome.id,
                "title": dict(outcome.title),
                "when": _plain_conditions(outcome.when),
                "success": outcome.success,
                "effect": _plain_effect(outcome.effect),
            }
            for outcome in scenario.outcomes
        ],
        "words": {
            slot: {language: list(scenario.words[slot][language]) for language in LANGUAGES}
            for slot in WORD_SLOTS
        },
    }
    if scenario.decision is not None:
        document["decision"] = _plain_decision(scenario.decision)
    if scenario.origin != "template":
        document["origin"] = scenario.origin
    return document


def _parameters(cursor: Cursor) -> tuple[Parameter, ...]:
    found = []
    for item in cursor.items(0, limits.PARAMETERS_MOST):
        fields = item.mapping(("name", "choices"))
        found.append(
            Parameter(
                fields["name"].matching(limits.NAME, 40, "weather"), _choices(fields["choices"])
            )
        )
    _check_unique(cursor, [parameter.name for parameter in found])
    return tuple(found)


def _choices(cursor: Cursor) -> tuple[Choice, ...]:
    found = []
    for item in cursor.items(*limits.CHOICES):
        fields = item.mapping(("id", "text"), ("demands",))
        demands = fields.get("demands")
        found.append(
            Choice(
                fields["id"].matching(limits.NAME, 40, "heavy_rain"),
                fields["text"].text(limits.OPTION_LENGTH),
                {} if demands is None else demands.numbers(DEMANDS, -1.0, 1.0, "a demand"),
            )
        )
    _check_unique(cursor, [choice.id for choice in found])
    return tuple(found)


def _goals(cursor: Cursor) -> tuple[Goal, Goal]:
    found = []
    for item in cursor.items(2, 2):
        fields = item.mapping(("id", "text", "acts"))
        found.append(
            Goal(
                fields["id"].matching(limits.NAME, 40, "find_out"),
                fields["text"].text(limits.SENTENCE_LENGTH),
                _acts(fields["acts"]),
            )
        )
    _check_unique(cursor, [goal.id for goal in found])
    return found[0], found[1]


def _acts(cursor: Cursor) -> dict[Act, float]:
    names = [act.value for act in ACTS]
    odds = cursor.numbers(names, -limits.LOG_ODDS, limits.LOG_ODDS, "an act")
    return {Act(name): value for name, value in odds.items()}


def _decision(cursor: Cursor) -> Decision:
    fields = cursor.mapping(
        ("question", "option_minus", "option_plus", "default", "pull", "deadline_turn")
    )
    return Decision(
        question=fields["question"].text(limits.SENTENCE_LENGTH),
        option_minus=fields["option_minus"].text(limits.OPTION_LENGTH),
        option_plus=fields["option_plus"].text(limits.OPTION_LENGTH),
        default=fields["default"].text(limits.SENTENCE_LENGTH),
        pull=fields["pull"].numbers(limits.PULLS, -1.0, 1.0, "a trait or value that pulls"),
        deadline_turn=fields["deadline_turn"].integer(limits.DEADLINE_FIRST, limits.TURNS[1]),
    )


def _triggers(cursor: Cursor) -> tuple[Trigger, ...]:
    found = []
    for item in cursor.items(0, limits.TRIGGERS_MOST):
        fields = item.mapping(("id", "when", "text"), ("effect", "ends"))
        conditions = _conditions(fields["when"])
        if not conditions:
            raise fields["when"].fail("is empty; say when it happens, e.g. 'turn >= 6'")
        ends = fields["ends"].value if "ends" in fields else False
        if not isinstance(ends, bool):
            raise fields["ends"].fail("must be true or false")
        found.append(
            Trigger(
                id=fields["id"].matching(limits.NAME, 40, "the_phone_rings"),
                when=conditions,
                effect=_effect(fields.get("effect")),
                text=fields["text"].text(limits.SENTENCE_LENGTH),
                ends=ends,
            )
        )
    _check_unique(cursor, [trigger.id for trigger in found])
    return tuple(found)


def _outcomes(cursor: Cursor) -> tuple[Outcome, ...]:
    items = cursor.items(1, limits.OUTCOMES_MOST)
    found = []
    for position, item in enumerate(items, start=1):
        fields = item.mapping(("id", "title", "when", "success"), ("effect",))
        conditions = _conditions(fields["when"])
        if position == len(items) and conditions:
            raise fields["when"].fail(
                "belongs to the last outcome, which takes every other case; empty it"
            )
        if position < len(items) and not conditions:
            raise fields["when"].fail(
                "is empty, so no later outcome is ever reached; add a condition"
            )
        found.append(
            Outcome(
                id=fields["id"].matching(limits.NAME, 40, "second_date"),
                title=fields["title"].text(limits.SENTENCE_LENGTH),
                when=conditions,
                success=fields["success"].number(-1.0, 1.0),
                effect=_effect(fields.get("effect")),
            )
        )
    _check_unique(cursor, [outcome.id for outcome in found])
    return tuple(found)


def _conditions(cursor: Cursor) -> tuple[Condition, ...]:
    bounds: dict[str, dict[str, float]] = {}
    for item in cursor.items(0, limits.CONDITIONS_MOST):
        text = item.line(limits.PHRASE_LENGTH)
        parts = limits.CONDITION_PATTERN.fullmatch(text)
        if parts is None:
            word = text.split(" ", 1)[0]
            if word not in CONDITION_VARIABLES:
                suggestion = hint(word, CONDITION_VARIABLES)
                raise item.fail(f"looks at '{short(word)}', which is no variable{suggestion}")
            raise item.fail(f"is '{short(text)}'; write it like 'conflict >= 0.5'")
        variable, sign, number = parts.group(1), parts.group(2), float(parts.group(3))
        lowest, highest = limits.variable_range(variable)
        if not lowest <= number <= highest:
            raise item.fail(
                f"asks for {number:g}, but '{variable}' goes from {lowest:g} to {highest:g}"
            )
        bound = bounds.setdefault(variable, {})
        if sign in bound:
            raise item.fail(f"bounds '{variable}' twice from the same side; keep one")
        bound[sign] = number
    for variable, bound in bounds.items():
        if len(bound) == 2 and bound[">="] > bound["<="]:
            raise cursor.fail(f"can never hold: '{variable}' has no value between its bounds")
    return tuple(
        Condition(variable, bound.get(">="), bound.get("<=")) for variable, bound in bounds.items()
    )


def _effect(cursor: Cursor | None) -> Effect:
    if cursor is None:
        return Effect()
    return Effect(**cursor.numbers(limits.EFFECTS, -1.0, 1.0, "a state"))


def _words(cursor: Cursor) -> dict[str, dict[Any, tuple[str, ...]]]:
    found = {}
    for slot, field in cursor.mapping(WORD_SLOTS).items():
        languages = field.mapping(LANGUAGES)
        found[slot] = {language: _phrases(languages[language]) for language in LANGUAGES}
    return {slot: found[slot] for slot in WORD_SLOTS}


def _phrases(cursor: Cursor) -> tuple[str, ...]:
    phrases = [item.braceless(limits.PHRASE_LENGTH) for item in cursor.items(*limits.PHRASES)]
    _check_unique(cursor, phrases)
    return tuple(phrases)


def _check_unique(cursor: Cursor, names: list[str]) -> None:
    for position, name in enumerate(names):
        if name in names[:position]:
            raise cursor.fail(f"has '{short(name)}' twice; keep one")


def _check_slots(setting: Cursor, scenario: Scenario) -> None:
    names = [parameter.name for parameter in scenario.parameters]
    for language in LANGUAGES:
        text = scenario.setting[language]
        field = setting.at(language)
        for slot in _SLOT.findall(text):
            if slot not in names:
                raise field.fail(
                    f"names '{{{short(slot)}}}', which is not a parameter{hint(slot, names)}"
                )
        rest = _SLOT.sub("", text)
        if "{" in rest or "}" in rest:
            raise field.fail("has a single brace; write parameters like {weather}")


def _check_decision(root: Cursor, scenario: Scenario) -> None:
    conditions = [
        *chain.from_iterable(trigger.when for trigger in scenario.triggers),
        *chain.from_iterable(outcome.when for outcome in scenario.outcomes),
    ]
    asked = sorted({c.variable for c in conditions} & set(limits.DECISION_VARIABLES))
    decision = scenario.decision
    if decision is None:
        if asked:
            raise root.fail(f"has a condition on '{asked[0]}' but no 'decision'; add a decision")
        return
    if not asked:
        raise root.at("decision").fail(
            "is never looked at; use distance, agreed or arbitrated in a condition or leave it out"
        )
    last = scenario.turns[1]
    if decision.deadline_turn > last:
        deadline = root.at("decision").at("deadline_turn")
        raise deadline.fail(
            f"is {decision.deadline_turn}, after the last turn {last}; make it earlier"
        )


def _plain_acts(acts: Mapping[Act, float]) -> dict[str, float]:
    return {act.value: value for act, value in acts.items()}


def _plain_decision(decision: Decision) -> dict[str, object]:
    return {
        "question": dict(decision.question),
        "option_minus": dict(decision.option_minus),
        "option_plus": dict(decision.option_plus),
        "default": dict(decision.default),
        "pull": dict(decision.pull),
        "deadline_turn": decision.deadline_turn,
    }


def _plain_trigger(trigger: Trigger) -> dict[str, object]:
    return {
        "id": trigger.id,
        "when": _plain_conditions(trigger.when),
        "effect": _plain_effect(trigger.effect),
        "text": dict(trigger.text),
        "ends": trigger.ends,
    }


def _plain_conditions(conditions: tuple[Condition, ...]) -> list[str]:
    found = []
    for condition in conditions:
        if condition.at_least is not None:
            found.append(f"{condition.variable} >= {_plain_number(condition.at_least)}")
        if condition.at_most is not None:
            found.append(f"{condition.variable} <= {_plain_number(condition.at_most)}")
    return found


def _plain_number(number: float) -> str:
    if number.is_integer():
        return str(int(number))
    # Conditions allow no exponent.
    text = repr(number)
    return text if "e" not in text else f"{number:.20f}"


def _plain_effect(effect: Effect) -> dict[str, float]:
    values = {name: float(getattr(effect, name)) for name in limits.EFFECTS}
    return {name: value for name, value in values.items() if value != 0.0}
