"""What counts as a fault of a model's words, and what does not."""

from dataclasses import replace

import pytest
from msgspec import structs

from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.profiles.api import Wants
from soullink.modules.simulation.api import Act
from soullink.modules.simulation.domain.acts import SPECS
from soullink.modules.simulation.voice.checks import faults_of
from soullink.modules.simulation.voice.facts import invented
from soullink.modules.simulation.voice.lines import SLOT, line_book
from soullink.modules.simulation.voice.port import SpeechRequest
from tests.simulation.voice_requests import ADA, BEN, XIA, a_request

GOOD_EN = "Honestly, I'd rather be out on a hill at night than at any party."
GOOD_ZH = "说真的，比起凑热闹，我更愿意一个人夜里出去跑一圈。"


def faults(
    words: str, language: Language = "en", act: str = "disclose", **changes: object
) -> tuple[str, ...]:
    return faults_of(a_request(Act.DISCLOSE, language, **changes), act, words)


def test_good_words_have_no_fault() -> None:
    assert faults(GOOD_EN) == ()
    assert faults(GOOD_ZH, "zh") == ()


def test_another_act_is_a_fault_and_its_spelling_is_not() -> None:
    assert faults(GOOD_EN, act="ask") == ("wrong_act",)
    assert faults(GOOD_EN, act=" Disclose ") == ()


@pytest.mark.parametrize(
    ("words", "language", "fault"),
    [
        (GOOD_ZH, "en", "wrong_language"),
        (GOOD_EN, "zh", "wrong_language"),
        ("Too short, that one.", "en", "length"),
        ("太短了。", "zh", "length"),
        (" ".join(["word"] * 41), "en", "length"),
        ("长" * 81, "zh", "length"),
        ("As an AI language model I have no evenings of my own, sorry.", "en", "role_break"),
        ("I cannot continue this role-play, it makes me uncomfortable.", "en", "role_break"),
        ("My instructions say I should only disclose something small.", "en", "role_break"),
        ("The system prompt says that I grew up near hills and like walking.", "en", "role_break"),
        ("作为一个AI，我没有真正的夜晚，也没有真正的兴趣爱好。", "zh", "role_break"),
        ("我不能继续扮演这个人物了，这样的对话不太合适。", "zh", "role_break"),
        ("Ada: I'd rather be out on a hill at night than here.", "en", "speaks_for_other"),
        ("I like it here. Ben: So do I, let's stay a while longer.", "en", "speaks_for_other"),
        ("I like hills at night, and Ben says he likes them.", "en", "speaks_for_other"),
        ("晓雨：说真的，我更愿意一个人夜里出去跑一圈。", "zh", "speaks_for_other"),
        ("我喜欢夜里跑步，周越说：我也喜欢，下次一起去吧。", "zh", "speaks_for_other"),
        ("*smiles* I'd rather be out on a hill at night than here.", "en", "markup"),
        ("Have a look at https://example.org/hills before we go out there.", "en", "markup"),
        ("I'd rather be out on a {hill} at night than at parties.", "en", "markup"),
        ("First I like hills.\nSecond I like them even more at night.", "en", "markup"),
        ("我写在这里了，你看www.example.org就全都明白了。", "zh", "markup"),
    ],
)
def test_faults_are_found(words: str, language: Language, fault: str) -> None:
    assert fault in faults(words, language)


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("Ben, honestly, you could have told me about this a week ago.", "en"),
        ("There are two things: I'm tired, and I'm hungry, in that order.", "en"),
        ("I can't help with the sofa today, my back has gone again.", "en"),
        ("You know what, I think I prefer the old model of that radio.", "en"),
        ("我今天看了一部老电影，叫《Casablanca》，看得我直犯困。", "zh"),
        ("三点到五点，我都在，你随时过来，别带东西。", "zh"),
    ],
)
def test_ordinary_words_are_left_alone(words: str, language: Language) -> None:
    assert faults(words, language) == ()


