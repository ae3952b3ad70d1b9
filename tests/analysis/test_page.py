"""The page: self-contained, escaped, complete in both languages, numbers beside pictures."""

import dataclasses
import itertools
import re
from html.parser import HTMLParser

import pytest

from soullink.kernel.language import LANGUAGES, Language
from soullink.modules.analysis.api import Prediction, Report
from soullink.modules.analysis.domain.document import load, to_document
from soullink.modules.analysis.render import charts, figures
from soullink.modules.analysis.render.page import BUBBLE_LENGTH, POLICY, page
from soullink.modules.analysis.render.words import WORDS, coded, word
from tests.analysis.sample import HOSTILE_NAME, LONG_QUOTE, sample_report

VOID = {"meta", "link", "img", "br", "hr", "input"}
SECTIONS = (
    "glance",
    "dimensions",
    "course",
    "outlook",
    "moved",
    "moments",
    "try",
    "conversation",
    "behaviour",
    "limits",
    "made",
)


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed in order; keeps what tests ask for."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.texts: list[str] = []
        self.cells: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in {"td", "th"}:
            self.cells.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.texts.append(data)
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Language:
    given: Language = request.param
    return given


@pytest.mark.parametrize("hostile", [False, True])
def test_a_page_is_well_formed_and_small(language: Language, hostile: bool) -> None:
    html = page(sample_report(language, hostile=hostile, forked=True))
    assert Reader(html).of("html")[0]["lang"] == {"en": "en", "zh": "zh-Hans"}[language]
    assert html.startswith("<!doctype html>")
    assert len(html.encode()) < 1_500_000


@pytest.mark.parametrize("hostile", [False, True])
def test_a_page_loads_and_runs_nothing(language: Language, hostile: bool) -> None:
    report = sample_report(language, hostile=hostile)
    html = page(report)
    read = Reader(html)
    tags = {tag for tag, _ in read.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "base", "form", "image"}
    assert [link["href"] for link in read.of("link")] == ["data:,"]
    for _, attributes in read.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        for name in ("href", "xlink:href", "action"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,"))
    policies = [m["content"] for m in read.of("meta") if m.get("http-equiv")]
    assert policies == [POLICY]
    style = html.partition("<style>")[2].partition("</style>")[0]
    assert "@import" not in style
    assert "url(" not in style
    assert "//" not in style
    assert set(re.findall(r"url\(([^)]*)\)", html)) <= {
        "#texture-dating",
        "#texture-strained",
        "#texture-ended",
    }


def test_hostile_text_is_shown_as_text(language: Language) -> None:
    html = page(sample_report(language, hostile=True))
    text = Reader(html).text
    assert "<script" not in html
    assert "<b>" not in html
    assert html.count("<style>") == html.count("</style>") == 1
    assert "<script>alert('hi')</script>evil" in text
    assert "onerror=alert(1)> {{ 7 * 7 }}" in text
    assert "\u202e" in HOSTILE_NAME
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") & set(html)


def test_a_name_is_isolated_from_the_sentence_around_it() -> None:
    html = page(sample_report(hostile=True))
    first = html.partition('<main id="report">')[0]
    assert "<bdi>\u0645\u0631\u064a\u0645" in first
    assert '<p class="bubble" dir="auto">' in html


def test_a_very_long_turn_is_folded_and_kept_whole() -> None:
    html = page(sample_report(hostile=True))
    assert len(LONG_QUOTE) > 20_000
    assert LONG_QUOTE in Reader(html).text
    assert html.count('class="bubble long"') == 1
    assert len(sample_report().episodes[0].turns[0].words) < BUBBLE_LENGTH


def test_every_section_is_there_with_its_heading(language: Language) -> None:
    read = Reader(page(sample_report(language, forked=True)))
    identities = [attributes["id"] for _, attributes in read.elements if attributes.get("id")]
    assert len(identities) == len(set(identities))
    links = {link["href"] for link in read.of("a")}
    for section in (*SECTIONS, "fork"):
        assert section in identities
        assert f"#{section}" in links
        assert word(section, language) in read.text
    for target in links:
        assert target is not None
        assert target.removeprefix("#") in identities


def test_a_course_that_is_no_fork_has_no_comparison() -> None:
    html = page(sample_report())
    assert 'id="fork"' not in html
    assert 'href="#fork"' not in html


def test_headings_never_skip_a_level(language: Language) -> None:
    headings = Reader(page(sample_report(language, forked=True))).headings
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))


