"""The analysis agent: reads a lived course and its replicas and says what they tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from soullink.kernel.errors import InvalidInputError
from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.analysis.api import Moved, Report
from soullink.modules.analysis.domain import (
    behaviour,
    comparison,
    counts,
    dimensions,
    episodes,
    influences,
    limits,
    moments,
    monitoring,
    people,
    prediction,
    reference,
    standing,
)
from soullink.modules.analysis.domain import feedback as feedback_domain
from soullink.modules.analysis.domain.document import SCHEMA, with_digest
from soullink.modules.analysis.domain.wording.codes import NOT_REACHED
from soullink.modules.personality.api import Personality
from soullink.modules.simulation.api import Course, Replicas, Scenario

ANALYSIS_VERSION: Final = "2"
"""Changes when the same course and replicas would give another report."""


@dataclass(frozen=True, slots=True)
class AnalysisAgent:
    """Looks at courses; keeps nothing between two of them.

    scenarios: to name those that a course did not reach.
    """

    personality: Personality
    scenarios: Sequence[Scenario] = ()

    def examine(
        self,
        course: Course,
        replicas: Replicas,
        alternatives: Mapping[str, Replicas],
        language: Language,
        parent: Course | None,
        baseline: Replicas | None = None,
        moved: Moved | None = None,
    ) -> Report:
        """Return the report; see api.Analysis.report. Raises InvalidInputError."""
        _check(course, replicas, language)
        run = course.run
        profiles = run.people
        names = (profiles[0].name, profiles[1].name)
        personas = (self.personality.persona(profiles[0]), self.personality.persona(profiles[1]))
        known = people.known_of(profiles, personas)
        here, many = counts.of_course(course), counts.of_replicas(replicas)
        lived = [episode.scenario.id for episode in course.episodes]
        finished = {episode.number for episode in course.episodes}
        turns = [turn for turn in course.turns if turn.episode in finished]
        day = _day(run.created_at)
        views = (
            people.person_view(profiles[0], personas[0], day, language),
            people.person_view(profiles[1], personas[1], day, language),
        )
        found = dimensions.dimensions(
            (here, lived), (many, replicas.scenarios), turns, names, known, language
        )
        outlook = prediction.prediction(
            replicas,
            alternatives,
            self._titles(course, replicas, language),
            names,
            language,
            baseline,
        )
        sides = feedback_domain.Sides(
            names=names,
            scores=standing.person_scores(many, replicas.scenarios),
            wants=(profiles[0].wants, profiles[1].wants),
            untold=(
                people.untold(profiles[0], personas[0]),
                people.untold(profiles[1], personas[1]),
            ),
            turns=turns,
            changes=outlook.counterfactuals,
            dimensions=found,
        )
        report = Report(
            schema=SCHEMA,
            run_id=str(run.id),
            seed=run.settings.seed,
            voice=run.settings.voice,
            language=language,
            versions={
                **run.versions,
                "analysis": ANALYSIS_VERSION,
                "reference": reference.DYNAMICS,
            },
            people=views,
            summary=limits.summary(course, found, outlook, replicas, language),
            episodes=episodes.episode_views(course, names, language),
            dimensions=found,
            behaviour=behaviour.behaviours(here, many, turns, names, language),
            prediction=outlook,
            replicas=many.size,
            histograms=moments.histograms(here, many, language),
            moments=moments.moments(course, names, language),
            influences=(
                None
                if moved is None
                else influences.influences(
                    moved, influences.conduct(replicas, alternatives, outlook), course, language
                )
            ),
            feedback=(
                feedback_domain.feedback(0, sides, language),
                feedback_domain.feedback(1, sides, language),
            ),
            limits=limits.limits(replicas, views, run.settings.voice, language),
            monitoring=monitoring.monitoring(course.turns),
            comparison=(
                None
                if parent is None or run.fork is None
                else comparison.comparison(parent, course, run.fork, language)
            ),
            digest="",
            wall=monitoring.wall(course),
        )
        return with_digest(report)

    def _titles(self, course: Course, replicas: Replicas, language: Language) -> list[str]:
        """Return the titles of the replicas' scenarios, also of those the course did not reach."""
        known = {scenario.id: scenario for scenario in self.scenarios}
        known |= {episode.scenario.id: episode.scenario for episode in course.episodes}
        return [
            known[name].title[language] if name in known else NOT_REACHED[language]
            for name in replicas.scenarios
        ]


def _check(course: Course, replicas: Replicas, language: Language) -> None:
    if language not in LANGUAGES:
        raise InvalidInputError(f"A report is written in {' or '.join(LANGUAGES)}.")
    if not course.episodes:
        raise InvalidInputError(
            f"Run {course.run.id} has no finished episode yet; continue it with `soullink resume`."
        )
    expected = tuple(str(person.id) for person in course.run.people)
    if replicas.people != expected:
        raise InvalidInputError(
            f"The replicas are of {' and '.join(replicas.people)}, the course is of "
            f"{' and '.join(expected)}; make replicas of this run."
        )


def _day(created_at: str) -> date | None:
    return datetime.fromisoformat(created_at).date() if created_at else None
