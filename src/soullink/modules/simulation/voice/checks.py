"""What can be wrong with a model's words, found without another model.

Faults are stable codes, in this order: "wrong_act", "wrong_language", "length", "role_break",
"speaks_for_other", "markup", "repetition", "invented_fact", "leaked_secret", "contradiction",
"unsafe".
"""

import re
from functools import lru_cache
from typing import Final

from soullink.kernel.language import Language
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import Act
from soullink.modules.simulation.voice.echoes import Echoes
from soullink.modules.simulation.voice.facts import invented
from soullink.modules.simulation.voice.ledger import claims_of, contradicted, own_words
from soullink.modules.simulation.voice.port import SpeechRequest
from soullink.modules.simulation.voice.safety import dangers
from soullink.modules.simulation.voice.slots import first_name
from soullink.modules.simulation.voice.text import HAN, han_share, holds_any, tokens

TOLERATED: Final[dict[Language, tuple[int, int]]] = {"en": (8, 40), "zh": (12, 80)}
"""Fewest and most words (en) or Han characters (zh) of a model's turn."""

MOST_HAN_IN_ENGLISH: Final = 0.2
LEAST_HAN_IN_CHINESE: Final = 0.5
REPEATED: Final = 0.8
"""Likeness (Dice over letter shingles) from which a turn counts as said before."""

TELLING_SHARE: Final = 0.6
"""Share of a secret's own words that must occur before it counts as told."""

_ROLE_BREAKS: Final = re.compile(
    r"\bas an? (?:ai|artificial intelligence|language model|assistant|chatbot|llm)\b|"
    r"\b(?:large )?language model\b|\bsystem prompt\b|\bmy (?:system )?(?:prompt|instructions)\b|"
    r"\bI(?:'m| am|’m) (?:just |only )?an? (?:ai|chatbot|virtual assistant|language model)\b|"
    r"\brole-?play(?:ing|ed|s)?\b|\b(?:openai|anthropic|chatgpt)\b|"
    r"\bI (?:cannot|can't|can’t|am unable to|won't) assist with\b|"
    r"\b(?:stay(?:ing)?|break(?:ing)?) (?:in |out of )?character\b|"
    r"\bdialogue act\b|\bjson\b|\bthe (?:user|persona|simulation)\b|"
    r"作为(?:一个|一名)?\s?(?:AI|人工智能|语言模型|助手|模型)|"
    r"我是(?:一个|一名)?\s?(?:AI|人工智能|语言模型|机器人助手)|"
    r"语言模型|人工智能助手|扮演|系统提示|提示词|我的指令|无法(?:继续|协助|提供帮助)|OpenAI|对话行为",
    re.IGNORECASE,
)
_MARKUP: Final = re.compile(
    r"https?://|(?<![A-Za-z])www\.|```|`[^`]+`|</?[a-zA-Z][^>]*>|"
    r"\*[^*\n]+\*|\*\*|__[^_]+__|^\s*#{1,6} |"
    r"\[[^\]]+\]\([^)]*\)|[{}]|^\s*(?:[-*•]|\d+[.)]) |\bdef \w+\(|\n",
    re.MULTILINE,
)
_PREFIX: Final = re.compile(
    r"^\s*[\"“']?(?:me|you|user|assistant|system|speaker|partner|我|你|对方|旁白)\s*[:：]",
    re.IGNORECASE,
)
_STOPWORDS: Final = frozenset(
    {"that", "this", "with", "from", "have", "been", "were", "will", "would", "could", "should"}
    | {"about", "their", "there", "they", "them", "then", "than", "what", "when", "where", "which"}
    | {"while", "whom", "whose", "your", "mine", "ours", "very", "just", "only", "also", "into"}
    | {"over", "under", "after", "before", "because", "still", "never", "ever", "always", "some"}
    | {"more", "most", "much", "many", "other", "another", "once", "secretly", "secret", "someone"}
    | {"something", "nobody", "anyone", "people", "person", "does", "doing", "done", "being"}
    | {"having", "made", "make", "makes", "know", "knows", "knew", "told", "tell", "tells"}
)


def faults_of(request: SpeechRequest, act: str, words: str, thought: str = "") -> tuple[str, ...]:
    """Return the faults of a model's `words` for the act it named; empty when all is well.

    thought: what it has the speaker think; nobody hears it, but members may read it.
    """
    checks = (
        ("wrong_act", act.strip().casefold() != request.act.value),
        ("wrong_language", not right_language(words, request.language)),
        ("length", not right_length(words, request.language)),
        ("role_break", breaks_role(words, thought)),
        ("speaks_for_other", speaks_for_other(words, request.speaker, request.listener)),
        ("markup", has_markup(words)),
        ("repetition", repeats(words, request)),
        ("invented_fact", bool(invented(words, request))),
        ("leaked_secret", leaks(words, request)),
        ("contradiction", denies_own_words(words, request)),
        ("unsafe", bool(dangers(words, thought))),
    )
    return tuple(code for code, wrong in checks if wrong)


def right_language(words: str, language: Language) -> bool:
    """Tell whether the share of Han letters fits `language`, names of the other apart."""
    share = han_share(words)
    return share >= LEAST_HAN_IN_CHINESE if language == "zh" else share <= MOST_HAN_IN_ENGLISH


