"""Runs every check, says in a line how each went, and shows what the failed ones said."""

import os
import subprocess
import sys
import time
from pathlib import Path

VENV = Path(".venv/bin")
ENVIRONMENTS = {".venv-aws": "requirements/aws.txt", ".venv-checkov": "requirements/checkov.txt"}
PYTHON = ["layers/domain/marquee", "local", "scripts", "demo", "bench"]
QUIET = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "eu-central-1", "MYPY_CACHE_DIR": ".mypy_cache"}

CHECKS: dict[str, list[str]] = {
    "lint": [f"{VENV}/ruff", "check", "."],
    "format": [f"{VENV}/ruff", "format", "--check", "."],
    "types": [f"{VENV}/mypy", *PYTHON],
    "imports": [f"{VENV}/lint-imports"],
    "sql": [f"{VENV}/sqlfluff", "lint", "--processes", "2", "sql/migrations", "sql/routines", "sql/views"],
    "migrations": [f"{VENV}/python", "-m", "scripts.squawk"],
    "openapi": [f"{VENV}/python", "-m", "scripts.openapi", "--check"],
    "schema": [f"{VENV}/python", "-m", "scripts.schema", "--check"],
    "cfn-lint": [f"{VENV}/cfn-lint", "template.yaml"],
    "sam": [".venv-aws/bin/sam", "validate", "--lint"],
    "checkov": [".venv-checkov/bin/checkov", "--config-file", ".checkov.yaml", "--skip-download"],
}


def main() -> int:
    """Run all of them; answers how many failed."""
    for folder, requirements in ENVIRONMENTS.items():
        subprocess.run(["scripts/install.sh", folder, requirements], check=True)
    wanted = sys.argv[1:] or [*CHECKS, "handlers"]
    failed = 0
    for name in wanted:
        began = time.perf_counter()
        commands = _handler_types() if name == "handlers" else [CHECKS[name]]
        results = [_run(command) for command in commands]
        said = "\n".join(result.stdout for result in results if result.returncode != 0)
        bad = any(result.returncode != 0 for result in results)
        print(f"{'FAILED' if bad else 'ok':8}{name:12}{time.perf_counter() - began:6.1f} s", flush=True)
        if bad:
            failed += 1
            print(said, flush=True)
    print(f"{len(wanted) - failed} of {len(wanted)} checks are clean.")
    return failed


def _handler_types() -> list[list[str]]:
    """Each handler is a module named app, so that types are checked one by one."""
    return [[f"{VENV}/mypy", str(path)] for path in sorted(Path("functions").glob("*/app.py"))]


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **QUIET},
    )


if __name__ == "__main__":
    raise SystemExit(min(main(), 1))
