"""The course shown, episode by episode, in the report's language."""

from collections.abc import Mapping, Sequence

from soullink.kernel.language import Language
from soullink.modules.analysis.api import EpisodeView, TurnView
from soullink.modules.analysis.domain.wording import codes
from soullink.modules.simulation.api import (
    STATE_VARIABLES,
    Course,
    Episode,
    Pair,
    PersonState,
    Scenario,
    Turn,
)


def episode_views(
    course: Course, names: tuple[str, str], language: Language
) -> tuple[EpisodeView, ...]:
    """Return every finished episode of `course` with its turns."""
    return tuple(
        _episode(
            episode,
            [turn for turn in course.turns if turn.episode == episode.number],
            names,
            language,
        )
        for episode in course.episodes
    )


def _episode(
    episode: Episode, turns: Sequence[Turn], names: tuple[str, str], language: Language
) -> EpisodeView:
    scenario = episode.scenario
    outcome = next(o for o in scenario.outcomes if o.id == episode.outcome)
    first, second = (scenario.goals[role].text[language] for role in episode.roles)
    return EpisodeView(
        number=episode.number,
        scenario=scenario.id,
        title=scenario.title[language],
        stage=str(scenario.stage),
        setting=scenario.rendered_setting(episode.parameters, language),
        day=episode.day,
        goals=(first, second),
        outcome=episode.outcome,
        outcome_title=outcome.title[language],
        success=episode.success,
        resolution=episode.resolution,
        ended_by=episode.ended_by,
        between=tuple(codes.life_event(event, names, language) for event in episode.between),
        before=_states(episode.before),
        after=_states(episode.after),
        turns=tuple(_turn(turn, scenario, language) for turn in turns),
    )


def _turn(turn: Turn, scenario: Scenario, language: Language) -> TurnView:
    return TurnView(
        sequence=turn.sequence,
        speaker=turn.speaker,
        act=str(turn.act),
        act_title=codes.act(turn.act, language),
        words=turn.speech.words,
        inner_thought=turn.speech.inner_thought,
        interrupted=turn.interrupted,
        misread=turn.appraisal.misread,
        conflict=turn.conflict,
        moods=_both(turn.after, "mood"),
        closeness=_both(turn.after, "closeness"),
        trust=_both(turn.after, "trust"),
        stress=_both(turn.after, "stress"),
        voice_status=turn.speech.status,
        events=tuple(scenario.event_text(event, language) for event in turn.events),
    )


def _states(pair: Pair) -> Mapping[str, tuple[float, float]]:
    return {name: _both(pair, name) for name in STATE_VARIABLES}


def _both(pair: Pair, name: str) -> tuple[float, float]:
    first, second = (_value(state, name) for state in pair)
    return first, second


def _value(state: PersonState, name: str) -> float:
    return float(getattr(state, name))
