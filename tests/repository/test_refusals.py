"""Every refusal of SQL, Python and the gateway has an entry in marquee.edge.refusals, and each entry is in use."""

import ast
import re
from http import HTTPStatus
from pathlib import Path

import pytest

from marquee.edge import refusals
from marquee.edge.refusals import BY_CODE, Refusal
from scripts import refusals as page

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
SQL = {path: path.read_text() for path in sorted(ROOT.glob("sql/routines/**/*.sql"))}
PYTHON = {
    path: ast.parse(path.read_text())
    for path in sorted([*ROOT.glob("layers/domain/**/*.py"), *ROOT.glob("functions/**/*.py")])
    if path.name not in ("refusals.py", "mail.py")  # mail has refusals of its own, by SES
}
RAISE = re.compile(
    r"errcode = (?P<state>[^;]*?PT\d{3}[^;]*?),\s*message = (?P<message>[^;]*?)(?:,\s*(?:detail|hint)|;)"
)
STATED = re.compile(r"\b([45]\d\d) ([a-z_]{6,})\b")
IN_TEMPLATE = re.compile(r'"status": (\d+), "code": "(\w+)"')
WITHOUT_STATUS = re.compile(r'"title": "[^"]+", "code": "(\w+)"')


def in_sql(text):
    """Yield the refusals that a routine raises, as (status, code). A `case` of states has a `case` of codes."""
    for found in RAISE.finditer(text):
        statuses = re.findall(r"'PT(\d{3})'", found["state"])
        codes = re.findall(r"(?:^|then |else )'(\w+)'", found["message"])
        assert len(statuses) == len(codes), found[0]
        yield from ((int(status), code) for status, code in zip(statuses, codes, strict=True) if status >= "400")


def in_python(tree):
    """Yield the refusals that a module raises, as (status, code). A code that is no constant is of a signature."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
            continue
        if node.func.id == "NotSigned":
            yield 400, node.args[0].value
        elif node.func.id in ("Refused", "problem") and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            status = node.args[0]
            yield HTTPStatus[status.attr] if isinstance(status, ast.Attribute) else status.value, node.args[1].value
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "REFUSED_BY":
            yield from ast.literal_eval(node.value).values()


def all_raised():
    template = (ROOT / "template.yaml").read_text()
    raised = {each for text in SQL.values() for each in in_sql(text)}
    raised |= {each for tree in PYTHON.values() for each in in_python(tree)}
    raised |= {(int(status), code) for status, code in IN_TEMPLATE.findall(template)}
    return raised | {(BY_CODE[code].status, code) for code in WITHOUT_STATUS.findall(template)}


def without_an_entry(stated):
    """Return the statuses and codes that differ from the entries."""
    known = {(status, code) for code, each in BY_CODE.items() for status in (each.status, *each.also)}
    return sorted(f"{int(status)} {code}" for status, code in set(stated) - known)


def stated(text):
    """Return the refusals that a header or docstring states after `Refuses`, as (status, code)."""
    _, _, after = text.partition("Refuses")
    return [(int(status), code) for status, code in STATED.findall(after)]


def test_every_raised_refusal_has_an_entry_with_its_status():
    raised = all_raised()

    assert len(raised) > 80
    assert without_an_entry(raised) == []


def test_every_raise_in_sql_is_read():
    states = sum(len(re.findall(r"(?<!sqlstate )'PT[45]\d\d'", text)) for text in SQL.values())

    assert sum(len(list(in_sql(text))) for text in SQL.values()) == states


def test_every_entry_is_in_use():
    assert BY_CODE.keys() - {code for _, code in all_raised()} == set()


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
def test_header_states_entries_with_their_status(path):
    lines = SQL[path].splitlines()
    header = " ".join(line.removeprefix("--").strip() for line in lines if line.startswith("--"))

    assert without_an_entry(stated(header)) == []


def test_docstrings_state_entries_with_their_status():
    documented = (ast.Module, ast.FunctionDef, ast.ClassDef)
    docstrings = [
        " ".join((ast.get_docstring(node) or "").split())
        for tree in PYTHON.values()
        for node in ast.walk(tree)
        if isinstance(node, documented)
    ]

    assert without_an_entry(each for text in docstrings for each in stated(text)) == []


def test_entries_are_sorted_and_end_their_sentences():
    assert list(BY_CODE) == sorted(BY_CODE)
    assert [code for code, refusal in BY_CODE.items() if not refusal.sentence.endswith(".")] == []


def test_sentence_contains_only_members_that_refusals_have():
    members = set(re.findall(r"'([a-z_]+)'", "".join(SQL.values())))
    values = {value for refusal in BY_CODE.values() for value in re.findall(r"\{([^}]*)\}", refusal.sentence)}

    assert len(values) > 10
    assert values - members == set()


def test_sentence_with_a_missing_member_names_it():
    assert refusals.sentence_of("too_many_waits", {"waits": 5}).startswith("5 waitlist entries")
    assert refusals.sentence_of("too_many_waits", {"waits": None}).startswith("`waits` waitlist entries")
    assert refusals.sentence_of("no_such_code", {}) is None


def test_list_has_a_line_for_codes_that_differ_in_nothing_else():
    lines = page.listing(
        {
            "late": Refusal(409, "It is late.", "after the end", "`from`"),
            "gone": Refusal(404, "There is no such thing.", "unknown"),
            "lost": Refusal(404, "There is no such place.", "unknown", also=(410,)),
            "missing": Refusal(404, "There is no such person.", "unknown"),
            "few": Refusal(409, "Only {left} of {most} are left.", "sold", "`most` (for one person)"),
        }
    ).splitlines()

    assert lines == [
        "- 404 `gone`, `missing`: unknown",
        "- 404, 410 `lost`: unknown",
        "- 409 `few`: sold; with `most` (for one person), `left`",
        "- 409 `late`: after the end; with `from`",
    ]


def test_many_codes_have_a_line_of_their_own():
    codes = {f"code_{number}": Refusal(404, "There is no such thing.", "unknown") for number in range(10)}

    assert page.listing(codes).splitlines() == ["- 404: unknown", "  - " + ", ".join(f"`{code}`" for code in codes)]