def test_every_chart_has_a_name(language: Language) -> None:
    html = page(sample_report(language))
    read = Reader(html)
    charts = [svg for svg in read.of("svg") if svg.get("role") == "img"]
    named = {attributes["id"] for tag, attributes in read.elements if tag in {"title", "desc"}
             and attributes.get("id")}  # fmt: skip
    # two radars, eight dimensions, three panels, three horizons, five trends, effects, histograms,
    # factors, turning moments
    assert len(charts) == 2 + 8 + 3 + 3 + 5 + 4 + 4 + 4 + 2
    for chart in charts:
        assert chart["aria-labelledby"] in named
        assert chart.get("aria-describedby", chart["aria-labelledby"]) in named
    assert "{" not in read.text.replace("{{", "")


def test_the_numbers_of_the_charts_stand_in_tables(language: Language) -> None:
    report = sample_report(language)
    cells = Reader(page(report)).cells
    joined = "\n".join(cells)
    for dimension in report.dimensions:
        assert figures.number(dimension.value, 0) in cells
        assert figures.span(dimension.low, dimension.high) in cells
        assert figures.number(dimension.here, 0) in cells
    for person in report.people:
        for trait in (*person.traits, *person.attachment):
            assert figures.span(trait.low, trait.high) in joined
    for episode in report.episodes:
        for variable in ("closeness", "trust", "mood", "stress"):
            for value in episode.after[variable]:
                assert figures.number(value) in cells
    for horizon in report.prediction.horizons:
        for state in horizon.states:
            assert figures.percent_span(state.low, state.high) in joined
    for one in report.prediction.counterfactuals:
        assert figures.points_span(one.low, one.high) in joined
    for histogram in report.histograms:
        assert str(histogram.counts[3]) in cells


def test_every_turn_and_text_of_the_report_is_shown(language: Language) -> None:
    report = sample_report(language, forked=True)
    text = Reader(page(report)).text
    for episode in report.episodes:
        for shown in (episode.title, episode.setting, episode.outcome_title, *episode.between):
            assert shown in text
        for turn in episode.turns:
            for shown in (turn.words, turn.act_title, turn.inner_thought, *turn.events):
                assert shown in text
    for feedback in report.feedback:
        for shown in (*feedback.strengths, *feedback.frictions, *feedback.steps):
            assert shown in text
    shown_once = (report.summary, report.prediction.summary, *report.limits, report.digest)
    for shown in (*shown_once, *(one.note for one in report.behaviour)):
        assert shown in text


def test_the_top_number_stands_with_its_condition_and_its_measure(language: Language) -> None:
    report = sample_report(language)
    outlook = report.prediction
    assert outlook.anyone is not None
    top = page(report).partition('class="chief"')[2].partition("</dd>")[0]
    for share in (outlook.together, outlook.again, outlook.anyone):
        assert figures.percent(share.probability) in top
    situations = len(outlook.horizons)
    assert word("key_situations", language).format(count=situations) in top
    assert 'href="#limits"' in top
    alone = dataclasses.replace(report, prediction=dataclasses.replace(outlook, anyone=None))
    assert word("anyone", language) in page(report)
    assert word("anyone", language) not in page(alone)


