"""Why a turn is quoted, one short sentence for each kind of reason."""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Text
from soullink.modules.analysis.domain.wording.phrases import text

REASONS: Final[Mapping[str, Text]] = {
    "care": text("{listener} felt cared for.", "{listener}感到被在乎。"),
    "care_missed": text(
        "It was meant kindly and did not arrive so.", "本是好意，却没有传到对方心里。"
    ),
    "harsh": text("This hurt {listener}.", "这句话伤到了{listener}。"),
    "met": text(
        "{listener} had opened up, and {speaker} met it.", "{listener}刚敞开心扉，{speaker}接住了。"
    ),
    "unmet": text(
        "{listener} had opened up, and {speaker} went past it.",
        "{listener}刚敞开心扉，{speaker}却没有回应。",
    ),
    "misread": text(
        "{listener} took it for something else than was meant.", "{listener}听成了别的意思。"
    ),
    "trust_up": text("Trust grew here.", "信任在这里多了一些。"),
    "trust_down": text("Trust fell here.", "信任在这里少了一些。"),
    "mended": text("A step towards peace, and it was taken.", "主动缓和，对方也领了情。"),
    "not_mended": text("A step towards peace that did not arrive.", "想缓和，却没有奏效。"),
    "heat": text("Here the talk grew more heated.", "气氛在这里变得紧张。"),
    "play": text("They were at play, and it was enjoyed.", "两个人玩得起来，也都高兴。"),
    "play_missed": text("The joke did not land.", "这个玩笑没有接上。"),
    "yield": text("{speaker} made room for the other's wish.", "{speaker}为对方的想法让出了余地。"),
    "firm": text("{speaker} held on to the own wish.", "{speaker}坚持了自己的想法。"),
    "chase": text(
        "{listener} pressed, and {speaker} stepped back.", "{listener}追着要说法，{speaker}退开了。"
    ),
    "cut_in": text("{speaker} cut in.", "{speaker}打断了对方。"),
    "came_back": text("{speaker} came back after stepping away.", "{speaker}退开之后又回来了。"),
    "quiet": text("{speaker} went quiet.", "{speaker}沉默了。"),
    "drawn": text(
        "Here they came a little closer on the first evening.", "第一晚，两人在这里走近了一点。"
    ),
    "cool": text("Here the first evening cooled a little.", "第一晚的气氛在这里冷了一点。"),
    "closer": text("Closeness and trust rose here.", "亲密和信任在这里上升。"),
    "apart": text("Closeness and trust fell here.", "亲密和信任在这里下降。"),
    "lifted": text(
        "Expected satisfaction would be lower without it.", "没有这一刻，预期的满意度会更低。"
    ),
    "lowered": text(
        "Expected satisfaction would be higher without it.", "没有这一刻，预期的满意度会更高。"
    ),
    "positive": text("A warm turn.", "一句暖心的话。"),
    "negative": text("A turn that was hard to hear.", "一句不好听的话。"),
    "matched": text("A kind turn answered by a kind turn.", "善意得到了善意的回应。"),
    "pressed": text(
        "{speaker} wanted something of {listener}.", "{speaker}对{listener}提出了要求。"
    ),
}

WITH_EVENT: Final[Text] = text(
    "It is not the words alone, for in the same moment this happened: {event}",
    "不全是这句话的缘故，当时还发生了一件事：{event}",
)
"""event: the event's own sentence or sentences."""
