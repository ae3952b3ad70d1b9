"""Builds the analysis module."""

from collections.abc import Sequence

from soullink.modules.analysis.agents import AnalysisAgent
from soullink.modules.analysis.api import Analysis
from soullink.modules.analysis.service import AnalysisService
from soullink.modules.personality.api import Personality
from soullink.modules.simulation.api import Scenario


def build(personality: Personality, scenarios: Sequence[Scenario] = ()) -> Analysis:
    """Return analysis.

    scenarios: the shipped ones, so that a report can name episodes that a course did not reach.
    """
    return AnalysisService(AnalysisAgent(personality, tuple(scenarios)))
