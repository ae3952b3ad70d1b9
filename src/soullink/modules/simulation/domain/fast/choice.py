"""The choice of an act, unrolled from the tables: only what is not zero is computed.

Of the acts times features of `weights.py` about one in four is there; of the adjacency table a
handful of values for each act. So the source of the choice is written from the tables' pattern:
each act's log-odds as one sum, and each value of the adjacency table with the set of acts that it
follows, tested as one bit of a word. The numbers of the weights come in when it runs, so a
calibration needs no new source. States `dynamics.features`, `allowed`, `distribution`, `choose`.
"""

from typing import Any, Final

import numpy as np

from soullink.modules.simulation.api import ACTS, Act, FloatArray
from soullink.modules.simulation.domain.adjacency import NEVER, TABLE
from soullink.modules.simulation.domain.fast.maths import LOG2_E
from soullink.modules.simulation.domain.weights import FEATURES, WEIGHTS

choose: Any = None
set_base: Any = None
"""The two functions whose source is written here, for `drive` to name."""
BITS: Final = 31
"""Sets of earlier acts in one word of 32 bits, the sign left alone."""

_STATIC: Final = {
    "bias": "1.0",
    **{name: f"x[P1 * who + TRAIT + {n}, i]" for n, name in enumerate(FEATURES[1:8])},
    "drawn": "x[P1 * who + DRAWN, i]",
    **{name: f"x[DEMAND_ROW + {n}, i]" for n, name in enumerate(FEATURES[36:42])},
    "respected": "x[P1 * who + RESPECTED, i]",
}
"""Features that stay the same within an episode."""
_OWN: Final = {
    "mood": "{MOOD}",
    "stress": "{STRESS} - 0.3",
    "arousal": "{AROUSAL} - 0.3",
    "trust": "{TRUST} - 0.5",
    "close": "{CLOSENESS} - 0.4",
    "commit": "{COMMITMENT} - 0.3",
    "conflict": "x[CONFLICT, i]",
    **{name: f"pick(heard == {n}.0, 1.0, 0.0)" for n, name in enumerate(FEATURES[15:24])},
    "start": "start",
    "threat": "threat",
    "anx_threat": "{ANXIETY} * threat",
    "avo_demand": "pick(heard == DEMAND, {AVOIDANCE}, 0.0)",
    "A_hostile": "pick(heard == HOSTILE, {AGREEABLENESS}, 0.0)",
    "need_connection": "{CONNECTION}",
    "need_autonomy": "{AUTONOMY}",
    "need_esteem": "{ESTEEM}",
    "memory": "{SIGNAL}",
    "hurt": "hurt + {ACHE}",
    "late": "late",
    "disagree": "x[DISAGREEMENT, i]",
    "guilt": "guilt",
}
_FORBIDDEN: Final = {
    Act.GREET: "greeted",
    Act.REPAIR: "calm",
    Act.APOLOGISE: "blameless",
    Act.INSIST: "settled",
    Act.CONCEDE: "settled",
    Act.COMPROMISE: "settled",
    Act.CLOSE: "early",
    Act.LEAVE: "young",
    Act.ASK: "closing",
}


def _terms(names: dict[str, str], act: int) -> list[int]:
    row = WEIGHTS[act]
    return [n for n, f in enumerate(FEATURES) if f in names and (row[n] != 0.0 or f == "bias")]


