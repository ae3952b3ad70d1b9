"""The fixed forms in which somebody claims a fact about themselves, as patterns.

In each pattern group 1 is the key word of the claim ("sister", "pilot", "Oslo").
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from soullink.modules.simulation.voice.text import holds_any


class Form:
    """A pattern; exact: upper and lower case count.

    cues: small letters of which every match holds one at least; none: any text may match. Looking
    for them takes a fraction of the time that looking for the pattern does.
    """

    __slots__ = ("cues", "regex")

    def __init__(self, pattern: str, *cues: str, exact: bool = False) -> None:
        self.regex = re.compile(pattern, 0 if exact else re.IGNORECASE)
        self.cues = cues

    def finditer(self, words: str) -> Iterable[re.Match[str]]:
        """Return the matches in `words`, as the pattern does."""
        if not self.cues:
            return self.regex.finditer(words)
        # A pattern takes these two for an i, which no small letter of theirs is.
        odd = not words.isascii() and ("ı" in words or "İ" in words)
        return self.regex.finditer(words) if odd or holds_any(words.casefold(), self.cues) else ()


def meant(form: Form, words: str) -> Iterator[re.Match[str]]:
    """Yield the matches of `form` in `words` that nothing before them makes a supposition."""
    for match in form.finditer(words):
        start = match.start()
        if not SUPPOSED.search(words[max(0, start - _SUPPOSING) : start]):
            yield match


_KIN: Final = (
    r"sisters?|brothers?|twins?|siblings?|sons?|daughters?|kids?|child|children|husband|wife|"
    r"fianc[ée]e?|nephews?|nieces?|cousins?|uncles?|aunts?|aunties?|stepsons?|stepdaughters?|"
    r"stepsisters?|stepbrothers?|ex-husband|ex-wife|grandson|granddaughter|grandkids|grandchildren"
)
_PETS: Final = (
    r"dogs?|pupp(?:y|ies)|cats?|kittens?|parrots?|hamsters?|rabbits?|bunn(?:y|ies)|horses?|"
    r"pon(?:y|ies)|tortoises?|turtles?|goldfish|ferrets?|budgies?|guinea pigs?|poodle|labrador|"
    r"beagle"
)
_JOBS: Final = (
    r"pilot|nurse|doctor|surgeon|lawyer|attorney|teacher|professor|engineer|programmer|developer|"
    r"accountant|banker|architect|chef|cook|waiter|waitress|bartender|barista|baker|carpenter|"
    r"plumber|electrician|mechanic|driver|firefighter|policeman|police officer|paramedic|vet|"
    r"dentist|pharmacist|psychologist|therapist|journalist|writer|author|editor|photographer|"
    r"designer|painter|sculptor|musician|actor|actress|singer|dancer|librarian|scientist|"
    r"biologist|chemist|physicist|soldier|sailor|farmer|gardener|florist|hairdresser|tailor|"
    r"salesman|estate agent|realtor|consultant|analyst|translator|interpreter|social worker|"
    r"student|flight attendant"
)
_RELATIVE: Final = (
    *("sister", "brother", "twin", "sibling", "son", "daughter", "kid", "child", "husband", "wife"),
    *("fianc", "nephew", "niece", "cousin", "uncle", "aunt"),
    *("dog", "pup", "cat", "kitten", "parrot", "hamster", "rabbit", "bunn", "horse", "pon"),
    *("tortoise", "turtle", "goldfish", "ferret", "budgie", "guinea", "poodle", "labrador"),
    "beagle",
)
"""Cues of _KIN and _PETS."""
_PARENT: Final = ("mother", "father", "mum", "mom", "dad", "parent")
_MARRIAGE: Final = ("married", "divorced", "widowed", "engaged")
_WHICH: Final = (
    r"(?:(?:little|big|older|younger|elder|eldest|oldest|youngest|baby|late|own|twin|half|two|"
    r"three|four|only|favourite|favorite) )*"
)
_AM: Final = r"\bI(?:'m|’m| am)"
_HAVE: Final = r"\b(?:I|we)(?:'ve|’ve| have)(?: got)? (?:(?:an?|one|two|three|four|five|my|\d+) )?"
_ADVERB: Final = r"(?: still| already| once| actually| just| only| happily)?"
_SOME: Final = r"(?:about |around |over |nearly )?"
_NAME: Final = r"((?:[A-Z][\w'’-]+)(?: [A-Z][\w'’-]+)*)"

ENGLISH: Final = (
    *(
        Form(pattern, *cues)
        for pattern, cues in (
            (rf"\bmy {_WHICH}({_KIN}|{_PETS})\b", ("my",)),
            (rf"{_HAVE}(?:[a-z-]+ ){{0,2}}({_KIN}|{_PETS})\b", _RELATIVE),
            (
                (
                    rf"(?:{_AM}|\bI was|\bI got){_ADVERB}"
                    r" (married|divorced|widowed|engaged|remarried)\b"
                    r"(?! (?:in|with|by|on|to (?:my|this|the|that)) )"  # to this queue, by now
                ),
                _MARRIAGE,
            ),
            (rf"{_AM} (?:a |the )?(?:single |proud )?(mother|father|mum|mom|dad) of\b", _PARENT),
            (rf"{_AM} a single (mother|father|mum|mom|dad|parent)\b", ("single",)),
            (
                (
                    rf"{_AM}{_ADVERB} an? (?:[a-z-]+ ){{0,2}}({_JOBS})\b"
                    r"(?! (?:at heart|in this|when|of))"
                ),
                ("'m", "’m", " am "),
            ),
            (r"\bI (?:work|worked|used to work) as an? ((?:[a-z-]+ ){0,2}[a-z-]+)", ("work",)),
            (
                (
                    rf"\bI (?:earn|make|made|owed?|inherited) {_SOME}"
                    r"([$€£¥]\d[\d,.]*k?|\d[\d,.]{2,}k?)"
                ),
                ("earn", "make", "made", "owe", "inherited"),
            ),
        )
    ),
    # Names of places begin with a capital letter, so here case counts.
    Form(
        r"\bI (?:(?:still|now|actually|used to) )?(?:lived?|grew up|was born|was raised|moved)"
        rf"(?: back)? (?:in|to|from|near|over in|up in) {_NAME}",
        *("live", "grew up", "was born", "was raised", "moved"),
        exact=True,
    ),
    Form(rf"\bI(?:'m|’m| am| come) (?:originally )?from {_NAME}", "from", exact=True),
    Form(rf"\bI work (?:at|for) {_NAME}", "work", exact=True),
)

ENGLISH_SELF: Final = re.compile(r"\b(?:I|my|we)\b", re.IGNORECASE)
HAN_SELF: Final = "我"
"""Every English, every Chinese form has one of them; looking for it first spares all the forms."""

_last: tuple[str, bool] = ("", False)


def of_oneself(words: str) -> bool:
    """Tell whether English words speak of the one who says them.

    Several checks ask of the same words in turn: the answer to the last question is kept.
    """
    global _last  # noqa: PLW0603 - one pair, replaced as a whole: threads may share it
    last = _last
    if last[0] is not words:
        last = _last = (words, ENGLISH_SELF.search(words) is not None)
    return last[1]


SUPPOSED: Final = re.compile(
    r"\b(?:if|should|could|would|wish|imagine|suppose|pretend|as though|like|do|did|when|unless|"
    r"until|says?|think) (?:that )?$|(?:如果|要是|假如|假设|万一|好像|就当|以为|当时?)$",
    re.IGNORECASE,
)
"""Stands before a claim that is none."""
_SUPPOSING: Final = 40
"""Characters before a claim that are looked at: more than twice what SUPPOSED can take."""

ENGLISH_AGE: Final = Form(
    rf"{_AM} (\d{{2}}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty)"
    r"(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?)"
    r"(?= years old| now\b| and\b|[.,!?;]|$)",
    *("'m", "’m", " am "),
)

_HAN_KIN: Final = (
    r"姐姐|妹妹|哥哥|弟弟|大姐|二姐|大哥|二哥|小妹|小弟|表姐|表妹|表哥|表弟|堂姐|堂妹|堂哥|堂弟|"
    r"老公|老婆|丈夫|妻子|前夫|前妻|儿子|女儿|闺女|孩子|侄子|侄女|外甥女?|舅舅|姑姑|叔叔|"
    r"姐(?!妹|们)|妹(?!子|们)|哥(?!们)|弟(?!兄|们)"
)
_HAN_PETS: Final = r"狗狗?|小狗|猫咪?|小猫|鹦鹉|仓鼠|兔子|乌龟|金毛|柯基|泰迪|布偶"
_HAN_JOBS: Final = (
    r"飞行员|护士|医生|大夫|律师|老师|教师|教授|工程师|程序员|会计|建筑师|厨师|服务员|司机|"
    r"消防员|警察|兽医|牙医|药剂师|心理咨询师|记者|作家|编辑|摄影师|设计师|画家|音乐人|演员|"
    r"歌手|舞者|图书管理员|科学家|生物学家|军人|海员|农民|园丁|花艺师|理发师|裁缝|销售|中介|"
    r"顾问|分析师|翻译|社工|学生|研究生|空姐|快递员|外卖员|公务员|产品经理"
)
_HAN_PLACES: Final = (
    r"北京|上海|广州|深圳|杭州|南京|苏州|成都|重庆|武汉|西安|长沙|天津|青岛|大连|沈阳|哈尔滨|"
    r"长春|济南|郑州|合肥|南昌|福州|厦门|昆明|贵阳|南宁|海口|三亚|兰州|西宁|银川|乌鲁木齐|"
    r"拉萨|太原|石家庄|呼和浩特|宁波|无锡|佛山|东莞|珠海|香港|澳门|台北|高雄|东京|大阪|首尔|"
    r"新加坡|伦敦|巴黎|柏林|纽约|洛杉矶|旧金山|多伦多|温哥华|悉尼|墨尔本|奥斯陆|莫斯科|东北|"
    r"四川|湖南|山东|广东|福建|云南"
)
_HAN_COUNT: Final = r"(?:一|两|三|四|几|\d)?(?:个|只|条|位|头|匹)?(?:亲|大|小|双胞胎)?"
_HAN_WHEN: Final = r"(?:已经|早就|早|去年|前年|刚|以前|其实|现在|一直|平时|从小|就)*"
_HAN_AFTER: Final = r"(?:长大|出生|上班|工作|住|读|念|[，。！？]|$)"

CHINESE: Final = tuple(
    Form(pattern, exact=True)
    for pattern in (
        rf"我(?:的|家的?|们家的?)?({_HAN_KIN}|{_HAN_PETS})",
        rf"我(?:家里?)?(?:还|也|就)?(?:有|养了?|养着|养过){_HAN_COUNT}({_HAN_KIN}|{_HAN_PETS})",
        rf"我{_HAN_WHEN}(结婚|离婚|结过婚|离过婚|离了婚|已婚|离异|丧偶|订婚)(?!的事|这件事)",
        rf"我{_HAN_WHEN}(?:是|当)(?:一?[名个])?[\u4e00-\u9fff]{{0,3}}?({_HAN_JOBS})(?!的|吗|一样)",
        rf"我{_HAN_WHEN}(?:住在?|来自|老家[在是]|出生在|在)({_HAN_PLACES}){_HAN_AFTER}",
        rf"我是({_HAN_PLACES})人",
    )
)

CHINESE_AGE: Final = Form(
    r"我(?:今年|都|已经|才|刚满|刚)*(\d{2}|[二三四五六七八九]?十[一二三四五六七八九]?)岁"
    r"(?!的?时|那年|以前|之前|以后|半)",
    exact=True,
)

SAME: Final = (
    frozenset({"kid", "kids", "child", "children", "son", "sons", "daughter", "daughters"}),
    frozenset({"wife", "husband", "married", "marriage", "spouse", "wedding", "remarried"}),
    frozenset({"divorced", "divorce", "ex-wife", "ex-husband"}),
    frozenset({"dog", "dogs", "puppy", "puppies", "poodle", "labrador", "beagle"}),
    frozenset({"cat", "cats", "kitten", "kittens"}),
    frozenset({"fiance", "fiancé", "fiancee", "fiancée", "engaged", "engagement"}),
    frozenset({"孩子", "儿子", "女儿", "闺女"}),
    frozenset({"老公", "老婆", "丈夫", "妻子", "结婚", "已婚", "婚姻", "结过婚"}),
    frozenset({"离婚", "离异", "离过婚", "离了婚", "前夫", "前妻"}),
    frozenset({"医生", "大夫"}),
    frozenset({"老师", "教师"}),
    frozenset({"狗", "狗狗", "小狗", "金毛", "柯基", "泰迪"}),
    frozenset({"猫", "猫咪", "小猫", "布偶"}),
)
"""Words of which one supports the other."""

UNITS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty")
HAN_DIGITS: Final = "零一二三四五六七八九"

# What the ledger keeps: forms of which two can deny each other. Groups: the subject, or as named.

_CLAUSE: Final = r"(?=\s*[,.;!…—]|\s+(?:and|but|because|so|though|since)\b|\s*$)"
_ANY: Final = r"(?:an?|any|a single|one) "
ENGLISH_HAS: Final = Form(
    rf"(?:\bmy {_WHICH}|{_HAVE}(?:(?:little|big|older|younger|old|small|own) )?)({_KIN}|{_PETS})\b",
    *_RELATIVE,
)
ENGLISH_HAS_NOT: Final = Form(
    rf"\bI (?:(?:don['’]t|do not|never) (?:even |actually )?have|(?:have|['’]ve) (?:never had|no)|"
    rf"never had|have(?:n['’]t| not) got) (?:{_ANY})?({_KIN}|{_PETS})\b",
    *_RELATIVE,
)
ENGLISH_NUMBER: Final = Form(
    r"\bI(?: have|['’]ve got) (two|three|four|five|six|\d) (?:[a-z]+ )?"
    r"(brothers|sisters|siblings|kids|children|sons|daughters|dogs|cats)\b",
    *("brothers", "sisters", "siblings", "kids", "children", "sons", "daughters", "dogs", "cats"),
)
_REALLY: Final = r"(?:(?:really|absolutely|still|always|honestly|do|just|truly|quite) )*"
_THING: Final = (
    r"((?!(?:it|that|this|these|those|you|him|her|them|us|me|how|when|what|where|who|why|to|being|"
    r"your|our|his|their|my|one|everything|nothing|something|someone|everyone|the way|the idea|"
    r"the thought|a lot|if|and|or|but)\b)[a-z][a-z'’-]*(?: [a-z][a-z'’-]*){0,2})" + _CLAUSE
)
ENGLISH_LIKES: Final = Form(
    rf"\bI {_REALLY}(?:love|like|adore|enjoy) {_THING}", *("love", "like", "adore", "enjoy")
)
ENGLISH_HATES: Final = Form(
    rf"\bI {_REALLY}(?:hate|dislike|detest|can['’]t stand|cannot stand|(?:don['’]t|do not|never)"
    rf" (?:really |even )?(?:like|love|enjoy)|(?:have |['’]ve )?never liked) {_THING}",
    *("hate", "dislike", "detest", "stand", "like", "love", "enjoy"),
)
ENGLISH_HABIT: Final = Form(
    r"\bI (?:(don['’]t|do not|never) )?(?:ever )?"
    r"(drink (?:coffee|tea|alcohol|beer|wine)|eat (?:meat|fish|meals|breakfast)|drink|smoke|dance|"
    r"cook|drive|swim|gamble|believe in (?:god|fate|ghosts|marriage|luck))" + _CLAUSE,
    *("drink", "eat", "smoke", "dance", "cook", "drive", "swim", "gamble", "believe"),
)
ENGLISH_ORIGIN: Final = (
    (
        "grew up",
        Form(rf"\bI (?:grew up|was raised) in {_NAME}", "grew up", "was raised", exact=True),
        True,
    ),
    ("born", Form(rf"\bI was born in {_NAME}", "born", exact=True), True),
    ("lives", Form(rf"\bI (?:still |actually )?live in {_NAME}", "live", exact=True), False),
    ("works", Form(rf"\bI work (?:at|for) {_NAME}", "work", exact=True), False),
)
ENGLISH_MARRIED: Final = Form(
    rf"(?:{_AM}(?: still| already| happily)?|\bI was|\bI used to be) married\b"
    r"(?! (?:in|with|by|on|to (?:my|this|the|that)) )",
    "married",
)
ENGLISH_UNMARRIED: Final = Form(
    rf"\bI(?:['’]ve| have) never been married\b|{_AM} not married\b|\bI never (?:got )?married\b",
    "married",
)

_HAN_STOP: Final = r"(?=[，,。！!、；;…]|$)"
_HAN_THING: Final = (
    r"((?![你您他她它这那被跟和让看到见听]|一个人|自己|什么|怎么|有人|别人|大家)[\u4e00-\u9fff]{1,6}?)"
    r"(?:了|的)?" + _HAN_STOP
)
_HAN_VERY: Final = r"(?:真的|其实|一直|特别|最|很|超|从小就?|就|也|还是|挺|蛮)*"
HAN_HAS: Final = Form(
    rf"(?:我(?:的|家的?|们家的?)?|我(?:家里?)?(?:还|也|就)?(?:有|养了?|养着){_HAN_COUNT})"
    rf"({_HAN_KIN}|{_HAN_PETS})",
    exact=True,
)
HAN_HAS_NOT: Final = Form(
    rf"我(?:家里?)?(?:从来|根本|其实|又|也)?(?:没有|没养过?|没){_HAN_COUNT}({_HAN_KIN}|{_HAN_PETS})"
    r"(?=[，,。！!啊呀的]|$)",
    exact=True,
)
HAN_NUMBER: Final = Form(
    r"我(?:家里?)?有([两三四五六\d])[个只条](哥哥|弟弟|姐姐|妹妹|孩子|儿子|女儿|猫|狗)", exact=True
)
HAN_LIKES: Final = Form(rf"我{_HAN_VERY}(?<!不)(?:喜欢|爱){_HAN_THING}", exact=True)
HAN_HATES: Final = Form(
    rf"我{_HAN_VERY}(?:从来)?(?:不(?:太|怎么|是很)?喜欢|不爱|讨厌|受不了){_HAN_THING}", exact=True
)
HAN_HABIT: Final = Form(
    rf"我{_HAN_VERY}(?:(从来不|从不|不|没法)(?:会|能)?)?"
    r"(喝酒|喝咖啡|喝茶|抽烟|吃辣|吃肉|吃鱼|做饭|开车|游泳|跳舞|赌钱)(?:的|了)?" + _HAN_STOP,
    exact=True,
)
_WIDE: Final = r"(?!东北|四川|湖南|山东|广东|福建|云南)"
HAN_ORIGIN: Final = (
    ("grew up", Form(rf"我(?:从小)?(?:是)?在{_WIDE}({_HAN_PLACES})长大", exact=True), True),
    (
        "born",
        Form(rf"我(?:是)?(?:出生在|在){_WIDE}({_HAN_PLACES})(?:出生|{_HAN_STOP})", exact=True),
        True,
    ),
    ("lives", Form(rf"我(?:现在|一直)?住在?{_WIDE}({_HAN_PLACES})", exact=True), False),
)
HAN_MARRIED: Final = Form(
    r"我(?:以前|早就|已经|早)?(?:结过婚|离过婚|结婚了|已婚|离婚了)", exact=True
)
HAN_UNMARRIED: Final = Form(r"我(?:从来|根本|还|也)*(?:没结过婚|没结婚|未婚)", exact=True)

GENERAL: Final = {
    **dict.fromkeys(("kid", "child", "son", "daughter", "stepson", "stepdaughter"), "child"),
    **dict.fromkeys(("brother", "sister", "twin", "sibling"), "sibling"),
    **dict.fromkeys(("dog", "puppy", "poodle", "labrador", "beagle"), "dog"),
    **dict.fromkeys(("cat", "kitten"), "cat"),
    **dict.fromkeys(("孩子", "儿子", "女儿", "闺女"), "孩子"),
    **dict.fromkeys(("狗", "狗狗", "小狗", "金毛", "柯基", "泰迪"), "狗"),
    **dict.fromkeys(("猫", "猫咪", "小猫", "布偶"), "猫"),
}
"""What a word is a kind of: who has a son has a child, and who has no son may have a daughter."""

SINGULAR: Final = {"kids": "child", "kid": "child", "children": "child", "puppies": "puppy"}

PETS: Final = re.compile(rf"(?:{_PETS}|{_HAN_PETS})", re.IGNORECASE)

WIDE_PLACES: Final = frozenset(
    {"England", "Scotland", "Wales", "Ireland", "Britain", "Germany", "France", "Spain", "Italy"}
    | {"Portugal", "Poland", "Greece", "Turkey", "Russia", "China", "Japan", "Korea", "India"}
    | {"America", "Canada", "Mexico", "Brazil", "Argentina", "Australia", "Nigeria", "Kenya"}
    | {"Egypt", "Africa", "Asia", "Europe", "California", "Texas", "Florida", "Yorkshire"}
    | {"Bavaria", "Provence", "Tuscany", "Sweden", "Norway", "Denmark", "Finland", "Iceland"}
    | {"Austria", "Switzerland", "Belgium", "Holland", "Ukraine", "Romania", "Hungary"}
)
"""Places that others lie in: growing up in Leeds denies nothing of growing up in England."""
