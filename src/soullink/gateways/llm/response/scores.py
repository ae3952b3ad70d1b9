"""How good an answer is, 0.0 (bad) to 1.0, by looking at its letters alone: no other model."""

import re
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import msgspec

from soullink.gateways.llm.port import ChatRequest
from soullink.kernel.language import Language

LEAST_HAN_IN_CHINESE: Final = 0.5
MOST_HAN_IN_ENGLISH: Final = 0.2
EARLIER_LOOKED_AT: Final = 6
"""The assistant's last messages that an answer is compared with."""

_LOOKED_AT: Final = 400
"""Characters from the start of an answer, or the end of a question, that tell its script."""

_REMEMBERED: Final = 1024
_REMEMBERED_RUNS: Final = 2048
"""Texts whose facts are kept (by a hash, never the text itself); the oldest goes first."""

_UNITS_TRIED: Final = 3
_WORD_UNITS: Final = frozenset({"words", "词"})

_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_OTHER_SCRIPT: Final = re.compile(
    r"[\u0370-\u06ff\u0900-\u109f\u1100-\u11ff\u3040-\u30fa\u3105-\u312f\uac00-\ud7af]"
)
"""Greek, Cyrillic, Hebrew, Arabic, scripts of India and South-East Asia, kana, Korean."""

_BOUNDS: Final = re.compile(
    r"(\d{1,4}) ?(?:to|and|-|–|—|~|到|至) ?(\d{1,4}) ?个?(words|characters|字|词|汉字)"
)
_MOST: Final = re.compile(
    r"(?:at most|no more than|up to|under|within|max(?:imum)?(?: of)?|不超过|最多|至多|控制在)"
    r" ?(\d{1,4}) ?个?(words|characters|字|词|汉字)"
    r"|(\d{1,4}) ?个?(字|词|汉字)(?:以内|之内|以下)"
)
_ASSISTANT_WANTED: Final = re.compile(
    r"\byou(?:'re| are) (?:an? |the )?[^.\n]{0,40}\b(?:assistant|chatbot|ai|language model|bot)\b"
    r"|你是[^。\n]{0,16}(?:助手|助理|AI|人工智能|机器人|语言模型)",
    re.IGNORECASE,
)
_BROKEN_ROLE: Final = re.compile(
    r"\b(?:as|being|i(?:'|’)?m|i am|i'm just|i am just|i am only) (?:just |only |merely )?an? "
    r"(?:ai\b|a\.i\.|artificial|language model|large language|virtual|digital assistant|"
    r"assistant\b(?! (?!i\b|to\b|here\b|created\b|designed\b)\w)|chat ?bot|bot\b|"
    r"computer program|machine learning)"
    r"|\b(?:large |ai )language model\b|\bmy (?:training data|knowledge cutoff|developers|creators|"
    r"programming|system prompt|guidelines|instructions)\b|\b(?:system|initial) prompt\b"
    r"|\bhow (?:can|may) i (?:help|assist) you (?:today|further)\b|\bis there anything else i can "
    r"(?:help|assist)|\bi (?:can(?:'|’)?t|cannot|am unable to|am not able to|won(?:'|’)t) "
    r"(?:assist|help you with|fulfil+|comply|provide|continue with|engage)\b"
    r"|\b(?:openai|anthropic|chatgpt|deepmind)\b|\bout of character\b|\bthe (?:role|character|"
    r"persona) (?:i|you) (?:am|are|was|were)\b|\bin this (?:role-?play|simulation)\b"
    r"|^\W{0,3}(?:assistant|user|system|human|ai) ?[:：]",
    re.IGNORECASE,
)
_BROKEN_ROLE_ZH: Final = re.compile(
    r"(?:作为|身为|我(?:只)?是|我(?:只)?不过是)(?:一|1)?(?:个|名|款|位)?[^，。,.！？]{0,6}"
    r"(?:AI|人工智能|语言模型|大模型|聊天机器人|智能助手|虚拟助手|程序)"
    r"|(?:大型|大)?语言模型|训练数据|知识截止|系统提示|提示词|我的(?:开发者|设定|指令|程序)"
    r"|(?:无法|不能|没办法)(?:为您|为你|协助|提供(?:帮助|该|此类|这类)|满足(?:您|你|该|这个)|继续(?:这个|该|此)"
    r"(?:话题|对话|请求))|还有什么(?:可以|能)帮(?:您|你|到)|有什么(?:可以|能)(?:帮|为)(?:您|你)"
    r"|角色扮演|我扮演|扮演的角色|跳出角色|OpenAI|ChatGPT|^\W{0,3}(?:助手|用户|系统|AI)[:：]",
    re.IGNORECASE,
)