def test_changes_that_may_do_nothing_wait_to_be_unfolded() -> None:
    one = sample_report().prediction.counterfactuals[0]
    clear, unsure = (dataclasses.replace(one, low=low, high=0.2) for low in (0.01, -0.01))
    shown, folded = charts.folded_effects((unsure, clear, unsure, unsure, clear))
    assert shown == (unsure, clear, unsure, clear)
    assert folded == (unsure,)
    assert charts.folded_effects((unsure,) * 3).folded == ()


def test_an_effect_never_ends_at_the_edge() -> None:
    changes = sample_report().prediction.counterfactuals
    reach = max(abs(bound) for one in changes for bound in (one.low, one.high))
    assert charts.widest_effect(changes) > reach


def test_the_voice_is_named_for_what_it_is() -> None:
    report = sample_report()
    model = dataclasses.replace(report, voice="llamacpp:small")
    assert "authored built-in lines, not a language model" in Reader(page(report)).text
    assert "language model llamacpp:small" in Reader(page(model)).text
    assert "authored built-in lines" not in Reader(page(model)).text


def test_a_stored_report_gives_the_same_page() -> None:
    stored = load(to_document(sample_report("zh", hostile=True)))
    assert page(load(to_document(stored))) == page(stored)


def _empty(report: Report) -> Report:
    together, again = report.prediction.together, report.prediction.again
    return dataclasses.replace(
        report,
        episodes=(),
        dimensions=(),
        behaviour=(),
        prediction=Prediction("", (), together, (), again),
        histograms=(),
        moments=(),
        limits=(),
        versions={},
        wall={},
    )


def test_a_course_without_episodes_still_has_a_page(language: Language) -> None:
    read = Reader(page(_empty(sample_report(language))))
    assert read.text.count(word("nothing", language)) >= 6


def test_an_episode_without_turns_and_one_of_silence_are_drawn(language: Language) -> None:
    report = sample_report(language)
    bare = dataclasses.replace(report.episodes[0], turns=())
    Reader(page(dataclasses.replace(report, episodes=(bare,))))
    Reader(page(dataclasses.replace(report, episodes=(bare, *report.episodes[1:]))))
    assert word("says_nothing", language) in Reader(page(report)).text


def test_evidence_of_a_turn_that_is_not_shown_has_no_link() -> None:
    report = sample_report()
    first = dataclasses.replace(report.moments[0].evidence, turn=99, act="set_boundary")
    changed = dataclasses.replace(
        report, moments=(dataclasses.replace(report.moments[0], evidence=first),)
    )
    html = page(changed)
    assert "#e2t99" not in html
    assert "set boundary" in html


def test_every_word_exists_in_every_language_with_the_same_places() -> None:
    for key, text in WORDS.items():
        assert set(text) == set(LANGUAGES), key
        places = [sorted(re.findall(r"\{(\w+)\}", text[language])) for language in LANGUAGES]
        assert places[0] == places[1], key
        assert all(text.values()), key


def test_a_code_without_a_word_is_shown_as_it_is() -> None:
    assert coded("level", "high", "zh") == "较高"
    assert coded("fault", "some_new_fault", "zh") == "some new fault"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (figures.number(-0.001), "0.00"),
        (figures.number(-0.5), "\u22120.50"),
        (figures.number(None), "\u2014"),
        (figures.number(12345.6, 0), "12,346"),
        (figures.signed(0.004), "0.00"),
        (figures.signed(0.5), "+0.50"),
        (figures.percent(0.002), "<1%"),
        (figures.percent(0.998), ">99%"),
        (figures.percent(0.0), "0%"),
        (figures.percent(1.0), "100%"),
        (figures.amount(3.26, "ratio"), "3.3\u202f:\u202f1"),
        (figures.amount(0.5, "share"), "50%"),
        (figures.amount(4.0, "count"), "4"),
        (figures.amount(4.5, "count"), "4.5"),
        (figures.points(-0.16), "\u221216"),
        (figures.span(None, 3.0), "\u2014"),
    ],
)
def test_numbers_are_written_for_people(shown: str, expected: str) -> None:
    assert shown == expected
