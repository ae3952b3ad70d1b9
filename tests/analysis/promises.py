"""Phrases that no report may say to anybody."""

import re

FORBIDDEN = {
    "en": (
        r"soul ?mates?", r"fall(s|ing)? in love", r"guarante\w*", r"meant (to be|for each other)",
        r"perfect (match|couple|partner)", r"destin(ed|y)", r"forever", r"the one for you",
        r"(you|they|he|she|it|two) will\b", r"\bwill be (happy|together)", r"true love",
        r"\bcertainly\b", r"\bdefinitely\b", r"disorder\w*", r"patholog\w*", r"narciss\w*",
        r"toxic", r"\byou (always|never)\b", r"made for each other", r"should (leave|break up)",
    ),
    "zh": (
        "注定", "一定会", "命中", "天生一对", "灵魂伴侣", "真命", "完美(的)?(一对|伴侣|匹配)",
        "永远", "保证(你|他们|会)", "必定", "肯定会", "绝对会", "相爱", "爱上", "人格障碍", "病态",
        "有毒", "你总是", "你从不", "应该分手", "天作之合", "缘分",
    ),
}  # fmt: skip


def promises(words: str, language: str) -> list[str]:
    """Return the forbidden phrases in `words`."""
    return [
        pattern for pattern in FORBIDDEN[language] if re.search(pattern, words, flags=re.IGNORECASE)
    ]
