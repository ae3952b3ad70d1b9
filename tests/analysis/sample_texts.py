"""The texts of the sample report: each a pair of English and Chinese."""

PEOPLE = {
    "name": (("Noor", "Tobias"), ("林知遥", "周亦安")),
    "city": (("Rotterdam", "Rotterdam"), ("宁波", "宁波")),
    "occupation": (("bridge engineer", "restores radios"), ("桥梁工程师", "修复老收音机")),
    "pronouns": (("she/her", None), ("她", None)),
    "interests": (
        (("open-water swimming", "maps", "loud cooking"), ("short-wave radio", "night walks")),
        (("野泳", "地图", "热热闹闹地做饭"), ("短波电台", "夜里散步")),
    ),
    "unknown": (
        (("attachment avoidance",), ("age", "what he looks for", "three of five traits")),
        (("依恋回避",), ("年龄", "想找什么样的关系", "五项特质中的三项")),
    ),
}

TRAITS = {
    "openness": ("Openness", "开放性"),
    "conscientiousness": ("Conscientiousness", "尽责性"),
    "extraversion": ("Extraversion", "外向性"),
    "agreeableness": ("Agreeableness", "宜人性"),
    "neuroticism": ("Neuroticism", "神经质"),
    "anxiety": ("Attachment anxiety", "依恋焦虑"),
    "avoidance": ("Attachment avoidance", "依恋回避"),
}

DIMENSIONS = {
    "warmth": (
        "Warmth",
        "温暖",
        "They say kind things to each other often, and mean them.",
        "他们常对彼此说暖心的话，而且是真心的。",
    ),
    "understanding": (
        "Understanding",
        "理解",
        "Most disclosures are met; jokes are sometimes misread.",
        "多数心里话都有人接住，只是玩笑有时会被误会。",
    ),
    "trust": (
        "Trust",
        "信任",
        "Trust drops in an argument and comes back after it.",
        "争吵时信任会下降，事后又能找回来。",
    ),
    "conflict": (
        "Handling conflict",
        "处理冲突",
        "One presses, the other goes quiet; they do repair.",
        "一个追问，一个沉默，但他们会主动和好。",
    ),
    "fun": (
        "Fun",
        "乐趣",
        "They are playful from the first minute.",
        "从第一分钟起就聊得轻松有趣。",
    ),
    "values": (
        "Shared values",
        "价值观",
        "What they told agrees; much was not told.",
        "说出来的都合得来，但很多还没说。",
    ),
    "rhythm": (
        "Rhythm",
        "相处节奏",
        "One wants more talk than the other, mostly under stress.",
        "压力大的时候，一个想多谈，一个想静静。",
    ),
    "spark": ("Spark", "心动", "Nobody can know this before they meet.", "见面之前，谁也说不准。"),
}
NUMBERS = {
    "warmth": (74, 61, 84, 78, "high"),
    "understanding": (63, 49, 75, 58, "mixed"),
    "trust": (66, 50, 79, 71, "mixed"),
    "conflict": (41, 24, 60, 47, "mixed"),
    "fun": (81, 70, 90, 84, "high"),
    "values": (58, 37, 77, 60, "mixed"),
    "rhythm": (36, 20, 55, 33, "low"),
    "spark": (52, 14, 88, 66, "unclear"),
}

