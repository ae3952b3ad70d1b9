"""The tables of the report, the same for the terminal, Markdown and the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from soullink.kernel.language import Language
from soullink_ml.fairness.audit import MODEL, PRODUCT, Audit
from soullink_ml.fairness.lists import METHODS, UNINFORMED
from soullink_ml.fairness.recalibration import KINDS
from soullink_ml.fairness.rows import MIN_CASES, MIN_PEOPLE, TOO_SMALL, Row
from soullink_ml.fairness.words import group_said, method_said, said

MINUS: Final = "−"
NONE: Final = "—"
LIST_FIGURES: Final = (
    "exposure_ratio", "exposure_per_merit", "recommended_gap", "tpr_gap", "fpr_gap",
)  # fmt: skip
SCORE_FIGURES: Final = (
    "calibration_in_the_large", "calibration_gap", "calibration_slope", "ece", "auc", "auc_gap",
)  # fmt: skip
GROUP_BYS: Final = ("gender", "race", "race x gender")


@dataclass(frozen=True, slots=True)
class Table:
    """One table. name: of its heading and note in `words`. cells: text, row by row.

    texts: so many columns on the left are words, the others numbers.
    """

    name: str
    columns: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    texts: int


class Rows:
    """The rows of an audit, found by what they are of."""

    def __init__(self, audit: Audit) -> None:
        self._rows = {
            (r.stage, r.method, r.group_by, r.group, r.role, r.target, r.metric): r
            for r in audit.rows
        }
        self.groups = [
            (by, group, n)
            for by in GROUP_BYS
            for group, n in dict.fromkeys((r.group, r.n) for r in audit.rows if r.group_by == by)
            if group != "all"
        ]

    def find(self, stage: str, method: str, *of: str) -> Row | None:
        """Return the row of (group_by, group, role, target, metric), None where there is none."""
        return self._rows.get((stage, method, *of))  # type: ignore[arg-type]  # six words and one

    def too_small(self, group_by: str, group: str) -> bool:
        """Whether lists say nothing of a group."""
        of = (group_by, group, "provider", "recommendation")
        return self.find("before", PRODUCT, *of, TOO_SMALL) is not None

    def large(self, group_by: str) -> list[str]:
        """Return the groups that are large enough, larger ones first."""
        return [
            group
            for by, group, _ in self.groups
            if by == group_by and not self.too_small(by, group)
        ]


def tables(audit: Audit, language: Language) -> tuple[Table, ...]:
    """Return the tables of the report in their order."""
    rows = Rows(audit)
    return (
        _lists(rows, language),
        _scores(rows, language),
        _mitigation(rows, language),
        _proxies(rows, language),
    )


def summary(audit: Audit, language: Language) -> tuple[str, ...]:
    """Return what stands above the tables: the data, what was found, how to take it."""
    compared = [r for r in audit.rows if r.stage == "before" and r.p is not None]
    distinct = {round(r.p or 0.0, 12): r for r in compared}.values()
    return (
        said(
            "data",
            language,
            people=audit.people,
            dates=audit.dates,
            waves=audit.waves,
            model=said(audit.model, language),
            trained=said(audit.trained_on, language),
            top=audit.top,
            draws=audit.draws,
            cluster=said(audit.cluster, language),
            seed=audit.seed,
        ),
        said("race_note", language),
        said(
            "found",
            language,
            found=sum(r.found for r in distinct),
            count=len(distinct),
            expected=round(0.05 * len(distinct)),
            adjusted=sum((r.p_adjusted or 0.0) < 0.05 for r in distinct),
        ),
        said("few", language, waves=audit.waves),
    )


def small_groups(audit: Audit, language: Language) -> str | None:
    """Return the sentence on groups that are too small, None where there are none."""
    rows = Rows(audit)
    small = [
        f"{group_said(group, language)} ({n})"
        for by, group, n in rows.groups
        if rows.too_small(by, group)
    ]
    if not small:
        return None
    groups = ("、" if language == "zh" else ", ").join(small)
    return said("small_note", language, least=MIN_PEOPLE, cases=MIN_CASES, groups=groups)


def _lists(rows: Rows, language: Language) -> Table:
    cells = []
    for by, group, n in rows.groups:
        if rows.too_small(by, group):
            continue
        found = [rows.find("before", PRODUCT, by, group, "provider", "recommendation", metric)
                 for metric in LIST_FIGURES]  # fmt: skip
        matches = rows.find(
            "before", PRODUCT, by, group, "consumer", "recommendation", "matches_gap"
        )
        cells.append((group_said(group, language), str(n), *(figure(r) for r in [*found, matches])))
    names = ("group", "people_count", *LIST_FIGURES, "matches_gap")
    return Table("lists", tuple(said(name, language) for name in names), tuple(cells), 1)


def _scores(rows: Rows, language: Language) -> Table:
    cells = []
    for by, group, n in rows.groups:
        for role in ("provider", "consumer"):
            of = by, group, role, "decision"
            found = {m: rows.find("before", MODEL, *of, m) for m in SCORE_FIGURES}
            if found["auc"] is None:
                continue
            by_chance = rows.find("before", MODEL, *of, "ece_by_chance")
            shown = [
                f"{number(found[m])} ({number(by_chance)})" if m == "ece" else figure(found[m])
                for m in SCORE_FIGURES
            ]
            cells.append((group_said(group, language), said(role, language), str(n), *shown))
    names = ("group", "role", "people_count", *SCORE_FIGURES)
    return Table("scores", tuple(said(name, language) for name in names), tuple(cells), 2)


MARKET: Final = ("all", "all", "market")
COSTS: Final = (
    ("exposure_distance", ("race", "all", "provider", "recommendation", "exposure_distance")),
    ("calibration_distance", ("race", "all", "provider", "decision", "calibration_distance")),
    ("matches_per_wave", (*MARKET, "recommendation", "matches_per_wave")),
    ("decision_auc", (*MARKET, "decision", "auc")),
    ("list_auc", (*MARKET, "recommendation", "auc")),
    ("gini", (*MARKET, "recommendation", "gini")),
)


def methods_after() -> tuple[str, ...]:
    """Return every mitigation, scores first."""
    return (*KINDS, *(name for name in METHODS if name != PRODUCT), UNINFORMED)


def _mitigation(rows: Rows, language: Language) -> Table:
    first = [
        _cost(name, rows.find("before", MODEL, *of) or rows.find("before", PRODUCT, *of))
        for name, of in COSTS
    ]
    cells = [(said("before", language), *first)]
    for method in methods_after():
        changes = [_cost(name, rows.find("change", method, *of)) for name, of in COSTS]
        cells.append((method_said(method, language), *changes))
    names = ("method", *(name for name, _ in COSTS))
    return Table("mitigation", tuple(said(name, language) for name in names), tuple(cells), 1)


def _cost(name: str, row: Row | None) -> str:
    signed = row is not None and row.stage == "change"
    return figure(row, signed=signed, decimals=2 if name == "matches_per_wave" else 3)


def _proxies(rows: Rows, language: Language) -> Table:
    cells = []
    for by, group, n in rows.groups:
        found = rows.find("before", MODEL, by, group, "market", "race", "auc_from_answers")
        if found is not None:
            cells.append((group_said(group, language), str(n), figure(found)))
    names = ("group", "people_count", "auc_from_answers")
    return Table("proxies", tuple(said(name, language) for name in names), tuple(cells), 1)


def figure(row: Row | None, *, signed: bool = False, decimals: int = 2) -> str:
    """Return a value and its interval, e.g. "0.86 [0.76, 0.99] *"."""
    if row is None or row.value is None:
        return NONE
    plus = signed or row.metric.endswith("_gap") or row.metric == "calibration_in_the_large"
    value, low, high = (
        NONE if one is None else _number(one, plus=plus, decimals=decimals)
        for one in (row.value, row.low, row.high)
    )
    if row.low is None or row.high is None:
        return value
    mark = " *" if row.found else ""
    return f"{value} [{low}, {high}]{mark}"


def split(text: str) -> tuple[str, str]:
    """Return a figure's value with its mark, and its interval ("" where it has none)."""
    value, _, interval = text.partition(" [")
    inside, _, mark = interval.partition("]")
    return f"{value}{mark}", inside


