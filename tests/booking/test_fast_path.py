"""events.book has a fast and a general path: both write the same rows, give the same results and refuse the same."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.kit import routines, stages

FAST = "select events.book(event_id => %s, seats => %s, idempotency_key => %s)"
FAST_WITH_TOTAL = "select events.book(event_id => %s, seats => %s, idempotency_key => %s, total_cents => 0)"
GENERAL = "select events.book(event_id => %s, seats => %s, idempotency_key => %s, payment_method => 'none')"
"""The fast path does not take a request that names a payment method. Free seats cost none."""

ROWS = {
    "bookings": "select to_jsonb(b) as row from events.bookings as b order by b.id",
    "inventory": "select to_jsonb(i) as row from events.inventory as i order by i.event_id",
    "outbox": "select to_jsonb(o) - '{id,created_at}'::text[] as row from public.outbox as o order by o.id",
    "keys": """
        select to_jsonb(k) - '{request_hash}'::text[] as row
        from ops.idempotency_keys as k
        order by k.caller_id, k.operation, k.key
    """,
    "holds": "select to_jsonb(h) - '{ended_at}'::text[] as row from events.holds as h order by h.id",
    "entries": "select to_jsonb(w) as row from events.waitlist_entries as w order by w.id",
    "profiles": "select to_jsonb(p) as row from users.profiles as p order by p.id",
    "wallets": "select to_jsonb(a) - '{id}'::text[] as row from payments.accounts as a order by a.owner_id, a.type",
    "postings": "select to_jsonb(e) as row from payments.entries as e order by e.transaction_id, e.line",
}

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Case:
    """An event, what happened at it before, and the requests of one customer: seats and key of each."""

    event: dict[str, Any] = field(default_factory=dict)
    before: Callable[[stages.Stage, UUID, UUID], None] = lambda stage, event_id, customer: None
    requests: tuple[tuple[int, str | None], ...] = ((1, "tap"),)
    unknown_event: bool = False
    nobody: bool = False


def act(stage: stages.Stage, caller: UUID, query: str, params: list[Any]) -> Any:
    """Call a routine within the test's transaction, and leave the caller's role and settings afterwards."""
    answer = routines.call(stage.db, caller, query, params)
    stage.db.execute("reset role")
    stage.db.execute(
        "select set_config('request.jwt.claims', '', true), set_config('events.inventory_locked', '', true)"
    )
    return answer


def others(query: str, *params: Any) -> Callable[[stages.Stage, UUID, UUID], None]:
    """Let another customer call a routine with the event and these arguments."""
    return lambda stage, event_id, _: act(stage, stage.customer(), query, [event_id, *params])


def own(query: str, *params: Any) -> Callable[[stages.Stage, UUID, UUID], None]:
    """Let the customer call a routine with the event and these arguments."""
    return lambda stage, event_id, customer: act(stage, customer, query, [event_id, *params])


def waits(*, own: bool, offered: bool = False) -> Callable[[stages.Stage, UUID, UUID], None]:
    """Book all three seats, and let the customer or another one wait for two; then perhaps offer two more seats."""

    def prepare(stage: stages.Stage, event_id: UUID, customer: UUID) -> None:
        act(stage, stage.customer(), BOOK, [event_id, 3])
        act(stage, customer if own else stage.customer(), JOIN, [event_id, 2])
        stage.db.execute("update events.inventory set capacity = capacity + 2 where event_id = %s", [event_id])
        if offered:
            stage.db.execute("select events.offer_seats(event_id => %s)", [event_id])

    return prepare


def erased(stage: stages.Stage, _: UUID, customer: UUID) -> None:
    """Mark the customer's account as erased."""
    stage.db.execute(
        """
        update users.profiles
        set erased_at = now(), name = null, email = null, email_verified_at = null
        where id = %s
        """,
        [customer],
    )


def closed(stage: stages.Stage, event_id: UUID, _: UUID) -> None:
    """Close the inventory, as a cancellation does that commits after the terms were read."""
    stage.db.execute("update events.inventory set closed = true where event_id = %s", [event_id])


BOOK = "select events.book(event_id => %s, seats => %s, idempotency_key => 'before')"
GUESTS = "select events.book(event_id => %s, seats => %s, guest => true, idempotency_key => 'before')"
HOLD = "select events.hold_seats(event_id => %s, seats => %s)"
JOIN = "select events.join_waitlist(event_id => %s, seats => %s)"
AT_MOST_TWO = {"policy": {**stages.POLICY, "seats_max_per_person": 2}}

