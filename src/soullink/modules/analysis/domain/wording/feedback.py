"""What is said to each person: strengths, frictions and steps, in plain words.

Slots: {other} is the other's name. Nothing here promises, diagnoses or blames; frictions say what
two people like these tend to run into.
"""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Text
from soullink.modules.analysis.domain.wording.phrases import text

STRENGTHS: Final[Mapping[str, Text]] = {
    "care": text(
        "You say kind things out loud more often than most, and {other} hears them.",
        "你比多数人更愿意把好意说出口，{other}听得见。",
    ),
    "interest": text(
        "You ask, and you show that you understood: {other} gets to feel seen.",
        "你会问，也会让人知道你听懂了，{other}因此感到被看见。",
    ),
    "openness": text(
        "You tell what is inside; that gives {other} something to come close to.",
        "你愿意说心里话，{other}才有靠近的地方。",
    ),
    "play": text(
        "You bring play into it, also on days that are not easy.",
        "你能带来玩笑和轻松，日子不好过的时候也一样。",
    ),
    "meeting": text(
        "When {other} opens up, you mostly meet it.", "{other}敞开心扉的时候，你多半接得住。"
    ),
    "mending": text(
        "After a hard word you are among those who take the first step back.",
        "话说重了之后，你常常是先往回走一步的人。",
    ),
    "yielding": text(
        "You can give way on a point without making the other pay for it.",
        "你能在一件事上让步，也不让对方为此欠你。",
    ),
    "gentle": text(
        "Even when you disagree you rarely attack the person.", "就算意见不同，你也很少针对人。"
    ),
    "present": text("You stay in the talk when it gets difficult.", "谈话变难的时候，你不会走开。"),
    "hearing": text(
        "You mostly hear what was meant, not what could be feared.",
        "你多半能听出对方的本意，而不是往坏处想。",
    ),
    "calm": text(
        "Little of the stress outside comes in with you.", "外面的压力，你很少带进两个人之间。"
    ),
    "asks_little": text(
        "You leave {other} room: few demands, little pushing.",
        "你给{other}留出空间，要求不多，也很少催促。",
    ),
}

FRICTIONS: Final[Mapping[str, Text]] = {
    "chase": text(
        "When something bothers you, you press, and {other} tends to step back; the more of one, "
        "the more of the other.",
        "心里有事的时候你会追着说，{other}却往后退；一个越追，一个越退。",
    ),
    "chased": text(
        "When {other} presses, you tend to step back; what you mean as a pause can look like "
        "leaving.",
        "{other}追着要说法的时候，你容易退开；你只是想缓一缓，看上去却像要走。",
    ),
    "harshness": text(
        "Under strain your words turn to the person rather than the matter, and {other} defends "
        "instead of listening.",
        "压力之下，你的话容易从事情转到人身上，{other}就顾着辩解，听不进去了。",
    ),
    "harshness_both": text(
        "Under strain you both reach for sharp words; one sharp word calls the next.",
        "压力之下，你们两个都容易说重话，一句引来下一句。",
    ),
    "distance": text(
        "You go quiet sooner than most; {other} has to guess what the silence means.",
        "你比多数人更早沉默，{other}只能去猜这沉默是什么意思。",
    ),
    "distance_both": text(
        "When it gets difficult you both step back, so things stay unsaid.",
        "事情变难的时候，两个人都往后退，话就一直没有说开。",
    ),
    "pressing": text(
        "You ask for a lot of change in one evening.", "一个晚上里，你希望对方改变的地方有点多。"
    ),
    "misreading": text(
        "You hear more reproach or coldness in {other}'s words than was in them.",
        "{other}的话里，你听出的责怪或冷淡比原意更多。",
    ),
    "missing": text(
        "When {other} tells something that matters, the answer often goes elsewhere.",
        "{other}说起要紧的事，你的回应常常落到了别处。",
    ),
    "closed": text(
        "You show little of what goes on inside; {other} has not much to hold on to.",
        "你很少透露心里的事，{other}能抓住的不多。",
    ),
    "closed_both": text(
        "Both of you wait for the other to open up first.", "你们都在等对方先敞开心扉。"
    ),
    "serious": text(
        "There is little play from your side, also when nothing is at stake.",
        "就算没什么要紧的事，你也很少开玩笑。",
    ),
    "sparing": text(
        "You are sparing with kind words; that you like something has to be guessed.",
        "你不太说好听的话，你喜欢什么，对方得靠猜。",
    ),
    "stress": text(
        "Much of the stress outside comes in with you, and small things weigh more then.",
        "外面的压力会跟着你进门，这时候小事也显得重。",
    ),
    "unmended": text(
        "After a hard word you wait for {other} to take the first step.",
        "话说重了之后，你会等{other}先走出第一步。",
    ),
    "talkative": text(
        "You hold the floor longer than {other}, who may stop trying.",
        "你说得比{other}多，久了对方可能就不再开口。",
    ),
    "quiet_share": text(
        "{other} carries most of the talk; what you think stays open.",
        "话多半是{other}在说，你怎么想，对方不太清楚。",
    ),
    "goals": text(
        "You two told that you look for different things; no way of talking makes that go away.",
        "你们想找的关系不一样，这一点靠会说话是绕不过去的。",
    ),
    "children": text(
        "What you two told about children does not go together.", "关于要不要孩子，你们说的对不上。"
    ),
}

