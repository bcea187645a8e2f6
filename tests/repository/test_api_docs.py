"""docs/reference/api.md lists every refusal code, and each code has a sentence for people."""

import re
from pathlib import Path

import pytest

from marquee.edge import sentences

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
RAISED = re.compile(r"errcode\s*=\s*(?:'PT[45]\d\d'|case.*?end),\s*message\s*=\s*'(\w+)'", re.DOTALL)
REFUSED = re.compile(r"Refused\(\s*(?:\d+|HTTPStatus\.\w+),\s*\"(\w+)\"")


BARE = re.compile(r"Refused\(\s*(?:\d+|HTTPStatus\.\w+),\s*\"(\w+)\"\)")


def test_every_refusal_code_is_documented():
    sql = {code for path in ROOT.glob("sql/**/*.sql") for code in RAISED.findall(path.read_text())}
    sources = [*ROOT.glob("layers/domain/**/*.py"), *ROOT.glob("functions/**/*.py")]
    python = {code for path in sources for code in REFUSED.findall(path.read_text())}
    documented = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs" / "reference" / "api.md").read_text()))

    assert len(sql) > 10
    assert len(python) > 5
    assert (sql | python) - documented == set()


def test_every_refusal_code_has_a_sentence():
    sql = {code for path in ROOT.glob("sql/**/*.sql") for code in RAISED.findall(path.read_text())}
    sources = [*ROOT.glob("layers/domain/**/*.py"), *ROOT.glob("functions/**/*.py")]
    bare = {code for path in sources for code in BARE.findall(path.read_text())}
    documented = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs" / "reference" / "api.md").read_text()))

    assert len(bare) > 5
    assert (sql | bare) - set(sentences.OF) == set()
    assert set(sentences.OF) - documented == set()
    assert all(sentence.endswith(".") for sentence in sentences.OF.values())


def test_sentence_contains_only_members_that_refusals_have():
    sql = "".join(path.read_text() for path in ROOT.glob("sql/routines/**/*.sql"))
    members = set(re.findall(r"'([a-z_]+)'", sql))
    values = {value for sentence in sentences.OF.values() for value in re.findall(r"\{([^}]*)\}", sentence)}

    assert len(values) > 10
    assert values - members == set()


def test_sentence_with_a_missing_member_names_it():
    assert sentences.sentence_of("too_many_waits", {"waits": 5}).startswith("5 waitlist entries")
    assert sentences.sentence_of("too_many_waits", {"waits": None}).startswith("`waits` waitlist entries")
    assert sentences.sentence_of("no_such_code", {}) is None
