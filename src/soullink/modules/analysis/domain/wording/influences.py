"""Texts of what would change the outcome most: what was varied, and the summary."""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Text
from soullink.modules.analysis.domain.wording.codes import TRAITS
from soullink.modules.analysis.domain.wording.phrases import text

FACTORS: Final[Mapping[str, Text]] = {
    **TRAITS,
    "openness_to_change": text("How much change and freedom matter", "有多看重变化与自由"),
    "self_enhancement": text("How much success and standing matter", "有多看重成就与地位"),
    "conservation": text("How much safety and custom matter", "有多看重安稳与传统"),
    "self_transcendence": text("How much the good of others matters", "有多看重他人的福祉"),
    "attraction": text("How drawn {name} is to {other}", "{name}对{other}有多心动"),
    "mood": text("Mood at the first meeting", "初次见面时的心情"),
    "stress": text("Stress at the first meeting", "初次见面时的压力"),
    "trust": text("Trust at the first meeting", "初次见面时的信任"),
    "closeness": text("Closeness at the first meeting", "初次见面时的亲近感"),
    "load_money": text("Money worries at the beginning", "开始时在钱上的负担"),
    "load_work": text("Burden of work at the beginning", "开始时工作上的负担"),
    "load_health": text("Burden of health at the beginning", "开始时健康上的负担"),
    "load_friends": text("Worries about friends at the beginning", "开始时朋友方面的牵挂"),
}
"""By the name of the factor."""

GROUPS: Final[Mapping[str, Text]] = {
    "personality": text("{name}'s personality (five traits)", "{name}的性格（五项特质）"),
    "attachment": text("{name}'s attachment", "{name}的依恋方式"),
    "values": text("what matters to {name}", "{name}看重什么"),
    "attraction": text("how drawn {name} is to {other}", "{name}对{other}有多心动"),
    "start": text("how {name} arrives at the first meeting", "{name}初次见面时的状态"),
    "load": text("what weighs on {name} at the beginning", "{name}开始时的负担"),
    "conduct": text("what {name} does differently", "{name}换一种做法"),
    "circumstances": text("stress and misreadings of both", "双方的压力与误会"),
}
"""By the name of the group."""

OUTCOMES: Final[Mapping[str, Text]] = {
    "together": text("still seeing each other at the end", "最后仍在交往"),
    "satisfaction": text("satisfaction of both at the end", "最后两人的满意度"),
    "conflict": text("highest open conflict", "公开冲突的最高点"),
    "again": text("both want to meet again", "两人都愿意再见"),
    "trust": text("trust of both at the end", "最后两人的信任"),
}
"""By the name of the outcome."""

RANGES: Final[Mapping[str, Text]] = {
    "trait": text(
        "from clearly below to clearly above the profile", "从明显低于资料到明显高于资料"
    ),
    "attraction": text("from clearly less to clearly more", "从明显更少到明显更多"),
    "state": text("from lower to higher", "从较低到较高"),
    "load": text("from lighter to heavier", "从较轻到较重"),
    "conduct": text("compared with as it is", "与现在的做法相比"),
}
"""What lies between the two ends, by kind."""

TURN: Final = text("{name} {act}", "{name}这一句：{act}")
INSTEAD: Final = text("instead of: {act}", "对照：{act}")
WITHOUT: Final = text("instead of: it does not happen", "对照：这件事没有发生")

SUMMARY: Final = text(
    "Of {tried} things that were varied one way and the other, this moved the share who still see "
    "each other most: {title}{whose}, {range} ({effect} points, {low} to {high}; the largest of "
    "many is mostly smaller than it looks).",
    "把{tried}个因素分别往两边改动，最能改变“仍在交往”比例的是：{whose}{title}，{range}"
    "（{effect}个百分点，区间{low}到{high}；多个里挑出的最大者，实际往往没有这么大）。",
)
WHOSE: Final = text(" ({name})", "{name}的")
NOTHING_CLEAR: Final = text(
    "Of {tried} things that were varied, none moves the outcome clearly beyond chance.",
    "改动过的{tried}个因素里，没有一个的作用明显超出偶然。",
)
MOMENT: Final = text(
    "In the course shown, the moment that moved satisfaction most was in episode {episode}: "
    "{title} ({effect} of 100, {low} to {high}).",
    "在这段经历里，对满意度影响最大的时刻在第{episode}段：{title}（满分100，{effect}，区间{low}到{high}）。",
)
NO_MOMENT: Final = text(
    "No single moment of the course shown moved satisfaction clearly beyond chance.",
    "这段经历里，没有哪一个时刻对满意度的影响明显超出偶然。",
)
CAVEAT: Final = text(
    "All of this is said of the equations, not of the two people, and is no advice.",
    "以上说的都是模型里的方程，不是这两个人，也不是建议。",
)
