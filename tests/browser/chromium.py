"""Runs Debian's Chromium without a window, cut off from the network."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TIMEOUT_SECONDS = 90

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--allow-file-access-from-files",
)


def find_chromium() -> str | None:
    """Return the path of Chromium, or None where there is none (Debian: package chromium)."""
    known = "/usr/bin/chromium"
    return (
        known if sys.platform == "linux" and os.access(known, os.X_OK) else shutil.which("chromium")
    )


def run_chromium(page: Path, *options: str) -> str:
    """Open `page` with `options` in a fresh profile; return what it wrote to its output."""
    program = find_chromium()
    assert program is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        finished = subprocess.run(
            [program, *_FLAGS, f"--user-data-dir={profile}", *options, page.as_uri()],
            check=True,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
    return finished.stdout
