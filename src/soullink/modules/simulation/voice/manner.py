"""How words come across, counted by small word lists of our own, without a model.

Rates are per 100 words (en) or 100 Han characters (zh). The agentic and communal words follow the
two dimensions of Bakan (1966), The Duality of Human Existence; the words are ours. The counts say
how two sets of answers differ, not how warm or strong a single one is.
"""

import re
from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Language
from soullink.modules.simulation.voice.text import HAN, tokens


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


POSITIVE_EN: Final = _listed(
    "love lovely glad happy good great nice kind sweet wonderful warm fun beautiful proud grateful "
    "thanks thank welcome enjoy enjoyed smile laugh laughed best better brilliant perfect hope "
    "excited gentle calm safe favourite favorite delighted pleased charming cosy easy yes"
)
NEGATIVE_EN: Final = _listed(
    "hate hated awful bad terrible angry sad sorry afraid scared annoying annoyed boring bored "
    "worst worse ugly cruel cold hurt hurts alone lonely tired stupid ridiculous horrible nasty "
    "fail failed failure useless wrong unfair never trouble worried worry pain problem no"
)
AGENTIC_EN: Final = _listed(
    "decide decided decision lead led win won work career plan planned goal achieve achieved power "
    "strong ambitious money business build built fix fixed run manage managed control own earn "
    "push fight fought choose chose insist must will can result success drive boss expert"
)
COMMUNAL_EN: Final = _listed(
    "we us our together family friend friends help helped care cared share shared listen listened "
    "support supported feel feeling feelings understand understood home children mother father "
    "hug trust love gentle kind comfort belong community everyone cook cooked"
)
HEDGES_EN: Final = (
    r"\b(?:maybe|perhaps|possibly|probably|i think|i guess|i suppose|kind of|sort of|might|"
    r"could be|not sure|i don['’]t know|a bit|a little|somehow|if you don['’]t mind|"
    r"if that['’]s (?:ok|okay|all right)|seems?|i mean|sorry)\b"
)
POSITIVE_ZH: Final = (
    "喜欢|爱|开心|高兴|快乐|好看|漂亮|温柔|温暖|谢谢|感谢|幸福|放心|期待|棒|不错|有趣|可爱|舒服|满意|"
    "骄傲|欣赏|享受|轻松|真好|太好"
)
NEGATIVE_ZH: Final = (
    "讨厌|恨|难过|伤心|生气|害怕|担心|糟|烦|无聊|失望|痛|孤单|孤独|累|难受|可怕|委屈|后悔|丢人|麻烦|"
    "不行|失败|没用|过分|冷淡"
)
AGENTIC_ZH: Final = (
    "决定|计划|目标|工作|事业|赚钱|能力|厉害|成功|必须|一定|负责|解决|坚持|争取|努力|选择|掌握|带头|"
    "主动|拿主意|自己来|做到|赢|强"
)
COMMUNAL_ZH: Final = (
    "我们|咱们|一起|家人|朋友|帮|照顾|分享|陪|理解|关心|支持|感受|感觉|孩子|爸|妈|拥抱|信任|体谅|家里|"
    "大家|做饭|商量|心疼"
)
HEDGES_ZH: Final = (
    "可能|也许|大概|或许|好像|似乎|我觉得|我想|应该|说不定|不确定|不知道|有点|算是|吧|要是你不介意|"
    "不好意思|其实"
)

_PATTERNS: Final[Mapping[Language, Mapping[str, re.Pattern[str]]]] = {
    "en": {"hedging": re.compile(HEDGES_EN, re.IGNORECASE)},
    "zh": {
        "positive": re.compile(POSITIVE_ZH),
        "negative": re.compile(NEGATIVE_ZH),
        "agency": re.compile(AGENTIC_ZH),
        "communion": re.compile(COMMUNAL_ZH),
        "hedging": re.compile(HEDGES_ZH),
    },
}
_WORDS_EN: Final = {
    "positive": POSITIVE_EN,
    "negative": NEGATIVE_EN,
    "agency": AGENTIC_EN,
    "communion": COMMUNAL_EN,
}

MANNERS: Final = ("length", "warmth", "agency", "communion", "hedging")


def manner_of(words: str, language: Language) -> dict[str, float]:
    """Return MANNERS of the words: length in words or Han characters, the others as rates.

    warmth: positive less negative words; it may be below 0.
    """
    counts = {name: len(pattern.findall(words)) for name, pattern in _PATTERNS[language].items()}
    if language == "en":
        spoken = [word.replace("’", "'") for word in tokens(words)]
        length = len(spoken)
        counts |= {name: sum(w in known for w in spoken) for name, known in _WORDS_EN.items()}
    else:
        length = len(HAN.findall(words))
    rate = 100.0 / max(1, length)
    return {
        "length": float(length),
        "warmth": rate * (counts["positive"] - counts["negative"]),
        "agency": rate * counts["agency"],
        "communion": rate * counts["communion"],
        "hedging": rate * counts["hedging"],
    }
