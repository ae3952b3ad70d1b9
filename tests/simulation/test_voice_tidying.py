"""Formatting that is taken off, words that deny earlier ones, words that nobody should say."""

from pathlib import Path

import pytest
from msgspec import structs

from soullink.gateways.llm.fake import FakeLanguageModel
from soullink.kernel.language import LANGUAGES, Language
from soullink.modules import simulation
from soullink.modules.analysis.render.words import WORDS
from soullink.modules.prompts.api import Prompts
from soullink.modules.prompts.wiring import build
from soullink.modules.simulation.api import Act
from soullink.modules.simulation.domain.acts import SPECS
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.checks import faults_of
from soullink.modules.simulation.voice.formatting import normalised
from soullink.modules.simulation.voice.ledger import contradicted, own_words
from soullink.modules.simulation.voice.lines import SLOT, line_book
from soullink.modules.simulation.voice.llm import LlmVoice
from soullink.modules.simulation.voice.port import Said
from soullink.modules.simulation.voice.prompting import repair_variables
from soullink.modules.simulation.voice.safety import dangers
from tests.simulation.voice_requests import a_request

EN = "I'd rather be out on a hill at night than here."
ZH = "我更愿意一个人夜里出去跑一圈，真的。"


@pytest.fixture(scope="module")
def prompts() -> Prompts:
    return build([Path(simulation.__path__[0]) / "prompts"])


@pytest.mark.parametrize(
    ("language", "given", "tidy", "what"),
    [
        ("en", EN, EN, ()),
        ("en", f'  "{EN}"\n', EN, ("quotes",)),
        ("en", f"“{EN}”", EN, ("quotes",)),
        ("en", f"Ada: {EN}", EN, ("name",)),
        ("en", f"**Ada Linden:** {EN}", EN, ("name",)),
        ("en", f'Ada: "{EN}"', EN, ("name", "quotes")),
        ("en", f"*smiles softly* {EN}", EN, ("direction",)),
        ("en", f"{EN} (laughs)", EN, ("direction",)),
        ("en", f"*leans back, looking at the rails* {EN} *sighs*", EN, ("direction",)),
        ("en", "I'd *really* rather be out on a **hill**.", "I'd really rather be out on a hill.",
         ("emphasis",)),
        ("en", EN.replace(" at", "\nat"), EN, ("lines",)),
        ("en", f"{EN} 😊", EN, ("emoji",)),
        ("zh", f"“{ZH}”", ZH, ("quotes",)),
        ("zh", f"林晓雨：{ZH}", ZH, ("name",)),
        ("zh", f"晓雨：“{ZH}”", ZH, ("name", "quotes")),
        ("zh", f"（笑了笑）{ZH}", ZH, ("direction",)),
        ("zh", f"{ZH}*轻轻叹气*", ZH, ("direction",)),
        ("zh", "我**真的**更愿意出去跑一圈。", "我真的更愿意出去跑一圈。", ("emphasis",)),
    ],
)  # fmt: skip
def test_what_stands_around_the_words_is_taken_off(
    language: Language, given: str, tidy: str, what: tuple[str, ...]
) -> None:
    words, done = normalised(given, a_request(language=language))
    assert words == tidy
    assert sorted(done) == sorted(what)


@pytest.mark.parametrize(
    "given",
    [
        f"Ben: {EN}",  # it may be meant for the other
        'He said "no", and I said "why".',
        "I like it (well, mostly) and you know that, don't you.",
        "1. I like hills.\n2. I like nights.",
        "See [the hills](https://example.org) with me tonight, will you.",
        "Three * four is twelve and * that is that, I suppose.",
        "*smiles*",
        "'Tis the hills I want, and the nights o' winter.",
    ],
)
def test_what_could_be_something_else_is_left_alone(given: str) -> None:
    assert normalised(given, a_request()) == (given, ())


@pytest.mark.anyio
async def test_tidying_saves_the_second_call(prompts: Prompts) -> None:
    answer = {"inner_thought": "Well.", "words": f'Ada: "*smiles* {EN}"', "act": "disclose"}
    model = FakeLanguageModel(lambda _: answer)
    speech = (await LlmVoice(model, prompts, BuiltInVoice()).speak(a_request(Act.DISCLOSE))).speech
    assert (speech.words, speech.status, speech.calls) == (EN, "ok", 1)
    assert speech.quality["clean"] == 0.0


