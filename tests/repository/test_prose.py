"""scripts.prose: each rule reports its fault with a line and a remedy, and leaves plain English alone."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import prose

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
LONG = " ".join(["word"] * 31)


@pytest.fixture(autouse=True)
def _project(monkeypatch):
    monkeypatch.chdir(ROOT)


def found(path, text):
    """Return the line and the rule of each fault in one file."""
    faults, _folders = prose.check([(path, text)])
    return [(fault.line, fault.rule) for fault in faults]


MARKDOWN = [
    ("Bookings never oversell.", []),
    (f"{LONG}.", [(1, "long")]),
    (f"{' '.join(['word'] * 30)}.", []),
    (f"First.\n\nSecond line.\n{LONG}.", [(4, "long")]),
    (f"{' '.join(['word'] * 16)}. {' '.join(['Word'] * 16)}.", []),
    (f"{' '.join(['word'] * 16)}\n- {' '.join(['word'] * 16)}", []),
    (f"```\n{LONG}\n```", []),
    ("```\nIt begins.\n\nIt begins.\n```\nIt begins.", [(6, "word")]),
    (f"| a | b |\n|---|---|\n| {' '.join(['word'] * 16)} | {' '.join(['word'] * 16)} |", []),
    ("See e.g. the guide, at 3.5 seconds. What is here?", []),
    ("What it does is clear.", [(1, "start")]),
    ("It works.\nWhoever asks gets it.", [(2, "start")]),
    ("It works. Those are old.", [(1, "start")]),
    ("That which is old.", [(1, "start")]),
    ("Who asks", [(1, "start")]),
    ("What happens after a crash?", []),
    ("Whole rows are kept.", []),
    ("# What it promises", [(1, "start")]),
    ("- What it promises", [(1, "start")]),
    ("That is dear.", [(1, "word")]),
    ("It stops, for nobody may wait.", [(1, "word")]),
    ("It keeps seats, for the customer.", []),
    ("The scan begins here.", [(1, "word")]),
    ("It is written down.", [(1, "word")]),
    ("It was written down, and it begins.", [(1, "word"), (1, "word")]),
    ("We hear of it.", [(1, "word")]),
    ("Customers are told.", [(1, "word")]),
    ("You can tell them apart.", []),
    ("One's own bookings.", [(1, "word")]),
    ("One’s own bookings.", [(1, "word")]),
    ("Cancel bookings of one's customers.", [(1, "word")]),
    ("It takes the first one's place.", []),
    ("Nought remains.", [(1, "word")]),
    ("Pay what is left.", [(1, "word")]),
    ("Only 2 seats are left.", []),
    ("The row goes.", [(1, "word")]),
    ("The row goes to the queue.", []),
    ("It answers the caller.", [(1, "word")]),
    ("By the agreed time.", [(1, "word")]),
    ("The debt is forgiven.", [(1, "word")]),
    ("Read `begin`, begin_telling, sql/begin.sql and messages.begin.", []),
    ("Read [the page](begins.md).", []),
    ("<!-- begins -->", []),
    ("A path goes from here.", []),
    ("It is early; for a test to take it, ask.", []),
    ("It is late, for its events are old.", [(1, "word")]),
    (f"It is version 5. {LONG[:-5]}.", []),
    (f"It costs\n1,000. {LONG[:-5]}.", []),
    (f"It is a UUID of version\n5. A {LONG[:-10]}.", []),
    (f"1. {LONG[:-5]}\n2. {LONG[:-5]}\n3) {LONG[:-5]}", []),
    (f"It is - so to say - {LONG[:-20]}.", [(1, "long")]),
    (f"**Decision.** {LONG[:-5]}.", []),
    (f"The table is events_bookings. {LONG[:-5].capitalize()}.", []),
    (f"Read https://example.com/a. {LONG[:-5].capitalize()}.", []),
    (f"Read `a`. {LONG[:-5].capitalize()}.", []),
    (f"Use a tool. {LONG[:-5]}.", []),
    (f"Use e.g. Stripe. {LONG[:-5].capitalize()}.", []),
    (f"{LONG[:-70].capitalize()}, e.g. Stripe, {LONG[:-70]}.", [(1, "long")]),
    (f"The answer is no. {LONG[:-5].capitalize()}.", []),
    (f"See no. 5 of {LONG[:-15]}.", [(1, "long")]),
    (f"Seats, holds etc. {LONG[:-5].capitalize()}.", []),
    (f"Seats, holds etc. are {LONG[:-15]}.", [(1, "long")]),
    ('Returns {"a": {"begins": 1, "told": 2}}.', []),
    ("| a |\n|---|\n| what it needs |", [(3, "start")]),
]


@pytest.mark.parametrize(("text", "faults"), MARKDOWN)
def test_markdown_is_checked(text, faults):
    assert found("docs/page.md", text) == faults


PYTHON = [
    ('def f():\n    """Return the rows."""', []),
    ('def f():\n    """The rows."""', [(2, "imperative")]),
    ('def f():\n    """What is done."""', [(2, "start")]),
    ('def f():\n    """`x` as text."""', [(2, "imperative")]),
    ('async def f():\n    """The rows."""', [(2, "imperative")]),
    ('class C:\n    """The rows."""', []),
    ('class C:\n    """What is kept."""', [(2, "start")]),
    ('class C:\n    @property\n    def f(self):\n        """The rows."""', []),
    ('class C:\n    def f(self):\n        """The rows."""', [(3, "imperative")]),
    ('"""A module.\n\nIt begins here.\n"""', [(3, "word")]),
    ('"""A module.\n\n    begins(1)\n"""', []),
    ('X = 1\n"""Whoever asks."""', [(2, "start")]),
    ("# It begins here.\nX = 1", [(1, "word")]),
    ("# It runs until the\n# scan begins.\nX = 1", [(1, "word")]),
    ("X = 1  # it begins here", [(1, "word")]),
    ("X = 1  # noqa: S101 - it begins here", [(1, "word")]),
    ("X = 1  # noqa: S101", []),
    ('raise ValueError("The scan begins too late.")', [(1, "word")]),
    ('raise ValueError(f"The scan of {begins} is late.")', []),
    ('raise ValueError(f"The {scan} begins too late.")', [(1, "word")]),
    ('raise Refused(404, "begins", "What you want is missing.")', [(1, "start")]),
    ('raise ValueError("a scan that begins late")', [(1, "word")]),
    ('raise KeyError("begins")', []),
    ('X = "begins"', []),
    ('def f():\n    """State of the queue."""', [(2, "imperative")]),
    ('def f():\n    """State the reason."""', []),
    ('class C:\n    @functools.cached_property\n    def f(self):\n        """The rows."""', []),
    (f'"""A module.\n\nRaises {LONG[:-5]}.\n"""', [(3, "long")]),
    (f'"""A module.\n\nRaises: {LONG[:-5]}.\n"""', []),
    ("X = 1  # noqa: S101  # it begins here", [(1, "word")]),
    ('print("rows that begin")', [(1, "word")]),
    ('print("begin", "a")', []),
    ('add_argument("--x", help="when it begins")', [(1, "word")]),
    ('X = "select begins from x where y = ? or it begins = ?"', []),
    ('Query(description="when it begins")', [(1, "word")]),
    (f'X = "{LONG.capitalize()}."', [(1, "long")]),
]


@pytest.mark.parametrize(("text", "faults"), PYTHON)
def test_python_is_checked(text, faults):
    assert found("functions/book/app.py", text) == faults


@pytest.mark.parametrize(
    ("path", "text", "faults"),
    [
        ("tests/unit/test_x.py", 'def test_x():\n    """Bookings never oversell."""', []),
        ("tests/unit/test_x.py", 'def helper():\n    """Some rows."""', [(2, "imperative")]),
        ("tests/unit/test_x.py", 'def test_x():\n    """What is kept."""', [(2, "start")]),
        ("tests/unit/test_x.py", 'class C:\n    @invariant()\n    def x(self):\n        """Sums agree."""', []),
        ("tests/kit/template/work_rules.py", 'def every_queue_ends(system):\n    """Queues end."""', []),
        ("functions/book/app.py", 'def test_x():\n    """Bookings never oversell."""', [(2, "imperative")]),
    ],
)
def test_docstrings_of_tests_need_no_imperative_and_those_of_helpers_do(path, text, faults):
    assert found(path, text) == faults


def test_strings_in_tests_are_not_checked():
    assert found("tests/unit/test_x.py", 'X = "The scan begins too late."') == []


SQL = [
    ("-- events.book: take seats at an event.\n", []),
    ("-- events.book: the seats of an event.\n", [(1, "imperative")]),
    ("-- events.book: what is booked.\n", [(1, "start")]),
    ("-- events.book: take seats.\n--\n-- It begins here.\n", [(3, "word")]),
    (f"-- events.book: take seats.\n--\n-- Refuses: 404 {LONG}.\n", []),
    ("select 1; -- it begins here\n", [(1, "word")]),
    ("begin\n    select 'begins -- here';\nend\n", []),
    ("comment on table x is\n'The table where it begins.';\n", [(2, "word")]),
    ("select 'It''s where the scan begins.';\n", [(1, "word")]),
    ("select 'seats begin at 1.';\n", [(1, "word")]),
    ("select 'begins';\n", []),
]


@pytest.mark.parametrize(("text", "faults"), SQL)
def test_sql_is_checked(text, faults):
    assert found("sql/routines/events/book.sql", text) == faults


TEMPLATE = [
    ("# It starts here.\nA: 1\n", []),
    ("# It begins here.\nA: 1\n", [(1, "word")]),
    ("A:\n  # It runs until the\n  # scan begins.\n  B: 1\n", [(2, "word")]),
    ("A: 1 # it begins here\n", [(1, "word")]),
    (f"# {' '.join(['word'] * 16)}.\nA: 1\n# {' '.join(['word'] * 16)}\n", []),
    (f"A:\n  # {LONG}.\n  B: 1\n", [(2, "long")]),
    ("# What it needs.\nA: 1\n", [(1, "start")]),
    ("Description: It begins.\n", [(1, "word")]),
    ("A:\n  Description: What it needs.\n", [(2, "start")]),
    (f"A:\n  Description: {LONG}.\n", [(2, "long")]),
    ("A:\n  Description: >-\n    It\n    begins.\n", [(2, "word")]),
    ('A: [{AssertDescription: "It begins: #1."}]\n', [(1, "word")]),
    ("A:\n  AlarmDescription: !Sub ${B} begins.\n", [(2, "word")]),
    ("A:\n  AlarmDescription:\n    Fn::Sub: ${B} begins.\n", [(3, "word")]),
    ("A: &A {Description: It begins.}\nB: *A\n", [(1, "word")]),
    ("A: It begins.\n", []),
    ("A: 'It #begins'\n", []),
    ("A: 'It\n  # begins'\n", []),
    ("A: |\n  # It begins.\nB: 1\n", []),
    ("A: x#begins\n", []),
    ("Ünïcödé: |\n  ü\n# It begins.\n", [(3, "word")]),
    ("", []),
]


@pytest.mark.parametrize("path", ["template.yaml", "stacks/database.yaml"])
@pytest.mark.parametrize(("text", "faults"), TEMPLATE)
def test_templates_are_checked(path, text, faults):
    assert found(path, text) == faults


def test_all_templates_of_the_project_are_read_and_sample_applications_are_not():
    read = {path for path, _text in prose.files_in(prose.ROOTS) if path.endswith(".yaml")}

    assert read == {"template.yaml", *(str(path.relative_to(ROOT)) for path in (ROOT / "stacks").glob("*.yaml"))}
    assert list((ROOT / "tests").rglob("stacks/*.yaml"))


def test_headers_of_views_need_no_imperative():
    assert found("sql/views/events/x.sql", "-- events.x: bookings with their events.\n") == []
    assert found("sql/views/events/x.sql", "-- events.x: what is booked.\n") == [(1, "start")]


@pytest.mark.parametrize(("phrase", "rule", "allowed"), [("sees what", "what", 4), ("serves those who", "whoever", 2)])
def test_vague_words_are_limited_per_1000_words_of_a_folder(phrase, rule, allowed):
    plain = "\n\n".join(["Ten words of plain text stand in each line here."] * 100)
    within, over = (f"{plain}\n\n" + f"It {phrase}.\n\n" * count for count in (allowed, allowed + 1))

    assert found("docs/page.md", within) == []
    assert found("docs/page.md", over) == [(201 + 2 * index, rule) for index in range(allowed + 1)]


def test_folder_may_use_each_vague_word_once():
    assert found("docs/page.md", "It sees what whoever sees.") == []


def test_fault_names_its_line_and_the_remedy():
    (fault,), _folders = prose.check([("docs/page.md", "Plain.\n\nThat is dear.")])

    assert str(fault) == 'docs/page.md:3: "dear". Write: expensive.'


def test_summary_counts_per_folder():
    _faults, folders = prose.check(
        [
            ("docs/a.md", "It begins."),
            ("docs/b.md", "It begins."),
            ("sql/routines/events/x.sql", "-- events.x: take.\n"),
        ]
    )

    assert {name: (folder.words, folder.faults["word"]) for name, folder in folders.items()} == {
        "docs": (4, 2),
        "sql/routines/events": (1, 0),
    }
    total = prose.summary(folders).splitlines()[-1].split()
    assert (total[0], total[1], total[-1]) == ("all", "5", "2")


def test_landed_migrations_are_skipped_and_new_ones_are_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(prose, "MIGRATIONS", tmp_path)
    landed = max(prose.rules().landed_migrations)
    for number in (landed, landed + 1):
        (tmp_path / f"{number:04}_x.pre.sql").write_text("-- It begins.\n")

    assert [Path(path).name for path, _text in prose.files_in([str(tmp_path)])] == [f"{landed + 1:04}_x.pre.sql"]


def test_last_landed_migration_exists():
    numbers = {int(file.name[:4]) for file in (ROOT / "sql" / "migrations").glob("*.sql")}

    assert max(prose.rules().landed_migrations) in numbers


def test_every_phrase_of_the_word_list_compiles_and_has_a_remedy():
    assert len(prose.rules().avoid) > 10
    assert all(instead and isinstance(pattern, re.Pattern) for pattern, instead in prose.rules().avoid)


@pytest.mark.parametrize(
    ("text", "status", "last"), [("It begins.\n", 1, "1 fault."), ("It starts.\n", 0, "No faults.")]
)
def test_command_prints_faults_and_returns_a_status(tmp_path, text, status, last):
    file = tmp_path / "page.md"
    file.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "scripts.prose", "--folder", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout.splitlines()[-1]) == (status, last)
    assert (f'{file}:1: "begins". Write: start.' in done.stdout) == bool(status)
