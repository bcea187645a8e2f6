"""Test that every constraint was checked against the rows that existed before it."""

UNCHECKED = """
select c.conname as name, coalesce(nullif(c.conrelid, 0)::regclass::text, c.contypid::regtype::text) as place
from pg_constraint as c
inner join pg_namespace as n on n.oid = c.connamespace
where not c.convalidated and n.nspname not in ('pg_catalog', 'information_schema')
"""


def test_no_constraint_stays_unchecked(rolled_back):
    assert rolled_back.execute(UNCHECKED).fetchall() == []


def test_walk_detects_an_unchecked_constraint(rolled_back):
    rolled_back.execute("alter table ref.languages add constraint novelty check (code <> '') not valid")

    assert [row["name"] for row in rolled_back.execute(UNCHECKED).fetchall()] == ["novelty"]