SCENARIOS = (
    (
        "queue",
        "first_meeting",
        0.0,
        "A queue for nothing",
        "不知在排什么的队",
        "A Saturday market. Two strangers stand in a line that nobody can explain.",
        "周六的市集上，两个陌生人站在一条谁也说不清的队伍里。",
        "They go for noodles",
        "一起去吃面",
        0.8,
    ),
    (
        "late",
        "early_dating",
        23.0,
        "Forty minutes late",
        "迟到四十分钟",
        "A booked table, one of them late, both of them tired from the week.",
        "订好的位子，一个人迟到，两个人都累了一整周。",
        "Argued and repaired",
        "吵了一架又和好",
        0.2,
    ),
    (
        "boxes",
        "committed",
        131.0,
        "The first night among boxes",
        "满屋纸箱的第一晚",
        "A flat without curtains. Everything they own together fits in eleven boxes.",
        "没有窗帘的房子，两个人的家当一共十一个纸箱。",
        "Closer than before",
        "更近了一步",
        0.9,
    ),
)
GOALS = (
    ("be spoken to without asking for it", "不开口也有人来搭话"),
    ("get home early", "早点回家"),
)
BETWEEN = ("Tobias's workshop lost its lease.", "周亦安的工作室租约到期了。")
EVENTS = (
    "The queue moves for the first time. Nobody knows why.",
    "队伍第一次往前动了，没人知道为什么。",
)

STATES = {
    "strangers": ("Strangers", "陌路"),
    "dating": ("Dating", "约会中"),
    "committed": ("Committed", "稳定交往"),
    "strained": ("Strained", "关系紧张"),
    "ended": ("Ended", "已结束"),
}
SHARES = (
    (0.31, 0.62, 0.02, 0.0, 0.05),
    (0.06, 0.48, 0.17, 0.19, 0.1),
    (0.02, 0.2, 0.44, 0.14, 0.2),
)

COUNTERFACTUALS = (
    (
        "soften",
        0,
        0.11,
        0.05,
        0.17,
        0.06,
        "Noor opens difficult subjects more softly",
        "林知遥更温和地提起难谈的话题",
    ),
    (
        "stay",
        1,
        0.08,
        0.02,
        0.14,
        0.05,
        "Tobias says that he needs a minute instead of going quiet",
        "周亦安说一声“给我一分钟”，而不是沉默",
    ),
    (
        "fewer_misreadings",
        None,
        0.04,
        -0.02,
        0.1,
        0.03,
        "Both check what was meant before they answer",
        "两个人都先弄清对方的意思再回答",
    ),
    (
        "more_stress",
        None,
        -0.16,
        -0.23,
        -0.09,
        -0.08,
        "Work is much harder on both",
        "工作对两个人都难得多",
    ),
)

HISTOGRAMS = (
    (
        "closeness",
        "Closeness at the end",
        "结束时的亲密",
        (0.0, 1.0),
        (4, 9, 14, 20, 31, 42, 38, 25, 12, 5),
        0.66,
    ),
    (
        "trust",
        "Trust at the end",
        "结束时的信任",
        (0.0, 1.0),
        (2, 6, 11, 24, 36, 45, 40, 22, 10, 4),
        0.58,
    ),
    (
        "positivity",
        "Positive turns per negative turn",
        "正面与负面话语之比",
        (0.0, 10.0),
        (12, 30, 46, 41, 28, 19, 11, 7, 4, 2),
        3.2,
    ),
    (
        "conflict",
        "Highest conflict",
        "冲突最高点",
        (0.0, 1.0),
        (8, 14, 22, 30, 35, 33, 27, 18, 9, 4),
        0.7,
    ),
)

BEHAVIOUR = (
    (
        "positivity",
        (3.1, 3.4),
        3.3,
        1.6,
        6.2,
        "ratio",
        "Positive to negative",
        "正负之比",
        "Stable couples showed about five to one while arguing (Gottman & Levenson 1992, JPSP 63).",
        "稳定的伴侣在争执中约为五比一（Gottman 与 Levenson，1992，JPSP 63）。",
    ),
    (
        "pursue_withdraw",
        (3, 0),
        2.0,
        0.0,
        5.0,
        "count",
        "One pursues, the other withdraws",
        "一追一躲",
        "Goes with lower satisfaction (Schrodt, Witt & Shimkowski 2014, a meta-analysis).",
        "与较低的满意度相关（Schrodt 等，2014，元分析）。",
    ),
    (
        "repair_success",
        (1.0, 1.0),
        0.7,
        0.4,
        1.0,
        "share",
        "Repairs that worked",
        "和好尝试的成功率",
        "Early repair protects a conversation (Gottman, Driver & Tabares 2015).",
        "尽早缓和能保住一次谈话（Gottman 等，2015）。",
    ),
    (
        "forgiveness",
        (None, None),
        None,
        None,
        None,
        "share",
        "Offences forgiven",
        "得到原谅的冒犯",
        "No case in this course.",
        "这段经历里没有这样的情形。",
    ),
)

