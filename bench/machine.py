"""What the figures were measured on, as far as it matters to them: nothing that tells whose machine it is."""

import platform
import subprocess
from pathlib import Path

import psutil

from local.postgres import binary


def described() -> dict[str, str | int | float]:
    """The processor, its cores, the memory in GB, the versions of PostgreSQL and Python."""
    said = subprocess.run([str(binary("postgres")), "--version"], check=True, capture_output=True, text=True).stdout
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 1024**3, 1),
        "system": platform.system(),
        "postgresql": said.split()[2],
        "python": platform.python_version(),
    }


def _processor() -> str:
    """The model's name: Linux and macOS tell it in their own ways."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except FileNotFoundError:
        told = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], check=False, capture_output=True, text=True)
        if told.stdout.strip():
            return told.stdout.strip()
    return platform.machine()
