"""Writes the tables and the worked turn of docs/explanation/agent-model.md from the code itself.

Run `python -m benchmarks.agent_model` after a change of the equations; a test notices otherwise.
"""

import sys
from typing import Final

import numpy as np

from benchmarks.pages import ROOT, write_blocks
from soullink.modules.simulation.api import ACTS, STATE_VARIABLES, TOPICS, Act, FloatArray, Stage
from soullink.modules.simulation.domain import (
    acts,
    adjacency,
    course,
    dynamics,
    memory,
    parameters,
    randomness,
    weights,
)
from soullink.modules.simulation.domain.environment import LIFE_EVENTS
from soullink.modules.simulation.domain.layout import N_TRAIT, Person, Shared, Trait
from soullink.modules.simulation.domain.randomness import Purpose
from soullink.modules.simulation.domain.turn import TurnArrays
from soullink.modules.simulation.scenarios import library

PAGE: Final = ROOT / "docs/explanation/agent-model.md"
EXAMPLE_SEED, EXAMPLE_TURN = 11, 6


def acts_table() -> str:
    """Return what every act is and gives."""
    columns = "act | what it does | class | valence | connection | autonomy | esteem"
    lines = [f"| {columns} | heat | depth | source |", "|---" * 10 + "|"]
    for act in ACTS:
        spec = acts.SPECS[act]
        numbers = (
            spec.valence, spec.connection, spec.autonomy, spec.esteem, spec.heat, spec.depth,
        )  # fmt: skip
        cells = " | ".join(f"{number:g}" for number in numbers)
        lines.append(
            f"| `{act}` | {spec.meaning['en']} | {spec.act_class} | {cells} | {spec.source} |"
        )
    return "\n".join(lines)


def classes_table() -> str:
    """Return the classes: mean valence and what each is mistaken for."""
    lines = [
        "| class | mean valence | misread for the worse as | for the better as |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {dynamics.class_name(number)} | {dynamics.CLASS_VALENCE[number]:+.2f} "
        f"| {dynamics.class_name(int(dynamics.WORSE[number]))} "
        f"| {dynamics.class_name(int(dynamics.BETTER[number]))} |"
        for number in range(len(dynamics.CLASS_VALENCE))
    ]
    return "\n".join(lines)


def weights_table() -> str:
    """Return the weights of the choice equation."""
    lines = ["| act | weights (log-odds per unit of the feature) | source |", "|---|---|---|"]
    for act, text, source in weights.table():
        words = text.split()
        pairs = [
            f"{name} {float(value):+g}" for name, value in zip(words[::2], words[1::2], strict=True)
        ]
        lines.append(f"| `{act}` | {', '.join(pairs)} | {source} |")
    return "\n".join(lines)


def sequence_table() -> str:
    """Return what may follow what: acts that answer something, and the odds of pairs."""
    lines = ["| act | comes only after |", "|---|---|"]
    lines += [
        f"| `{act}` | {', '.join(f'`{other}`' for other in dict.fromkeys(before))} |"
        for act, before in adjacency.ONLY_AFTER.items()
    ]
    lines += ["", "| after | these acts | log-odds |", "|---|---|---|"]
    for index, before in enumerate(ACTS):
        by_odds: dict[float, list[Act]] = {}
        for column, act in enumerate(ACTS):
            odds = round(float(adjacency.TABLE[index, column]), 6)
            if odds != 0.0 and odds > adjacency.NEVER / 2:
                by_odds.setdefault(odds, []).append(act)
        lines += [
            f"| `{before}` | {', '.join(f'`{act}`' for act in after)} | {odds:+g} |"
            for odds, after in sorted(by_odds.items(), reverse=True)
        ]
    return "\n".join(lines)


def memory_table() -> str:
    """Return which aspect of the other each act speaks to, and how."""
    lines = ["| act | aspect | sign |", "|---|---|---|"]
    for index, act in enumerate(ACTS):
        aspect = int(memory.ASPECT_OF_ACT[index])
        if aspect >= 0:
            name = memory.Aspect(aspect).name.lower()
            lines.append(f"| `{act}` | {name} | {memory.SIGN_OF_ACT[index]:+g} |")
    return "\n".join(lines)


def free_table() -> str:
    """Return the free numbers of the equations: value, bounds and source."""
    lines = ["| name | value | unit | bounds | what it is | source |", "|---|---|---|---|---|---|"]
    for name, value in parameters.CURRENT.as_dict().items():
        facts = parameters.FACTS[name]
        lines.append(
            f"| `{name}` | {value:g} | {facts['unit']} | {facts['low']:g} to {facts['high']:g} "
            f"| {facts['meaning']} | {facts['source']} |"
        )
    return "\n".join(lines)


def events_table() -> str:
    """Return what life does between episodes."""
    lines = [
        "| event | factor | chance in 30 days | load | stress | mood |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {event.id} | {event.factor} | {event.per_month:g} | {event.load:+g} "
        f"| {event.stress:+g} | {event.mood:+g} |"
        for event in LIFE_EVENTS
    ]
    return "\n".join(lines)


def _people() -> FloatArray:
    """Return the two of the example: an anxious, warm one and an avoidant, calm one."""
    means = np.zeros((1, 2, N_TRAIT))
    means[0, 0, [Trait.ANXIETY, Trait.NEUROTICISM, Trait.AGREEABLENESS]] = (1.2, 0.8, 0.5)
    means[0, 1, [Trait.AVOIDANCE, Trait.EXTRAVERSION, Trait.NEUROTICISM]] = (1.0, -0.6, -0.4)
    return means