def right_length(words: str, language: Language) -> bool:
    """Tell whether `words` are as long as TOLERATED."""
    few, many = TOLERATED[language]
    count = len(HAN.findall(words)) if language == "zh" else len(words.split())
    return few <= count <= many


def breaks_role(*texts: str) -> bool:
    """Tell whether the model speaks of itself, of its task or of its instructions in any text."""
    together = "\n".join(texts)
    if together.isascii() and not holds_any(together.lower(), _ROLE_HINTS):
        return False
    return any(_ROLE_BREAKS.search(text) for text in texts)


_ROLE_HINTS: Final = (
    *("a ai", "an ai", "artificial", "language model", "assist", "chatbot", "llm", "prompt"),
    *("instructions", "role", "openai", "anthropic", "chatgpt", "character", "dialogue act"),
    *("json", "the user", "the persona", "the simulation"),
)
"""Of which an ASCII text that breaks the role holds one at least."""


def speaks_for_other(words: str, speaker: Profile, listener: Profile) -> bool:
    """Tell whether words are labelled with a name, or tell what the other says."""
    if _PREFIX.search(words):
        return True
    if speaker.name not in words and listener.name not in words:
        names = (first_name(speaker.name), first_name(listener.name))
        if all(names) and not any(name in words for name in names):
            return False
    return any(pattern.search(words) for pattern in _voiced(speaker.name, listener.name))


@lru_cache(maxsize=1024)
def _voiced(speaker: str, listener: str) -> tuple[re.Pattern[str], ...]:
    """Return what finds a name as a label, or the listener made to speak."""
    names = {speaker, first_name(speaker), listener, first_name(listener)}
    labels = "|".join(re.escape(name) for name in sorted(names) if name)
    other = re.escape(first_name(listener))
    return (
        re.compile(rf"(?:^|\n|[.!?。！？]\s*)(?:{labels})\s*[:：]"),
        re.compile(rf"\b{other} (?:says|replies|answers|responds|nods|whispers)\b"),
        re.compile(rf"{other}(?:说道?|回答|答道|点头)[:：，,“\"]"),
    )


def has_markup(words: str) -> bool:
    """Tell whether there are addresses, code, markup, stage directions or several lines."""
    bare = words.strip()
    # Without a line break an entry of a list can only stand at the beginning.
    listed = bare[:1] in "-•" or bare[:1].isdecimal()
    return (listed or holds_any(bare, _MARKUP_MARKS)) and _MARKUP.search(bare) is not None


_MARKUP_MARKS: Final = ("\n", "*", "`", "<", "[", "{", "}", "#", "__", "http", "www.", "def ")
"""Of which a text with markup holds one, but for the entry of a list."""


def repeats(words: str, request: SpeechRequest) -> bool:
    """Tell whether the turn has been said before, nearly to the letter."""
    heard = [earlier for _, earlier in request.history if earlier not in request.used_words]
    alike = request.likeness(words)
    return alike >= REPEATED or (bool(heard) and Echoes(heard).likeness(words) >= REPEATED)


def denies_own_words(words: str, request: SpeechRequest) -> bool:
    """Tell whether words claim something of which the speaker has said the opposite."""
    if not claims_of(words, request.language):
        return False
    return bool(contradicted(words, own_words(request), request.language))


def leaks(words: str, request: SpeechRequest) -> bool:
    """Tell whether words give a secret away.

    The listener's secrets are not the speaker's to know: telling most of the words that make one
    up is a fault, unless the listener has told it. The speaker's own may come out, but letter for
    letter only where the act is to confide.
    """
    listener = request.listener
    if listener.secrets and _leaks_theirs(words, request):
        return True
    return request.act is not Act.CONFIDE and any(
        _verbatim(secret, words) for secret in request.speaker.secrets
    )


def _leaks_theirs(words: str, request: SpeechRequest) -> bool:
    told = " ".join(earlier for _, earlier in request.history)
    listener = request.listener
    shown = (
        *(request.setting, request.goal, *request.memories, *request.events, told),
        *(listener.name, listener.city or "", listener.occupation or ""),
        *listener.interests,
    )
    public = " ".join(shown)
    return any(_gives_away(secret, words, public) for secret in listener.secrets)


def _verbatim(secret: str, words: str) -> bool:
    inner, least = _inner(secret)
    return len(inner) >= least and inner in "".join(tokens(words))


@lru_cache(maxsize=1024)
def _inner(secret: str) -> tuple[str, int]:
    """Return the letters of a secret, and how many it takes to be one."""
    return "".join(tokens(secret)), 6 if han_share(secret) > 0.5 else 12


def _gives_away(secret: str, words: str, public: str) -> bool:
    telling = _telling(secret) - _telling(public)
    if len(telling) < 2:
        return _verbatim(secret, words) and not _verbatim(secret, public)
    shared = telling & _telling(words)
    return len(shared) >= max(2, TELLING_SHARE * len(telling))


def _telling(text: str) -> frozenset[str]:
    """Return what carries meaning: long English words by their stem, pairs of Han characters."""
    stems = {word[:5] for word in tokens(text) if len(word) > 3 and word not in _STOPWORDS}
    latin = {stem for stem in stems if not HAN.search(stem)}
    pairs = {
        run[start : start + 2]
        for run in re.findall(r"[\u4e00-\u9fff]{2,}", text)
        for start in range(len(run) - 1)
    }
    return frozenset(latin | pairs)