STEPS: Final[Mapping[str, Text]] = {
    "chase": text(
        "Say the wish once, then ask when {other} wants to talk about it.",
        "愿望只说一遍，然后问{other}什么时候愿意谈。",
    ),
    "chased": text(
        "Say the pause out loud and when it ends: “give me half an hour, then I am back”.",
        "把停顿说出来，也说好什么时候回来：“给我半小时，我会回来接着谈。”",
    ),
    "harshness": text(
        "Begin with what happened and what you need, and leave out what {other} is like.",
        "先说发生了什么、自己需要什么，不去评价{other}是怎样的人。",
    ),
    "harshness_both": text(
        "Agree on a word that stops both of you for ten minutes once it gets sharp.",
        "约好一个暗号：话一变尖，两个人都停十分钟。",
    ),
    "distance": text(
        "Say one sentence before you go quiet: that you are thinking, and that you are staying.",
        "沉默之前先说一句：我在想，我没有走。",
    ),
    "distance_both": text(
        "Fix a short time each week for what was left unsaid, and let it end on time.",
        "每周定一小段时间说没说完的事，到点就结束。",
    ),
    "pressing": text("Choose the one thing that matters tonight.", "今晚只挑最要紧的一件事。"),
    "misreading": text(
        "Before you answer, say what you heard and ask whether it was meant so.",
        "回应之前，先说说自己听到了什么，再问是不是这个意思。",
    ),
    "missing": text(
        "When {other} tells something personal, stay with it for one more question.",
        "{other}说起自己的时候，多停留一会儿，再问一句。",
    ),
    "closed": text(
        "Tell one small true thing that {other} could not have guessed.",
        "说一件{other}猜不到的、小小的真心话。",
    ),
    "closed_both": text(
        "Go first once, with something small; see what comes back.",
        "先开一次口，说件小事，看看会换来什么。",
    ),
    "serious": text(
        "Do something together that has no purpose at all.", "一起做一件毫无用处的事。"
    ),
    "sparing": text(
        "Say one thing a day that you liked, also the obvious one.",
        "每天说出一件你喜欢的事，哪怕是明摆着的。",
    ),
    "stress": text(
        "On a hard day say so at the door, and leave difficult subjects for another day.",
        "难熬的日子，一进门就说一声，难谈的事改天再谈。",
    ),
    "unmended": text(
        "Try the first step back yourself once: a short sorry, without a but.",
        "试着自己先退一步：一句简短的对不起，不加“但是”。",
    ),
    "talkative": text("Leave a question open and count to five.", "问完一个问题，在心里数到五。"),
    "quiet_share": text(
        "Say half a thought; it need not be finished.", "想到一半也可以说，不必想完整。"
    ),
    "goals": text(
        "Talk about what you each look for before much depends on it.",
        "趁牵绊还不深，先谈谈各自想找什么样的关系。",
    ),
    "children": text(
        "Talk about children early, and believe what you hear.",
        "早一点谈孩子的事，并相信听到的回答。",
    ),
}