DENIED: list[tuple[Language, str, str]] = [
    ("en", "I don't have a brother, so nobody stole my bread.", "My brother would laugh at us."),
    ("en", "I have a sister who runs a bakery.", "I never had a sister, thank heavens."),
    ("en", "I've got two kids, so I sleep little.", "I don't have any kids, so I sleep well."),
    ("en", "I have two sisters, both louder than me.", "I have three sisters, all louder."),
    ("en", "I love olives, give me all of them.", "I can't stand olives, you can have mine."),
    ("en", "I don't like night hiking, honestly.", "I really love night hiking."),
    ("en", "I don't drink coffee, it keeps me up.", "I drink coffee, black, all day."),
    ("en", "I never smoke.", "I smoke, but only outside."),
    ("en", "I grew up in Leeds, above a bakery.", "I grew up in Oslo, near the harbour."),
    ("en", "I live in Leeds, it rains there.", "I live in Bristol, up the hill."),
    ("en", "I'm 34, that is all.", "I'm forty, and I feel it."),
    ("en", "I've never been married, and that is fine.", "I was married once, for a year."),
    ("zh", "我没有弟弟，家里就我一个。", "我弟弟要是看见了肯定笑死。"),
    ("zh", "我有个姐姐，开面包店的。", "我没有姐姐，你记错了。"),
    ("zh", "我有两个姐姐，都比我吵。", "我有三个姐姐，一个比一个吵。"),
    ("zh", "我特别喜欢吃辣，越辣越好。", "我不喜欢吃辣，一点都不行。"),
    ("zh", "我从来不喝咖啡。", "我喝咖啡，一天三杯。"),
    ("zh", "我在杭州长大，就在西湖边上。", "我在成都长大，从小吃火锅。"),
    ("zh", "我没结过婚，也不着急。", "我结过婚，一年就散了。"),
]


def denies(language: Language, earlier: str, words: str, *, same_episode: bool = True) -> bool:
    return bool(contradicted(words, [(same_episode, earlier)], language))


@pytest.mark.parametrize(("language", "earlier", "words"), DENIED)
def test_words_that_deny_earlier_ones_are_found(
    language: Language, earlier: str, words: str
) -> None:
    assert denies(language, earlier, words)
    assert denies(language, words, earlier)


@pytest.mark.parametrize(
    ("language", "earlier", "words"),
    [
        ("en", "I don't have a son, that is true.", "My daughter is nine now."),
        ("en", "I love olives, honestly.", "I love bread, and I hate waiting."),
        ("en", "I love it here, you know.", "I hate it when you say that."),
        ("en", "I grew up in Leeds, above a bakery.", "I grew up in England, in the rain."),
        ("en", "I don't drink, not since last year.", "I drink tea by the bucket."),
        ("en", "I have a dog, he is old.", "If I had a cat I would call it Dog."),
        ("en", "I have no brother, you know.", "Do I have a brother? I don't think so."),
        ("en", "I love jazz, always have.", "You said I hate jazz, and that hurt."),
        ("en", "I have two sisters, both loud.", "I have a sister who bakes."),
        ("en", "I live in Leeds, it rains there.", "I work in Bristol, up the hill."),
        ("en", "I'm 34, that is all.", "I'm thirty-four, and proud of it."),
        ("en", "I like walking, in any weather.", "I don't like walking home alone at night."),
        ("zh", "我没有儿子。", "我女儿今年九岁了。"),
        ("zh", "我喜欢吃辣。", "我不喜欢你这样说话。"),
        ("zh", "我有个姐姐。", "要是我没有姐姐，就没人管我了。"),
        ("zh", "我不喝酒。", "我喝茶，喝得可多了。"),
        ("zh", "我在杭州长大。", "我住在成都，离公司很近。"),
    ],
)
def test_words_that_go_together_are_left_alone(
    language: Language, earlier: str, words: str
) -> None:
    assert not denies(language, earlier, words)
    assert not denies(language, words, earlier)


def test_what_can_change_between_episodes_may_change() -> None:
    moved = ("I live in Leeds, it rains there.", "I live in Bristol, up the hill.")
    dog = ("I don't have a dog, sadly.", "My dog is asleep on the sofa.")
    brother = ("I don't have a brother, no.", "My brother is asleep on the sofa.")
    assert [denies("en", *pair, same_episode=False) for pair in (moved, dog, brother)] == [
        *(False, False, True)
    ]


def test_only_the_speakers_own_words_count_and_jests_do_not() -> None:
    said = (
        Said(1, 1, True, Act.DISCLOSE, "I love olives, honestly."),
        Said(1, 2, False, Act.DISCLOSE, "I hate bread, honestly."),
        Said(2, 1, True, Act.JOKE, "I hate jazz, ha ha."),
        Said(2, 2, True, Act.ASK, "Do you like hills?"),
    )
    request = a_request(Act.DISCLOSE, course=said)
    assert own_words(request) == (
        (False, "I love olives, honestly."),
        (True, "Do you like hills?"),
    )
    words = "I can't stand olives, if you want to know the truth about me."
    assert faults_of(request, "disclose", words) == ("contradiction",)
    assert faults_of(structs.replace(request, act=Act.TEASE), "tease", words) == ()
    assert faults_of(request, "disclose", "I love bread and jazz, if you want to know it.") == ()


