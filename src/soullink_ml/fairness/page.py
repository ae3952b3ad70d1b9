"""The report as one HTML page that needs nothing else."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from soullink.kernel.language import Language
from soullink_ml.fairness import charts, tables
from soullink_ml.fairness.audit import MODEL, PRODUCT, Audit
from soullink_ml.fairness.charts import Band, Mark
from soullink_ml.fairness.lists import UNINFORMED
from soullink_ml.fairness.recalibration import KINDS
from soullink_ml.fairness.words import group_said, method_said, said

TEMPLATES: Final = Path(__file__).parent / "templates"
YARDSTICKS: Final = frozenset({"by-group", "group-parity", UNINFORMED})
EXPOSURE: Final = ("provider", "recommendation", "exposure_ratio")
PROMISE: Final = ("provider", "decision", "calibration_gap")


def page(audit: Audit, language: Language) -> str:
    """Return the page; equal audits give equal bytes."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = tables.Rows(audit)
    return environment.get_template("report.html.j2").render(
        language=language,
        t=lambda name: said(name, language),
        style=Markup((TEMPLATES / "report.css").read_text("utf-8")),  # noqa: S704 - our own file
        summary=tables.summary(audit, language),
        tables={table.name: table for table in tables.tables(audit, language)},
        small=tables.small_groups(audit, language),
        exposure=_exposure(rows, language),
        promise=_promise(rows, language),
        trade=_trade(rows, language),
        proxies=_proxies(rows, language),
        methods=[(method_said(name, language), _kind(name)) for name in (PRODUCT, *_lists())],
    )


def _lists() -> tuple[str, ...]:
    return tuple(name for name in tables.methods_after() if name not in KINDS)


def _kind(method: str) -> str:
    if method in {PRODUCT, MODEL}:
        return "before"
    return "yardstick" if method in YARDSTICKS else "blind"


def _forest(
    identity: str,
    heading: str,
    rows: tables.Rows,
    language: Language,
    methods: tuple[str, ...],
    of: tuple[str, str, str],
    even: float,
) -> Markup:
    bands = []
    for group in rows.large("race"):
        marks = [
            Mark.of(
                method_said(name, language),
                _kind(name),
                rows.find(
                    "before" if _kind(name) == "before" else "after", name, "race", group, *of
                ),
            )
            for name in methods
        ]
        known = tuple(mark for mark in marks if mark is not None)
        if known:
            bands.append(Band(group_said(group, language), known))
    if not bands:
        return Markup()
    return charts.forest(identity, said(heading, language), bands, even)


def _exposure(rows: tables.Rows, language: Language) -> Markup:
    methods = (PRODUCT, *_lists(), "by-group")
    return _forest("exposure", "exposure_chart", rows, language, methods, EXPOSURE, 1.0)


def _promise(rows: tables.Rows, language: Language) -> Markup:
    methods = (MODEL, *KINDS)
    return _forest("promise", "promise_chart", rows, language, methods, PROMISE, 0.0)


def _trade(rows: tables.Rows, language: Language) -> Markup:
    points = []
    for name in (PRODUCT, *_lists()):
        stage = "before" if name == PRODUCT else "after"
        label, kind = method_said(name, language), _kind(name)
        of = (*tables.MARKET, "recommendation")
        x = Mark.of(label, kind, rows.find(stage, name, *of, "gini"))
        y = Mark.of(label, kind, rows.find(stage, name, *of, "matches_per_wave"))
        if x is not None and y is not None:
            points.append((x, y))
    axes = said("gini", language), said("matches_per_wave", language)
    return charts.scatter("trade", said("trade_chart", language), points, axes)


def _proxies(rows: tables.Rows, language: Language) -> Markup:
    marks = [
        Mark.of(
            group_said(group, language),
            "before",
            rows.find("before", MODEL, "race", group, "market", "race", "auc_from_answers"),
        )
        for group in rows.large("race")
    ]
    known = tuple(mark for mark in marks if mark is not None)
    if not known:
        return Markup()
    band = Band(said("auc_from_answers", language), known)
    return charts.forest("proxies", said("proxies", language), [band], 0.5)