def test_saying_it_again_is_a_fault_and_taking_it_up_is_not() -> None:
    earlier = frozenset({GOOD_EN})
    assert faults(GOOD_EN + " Yes.", used_words=earlier) == ("repetition",)
    assert faults("A hill at night, I said. You laughed, and I meant it.", used_words=earlier) == ()
    assert faults(GOOD_EN, history=((1, GOOD_EN),)) == ("repetition",)
    assert faults(GOOD_ZH + "真的。", "zh", used_words=frozenset({GOOD_ZH})) == ("repetition",)


INVENTED: list[tuple[Language, str, str]] = [
    ("en", "My brother would have laughed at the two of us standing here.", "brother"),
    ("en", "I have a dog who hates trains even more than I do.", "dog"),
    ("en", "I've got two kids waiting for me at home tonight, you know.", "kids"),
    ("en", "My little parrot says that word better than you do, sorry.", "parrot"),
    ("en", "I work as a pilot, so waiting for machines is nothing new.", "pilot"),
    ("en", "I'm a lawyer, I argue for money, so let's not argue here.", "lawyer"),
    ("en", "I live in Oslo and there the trains do come on time.", "Oslo"),
    ("en", "I grew up in New Zealand, so this rain is nothing to me.", "New Zealand"),
    ("en", "I'm from Lisbon, we don't do queues like this one at all.", "Lisbon"),
    ("en", "I'm 52 and I have never seen a train as late as this.", "52"),
    ("en", "I'm twenty-five, I've got time, let it be late for all I care.", "twenty-five"),
    ("en", "I'm divorced, so a late train doesn't exactly frighten me anymore.", "divorced"),
    ("en", "I'm a single mother, waiting is what I do best of all.", "mother"),
    ("en", "I earn $90,000 a year and I still can't afford a taxi.", "$90,000"),
    ("zh", "我哥哥要是看见咱们俩站在这儿，肯定笑死。", "哥哥"),
    ("zh", "我姐从小就不让我一个人坐夜车，说不安全。", "姐"),
    ("zh", "我养了一只猫，比这趟车还会让人等，真的。", "猫"),
    ("zh", "我有两个孩子在家等着，今天实在不能太晚。", "孩子"),
    ("zh", "我离过婚，所以晚一趟车真的吓不着我。", "离过婚"),
    ("zh", "我是律师，吵架是要收钱的，咱们别在这儿吵。", "律师"),
    ("zh", "我住在北京，那边的地铁从来不让人这么等。", "北京"),
    ("zh", "我今年四十五岁了，还没见过这么晚的车。", "四十五"),
]


@pytest.mark.parametrize(("language", "words", "key"), INVENTED)
def test_claims_that_nothing_supports_are_found(language: Language, words: str, key: str) -> None:
    assert invented(words, a_request(language=language)) == (key,)
    assert faults(words, language) == ("invented_fact",)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "My sister runs the bakery now, and she's better at it than me."),
        ("en", "I have two cats at home and they think I'm late on purpose."),
        ("en", "I'm a nurse, waiting around at night is half of the job."),
        ("en", "I work as a nurse, so nothing on this platform shocks me."),
        ("en", "I live in Leeds, it rains there too, only with more feeling."),
        ("en", "I'm 34 and I have never seen a train as late as this."),
        ("en", "I'm thirty-four, and I have never been this cold, I swear."),
        ("en", "If I had a dog I'd never have to talk to you here."),
        ("en", "I wish I have a dog one day, a very old and lazy one."),
        ("en", "I don't have a brother, so nobody ever stole my bread before."),
        ("en", "Your brother would have laughed at the two of us standing here."),
        ("en", "My mother always said that trains are late for a reason."),
        ("en", "I'm married to this queue by now, or that's what it feels like."),
        ("en", "I'm 20 minutes late and I've been sorry for all twenty of them."),
        ("en", "When I was twelve I thought trains slept at night like people."),
        ("en", "I live in fear of that loudspeaker, it knows my name by now."),
        ("en", "I make 3 mistakes a day and all of them before nine o'clock."),
        ("en", "I'm a bit of a night owl, ask anybody on this platform."),
        ("zh", "我是护士，夜里等着是家常便饭，没事的。"),
        ("zh", "我住杭州，那边下雨也是这个样子，没完没了。"),
        ("zh", "我妈老说，车晚点总有车晚点的道理。"),
        ("zh", "你姐姐要是看见咱们俩站在这儿，肯定笑死。"),
        ("zh", "我哥们都说我这个人太闷，不会聊天，你别介意。"),
        ("zh", "要是我有一只猫，就不用在这儿跟你说话了。"),
        ("zh", "我十二岁的时候还以为火车晚上也要睡觉。"),
        ("zh", "我今年三十一岁了，还没见过这么晚的车。"),
        ("zh", "我在公司门口等了你半天，结果你从后门走了。"),
        ("zh", "我们什么时候结婚这种事，先别在站台上问，好吗。"),
    ],
)
def test_supported_and_harmless_words_are_no_inventions(language: Language, words: str) -> None:
    assert invented(words, a_request(language=language)) == ()


