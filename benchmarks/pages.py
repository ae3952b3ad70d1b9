"""The generated parts of pages."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]


def with_block(page: str, name: str, block: str) -> str:
    """Return the page with the part between the markers of `name` replaced."""
    start, end = f"<!-- {name}: made by a program -->", f"<!-- end of {name} -->"
    before, found, rest = page.partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the page has no block called '{name}'")
    return f"{before}{start}\n{block.strip()}\n{end}{after}"


def block_of(page: str, name: str) -> str:
    """Return what stands between the markers of `name`."""
    start, end = f"<!-- {name}: made by a program -->", f"<!-- end of {name} -->"
    return page.partition(start)[2].partition(end)[0].strip()


def write_blocks(path: Path, blocks: dict[str, str]) -> None:
    """Renew the named blocks of a page."""
    page = path.read_text(encoding="utf-8")
    for name, block in blocks.items():
        page = with_block(page, name, block)
    path.write_text(page, encoding="utf-8")


def signed(value: float) -> str:
    """Return a number as tables show it: +0.12, -0.05."""
    return f"{round(value, 2) + 0.0:+.2f}"
