"""Call the database's routines as a caller, and read the codes of refusals.

answer = routines.book(connection, event_id, customer_id, seats=2, key="tap")
"""

import json
from typing import Any
from uuid import UUID

import psycopg


def call(connection: psycopg.Connection[Any], caller: UUID | None, query: str, params: Any = None) -> Any:
    """Return the value of one statement as a caller (None: the service), in one transaction. Raise database errors."""
    claims = {"role": "service_role"} if caller is None else {"sub": str(caller)}
    with psycopg.ClientCursor(connection) as cursor:
        statement = cursor.mogrify("select ops.act_as(%s::jsonb); ", [json.dumps(claims)]) + cursor.mogrify(
            query, params
        )
        cursor.execute(statement)
        while cursor.nextset():
            pass
        row = cursor.fetchone()
    return None if row is None else next(iter(row.values())) if isinstance(row, dict) else row[0]


def book(
    connection: psycopg.Connection[Any], event_id: UUID, customer_id: UUID, seats: int = 1, key: str | None = None
) -> dict[str, Any]:
    """Book as the customer and return the response."""
    query = "select events.book(event_id => %s, seats => %s, idempotency_key => %s)"
    return json.loads(call(connection, customer_id, query, [event_id, seats, key]))


def code_of(error: psycopg.Error) -> str:
    """Return the stable code of a refusal."""
    assert error.sqlstate is not None
    assert error.sqlstate.startswith("PT"), error
    return str(error.diag.message_primary)
