"""Titles of the measures of behaviour and what the literature says of each."""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Text
from soullink.modules.analysis.domain.wording.phrases import text

TITLES: Final[Mapping[str, Text]] = {
    "positivity": text("Positive turns for each negative one", "正面话语与负面话语之比"),
    "conflict_positivity": text(
        "The same while open conflict stood high", "公开冲突较高时的正负之比"
    ),
    "pursue_withdraw": text("Presses, and the other steps back", "自己追，对方退"),
    "repair_success": text("Steps towards peace that arrived", "主动缓和的成功率"),
    "reciprocity": text("Kind turns that were answered kindly", "善意得到善意回应的比例"),
    "responsiveness": text("Disclosures that the other met", "心里话被对方接住的比例"),
    "talk_share": text("Share of the turns", "说话的比例"),
    "misreadings": text("Turns of the other that were misread", "误解对方话语的比例"),
    "interruptions": text("Cuts in", "打断对方"),
    "demands": text("Turns that ask something of the other", "向对方提要求的比例"),
}

NOTES: Final[Mapping[str, Text]] = {
    "positivity": text(
        "While arguing, stable couples showed about five positive turns for each negative one and "
        "couples who later parted about 0.8 (Gottman 1994). Such figures were fitted to known "
        "outcomes and shrink on new couples (Heyman & Slep 2001): a description, not a test. "
        "This one is over all talk, where more is usual. Without a negative turn one is assumed.",
        "争执中，稳定的伴侣正负之比约为5比1，后来分开的约为0.8比1（Gottman 1994）。"
        "这些数字是事后拟合的，换一批伴侣就没那么准（Heyman & Slep 2001），只能描述，"
        "不能当测验。这里统计的是全部对话，数值通常会更高；一句负面的都没有时，按一句计算。",
    ),
    "conflict_positivity": text(
        "This is the kind of talk that the figures of 5 and 0.8 are about (Gottman 1994; but see "
        "Heyman & Slep 2001). Counted in the course shown only.",
        "5比1和0.8比1说的正是这类对话（Gottman 1994；质疑见 Heyman & Slep 2001）。"
        "只统计这里展示的经历。",
    ),
    "pursue_withdraw": text(
        "One asks for change, the other withdraws: goes with lower satisfaction, whoever does "
        "which, and mostly the one who wants the change pursues (Christensen & Heavey 1990; "
        "Schrodt, Witt & Shimkowski 2014).",
        "一方要求改变，另一方回避：不论谁追谁退，都与较低的满意度有关，追的多半是想要改变的那一方"
        "（Christensen & Heavey 1990；Schrodt 等 2014）。",
    ),
    "repair_success": text(
        "Attempts to repair matter less by their number than by whether they arrive, and early "
        "ones arrive better (Gottman, Driver & Tabares 2015). No attempt: no share.",
        "缓和的次数不如是否奏效重要，越早越有效（Gottman、Driver & Tabares 2015）。"
        "没有尝试就没有比例。",
    ),
    "reciprocity": text(
        "Kindness tends to be answered in kind; what tells couples apart is more how much "
        "negativity is answered with negativity (Gottman 1994).",
        "善意往往换来善意；真正区分伴侣的，更多是负面换来负面的程度（Gottman 1994）。",
    ),
    "responsiveness": text(
        "Closeness grows less from disclosing than from feeling that it was met (Reis & Shaver "
        "1988; Laurenceau, Feldman Barrett & Pietromonaco 1998).",
        "让人亲近的不只是倾诉，更是倾诉得到回应的感觉（Reis & Shaver 1988；Laurenceau 等 1998）。",
    ),
    "talk_share": text(
        "Half each is even; the more extraverted usually hold the floor longer (Cuperman & Ickes "
        "2009). Uneven talk is a trouble only for those who mind it.",
        "各占一半就是平衡；外向的人通常说得更多（Cuperman & Ickes 2009）。"
        "只有在意的人才会因此难受。",
    ),
    "misreadings": text(
        "People hear through their feelings for the other (Weiss 1980, sentiment override): low "
        "trust makes neutral words sound worse.",
        "人总是隔着对彼此的感觉去听（Weiss 1980，“情感覆盖”）：信任一低，平常的话也会显得刺耳。",
    ),
    "interruptions": text(
        "Cutting in can be eagerness or pressure; it is told here without a verdict. Counted in "
        "the course shown only.",
        "打断可能是热切，也可能是压力，这里只作记录，不作评判。只统计这里展示的经历。",
    ),
    "demands": text(
        "Asking for change openly can help with serious matters and hurts with small ones "
        "(Overall & McNulty 2017).",
        "遇到要紧的事，直接提出来往往有用；小事上则容易伤人（Overall & McNulty 2017）。",
    ),
}
