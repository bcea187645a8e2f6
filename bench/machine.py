"""The machine that was measured: the facts that its figures depend on, and none that identifies its owner."""

import platform
import subprocess
from pathlib import Path

import psutil

from local.postgres import binary


def described() -> dict[str, str | int | float]:
    """Return the processor, its cores, the memory in GB, and the versions of PostgreSQL and Python."""
    output = subprocess.run([str(binary("postgres")), "--version"], check=True, capture_output=True, text=True).stdout
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 1024**3, 1),
        "system": platform.system(),
        "postgresql": output.split()[2],
        "python": platform.python_version(),
    }


def _processor() -> str:
    """Return the name of the processor's model, which Linux and macOS report in different places."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except FileNotFoundError:
        output = subprocess.run(
            ["sysctl", "-n", "machdep.cpu.brand_string"], check=False, capture_output=True, text=True
        )
        if output.stdout.strip():
            return output.stdout.strip()
    return platform.machine()