CHANGES: Final[Mapping[str, Text]] = {
    "mend": text(
        "Take the step towards peace more often: a sorry, a middle way, letting it go.",
        "多主动缓和：说声对不起、提个折中、放下一次。",
    ),
    "validate": text(
        "Say what you understood before you say what you think.", "先说你听懂了什么，再说你怎么想。"
    ),
    "soften": text(
        "Bring up difficult subjects more softly, one at a time.", "难谈的事说得轻一些，一次一件。"
    ),
    "stay": text(
        "Stay a little longer when you want to step back.", "想退开的时候，再多留一会儿。"
    ),
    "open": text("Tell more of what is inside.", "多说一些心里话。"),
}
"""A step for each intervention on one person."""

BEST_OF_BOTH: Final[Text] = text(
    "Nothing of yours alone stands out; between you and {other}, {dimension} has the most room "
    "({value} of 100).",
    "单看你没有特别突出的；你和{other}之间，“{dimension}”最宽裕（100分里{value}分）。",
)
LEAST_OF_BOTH: Final[Text] = text(
    "No friction of yours alone stands out; between you and {other}, {dimension} has the least "
    "room ({value} of 100).",
    "单看你没有明显的摩擦；你和{other}之间，“{dimension}”最不宽裕（100分里{value}分）。",
)
DIMENSION_STEPS: Final[Mapping[str, Text]] = {
    "warmth": text(
        "Say out loud what you liked about the day, before what went wrong.",
        "先说今天喜欢的事，再说不顺的事。",
    ),
    "understanding": text(
        "Once a week ask: what did I get wrong about you?", "每周问一次：我有没有误会你什么？"
    ),
    "trust": text(
        "Promise small things and keep them; trust is made of those.",
        "答应小事，然后做到，信任就是这样攒下来的。",
    ),
    "conflict": text(
        "Agree in peaceful times how either of you may stop an argument.",
        "趁平静的时候约好：吵起来时，怎样喊停都行。",
    ),
    "fun": text("Keep one evening free of anything useful.", "留一个晚上，什么正事都不做。"),
    "values": text(
        "Before deciding, each says what matters most about it; then look for a third way.",
        "拿主意之前，各说一句最在乎什么，再一起找第三种办法。",
    ),
    "rhythm": text(
        "Talk about how much time alone each of you needs, before it is needed.",
        "在需要独处之前，先说好各自要多少独处的时间。",
    ),
}
"""What both can do for the respect that has least room."""

EFFECT: Final[Text] = text(
    " With it, {effect} more in 100 replicas were still together ({low} to {high}).",
    "这样做，每100次推演约多{effect}次仍在一起（区间{low}到{high}）。",
)
EXAMPLE: Final[Text] = text(" (Episode {episode}, turn {turn}.)", "（见第{episode}段第{turn}句）")
ASK: Final[Text] = text(
    "Ask {other} about {topic}: the profile does not say, and it would narrow this report.",
    "问问{other}：{topic}。资料里没有写，知道了这份报告会更准。",
)

NO_STRENGTH: Final[Text] = text(
    "Nothing of yours stands out for certain; that is also how most people look from outside.",
    "还看不出你有什么特别突出的地方，多数人从外面看也是这样。",
)
NO_STRENGTH_UNKNOWN: Final[Text] = text(
    "You told little about yourself, so your part looks like that of people in general.",
    "你透露得不多，所以这里的你看起来就像一般人。",
)
NO_FRICTION: Final[Text] = text(
    "No friction stands out from your side in these situations; others may show some.",
    "在这些情境里，看不出你这边有明显的摩擦；换了情境，也许会有。",
)
NO_STEP: Final[Text] = text(
    "Keep doing what you do, and ask {other} what helped.",
    "照现在这样就好，也问问{other}什么对自己有帮助。",
)