def weights_in_order(effective: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the weights that the source reads, those that stay in an episode and those that move.

    To the base 2, as all odds in the kernel.
    effective: (acts, features) of `weights.effective`.
    """
    found = [
        [effective[act, n] for act in range(len(ACTS)) for n in _terms(names, act)]
        for names in (_STATIC, _OWN)
    ]
    return np.array(found[0]) * LOG2_E, np.array(found[1]) * LOG2_E


def _count(names: dict[str, str]) -> int:
    return sum(len(_terms(names, act)) for act in range(len(ACTS)))


def _chosen(name: str) -> str:
    return f"pick(one, x[P1 + {name}, i], x[{name}, i])"


def _sum(names: dict[str, str], act: int, first: int, variables: dict[int, str]) -> tuple[str, int]:
    """Return the sum of an act's terms, and the number of its last weight plus one."""
    terms = _terms(names, act)
    text = " + ".join(f"w{first + k} * {variables[n]}" for k, n in enumerate(terms))
    return text or "0.0", first + len(terms)


def base_source() -> str:
    """Return the source of `set_base`: what stays the same in log-odds for an episode."""
    out = ["def set_base(x, w, odds):"]
    # Read before the loop, the weights cannot be taken for something that the loop changes.
    out += [f"    w{n} = w[{n}]" for n in range(_count(_STATIC))]
    out.append("    for who in UNROLL(2):")
    for act in range(len(ACTS)):
        out += [
            f"        o{role}_{act} = odds[who * {2 * len(ACTS)} + {role * len(ACTS) + act}]"
            for role in (0, 1)
        ]
    out.append("        for i in range(L):")
    variables = {n: f"s{n}" for n, f in enumerate(FEATURES) if f in _STATIC}
    out += [f"            s{n} = {_STATIC[FEATURES[n]]}" for n in variables]
    out.append("            second = x[P1 * who + ROLE, i] > 0.5")
    place = 0
    for act in range(len(ACTS)):
        text, place = _sum(_STATIC, act, place, variables)
        out.append(
            f"            x[P1 * who + BASE + {act}, i] = pick(second, o1_{act}, o0_{act}) + {text}"
        )
    return "\n".join(out)


def _classes() -> tuple[list[int], FloatArray]:
    """Return which class each earlier act is of, 0 for no odds at all, and each class's odds."""
    rows: dict[bytes, int] = {np.zeros(len(ACTS)).tobytes(): 0}
    of_act = [rows.setdefault(TABLE[n].tobytes(), len(rows)) for n in range(len(TABLE))]
    return of_act, np.array([np.frombuffer(row) for row in rows])


def words() -> list[list[int]]:
    """Return the words in which each earlier act, and then none, has its bit."""
    of_act, table = _classes()
    count = -(-(len(table) - 1) // BITS) or 1
    return [
        [1 << (kind - 1) % BITS if kind and (kind - 1) // BITS == n else 0 for kind in of_act]
        for n in range(count)
    ]


def _adjacency(act: int) -> list[str]:
    _, table = _classes()
    lines = []
    for value in sorted(set(table[1:, act]) - {0.0}):
        tests = []
        for n in range(len(words())):
            mask = sum(
                1 << (kind - 1) % BITS
                for kind in range(1, len(table))
                if table[kind, act] == value and (kind - 1) // BITS == n
            )
            if mask:
                tests.append(f"bit_of(word_{n}, {mask})")
        lines.append(f"        t = pick({' | '.join(tests)}, {float(value) * LOG2_E!r}, t)")
    return lines


def choose_source() -> str:
    """Return the source of `choose`: the act of each lane's speaker into ACT."""
    arguments = "x, w, start, late, early, young, later, decides"
    out = [f"def choose({arguments}):"]
    out += [f"    w{n} = w[{n}]" for n in range(_count(_OWN))]
    out += ["    for i in range(L):", "        one = x[NOW, i] > 0.5"]
    for name in ("HEARD", "HURT", "GUILT", "THREAT", "LAST_ACT", "LAST_ACT_2", "SPOKEN"):
        out.append(f"        {name.lower()} = {_chosen(name)}")
    out += [
        "        settled = (decides < 0.5) | ((x[AGREED, i] + x[ARBITRATED, i]) > 0.0)",
        "        calm = (x[CONFLICT, i] < 0.12) & (hurt < 0.1)",
        "        blameless = (guilt < 0.08) & (heard != DEMAND)",
        "        closing = x[CLOSING, i] > 0.0",
        "        greeted = (spoken > 0.0) | later",
        "        before = at(x[PREVIOUS, i])",
    ]
    out += [f"        word_{n} = WORD_{n}[before]" for n in range(len(words()))]
    variables = {n: f"f{n}" for n, f in enumerate(FEATURES) if f in _OWN}
    for n in variables:
        text = _OWN[FEATURES[n]]
        for name in (
            "MOOD", "STRESS", "AROUSAL", "TRUST", "CLOSENESS", "COMMITMENT", "ANXIETY", "AVOIDANCE",
            "AGREEABLENESS", "CONNECTION", "AUTONOMY", "ESTEEM", "SIGNAL", "ACHE",
        ):  # fmt: skip
            text = text.replace(f"{{{name}}}", _chosen(name))
        out.append(f"        f{n} = {text}")
    out.append("        total = 0.0")
    place = 0
    for act, name in enumerate(ACTS):
        text, place = _sum(_OWN, act, place, variables)
        out.append("        t = 0.0")
        out += _adjacency(act)
        if name in _FORBIDDEN:
            out.append(f"        t = pick({_FORBIDDEN[name]}, {NEVER * LOG2_E!r}, t)")
        out += [
            f"        t = pick(last_act == {act}.0, t - {1.3 * LOG2_E!r}, t)",
            f"        t = pick(last_act_2 == {act}.0, t - {0.6 * LOG2_E!r}, t)",
            f"        total = total + exp_2({_chosen(f'BASE + {act}')} + {text} + t)",
            f"        sum_{act} = total",
        ]
    out += ["        wanted = x[U_ACT, i] * total", "        picked = 0.0"]
    for act in range(len(ACTS)):
        out.append(f"        picked = picked + pick(sum_{act} < wanted, 1.0, 0.0)")
    out.append(f"        x[ACT, i] = smaller(picked, {len(ACTS) - 1}.0)")
    return "\n".join(out)
