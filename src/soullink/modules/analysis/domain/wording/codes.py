"""Titles of codes: acts, traits, states, what happened between episodes."""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Language, Text
from soullink.modules.analysis.domain.wording.phrases import text
from soullink.modules.simulation.api import Act

ACTS: Final[Mapping[Act, Text]] = {
    Act.GREET: text("greets", "打招呼"),
    Act.SMALL_TALK: text("small talk", "闲聊"),
    Act.ASK: text("asks", "发问"),
    Act.DISCLOSE: text("tells of oneself", "谈自己"),
    Act.CONFIDE: text("confides", "吐露心事"),
    Act.JOKE: text("jokes", "开玩笑"),
    Act.TEASE: text("teases", "逗趣"),
    Act.COMPLIMENT: text("compliments", "称赞"),
    Act.AFFECTION: text("shows tenderness", "表达温柔"),
    Act.THANK: text("thanks", "道谢"),
    Act.AGREE: text("agrees", "赞同"),
    Act.VALIDATE: text("shows understanding", "表示理解"),
    Act.SUPPORT: text("supports", "支持"),
    Act.PLAN: text("makes a plan", "提议安排"),
    Act.PROMISE: text("promises", "承诺"),
    Act.REQUEST: text("makes a request", "提出请求"),
    Act.COMPROMISE: text("offers a middle way", "提出折中"),
    Act.CONCEDE: text("gives way", "让步"),
    Act.INSIST: text("insists", "坚持"),
    Act.SEEK_REASSURANCE: text("seeks reassurance", "寻求确认"),
    Act.COMPLAIN: text("complains", "表达不满"),
    Act.CRITICISE: text("criticises", "批评"),
    Act.BELITTLE: text("belittles", "贬低"),
    Act.DEFEND: text("defends", "辩解"),
    Act.STONEWALL: text("shuts down", "拒绝回应"),
    Act.WITHDRAW: text("steps back", "回避"),
    Act.SILENCE: text("says nothing", "沉默"),
    Act.REPAIR: text("calms things", "缓和气氛"),
    Act.APOLOGISE: text("apologises", "道歉"),
    Act.FORGIVE: text("forgives", "原谅"),
    Act.SET_BOUNDARY: text("sets a boundary", "划出界限"),
    Act.REFUSE: text("refuses", "拒绝"),
    Act.CLOSE: text("rounds off", "收尾"),
    Act.LEAVE: text("walks away", "离开"),
}

DIMENSIONS: Final[Mapping[str, Text]] = {
    "warmth": text("Warmth", "温暖"),
    "understanding": text("Understanding", "理解"),
    "trust": text("Trust", "信任"),
    "conflict": text("Handling conflict", "处理冲突"),
    "fun": text("Fun", "乐趣"),
    "values": text("Agreement", "想法一致"),
    "rhythm": text("Rhythm", "相处节奏"),
    "spark": text("Spark", "心动"),
}

STATES: Final[Mapping[str, Text]] = {
    "strangers": text("Still strangers", "还不熟"),
    "dating": text("Dating", "约会中"),
    "committed": text("Committed", "稳定交往"),
    "strained": text("Strained", "关系紧张"),
    "ended": text("Ended", "已结束"),
    "together": text("Still seeing each other", "仍在交往"),
    "again": text("Both want to meet again", "两人都愿意再见"),
}

TRAITS: Final[Mapping[str, Text]] = {
    "openness": text("Openness", "开放性"),
    "conscientiousness": text("Conscientiousness", "尽责性"),
    "extraversion": text("Extraversion", "外向性"),
    "agreeableness": text("Agreeableness", "宜人性"),
    "neuroticism": text("Neuroticism", "神经质"),
    "anxiety": text("Attachment anxiety", "依恋焦虑"),
    "avoidance": text("Attachment avoidance", "依恋回避"),
}

LIFE_EVENTS: Final[Mapping[str, Text]] = {
    "deadline": text("{name} was held by a deadline.", "{name}被一个截止日期占住了。"),
    "praise_at_work": text("{name} was praised at work.", "{name}在工作上得到了表扬。"),
    "job_in_doubt": text("{name}'s job became uncertain.", "{name}的工作变得不稳定。"),
    "large_bill": text("{name} got a large bill.", "{name}收到一张大额账单。"),
    "windfall": text("Some money came back to {name}.", "{name}意外收回一笔钱。"),
    "bad_sleep": text("{name} slept badly for weeks.", "{name}连续几周睡不好。"),
    "illness": text("{name} was ill.", "{name}生了一场病。"),
    "good_shape": text("{name} felt fitter than before.", "{name}的身体比以前好了。"),
    "friend_leaves": text("A close friend of {name} moved away.", "{name}的一位好友搬走了。"),
    "friend_in_need": text("A friend of {name} needed help.", "{name}的一位朋友需要帮忙。"),
    "old_friend": text("An old friend of {name} came back.", "{name}的一位老朋友重新联系上了。"),
}
"""What may happen to one of the two between episodes, by the id that the record has."""

NOT_REACHED: Final = text("a later episode", "之后的一段经历")
"""Title of an episode that this course did not reach."""


def act(code: Act, language: Language) -> str:
    """Return the act in words."""
    return ACTS[code][language]


def life_event(code: str, names: tuple[str, str], language: Language) -> str:
    """Return a life event "0:deadline" as a sentence; one without a text is shown as its id."""
    person, _, event = code.partition(":")
    known = LIFE_EVENTS.get(event)
    if known is None or person not in ("0", "1"):
        return event.replace("_", " ")
    return known[language].format(name=names[int(person)])
