"""Test the booking routes: responses, refusals, idempotency, holds, and the faults of an earlier system."""

from uuid import uuid4

import psycopg
import pytest

from marquee.booking import bookings
from marquee.core import database
from marquee.core.identity import Caller, service
from tests.kit import gateway, stages


@pytest.fixture
def stage(db):
    db.execute("update ops.rate_limit_rules set per_minute = 6000, burst = 6000")
    return stages.create(db)


def book(event_id, customer, body=None, **options):
    return gateway.post("book", "/bookings", {"event_id": str(event_id), **(body or {})}, caller=customer, **options)


def taken(db, event_id):
    return db.execute("select taken, held from events.inventory where event_id = %s", [event_id]).fetchone()


def test_booking_takes_seats_and_writes_its_message(db, stage):
    event_id, customer = stage.event(capacity=10), stage.customer()

    answer = book(event_id, customer, {"seats": 2})

    assert answer.status == 201
    assert {name: answer.body[name] for name in ("event_id", "customer_id", "seats", "status", "price_cents")} == {
        "event_id": str(event_id),
        "customer_id": str(customer),
        "seats": 2,
        "status": "confirmed",
        "price_cents": 0,
    }
    assert taken(db, event_id) == {"taken": 2, "held": 0}
    message = db.execute("select topic, key, payload from public.outbox").fetchone()
    assert (message["topic"], message["key"]) == ("booking.confirmed", str(event_id))
    assert message["payload"] == message["payload"] | answer.body


def test_retry_returns_the_identical_response_and_takes_no_second_seat(db, stage):
    event_id, customer = stage.event(), stage.customer()

    first, second = (book(event_id, customer, key="tap") for _ in range(2))

    assert first.text == second.text
    assert taken(db, event_id)["taken"] == 1


def test_retry_returns_the_first_response_after_the_event_was_cancelled(db, stage):
    event_id, customer = stage.event(), stage.customer()
    first = book(event_id, customer, key="tap")
    db.execute("update events.events set status = 'cancelled' where id = %s", [event_id])

    assert book(event_id, customer, key="tap").text == first.text