class Asked(msgspec.Struct, frozen=True):
    """What a text asks of the answer. explicit: in these words, not by its own script alone.

    bounds: fewest and most; by_words: in words, else in characters. as_assistant: it tells the
    model to be one, so that speaking as one breaks no role.
    """

    language: Language | None
    explicit: bool
    bounds: tuple[int, int] | None
    by_words: bool
    as_assistant: bool


_remembered: OrderedDict[int, Asked] = OrderedDict()
_remembered_grams: OrderedDict[int, tuple[int, ...]] = OrderedDict()  # a third of what sets take
_NOTHING: Final = Asked(None, False, None, True, False)


def asked_of(request: ChatRequest) -> Asked:
    """Return what the last user message asks, and where it says nothing, the system's first."""
    system = user = _NOTHING
    for message in request.messages:
        if message.role == "system":
            system = _asked_by(message.content, of_system=True)
            break
    for message in reversed(request.messages):
        if message.role == "user":
            user = _asked_by(message.content, of_system=False)
            break
    else:
        return system
    if system is _NOTHING:
        return user
    if user.language is None or (system.explicit and not user.explicit):
        language, explicit = system.language, system.explicit
    else:
        language, explicit = user.language, user.explicit
    nearer = user if user.bounds is not None else system
    return Asked(language, explicit, nearer.bounds, nearer.by_words, system.as_assistant)


def language_score(text: str, wanted: Language) -> float:
    """Return 1.0 where the script is that of `wanted`, less the more of it is another's."""
    head = text[:_LOOKED_AT]
    if head.isascii():
        share = 0.0
    else:
        share = _wide_share(head)
        sure = share <= MOST_HAN_IN_ENGLISH if wanted == "en" else share >= LEAST_HAN_IN_CHINESE
        if not sure or _OTHER_SCRIPT.search(head) is not None:
            letters = sum(map(str.isalpha, head)) or 1
            foreign = len(_OTHER_SCRIPT.findall(head)) / letters
            share = len(_HAN.findall(head)) / letters
            if foreign > 0.05:
                return max(0.0, 1.0 - foreign - (share if wanted == "en" else 0.0))
    if wanted == "zh":
        return min(1.0, share / LEAST_HAN_IN_CHINESE)
    return 1.0 if share <= MOST_HAN_IN_ENGLISH else (1.0 - share) / (1.0 - MOST_HAN_IN_ENGLISH)


def length_score(text: str, asked: Asked) -> float:
    """Return 1.0 within the bounds asked for, outside the ratio of the two lengths."""
    if asked.bounds is None:
        return 1.0
    fewest, most = asked.bounds
    count = len(text.split()) if asked.by_words else len("".join(text.split()))
    if count < fewest:
        return count / fewest
    return 1.0 if count <= most else most / count


def persona_score(text: str) -> float:
    """Return 0.0 where the answer speaks as an assistant or about its own instructions."""
    if text.isascii():
        return 0.0 if _may_break_role(text) and _BROKEN_ROLE.search(text) else 1.0
    if _may_break_role_zh(text) and _BROKEN_ROLE_ZH.search(text):
        return 0.0
    if _wide_share(text) > MOST_HAN_IN_ENGLISH:
        return 1.0
    return 0.0 if _may_break_role(text) and _BROKEN_ROLE.search(text) else 1.0


def repetition_score(text: str, earlier: Iterable[str]) -> float:
    """Return 1.0 less the share of runs of words said twice, or said in one earlier text.

    Runs are of three words, or of four characters where the text is Chinese.
    """
    total, runs = _runs(text)
    if not runs:
        return 1.0
    repeated = 1.0 - len(runs) / total
    for other in earlier:
        key = hash(other)
        said = _remembered_grams.get(key)
        if said is None:
            while len(_remembered_grams) >= _REMEMBERED_RUNS:
                _remembered_grams.popitem(last=False)
            said = _remembered_grams[key] = tuple(_runs(other)[1])
        if not runs.isdisjoint(said):
            repeated = max(repeated, len(runs.intersection(said)) / len(runs))
    return 1.0 - repeated


