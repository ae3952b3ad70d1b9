"""What a report does not know, and the report in one paragraph."""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Text
from soullink.modules.analysis.domain.wording.phrases import text

LIMITS: Final[Mapping[str, Text]] = {
    "attraction": text(
        "Whether they would be drawn to each other: before people meet, what they tell of "
        "themselves says something of how choosy (4 to 18 % of the differences) and how popular "
        "(7 to 27 %) they are, and nothing that could be shown of who clicks with whom (Joel, "
        "Eastwick & Finkel 2017). So attraction is drawn anew in every replica.",
        "他们会不会互相吸引：见面之前，自述只能说明一个人有多挑剔（解释4%到18%的差异）、有多受欢迎"
        "（7%到27%），至于谁会和谁来电，没有显示出任何预测力（Joel、Eastwick & Finkel 2017）。"
        "所以每次推演都重新抽取吸引力。",
    ),
    "second_chance": text(
        "Whether there would be a second evening: the course assumes one. After the first evening "
        "{first} would want it in {share_first} of the replicas, {second} in {share_second}, both "
        "in {both}.",
        "会不会有第二面：这段经历假定有。第一晚之后，{first}愿意再见的推演占{share_first}，"
        "{second}占{share_second}，两人都愿意的占{both}。",
    ),
    "situations": text(
        "What other situations would bring: the intervals hold the chances within these {episodes} "
        "situations, not which situations came up. Another seed draws others, and that alone can "
        "move the share who stay together by ten percentage points or more.",
        "换了情境会怎样：区间只包含这{episodes}个情境里的偶然，不包含抽到哪些情境。"
        "换一个随机种子就会抽到别的情境，光是这一点就能让仍在交往的比例相差十个百分点以上。",
    ),
    "one_situation": text(
        "What other situations would bring: the intervals hold the chances within this one "
        "situation. Others give other shares.",
        "换了情境会怎样：区间只包含这一个情境里的偶然，别的情境有别的比例。",
    ),
    "not_used": text(
        "What does not enter the numbers: what they want, children, deal-breakers, age, language, "
        "city and looks, and interests but for a trace. Deal-breakers are not checked against the "
        "other person.",
        "没有计入数字的：各自想找什么样的关系、要不要孩子、底线、年龄、语言、城市和外貌；"
        "兴趣几乎不起作用。双方的底线也没有拿来和对方核对。",
    ),
    "unknown": text(
        "What {name} did not tell: {untold}. Where it matters, all that is possible was tried, "
        "which makes the intervals wide.",
        "{name}没有透露的：{untold}。凡是有关的地方，各种可能都试过，所以区间较宽。",
    ),
    "model": text(
        "Whether people behave so: the directions of the model are the literature's, the sizes "
        "are estimates. Even in couples who know each other, own traits explain about a fifth of "
        "the differences in satisfaction (Joel et al. 2020).",
        "真人是否如此：模型中的方向来自文献，大小则是估计。即使是相处已久的伴侣，自身特质也只能解释"
        "满意度差异的五分之一左右（Joel 等 2020）。",
    ),
    "scale": text(
        "How they would rank among couples you know: 50 is the average of simulated couples from "
        "a general population in like situations, not of real ones.",
        "他们在你认识的伴侣中排第几：50是一般人群的模拟伴侣在类似情境中的平均，不是真实伴侣的平均。",
    ),
    "words": text(
        "What these two would really say: first the model decides what is done, then words are "
        "found for it. The words decide nothing, and neither does how well a profile is written.",
        "这两个人真正会说什么：模型先决定做什么，再为它找话。台词不影响结果，资料写得好不好也不影响。",
    ),
    "built_in": text(
        "The words of this course are authored lines, neither theirs nor a language model's. They "
        "also make up small details (a memory, a habit) that neither of them told; none of it is a "
        "fact about them.",
        "这段经历的台词是预先写好的，不是他们的原话，也不是语言模型写的。"
        "台词里有些小细节（一段回忆、一个习惯）是编出来的，两人都没有说过，不能当作他们的事实。",
    ),
    "one_course": text(
        "Which of the courses it would be: the one told here is one of {replicas} and one more; "
        "for numbers look at the replicas.",
        "会走哪一条路：这里讲述的只是{replicas}次推演之外的又一次，数字请看推演。",
    ),
    "few": text(
        "Anything finer: with {replicas} replicas the intervals are rough.",
        "更细的差别：只有{replicas}次推演，区间很粗。",
    ),
    "not_advice": text(
        "What is good for them: this is no diagnosis and no advice for a life, and it sees "
        "nothing of what people do not say. Where somebody is afraid of the other, look for help "
        "from people.",
        "什么对他们才是好的：这不是诊断，也不能替人决定人生，没有说出来的事它看不到。"
        "如果有人害怕对方，请向身边的人或专业人士求助。",
    ),
}