def worked_turn() -> str:
    """Return one turn with all its numbers, lived and recomputed feature by feature."""
    scene = next(s for s in library.shipped() if s.stage is Stage.EARLY_DATING and s.decision)
    means = _people()
    keys = randomness.person_keys(EXAMPLE_SEED, ("mia", "jon"), 1)
    batch = course.begin(means, np.zeros_like(means), np.array([0.3]), keys)
    calm = course.Conditions()
    record, situation = course.open_episode(batch, scene, None, 1, calm)
    turns = course.live_turns(batch, scene, 1, situation, record, calm)
    for _ in range(EXAMPLE_TURN - 1):
        next(turns)
    pair = batch.pair.copy()
    day = pair[:, Shared.DAY] + pair[:, Shared.MINUTE] / 1440.0
    topic, row = TOPICS.index(scene.topic), np.array([0])
    recalled = [memory.recall(batch.memory, row, np.array([who]), topic, day) for who in (0, 1)]
    respected = batch.memory.beliefs[:, :, memory.Aspect.RESPECT].copy()
    taken = next(turns)
    s = int(taken.speaker[0])
    before = taken.before[:, s]
    decided = bool(pair[0, Shared.AGREED] + pair[0, Shared.ARBITRATED])
    gap = abs(taken.before[:, 0, Person.POSITION] - taken.before[:, 1, Person.POSITION]) / 2.0
    x = dynamics.features(
        before, batch.traits[:, s], pair, situation, batch.drawn[:, s], recalled[s],
        respected[:, s], np.zeros(1) if decided else gap,
    )  # fmt: skip
    goes_on = taken.double | (pair[:, Shared.SPEAKER] < 0)
    answers = np.where(goes_on, -1, taken.before[:, 1 - s, Person.LAST_ACT]).astype(np.int64)
    allowed = dynamics.allowed(before, pair, situation, False, answers)
    extra = situation.scenario_acts + situation.goal_acts[:, s] + allowed
    if not np.allclose(
        dynamics.distribution(dynamics.utilities(x, extra)), taken.probabilities, atol=1e-12
    ):
        raise RuntimeError("the worked turn does not follow the equations any more")
    draw = float(randomness.uniform(keys[:, s], Purpose.ACT, 1, EXAMPLE_TURN)[0])
    return _told(taken, x[0], extra[0], draw, scene.title["en"])


def _told(taken: TurnArrays, x: FloatArray, extra: FloatArray, draw: float, title: str) -> str:
    names = ("Mia", "Jon")
    s = int(taken.speaker[0])
    h = 1 - s
    act = int(taken.act[0])
    chances = taken.probabilities[0]
    order = np.argsort(-chances, kind="stable")[:6]
    used = weights.effective(parameters.CURRENT)[act]
    product = used * x
    parts = [
        f"| {weights.FEATURES[k]} | {x[k]:+.3f} | {used[k]:+.3f} | {product[k]:+.3f} |"
        for k in np.argsort(-np.abs(product), kind="stable")
        if abs(product[k]) >= 0.0005
    ]
    reading = taken.reading
    last = int(taken.before[0, h, Person.LAST_ACT])
    columns = [
        "| | " + " | ".join(STATE_VARIABLES) + " |", "|---" * (len(STATE_VARIABLES) + 1) + "|",
    ]  # fmt: skip
    for person, role in ((s, "speaker"), (h, "listener")):
        for when, array in (("before", taken.before), ("after", taken.after)):
            cells = " | ".join(f"{value:.3f}" for value in array[0, person, : len(STATE_VARIABLES)])
            columns.append(f"| {names[person]} ({role}), {when} | {cells} |")
    below = float(np.cumsum(chances)[act] - chances[act])
    opening = (
        f"Scenario: *{title}*, turn {EXAMPLE_TURN} of the episode. {names[s]} has the floor; the "
        f"other's last act was `{ACTS[last]}`."
    )
    others = ", ".join(f"`{ACTS[k]}` {chances[k]:.3f}" for k in order)
    stretch = f"{below:.4f} to {below + chances[act]:.4f}"
    meant = " (a misreading)" if reading.misread[0] else ", as it was meant"
    taken_for = f"{dynamics.class_name(int(reading.perceived[0]))}{meant}"
    needs = (
        f"connection {reading.connection[0]:+.3f}, autonomy {reading.autonomy[0]:+.3f}, "
        f"esteem {reading.esteem[0]:+.3f}, threat {reading.threat[0]:.3f}, "
        f"values {reading.values[0]:+.3f}"
    )
    lines = [
        opening,
        "",
        f"**1. Choose.** Log-odds of `{ACTS[act]}`, the act that comes:",
        "",
        "| feature | x | weight | x · weight |",
        "|---|---|---|---|",
        *parts,
        f"| scenario, goal and sequence | | | {extra[act]:+.3f} |",
        f"| **sum** | | | **{product.sum() + extra[act]:+.3f}** |",
        "",
        f"The softmax over all acts gives {others} and the rest.",
        f"The draw is {draw:.4f}; `{ACTS[act]}` takes the stretch from {stretch}.",
        "",
        f"**2. Appraise.** {names[h]} takes it for {taken_for}:",
        f"affect {reading.affect[0]:+.3f}, {needs}.",
        "",
        "**3. Update.**",
        "",
        *columns,
        "",
        f"Open conflict stands at {taken.pair[0, Shared.CONFLICT]:.3f} after the turn.",
    ]
    return "\n".join(lines)


BLOCKS: Final = {
    "acts": acts_table,
    "classes": classes_table,
    "weights": weights_table,
    "sequence": sequence_table,
    "memory": memory_table,
    "life events": events_table,
    "free numbers": free_table,
    "worked turn": worked_turn,
}


def main() -> int:
    """Renew every generated part of the page."""
    write_blocks(PAGE, {name: made() for name, made in BLOCKS.items()})
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
