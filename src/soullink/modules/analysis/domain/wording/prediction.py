"""Texts of the prediction: interventions, what they are called, the summary."""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Text
from soullink.modules.analysis.domain.wording.phrases import text

INTERVENTIONS: Final[Mapping[str, Text]] = {
    "mend": text(
        "{name} takes more steps towards peace: says sorry, lets go, offers a middle way",
        "{name}更多地主动缓和：道歉、放下、提出折中",
    ),
    "validate": text(
        "{name} shows more often that the other was understood",
        "{name}更常表示自己听懂了对方",
    ),
    "soften": text(
        "{name} presses and criticises less when something is wrong",
        "有不满的时候，{name}少一些追逼和指责",
    ),
    "stay": text(
        "{name} stays in the talk instead of going quiet or stepping back",
        "{name}留在谈话里，而不是沉默或退开",
    ),
    "open": text("{name} tells more of what is inside", "{name}更多地说出心里话"),
    "less_stress": text("Life outside weighs less on both", "外面的压力对两个人都轻一些"),
    "fewer_misreadings": text("Both misread each other half as often", "两个人的误会都少一半"),
}

SUMMARY: Final[Text] = text(
    "In {together} of {replicas} replicas ({low} to {high}) the two still see each other after "
    "{episodes} episodes and about {days} days. These are shares inside the model, which assumes "
    "that they gave each other a second meeting.",
    "在{replicas}次推演中，有{together}次（{low}到{high}）两人在{episodes}段经历、约{days}天之后"
    "仍在交往。这是模型里的比例，前提是他们愿意见第二面。",
)
SUMMARY_ONE_EPISODE: Final[Text] = text(
    "In {together} of {replicas} replicas ({low} to {high}) neither breaks it off after this one "
    "episode. These are shares inside the model.",
    "在{replicas}次推演中，有{together}次（{low}到{high}）这一段经历之后没有人提出结束。"
    "这是模型里的比例。",
)
AGAIN: Final[Text] = text(
    "After the first evening both would want to see each other again in {both} of the replicas.",
    "第一晚之后，两人都愿意再见的推演占{both}。",
)
ANYONE: Final[Text] = text(
    "To compare: of two people of whom nothing is known, {share} ({low} to {high}) still see each "
    "other after the same situations.",
    "作为对照：换成两个没有任何资料的人，同样的情境之后仍在交往的占{share}（{low}到{high}）。",
)
BEST: Final[Text] = text(
    "Of {count} changes tried, this one raised the share most: {title} ({effect} points, {low} to "
    "{high}; the largest of many is mostly smaller than it looks).",
    "试过的{count}种改变里，最能提高这个比例的是：{title}（{effect}个百分点，区间{low}到{high}；"
    "多个里挑出的最大者，实际往往没有这么大）。",
)
WORST: Final[Text] = text(
    "This one lowered it most: {title} ({effect} points, {low} to {high}).",
    "降低得最多的是：{title}（{effect}个百分点，区间{low}到{high}）。",
)
NOTHING_CLEAR: Final[Text] = text(
    "None of the changes that were tried moves it clearly beyond chance.",
    "试过的改变里，没有一种的作用明显超出偶然。",
)
