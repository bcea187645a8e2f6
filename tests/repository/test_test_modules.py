"""Each test file is in the folder of a part, tests share code only through tests/kit, and each part runs alone."""

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
PAGE = ROOT / "docs" / "reference" / "testing.md"
SAMPLES = {TESTS / "local" / "sample", TESTS / "local" / "applications"}
"""Folders of code that the local stack runs in tests."""


def modules() -> list[Path]:
    """Return the Python files of the tests, without the samples."""
    return [path for path in sorted(TESTS.rglob("*.py")) if not SAMPLES.intersection(path.parents)]


def parts() -> set[str]:
    """Return the parts that the page lists."""
    return set(re.findall(r"^- `tests/(\w+)`:", PAGE.read_text(), re.MULTILINE))


def imported(tree: ast.AST) -> set[str]:
    """Return the modules below `tests` that a file imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "tests":
            found |= {f"tests.{name.name}" for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            found.add(node.module)
        elif isinstance(node, ast.ImportFrom):
            found.add("tests." + "." * node.level)
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return {name for name in found if name.split(".")[0] == "tests"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(TESTS)))
def test_modules_import_only_the_kit(path: Path) -> None:
    outside = {name for name in imported(ast.parse(path.read_text())) if not f"{name}.".startswith("tests.kit.")}

    assert outside == set(), "Move the shared code to tests/kit."


def test_test_files_are_in_the_folder_of_a_part() -> None:
    files = [path.relative_to(TESTS) for path in modules() if path.name.startswith("test_")]

    assert {str(path) for path in files if len(path.parts) != 2} == set()
    assert {path.parts[0] for path in files} == parts(), "List the part in docs/reference/testing.md."


def test_parts_contain_only_tests_and_fixtures() -> None:
    others = [
        str(path.relative_to(TESTS))
        for path in modules()
        if path.parent != TESTS and (TESTS / "kit") not in path.parents and not re.match("test_|conftest", path.name)
    ]

    assert others == [], "Move helpers to tests/kit."


def make(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not re.match("MAKE|MFLAGS|PART", name)}
    return subprocess.run(
        ["make", "test", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_make_runs_the_named_parts() -> None:
    shown = make("--dry-run", "PART=payments booking")

    assert shown.stdout.rstrip().endswith("-m pytest -q -n logical --dist worksteal tests/payments tests/booking")


def test_make_lists_the_parts_when_one_is_unknown() -> None:
    refused = make("PART=weather")

    assert refused.returncode == 2
    assert "There is no part 'weather'." in refused.stderr
    assert all(part in refused.stderr for part in parts())
