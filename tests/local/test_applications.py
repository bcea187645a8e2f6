"""A collection of small applications in the style of public SAM applications: each starts, and its report is exact.

`python -m tests.kit.applications` writes the reports (expected.txt) again; judge each changed line.
"""

from pathlib import Path

import pytest

from local.gateway import Routes
from local.validation import Validators
from tests.kit.applications import FOLDERS, plan, report


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_application_starts_and_reports_what_does_not_run(folder: Path, tmp_path: Path) -> None:
    planned = plan(folder, tmp_path)
    stack = planned.read()

    for api in stack.apis:
        Routes(api.operations)
        Validators(api)
    assert report(planned, stack) == (folder / "expected.txt").read_text()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_application_is_the_same_when_its_translation_is_cached(folder: Path, tmp_path: Path) -> None:
    first, second = plan(folder, tmp_path), plan(folder, tmp_path)

    assert report(first, first.read()) == report(second, second.read())


OPEN = """
    api-keys GET /help
    api-keys GET /open
    cognito GET /health
    conditions GET /open
    globals GET /items
    iam-and-policies GET /everyone
    images GET /size
    includes GET /included
    inline-code GET /beside
    inline-code GET /inline
    json GET /old
    mistakes GET /good
    mistakes GET /misspelled
    nested GET /root
    nested POST /send
    state-machine GET /quote
    swagger-by-file GET /pets
    swagger-inline GET /by-variable
    table-of-routes GET /events
    two-languages GET /products
"""


def test_only_unprotected_routes_are_served_without_a_check(tmp_path: Path) -> None:
    found = [
        f"{folder.name} {operation.method} {operation.path}"
        for folder in FOLDERS
        for api in plan(folder, tmp_path / folder.name).read().apis
        for operation in api.operations
        if operation.function and not operation.authorizer and not operation.refusal
    ]

    assert sorted(found) == [line.strip() for line in OPEN.strip().splitlines()]


def test_collection_has_at_least_25_applications() -> None:
    assert len(FOLDERS) >= 25
