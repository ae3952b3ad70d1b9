"""What members see in the terminal, in every language. Help and errors are for operators: English.

The report's own texts (dimensions, outcomes, summary) come with the report.
"""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Language, Text
from soullink.modules.simulation.api import Act, Stage

_TABLE: Final[Mapping[str, tuple[str, str]]] = {
    "course": ("{first} and {second}", "{first}与{second}"),
    "episode": ("Episode {number} of {total}: {title}", "第{number}段（共{total}段）：{title}"),
    "day": ("day {day} · {stage}", "第{day}天 · {stage}"),
    "ended": ("How it ended: {outcome}", "结局：{outcome}"),
    "recorded": ("{count} turns from the record", "以上{count}句来自记录"),
    "recorded_one": ("1 turn from the record", "以上1句来自记录"),
    "interrupts": ("interrupts", "打断"),
    "misread": ("{name} takes it the wrong way", "{name}会错了意"),
    "fallback": ("the built-in voice spoke: {faults}", "改由内置语音代言：{faults}"),
    "silence": ("(says nothing)", "（没有说话）"),
    "mood": ("mood", "心情"),
    "closeness": ("closeness", "亲近"),
    "trust": ("trust", "信任"),
    "dimension": ("Dimension", "维度"),
    "value": ("value", "数值"),
    "interval": ("80 % interval", "80%区间"),
    "range": ("0 to 100", "0到100"),
    "here": ("this course", "这段经历"),
    "level": ("level", "水平"),
    "low": ("low", "低"),
    "mixed": ("mixed", "中等"),
    "high": ("high", "高"),
    "unclear": ("unclear", "不明确"),
    "together": (
        (
            "Together at the end, if they meet again (both would want to in {again} %): {share} % "
            "of {count} replicas (95 % interval {low} to {high})"
        ),
        (
            "最后仍在交往（假如还会再见；两人都愿意再见的占{again}%）："
            "{count}次推演中的{share}%（95%区间{low}到{high}）"
        ),
    ),
    "anyone": (
        "; two people of whom nothing is known: {share} %",
        "；换成两个没有任何资料的人：{share}%",
    ),
    "explained": ("What moved the outcome: {outcome}", "是什么影响了结果：{outcome}"),
    "factors": (
        "From one end of its range to the other, in points of 100",
        "从一端改到另一端的作用（满分100）",
    ),
    "thing": ("What", "因素"),
    "person": ("Who", "谁"),
    "both": ("both", "双方"),
    "effect": ("effect", "作用"),
    "interval95": ("95 % interval", "95%区间"),
    "varied_range": (
        (
            "All groups below together make {varied} % ({low} to {high}) of the variance between "
            "single courses; the rest is chance."
        ),
        "以下各组合起来占各次经历之间差异的{varied}%（{low}到{high}），其余是偶然。",
    ),
    "varied_profile": (
        (
            "What the profiles leave open makes {varied} % ({low} to {high}) of the variance "
            "between single courses; the rest is chance, attraction among it."
        ),
        "资料没有说清的部分占各次经历之间差异的{varied}%（{low}到{high}），其余是偶然，包括会不会心动。",
    ),
    "no_groups": (
        "That cannot be told from chance, so there are no shares to give; try more --samples.",
        "这与偶然分不开，所以无法给出各组的份额；可以加大 --samples 再试。",
    ),
    "groups": ("Shares of that variance (Sobol indices)", "各组所占的份额（Sobol 指数）"),
    "group": ("Group", "组"),
    "alone": ("alone", "单独"),
    "in_all": ("with others", "连同相互作用"),
    "interacts": ("mostly through others", "多半与其他因素一起起作用"),
    "moments": (
        "Moments of the course shown, in points of 100 (Shapley values)",
        "这段经历里的时刻（Shapley 值，满分100）",
    ),
    "moment_place": ("TURN", "句"),
    "moment": ("Moment", "时刻"),
    "compared_with": ("Compared with", "对照"),
    "moments_sum": (
        "They sum to the difference between {with_all} with all of them and {without} without any.",
        "它们相加，正好是全部保留（{with_all}）与全部去掉（{without}）之差。",
    ),
    "compared": ("Beside the run it was forked from", "与分叉前相比"),
    "measure": ("Measure", "指标"),
    "before": ("before", "分叉前"),
    "now": ("now", "现在"),
    "report": ("Report", "报告"),
    "colon": (": ", "："),
}

_STAGES: Final[Mapping[Stage, tuple[str, str]]] = {
    Stage.FIRST_MEETING: ("first meeting", "初次见面"),
    Stage.EARLY_DATING: ("early dating", "开始约会"),
    Stage.COMMITTED: ("committed", "稳定交往"),
    Stage.CRISIS: ("crisis", "危机"),
    Stage.LONG_DISTANCE: ("long distance", "异地"),
    Stage.FAMILY: ("family", "家庭"),
}

_ACTS: Final[Mapping[Act, tuple[str, str]]] = {
    Act.GREET: ("greets", "打招呼"),
    Act.SMALL_TALK: ("chats", "闲聊"),
    Act.ASK: ("asks", "询问"),
    Act.DISCLOSE: ("shares", "谈自己"),
    Act.CONFIDE: ("confides", "说心里话"),
    Act.JOKE: ("jokes", "开玩笑"),
    Act.TEASE: ("teases", "逗对方"),
    Act.COMPLIMENT: ("compliments", "称赞"),
    Act.AFFECTION: ("shows affection", "表达爱意"),
    Act.THANK: ("thanks", "道谢"),
    Act.AGREE: ("agrees", "赞同"),
    Act.VALIDATE: ("validates", "表示理解"),
    Act.SUPPORT: ("supports", "支持"),
    Act.PLAN: ("plans", "做打算"),
    Act.PROMISE: ("promises", "承诺"),
    Act.REQUEST: ("requests", "提要求"),
    Act.COMPROMISE: ("offers a compromise", "提折中"),
    Act.CONCEDE: ("gives in", "让步"),
    Act.INSIST: ("insists", "坚持"),
    Act.SEEK_REASSURANCE: ("seeks reassurance", "寻求安心"),
    Act.COMPLAIN: ("complains", "抱怨"),
    Act.CRITICISE: ("criticises", "指责"),
    Act.BELITTLE: ("belittles", "贬低"),
    Act.DEFEND: ("defends", "辩解"),
    Act.STONEWALL: ("stonewalls", "冷处理"),
    Act.WITHDRAW: ("withdraws", "退缩"),
    Act.SILENCE: ("is silent", "沉默"),
    Act.REPAIR: ("mends", "缓和"),
    Act.APOLOGISE: ("apologises", "道歉"),
    Act.FORGIVE: ("forgives", "原谅"),
    Act.SET_BOUNDARY: ("sets a boundary", "划界限"),
    Act.REFUSE: ("refuses", "拒绝"),
    Act.CLOSE: ("takes leave", "道别"),
    Act.LEAVE: ("walks away", "离开"),
}


def say(key: str, language: Language, **values: object) -> str:
    """Return the text `key`, its names filled in."""
    return _in(_TABLE[key], language).format(**values)


def act_label(act: Act, language: Language) -> str:
    """Return what somebody does, as one reads it after a name."""
    return _in(_ACTS[act], language)


def stage_label(stage: Stage, language: Language) -> str:
    """Return the stage in words."""
    return _in(_STAGES[stage], language)


def _in(pair: tuple[str, str], language: Language) -> str:
    both: Text = {"en": pair[0], "zh": pair[1]}
    return both[language]