SUMMARY: Final[Mapping[str, Text]] = {
    "lived": text(
        "{first} and {second} lived through {episodes} simulated episodes over {days} days.",
        "{first}和{second}一起走过了{episodes}段模拟经历，历时{days}天。",
    ),
    "lived_one": text(
        "{first} and {second} lived through one simulated episode.",
        "{first}和{second}一起走过了一段模拟经历。",
    ),
    "broke_off": text(
        "In the course told here it ended after that.", "这里讲述的这一次，到此结束。"
    ),
    "strong": text(
        "What two people like them tend to have on their side: {dimensions}.",
        "像他们这样的两个人，长处多半在于：{dimensions}。",
    ),
    "weak": text(
        "What two people like them tend to run into: {dimensions}.",
        "像他们这样的两个人，容易遇到困难的地方是：{dimensions}。",
    ),
    "average": text(
        "In most respects they come out about like other couples.",
        "多数方面，他们和一般伴侣差不多。",
    ),
    "too_few": text(
        "There are too few replicas ({replicas}) to name a level in any respect; it takes {enough} "
        "or more.",
        "推演次数太少（{replicas}次），哪一方面都定不出水平，至少要{enough}次。",
    ),
    "unclear": text("Too much is open to say about {dimensions}.", "还说不准的有：{dimensions}。"),
    "all_unclear": text(
        "Too little is known of them to say more than that of any couple.",
        "对他们了解太少，能说的和对任何一对都一样。",
    ),
    "goals": text(
        "They look for different things: {first} for {of_first}, {second} for {of_second}.",
        "两人想找的关系不同：{first}想要{of_first}，{second}想要{of_second}。",
    ),
    "children": text(
        "On children they differ: {first} {of_first}, {second} {of_second}.",
        "关于孩子，两人的想法不同：{first}{of_first}；{second}{of_second}。",
    ),
    "not_counted": text("The numbers do not know it.", "这里的数字都没有把它算进去。"),
    "end": text(
        "If they meet again after the first evening (both would want to in {again} of the "
        "replicas), they still see each other at the end in {share} of {replicas} replicas.",
        "假如第一晚之后还会再见（两人都愿意的推演占{again}），"
        "{replicas}次推演中有{share}到最后仍在交往。",
    ),
    "end_one": text(
        "In {share} of {replicas} replicas neither breaks it off after it; both would want to meet "
        "again in {again}.",
        "{replicas}次推演中，有{share}在这之后没有人提出结束；两人都愿意再见的占{again}。",
    ),
    "anyone": text(
        "To compare, two people of whom nothing is known: {share}.",
        "作为对照，换成两个没有任何资料的人，是{share}。",
    ),
    "situations": text(
        "That is so in these {episodes} situations; other situations give other shares.",
        "这只是这{episodes}个情境里的比例，换了情境，比例也会变。",
    ),
    "one_situation": text(
        "That is so in this one situation; other situations give other shares.",
        "这只是这一个情境里的比例，换了情境，比例也会变。",
    ),
}

GOALS: Final[Mapping[str, Text]] = {
    "casual": text("something casual", "轻松随意的关系"),
    "dating": text("dating", "先约会看看"),
    "long_term": text("a long-term relationship", "长期稳定的关系"),
    "marriage": text("marriage", "婚姻"),
    "friendship": text("friendship", "友谊"),
    "unsure": text("something not yet sure", "还没想好的关系"),
}
CHILDREN: Final[Mapping[str, Text]] = {
    "wants": text("wants children", "想要孩子"),
    "does_not_want": text("does not want children", "不想要孩子"),
    "has_and_wants_more": text("has children and wants more", "有孩子，还想再要"),
    "has_and_done": text("has children and wants no more", "有孩子，不想再要"),
    "open": text("is open about it", "要不要都可以"),
}
