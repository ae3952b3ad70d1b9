"""A report made by hand: two invented people, three episodes, and on demand hostile texts."""

import dataclasses
import math
from collections.abc import Iterator

from soullink.kernel.language import Language
from soullink.modules.analysis.api import (
    Behaviour,
    Comparison,
    Counterfactual,
    Dimension,
    EpisodeView,
    Evidence,
    Feedback,
    Histogram,
    Horizon,
    Influence,
    Influences,
    Moment,
    Monitoring,
    PersonView,
    Prediction,
    Report,
    Shift,
    StateShare,
    TraitView,
    TurningMoment,
    TurnView,
)
from soullink.modules.analysis.domain.document import SCHEMA, with_digest
from tests.analysis import sample_texts as texts
from tests.analysis.sample_turns import ACTS, EPISODES, Line

HOSTILE_NAME = "<script>alert('hi')</script>\u202eevil"
RIGHT_TO_LEFT_NAME = "\u0645\u0631\u064a\u0645 \U0001f469\u200d\U0001f680"
HOSTILE_WORDS = '"><img src=x onerror=alert(1)> {{ 7 * 7 }} </style><style>*{display:none}</style>'
LONG_QUOTE = ("\u0647\u0644\u0627 <b>unbroken</b>" + "x" * 300 + " & so on \U0001f30a ") * 64


def sample_report(
    language: Language = "en", *, hostile: bool = False, forked: bool = False
) -> Report:
    """Return a realistic report. hostile: names, words and texts attack the page."""
    at = 0 if language == "en" else 1
    episodes = tuple(_episodes(at))
    report = Report(
        schema=SCHEMA,
        run_id="0199f0a2-6c1e-7d3b-9a41-5b1f0c2d7e88",
        seed=7,
        voice="built-in",
        language=language,
        versions={"code": "0.1.0", "dynamics": "3", "lines": "5", "scenarios": "2"},
        people=(_person(0, at), _person(1, at)),
        summary=texts.SUMMARY[at],
        episodes=episodes,
        dimensions=tuple(_dimensions(at, episodes)),
        behaviour=tuple(_behaviour(at, episodes)),
        prediction=_prediction(at),
        replicas=200,
        histograms=tuple(_histograms(at)),
        moments=tuple(_moments(at, episodes)),
        influences=_influences(at, episodes),
        feedback=(_feedback(0, at), _feedback(1, at)),
        limits=tuple(limit[at] for limit in texts.LIMITS),
        monitoring=Monitoring(
            turns=28,
            calls=0,
            input_tokens=0,
            output_tokens=0,
            cost_nano_usd=0,
            statuses={"fallback": 1, "ok": 25, "repaired": 1, "silent": 1},
            faults={"wrong_act": 1},
            quality={"length": 0.93, "fresh": 1.0},
        ),
        comparison=_comparison(at) if forked else None,
        digest="",
        wall={"started_at": "2026-03-02T19:30:00Z", "cpu_seconds": 0.8412},
    )
    return with_digest(_attacked(report) if hostile else report)


def _person(who: int, at: int) -> PersonView:
    known = ((71, 60, 81, "answers"), (64, 52, 75, "answers"), (83, 74, 90, "answers"),
             (38, 27, 50, "answers"), (69, 57, 79, "answers")) if who == 0 else (
             (79, 60, 92, "level"), (50, 10, 90, "unknown"), (22, 9, 40, "level"),
             (50, 10, 90, "unknown"), (50, 10, 90, "unknown"))  # fmt: skip
    close = ((66, 48, 81, "stated"), (50, 10, 90, "unknown")) if who == 0 else (
            (35, 19, 54, "stated"), (74, 58, 87, "stated"))  # fmt: skip
    names = list(texts.TRAITS)
    person = {key: pair[at][who] for key, pair in texts.PEOPLE.items()}
    return PersonView(
        id=("noor", "tobias")[who],
        age=(34, None)[who],
        traits=tuple(_trait(name, at, row) for name, row in zip(names[:5], known, strict=True)),
        attachment=tuple(_trait(name, at, row) for name, row in zip(names[5:], close, strict=True)),
        **person,  # type: ignore[arg-type]
    )


def _trait(name: str, at: int, row: tuple[float, float, float, str]) -> TraitView:
    return TraitView(name, texts.TRAITS[name][at], *row)


