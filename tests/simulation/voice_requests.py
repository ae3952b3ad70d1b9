"""People, a scenario and requests for the tests of voices, and a way to live many turns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from soullink.kernel.ids import PersonId
from soullink.kernel.language import Language
from soullink.modules.profiles.api import Profile, Wants
from soullink.modules.simulation.api import (
    STAGES,
    Act,
    Effect,
    Goal,
    Outcome,
    PersonState,
    Scenario,
    Speech,
    Stage,
    Topic,
)
from soullink.modules.simulation.domain.acts import SPECS
from soullink.modules.simulation.voice import draws
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.port import STYLES, Place, Said, SpeechRequest

ADA = Profile(
    id=PersonId("ada"),
    name="Ada Linden",
    age=34,
    city="Leeds",
    occupation="Nurse",
    languages=("English",),
    interests=("night hiking", "old synthesisers", "bread baking", "crosswords"),
    values={"benevolence": 5.5, "self_direction": 4.0, "power": 1.0},
    essays={"about": "I grew up above a bakery. My sister runs it now. I have two cats."},
    wants=Wants(goal="long_term", text="somebody who stays for the washing-up"),
    secrets=("I failed my driving test nine times and never told anybody",),
)
BEN = Profile(
    id=PersonId("ben"),
    name="Ben Okafor",
    age=37,
    city="Bristol",
    occupation="Software Engineer",
    interests=("climbing", "bread baking", "jazz records"),
    values={"achievement": 5.0, "stimulation": 4.5, "tradition": 1.0},
    secrets=("He gambled away the deposit for the flat in Cardiff",),
)
XIA = Profile(
    id=PersonId("xia"),
    name="林晓雨",
    language="zh",
    age=31,
    city="杭州",
    occupation="护士",
    interests=("夜跑", "老唱片", "做面包"),
    values={"benevolence": 5.5, "security": 4.0, "power": 1.0},
    secrets=("偷偷欠了二十万的网贷一直没敢告诉家里",),
)
YUE = Profile(
    id=PersonId("yue"),
    name="周越",
    language="zh",
    age=33,
    city="成都",
    occupation="程序员",
    interests=("攀岩", "做面包", "看展"),
    values={"achievement": 5.0, "stimulation": 4.5},
    secrets=("以前偷偷把房子的首付拿去炒币全亏了",),
)
NOBODY = Profile(id=PersonId("nobody"), name="Sam")
PEOPLE: Mapping[Language, tuple[Profile, Profile]] = {"en": (ADA, BEN), "zh": (XIA, YUE)}

FLAT: Mapping[str, float] = dict.fromkeys(STYLES, 1 / len(STYLES))
CALM = PersonState(mood=0.1, arousal=0.3, stress=0.2, trust=0.5, closeness=0.3, commitment=0.2)


def leaning(style: str, weight: float = 0.7) -> Mapping[str, float]:
    rest = (1 - weight) / (len(STYLES) - 1)
    return {name: weight if name == style else rest for name in STYLES}


def a_scenario(stage: Stage = Stage.EARLY_DATING) -> Scenario:
    return Scenario(
        id="late_train",
        version=1,
        stage=stage,
        topic=Topic.EVERYDAY,
        title={"en": "The last train", "zh": "末班车"},
        setting={"en": "A platform at night.", "zh": "夜里的站台。"},
        turns=(8, 20),
        minutes=40,
        gap_days=(3, 10),
        demands={},
        pressures={},
        parameters=(),
        goals=(
            Goal("home", {"en": "get home", "zh": "回家"}, {}),
            Goal("stay", {"en": "stay longer", "zh": "多待会儿"}, {}),
        ),
        acts={},
        decision=None,
        triggers=(),
        outcomes=(Outcome("over", {"en": "Over", "zh": "结束"}, (), 0.0, Effect()),),
        words={
            "place": {
                "en": ("this cold platform", "the far end of the platform"),
                "zh": ("这冷飕飕的站台", "站台尽头"),
            },
            "activity": {
                "en": ("waiting for the last train", "reading the timetable"),
                "zh": ("等末班车", "看时刻表"),
            },
            "issue": {"en": ("the ticket money", "being late again"), "zh": ("车票钱", "又晚点")},
            "plan": {"en": ("take the night bus", "walk home"), "zh": ("坐夜班公交", "走回去")},
            "detail": {
                "en": ("that flickering lamp", "the frozen clock"),
                "zh": ("那盏一闪一闪的灯", "那口停了的钟"),
            },
            "memory": {
                "en": ("the night we missed the last train",),
                "zh": ("没赶上末班车的那晚",),
            },
        },
    )


def a_request(act: Act = Act.DISCLOSE, language: Language = "en", **changes: Any) -> SpeechRequest:
    speaker, listener = PEOPLE[language]
    scenario = changes.pop("scenario", None) or a_scenario()
    request = SpeechRequest(
        language=language,
        act=act,
        speaker=speaker,
        listener=listener,
        styles=FLAT,
        scenario=scenario,
        stage=scenario.stage,
        setting=scenario.setting[language],
        goal=scenario.goals[0].text[language],
        episode=2,
        sequence=5,
        seed=1,
        heard="open",
        previous=Act.ASK,
        history=(),
        memories=(),
        memory_phrases=scenario.words.get("memory", {}).get(language, ()),
        state=CALM,
        interrupted=False,
        events=(),
        used_lines=frozenset(),
        used_words=frozenset(),
    )
    request = structs.replace(request, **changes)
    if "course" not in changes:
        request = structs.replace(request, course=a_course(request.history, request.episode))
    if "places" not in changes:
        title = request.scenario.title[language]
        place = Place(title, request.setting, request.goal)
        request = structs.replace(
            request, places=dict.fromkeys(range(1, request.episode + 1), place)
        )
    return request


def a_course(
    history: Sequence[tuple[int, str]],
    episode: int = 2,
    acts: Sequence[Act] = (Act.DISCLOSE, Act.ASK),
) -> tuple[Said, ...]:
    """Return the turns of one episode in which these words were said; 0 is the speaker."""
    return tuple(
        Said(episode, number, who == 0, acts[number % len(acts)], words)
        for number, (who, words) in enumerate(history, start=1)
    )


# Roughly how often people do what in the courses of the dynamics.
COMMON = (
    *(Act.DISCLOSE, Act.ASK, Act.SMALL_TALK, Act.VALIDATE, Act.AGREE, Act.JOKE, Act.DISCLOSE),
    *(Act.ASK, Act.SUPPORT, Act.PLAN, Act.TEASE, Act.COMPLIMENT, Act.REQUEST, Act.COMPLAIN),
    *(Act.REPAIR, Act.DEFEND, Act.INSIST, Act.APOLOGISE, Act.AFFECTION, Act.WITHDRAW, Act.THANK),
    *(Act.CRITICISE, Act.COMPROMISE, Act.CONFIDE, Act.SILENCE, Act.SMALL_TALK, Act.AGREE),
)


@dataclass
class Lived:
    request: SpeechRequest
    speaker: int
    speech: Speech


def live(
    turns: int,
    language: Language = "en",
    *,
    people: tuple[Profile, Profile] | None = None,
    styles: tuple[Mapping[str, float], Mapping[str, float]] = (FLAT, FLAT),
    seed: int = 0,
    acts: Sequence[Act] = COMMON,
    voice: BuiltInVoice | None = None,
) -> list[Lived]:
    """Speak `turns` turns in episodes of twenty, over all stages, acts drawn from `acts`."""
    voice = voice or BuiltInVoice()
    people = people or PEOPLE[language]
    lived: list[Lived] = []
    for turn in range(turns):
        episode, sequence = 1 + turn // 20, 1 + turn % 20
        stage = STAGES[(episode - 1) % len(STAGES)]
        act = acts[int(draws.unit(seed, "act", turn) * len(acts))]
        if sequence == 1:
            act = Act.GREET
        scene = a_scenario(stage)
        before = lived[turn - sequence + 1 :]
        speaker = turn % 2
        past = before[-1].request.act if before else None
        request = a_request(
            act,
            language,
            scenario=scene,
            speaker=people[speaker],
            listener=people[1 - speaker],
            styles=styles[speaker],
            episode=episode,
            sequence=sequence,
            seed=int(draws.unit(seed, "seed", turn) * 2**53),
            previous=past,
            heard=None if past is None else SPECS[past].act_class.value,
            history=tuple(
                (0 if one.speaker == speaker else 1, one.speech.words) for one in before[-12:]
            ),
            memory_phrases=() if episode == 1 else scene.words["memory"][language],
            used_lines=frozenset(one.speech.line for one in lived if one.speech.line),
            used_words=frozenset(one.speech.words for one in lived),
            interrupted=turn % 17 == 16,
        )
        lived.append(Lived(request, speaker, voice.say(request)))
    return lived
