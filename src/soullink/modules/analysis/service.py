"""What analysis does: reports as objects, as data and as a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soullink.kernel.language import Language
from soullink.modules.analysis.agents import AnalysisAgent
from soullink.modules.analysis.api import Analysis, Explanation, Moved, Report
from soullink.modules.analysis.domain.document import to_document
from soullink.modules.analysis.domain.document_schema import schema
from soullink.modules.analysis.domain.explanation import explanation
from soullink.modules.analysis.domain.prediction import interventions
from soullink.modules.analysis.render.page import page
from soullink.modules.simulation.api import Course, Intervention, Replicas
from soullink.modules.simulation.sensitivity.api import Shares


@dataclass(frozen=True, slots=True)
class AnalysisService(Analysis):
    """Analysis without a store: everything is computed from what it is given."""

    agent: AnalysisAgent

    def report(
        self,
        course: Course,
        replicas: Replicas,
        alternatives: Mapping[str, Replicas],
        language: Language,
        parent: Course | None = None,
        *,
        baseline: Replicas | None = None,
        moved: Moved | None = None,
    ) -> Report:
        return self.agent.examine(course, replicas, alternatives, language, parent, baseline, moved)

    def explanation(
        self,
        course: Course,
        replicas: Replicas,
        alternatives: Mapping[str, Replicas],
        moved: Moved,
        shares: Shares,
        language: Language,
    ) -> Explanation:
        return explanation(course, replicas, alternatives, moved, shares, language)

    def interventions(self) -> list[Intervention]:
        return interventions()

    def document(self, report: Report) -> dict[str, Any]:
        return to_document(report)

    def schema(self) -> dict[str, Any]:
        return schema()

    def page(self, report: Report) -> str:
        return page(report)