def number(row: Row | None, *, plus: bool = False) -> str:
    """Return a value with two decimals, a true minus sign, and a plus where wanted."""
    return NONE if row is None or row.value is None else _number(row.value, plus=plus)


def _number(value: float, *, plus: bool, decimals: int = 2) -> str:
    rounded = round(value, decimals) + 0.0
    sign = MINUS if rounded < 0 else "+" if plus and rounded > 0 else ""
    return f"{sign}{abs(rounded):.{decimals}f}"


def markdown(audit: Audit, language: Language) -> str:
    """Return the whole report as Markdown."""
    lines = [f"# {said('title', language)}", ""]
    for sentence in summary(audit, language):
        lines += [sentence, ""]
    for table in tables(audit, language):
        lines += [f"## {said(table.name, language)}", "", said(f"{table.name}_note", language), ""]
        lines += [*markdown_table(table), ""]
    small = small_groups(audit, language)
    if small is not None:
        lines += [f"## {said('small', language)}", "", small, ""]
    lines += [f"## {said('read', language)}", ""]
    lines += [f"- {said(name, language)}" for name in ("read_1", "read_2", "read_3")]
    return "\n".join(lines) + "\n"


def markdown_table(table: Table) -> Sequence[str]:
    """Return the lines of one table; numbers stand on the right."""
    rule = ["---" if at < table.texts else "---:" for at in range(len(table.columns))]
    return [
        "| " + " | ".join(cells) + " |"
        for cells in (table.columns, rule, *(_escaped(row) for row in table.cells))
    ]


def _escaped(cells: Sequence[str]) -> list[str]:
    return [cell.replace("*", "\\*") for cell in cells]
