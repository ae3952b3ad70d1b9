"""How much memory a process has had at most."""

import resource
from pathlib import Path


def peak_mb() -> float:
    """Return the peak resident memory of this process in MiB.

    Linux hands a parent's peak down in ru_maxrss, but begins VmHWM anew with each program.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
