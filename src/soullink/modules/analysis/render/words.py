"""The page's own words, in every language. What the report says itself comes with the report."""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Language, Text

_TABLE: Final[Mapping[str, tuple[str, str]]] = {
    # Frame
    "title": ("{first} and {second}: a simulated course", "{first}与{second}：一段模拟的相处"),
    "kicker": ("Report on a simulated course", "模拟相处报告"),
    "skip": ("Skip to the report", "跳到正文"),
    "contents": ("In this report", "目录"),
    "and": ("and", "与"),
    "disclaimer": (
        (
            "What follows was lived by two simulated agents, built from what two people told about "
            "themselves. It can show where to look. It cannot promise anything."
        ),
        "以下经历由两个模拟角色完成，依据是两个人对自己的描述。它能提示哪里值得留意，但不作任何保证。",
    ),
    "thread_note": (
        "Closeness, turn by turn, as each of them felt it",
        "两个人各自感受到的亲密，逐句变化",
    ),
    "key_together": (
        (
            "still see each other at the end of {count} replicas, if they meet again after the "
            "first evening; both would want to in {again}"
        ),
        "{count}次推演里，到最后仍在交往；前提是第一晚之后还会再见，两人都愿意再见的占{again}",
    ),
    "key_situations": (
        "In these {count} situations; other situations give other shares.",
        "只是这{count}个情境里的比例，换了情境也会变。",
    ),
    "key_situation": (
        "In this one situation; other situations give other shares.",
        "只是这一个情境里的比例，换了情境也会变。",
    ),
    "key_anyone": (
        "Two people of whom nothing is known, in the same situations: {share} ({span}).",
        "同样的情境，换成两个没有任何资料的人：{share}（{span}）。",
    ),
    "key_course": ("episodes, {turns} turns", "段经历，共{turns}句"),
    "key_days": ("simulated days", "天模拟时间"),
    "key_conflict": ("highest open conflict, of 1", "公开冲突的最高点（满分1）"),
    # People
    "people": ("The two people", "两个人"),
    "age": ("{age} years", "{age}岁"),
    "interests": ("Interests", "兴趣"),
    "untold": ("Did not tell", "没有透露"),
    # Glance
    "glance": ("At a glance", "一览"),
    "glance_note": (
        "Pictures first, their numbers beside or beneath. The wider a band, the less is known.",
        "先看图，旁边或下方是数字。色带越宽，表示越没把握。",
    ),
    "fit": ("How they fit", "合拍程度"),
    "fit_alt": (
        (
            "Radar chart of {count} dimensions from 0 to 100: median over the replicas, 80 % "
            "interval and the course shown. The table has all numbers."
        ),
        "雷达图：{count}个维度，0到100。显示推演的中位数、80%区间和这段经历的数值，详见表格。",
    ),
    "traits": ("Who they are", "各自的性格"),
    "traits_alt": (
        (
            "Radar chart of five traits as percentiles: {first} with circles and a solid line, "
            "{second} with diamonds and a dashed line. The table has all numbers."
        ),
        "雷达图：五项人格特质的百分位。{first}为圆点实线，{second}为菱形虚线，详见表格。",
    ),
    "traits_note": (
        (
            "Percentiles: 50 is the middle of comparable people. Hollow signs: not told, so "
            "assumed to be anywhere."
        ),
        "百分位：50表示同类人群的中间。空心标记表示没有透露，因此哪里都有可能。",
    ),
    "attachment": ("Attachment", "依恋"),
    "dimension": ("Dimension", "维度"),
    "median": ("Median", "中位数"),
    "range80": ("80 % interval", "80%区间"),
    "range95": ("95 % interval", "95%区间"),
    "here": ("This course", "这段经历"),
    "level": ("Level", "水平"),
    "trait": ("Trait", "特质"),
    "legend_median": ("median of {count} replicas", "{count}次推演的中位数"),
    "legend_band": ("80 % of the replicas", "80%的推演"),
    "legend_here": ("the course shown here", "这里展示的经历"),
    # Dimensions
    "dimensions": ("Where they fit, where they rub", "哪里合拍，哪里磨合"),
    "dimensions_note": (
        (
            "The dot is the median of {count} replicas, the bar holds 80 % of them, the diamond is "
            "the one course told here."
        ),
        "圆点是{count}次推演的中位数，横条包含其中80%，菱形是这里讲述的这一次。",
    ),
    "interval_alt": (
        "{title}: median {value}, 80 % interval {low} to {high}, this course {here}, of 100",
        "{title}：中位数{value}，80%区间{low}到{high}，这段经历{here}，满分100",
    ),
    "rests_on": ("Rests on {what}", "依据：{what}"),
    "evidence": ("Evidence", "依据的对话"),
    "evidence_count": ("Evidence: {count} turns", "依据：{count}句对话"),
    "evidence_one": ("Evidence: one turn", "依据：一句对话"),
    "turn_place": ("episode {episode}, turn {turn}", "第{episode}段第{turn}句"),
    "says_nothing": ("says nothing", "没有说话"),
    # Course
    "course": ("The course over time", "一路走来"),
    "course_note": (
        (
            "From left to right every turn of every episode. Numbered bands are episodes; the red "
            "shade is open conflict; dotted lines are the time between."
        ),
        "从左到右是每一段经历的每一句。带编号的底色是各段经历，红色阴影是公开的冲突，点线是两段之间的时间。",
    ),
    "closeness": ("Closeness", "亲密"),
    "trust": ("Trust", "信任"),
    "mood": ("Mood", "心情"),
    "stress": ("Stress", "压力"),
    "course_alt": (
        (
            "{variable} of {first} (solid line, circles) and {second} (dashed line, diamonds) over "
            "{count} episodes. The table has the values after every episode."
        ),
        "{first}（实线圆点）和{second}（虚线菱形）在{count}段经历中的{variable}，各段之后的数值见表格。",
    ),
    "legend_conflict": ("open conflict", "公开的冲突"),
    "course_table": ("After each episode", "每段经历之后"),
    "start": ("Start", "开始"),
    "episode": ("Episode", "经历"),
    "day": ("Day", "天数"),
    "outcome": ("Outcome", "结果"),
    "peak": ("Highest conflict", "冲突最高点"),
    "between": ("Before it: ", "此前："),
    # Fork
    "fork": ("What the fork changed", "分支改变了什么"),
    "fork_note": (
        "This course shares its past with the run {parent} and then goes another way.",
        "这段经历与运行 {parent} 有共同的过去，随后走上了另一条路。",
    ),
    "fork_from": ("First difference: {place}.", "最早的不同：{place}。"),
    "fork_same": ("The two courses do not differ.", "两段经历没有不同。"),
    "fork_set": ("Set by the fork", "分支设定"),
    "fork_parent": ("Parent", "原经历"),
    "fork_here": ("Here", "这里"),
    "fork_change": ("Change", "变化"),
    "measure": ("Measure", "指标"),
    # Outlook
    "outlook": ("How it could go", "可能的走向"),
    "outlook_note": (
        (
            "Shares of {count} replicas: the same two people, the same situations, other chances. "
            "These are probabilities inside the model, not in life."
        ),
        "同样的两个人、同样的情境、不同的偶然，推演{count}次所占的比例。这是模型里的概率，不是生活里的。",
    ),
    "these_two": ("these two, if they meet again", "他们两人，假如还会再见"),
    "anyone": (
        "two people of whom nothing is known, in the same situations",
        "同样的情境，换成两个没有任何资料的人",
    ),
    "states": ("Where they stand after each episode", "每段经历之后的关系"),
    "states_alt": ("After episode {episode}: {states}", "第{episode}段之后：{states}"),
    "trend_alt": (
        "{state} after each episode, with 95 % interval: {values}",
        "每段经历之后“{state}”的概率及95%区间：{values}",
    ),
    "after_episode": ("After episode {episode}", "第{episode}段后"),
    "day_of": ("day {day}", "第{day}天"),
    "replicas": ("The replicas side by side", "所有推演一览"),
    "replicas_note": (
        "How many replicas ended where; the diamond is the course told here.",
        "各个结果各有多少次推演，菱形是这里讲述的经历。",
    ),
    "histogram_alt": (
        "{title}: distribution of {count} replicas, this course {here}",
        "{title}：{count}次推演的分布，这段经历为{here}",
    ),
    "histogram_here": ("this course {here}", "这段经历 {here}"),
    "numbers": ("The numbers", "数字"),
    "from_to": ("From – to", "区间"),
    "count": ("Replicas", "推演次数"),
    "change_most": ("What doing differently would change", "换一种做法会怎样"),
    "change_note": (
        (
            "The same replicas with one thing different. Percentage points in the probability of "
            "being together at the end; an interval across zero means: perhaps nothing."
        ),
        "同样的推演，只改动一处。数值是“最后在一起”的概率变化（百分点）；区间跨过零，就可能没有作用。",
    ),
    "effects_more": (
        "{count} more that perhaps do nothing: their intervals cross zero",
        "另外{count}种，区间都跨过零，可能没有作用",
    ),
    "effects_more_one": (
        "One more that perhaps does nothing: its interval crosses zero",
        "另外一种，区间跨过零，可能没有作用",
    ),
    "change": ("Change", "改动"),
    "who": ("Who", "谁"),
    "both": ("both", "双方"),
    "effect": ("Effect, points", "效果（百分点）"),
    "effect_alt": (
        "{title}: {effect} percentage points, 95 % interval {low} to {high}",
        "{title}：{effect}个百分点，95%区间{low}到{high}",
    ),
    "closeness_change": ("Closeness", "亲密变化"),
    # Moved
    "moved": ("What would change this most", "最能改变结果的是什么"),
    "moved_note": (
        (
            "Each thing is taken from one end of its range to the other, averaged over all else: "
            "traits by a standard deviation either way, how it begins, what weighs on each; and "
            "what they could do. The strongest of {count}, in percentage points of still seeing "
            "each other. In our equations, not in life; no advice."
        ),
        (
            "把每个因素从一端改到另一端，对其余因素取平均：特质上下各一个标准差、开始时的状态、各自的负担；"
            "再加上可以换的做法。"
            "这里列出{count}项中作用最大的，以“仍在交往”的百分点计。"
            "说的是模型里的方程，不是生活，也不是建议。"
        ),
    ),
    "moved_alt": (
        "{title}, {who}: {effect} percentage points, 95 % interval {low} to {high}",
        "{title}，{who}：{effect}个百分点，95%区间{low}到{high}",
    ),
    "satisfaction_change": ("Satisfaction, of 100", "满意度（满分100）"),
    "not_told": ("not told", "未透露"),
    "range.trait": ("one standard deviation below to one above", "从低一个标准差到高一个标准差"),
    "range.attraction": ("from less to more", "从更少到更多"),
    "range.state": ("from lower to higher", "从较低到较高"),
    "range.load": ("from lighter to heavier", "从较轻到较重"),
    "range.conduct": ("compared with as it is", "与现在的做法相比"),
    "turning": ("What moved it in this course", "这段经历里改变了结果的时刻"),
    "turning_note": (
        (
            "The strongest moments, each compared with what would else most likely have happened; "
            "all else follows, with the luck that this course had up to the last of them. Their "
            "shares (Shapley values) sum to the whole difference: satisfaction {with_all} with "
            "all of them, {without} without any, of 100."
        ),
        (
            "挑出的几个时刻，各自与原本最可能发生的情形相比，其余随之变化，到最后一个时刻为止都沿用"
            "这段经历本来的运气。各时刻的份额（Shapley 值）相加正好是总的差别："
            "全部保留时满意度{with_all}，全部去掉时{without}，满分100。"
        ),
    ),
    "turning_alt": (
        "{title}: {effect} of 100, 95 % interval {low} to {high}",
        "{title}：{effect}（满分100），95%区间{low}到{high}",
    ),
    "before_episode": ("before episode {episode}", "第{episode}段之前"),
    "moment": ("Moment", "时刻"),
    # Moments
    "moments": ("Key moments", "关键时刻"),
    "moments_note": (
        "The turns after which trust and closeness changed most.",
        "说完之后，信任和亲密变化最大的几句话。",
    ),
    "closer": ("closer", "更近"),
    "apart": ("further apart", "更远"),
    # Feedback
    "try": ("What each could try", "各自可以试试"),
    "try_note": (
        "For both, because it takes both. Offers, not verdicts.",
        "写给两个人，因为这是两个人的事。是建议，不是判决。",
    ),
    "for": ("For {name}", "给{name}"),
    "strengths": ("What helps", "有帮助的"),
    "frictions": ("What rubs", "容易摩擦的"),
    "steps": ("Worth trying", "值得一试"),
    # Conversation
    "conversation": ("The whole conversation", "完整的对话"),
    "conversation_note": (
        "Every turn as it was lived. Small slanted lines are thoughts that stayed unsaid.",
        "每一句都在这里。小字是没有说出口的心里话。",
    ),
    "turns_count": ("{count} turns", "{count}句"),
    "goal": ("{name}: {goal}", "{name}：{goal}"),
    "thinks": ("thinks: ", "心想："),
    "misread": ("taken for something else", "被误解"),
    "interrupted": ("cuts in", "打断"),
    "voice_repaired": ("words asked for twice", "台词重写过一次"),
    "voice_fallback": ("built-in words", "改用内置台词"),
    "conflict_chip": ("conflict {level}", "冲突 {level}"),
    "more": ("show all", "展开全文"),
    # Behaviour
    "behaviour": ("How they behave together", "相处的模式"),
    "behaviour_note": (
        "Counted in the course told here and over {count} replicas, with what research says.",
        "分别统计这段经历和{count}次推演，并附研究结论。",
    ),
    "pattern": ("Pattern", "模式"),
    "replica_median": ("Replicas (80 %)", "推演（80%）"),
    "literature": ("What research says", "研究怎么说"),
    # Limits
    "limits": ("What this does not know", "这份报告不知道的事"),
    "limits_note": (
        "Read this before you believe anything above.",
        "在相信上面的内容之前，请先读这里。",
    ),
    # Made
    "made": ("How it was made", "制作说明"),
    "voice": ("Words", "台词"),
    "voice_built_in": (
        "authored built-in lines, not a language model",
        "预先写好的内置台词，不是语言模型",
    ),
    "voice_model": ("language model {name}", "语言模型 {name}"),
    "seed": ("Seed", "随机种子"),
    "run": ("Run", "运行编号"),
    "format": ("Format", "格式"),
    "digest": ("Digest of this report", "本报告的摘要值"),
    "versions": ("Versions", "版本"),
    "monitoring": ("What it took", "消耗"),
    "turns": ("Turns", "句数"),
    "calls": ("Model calls", "模型调用"),
    "tokens": ("Tokens in / out", "输入/输出词元"),
    "cost": ("Cost", "费用"),
    "unknown": ("unknown", "未知"),
    "statuses": ("How the words came about", "台词的来历"),
    "faults": ("Faults found", "发现的问题"),
    "quality": ("Quality of the words", "台词质量"),
    "wall": ("Machine and hour", "机器与时间"),
    "nothing": ("Nothing to show here.", "这里没有内容。"),
    "footer": (
        "Made by SoulLink from two profiles. No part of this page was loaded from elsewhere.",
        "由 SoulLink 根据两份资料生成，本页没有加载任何外部内容。",
    ),
    # Codes
    "level.low": ("low", "偏低"),
    "level.mixed": ("mixed", "有好有坏"),
    "level.high": ("high", "较高"),
    "level.unclear": ("unclear", "说不准"),
    "source.answers": ("questionnaire", "问卷"),
    "source.percentile": ("stated percentile", "自报百分位"),
    "source.level": ("stated in words", "文字自述"),
    "source.stated": ("stated", "自述"),
    "source.unknown": ("not told", "未透露"),
    "stage.first_meeting": ("first meeting", "初次见面"),
    "stage.early_dating": ("early dating", "刚开始约会"),
    "stage.committed": ("committed", "稳定交往"),
    "stage.crisis": ("crisis", "危机"),
    "stage.long_distance": ("long distance", "异地"),
    "stage.family": ("family", "家庭"),
    "resolution.consensus": ("settled between them", "两人商量定了"),
    "resolution.arbitration": ("settled by the situation", "由情势决定"),
    "resolution.escalation": ("escalated", "矛盾升级"),
    "resolution.open": ("left open", "没有定论"),
    "ended_by.closed": ("rounded off", "自然结束"),
    "ended_by.turns": ("time was up", "时间到了"),
    "ended_by.left": ("somebody walked away", "有人离开"),
    "ended_by.trigger": ("something happened", "出了状况"),
    "ended_by.timeout": ("ran out of time", "超时"),
    "status.ok": ("at once", "一次完成"),
    "status.repaired": ("asked for twice", "重写一次"),
    "status.fallback": ("built-in words instead", "改用内置台词"),
    "status.silent": ("silence", "沉默"),
    "fault.wrong_act": ("another act than decided", "与决定的行为不符"),
    "fault.wrong_language": ("the wrong language", "语言不对"),
    "fault.length": ("too short or too long", "太短或太长"),
    "fault.role_break": ("stepped out of the person", "跳出了人物"),
    "fault.speaks_for_other": ("spoke for the other", "替对方说话"),
    "fault.markup": ("markup in the words", "带有标记符号"),
    "fault.repetition": ("said before", "重复前面的话"),
    "fault.invented_fact": ("an invented fact", "编造事实"),
    "fault.leaked_secret": ("a secret given away", "泄露秘密"),
    "fault.contradiction": ("denied what was said earlier", "和前面说的相反"),
    "fault.unsafe": ("words that nobody should say", "不该说的话"),
    "fault.unreadable": ("an answer that could not be read", "回答无法读取"),
    "fault.llm_unavailable": ("the model could not be reached", "连不上模型"),
    "fault.llm_rate_limited": ("the model was asked too often", "请求过于频繁"),
    "fault.llm_refused": ("the model declined", "模型拒绝回答"),
    "fault.llm_output": ("the provider's answer was broken", "服务商返回的内容有误"),
    "fault.llm_budget": ("the budget was used up", "预算已用完"),
    "fault.llm_timeout": ("the model did not answer in time", "模型超时"),
}

WORDS: Final[Mapping[str, Text]] = {
    key: {"en": english, "zh": chinese} for key, (english, chinese) in _TABLE.items()
}


def word(key: str, language: Language) -> str:
    """Return the page's word for `key`."""
    return WORDS[key][language]


def coded(group: str, code: str, language: Language) -> str:
    """Return the word for a code of the report; one without a word is shown as it is."""
    known = WORDS.get(f"{group}.{code}")
    return known[language] if known else code.replace("_", " ")
