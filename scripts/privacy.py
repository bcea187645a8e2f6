"""The tables of sql/retention.md, made from ops.retention; scripts.schema writes and checks them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

PAGE = Path("sql/retention.md")
MARK = "<!-- The tables below are made from ops.retention by `make schema`; do not edit them. -->\n"
PERSONAL = ("person", "name", "address", "text", "document", "secret")
HEADERS = {
    "Periods": ("rule", "table", "rows or column", "kept", "at least", "at most", "then"),
    "Personal data": ("table", "column", "kind", "at erasure", "why it stays"),
    "The rest": ("table", "columns", "kind"),
}

Row = tuple[Any, ...]


def page(connection: psycopg.Connection[Any]) -> str:
    """Return the whole page: its text unchanged, its tables from the database."""
    text = PAGE.read_text().partition(MARK)[0]
    tables = {"Periods": _periods(connection), "Personal data": _personal(connection), "The rest": _rest(connection)}
    return text + MARK + "".join(_section(title, rows) for title, rows in tables.items())


def _periods(connection: psycopg.Connection[Any]) -> list[Row]:
    return connection.execute(
        """
        select
            r.rule, r.table_name, case when r.kind = 'row' then 'rows' else r.column_name end,
            case when r.period = '0' then 'until it is full again' else r.period::text end,
            coalesce(r.period_least::text, 'fixed'), coalesce(r.period_most::text, 'fixed'),
            case r.at_end when 'delete' then 'deleted' when 'null' then 'emptied' else 'replaced' end
        from ops.retention as r
        where r.period is not null
        order by r.table_name, r.rule
        """
    ).fetchall()


def _personal(connection: psycopg.Connection[Any]) -> list[Row]:
    return connection.execute(
        """
        select
            r.table_name, case when r.kind = 'row' then 'rows' else r.column_name end, r.kind,
            case r.on_erasure
                when 'delete' then 'deleted' when 'null' then 'emptied'
                when 'replace' then 'replaced' else 'stays'
            end,
            coalesce(r.reason, '')
        from ops.retention as r
        where r.kind = any (%s) and r.period is null
        order by r.table_name, r.place
        """,
        [list(PERSONAL)],
    ).fetchall()


def _rest(connection: psycopg.Connection[Any]) -> list[Row]:
    return connection.execute(
        """
        select r.table_name, string_agg(r.column_name, ', ' order by r.place), r.kind
        from ops.retention as r
        where r.kind in ('code', 'content', 'system')
        group by r.table_name, r.kind
        order by r.table_name, r.kind
        """
    ).fetchall()


def _section(title: str, rows: Sequence[Row]) -> str:
    header = HEADERS[title]
    lines = [f"| {' | '.join(row)} |" for row in (header, ("---",) * len(header), *rows)]
    return f"\n## {title}\n\n" + "\n".join(lines) + "\n"
