"""Runs every check, prints a line for each, and shows the output of the failed ones."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

VENV = Path(".venv/bin")
ENVIRONMENTS = {".venv-aws": "requirements/aws.txt", ".venv-checkov": "requirements/checkov.txt"}
QUIET = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-central-1", "MYPY_CACHE_DIR": ".mypy_cache"}

CHECKS: dict[str, list[str]] = {
    "build": ["make", "--no-print-directory", "build", "CACHED=1"],
    "types": [f"{VENV}/python", "-m", "scripts.typecheck"],
    "sql": [f"{VENV}/python", "-m", "scripts.sqllint", "sql/migrations", "sql/routines", "sql/views"],
    "cfn-lint": [f"{VENV}/cfn-lint"],
    "sam": [".venv-aws/bin/sam", "validate", "--lint"],
    "checkov": [".venv-checkov/bin/checkov", "--config-file", ".checkov.yaml", "--skip-download"],
    "prose": [f"{VENV}/python", "-m", "scripts.prose"],
    "schema": [f"{VENV}/python", "-m", "scripts.schema", "--check"],
    "events": [f"{VENV}/python", "-m", "scripts.events", "--check"],
    "metrics": [f"{VENV}/python", "-m", "scripts.metrics", "--check"],
    "resources": [f"{VENV}/python", "-m", "scripts.resources", "--check"],
    "openapi": [f"{VENV}/python", "-m", "scripts.openapi", "--check"],
    "topics": [f"{VENV}/python", "-m", "scripts.topics", "--check"],
    "lint": [f"{VENV}/ruff", "check", "."],
    "imports": [f"{VENV}/lint-imports"],
    "format": [f"{VENV}/ruff", "format", "--check", "."],
    "system": [f"{VENV}/python", "-m", "scripts.system", "--check"],
    "migrations": [f"{VENV}/python", "-m", "scripts.squawk"],
    "refusals": [f"{VENV}/python", "-m", "scripts.refusals", "--check"],
}
"""Each check's command, the longest first: a long check that starts last would leave the other processors idle."""


def main() -> int:
    """Run all checks. Returns the number of failed ones."""
    for folder, requirements in ENVIRONMENTS.items():
        subprocess.run(["scripts/install.sh", folder, requirements], check=True)
    wanted = sys.argv[1:] or list(CHECKS)
    failed = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for name, (status, said, seconds) in zip(wanted, pool.map(_run, wanted), strict=True):
            print(f"{'FAILED' if status else 'ok':8}{name:12}{seconds:6.1f} s", flush=True)
            if status:
                failed += 1
                print(said, flush=True)
    print(f"{len(wanted) - failed} of {len(wanted)} checks are clean.")
    return failed


def _run(name: str) -> tuple[int, str, float]:
    """Run a check. Returns its exit status, its output, and its seconds."""
    began = time.perf_counter()
    result = subprocess.run(
        CHECKS[name],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **QUIET},
    )
    return result.returncode, result.stdout, time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(min(main(), 1))