def _episodes(at: int) -> Iterator[EpisodeView]:
    state = {
        "mood": [0.1, 0.05],
        "trust": [0.3, 0.25],
        "closeness": [0.06, 0.2],
        "stress": [0.35, 0.5],
        "arousal": [0.4, 0.45],
        "commitment": [0.05, 0.05],
    }
    for number, (scenario, lines) in enumerate(zip(texts.SCENARIOS, EPISODES, strict=True), 1):
        before = {name: (pair[0], pair[1]) for name, pair in state.items()}
        turns = tuple(_turn(line, place, at, state) for place, line in enumerate(lines, 1))
        yield EpisodeView(
            number=number,
            scenario=scenario[0],
            title=scenario[3 + at],
            stage=scenario[1],
            setting=scenario[5 + at],
            day=scenario[2],
            goals=(texts.GOALS[0][at], texts.GOALS[1][at]),
            outcome="end",
            outcome_title=scenario[7 + at],
            success=scenario[9],
            resolution=("none", "consensus", "none")[number - 1],
            ended_by=("closed", "turns", "closed")[number - 1],
            between=(texts.BETWEEN[at],) if number == 2 else (),
            before=before,
            after={name: (pair[0], pair[1]) for name, pair in state.items()},
            turns=turns,
        )
        _let_time_pass(state)


def _let_time_pass(state: dict[str, list[float]]) -> None:
    for who in (0, 1):
        state["mood"][who] *= 0.4
        state["closeness"][who] = min(1.0, state["closeness"][who] * 1.12)
        state["stress"][who] = 0.3 + 0.5 * (state["stress"][who] - 0.3) + 0.15 * who


def _turn(line: Line, place: int, at: int, state: dict[str, list[float]]) -> TurnView:
    for name, change in (("mood", line.mood), ("trust", line.trust), ("closeness", line.close)):
        for who, step in zip((line.speaker, 1 - line.speaker), change, strict=True):
            lowest = -1.0 if name == "mood" else 0.0
            pace = 0.72 if who and name == "closeness" else 1.0  # the second warms up slowly
            state[name][who] = min(1.0, max(lowest, state[name][who] + pace * step / 100))
    return TurnView(
        sequence=place,
        speaker=line.speaker,
        act=line.act,
        act_title=ACTS[line.act][at],
        words=(line.en, line.zh)[at],
        inner_thought=(line.thought_en, line.thought_zh)[at],
        interrupted="i" in line.flags,
        misread="m" in line.flags,
        conflict=line.conflict,
        moods=_pair(state["mood"]),
        closeness=_pair(state["closeness"]),
        trust=_pair(state["trust"]),
        stress=_pair(state["stress"]),
        voice_status=_status(line),
        events=(texts.EVENTS[at],) if "e" in line.flags else (),
    )


def _status(line: Line) -> str:
    if not line.en:
        return "silent"
    return {"f": "fallback", "r": "repaired"}.get(line.flags, "ok")


def _pair(values: list[float]) -> tuple[float, float]:
    return values[0], values[1]


def _evidence(
    episodes: tuple[EpisodeView, ...], episode: int, turn: int, why: tuple[str, str], at: int
) -> Evidence:
    seen = episodes[episode - 1].turns[turn - 1]
    return Evidence(episode, turn, seen.speaker, seen.act, seen.words, why[at])


def _dimensions(at: int, episodes: tuple[EpisodeView, ...]) -> Iterator[Dimension]:
    places = {"warmth": ((1, 7), (3, 3)), "conflict": ((2, 5), (2, 8)), "fun": ((1, 2),),
              "understanding": ((3, 3), (1, 3)), "rhythm": ((2, 4),)}  # fmt: skip
    for name, row in texts.DIMENSIONS.items():
        value, low, high, here, level = texts.NUMBERS[name]
        yield Dimension(
            name, row[at], value, low, high, here, level, texts.RESTS_ON[at], row[2 + at],
            tuple(_evidence(episodes, *place, texts.WHY["dimension"], at)
                  for place in places.get(name, ())),
        )  # fmt: skip


def _behaviour(at: int, episodes: tuple[EpisodeView, ...]) -> Iterator[Behaviour]:
    for name, here, median, low, high, unit, *words in texts.BEHAVIOUR:
        seen = (_evidence(episodes, 2, 8, texts.WHY["dimension"], at),) if median else ()
        yield Behaviour(name, words[at], here, median, low, high, unit, words[2 + at], seen)


def _prediction(at: int) -> Prediction:
    horizons = tuple(
        Horizon(number, scenario[2] + number, scenario[3 + at], _states(at, shares))
        for number, (scenario, shares) in enumerate(
            zip(texts.SCENARIOS, texts.SHARES, strict=True), 1
        )
    )
    counterfactuals = tuple(
        Counterfactual(name, words[at], person, effect, low, high, closeness)
        for name, person, effect, low, high, closeness, *words in texts.COUNTERFACTUALS
    )
    together = _share("together", ("Together", "在一起")[at], 0.78)
    again = _share("again", ("Both want to meet again", "两人都愿意再见")[at], 0.16)
    anyone = _share("together", together.title, 0.7)
    return Prediction(texts.PREDICTION[at], horizons, together, counterfactuals, again, anyone)


