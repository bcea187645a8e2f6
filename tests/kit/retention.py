"""Read the rules of ops.retention."""

from tests.kit.databases import Connection

PERSONAL = {"person", "name", "address", "text", "document", "secret"}
"""Kinds of columns that hold personal data."""


def rules(db: Connection, **having: object) -> list[dict]:
    rows = db.execute("select r.* from ops.retention as r order by r.place").fetchall()
    return [row for row in rows if all(row[name] == value for name, value in having.items())]
