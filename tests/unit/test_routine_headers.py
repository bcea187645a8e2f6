"""The header of a routine, which callers read: it names the routine and each refusal that the routine itself raises."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "sql" / "routines"
FILES = sorted(FOLDER.rglob("*.sql"))


def parts(file):
    """The header, its lines joined, and all that follows it."""
    lines = file.read_text().splitlines()
    length = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return " ".join(line.removeprefix("--").strip() for line in lines[:length]), "\n".join(lines[length:])


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}.{file.stem}")
def test_a_header_names_its_routine_and_what_it_refuses(file):
    header, body = parts(file)

    assert header.startswith(f"{file.parent.name}.{file.stem}: ")
    raised = re.findall(r"errcode = 'PT(\d{3})',\s*message = '(\w+)'", body)
    assert [f"{status} {code}" for status, code in raised if not re.search(rf"\b{code}\b", header)] == []