def _states(at: int, shares: tuple[float, ...]) -> tuple[StateShare, ...]:
    return tuple(
        _share(state, title[at], share)
        for (state, title), share in zip(texts.STATES.items(), shares, strict=True)
    )


def _share(state: str, title: str, share: float, count: int = 200) -> StateShare:
    z = 1.959964
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    half /= 1 + z * z / count
    return StateShare(state, title, share, max(0.0, middle - half), min(1.0, middle + half))


def _histograms(at: int) -> Iterator[Histogram]:
    for name, english, chinese, (low, high), counts, here in texts.HISTOGRAMS:
        edges = tuple(low + (high - low) * step / len(counts) for step in range(len(counts) + 1))
        yield Histogram(name, (english, chinese)[at], edges, counts, here)


def _moments(at: int, episodes: tuple[EpisodeView, ...]) -> Iterator[Moment]:
    for episode, turn, change in ((2, 8, 0.23), (2, 9, 0.24), (2, 5, -0.19), (3, 3, 0.21)):
        seen = _evidence(episodes, episode, turn, texts.WHY["moment"], at)
        yield Moment(seen, change, episodes[episode - 1].title)


def _influences(at: int, episodes: tuple[EpisodeView, ...]) -> Influences:
    factors = tuple(
        Influence(name, words[at], kind, person, told, Shift(*together), Shift(*satisfaction))
        for name, kind, person, told, together, satisfaction, *words in texts.FACTORS
    )
    seen = _evidence(episodes, 2, 8, texts.WHY["dimension"], at)
    moments = (
        TurningMoment(
            "2.8", texts.TURNING[0][at], 2, 8, seen.speaker, texts.TURNING[1][at], seen,
            Shift(0.03, -0.01, 0.07), Shift(0.06, 0.02, 0.1),
        ),
        TurningMoment(
            "2.0.1.illness", texts.BETWEEN[at], 2, 0, 1, texts.TURNING[2][at], None,
            Shift(-0.01, -0.04, 0.02), Shift(-0.02, -0.03, -0.01),
        ),
    )  # fmt: skip
    return Influences(texts.MOVED[at], factors, 52, 1600, moments, 0.61, 0.57, 12)


def _feedback(who: int, at: int) -> Feedback:
    return Feedback(who, *texts.FEEDBACK[who][3 * at : 3 * at + 3])


def _comparison(at: int) -> Comparison:
    rows = (
        ("warmth", texts.DIMENSIONS["warmth"][at], 70.0, 78.0),
        ("closeness", ("Closeness at the end", "结束时的亲密")[at], 0.41, 0.66),
    )
    parent = "0199f0a2-0000-7d3b-9a41-5b1f0c2d7e11"
    return Comparison(parent, {"tobias.mood": "0.6"}, (2, 4), rows)


def _attacked(report: Report) -> Report:
    first, second = report.people
    people = (
        dataclasses.replace(first, name=HOSTILE_NAME, city=HOSTILE_WORDS),
        dataclasses.replace(second, name=RIGHT_TO_LEFT_NAME, interests=("\u202e" + HOSTILE_WORDS,)),
    )
    opening = report.episodes[0]
    turns = (
        dataclasses.replace(opening.turns[0], words=HOSTILE_WORDS, inner_thought=HOSTILE_WORDS),
        dataclasses.replace(opening.turns[1], words=LONG_QUOTE, events=(HOSTILE_WORDS,)),
        *opening.turns[2:],
    )
    quoted = Evidence(1, 2, 1, "joke", LONG_QUOTE, HOSTILE_WORDS)
    assert report.influences is not None
    first_factor, *others = report.influences.factors
    turned, event = report.influences.moments
    moved = dataclasses.replace(
        report.influences,
        summary=HOSTILE_WORDS,
        factors=(dataclasses.replace(first_factor, title=HOSTILE_WORDS), *others),
        moments=(dataclasses.replace(turned, evidence=quoted, instead=HOSTILE_WORDS), event),
    )
    spoken = dataclasses.replace(report.dimensions[0], evidence=(quoted,), title=HOSTILE_WORDS)
    return dataclasses.replace(
        report,
        people=people,
        summary=f"{HOSTILE_NAME} \U0001f30a {HOSTILE_WORDS}",
        episodes=(dataclasses.replace(opening, turns=turns), *report.episodes[1:]),
        dimensions=(spoken, *report.dimensions[1:]),
        moments=(Moment(quoted, 0.2, HOSTILE_WORDS),),
        influences=moved,
        limits=(HOSTILE_WORDS,),
        voice="</title>" + HOSTILE_WORDS,
        versions={HOSTILE_WORDS: HOSTILE_WORDS},
    )