@pytest.mark.anyio
async def test_a_repair_shows_what_had_been_said(prompts: Prompts) -> None:
    denial = {"inner_thought": "", "act": "disclose"}
    denial["words"] = "I can't stand olives, if you want to know the truth about me."
    good = {"inner_thought": "", "act": "disclose", "words": EN}
    answers = [denial, good]
    model = FakeLanguageModel(lambda _: answers.pop(0))
    request = a_request(
        Act.DISCLOSE, course=(Said(1, 1, True, Act.DISCLOSE, "I love olives, honestly."),)
    )
    speech = (await LlmVoice(model, prompts, BuiltInVoice()).speak(request)).speech
    assert (speech.status, speech.faults) == ("repaired", ("contradiction",))
    repair = model.requests[1].messages
    assert repair[:-2] == model.requests[0].messages
    assert "> I love olives, honestly." in repair[-1].content
    assert "denied" in repair[-1].content


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("If you leave now I will kill you, do you hear me.", "threat"),
        ("I'm going to hurt you, and you know that I can.", "threat"),
        ("I know where you live, remember that when you sleep.", "threat"),
        ("你敢走，我就弄死你，听见没有。", "threat"),
        ("信不信我现在就揍你，别惹我。", "threat"),
        ("I dream of sex with a schoolgirl, since you ask.", "minor"),
        ("他居然跟未成年女孩上床，还觉得没什么。", "minor"),
        ("You and your faggot friends can go home now.", "slur"),
        ("你就是个婊子，别装了行不行。", "slur"),
        ("Nobody wants you here. Just go kill yourself.", "self_harm"),
        ("You should just hurt yourself, then they would listen.", "self_harm"),
        ("The world would be better off without you, believe me.", "self_harm"),
        ("你怎么不去死，活着干什么。", "self_harm"),
        ("你干脆去跳楼，大家都清净。", "self_harm"),
        ("Call me later, it's +44 20 7946 0958, any time.", "contact"),
        ("Write to ada.linden@example.org when you get home.", "contact"),
        ("Find me there, I'm @ada_linden on everything.", "contact"),
        ("你加我吧，微信号是 adalinden88，晚上聊。", "contact"),
        ("有事打我电话13800138000，随时都行。", "contact"),
    ],
)
def test_words_that_nobody_should_say_are_faults(words: str, kind: str) -> None:
    assert dangers(words) == (kind,)
    assert dangers("All is well.", words) == (kind,)
    language: Language = "zh" if words[0] > "\u3000" else "en"
    assert "unsafe" in faults_of(a_request(language=language), "disclose", words)


@pytest.mark.parametrize(
    "words",
    [
        "I could kill for a coffee right now, honestly.",
        "Don't kill yourself over that report, it can wait.",
        "You'll hurt yourself if you carry both boxes at once.",
        "I'd be better off without you, and you know it.",
        "The kids are asleep, so we can finally have sex in peace.",
        "That is a chink in your argument, and you know it.",
        "We lived there from 2012 until 2019, in the tall house.",
        "I'll see you at 7.30, or 19.30 if you like it exact.",
        "It cost 1,250,000,000 lire, in the old money.",
        "你笑死我了，哪有这样的。",
        "我累死了，今天实在走不动。",
        "你去死心塌地爱他好了，我不拦着。",
        "我住在西湖边上，走路十分钟。",
    ],
)
def test_ordinary_words_are_safe(words: str) -> None:
    assert dangers(words) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_authored_lines_are_safe_and_need_no_tidying(language: Language) -> None:
    for act in SPECS:
        if act is Act.SILENCE:
            continue
        for line in line_book(language).lines[act]:
            words = SLOT.sub("夜跑" if language == "zh" else "night hiking", line.text)
            assert dangers(words) == ()
            assert normalised(words, a_request(language=language)) == (words, ())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_repair_and_a_report_have_words_for_every_fault(
    prompts: Prompts, language: Language
) -> None:
    faults = ("wrong_act", "wrong_language", "length", "role_break", "speaks_for_other", "markup")
    faults += ("repetition", "invented_fact", "leaked_secret", "contradiction", "unsafe")
    repair = prompts.get("simulation.repair", language)
    for fault in (*faults, "unreadable"):
        told = prompts.render(repair, repair_variables(a_request(language=language), ZH, [fault]))
        assert f"- {fault}" not in told
        assert f"fault.{fault}" in WORDS
