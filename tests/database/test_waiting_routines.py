"""Test that every routine that may wait for a lock is tried against a rival, or has a reason in walk/waits.txt.

The routines come from the catalog. A routine may wait if it locks, changes or deletes rows, takes an advisory lock,
inserts with `on conflict`, or calls such a routine. A fact that it read before it waited may be out of date afterwards.

The cases are in the files `*_rivals_concurrency.py`, and name their routines as tests/kit/rivals.py says.
"""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LIST = TESTS / "database" / "walk" / "waits.txt"
CASE = re.compile(r"\bCase\(\s*\"([a-z_]+\.[a-z_0-9]+)\"")
ROW_LOCK = re.compile(r"\bfor (?:no key )?(?:update|share)\b(?!(?:\s+of\s+\w+)?\s+skip\s+locked)|\bfor key share\b")
OTHER_WAITS = re.compile(
    r"\bpg_advisory_xact_lock|\block table\b|\bon conflict\b|\b(?:update|delete from)\s+[a-z_]+\.[a-z_]+"
)
CALL = re.compile(r"\b([a-z_]+\.[a-z_0-9]+)\(")
CHECK = re.compile(r"\borganizations\.caller_is\(|\bevents\.require_organization\(")
SCHEMAS = ["events", "messaging", "ops", "organizations", "payments", "public", "rating", "staging", "users"]
ROUTINES = """
select p.pronamespace::regnamespace || '.' || p.proname as name, pg_get_functiondef(p.oid) as definition
from pg_proc as p
where p.pronamespace::regnamespace::text = any (%s) and p.prokind = 'f'
and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
"""

GRANTED = """
select p.pronamespace::regnamespace || '.' || p.proname as name
from pg_proc as p
where
    p.pronamespace = 'payments'::regnamespace and p.provolatile = 'v'
    and has_function_privilege('authenticated', p.oid, 'execute')
"""


def waiting_routines(db):
    """Return the names of all routines that may wait, directly or through a routine that they call."""
    sources: dict[str, str] = {}
    for row in db.execute(ROUTINES, [SCHEMAS]).fetchall():
        code = re.sub(r"--.*", "", row["definition"]).lower()
        sources[row["name"]] = sources.get(row["name"], "") + code
    waiting = {name for name, code in sources.items() if ROW_LOCK.search(code) or OTHER_WAITS.search(code)}
    calls = {name: set(CALL.findall(code)) - {name} for name, code in sources.items()}
    while more := {name for name in sources.keys() - waiting if calls[name] & waiting}:
        waiting |= more
    return waiting


def listed():
    """Return the lines of the list: the routine, and why it needs no case of its own."""
    lines = [line for line in LIST.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines)


def tried():
    """Return the routines that have a case."""
    return {
        name for path in sorted(TESTS.rglob("test_*_rivals_concurrency.py")) for name in CASE.findall(path.read_text())
    }


def test_each_waiting_routine_has_a_case_or_a_reason(rolled_back):
    missing = waiting_routines(rolled_back) - tried() - listed().keys()
    assert not missing, f"Write a case, or a reason in {LIST.name}: {', '.join(sorted(missing))}."


def test_listed_routines_wait_and_have_no_case(rolled_back):
    names = list(listed())
    assert names == sorted(names)
    assert listed().keys() <= waiting_routines(rolled_back)
    assert not listed().keys() & tried()
    assert tried() <= waiting_routines(rolled_back)


def payment_routines_of_staff(db):
    """Return the payment routines that staff call, that check their role, and that may wait."""
    sources = {row["name"]: row["definition"] for row in db.execute(ROUTINES, [["payments"]]).fetchall()}
    # The quotes of seats and packages share this routine. It only lists methods, so it checks no right of a buyer.
    del sources["payments.payment_methods"]
    checking = {name for name, code in sources.items() if CHECK.search(code)}
    while more := {name for name in sources.keys() - checking if set(CALL.findall(sources[name])) & checking}:
        checking |= more
    granted = {row["name"] for row in db.execute(GRANTED).fetchall()}
    return checking & granted & waiting_routines(db)


def test_each_payment_routine_of_staff_has_a_case_in_which_their_role_ends(rolled_back):
    path = TESTS / "payments" / "test_dismissal_rivals_concurrency.py"
    assert set(CASE.findall(path.read_text())) == payment_routines_of_staff(rolled_back)


@pytest.mark.parametrize(
    "body",
    [
        "begin perform from events.terms as t for update; end;",
        "begin perform pg_advisory_xact_lock(1); end;",
        "begin perform events.lock_inventory(null); end;",
        "begin insert into ref.languages (code) values ('x') on conflict do nothing; end;",
    ],
)
def test_walk_detects_a_routine_that_waits(rolled_back, body):
    rolled_back.execute(f"create function events.novelty() returns void language plpgsql as $$ {body} $$")
    assert "events.novelty" in waiting_routines(rolled_back)


def test_walk_ignores_a_routine_that_skips_locked_rows(rolled_back):
    rolled_back.execute(
        "create function events.novelty() returns void language plpgsql as"
        " $$ begin perform from events.terms as t for update of t skip locked; end; $$"
    )
    assert "events.novelty" not in waiting_routines(rolled_back)
