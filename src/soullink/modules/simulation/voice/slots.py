"""What can fill the slots of an authored line, and how it is put in.

Everything from a profile is data: it becomes one line without control characters and braces, is
left out where it is long or reads like anything but a short noun phrase, and is put in once,
in a single pass, so that braces or slot names inside it mean nothing.

An interest, job or city whose script is not that of the run's language is left out: a Chinese
phrase inside an English sentence reads like a mistake, and a translation would be invented.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from soullink.kernel.language import Language
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import WORD_SLOTS
from soullink.modules.simulation.voice import draws
from soullink.modules.simulation.voice.lines import SLOT, LineBook
from soullink.modules.simulation.voice.port import SpeechRequest
from soullink.modules.simulation.voice.text import HAN, in_script, one_line

LONGEST_FACT: Final = 40
LONGEST_PHRASE: Final = 80
MOST_WORDS: Final = 6
MOST_MENTIONS: Final = 4
"""An own interest, job or city comes up this often in a course and no more."""

FACT_SLOTS: Final = frozenset(
    {"interest", "partner_interest", "shared_interest", "job", "partner_job", "city"}
    | {"partner_city"}
)
OWN_FACTS: Final = frozenset({"interest", "shared_interest", "job", "city", "value"})

_NO_PHRASE: Final = re.compile(r"[<>\[\]`|\\/@#*_=~^;:!?,，。；：！？、\"“”「」\n]|www\.|\.\s|\.$")
_NO_JOBS: Final = frozenset(
    {"unemployed", "retired", "none", "other", "self-employed", "freelance", "unknown"}
    | {"military", "transportation", "无", "无业", "待业", "退休", "其他", "自由职业"}
)
_SURNAMES: Final = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟"
    "姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫雷龙黎史陶贺毛段郝顾龚邵万钱严洪武戴莫孔汤温康施牛樊葛"
    "邢安齐易乔伍庞颜倪庄聂章鲁岳翟申耿关焦左柳甘祝包宁尚符舒阮纪梅童凌毕单季裴霍涂成苗谷曲盛冉翁骆路游辛"
)
_DOUBLE_SURNAMES: Final = frozenset(
    {"欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "司徒"}
)
_PROPER: Final = re.compile(r"(?:ese|ish|ian|ean|rican|xican|Nordic|Celtic|Baltic)$")
_ARTICLE: Final = re.compile(r"^(?:an?|the|my|some)\s+", re.IGNORECASE)
_INDEFINITE: Final = re.compile(r"\b([Aa])n?(\s+)$")
_SENTENCE_END: Final = re.compile(r"(?:^|[.!?…。！？][\"”’)]?\s*)$")
_HALF_TO_FULL: Final = str.maketrans(",!?;:", "，！？；：")


@dataclass(frozen=True, slots=True)
class Option:
    """One phrase for a slot; `weight` says how much it is wanted now."""

    text: str
    weight: float = 1.0


Options = Mapping[str, tuple[Option, ...]]


@lru_cache(maxsize=4096)
def first_name(name: str) -> str:
    """Return how one addresses somebody: the given name, one line, at most 40 characters."""
    whole = one_line(name)[:LONGEST_FACT].strip()
    if whole and all(HAN.match(character) for character in whole):
        if len(whole) == 4 and whole[:2] in _DOUBLE_SURNAMES:
            return whole[2:]
        return whole[1:] if len(whole) == 3 and whole[0] in _SURNAMES else whole
    parts = [part for part in re.split(r"[\s·•]+", whole) if part and not part.endswith(".")]
    return parts[0] if parts else whole


def phrase(text: str, language: Language) -> str | None:
    """Return `text` as a short noun phrase for `language`, or None where it is not one."""
    cleaned = one_line(text).strip()
    if not cleaned or len(cleaned) > LONGEST_FACT or len(cleaned.split()) > MOST_WORDS:
        return None
    if _NO_PHRASE.search(cleaned) or not in_script(cleaned, language):
        return None
    return cleaned


def interests_of(person: Profile, language: Language) -> tuple[str, ...]:
    """Return the interests of `person` that can be spoken of in `language`, each once."""
    return _interests(tuple(person.interests), language)


@lru_cache(maxsize=4096)
def _interests(interests: tuple[str, ...], language: Language) -> tuple[str, ...]:
    kept = [phrase(interest, language) for interest in interests]
    phrases = list(dict.fromkeys(item for item in kept if item is not None))
    if phrases and all(item[0].isupper() for item in phrases):  # written as a list of titles
        phrases = list(dict.fromkeys(_lowered(item) for item in phrases))
    return tuple(phrases)


def job_of(person: Profile, language: Language) -> str | None:
    """Return the occupation as a bare noun ("wildlife biologist"), or None."""
    said = phrase(person.occupation or "", language)
    if said is None or said.casefold() in _NO_JOBS:
        return None
    bare = _ARTICLE.sub("", said)
    # An occupation is written as a title ("Wildlife Biologist"); short capitals are spelt out.
    return " ".join(w.lower() if w[1:].islower() else w for w in bare.split()) or None


def mentions(text: str, said: str) -> int:
    """Return how often `said`, in lower case, speaks of `text`."""
    wanted = text.casefold()
    if wanted not in said:
        return 0
    if HAN.search(wanted):
        return said.count(wanted)
    return len(re.findall(rf"(?<!\w){re.escape(wanted)}(?!\w)", said))


def slot_options(request: SpeechRequest, book: LineBook) -> Options:
    """Return what each slot can be filled with now; a slot that is missing cannot be filled."""
    language = request.language
    me, partner = request.speaker, request.listener
    mine, theirs = interests_of(me, language), interests_of(partner, language)
    keys = {item.casefold() for item in theirs}
    said = "\n".join(sorted(request.used_words)).casefold()
    heard = "\n".join(words for _, words in request.history).casefold()
    found: dict[str, list[Option]] = {
        "me": [Option(first_name(me.name))],
        "partner": [Option(first_name(partner.name))],
        "interest": _facts(mine, said, ""),
        "partner_interest": _facts(theirs, said, heard),
        "shared_interest": _facts([i for i in mine if i.casefold() in keys], said, heard),
        "job": _facts(_one(job_of(me, language)), said, ""),
        "partner_job": _facts(_one(job_of(partner, language)), said, ""),
        "city": _facts(_one(phrase(me.city or "", language)), said, ""),
        "partner_city": _facts(_one(phrase(partner.city or "", language)), said, ""),
        "value": _values(me, book),
    }
    for slot in WORD_SLOTS:
        phrases = request.scenario.words.get(slot, {}).get(language, ())
        found[slot] = [Option(item) for item in map(_scene_phrase, phrases) if item]
    # An episode's own memory phrase is for those that come later.
    found["memory"] = [Option(p) for p in map(_scene_phrase, request.memory_phrases) if p]
    return {slot: tuple(options) for slot, options in found.items() if options}


def fill(text: str, options: Options, language: Language, seed: int, *names: object) -> str | None:
    """Return `text` with its slots filled in one pass, or None where one cannot be filled."""
    chosen: dict[str, str] = {}
    for slot in SLOT.findall(text):
        wanted = [
            (option.text, option.text, option.weight)
            for option in options.get(slot, ())
            if option.text.casefold() not in {value.casefold() for value in chosen.values()}
            or slot in chosen
        ]
        picked = draws.pick(wanted, seed, *names, slot)
        if picked is None:
            return None
        chosen[slot] = picked
    spoken = ""
    end = 0
    for match in SLOT.finditer(text):
        spoken += text[end : match.start()]
        spoken = _put(spoken, chosen[match[1]], language)
        end = match.end()
    spoken += text[end:]
    return full_width(spoken) if language == "zh" else spoken


def full_width(text: str) -> str:
    """Return a Chinese text with full-width punctuation after Han characters."""
    return re.sub(
        r"(?<=[\u4e00-\u9fff])[,!?;:]\s*", lambda m: m[0].strip().translate(_HALF_TO_FULL), text
    )


def _put(before: str, value: str, language: Language) -> str:
    if language == "zh":
        return before + value
    article = _INDEFINITE.search(before)
    if article:
        before = before[: article.start()] + article[1] + _n(value) + article[2]
    if _SENTENCE_END.search(before):
        value = value[:1].upper() + value[1:]
    return before + value


def _n(value: str) -> str:
    """Return "n" where English wants "an" before `value`."""
    word = value.split(maxsplit=1)[0]
    if word.isupper() and 1 < len(word) <= 4:  # spelt out: an MRI technician, a UX designer
        return "n" if word[0] in "AEFHILMNORSX" else ""
    lowered = word.casefold()
    if re.match(r"(?:hour|honest|heir|honou?r)", lowered):
        return "n"
    if re.match(r"(?:uni(?!n)|eu|one\b|once|use|uk|ute)", lowered):
        return ""
    return "n" if lowered[:1] in "aeiou" else ""


def _lowered(words: str) -> str:
    """Return `words` with a small first letter, unless the first word looks like a name."""
    first = words.split(maxsplit=1)[0]
    if not first[0].isupper() or not first[1:].islower() or _PROPER.search(first):
        return words
    return words[0].lower() + words[1:]


def _one(text: str | None) -> tuple[str, ...]:
    return () if text is None else (text,)


def _scene_phrase(text: str) -> str:
    """Return a scenario's phrase as data; one that still has a slot of its own is left out."""
    return "" if "{" in text or len(text) > LONGEST_PHRASE else one_line(text)


def _facts(items: Iterable[str], said: str, heard: str) -> list[Option]:
    """Return facts that have not come up too often; what was just spoken of weighs more."""
    options = []
    for item in items:
        count = mentions(item, said)
        if count < MOST_MENTIONS:
            taken_up = 4.0 if mentions(item, heard) else 1.0
            options.append(Option(item, taken_up / (1.0 + count) ** 2))
    return options


def held_dear(person: Profile) -> list[str]:
    """Return the up to three values that `person` rates highest, above their own mean."""
    if not person.values:
        return []
    mean = sum(person.values.values()) / len(person.values)
    ranked = sorted(person.values, key=lambda name: (-person.values[name], name))
    return [name for name in ranked if person.values[name] > mean or len(ranked) == 1][:3]


def _values(person: Profile, book: LineBook) -> list[Option]:
    return [
        Option(text, 1.0 / (1 + place))
        for place, name in enumerate(held_dear(person))
        for text in book.values.get(name, ())
    ]