CASES = {
    "one seat": Case(),
    "several seats": Case(requests=((3, "tap"),)),
    "no limit of seats": Case(event={"capacity": None}, requests=((20, "tap"),)),
    "the last seats": Case(event={"capacity": 2}, requests=((2, "tap"),)),
    "more seats than are left": Case(event={"capacity": 2}, requests=((3, "tap"),)),
    "a full event": Case(event={"capacity": 0}),
    "more seats than a booking may have": Case(requests=((21, "tap"),)),
    "no seats": Case(requests=((0, "tap"),)),
    "no key": Case(requests=((1, None),)),
    "a repeated key": Case(requests=((1, "tap"), (1, "tap"))),
    "a key of another request": Case(requests=((1, "tap"), (2, "tap"))),
    "a second booking": Case(requests=((1, "tap"), (1, "again"))),
    "a booking beside guests": Case(before=own(GUESTS, 2), requests=((2, "tap"),)),
    "as many seats as a person may have": Case(event=AT_MOST_TWO, requests=((2, "tap"),)),
    "more seats than a person may have": Case(event=AT_MOST_TWO, requests=((3, "tap"),)),
    "more seats than a person may have with guests": Case(AT_MOST_TWO, own(GUESTS, 1), ((2, "tap"),)),
    "seats that others booked": Case(event={"capacity": 3}, before=others(BOOK, 3)),
    "seats that others hold": Case(event={"capacity": 3}, before=others(HOLD, 3)),
    "seats beside those that others hold": Case(event={"capacity": 3}, before=others(HOLD, 2)),
    "the customer's own hold": Case(event={"capacity": 3}, before=own(HOLD, 2)),
    "others wait": Case(event={"capacity": 3}, before=waits(own=False)),
    "the customer waits": Case(event={"capacity": 3}, before=waits(own=True), requests=((2, "tap"),)),
    "an offer to others": Case(event={"capacity": 3}, before=waits(own=False, offered=True)),
    "an offer": Case(event={"capacity": 3}, before=waits(own=True, offered=True), requests=((2, "tap"),)),
    "fewer seats than were offered": Case(event={"capacity": 3}, before=waits(own=True, offered=True)),
    "a priced event": Case(event={"price_cents": 2500}),
    "a draft": Case(event={"status": "draft"}),
    "a private event": Case(event={"visibility": "private"}),
    "a cancelled event": Case(event={"status": "cancelled"}),
    "an inventory closed meanwhile": Case(before=closed),
    "a past event": Case(event={"starts_in": "-1 day"}),
    "an unknown event": Case(unknown_event=True),
    "a new person": Case(nobody=True),
    "an erased person": Case(before=erased),
}


@pytest.mark.parametrize("name", CASES)
def test_fast_and_general_path_agree(rolled_back: Connection, name: str) -> None:
    case = CASES[name]
    stage = stages.create(rolled_back)
    event_id = stage.event(**{"capacity": 5, **case.event})
    customer = uuid4() if case.nobody else stage.customer()
    case.before(stage, event_id, customer)
    booked = uuid4() if case.unknown_event else event_id

    short, long = (outcome(stage, way, booked, customer, case) for way in (FAST, GENERAL))

    assert short == long


@pytest.mark.parametrize("way", [FAST, FAST_WITH_TOTAL], ids=["without a total", "with a total"])
@pytest.mark.parametrize("name", ["one seat", "several seats", "no limit of seats", "the last seats"])
def test_fast_path_takes_plain_bookings(rolled_back: Connection, name: str, way: str) -> None:
    """Drop the routine of the general path, so that a booking can only take the fast one."""
    stage, case = stages.create(rolled_back), CASES[name]
    event_id, customer = stage.event(**{"capacity": 5, **case.event}), stage.customer()
    rolled_back.execute(
        "drop function events.place_booking"
        "(uuid, events.terms, uuid, integer, boolean, events.payment_method, payments.quotes, uuid, uuid)"
    )

    assert "id" in request(stage, way, event_id, customer, *case.requests[0])


def outcome(stage: stages.Stage, way: str, event_id: UUID, customer: UUID, case: Case) -> dict[str, Any]:
    """Send the requests one way, and return their results and all rows, with numbers for the ids of new bookings."""
    with stage.db.transaction(force_rollback=True):
        answers = [request(stage, way, event_id, customer, *asked) for asked in case.requests]
        rows = {name: [row["row"] for row in stage.db.execute(query).fetchall()] for name, query in ROWS.items()}
    text = json.dumps({"answers": answers, **rows})
    made = dict.fromkeys(answer["id"] for answer in answers if "id" in answer)
    for number, booking_id in enumerate(made):
        text = text.replace(booking_id, f"booking {number}")
    found: dict[str, Any] = json.loads(text)
    found["bookings"].sort(key=lambda row: row["id"])
    return found


def request(
    stage: stages.Stage, way: str, event_id: UUID, customer: UUID, seats: int, key: str | None
) -> dict[str, Any]:
    """Send one request and return its answer, or the code and detail of its refusal."""
    try:
        with stage.db.transaction():
            answer: dict[str, Any] = json.loads(act(stage, customer, way, [event_id, seats, key]))
    except psycopg.Error as error:
        return {"code": routines.code_of(error), "detail": error.diag.message_detail}
    return answer


@pytest.mark.parametrize(("first", "then"), [(FAST, GENERAL), (GENERAL, FAST)])
def test_key_of_one_path_is_known_on_the_other(rolled_back: Connection, first: str, then: str) -> None:
    stage = stages.create(rolled_back)
    event_id, customer = stage.event(capacity=5), stage.customer()
    answer = request(stage, first, event_id, customer, 1, "tap")

    assert request(stage, then, event_id, customer, 1, "tap")["code"] == "idempotency_conflict"
    assert request(stage, first, event_id, customer, 1, "tap") == answer
