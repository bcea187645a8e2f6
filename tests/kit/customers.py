"""Call the routes of an organization's customers.

customer = customers.enter(stage, "Ana Meier", email="ana@example.org")
assert customers.found(stage, "mei") == ["Ana Meier"]
"""

import itertools
from typing import Any
from uuid import UUID

from tests.kit import gateway
from tests.kit.gateway import Answer
from tests.kit.stages import Stage

_KEYS = (f"customer-{number}" for number in itertools.count())


def path(stage: Stage, what: str = "") -> str:
    """Return the path of an organization's customers, or of something of one customer."""
    return f"/organizations/{stage.organization_id}/customers" + (f"/{what}" if what else "")


def post(stage: Stage, body: dict[str, Any], caller: UUID | None = None, key: str | None = None) -> Answer:
    """Ask to enter a walk-in, as the owner unless another caller is named."""
    return gateway.post("people", path(stage), body, caller=caller or stage.owner, key=key or next(_KEYS))


def enter(stage: Stage, name: str, **details: Any) -> UUID:
    """Enter a walk-in as the owner."""
    answer = post(stage, {"name": name, **details})
    assert answer.status == 201, answer.text
    return UUID(answer.body["id"])


def search(stage: Stage, caller: UUID | None = None, **query: Any) -> Answer:
    """Ask for a page of customers, as the owner unless another caller is named."""
    return gateway.get("people", path(stage), caller=caller or stage.owner, query=query)


def found(stage: Stage, q: str | None = None, **query: Any) -> list[str]:
    """Return the names that a search finds, in its order."""
    answer = search(stage, **query, **({"q": q} if q else {}))
    assert answer.status == 200, answer.text
    return [row["name"] for row in answer.body["items"]]