def _runs(text: str) -> tuple[int, frozenset[int]]:
    """Return how many runs there are, and the different ones as numbers."""
    if not text.isascii() and _wide_share(text) > 0.3:
        # Four UTF-16 units are one 64-bit number: read the bytes from four offsets.
        units = text.encode("utf-16-le", "surrogatepass")
        total = max(0, len(units) // 2 - 3)
        read = (memoryview(units[at : at + (len(units) - at) // 8 * 8]) for at in (0, 2, 4, 6))
        return total, frozenset().union(*(part.cast("Q") for part in read))
    words = text.split()
    if len(words) < 3:
        return 0, frozenset()
    return len(words) - 2, frozenset(map(hash, zip(words, words[1:], words[2:], strict=False)))


def _wide_share(text: str) -> float:
    """Return about the share of Han characters: UTF-8 takes three bytes for each, not one."""
    length = len(text)
    return (len(text.encode("utf-8", "surrogatepass")) - length) / (2 * length) if length else 0.0


def _asked_by(text: str, *, of_system: bool) -> Asked:
    key = hash((text, of_system))
    asked = _remembered.get(key)
    if asked is None:
        while len(_remembered) >= _REMEMBERED:
            _remembered.popitem(last=False)
        asked = _remembered[key] = _read_wishes(text, of_system)
    return asked


def _read_wishes(text: str, of_system: bool) -> Asked:
    english = max(text.rfind("in English"), -1)
    chinese = max(text.rfind("in Chinese"), -1)
    plain = text.isascii()
    if not plain:
        english = max(english, text.rfind("用英文"), text.rfind("用英语"))
        chinese = max(chinese, text.rfind("用中文"), text.rfind("用汉语"))
    language: Language | None
    if english != chinese:
        language = "en" if english > chinese else "zh"
    else:
        tail = text[-_LOOKED_AT:]
        language = "zh" if not plain and _wide_share(tail) > 0.3 else "en"
        if not any(map(str.isalpha, tail)):
            language = None
    bounds, by_words = _read_bounds(text, plain)
    as_assistant = of_system and _ASSISTANT_WANTED.search(text) is not None
    return Asked(language, english != chinese, bounds, by_words, as_assistant)


def _read_bounds(text: str, plain: bool) -> tuple[tuple[int, int] | None, bool]:
    """Return the last bounds that `text` names, looking only around the last words for units."""
    end = len(text)
    for _ in range(_UNITS_TRIED):
        unit = max(text.rfind(" words", 0, end), text.rfind(" characters", 0, end))
        if not plain:
            unit = max(unit, text.rfind("字", 0, end), text.rfind("词", 0, end))
        if unit < 0:
            break
        around = text[max(0, unit - 32) : unit + 11]
        found = _BOUNDS.search(around)
        if found is not None:
            one, other = int(found[1]), int(found[2])
            return (min(one, other), max(one, other)), found[3] in _WORD_UNITS
        found = _MOST.search(around)
        if found is not None:
            return (1, int(found[1] or found[3])), (found[2] or found[4]) in _WORD_UNITS
        end = unit
    return None, True


def _may_break_role(text: str) -> bool:
    low = text.lower()
    return (
        "model" in low
        or "assist" in low
        or "an ai" in low
        or "prompt" in low
        or "instructions" in low
        or "bot" in low
        or "help you" in low
        or "character" in low
        or "persona" in low
        or "role" in low
        or "simulation" in low
        or "program" in low
        or "i can't" in low
        or "i can’t" in low
        or "i cannot" in low
        or "unable to" in low
        or "my training" in low
        or "my knowledge" in low
        or "my guidelines" in low
        or "openai" in low
        or "anthropic" in low
        or "artificial" in low
        or "chatgpt" in low
        or "my developers" in low
        or "my creators" in low
        or ":" in low[:14]
    )


def _may_break_role_zh(text: str) -> bool:
    return (
        "AI" in text
        or "智能" in text
        or "模型" in text
        or "助手" in text
        or "机器人" in text
        or "提示" in text
        or "扮演" in text
        or "角色" in text
        or "程序" in text
        or "训练" in text
        or "知识" in text
        or "我的" in text
        or "无法" in text
        or "不能" in text
        or "没办法" in text
        or "什么" in text
        or "GPT" in text
        or ("：" in text[:8])
        or (":" in text[:8])
    )