@pytest.mark.parametrize(
    "other",
    [
        {"seats": 2},
        {"guest": True},
        {"payment_method": "comp"},
        {"customer_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a"},
        {"hold_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a"},
        {"promo_code": "SPRING"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_key_with_a_different_request_is_refused(stage, other):
    event_id, customer = stage.event(), stage.customer()
    book(event_id, customer, key="tap")

    answer = book(event_id, customer, other, key="tap")

    assert (answer.status, answer.body["code"]) == (422, "idempotency_conflict")


def test_key_with_an_unknown_event_is_refused_as_a_different_request(stage):
    customer = stage.customer()
    book(stage.event(), customer, key="tap")

    assert book(uuid4(), customer, key="tap").body["code"] == "idempotency_conflict"


def test_key_of_one_customer_never_returns_another_customers_booking(stage):
    event_id = stage.event()
    ana, ben = stage.customers(2)

    answers = [book(event_id, who, key="tap") for who in (ana, ben, ana, ben)]

    assert [answer.body["customer_id"] for answer in answers] == [str(ana), str(ben)] * 2


def test_refused_request_can_be_retried_with_its_key(db, stage):
    event_id, customer = stage.event(capacity=1), stage.customer()
    rival = book(event_id, stage.customer())
    assert book(event_id, customer, key="tap").status == 409
    gateway.post("cancel", f"/bookings/{rival.body['id']}/cancel", caller=stage.owner)

    assert book(event_id, customer, key="tap").status == 201


@pytest.mark.parametrize(
    ("event", "request_body", "status", "code"),
    [
        ({"capacity": 1}, {"seats": 2}, 409, "sold_out"),
        ({"starts_in": "-10 days"}, {}, 409, "booking_window_closed"),
        ({"starts_in": "-30 minutes"}, {}, 409, "booking_window_closed"),
        ({"policy": {**stages.POLICY, "opens_days_before": 3}}, {}, 409, "booking_window_closed"),
        ({"policy": {**stages.POLICY, "closes_minutes_before": 43200}}, {}, 409, "booking_window_closed"),
        ({"status": "cancelled"}, {}, 409, "event_not_bookable"),
        ({"status": "completed"}, {}, 409, "event_not_bookable"),
        ({"status": "draft"}, {}, 404, "event_not_found"),
        ({"visibility": "private"}, {}, 404, "event_not_found"),
        ({}, {"hold_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a"}, 409, "hold_expired"),
        ({}, {"payment_method": "comp"}, 403, "forbidden"),
        ({}, {"customer_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a"}, 403, "forbidden"),
        ({}, {"seats": 0}, 422, "invalid_request"),
        ({}, {"seats": 21}, 422, "invalid_request"),
        ({}, {"seats": "2"}, 422, "invalid_request"),
        ({}, {"caller": "somebody"}, 422, "invalid_request"),
        ({}, {"payment_method": "cheque"}, 422, "invalid_request"),
    ],
)
def test_invalid_booking_is_refused_and_writes_nothing(db, stage, event, request_body, status, code):
    event_id = stage.event(**event)

    answer = book(event_id, stage.customer(), request_body)

    assert (answer.status, answer.body["code"]) == (status, code)
    assert db.execute("select count(*) as n from events.bookings").fetchone()["n"] == 0


def test_booking_of_an_unknown_event_is_not_found(stage):
    answer = book(uuid4(), stage.customer())

    assert (answer.status, answer.body["code"]) == (404, "event_not_found")


def test_booking_without_a_token_is_unauthorized(stage):
    assert book(stage.event(), None).status == 401


def test_sold_out_response_names_free_seats_and_waitlist_state(stage):
    soon, later = stage.event(capacity=2, starts_in="30 minutes"), stage.event(capacity=2)
    for event_id in (soon, later):
        book(event_id, stage.customer())

    answers = [book(event_id, stage.customer(), {"seats": 2}).body for event_id in (soon, later)]

    assert [(answer["seats_left"], answer["waitlist"]) for answer in answers] == [(1, False), (1, True)]


def test_booking_of_a_paid_event_without_payment_is_refused(db, stage):
    event_id = stage.event(price_cents=2500)

    answer = book(event_id, stage.customer(), {"seats": 2}, key="tap")

    assert (answer.status, answer.body["code"]) == (402, "payment_required")
    assert (answer.body["price_cents"], answer.body["currency"]) == (5000, "CHF")
    assert answer.body["methods"] == ["card", "twint"]
    assert taken(db, event_id) == {"taken": 0, "held": 0}


def test_card_booking_requires_an_idempotency_key(stage):
    answer = book(stage.event(price_cents=2500), stage.customer(), {"payment_method": "card"})

    assert (answer.status, answer.body["code"]) == (400, "idempotency_key_required")


def test_staff_can_give_away_seats_of_a_paid_event(db, stage):
    event_id, customer = stage.event(price_cents=2500), stage.customer()

    answer = book(event_id, stage.member("front_desk"), {"customer_id": str(customer), "payment_method": "comp"})

    assert (answer.status, answer.body["payment_method"], answer.body["price_cents"]) == (201, "comp", 0)


def test_only_staff_of_the_events_organization_book_for_a_customer(db, stage):
    event_id, customer = stage.event(), stage.customer()
    other_owner = stages.create(db).owner
    body = {"customer_id": str(customer)}

    refused = [book(event_id, who, body) for who in (stage.customer(), other_owner, stage.member("viewer"))]
    made = book(event_id, stage.member("front_desk"), body)

    assert [answer.status for answer in refused] == [403, 403, 403]
    assert (made.status, made.body["customer_id"]) == (201, str(customer))


def test_staff_booking_for_an_unknown_customer_is_not_found(stage):
    answer = book(stage.event(), stage.owner, {"customer_id": str(uuid4())})

    assert (answer.status, answer.body["code"]) == (404, "customer_not_found")


def test_staff_can_book_private_events_and_after_sales_closed(stage):
    private, begun = stage.event(visibility="private"), stage.event(starts_in="-10 minutes")

    assert [book(event_id, stage.member("editor")).status for event_id in (private, begun)] == [201, 201]


def test_staff_cannot_book_a_past_event(db, stage):
    answer = book(stage.event(starts_in="-10 days"), stage.owner, {"customer_id": str(stage.customer())})

    assert (answer.status, answer.body["code"]) == (409, "booking_window_closed")
    assert db.execute("select count(*) as n from events.bookings").fetchone()["n"] == 0


def test_first_booking_of_a_new_customer_creates_a_profile(db, stage):
    newcomer = uuid4()

    assert book(stage.event(), newcomer).status == 201
    assert db.execute("select count(*) as n from users.profiles where id = %s", [newcomer]).fetchone()["n"] == 1


@pytest.mark.parametrize("customer", [None, uuid4()], ids=["nobody", "a missing profile"])
@pytest.mark.parametrize("path", ["/bookings", "/holds"])
def test_service_books_only_for_existing_profiles_and_creates_none(db, stage, path, customer):
    body = {"event_id": str(stage.event()), **({} if customer is None else {"customer_id": str(customer)})}
    before = db.execute("select count(*) as n from users.profiles").fetchone()

    answer = gateway.post("book", path, body, caller=service(), key="tap")

    assert (answer.status, answer.body["code"]) == (404, "customer_not_found")
    assert db.execute("select count(*) as n from users.profiles").fetchone() == before


def test_customer_has_one_confirmed_booking_per_event_besides_guest_seats(db, stage):
    event_id, customer = stage.event(), stage.customer()
    first = book(event_id, customer)

    second, guests = book(event_id, customer), book(event_id, customer, {"seats": 3, "guest": True})

    assert (second.status, second.body["code"], second.body["booking_id"]) == (409, "already_booked", first.body["id"])
    assert guests.status == 201
    assert taken(db, event_id)["taken"] == 4


def test_customer_can_book_again_after_cancelling(db, stage):
    event_id, customer = stage.event(), stage.customer()
    for _ in range(3):
        booking = book(event_id, customer).body
        assert gateway.post("cancel", f"/bookings/{booking['id']}/cancel", caller=customer).status == 200

    assert book(event_id, customer).status == 201
    assert taken(db, event_id)["taken"] == 1


def test_event_without_capacity_never_sells_out(stage):
    event_id = stage.event(capacity=None)

    assert {book(event_id, stage.customer(), {"seats": 20}).status for _ in range(5)} == {201}


def test_hold_reserves_seats_and_is_booked_only_by_its_owner(db, stage):
    event_id = stage.event(capacity=2)
    ana, ben = stage.customers(2)

    hold = gateway.post("book", "/holds", {"event_id": str(event_id), "seats": 2}, caller=ana)

    assert hold.status == 201
    assert taken(db, event_id) == {"taken": 0, "held": 2}
    assert book(event_id, ben).body["code"] == "sold_out"
    body = {"seats": 2, "hold_id": hold.body["id"]}
    assert book(event_id, ben, body).body["code"] == "hold_expired"
    assert book(event_id, ana, body).status == 201
    assert taken(db, event_id) == {"taken": 2, "held": 0}


@pytest.mark.parametrize("key", ["tap", None], ids=["fast path", "general path"])
def test_expired_hold_does_not_block_another_booking(db, stage, key):
    event_id = stage.event(capacity=1)
    ana, ben = stage.customers(2)
    hold = gateway.post("book", "/holds", {"event_id": str(event_id)}, caller=ana)
    db.execute("update events.holds set expires_at = now() - interval '1 second'")

    assert book(event_id, ben, key=key).status == 201
    assert book(event_id, ana, {"hold_id": hold.body["id"]}).body["code"] == "hold_expired"
    assert db.execute(stages.DRIFT).fetchall() == []


def test_expired_hold_cannot_be_booked_before_the_schedule_ran(db, stage):
    event_id, ana = stage.event(capacity=2), stage.customer()
    hold = gateway.post("book", "/holds", {"event_id": str(event_id)}, caller=ana)
    db.execute("update events.holds set expires_at = now() - interval '1 second'")

    answer = book(event_id, ana, {"hold_id": hold.body["id"]})

    assert (answer.status, answer.body["code"]) == (409, "hold_expired")
    assert taken(db, event_id)["taken"] == 0


def test_second_release_of_a_hold_returns_the_first_response(db, stage):
    event_id, customer = stage.event(), stage.customer()
    hold = gateway.post("book", "/holds", {"event_id": str(event_id)}, caller=customer).body

    answers = [gateway.delete("book", f"/holds/{hold['id']}", caller=customer) for _ in range(2)]

    assert [(answer.status, answer.body["status"]) for answer in answers] == [(200, "released")] * 2
    assert gateway.delete("book", f"/holds/{hold['id']}", caller=stage.customer()).status == 404
    assert taken(db, event_id)["held"] == 0


def test_desk_holds_are_shorter_than_online_ones(db, stage):
    event_id, customer = stage.event(), stage.customer()
    gateway.post("book", "/holds", {"event_id": str(event_id)}, caller=stage.customer())
    gateway.post("book", "/holds", {"event_id": str(event_id), "customer_id": str(customer)}, caller=stage.owner)

    rows = db.execute(
        "select purpose::text, round(extract(epoch from expires_at - created_at) / 60)::int as minutes "
        "from events.holds"
    ).fetchall()
    assert {row["purpose"]: row["minutes"] for row in rows} == {"online": 15, "desk": 5}


def test_deleting_a_customers_bookings_lowers_the_taken_counter(db, stage):
    event_id, customer = stage.event(), stage.customer()
    book(event_id, customer, {"seats": 3})

    db.execute("delete from events.bookings where customer_id = %s", [customer])

    assert taken(db, event_id)["taken"] == 0


def test_bookings_of_the_caller_are_listed_newest_first_in_pages(stage):
    customer = stage.customer()
    made = [book(stage.event(), customer).body["id"] for _ in range(5)]
    book(stage.event(), stage.customer())

    pages, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = gateway.get("book", "/bookings", caller=customer, query=query).body
        pages.append([booking["id"] for booking in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert pages == [made[:2:-1], made[2:0:-1], made[:1]]


def test_booking_is_visible_to_its_customer_staff_and_service_only(db, stage):
    customer = stage.customer()
    booking = book(stage.event(), customer).body
    path = f"/bookings/{booking['id']}"

    seen = [gateway.get("book", path, caller=who).status for who in (customer, stage.owner, service())]
    unseen = [gateway.get("book", path, caller=who).status for who in (stage.customer(), stages.create(db).owner)]

    assert (seen, unseen) == ([200, 200, 200], [404, 404])


def test_capacity_below_sold_seats_violates_a_constraint(db, stage):
    event_id = stage.event(capacity=5)
    book(event_id, stage.customer(), {"seats": 4})

    with pytest.raises(psycopg.errors.CheckViolation, match="seats_never_oversold"):
        db.execute("update events.inventory set capacity = 3 where event_id = %s", [event_id])


def test_booking_takes_one_round_trip(db, stage):
    event_id, customer = stage.event(), stage.customer()
    request = bookings.BookingRequest.model_validate({"event_id": str(event_id)})

    with database.single(Caller(customer, "authenticated"), limit=database.Limit("book", "192.0.2.1")) as session:
        bookings.book(session, request, "tap")

    assert (session.round_trips, session.statements) == (1, 1)
    assert taken(db, event_id)["taken"] == 1


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("fr", "fr"), ("fr-CH", "fr"), ("DE_at", "de"), ("it-Latn-CH", "it"),
        (None, "en"), ("tlh", "en"), ("zz", "en"), ("fr'; --", "en"), ("", "en"),
    ],
)  # fmt: skip
def test_new_profile_takes_its_language_from_the_token(db, stage, locale, language):
    claims = {"name": "ana"} | ({} if locale is None else {"locale": locale})

    answer = book(stage.event(), Caller(uuid4(), "authenticated", claims=claims))

    assert answer.status == 201
    profile = db.execute("select name, language from users.profiles where id = %s", [answer.body["customer_id"]])
    assert profile.fetchone() == {"name": "ana", "language": language}
