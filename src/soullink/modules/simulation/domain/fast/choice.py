"""The choice of an act, unrolled from the tables: only what is not zero is computed.

Of the acts times features of `weights.py` about one in four is there; of the adjacency table a
handful of rows differ. So the source of the choice is written from the tables' pattern: each act's
log-odds as one sum, with what was heard and what it follows looked up. The numbers come in when it
runs, as rows of the tile, so a calibration needs no new source. States `dynamics.features`,
`allowed`, `distribution`, `choose`.
"""

from itertools import zip_longest
from typing import Any, Final

import numpy as np

from soullink.modules.simulation.api import ACTS, Act, FloatArray
from soullink.modules.simulation.domain.adjacency import NEVER, TABLE
from soullink.modules.simulation.domain.fast.maths import LOG2_E
from soullink.modules.simulation.domain.fast.rows import (
    A_FOLLOWED,
    N_WEIGHT_ROWS,
    TABLES,
    L,
    tables,
)
from soullink.modules.simulation.domain.weights import FEATURES, WEIGHTS

choose: Any = None
set_base: Any = None
"""The two functions whose source is written here, for `drive` to name."""
TOGETHER: Final = 6
"""Acts that are weighed side by side."""
FARTHEST: Final = 60.0
"""Log-odds to the base 2, beyond which those that stay in an episode are as good as certain. So
that `_power` holds of all acts but those that the adjacency table forbids."""
SIXTEENTHS: Final = 1.5 * 2.0**19
"""Added to a number of single precision, it leaves whole sixteenths in the lowest bits."""
_STATIC: Final = {
    "bias": "1.0",
    **{name: f"x[P1 * who + TRAIT + {n}, i]" for n, name in enumerate(FEATURES[1:8])},
    "drawn": "x[P1 * who + DRAWN, i]",
    **{name: f"x[DEMAND_ROW + {n}, i]" for n, name in enumerate(FEATURES[36:42])},
    "respected": "x[P1 * who + RESPECTED, i]",
}
"""Features that stay the same within an episode."""
_HEARD: Final = FEATURES[15:24]
"""One for each class that may have been heard, by number of the class."""
_OWN: Final = {
    "mood": "{MOOD}",
    "stress": "{STRESS} - 0.3",
    "arousal": "{AROUSAL} - 0.3",
    "trust": "{TRUST} - 0.5",
    "close": "{CLOSENESS} - 0.4",
    "commit": "{COMMITMENT} - 0.3",
    "conflict": "x[CONFLICT, i]",
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
_ONLY_IF: Final = {
    Act.GREET: "not later",
    Act.INSIST: "decides > 0.5",
    Act.CONCEDE: "decides > 0.5",
    Act.COMPROMISE: "decides > 0.5",
    Act.CLOSE: "not early",
    Act.LEAVE: "not young",
}
"""What of a turn must hold, for all lanes alike, so that anybody may choose an act."""
_FORBIDDEN: Final = {
    Act.GREET: "greeted",
    Act.REPAIR: "calm",
    Act.APOLOGISE: "blameless",
    Act.INSIST: "settled",
    Act.CONCEDE: "settled",
    Act.COMPROMISE: "settled",
    Act.ASK: "closing",
}


def _terms(names: dict[str, str], act: int) -> list[int]:
    row = WEIGHTS[act]
    return [n for n, f in enumerate(FEATURES) if f in names and (row[n] != 0.0 or f == "bias")]


def weights_in_order(effective: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the weights that stay in an episode in the order that the source reads them, and the
    rows of a tile from TABLES to MEMORY.

    To the base 2, as all odds in the kernel.
    effective: (acts, features) of `weights.effective`.
    """
    static, moving = (
        np.array([effective[act, n] for act in range(len(ACTS)) for n in _terms(names, act)])
        for names in (_STATIC, _OWN)
    )
    heard = np.zeros((len(ACTS), L))
    heard[:, : len(_HEARD)] = effective[:, [FEATURES.index(name) for name in _HEARD]]
    kinds, table = _kinds()
    following = np.zeros((len(ACTS), 2 * L))
    following[:, : len(table)] = table.T
    followed = np.zeros(3 * L)
    followed[: len(kinds)] = kinds
    fixed = tables()
    fixed[(A_FOLLOWED - TABLES) * L :][: 3 * L] = followed
    weight = np.zeros(N_WEIGHT_ROWS * L)
    weight[: len(moving)] = moving * LOG2_E
    odds = np.concatenate([heard.ravel(), following.ravel()]) * LOG2_E
    return static * LOG2_E, np.concatenate([fixed, odds, weight])


def _chosen(name: str) -> str:
    return f"pick(one, x[P1 + {name}, i], x[{name}, i])"


def _sum(names: dict[str, str], act: int, first: int, variables: dict[int, str]) -> tuple[str, int]:
    """Return the sum of an act's terms, and the number of its last weight plus one."""
    terms = _terms(names, act)
    text = " + ".join(f"w[{first + k}] * {variables[n]}" for k, n in enumerate(terms))
    return text or "0.0", first + len(terms)


def base_source() -> str:
    """Return the source of `set_base`: what stays the same in log-odds for an episode."""
    out = ["def set_base(x, w, odds):", "    for who in UNROLL(2):"]
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
            f"            x[P1 * who + BASE + {act}, i] = "
            f"clip(pick(second, o1_{act}, o0_{act}) + {text}, -{FARTHEST}, {FARTHEST})"
        )
    return "\n".join(out)


def _kinds() -> tuple[list[int], FloatArray]:
    """Return which kind of answers each earlier act, and then none, calls for, and each's odds."""
    rows: dict[bytes, int] = {}
    kinds = [rows.setdefault(TABLE[n].tobytes(), len(rows)) for n in range(len(TABLE))]
    if len(rows) > 2 * L:
        raise ValueError(f"the adjacency table has more than {2 * L} different rows")
    return kinds, np.array([np.frombuffer(row) for row in rows])


def _power(act: int, precision: str, far: bool) -> list[str]:
    """Return the statements that make two factors, e and p, of 2 to the x of an act.

    In single precision with a relative error below 6e-7: 2^x = 2^n 2^(j/16) 2^r, the first two by
    a table and the exponent's bits, the last by a parabola through the Chebyshev nodes of
    [-1/32, 1/32]. far: x may be less than -126, which is then taken for it.
    """
    e, p, r, t, x = (f"{name}_{act}" for name in "eprtx")
    if precision == "float64":
        return [f"{e} = exp2_of({x})", f"{p} = 1.0"]
    return [
        *([f"{x} = larger({x}, -126.0)"] if far else []),
        f"{t} = {x} + {SIXTEENTHS!r}",
        f"{r} = {x} - ({t} - {SIXTEENTHS!r})",
        f"{t} = bits_of({t})",
        f"{p} = 0.2402335515697994 * {r} + 0.6931878336985567",
        f"{e} = bits_of(look_up_16(x, POWERS * L, {t}))",
        f"{p} = {p} * {r} + 1.0",
        f"{e} = of_bits({e} + ({t} << 19))",
    ]


def power_source(precision: str) -> str:
    """Return the source of `power`, which makes lanes of 2 to the x_0 as `choose` does."""
    return "\n    ".join(
        ["def power(x, x_0):", *_power(0, precision, far=True), "return e_0 * p_0"]
    )


def _act_source(act: int, place: int, precision: str) -> list[str]:
    """Return the statements that weigh one act; place: of its first weight."""
    variables = {n: f"f{n}" for n, f in enumerate(FEATURES) if f in _OWN}
    forbidden: list[str] = []
    if ACTS[act] in _FORBIDDEN:
        forbidden = [f"e_{act} = pick({_FORBIDDEN[ACTS[act]]}, 0.0, e_{act})"]
    following = f"look_up_32(x, (FOLLOWING_ODDS + {2 * act}) * L, kind)"
    if not TABLE[:, act].any():
        following = "0.0"
    t = f"x_{act}"
    out = [f"{t} = {_chosen(f'BASE + {act}')}"]
    if any(WEIGHTS[act, FEATURES.index(heard)] != 0.0 for heard in _HEARD):
        out.append(f"{t} = {t} + look_up_16(x, (HEARD_ODDS + {act}) * L, class_heard)")
    out.append(f"{t} = {t} + {following}")
    for k, n in enumerate(_terms(_OWN, act), start=place):
        out.append(f"{t} = {t} + x[WEIGHT + {k // L}, {k % L}] * {variables[n]}")
    return [
        *out,
        f"{t} = pick(last_act == {act}.0, {t} - {1.3 * LOG2_E!r}, {t})",
        f"{t} = pick(last_act_2 == {act}.0, {t} - {0.6 * LOG2_E!r}, {t})",
        *_power(act, precision, far=bool((TABLE[:, act] < 0.5 * NEVER).any())),
        *forbidden,
    ]


def _groups() -> list[tuple[str, list[int]]]:
    """Return which acts are weighed side by side, and when: a condition of the turn, if any."""
    found: dict[str, list[int]] = {}
    for act, name in enumerate(ACTS):
        found.setdefault(_ONLY_IF.get(name, ""), []).append(act)
    always = found.pop("")
    parts = [always[n : n + TOGETHER] for n in range(0, len(always), TOGETHER)]
    return [*found.items(), *(("", part) for part in parts)]


def choose_source(precision: str) -> str:
    """Return the source of `choose`: the act of each lane's speaker into ACT.

    Some acts are weighed side by side, so that a processor need not wait for one step of an act
    before the next: it looks only some dozens of steps ahead. Acts that nobody may choose in this
    turn are left out.
    """
    arguments = "x, start, late, early, young, later, decides"
    out = [f"def choose({arguments}):", "    for i in range(L):", "        one = x[NOW, i] > 0.5"]
    out += [
        f"        {name.lower()} = {_chosen(name)}"
        for name in ("HEARD", "HURT", "GUILT", "THREAT", "LAST_ACT", "LAST_ACT_2", "SPOKEN")
    ]
    out += [
        "        settled = (x[AGREED, i] + x[ARBITRATED, i]) > 0.0",
        "        calm = (x[CONFLICT, i] < 0.12) & (hurt < 0.1)",
        "        blameless = (guilt < 0.08) & (heard != DEMAND)",
        "        closing = x[CLOSING, i] > 0.0",
        "        greeted = spoken > 0.0",
        "        class_heard = whole(heard)",
        "        kind = whole(look_up_48(x, A_FOLLOWED * L, x[PREVIOUS, i]))",
    ]
    variables = {n: f"f{n}" for n, f in enumerate(FEATURES) if f in _OWN}
    for n in variables:
        text = _OWN[FEATURES[n]]
        for name in (
            "MOOD", "STRESS", "AROUSAL", "TRUST", "CLOSENESS", "COMMITMENT", "ANXIETY", "AVOIDANCE",
            "AGREEABLENESS", "CONNECTION", "AUTONOMY", "ESTEEM", "SIGNAL", "ACHE",
        ):  # fmt: skip
            text = text.replace(f"{{{name}}}", _chosen(name))
        out.append(f"        f{n} = {text}")
    places = np.cumsum([0, *(len(_terms(_OWN, act)) for act in range(len(ACTS)))])
    out.append("        none = 0.0 * x[U_ACT, i]")
    next_act = 0
    groups = _groups()
    for condition, some in groups:
        if condition:
            out += [f"        weight_{act} = none" for act in some]
            out.append(f"        if {condition}:")
        columns = [_act_source(act, int(places[act]), precision) for act in some]
        indent = " " * (12 if condition else 8)
        for step in zip_longest(*columns):
            out += [f"{indent}{line}" for line in step if line is not None]
        if condition:
            out += [f"            weight_{act} = e_{act} * p_{act}" for act in some]
            continue
        # Sums in the order of the acts, as soon as all that they need is there.
        known = len(ACTS) if some is groups[-1][1] else some[-1] + 1
        for act in range(next_act, known):
            total = f" + sum_{act - 1}" if act else ""
            held = f"weight_{act}" if ACTS[act] in _ONLY_IF else f"e_{act} * p_{act}"
            out.append(f"        sum_{act} = {held}{total}")
        next_act = known
    out.append(f"        wanted = x[U_ACT, i] * sum_{len(ACTS) - 1}")
    # Counted in four places, so that a processor need not wait for one addition before the next.
    out += [f"        picked_{n} = none" for n in range(4)]
    for act in range(len(ACTS)):
        picked = f"picked_{act % 4}"
        out.append(f"        {picked} = pick(sum_{act} < wanted, {picked} + 1.0, {picked})")
    out.append("        picked = (picked_0 + picked_1) + (picked_2 + picked_3)")
    out.append(f"        x[ACT, i] = smaller(picked, {len(ACTS) - 1}.0)")
    return "\n".join(out)
