"""Attempts to override what a model was told, or to have it told back, in a member's words."""

import re
import unicodedata
from typing import Final

_INSTRUCTIONS: Final = (
    r"(?:instructions?|rules|prompts?|directions?|directives?|guidelines|commands?|programming|"
    r"constraints|restrictions|safeguards|polic(?:y|ies))"
)
_HIDDEN: Final = (
    r"(?:system[ _-]?(?:prompt|message|instructions?|configuration|text)|"
    r"(?:initial|original|starting|hidden|secret|internal|core|base|developer)[ _-]"
    r"(?:system )?(?:prompts?|instructions?|configuration|directives?)|"
    r"(?:your|these|those|the) (?:exact |full |own |system |complete )?(?:instructions|prompt)\b|"
    r"initiali[sz]ation string|instructions you were given|text you were given)"
)
_TELL: Final = (
    r"(?:reveal|show|print|output|display|repeat|tell|give|write|share|dump|leak|expose|recite|"
    r"encode|translate|summari[sz]e|paraphrase|describe|quote|list|disclose|paste|return|read|see|provide|"
    r"opposite of|what(?:'s| is| are| were| was)|start your answer with)"
)

PATTERNS: Final[dict[str, re.Pattern[str]]] = {
    "override": re.compile(
        r"(?<!i )(?<!to )(?<!don't )(?<!never )(?<!not )\b(?:ignore|disregard|forget|override|"
        r"bypass|neglect|do not follow|don't follow|stop following|drop)\b[^.!?\n]{0,24}?\b"
        r"(?:all|any|previous|prior|above|earlier|preceding|"
        r"initial|original|system|your|these|those|the)\b[^.!?\n]{0,24}?\b"
        rf"{_INSTRUCTIONS}\b"
        r"|(?<!i )(?<!to )(?<!don't )\b(?:ignore|disregard|forget) (?:everything |all |anything )?"
        r"(?:of |that is |you were |you've been )?(?:the )?(?:above|previous|told)\b"
        r"|\b(?:your|these are your) new (?:instructions|rules)\b|\bnew system (?:message|prompt)\b"
        r"|\b(?:must|should|will|do) not follow (?:any of )?(?:your|the|those)\b[^.!?\n]{0,24}"
        rf"{_INSTRUCTIONS}\b"
        r"|\b(?:admin(?:istrator)?|developer|system|root) override\b"
        r"|\bfrom now on,? you(?:'ll| will| are| must| have no)\b[^.\n]{0,60}\b(?:no rules|no "
        r"restrictions|unrestricted|unfiltered|anything|dan|uncensored|amoral|not bound)\b"
        r"|(?:忽略|无视|忘记|忘掉|抛开|不要(?:再)?(?:理会|遵守|遵循)|别管|跳过|覆盖)[^。！？\n]{0,8}?"
        r"(?:之前|此前|以上|上面|前面|所有|先前|一切|系统|原来|原有|你的|这些)[^。！？\n]{0,8}?"
        r"(?:指令|指示|提示|规则|设定|命令|限制|约束)"
        r"|(?:无视|忽略)(?:规则|指令|限制|设定|提示)"
    ),
    "extraction": re.compile(
        rf"\b{_TELL}\b[^.!?\n]{{0,60}}?\b{_HIDDEN}"
        rf"|{_HIDDEN}[^.!?\n]{{0,40}}\b(?:word for word|verbatim|in full|base64|rot13|emoji)\b"
        r"|\byour (?:system|hidden|initial) (?:prompt|message)\b"
        r"|\brules you (?:must|have to) follow\b"
        r"|\bthe system prompt is\b|\w\(\s*system_?prompt|<system[_ ]?prompt>"
        r"|\brepeat (?:the|everything|all|this)\b[^.!?\n]{0,24}\b(?:text above|above text|above|"
        r"entire conversation|word for word|verbatim|in the system)\b"
        r"|\b(?:output|print|copy|return|write) (?:the|all|everything)(?: the)? (?:text|words) "
        r"above\b|\bwhat (?:were|are) you (?:told before|instructed|not (?:supposed|allowed) to "
        r"(?:tell|say))"
        r"|\bi was instructed to\b['\"’]|\bmy instructions are\b['\"’:]"
        r"|\brepeat this entire conversation\b"
        r"|(?:输出|显示|告诉我|打印|重复|复述|透露|泄露|给我看|展示|说出|翻译|背出|公开|写出|列出|发给我|是什么)"
        r"[^。！？\n]{0,12}?(?:系统提示|提示词|系统指令|系统消息|初始(?:指令|设定|提示)|原始(?:指令|提示)|"
        r"你(?:收到|得到)的(?:指令|指示)|你的(?:指令|设定|提示))"
        r"|(?:重复|复述|输出|写出|告诉我)[^。！？\n]{0,8}(?:第一条(?:指令|消息)|隐藏(?:文字|内容|指令))"
        r"|把(?:上面|以上)的?(?:内容|文字|话)[^。！？\n]{0,4}(?:原样|逐字|完整|全部)"
        r"|(?:系统提示|提示词|系统指令|初始指令|初始设定)[^。！？\n]{0,6}(?:是什么|有哪些|说了什么|原文|发给我|告诉我)"
    ),
    "jailbreak": re.compile(
        r"\bdo anything now\b|\bjail ?br(?:ea|o)k(?:en)?\b|\byou are (?:now )?"
        r"(?:going to (?:act|be) (?:as )?)?(?:dan|aim|stan)\b|\bact as (?:a )?(?:dan|aim|stan|an? "
        r"(?:unfiltered|uncensored|unrestricted|amoral))\b"
        r"|\b(?:developer|debug|maintenance|god|admin|sudo|unrestricted|dan|jailbreak) mode\b"
        r"|\b(?:you (?:have|had)|with|there are|without) (?:absolutely )?(?:no|any) (?:restrictions"
        r"|filters?|rules|ethical|moral|content polic|limitations|censorship)"
        r"|\b(?:unfiltered|uncensored|amoral) (?:ai|chatbot|model|assistant|and)\b"
        r"|\b(?:bypass|evade|circumvent|break free of)\b[^.\n]{0,40}\b(?:openai|filters?|"
        r"polic(?:y|ies)|ethic|safety)"
        r"|(?:进入|切换到?|开启|打开|启用)[^。\n]{0,6}(?:开发者|管理员|维护|调试|越狱|无限制|上帝)模式"
        r"|你(?:现在|从现在起|可以)?(?:不受|没有)任何(?:限制|约束|规则)|你现在是 ?dan"
        r"|越狱(?:模式|提示|指令)|(?:没有|不受)任何(?:限制|约束|审查|道德)[^。\n]{0,6}(?:的)?(?:AI|ai|模型|助手|机器人)"
    ),
    "template": re.compile(
        r"<\|(?:im_start|im_end|system|endoftext|start_header_id|eot_id)\|>|\[/?inst\]|<</?sys>>"
        r"|</?system>|^\s*(?:#{1,3} ?)?(?:system|系统) ?:|^\s*\[system\]",
        re.MULTILINE,
    ),
}
"""What is looked for, by kind, in folded text."""

_HINTS: Final = (
    "ignor", "disregard", "forget", "overrid", "bypass", "neglect", "follow", "drop",
    "from now", "prompt", "instruct", "system", "above", "conversation", "initial",
    "told before", "not supposed", "not allowed", "config", "directive", "text you were",
    "mode", "anything now", "jail", "restrict", "filter", "censor", "moral", "rules",
    "dan", "<|", "[inst", "[/inst", "<<", "</", "limit", "aim", "stan", "dude", "evade",
    "circumvent", "free", "指令", "提示", "设定", "规则", "限制", "模式", "越狱", "指示",
    "命令", "约束", "系统", "任何",
)  # fmt: skip
_INVISIBLE: Final = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")


def marks(text: str) -> tuple[str, ...]:
    """Return the kinds of attempts in `text`: override, extraction, jailbreak, template.

    Full-width and invisible characters, case and the apostrophe's form make no difference.
    """
    folded = text
    if not text.isascii():
        folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).replace("’", "'")
    folded = folded.lower()
    if not any(hint in folded for hint in _HINTS):
        return ()
    return tuple(kind for kind, pattern in PATTERNS.items() if pattern.search(folded))
