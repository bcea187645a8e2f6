"""The header of a routine names the routine and each refusal that the routine itself raises."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("sockets_off")

FOLDER = Path(__file__).resolve().parents[2] / "sql" / "routines"
FILES = {f"{path.relative_to(FOLDER).parts[0]}.{path.stem}": path for path in sorted(FOLDER.rglob("*.sql"))}


def parts(file):
    """Return the joined lines of the header, and the rest of the file."""
    lines = file.read_text().splitlines()
    length = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return " ".join(line.removeprefix("--").strip() for line in lines[:length]), "\n".join(lines[length:])


@pytest.mark.parametrize("routine", FILES)
def test_header_names_its_routine_and_its_refusals(routine):
    header, body = parts(FILES[routine])

    assert header.startswith(f"{routine}: ")
    raised = re.findall(r"errcode = 'PT(\d{3})',\s*message = '(\w+)'", body)
    assert [f"{status} {code}" for status, code in raised if not is_stated(status, code, header)] == []


def is_stated(status, code, header):
    """Return whether a header states a refusal with its status, as in `409 sold_out`, or names a warning."""
    before = rf"\b{status}\b[^.;]*" if status >= "400" else ""
    return re.search(rf"{before}\b{code}\b", header) is not None
