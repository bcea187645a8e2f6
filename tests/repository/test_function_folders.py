"""The folders of functions: an app.py of moderate length, and at most one package, named after its function."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("sockets_off")

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
LINES_MAX = 200
ROUTE_LINES_MAX = 15
FILES = sorted(FUNCTIONS.rglob("*.py"))
FOLDERS = sorted(file.parent for file in FUNCTIONS.glob("*/app.py"))
METHODS = {"get", "post", "put", "patch", "delete"}
SQL = re.compile(r"\s*(select|insert|update|delete|with|call)\s+[a-z(]")


def name_of(path):
    return str(path.relative_to(FUNCTIONS))


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_function_file_has_at_most_200_lines(file):
    assert len(file.read_text().splitlines()) <= LINES_MAX


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_route_has_at_most_15_lines(file):
    """The docstring of a route does not count."""
    tree = ast.parse(file.read_text())
    for route in (node for node in tree.body if isinstance(node, ast.FunctionDef) and is_route(node)):
        body = route.body[1:]
        assert body[-1].end_lineno - body[0].lineno + 1 <= ROUTE_LINES_MAX, route.name


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_function_file_contains_no_sql(file):
    texts = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]

    assert [text for text in texts if isinstance(text, str) and SQL.match(text)] == []


def is_route(function):
    calls = [each.func for each in function.decorator_list if isinstance(each, ast.Call)]
    return any(isinstance(call, ast.Attribute) and call.attr in METHODS for call in calls)


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_function_folder_has_app_py_and_at_most_one_package_with_its_name(folder):
    """Lambda and the tests put every folder on the path, so a package `routes` would be ambiguous."""
    beside = {path.name for path in folder.iterdir()} - {"app.py", "__pycache__"}
    stem = folder.name.replace("-", "_")

    assert beside in (set(), {f"{stem}_routes"}, {f"{stem}_jobs"})
    assert not beside & {*sys.stdlib_module_names, *packages_distributions(), "marquee"}


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_every_module_of_a_function_is_used(folder):
    text = "\n".join(file.read_text() for file in folder.rglob("*.py"))
    modules = [file for file in folder.glob("*/*.py") if file.name != "__init__.py"]

    unused = [
        file.stem
        for file in modules
        if not re.search(rf"^from {file.parent.name}(\.{file.stem} | import .*\b{file.stem}\b)", text, re.MULTILINE)
    ]

    assert unused == []
