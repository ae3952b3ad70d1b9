"""Facts that somebody claims about themselves and that nothing known supports.

Conservative on purpose: a missed invention costs little, a wrong alarm costs a model call. Only
first-person claims with a fixed form are looked at, and a claim stands when its key word occurs
anywhere in what is known: the speaker's profile, the setting, goal, memories or history.
Parents and grandparents are no claim, since everybody has had them; nor is anything denied,
wished or supposed.
"""

import re
from collections.abc import Iterator

from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import Scenario
from soullink.modules.simulation.voice.claims import (
    CHINESE,
    CHINESE_AGE,
    ENGLISH,
    ENGLISH_AGE,
    HAN_DIGITS,
    HAN_SELF,
    SAME,
    TENS,
    UNITS,
    meant,
    of_oneself,
)
from soullink.modules.simulation.voice.port import SpeechRequest


def known_text(request: SpeechRequest) -> str:
    """Return everything that supports a claim of the speaker, in lower case."""
    parts = [
        *_profile_text(request.speaker),
        *_scenario_text(request.scenario),
        request.setting,
        request.goal,
        *request.memories,
        *request.memory_phrases,
        *request.events,
        *(words for _, words in request.history),
    ]
    return "\n".join(parts).casefold()


def invented(words: str, request: SpeechRequest) -> tuple[str, ...]:
    """Return the key words of the speaker's unsupported claims, in order of appearance."""
    if not of_oneself(words) and HAN_SELF not in words:
        return ()
    claims = list(_claims(words))
    ages = [*ENGLISH_AGE.finditer(words), *CHINESE_AGE.finditer(words)]
    if not claims and not ages:
        return ()
    known = known_text(request)
    found = [(place, key) for place, key in claims if not _supported(key.casefold(), known)]
    found += [(place, age) for place, age in _wrong_ages(words, request.speaker, known)]
    return tuple(dict.fromkeys(key for _, key in sorted(found)))


def _profile_text(person: Profile) -> Iterator[str]:
    yield from (person.name, person.city or "", person.occupation or "", person.pronouns or "")
    yield from person.languages
    yield from person.interests
    yield from person.essays.values()
    yield from person.deal_breakers
    yield from person.secrets
    yield from (person.wants.text or "", person.wants.goal or "")
    if person.wants.children in {"has_and_wants_more", "has_and_done"}:
        yield "children 孩子"
    if person.age is not None:
        yield str(person.age)


def _scenario_text(scenario: Scenario) -> Iterator[str]:
    yield from scenario.title.values()
    for phrases in scenario.words.values():
        for choices in phrases.values():
            yield from choices
    if scenario.decision is not None:
        yield from scenario.decision.question.values()


def _claims(words: str) -> Iterator[tuple[int, str]]:
    for form in (*ENGLISH, *CHINESE) if HAN_SELF in words else ENGLISH:
        for match in meant(form, words):
            yield match.start(), match[1]


def _supported(key: str, known: str) -> bool:
    alike = {key} | {key.rstrip("s")}
    for group in SAME:
        if key in group:
            alike |= group
    if any(word in known for word in alike if len(word) > 1 and not word.isascii()):
        return True
    if any(re.search(rf"\b{re.escape(word)}", known) for word in alike if word.isascii()):
        return True
    # "a paediatric nurse" is supported by "nurse"; "a New York" place by any of its words.
    parts = [part for part in re.split(r"[\s-]+", key) if len(part) > 3]
    if any(re.search(rf"\b{re.escape(part)}\b", known) for part in parts):
        return True
    return len(key) == 1 and key in known  # 姐, 妹, 哥, 弟


def _wrong_ages(words: str, person: Profile, known: str) -> Iterator[tuple[int, str]]:
    """Yield ages claimed that are not the stated one; a birth date alone needs a calendar."""
    if person.birth_date is not None and person.age is None:
        return
    for form in (ENGLISH_AGE, CHINESE_AGE):
        for match in meant(form, words):
            age = number_of(match[1].casefold())
            if age == person.age:
                continue
            if not re.search(rf"(?<!\d){age}(?!\d)", known):
                yield match.start(), match[1]


def number_of(text: str) -> int:
    """Return the number that `text` writes in digits, English or Chinese words, up to 99."""
    if text.isdigit():
        return int(text)
    if "十" in text:
        tens, _, units = text.partition("十")
        return 10 * (HAN_DIGITS.index(tens) if tens else 1) + (
            HAN_DIGITS.index(units) if units else 0
        )
    parts = re.split(r"[- ]", text)
    return 10 * (TENS.index(parts[0]) + 2) + (UNITS.index(parts[1]) + 1 if len(parts) > 1 else 0)
