"""The table sql_arrows.txt allows the calls between subjects of the SQL, as import-linter does for imports.

A subject is a folder of sql/routines, a schema without subject folders, or a folder of sql/views. A call is a qualified
name before a parenthesis: in a routine, a dynamic statement, a view, or a trigger that a file creates. The tests cannot
see a call whose name is built at run time, or a trigger that a write fires.
"""

import graphlib
import re
from collections import defaultdict
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("sockets_off")

SQL = Path(__file__).resolve().parents[2] / "sql"
TABLE = Path(__file__).with_name("sql_arrows.txt")

WORDS_MIN = 6
"""A reason for a circle is a sentence, not a label."""

_TEXT_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_ABOUT = re.compile(r"^(?:comment on|grant|revoke)\b(?:'(?:[^']|'')*'|[^;'])*;", re.MULTILINE)
_CALL = re.compile(r"(?<![\w.])(?<!into )(?<!references )(?<!update )(?<!exists )([a-z_]+\.[a-z_0-9]+)\s*\(")


def calls_in(text):
    """Return the qualified names that a file calls, without its comments and grants."""
    text = _TEXT_OR_COMMENT.sub(lambda found: found[0] if found[0].startswith("'") else "", text)
    return set(_CALL.findall(re.sub(r"\s+", " ", _ABOUT.sub("", text))))


def subject_of(path):
    """Return events/booking for a routine, and views/events for a view."""
    kind, *folders = path.relative_to(SQL).parent.parts
    return "/".join(folders if kind == "routines" else [kind, *folders])


def routine_of(path):
    """Return the qualified name of the routine or view that a file makes."""
    return f"{path.relative_to(SQL).parts[1]}.{path.stem}"


def found_arrows():
    """Return each arrow between two subjects, with sentences that name the caller and the called routine."""
    subjects = {routine_of(path): subject_of(path) for path in (SQL / "routines").rglob("*.sql")}
    arrows = defaultdict(list)
    for path in [*sorted((SQL / "routines").rglob("*.sql")), *sorted((SQL / "views").rglob("*.sql"))]:
        for callee in sorted(calls_in(path.read_text()) & subjects.keys()):
            arrow = (subject_of(path), subjects[callee])
            if arrow[0] != arrow[1]:
                arrows[arrow].append(f"{routine_of(path)} calls {callee}")
    return arrows


def table_lines():
    return [line for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]


def allowed_arrows():
    """Return each arrow of the table with its reason, or None."""
    allowed = {}
    for line in table_lines():
        match = re.fullmatch(r"([\w/]+) -> ([\w/]+)(?:: (.+))?", line)
        assert match, f"{TABLE.name}: write 'caller -> callee' or 'caller -> callee: reason' instead of '{line}'."
        allowed[match[1], match[2]] = match[3]
    return allowed


def circle_in(arrows):
    """Return a circle of subjects, or None."""
    graph = defaultdict(set)
    for caller, callee in arrows:
        graph[caller].add(callee)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1][::-1]
    return None


def leads_to(arrows, start, end):
    """Return whether a path of arrows goes from one subject to another."""
    reached, ahead = {start}, [start]
    while ahead:
        here = ahead.pop()
        new = {callee for caller, callee in arrows if caller == here} - reached
        reached |= new
        ahead += new
    return end in reached


def test_each_call_between_subjects_has_a_line_in_the_table():
    allowed = allowed_arrows()

    missing = [
        f"{' -> '.join(arrow)} is not in {TABLE.name}: {', '.join(calls)}."
        for arrow, calls in sorted(found_arrows().items())
        if arrow not in allowed
    ]

    assert not missing, "\n".join(missing)


def test_each_line_of_the_table_has_a_call():
    unused = [" -> ".join(arrow) for arrow in allowed_arrows().keys() - found_arrows().keys()]

    assert not unused, f"{TABLE.name}: delete the lines {', '.join(unused)}: no call needs them."


def test_table_without_the_lines_with_a_reason_has_no_circle():
    assert circle_in([arrow for arrow, reason in allowed_arrows().items() if reason is None]) is None


def test_only_arrows_that_close_a_circle_have_a_reason():
    allowed = allowed_arrows()
    reasons = {arrow: reason for arrow, reason in allowed.items() if reason is not None}

    assert [arrow for arrow in reasons if not leads_to(allowed, arrow[1], arrow[0])] == []
    assert [reason for reason in reasons.values() if len(reason.split()) < WORDS_MIN] == []


def test_table_is_sorted_and_names_each_arrow_once():
    arrows = [line.partition(":")[0] for line in table_lines()]

    assert arrows == sorted(set(arrows))


@pytest.mark.parametrize("kind", ["routines", "views"])
def test_schema_has_all_files_in_subject_folders_or_none(kind):
    for schema in sorted((SQL / kind).iterdir()):
        depths = {path.relative_to(schema).as_posix().count("/") for path in schema.rglob("*.sql")}
        beside = sorted(path.name for path in schema.glob("*.sql"))
        assert depths in ({0}, {1}), f"{kind}/{schema.name}: move {', '.join(beside)} into a subject folder."


CALLS = [
    ("select events.book(1);", {"events.book"}),
    ("perform events.book (\n    1\n);", {"events.book"}),
    (
        "x := payments.post_between_owners(legs => ops.idempotent_answer(1));",
        {"payments.post_between_owners", "ops.idempotent_answer"},
    ),
    ("execute 'select ops.health_status(1)' using 2;", {"ops.health_status"}),
    ("create trigger t after insert on events.holds for each row execute function events.count_holds();",
     {"events.count_holds"}),
    ("create view events.v as\nselect events.price_tier(e.cents) from events.events as e;", {"events.price_tier"}),
    ("-- It calls events.book().\nselect 1; /* events.book() */", set()),
    ("select 'It''s -- no comment', events.book(1);", {"events.book"}),
    (
        "comment on function events.book(uuid) is\n'Calls; events.cancel().';\nselect ops.health_status(1);",
        {"ops.health_status"},
    ),
    ("grant execute on function events.book(uuid) to anon;", set()),
    ("insert into\n    events.holds (id) values (1);", set()),
    ("select the_row.events.book(1), xevents.book(2);", {"xevents.book"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "calls"), CALLS)
def test_calls_are_found_in_sql(text, calls):
    assert calls_in(text) == calls


def test_circle_is_found_and_named():
    assert circle_in([("a", "b"), ("b", "c")]) is None
    assert circle_in([("a", "b"), ("b", "c"), ("c", "a")]) in (
        ["a", "b", "c", "a"],
        ["b", "c", "a", "b"],
        ["c", "a", "b", "c"],
    )
