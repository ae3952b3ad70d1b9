"""What members are told about a suggestion, in English and Chinese.

Slots: {other} is the other's name. Nothing promises, and nothing private of the other is said:
their essays, secrets, deal-breakers, traits, how they answer others and how likely they say no.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from soullink.kernel.language import Language, Text
from soullink.modules.matching.api import Basis, Degradation, Strength


def text(english: str, chinese: str) -> Text:
    """Return one text in both languages."""
    return {"en": english, "zh": chinese}


def say(words: Text, language: Language, **values: object) -> str:
    """Return `words` with `values` in its slots; braces in a name stay braces."""
    return words[language].format(**values)


def listed(parts: Sequence[str], language: Language) -> str:
    """Return e.g. "age, distance and smoking"."""
    between, last = (", ", " and ") if language == "en" else ("、", "和")
    if len(parts) < 2:
        return "".join(parts)
    return between.join(parts[:-1]) + last + parts[-1]


CRITERIA: Final[Mapping[str, Text]] = {
    "gender": text("whom you want to meet", "想认识的性别"),
    "age": text("age", "年龄"),
    "distance": text("distance", "距离"),
    "languages": text("languages", "语言"),
    "children": text("children", "孩子"),
    "smoking": text("smoking", "吸烟"),
    "drinking": text("drinking", "喝酒"),
    "religion": text("religion", "信仰"),
    "deal_breakers": text("what you will not accept", "你不能接受的事"),
}

STRENGTHS: Final[Mapping[Strength, Text]] = {
    "condition": text("a condition", "前提条件"),
    "a_trace": text("a trace", "几乎不计"),
    "a_little": text("a little", "少许"),
    "some": text("some", "有些"),
    "much": text("much", "较多"),
}

REASONS: Final[Mapping[str, Text]] = {
    "meets_your_wishes": text(
        "{other} fits what you asked for: {criteria}.", "{other}符合你提出的条件：{criteria}。"
    ),
    "you_meet_theirs": text(
        "You are among the people {other} asked to meet.", "{other}想认识的人里包括你。"
    ),
    "near": text("You live less than 20 km apart.", "你们住得不到20公里远。"),
    "apart": text("You live about {km} km apart.", "你们大约相距{km}公里。"),
    "shared_interests": text(
        "You both name {interests}. Common interests decide little about who likes whom.",
        "你们都提到{interests}。共同的兴趣对谁会喜欢谁影响很小。",
    ),
    "alike_texts": text(
        "What you two write about is rather alike; that counts for very little.",
        "你们写的内容比较接近，但这一点影响很小。",
    ),
    "unlike_texts": text(
        "You two write about different things; that counts for very little.",
        "你们写的内容不太一样，但这一点影响很小。",
    ),
    "age_near": text("Your ages are close.", "你们年龄相近。"),
    "age_apart": text(
        "The years between you count against it, as they do for most people on first dates.",
        "你们的年龄差是个不利因素，多数人初次约会时也是这样。",
    ),
    "same_goal": text("You look for a similar kind of relationship.", "你们想要的关系相近。"),
    "your_choosiness": text(
        "How often you have said yes so far raises or lowers your range for everybody alike.",
        "你到目前为止答应的频率，会同样地影响你对每个人的范围。",
    ),
    "what_you_state": text(
        "People who say of themselves what you say answer first dates in a way of their own; this"
        " moves your range for everybody alike.",
        "和你情况相近的人，对初次约会的回答有自己的倾向；这会同样地影响你对每个人的范围。",
    ),
    "what_they_state": text(
        "What {other} states openly moves your range, by what people in your place answered about"
        " others who state the same.",
        "{other}公开写出的情况会影响这个范围，依据的是像你这样的人对情况相近者的回答。",
    ),
    "between_you": text(
        "How your answers and {other}'s go together moves your range, by what people answered on"
        " first dates.",
        "你和{other}的回答合在一起，也会影响这个范围，依据的是人们初次约会后的回答。",
    ),
    "wish_not_met": text(
        "Something that you would prefer, but not insist on, is not the case.",
        "有一件你希望但不强求的事没有满足。",
    ),
    "lived_better": text(
        "Lived through in simulation, two people like you stayed together more often than most on"
        " this list.",
        "在模拟的相处中，像你们这样的两个人比名单上多数人更常走到一起。",
    ),
    "lived_alike": text(
        "Lived through in simulation, two people like you did about as well as others here.",
        "在模拟的相处中，像你们这样的两个人和名单上其他人差不多。",
    ),
    "lived_worse": text(
        "Lived through in simulation, two people like you stayed together less often than most on"
        " this list.",
        "在模拟的相处中，像你们这样的两个人比名单上多数人更少走到一起。",
    ),
    "shown_to_learn": text(
        "{other} is shown in order to learn what you like, not because of a place on the list.",
        "展示{other}是为了了解你的喜好，并不是因为排名。",
    ),
}

RANGE: Final[Text] = text(
    "Of 100 people in your place, between {low} and {high} would want to see {other} again after a"
    " short first talk. That is what people like you tend to answer, not what you will feel.",
    "像你这样的100个人里，初次短谈之后大约有{low}到{high}个会想再见{other}。这是与你相近的人常有的"
    "回答，不代表你会有的感受。",
)
RANGE_UNKNOWN: Final[Text] = text(
    "How likely you would want to see {other} again is not known: the part that learned from first"
    " dates did not answer. The list goes by what you both stated.",
    "你想再见{other}的可能性目前不知道：从初次约会中学习的部分没有回应。名单只按你们写明的条件排列。",
)
RESTS_ON: Final[Mapping[Basis, Text]] = {
    "stated_preferences": text("what you two stated", "你们写明的条件"),
    "learned_interest": text(
        "what was learned from first dates of others", "从别人初次约会中学到的规律"
    ),
    "simulated_interaction": text("simulated time together", "模拟的相处"),
}
RESTS: Final[Text] = text("It rests on {bases}.", "依据：{bases}。")

CHANGES: Final[Mapping[str, Text]] = {
    "say_more": text(
        "You have not said: {fields}. Saying it makes the range narrower and the list fit better.",
        "你还没有写：{fields}。写明之后范围会更窄，名单也更合适。",
    ),
    "change_wishes": text(
        "Other limits for {criteria} would bring other people into view.",
        "放宽或改变{criteria}的范围，会看到另外一些人。",
    ),
    "wrong": text(
        "If something here is wrong about you, say so: it counts no more until it is settled.",
        "如果这里有关于你的内容不对，请告诉我们：在弄清之前它不再计入。",
    ),
    "meeting": text(
        "Meeting changes more than all of this: who clicks with whom cannot be told beforehand.",
        "见一面比这里的一切都更重要：谁和谁合得来，事先无法知道。",
    ),
}

FIELDS: Final[Mapping[str, Text]] = {
    "age": text("your age", "年龄"),
    "gender": text("your gender", "性别"),
    "interested_in": text("whom you want to meet", "想认识的性别"),
    "location": text("where you live", "居住地"),
    "languages": text("your languages", "语言"),
    "goal": text("what you look for", "想要的关系"),
    "children": text("what you think about children", "对孩子的想法"),
    "essays": text("something in your own words", "一段自我介绍"),
}

REFUSALS: Final[Mapping[str, Text]] = {
    "age": text("{other}'s age lies outside the ages you gave.", "{other}的年龄不在你给的范围内。"),
    "distance": text("{other} lives farther away than you want.", "{other}住得比你希望的更远。"),
    "gender": text("{other} is not among those you want to meet.", "{other}不在你想认识的人之列。"),
    "languages": text(
        "{other} speaks none of the languages you asked for.", "{other}不会你希望的语言。"
    ),
    "other": text(
        "Something that one of you asked for does not fit, or is not known.",
        "你们当中有人提出的条件不符合，或者还不清楚。",
    ),
}

DEGRADED: Final[Mapping[Degradation, Text]] = {
    "no_interest_model": text(
        "What was learned from first dates is not available; the order goes by stated wishes and by"
        " what people write.",
        "从初次约会中学到的部分暂时不可用；名单按写明的愿望和文字的相近程度排列。",
    ),
    "no_text_vectors": text(
        "What people write could not be compared; it does not count this time.",
        "暂时无法比较大家写的文字，这次不计入。",
    ),
    "no_screening": text(
        "Simulated time together could not be computed; the order goes without it.",
        "暂时无法计算模拟的相处，名单没有用到它。",
    ),
    "no_screening_consent": text(
        "Simulated time together counts only where both agreed to it; that was not so for"
        " everybody on this list.",
        "只有双方都同意时才计入模拟的相处；这份名单上并非所有人都同意。",
    ),
}
