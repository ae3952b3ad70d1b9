"""Words that nobody should be made to say here, found by small patterns of our own.

Kinds, in this order: "threat", "minor" (sexual words about somebody under age), "slur",
"self_harm" (talking somebody into it), "contact" (telephone numbers, mail, handles, addresses).
Patterns look at fixed forms; what they miss is not safe for having been missed.
"""

import re
from typing import Final

from soullink.modules.simulation.voice.text import holds_any

_YOUNG: Final = (
    r"(?:minors?|child(?:ren)?|kids?|toddlers?|pre-?teens?|school ?girls?|school ?boys?|"
    r"underage (?:girls?|boys?|teens?)|(?:1[0-7]|[5-9])[- ]years?[- ]olds?)"
)
_HAN_YOUNG: Final = (
    r"(?:未成年(?:人|少女|女孩|男孩)?|幼女|幼童|女童|男童|小学生|初中生|小萝莉|小正太)"
)
_HAN_SEXUAL: Final = r"(?:上床|做爱|性关系|性行为|色情|裸照|勾引|开房)"
_WILL: Final = r"\bI(?:['’]ll| will|['’]m going to| am going to|['’]m gonna|['’]d love to)"
_OPENS: Final = r"(?:^|[.!?;,…—]\s*|\band )"

_PATTERNS: Final[tuple[tuple[str, str], ...]] = (
    (
        "threat",
        (
            rf"{_WILL}(?: \w+){{0,2}}? (?:kill|hurt|beat|stab|shoot|strangle|choke|hit|smash) you\b"
            rf"|{_WILL} (?:make sure you|see that you)(?: \w+){{0,2}} (?:suffer|bleed|die)\b"
            r"|\bI know where you (?:live|work|sleep)\b"
            r"|\byou(?:['’]re| are) (?:a )?dead (?:man|woman|meat)\b"
            r"|我(?:要|会|一定|迟早|早晚|真要|就)*(?:杀了|弄死|打死|捅死|砍死|掐死|宰了)你"
            r"|信不信我(?:现在|今天|马上)?(?:就)?(?:打|揍|抽|弄死|杀)(?:死)?你"
            r"|我知道你(?:家)?住(?:在)?哪(?:儿|里)?[，,]?(?:你)?(?:给我)?(?:小心|等着)"
        ),
    ),
    (
        "minor",
        (
            rf"\b(?:sex|slept?|sleeping|made? love|making love|intercourse) with"
            rf" (?:(?:an?|the|this|that|some|those|these) )?(?:\w+ )?{_YOUNG}\b"
            rf"|\b(?:sexy|erotic|seductive|horny) (?:little |young )?{_YOUNG}\b"
            r"|\b(?:child|kiddie|underage) (?:porn|sex)\b"
            rf"|{_HAN_YOUNG}[^。！？]{{0,8}}{_HAN_SEXUAL}|{_HAN_SEXUAL}[^。！？]{{0,8}}{_HAN_YOUNG}"
        ),
    ),
    (
        "slur",
        (
            r"\b(?:nigg(?:er|a)s?|faggots?|trann(?:y|ies)|retards?|retarded|kikes?|gooks?|wetbacks?|"
            r"ragheads?|towelheads?|pakis?|dykes?|whores?|sluts?|cunts?)\b"
            r"|\bchinks?\b(?! (?:in|of)\b)|\bspics?\b(?! and\b)"
            r"|支那|黑鬼|死基佬|死人妖|婊子|贱货|荡妇|阿三佬|死娘炮|臭婊|弱智儿"
        ),
    ),
    (
        "self_harm",
        (
            rf"{_OPENS}(?:just |please |so |then )?(?:go (?:and )?)?(?:kill|hang) yourself\b"
            r"|\b(?:you should|you ought to|why don['’]t you|you may as well)(?: just| go| go and)?"
            r" (?:kill|hang|cut|hurt|harm) yourself\b"
            r"|\byou(?:['’]d| would) be better off dead\b|\bkys\b"
            rf"|{_OPENS}(?:just )?go (?:and )?die\b"
            r"|\b(?:the world|every(?:one|body)) would be better off"
            r" (?:without you|if you were dead)\b"
            r"|(?:你(?:怎么不|不如|干脆|应该|还是|就该|最好|快|赶紧)*去?|(?:快|赶紧|给我)去)"
            r"(?:死(?:了算了|吧|啊|一死)|自杀|跳楼|割腕)"
            r"|你怎么不去死"
        ),
    ),
    (
        "contact",
        (
            r"[\w.+-]+@[\w-]+\.[A-Za-z]{2,}"
            r"|(?<![\d.,])\+?\(?\d(?:[ ().-]{0,2}\d){8,14}(?!\d|,\d)"
            r"|(?<!\w)@[A-Za-z_]\w{3,}"
            r"|\bmy (?:whatsapp|telegram|instagram|insta|snapchat|wechat|line id|handle|e-?mail)"
            r" is \S+"
            r"|(?:微信|QQ|电话|手机)号?(?:码)?(?:是|：|:)?\s*[A-Za-z0-9_-]{6,}"
            r"|\bI live at \d+[A-Za-z]? [A-Z]\w+"
            r"|我(?:家)?住在?[\u4e00-\u9fff]{2,12}(?:路|街|弄|巷)\d+号"
        ),
    ),
)
_COMPILED: Final = tuple(
    (kind, re.compile(pattern, re.IGNORECASE if kind != "contact" else 0))
    for kind, pattern in _PATTERNS
)

KINDS: Final[tuple[str, ...]] = tuple(kind for kind, _ in _PATTERNS)


def dangers(*texts: str) -> tuple[str, ...]:
    """Return the kinds of what should not be said in any of the texts, in the order of KINDS."""
    together = "\n".join(texts)
    if not together.isascii():
        return tuple(kind for kind, pattern in _COMPILED if any(map(pattern.search, texts)))
    small = together.lower()
    return tuple(
        [
            kind
            for kind, pattern in _COMPILED
            if _hinted(kind, small) and any(map(pattern.search, texts))
        ]
    )


def _hinted(kind: str, small: str) -> bool:
    return holds_any(small, _HINTS[kind]) or (
        kind == "contact" and _DIGIT.search(small) is not None
    )


_DIGIT: Final = re.compile("[0-9]")
_HINTS: Final[dict[str, tuple[str, ...]]] = {
    "threat": (
        *("kill", "hurt", "beat", "stab", "shoot", "strangle", "choke", "hit", "smash"),
        *("suffer", "bleed", "die", "know where you", "dead"),
    ),
    "minor": ("sex", "slep", "sleep", "love", "intercourse", "erotic", "seduct", "horny", "porn"),
    "slur": (
        *("nigg", "faggot", "trann", "retard", "kike", "gook", "wetback", "raghead", "towelhead"),
        *("paki", "dyke", "whore", "slut", "cunt", "chink", "spic"),
    ),
    "self_harm": ("yourself", "dead", "kys", "die", "better off"),
    "contact": (
        "@",
        *("whatsapp", "telegram", "insta", "snapchat", "wechat", "line id", "handle", "mail"),
        *("qq", "e-mail"),
    ),
}
"""Of which an ASCII text of a kind holds one at least; looking for them is ten times as quick.

A contact may be all digits.
"""
