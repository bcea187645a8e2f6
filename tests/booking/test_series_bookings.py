"""A whole series is booked, or the rest of it: what is shown first, and each occurrence with its own result."""

from uuid import UUID, uuid4

import pytest

from marquee.booking import series_bookings
from tests.kit import gateway, money_invariants, routines, stages
from tests.kit.concurrency import InBackground
from tests.kit.wallets import CreditBookings


@pytest.fixture
def desk(db):
    desk = CreditBookings(db)
    yield desk
    assert money_invariants.findings(db) == []
    assert db.execute(stages.DRIFT).fetchall() == []


def series(desk, *occurrences, price_cents=0):
    """Create a series with occurrences on following days, each with the given columns. Return its id and theirs."""
    series_id = uuid4()
    desk.db.execute(
        """
        insert into events.series (
            id, organization_id, title, language, time_zone, recurrence, local_start_time, start_date,
            duration_minutes, price_cents, currency
        )
        values (%s, %s, 'Class', 'en', 'Europe/Zurich', 'FREQ=DAILY', '18:00', current_date, 60, %s, 'CHF')
        """,
        [series_id, desk.stage.organization_id, price_cents],
    )
    event_ids = []
    for number, columns in enumerate(occurrences, 1):
        given = {"starts_in": f"{number} days", "price_cents": price_cents, **columns}
        event_ids.append(desk.event(**given))
        desk.db.execute("update events.events set series_id = %s where id = %s", [series_id, event_ids[-1]])
    return series_id, event_ids


def available(series_id, caller, **query):
    return gateway.get("book", f"/series/{series_id}/availability", caller=caller, query=query or None)


def book(series_id, caller, key=None, **body):
    return gateway.post("book", f"/series/{series_id}/bookings", body, caller=caller, key=key or uuid4().hex)


def results(answer):
    assert answer.status == 200, answer.body
    return [(UUID(one["event_id"]), one["result"], one["code"]) for one in answer.body["results"]]


def test_availability_shows_future_occurrences_with_seats_prices_and_own_bookings(desk):
    customer = desk.customer()
    hidden = [{"starts_in": "-1 day"}, {"visibility": "private"}, {"status": "cancelled"}]
    series_id, events = series(desk, {"capacity": 3}, {"capacity": None, "price_cents": 900}, *hidden)
    own = routines.book(desk.db, events[0], customer, 2)
    routines.book(desk.db, events[0], desk.customer())

    shown = available(series_id, customer).body["occurrences"]

    assert [UUID(one["event_id"]) for one in shown] == events[:2]
    assert [(one["seats_left"], one["price_cents"], one["open"]) for one in shown] == [(0, 0, True), (None, 900, True)]
    assert [(one["booking_id"], one["booked_seats"]) for one in shown] == [(own["id"], 2), (None, None)]
    later = available(series_id, customer, **{"from": shown[1]["starts_at"]}).body["occurrences"]
    assert [UUID(one["event_id"]) for one in later] == [events[1]]
    assert available(uuid4(), customer).body["code"] == "series_not_found"


def test_each_occurrence_has_its_own_result(desk):
    customer = desk.customer()
    series_id, events = series(desk, {}, {"capacity": 1}, {}, {"starts_in": "-1 day"})
    routines.book(desk.db, events[1], desk.customer())
    routines.book(desk.db, events[2], customer)

    answer = book(series_id, customer, seats=2)

    assert results(answer) == [
        (events[0], "booked", None),
        (events[1], "refused", "sold_out"),
        (events[2], "refused", "already_booked"),
    ]
    assert answer.body["results"][0]["booking"]["seats"] == 2
    assert answer.body["results"][1]["details"] == {"seats_left": 0, "waitlist": False}


def test_rest_of_a_series_is_booked_from_a_start_on(desk):
    customer = desk.customer()
    series_id, events = series(desk, {}, {}, {})
    start = available(series_id, customer).body["occurrences"][1]["starts_at"]

    answer = book(series_id, customer, **{"from": start})

    assert results(answer) == [(event_id, "booked", None) for event_id in events[1:]]


def test_wallet_pays_as_many_occurrences_as_it_can(desk):
    customer = desk.customer()
    desk.give(customer, 25_000)
    series_id, _ = series(desk, {}, {"price_cents": 0}, {}, {}, price_cents=10_000)

    unpaid, paid = book(series_id, customer), book(series_id, customer, payment_method="wallet")

    assert [code for *_, code in results(unpaid)] == ["payment_required", None, "payment_required", "payment_required"]
    assert [code for *_, code in results(paid)] == [None, "already_booked", None, "insufficient_funds"]
    assert desk.lots(customer) == [(25_000, 5000)]


def test_repeated_key_books_nothing_twice_and_tries_again_what_was_refused(desk):
    customer = desk.customer()
    series_id, events = series(desk, {}, {"capacity": 1})
    holder = desk.customer()
    taken = routines.book(desk.db, events[1], holder)
    first = book(series_id, customer, key="k")
    desk.cancel(taken, holder)

    again = book(series_id, customer, key="k")

    assert [result for _, result, _ in results(first)] == ["booked", "refused"]
    assert [result for _, result, _ in results(again)] == ["booked", "booked"]
    assert again.body["results"][0] == first.body["results"][0]
    count = desk.db.execute("select count(*) as n from events.bookings where customer_id = %s", [customer]).fetchone()
    assert count["n"] == 2
    without_key = gateway.post("book", f"/series/{series_id}/bookings", {}, caller=customer)
    assert (without_key.status, without_key.body["code"]) == (400, "idempotency_key_required")


def test_other_request_with_the_same_key_is_refused(desk):
    customer = desk.customer()
    series_id, _ = series(desk, {})
    book(series_id, customer, key="k")

    assert [code for *_, code in results(book(series_id, customer, key="k", seats=2))] == ["idempotency_conflict"]


def test_private_series_of_others_cannot_be_booked(desk):
    series_id, events = series(desk, {"visibility": "private"})

    assert results(book(series_id, desk.customer())) == []
    assert [code for *_, code in results(book(series_id, desk.stage.owner))] == [None]
    assert available(series_id, desk.stage.owner).body["occurrences"][0]["event_id"] == str(events[0])


def test_long_series_is_booked_in_parts(desk, monkeypatch):
    monkeypatch.setattr(series_bookings, "OCCURRENCES_MOST", 2)
    customer = desk.customer()
    series_id, events = series(desk, {}, {}, {})

    first = book(series_id, customer)
    rest = book(series_id, customer, **{"from": first.body["next_from"]})

    assert [event_id for event_id, *_ in results(first)] == events[:2]
    assert [event_id for event_id, *_ in results(rest)] == events[2:]
    assert rest.body["next_from"] is None


def test_same_request_twice_at_once_books_each_occurrence_once(desk):
    customer = desk.customer()
    series_id, events = series(desk, *({"capacity": 2} for _ in range(4)))

    both = [InBackground(lambda: book(series_id, customer, key="k", seats=2)) for _ in range(2)]
    answers = [one.got() for one in both]

    assert results(answers[0]) == results(answers[1]) == [(event_id, "booked", None) for event_id in events]
    taken = desk.db.execute("select sum(taken)::integer as n from events.inventory").fetchone()
    assert taken["n"] == 8