FEEDBACK = (
    (
        ("You ask the second question, and it shows.", "You say sorry without a but."),
        ("When it gets tense you speak faster; that is when he goes quiet.",),
        (
            "Begin with what you need, not with what he did.",
            "Offer ten minutes before the difficult talk.",
        ),
        ("你会接着问第二个问题，对方感觉得到。", "你道歉时不加“但是”。"),
        ("气氛一紧张你就说得更快，而他正是这时候沉默。",),
        ("先说自己需要什么，而不是他做了什么。", "难谈的事，先给彼此十分钟。"),
    ),
    (
        ("You come back after a silence, with a true sentence.",),
        ("Silence reads as leaving, even when you are only thinking.",),
        ("Say the pause out loud: “give me a minute, I am here”.",),
        ("沉默之后，你会带着一句真心话回来。",),
        ("你只是在想事情，可沉默看起来像是要离开。",),
        ("把停顿说出来：“给我一分钟，我在。”",),
    ),
)

SUMMARY = (
    """Noor and Tobias find each other quickly: they play, they ask, they listen. Under stress one
of them presses and the other goes quiet, and that is where most of the replicas that end, end. In
this course they argued once, repaired it themselves and came out closer.""",
    """林知遥和周亦安很快就聊到了一起：会玩笑，会追问，也会倾听。压力一大，一个紧追，一个沉默，\
多数走散的可能都散在这里。在这段经历里，他们吵过一次，自己和好了，反而更亲近。""",
)
PREDICTION = (
    """In 156 of 200 replicas the two are together at the end. How they begin difficult talks
matters more than how often they disagree.""",
    "200次推演中，有156次两人最后在一起。怎样开口谈难事，比分歧有多少更要紧。",
)
LIMITS = (
    (
        "Whether they will like each other's voice, smell or laugh: no profile says so.",
        "他们会不会喜欢对方的声音、气味和笑声，任何资料都说不出来。",
    ),
    (
        "Three of five traits of Tobias are unknown; the intervals are wide because of it.",
        "周亦安有三项特质未知，所以区间很宽。",
    ),
    (
        "The words are authored lines, not what these two would say.",
        "对话是预先写好的句子，不是这两个人会说的原话。",
    ),
)
WHY = {
    "dimension": ("It shows in this turn.", "从这一句可以看出来。"),
    "moment": ("Trust and closeness moved most here.", "信任和亲密在这里变化最大。"),
}
RESTS_ON = ("simulated interaction, stated traits", "模拟互动与自述特质")

FACTORS = (
    ("neuroticism", "trait", 0, True, (-0.16, -0.2, -0.12), (-0.13, -0.15, -0.11),
     "Neuroticism", "神经质"),
    ("attraction", "attraction", 1, None, (0.09, 0.05, 0.13), (0.04, 0.02, 0.06),
     "How drawn Tobias is to Noor", "周亦安对林知遥有多心动"),
    ("avoidance", "trait", 1, False, (-0.05, -0.1, 0.0), (-0.03, -0.05, -0.01),
     "Attachment avoidance", "依恋回避"),
    ("less_stress", "conduct", None, None, (0.03, -0.01, 0.07), (0.02, 0.01, 0.03),
     "Life outside weighs less on both", "外面的压力对两个人都轻一些"),
)  # fmt: skip
TURNING = (
    ("Noor mends", "林知遥这一句：缓和"),
    ("instead of: defends", "对照：辩解"),
    ("instead of: it does not happen", "对照：这件事没有发生"),
)
MOVED = (
    "Of 52 things that were varied, neuroticism moved the outcome most.",
    "改动的52个因素里，神经质的作用最大。",
)
