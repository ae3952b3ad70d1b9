"""Bias audits: run one and show what it found."""

from dataclasses import asdict

from soullink import bootstrap
from soullink.entrypoints.cli.invocation import Invocation
from soullink.entrypoints.cli.llm_opening import model_opened
from soullink.entrypoints.cli.output import cell, print_json, stdout, table
from soullink.kernel.language import Language
from soullink.modules.simulation.api import BiasFinding, BiasReport


def audit(
    invocation: Invocation,
    model: str,
    attributes: tuple[str, ...],
    pairs: int,
    seed: int,
    language: Language,
    as_json: bool,
) -> None:
    """Audit one model and print every difference with its interval."""

    async def work() -> BiasReport:
        async with model_opened(invocation, model) as opened:
            audits = bootstrap.build_bias_audits(opened)
            return await audits.audit(attributes, pairs, seed, language)

    report = invocation.interruption.run(work())
    if as_json:
        print_json(
            {
                **asdict(report),
                "passed": report.passed,
                "findings": [{**asdict(f), "found": f.found} for f in report.findings],
            }
        )
        return
    console = stdout(invocation)
    columns = ("=ATTRIBUTE", "SECOND LESS FIRST", "=SCORE", ">DIFFERENCE", ">95 %", ">P")
    shown = table(*columns, ">DETECTABLE", ">PAIRS")
    for finding in report.findings:
        style = "bold red" if finding.found else ""
        shown.add_row(*(cell(text, style) for text in _row(finding)))
    console.print(shown)
    found = sum(finding.found for finding in report.findings)
    console.print(
        cell(
            f"{report.model}: {found or 'no'} difference{'' if found == 1 else 's'} found in "
            f"{len(report.findings)} comparisons over {report.pairs} pairs an attribute "
            f"({report.calls} calls). P is corrected for the number of comparisons."
        ),
        soft_wrap=True,
    )


def _row(finding: BiasFinding) -> tuple[str, ...]:
    first, second = finding.values
    return (
        finding.attribute,
        f"{second} - {first}",
        finding.score,
        f"{finding.difference:+.2f}",
        f"{finding.low:+.2f} .. {finding.high:+.2f}",
        f"{finding.adjusted:.3f}",
        "-" if finding.detectable is None else f"{finding.detectable:.2f}",
        str(finding.pairs),
    )
