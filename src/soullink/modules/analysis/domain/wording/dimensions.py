"""One sentence for each dimension and level, and what a value rests on."""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Text
from soullink.modules.analysis.domain.wording.phrases import text

SUMMARIES: Final[Mapping[str, Mapping[str, Text]]] = {
    "warmth": {
        "high": text(
            "They are kinder to each other than most couples are in the same situations.",
            "在同样的情境里，他们比多数人待彼此更暖。",
        ),
        "mixed": text(
            "About as much kindness as in most couples, and about as many sharp words.",
            "暖心的话和刺人的话，都和多数人差不多。",
        ),
        "low": text(
            "Kind words are rarer between them than in most couples, or sharp ones more frequent.",
            "与多数人相比，他们之间暖心的话偏少，或刺人的话偏多。",
        ),
    },
    "understanding": {
        "high": text(
            "What one of them reveals is mostly met, and little is misread.",
            "一方说的心里话多半有人接住，误会也少。",
        ),
        "mixed": text(
            "They understand each other about as well as most couples do.",
            "彼此理解的程度和多数人差不多。",
        ),
        "low": text(
            "More than in most couples, a disclosure goes by unmet or words are misread.",
            "与多数人相比，心里话更常落空，话也更常被听错。",
        ),
    },
    "trust": {
        "high": text(
            "Trust grows further between them than in most couples over such a course.",
            "走过同样的经历，他们之间的信任比多数人长得更多。",
        ),
        "mixed": text(
            "Trust comes about as far as in most couples.", "信任能走到和多数人差不多的地方。"
        ),
        "low": text(
            "Trust stays thin for at least one of them, or is lost on the way.",
            "至少有一方的信任一直不多，或在途中丢失了。",
        ),
    },
    "conflict": {
        "high": text(
            "Their arguments stay below the boil, and steps towards peace arrive.",
            "他们争而不炸，主动缓和也常常奏效。",
        ),
        "mixed": text(
            "They argue and mend about as most couples do.", "争执与和好都和多数人差不多。"
        ),
        "low": text(
            "Arguments run hotter than in most couples, and less of it is mended.",
            "争执比多数人更容易升温，和好却不够多。",
        ),
    },
    "fun": {
        "high": text(
            "They play more and come away lighter than most couples.",
            "他们比多数人更会一起玩，分开时心情也更轻松。",
        ),
        "mixed": text(
            "About as much play and lightness as in most couples.", "玩笑与轻松都和多数人差不多。"
        ),
        "low": text(
            "Less play than in most couples, or only one of them plays.",
            "玩闹比多数人少，或只有一方在玩。",
        ),
    },
    "values": {
        "high": text(
            "When something has to be decided, they mostly settle it between them.",
            "需要拿主意的时候，他们多半能商量出结果。",
        ),
        "mixed": text(
            "They come to agree about as often as most couples.", "达成一致的机会和多数人差不多。"
        ),
        "low": text(
            "They pull in different directions more than most couples, and the situation decides.",
            "他们比多数人更常各执一端，最后由情势来决定。",
        ),
    },
    "rhythm": {
        "high": text(
            "Talk is shared evenly, and neither has to run after the other.",
            "话说得均匀，谁也不必追着谁。",
        ),
        "mixed": text(
            "Their sense of closeness and space differs about as in most couples.",
            "对亲近与空间的步调，差异和多数人相当。",
        ),
        "low": text(
            "One wants more talk or closeness than the other, most of all under stress.",
            "一方想多谈、多靠近，另一方想退开，压力大时尤其如此。",
        ),
    },
    "spark": {
        "high": text(
            "In most replicas the first evening draws them together; real ones may not.",
            "多数推演里，第一晚都让两人更想靠近；现实未必如此。",
        ),
        "mixed": text(
            "Sometimes the first evening draws them together, sometimes it does not.",
            "第一晚有时让两人更想靠近，有时没有。",
        ),
        "low": text(
            "In most replicas the first evening draws them together less than most couples.",
            "多数推演里，第一晚带来的吸引比一般人少。",
        ),
    },
}

UNCLEAR: Final[Text] = text(
    "Too much is open to say: the replicas spread from {low} to {high}.",
    "还说不准：各次推演的结果从{low}到{high}都有。",
)
TOO_FEW: Final[Text] = text(
    "Too few replicas to name a level: {replicas}.", "推演太少，定不出水平：只有{replicas}次。"
)
UNCLEAR_SPARK: Final[Text] = text(
    "Nobody can know this before they meet: the replicas spread from {low} to {high}.",
    "见面之前，谁也说不准：各次推演的结果从{low}到{high}都有。",
)
LEANING: Final[Mapping[str, Text]] = {
    "high": text(" What there is to see leans to the better.", "就目前看到的，略微偏好。"),
    "low": text(" What there is to see leans to the worse.", "就目前看到的，略微偏弱。"),
    "mixed": text("", ""),
}
SHARED_INTERESTS: Final[Text] = text(
    " Both named {interests}; that does not count here, since what people have in common hardly "
    "tells how they get on.",
    "两人都提到{interests}；这不计入分数，因为兴趣相同几乎看不出合不合得来。",
)

RESTS_ON: Final[Mapping[str, Text]] = {
    "known": text(
        "{replicas} simulated courses, {stated} of {all} traits as told by the two",
        "{replicas}次模拟相处，{all}项特质中有{stated}项来自两人自述",
    ),
    "none": text(
        "{replicas} simulated courses; no trait was told, so people in general stand in",
        "{replicas}次模拟相处；两人都没有透露特质，只能以一般人代替",
    ),
    "spark": text(
        "{replicas} simulated courses with attraction drawn at random in each",
        "{replicas}次模拟相处，每次的吸引力都随机抽取",
    ),
}
