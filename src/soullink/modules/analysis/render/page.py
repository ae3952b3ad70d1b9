"""A report as one self-contained page: no scripts, nothing loaded from elsewhere."""

import re
from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from soullink.kernel.language import Language
from soullink.modules.analysis.api import (
    DIMENSIONS,
    Evidence,
    Horizon,
    Influence,
    PersonView,
    Report,
    Shift,
    TurningMoment,
)
from soullink.modules.analysis.render import charts, course, figures, radar, words

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Even if a text broke out of its place, the browser would run and load nothing."""

QUOTE_LENGTH: Final = 320
BUBBLE_LENGTH: Final = 900

_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe]")
"""Control characters that HTML forbids and those that turn the direction of what follows."""

_STYLES: Final = ("frame.css", "parts.css", "charts.css", "print.css")


def page(report: Report) -> str:
    """Return `report` as HTML in its language."""
    return _ENVIRONMENT.get_template("page.html.j2").render(_View(report).context())


def visible(value: object) -> object:
    """Return a text without the characters that could disturb the page around it."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _UNSEEN.sub("", value)
    return value


def shortened(text: str, length: int = QUOTE_LENGTH) -> str:
    """Return `text` in at most `length` characters, with an ellipsis where it was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "\u2026"


_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("soullink.modules.analysis.render"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=visible,
    trim_blocks=True,
    lstrip_blocks=True,
)


class _View:
    """What the templates see of one report."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._language: Language = report.language
        self._acts = {
            (episode.number, turn.sequence): turn.act_title
            for episode in report.episodes
            for turn in episode.turns
        }

    def context(self) -> Mapping[str, Any]:
        report = self._report
        return {
            "report": report,
            "names": [bdi(person.name) for person in report.people],
            "style": Markup("\n").join(_style(name) for name in _STYLES),
            "policy": POLICY,
            "t": self.rich,
            "plain": self.plain,
            "coded": self.coded,
            "act": self.act,
            "known_turn": lambda seen: (seen.episode, seen.turn) in self._acts,
            "figures": figures,
            "shortened": shortened,
            "bubble_length": BUBBLE_LENGTH,
            "facts": self.facts,
            "pairs": self.pairs,
            "dimension_names": DIMENSIONS,
            "effects": charts.folded_effects(report.prediction.counterfactuals),
            "widest": charts.widest_effect(report.prediction.counterfactuals),
            "charts": self.charts(),
            "widest_moved": self.widest_moved(),
            "turn_count": sum(len(episode.turns) for episode in report.episodes),
            "peak": max((peak(episode.turns) for episode in report.episodes), default=0.0),
            "peak_of": lambda episode: peak(episode.turns),
            "voice": self.voice(),
        }

    def plain(self, key: str, **values: object) -> str:
        """Return a word of the page with `values` filled in, still to be escaped."""
        return words.word(key, self._language).format(**values)

    def rich(self, key: str, **values: object) -> Markup:
        """Return the same with the values escaped, but for those that are markup already."""
        template = Markup(escape(words.word(key, self._language)))  # noqa: S704 - escaped here
        return template.format(**{name: visible(value) for name, value in values.items()})

    def coded(self, group: str, code: str) -> str:
        return words.coded(group, code, self._language)

    def act(self, seen: Evidence) -> str:
        """Return the act of a piece of evidence in words."""
        return self._acts.get((seen.episode, seen.turn), seen.act.replace("_", " "))

    def facts(self, person: PersonView) -> list[str]:
        """Return what is known of a person's outer life, for one line."""
        age = None if person.age is None else self.plain("age", age=person.age)
        known = (age, person.pronouns, person.city, person.occupation)
        return [fact for fact in known if fact]

    def pairs(self, mapping: Mapping[str, Any], group: str = "") -> str:
        """Return a small mapping as one line."""
        listed = []
        for key, value in sorted(mapping.items()):
            shown = figures.number(value) if isinstance(value, float) else value
            listed.append(f"{self.coded(group, key)} {shown}")
        return " · ".join(listed) or figures.NONE

    def widest_moved(self) -> tuple[float, float]:
        """Return the scales of factors and of moments."""
        found = self._report.influences
        if found is None:
            return 1.0, 1.0
        return (
            charts.widest_shift([one.together for one in found.factors]),
            charts.widest_shift([one.satisfaction for one in found.moments]),
        )

    def voice(self) -> str:
        if self._report.voice == "built-in":
            return self.plain("voice_built_in")
        return self.plain("voice_model", name=self._report.voice)

    def charts(self) -> dict[str, Any]:
        report = self._report
        first, second = (_clean(person.name) for person in report.people)
        episodes = report.episodes
        return {
            "dimensions": radar.dimension_radar(
                report.dimensions,
                self.plain("fit"),
                self.plain("fit_alt", count=len(report.dimensions)),
            ),
            "traits": radar.trait_radar(
                report.people,
                self.plain("traits"),
                self.plain("traits_alt", first=first, second=second),
            ),
            "threads": course.threads(episodes) if episodes else "",
            "panels": [
                (
                    variable.key,
                    course.panel(
                        variable,
                        episodes,
                        self.plain(variable.key),
                        self.plain(
                            "course_alt",
                            variable=self.plain(variable.key),
                            first=first,
                            second=second,
                            count=len(episodes),
                        ),
                    ),
                )
                for variable in course.VARIABLES
                if episodes
            ],
            "textures": charts.textures(),
            "interval": lambda one: charts.interval(
                one,
                self.plain(
                    "interval_alt",
                    title=_clean(one.title),
                    **{
                        name: figures.number(getattr(one, name), 0)
                        for name in ("value", "low", "high", "here")
                    },
                ),
            ),
            "histogram": lambda one: charts.histogram(
                one,
                _clean(one.title),
                self.plain(
                    "histogram_alt",
                    title=_clean(one.title),
                    count=sum(one.counts),
                    here=figures.number(one.here),
                ),
            ),
            "moved": self._moved,
            "turning": self._turning,
            "state_bar": lambda one: charts.state_bar(one, self._states(one)),
            "state_trend": self._trend,
            "effect": lambda one: charts.effect(
                one,
                charts.widest_effect(report.prediction.counterfactuals),
                self.plain(
                    "effect_alt",
                    title=_clean(one.title),
                    effect=figures.points(one.effect),
                    low=figures.points(one.low),
                    high=figures.points(one.high),
                ),
            ),
        }

    def _moved(self, one: Influence) -> Markup:
        people = self._report.people
        who = self.plain("both") if one.person is None else _clean(people[one.person].name)
        title = self.plain(
            "moved_alt", title=_clean(one.title), who=who, **_points_of(one.together)
        )
        name = f"moved-{one.name}-{one.person}"
        return charts.shift_bar(name, one.together, self.widest_moved()[0], title)

    def _turning(self, one: TurningMoment) -> Markup:
        title = self.plain("turning_alt", title=_clean(one.title), **_points_of(one.satisfaction))
        name = f"turning-{one.name}"
        return charts.shift_bar(name, one.satisfaction, self.widest_moved()[1], title)

    def _states(self, horizon: Horizon) -> str:
        listed = ", ".join(f"{one.title} {figures.percent(one.probability)}"
                           for one in horizon.states)  # fmt: skip
        return self.plain("states_alt", episode=horizon.episode, states=_clean(listed))

    def _trend(self, place: int) -> Markup:
        horizons = self._report.prediction.horizons
        shares = [horizon.states[place] for horizon in horizons]
        listed = ", ".join(
            f"{figures.percent(one.probability)} ({figures.percent_span(one.low, one.high)})"
            for one in shares
        )
        title = self.plain("trend_alt", state=_clean(shares[0].title), values=listed)
        return charts.state_trend(place, horizons, title)


def peak(turns: Any) -> float:
    """Return the highest open conflict of some turns, 0 without turns."""
    return max((turn.conflict for turn in turns), default=0.0)


def _points_of(shift: Shift) -> dict[str, str]:
    return {
        "effect": figures.points(shift.value),
        "low": figures.points(shift.low),
        "high": figures.points(shift.high),
    }


def bdi(name: str) -> Markup:
    """Return a name that cannot turn the direction of the sentence around it."""
    return Markup("<bdi>{}</bdi>").format(_clean(name))


def _clean(text: str) -> str:
    return str(visible(text))


def _style(name: str) -> Markup:
    source, _, _ = _ENVIRONMENT.loader.get_source(_ENVIRONMENT, name)  # type: ignore[union-attr]
    return Markup(source)  # noqa: S704 - a file of ours
