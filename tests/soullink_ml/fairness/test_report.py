"""The report: the same figures as rows, tables, Markdown and a page."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from soullink.kernel.language import LANGUAGES, Language
from soullink_ml.fairness import audit as audits
from soullink_ml.fairness import charts, documents, page, speed_dates, tables, words
from soullink_ml.fairness.audit import Audit
from tests.soullink_ml.fairness.made_up import write


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    file = write(tmp_path_factory.mktemp("dates") / "dates.csv")
    return audits.audit(speed_dates.read(file), audits.Plan(draws=100, model="logistic"))


def test_rows_go_through_json_and_back(audit: Audit) -> None:
    document = json.loads(json.dumps(documents.as_json(audit)))
    back = documents.of_json(document)
    assert documents.as_json(back) == document
    promised = "group_by group role metric value low high n stage method"
    assert set(promised.split()) <= document["rows"][0].keys()
    assert documents.of_json(json.loads(documents.compact(audit))) == back
    assert {row.stage for row in back.rows} == {"before", "after", "change"}
    with pytest.raises(ValueError, match="schema"):
        documents.of_json({"schema": "else", "rows": []})


def test_an_interval_holds_its_value(audit: Audit) -> None:
    for row in audit.rows:
        if row.low is not None and row.high is not None and row.value is not None:
            assert row.low <= row.value <= row.high


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_show_every_large_group_and_every_method(audit: Audit, language: Language) -> None:
    lists, scores, mitigation, proxies = tables.tables(audit, language)
    assert len(lists.cells) == 2 + 2 + 2, "gender, race, and White women and men"
    assert len(scores.cells) == 2 * len(lists.cells)
    assert len(mitigation.cells) == 1 + len(tables.methods_after())
    assert len(proxies.cells) == 2
    for table in (lists, scores, mitigation, proxies):
        assert all(len(cells) == len(table.columns) for cells in table.cells)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_needs_nothing_else(audit: Audit, language: Language) -> None:
    text = page.page(audit, language)
    assert text == page.page(audit, language)
    assert not re.search(r"(src|href)=|url\(|@import|https?://", text)
    assert f'<html lang="{language}">' in text
    assert "prefers-color-scheme: dark" in text
    assert text.count("<svg") == 4
    _Balanced().check(text)
    if language == "zh":
        visible = re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL)
        left = set(re.findall(r"[A-Za-z]{3,}", visible))
        assert left <= {"SoulLink", "AUC", "ECE", "Holm", "Kleinberg"}


class _Balanced(HTMLParser):
    """Checks that every element is closed."""

    EMPTY = frozenset({"meta", "line", "circle"})

    def check(self, text: str) -> None:
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
def test_markdown_has_the_same_figures(audit: Audit, language: Language) -> None:
    text = tables.markdown(audit, language)
    for table in tables.tables(audit, language):
        for cells in table.cells:
            assert cells[-1].replace("*", "\\*") in text
    small = tables.small_groups(audit, language)
    assert small is not None
    assert small in text


def test_all_words_exist_in_both_languages() -> None:
    for name, text in words.WORDS.items():
        assert set(text) == set(LANGUAGES), name
        fields = [set(re.findall(r"{(\w+)}", text[language])) for language in LANGUAGES]
        assert fields[0] == fields[1], name
    assert words.group_said("asian woman", "en") == "Asian women"
    assert words.group_said("asian woman", "zh") == "亚裔女性"
    assert words.method_said("something else", "en") == "something else"


def test_a_scale_holds_its_values_and_has_round_ticks() -> None:
    scale = charts.Scale.around([-0.13, 0.42])
    assert 0 < scale.place(-0.13) < scale.place(0.42) < 1
    assert scale.ticks() == pytest.approx([-0.1, 0.0, 0.1, 0.2, 0.3, 0.4])
    assert charts.Scale.around([1.0, 1.0]).ticks()


def test_names_in_charts_are_escaped() -> None:
    mark = charts.Mark("<b>", "before", 0.5, 0.4, 0.6)
    drawn = charts.forest("x", "<i>", [charts.Band("<u>", (mark,))], 0.0)
    assert not re.search("<[biu]>", drawn)
    assert drawn.count("&lt;b&gt;") == 2


@pytest.mark.intervals
def test_the_real_report_says_how_sure_it_is(data_samples: Path) -> None:
    dates = speed_dates.read(data_samples / "speed_dating" / "dates.csv")
    found = audits.audit(dates, audits.Plan(draws=100, model="logistic"))
    rows = tables.Rows(found)
    assert rows.large("race") == ["white", "asian", "latino", "black", "other"]
    assert len([1 for by, group, _ in rows.groups if rows.too_small(by, group)]) == 6
    of = ("race", "asian", "provider", "recommendation", "exposure_ratio")
    before = rows.find("before", "product", *of)
    by_group = rows.find("change", "by-group", *of)
    assert before is not None
    assert before.low is not None
    assert by_group is not None
    assert by_group.high is not None
    # True promises for every group push a group down that is chosen less, and that is shown.
    assert by_group.found
    assert by_group.high < 0
