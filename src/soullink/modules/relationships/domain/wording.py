"""What members read, in English and Chinese."""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Language, Text
from soullink.modules.relationships.api import State, TrendDirection, Words


def _text(en: str, zh: str) -> Text:
    return {"en": en, "zh": zh}


STATES: Final[Mapping[State, Text]] = {
    "proposed": _text(
        "You two were suggested to each other. It goes on when both say yes.",
        "你们被推荐给了对方。双方都同意后才会继续。",
    ),
    "accepted": _text("You both said yes.", "你们都同意了。"),
    "met": _text("You have met.", "你们见过面了。"),
    "dating": _text("You are dating.", "你们在约会。"),
    "together": _text("You are together.", "你们在一起了。"),
    "paused": _text("You are taking a break.", "你们暂停了一段时间。"),
    "ended": _text("It has ended.", "这段关系已经结束。"),
    "declined": _text("You said no.", "你没有同意。"),
    "expired": _text("It did not come about.", "没有成。"),
    "blocked": _text("You blocked this person.", "你已屏蔽此人。"),
}

WAITING: Final = _text(
    "You said where you want to go ({state}). It happens when the other says the same by "
    "themselves; they are not told before.",
    "你已表示想要的方向（{state}）。等对方也自己这样表示时才会发生；在此之前不会告诉对方。",
)

NAMES: Final[Mapping[State, Text]] = {
    "proposed": _text("suggested", "已推荐"),
    "accepted": _text("yes", "同意"),
    "met": _text("met", "见过面"),
    "dating": _text("dating", "约会"),
    "together": _text("together", "在一起"),
    "paused": _text("a break", "暂停"),
    "ended": _text("ended", "结束"),
    "declined": _text("no", "不同意"),
    "expired": _text("did not come about", "没有成"),
    "blocked": _text("blocked", "已屏蔽"),
}

SOMEBODY_GONE: Final = _text("somebody who has left", "已离开的用户")

QUESTIONS: Final[Mapping[str, Text]] = {
    "satisfaction": _text(
        "All in all, how satisfied are you with how it goes between you two, 0 to 10?",
        "总的来说，你对你们现在的相处有多满意？请打 0 到 10 分。",
    ),
    "tension": _text(
        "How much tension was there between you lately, 0 to 10?",
        "最近你们之间的紧张有多少？请打 0 到 10 分。",
    ),
    "text": _text(
        "Anything you want to keep for yourself? Nobody else reads it.",
        "有什么想写给自己的吗？别人不会看到。",
    ),
    "would_meet_again": _text(
        "Would you meet this person again? The other is not told.",
        "你愿意再见这个人吗？不会告诉对方。",
    ),
}

TRENDS: Final[Mapping[TrendDirection, Text]] = {
    "rising": _text("Your answers have been going up.", "你的分数在上升。"),
    "falling": _text("Your answers have been going down.", "你的分数在下降。"),
    "no_change_seen": _text(
        "Your answers go up and down; no more can be told from them.",
        "你的分数有起伏，从中看不出变化。",
    ),
    "too_few": _text("There are too few answers yet to tell anything.", "回答还太少，看不出什么。"),
}


def words_in(language: Language) -> Words:
    """Return all of it in one language."""
    return Words(
        states={state: text[language] for state, text in STATES.items()},
        names={state: text[language] for state, text in NAMES.items()},
        waiting=WAITING[language],
        questions={name: text[language] for name, text in QUESTIONS.items()},
        trends={direction: text[language] for direction, text in TRENDS.items()},
        gone=SOMEBODY_GONE[language],
    )
