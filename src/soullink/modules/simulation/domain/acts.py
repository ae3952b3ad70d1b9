"""The 34 dialogue acts: what each means, how it feels, and where it comes from.

Sources, by tag:
SPAFF - Coan & Gottman (2007), The Specific Affect Coding System, in Handbook of Emotion
  Elicitation and Assessment.
VRM - Stiles (1992), Describing Talk: A Taxonomy of Verbal Response Modes.
IPA - Bales (1950), Interaction Process Analysis.
SWBD - Jurafsky, Shriberg & Biasca (1997), Switchboard SWBD-DAMSL coder's manual.
D/W - Christensen & Heavey (1990), demand and withdraw in marital conflict, JPSP 59(1).
EVLN - Rusbult, Zembrodt & Gunn (1982), exit, voice, loyalty and neglect, JPSP 43(6).
IPM - Reis & Shaver (1988), intimacy as an interpersonal process.
SPT - Altman & Taylor (1973), Social Penetration.
ECR - Brennan, Clark & Shaver (1998), adult romantic attachment; protest and deactivation.
REP - Gottman, Driver & Tabares (2015), repair during marital conflict, J. Fam. Psychother. 26.
FOR - McCullough, Worthington & Rachal (1997), interpersonal forgiving, JPSP 73(2).
NEG - Walton & McKersie (1965), A Behavioral Theory of Labor Negotiations.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from soullink.kernel.language import Text
from soullink.modules.simulation.api import ACTS, Act


class ActClass(StrEnum):
    """What a listener takes an act for, before the details."""

    WARM = "warm"
    OPEN = "open"
    PLAYFUL = "playful"
    TASK = "task"
    DEMAND = "demand"
    HOSTILE = "hostile"
    DISTANT = "distant"
    REPAIR = "repair"
    BOUNDARY = "boundary"


CLASSES: Final[tuple[ActClass, ...]] = tuple(ActClass)


@dataclass(frozen=True, slots=True)
class ActSpec:
    """One act.

    meaning: one line for people and prompts. valence: how pleasant it is for a neutral listener,
    -1..1. connection, autonomy, esteem: what it gives or takes of the three needs (Deci & Ryan
    2000), -1..1. heat: what it adds to open conflict, -1..1. depth: how much it reveals, 0..1.
    speaks: whether words are due.
    """

    act: Act
    act_class: ActClass
    meaning: Text
    valence: float
    connection: float
    autonomy: float
    esteem: float
    heat: float
    depth: float
    source: str
    speaks: bool = True


_W, _O, _P, _T, _D, _H, _X, _R, _B = CLASSES


def _spec(
    act: Act,
    act_class: ActClass,
    texts: tuple[str, str],
    numbers: tuple[float, float, float, float, float, float],
    source: str,
) -> ActSpec:
    valence, connection, autonomy, esteem, heat, depth = numbers
    meaning: Text = {"en": texts[0], "zh": texts[1]}
    speaks = act is not Act.SILENCE
    return ActSpec(
        act, act_class, meaning, valence, connection, autonomy, esteem, heat, depth, source, speaks
    )


# Numbers: valence, connection, autonomy, esteem, heat, depth. The order and the signs are the
# sources'; the sizes are ours, set once and checked by the behaviour tests.
_TABLE: Final[tuple[ActSpec, ...]] = (
    _spec(
        Act.GREET,
        _W,
        ("opens or reopens contact", "打招呼，开启对话"),
        (0.25, 0.2, 0.0, 0.1, -0.05, 0.0),
        "SWBD",
    ),
    _spec(
        Act.SMALL_TALK,
        _T,
        ("keeps talk going about what is around", "就眼前的事随便聊聊"),
        (0.1, 0.1, 0.0, 0.0, -0.05, 0.05),
        "SWBD",
    ),
    _spec(
        Act.ASK,
        _O,
        ("asks about the other's life or view", "询问对方的生活或想法"),
        (0.25, 0.3, 0.0, 0.25, -0.05, 0.1),
        "VRM, IPM",
    ),
    _spec(
        Act.DISCLOSE,
        _O,
        ("tells something of oneself", "谈起自己的事"),
        (0.2, 0.3, 0.0, 0.1, -0.05, 0.45),
        "VRM, SPT",
    ),
    _spec(
        Act.CONFIDE,
        _O,
        ("reveals something vulnerable", "吐露脆弱或私密的事"),
        (0.2, 0.5, -0.1, 0.2, -0.1, 0.9),
        "SPT, IPM",
    ),
    _spec(
        Act.JOKE,
        _P,
        ("jokes, laughs with the other", "开玩笑，一起笑"),
        (0.4, 0.3, 0.05, 0.1, -0.15, 0.05),
        "SPAFF humour",
    ),
    _spec(
        Act.TEASE,
        _P,
        ("teases playfully", "善意地逗对方"),
        (0.2, 0.2, 0.0, -0.05, -0.02, 0.05),
        "SPAFF humour",
    ),
    _spec(
        Act.COMPLIMENT,
        _W,
        ("praises or appreciates the other", "称赞、欣赏对方"),
        (0.5, 0.35, 0.0, 0.6, -0.1, 0.1),
        "SPAFF affection",
    ),
    _spec(
        Act.AFFECTION,
        _W,
        ("shows tenderness", "表达温柔与亲近"),
        (0.55, 0.6, -0.1, 0.35, -0.15, 0.4),
        "SPAFF affection",
    ),
    _spec(Act.THANK, _W, ("thanks the other", "道谢"), (0.35, 0.2, 0.0, 0.35, -0.1, 0.05), "VRM"),
    _spec(
        Act.AGREE,
        _W,
        ("agrees with what was said", "赞同对方的话"),
        (0.3, 0.2, 0.1, 0.25, -0.15, 0.05),
        "IPA",
    ),
    _spec(
        Act.VALIDATE,
        _W,
        ("shows that the other is understood", "表示理解对方的感受"),
        (0.45, 0.45, 0.1, 0.4, -0.25, 0.1),
        "SPAFF validation, IPM",
    ),
    _spec(
        Act.SUPPORT,
        _W,
        ("comforts or offers help", "安慰或提出帮忙"),
        (0.45, 0.5, -0.05, 0.25, -0.2, 0.15),
        "IPA, ECR",
    ),
    _spec(
        Act.PLAN,
        _T,
        ("proposes a concrete plan", "提出具体的安排"),
        (0.2, 0.3, -0.05, 0.1, -0.05, 0.05),
        "IPA",
    ),
    _spec(
        Act.PROMISE,
        _T,
        ("commits to doing something", "做出承诺"),
        (0.3, 0.35, 0.05, 0.2, -0.15, 0.15),
        "SWBD commissive",
    ),
    _spec(
        Act.REQUEST,
        _D,
        ("asks the other to do or change something", "请对方做某事或有所改变"),
        (-0.1, 0.05, -0.3, -0.05, 0.1, 0.1),
        "D/W, VRM",
    ),
    _spec(
        Act.COMPROMISE,
        _R,
        ("offers a middle way", "提出折中办法"),
        (0.3, 0.25, 0.2, 0.15, -0.3, 0.05),
        "NEG",
    ),
    _spec(
        Act.CONCEDE,
        _R,
        ("gives way on the point", "在这一点上让步"),
        (0.35, 0.2, 0.3, 0.3, -0.35, 0.1),
        "NEG",
    ),
    _spec(
        Act.INSIST,
        _D,
        ("holds to one's position", "坚持自己的立场"),
        (-0.3, -0.1, -0.4, -0.2, 0.25, 0.05),
        "NEG, SPAFF domineering",
    ),
    _spec(
        Act.SEEK_REASSURANCE,
        _D,
        ("asks whether one still matters", "想确认自己是否还被在乎"),
        (-0.15, 0.1, -0.3, 0.0, 0.1, 0.5),
        "ECR protest",
    ),
    _spec(
        Act.COMPLAIN,
        _D,
        ("names what bothers, without blame", "说出不满，但不指责人"),
        (-0.3, -0.1, -0.2, -0.25, 0.25, 0.2),
        "SPAFF, EVLN voice",
    ),
    _spec(
        Act.CRITICISE,
        _H,
        ("finds fault with the other's person", "批评对方这个人"),
        (-0.6, -0.4, -0.3, -0.6, 0.5, 0.05),
        "SPAFF criticism",
    ),
    _spec(
        Act.BELITTLE,
        _H,
        ("mocks or talks down", "贬低、讥讽对方"),
        (-0.85, -0.6, -0.3, -0.9, 0.7, 0.0),
        "SPAFF contempt",
    ),
    _spec(
        Act.DEFEND,
        _H,
        ("defends oneself, counters", "为自己辩解、反驳"),
        (-0.35, -0.2, -0.15, -0.2, 0.3, 0.05),
        "SPAFF defensiveness",
    ),
    _spec(
        Act.STONEWALL,
        _X,
        ("shuts down, gives nothing back", "封闭自己，不作回应"),
        (-0.5, -0.6, -0.05, -0.3, 0.2, 0.0),
        "SPAFF stonewalling",
    ),
    _spec(
        Act.WITHDRAW,
        _X,
        ("steps back from the subject or the person", "回避话题或抽身"),
        (-0.35, -0.45, 0.05, -0.15, 0.05, 0.0),
        "D/W, ECR deactivation",
    ),
    _spec(Act.SILENCE, _X, ("says nothing", "沉默"), (-0.15, -0.2, 0.05, -0.05, 0.0, 0.0), "SWBD"),
    _spec(
        Act.REPAIR,
        _R,
        ("tries to calm things or start afresh", "试图缓和、重新来过"),
        (0.35, 0.4, 0.05, 0.2, -0.4, 0.2),
        "REP",
    ),
    _spec(Act.APOLOGISE, _R, ("says sorry", "道歉"), (0.45, 0.4, 0.1, 0.5, -0.45, 0.3), "REP"),
    _spec(Act.FORGIVE, _R, ("lets it go", "原谅，放下"), (0.5, 0.5, 0.1, 0.35, -0.45, 0.25), "FOR"),
    _spec(
        Act.SET_BOUNDARY,
        _B,
        ("says where one's limit is", "说明自己的界限"),
        (-0.15, -0.1, -0.2, -0.05, 0.1, 0.3),
        "EVLN voice",
    ),
    _spec(
        Act.REFUSE,
        _B,
        ("says no to what was asked", "拒绝对方的要求"),
        (-0.3, -0.25, -0.25, -0.2, 0.2, 0.05),
        "SWBD",
    ),
    _spec(
        Act.CLOSE,
        _T,
        ("rounds the talk off kindly", "友好地结束谈话"),
        (0.15, 0.05, 0.05, 0.05, -0.1, 0.0),
        "SWBD",
    ),
    _spec(
        Act.LEAVE, _X, ("walks away", "转身离开"), (-0.7, -0.8, 0.0, -0.5, 0.3, 0.0), "EVLN exit"
    ),
)

SPECS: Final[dict[Act, ActSpec]] = {spec.act: spec for spec in _TABLE}
INDEX: Final[dict[Act, int]] = {act: position for position, act in enumerate(ACTS)}


def meaning(act: Act) -> Text:
    """Return what `act` means, in one line per language."""
    return SPECS[act].meaning