def test_history_memories_setting_and_wants_support_a_claim() -> None:
    words = "My brother would have laughed at the two of us standing here."
    supported: list[SpeechRequest] = [
        a_request(history=((0, "I told you about my brother, didn't I?"),)),
        a_request(memories=("Her brother called during dinner.",)),
        a_request(setting="The brother of one of them is ill."),
        a_request(speaker=replace(ADA, essays={"family": "Three brothers and no bathroom."})),
    ]
    assert [invented(words, request) for request in supported] == [(), (), (), ()]
    parent = replace(ADA, wants=Wants(children="has_and_done"))
    assert invented("I have a daughter at home, so not too late.", a_request(speaker=parent)) == ()


def test_an_unknown_age_cannot_be_claimed_but_a_birth_date_needs_a_calendar() -> None:
    from datetime import date

    words = "I'm 29, and I have never seen a train as late as this."
    assert invented(words, a_request(speaker=replace(ADA, age=None))) == ("29",)
    born = replace(ADA, age=None, birth_date=date(1995, 4, 3))
    assert invented(words, a_request(speaker=born)) == ()


def test_the_other_persons_secret_is_not_the_speakers_to_tell() -> None:
    words = "You gambled away the deposit for that flat in Cardiff, and we both know it."
    assert faults(words) == ("leaked_secret",)
    told = ((1, "I gambled the deposit for the flat in Cardiff away. All of it."),)
    assert faults(words, history=told) == ()
    assert faults("You were looking at flats for a long time, weren't you, honestly?") == ()
    assert faults("你不是把房子的首付拿去炒币全亏了吗，还装什么。", "zh") == ("leaked_secret",)
    assert faults("你以前看房子看了那么久，后来怎么不看了。", "zh") == ()


def test_an_own_secret_comes_out_word_for_word_only_when_confiding() -> None:
    secret = ADA.secrets[0]
    words = f"All right, here it is: {secret}."
    request = a_request(Act.DISCLOSE)
    assert faults_of(request, "disclose", words) == ("leaked_secret",)
    assert faults_of(structs.replace(request, act=Act.CONFIDE), "confide", words) == ()
    assert faults("I'm not a driver, let's leave it at that, shall we?") == ()
    assert faults(f"好吧，跟你说，我{XIA.secrets[0]}。", "zh") == ("leaked_secret",)


def test_a_secret_that_the_partner_shows_in_public_is_no_leak() -> None:
    open_book = replace(BEN, secrets=("loves jazz records",))
    assert (
        faults("You and your jazz records, I do love that about you, truly.", listener=open_book)
        == ()
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_authored_lines_pass_most_of_the_checks_themselves(language: Language) -> None:
    """Where checks find fault with what was written by hand, they are too strict."""
    blamed = total = 0
    for act in SPECS:
        if act is Act.SILENCE:
            continue
        for line in line_book(language).lines[act]:
            words = SLOT.sub("夜跑" if language == "zh" else "night hiking", line.text)
            found = set(faults_of(a_request(act, language), act.value, words)) - {"length"}
            total += 1
            blamed += bool(found)
    assert blamed / total < 0.01
