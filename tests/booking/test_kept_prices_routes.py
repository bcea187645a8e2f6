"""The charged price is the displayed one: a request may name its total, and holds and offers keep their price."""

import json

import pytest

from tests.kit import gateway, packages, routines, stages
from tests.kit.wallets import PRICE, CreditBookings

NEW = 9 * PRICE


@pytest.fixture
def desk(db):
    db.execute("update ops.rate_limit_rules set per_minute = 6000, burst = 6000")
    desk = CreditBookings(db, capacity=3)
    yield desk
    assert desk.findings() == []
    assert db.execute(stages.DRIFT).fetchall() == []


@pytest.fixture
def customer(desk):
    """Create a customer with enough wallet money for any price."""
    customer = desk.customer()
    desk.give(customer, 10 * NEW)
    return customer


def price(desk, cents, event_id=None):
    desk.db.execute("update events.events set price_cents = %s where id = %s", [cents, event_id or desk.event_id])


def book(desk, customer, key="tap", **more):
    request = {"event_id": str(desk.event_id), "payment_method": "wallet", **more}
    return gateway.post("book", "/bookings", request, caller=customer, key=key)


def hold(desk, customer, seats=1, **more):
    request = {"event_id": str(desk.event_id), "seats": seats, **more}
    return gateway.post("book", "/holds", request, caller=customer)


@pytest.mark.parametrize("method", ["wallet", "card", None])
@pytest.mark.parametrize("changed", [NEW, PRICE - 1])
def test_booking_at_another_price_is_refused_with_the_new_quote(desk, customer, method, changed):
    price(desk, changed)

    answer = book(desk, customer, payment_method=method, total_cents=PRICE)

    assert (answer.status, answer.body["code"], answer.body["price_cents"]) == (409, "price_changed", changed)
    assert answer.body["list_cents"] == changed
    assert answer.body["methods"] == ["card", "twint", "wallet"]
    assert desk.db.execute("select from events.bookings").fetchall() == []
    assert book(desk, customer, total_cents=changed).body["price_cents"] == changed


def test_total_is_the_price_after_discount_and_with_tax(db):
    desk = CreditBookings(db, country="US")
    db.execute(
        "insert into ref.tax_rates (country, category, rate_bps, valid_from)"
        " values ('US', 'standard', 1000, '2020-01-01') on conflict do nothing"
    )
    query = "select payments.create_promo_code(%s, 'HALF', 'percent', percent_bps => 5000)"
    routines.call(db, desk.stage.owner, query, [desk.stage.organization_id])
    customer = desk.customer()
    desk.give(customer, 10 * PRICE)
    quote = book(desk, customer, payment_method=None, promo_code="half", seats=2).body

    refused = book(desk, customer, promo_code="half", seats=2, total_cents=2 * PRICE)
    booked = book(desk, customer, promo_code="half", seats=2, total_cents=quote["price_cents"])

    assert quote["code"] == "payment_required"
    assert refused.body["code"] == "price_changed"
    assert booked.body["price_cents"] == quote["price_cents"]


def test_total_belongs_to_the_request_of_a_key(desk, customer):
    first = book(desk, customer, total_cents=PRICE)
    price(desk, NEW)

    assert book(desk, customer, total_cents=PRICE).text == first.text
    assert book(desk, customer).body["code"] == "idempotency_conflict"
    assert book(desk, customer, total_cents=NEW).body["code"] == "idempotency_conflict"


def test_free_event_with_a_total_takes_the_fast_path(desk, customer):
    price(desk, 0)
    request = {"payment_method": None}
    desk.db.execute(
        "alter function events.place_booking(uuid, events.terms, uuid, integer, boolean, events.payment_method,"
        " payments.quotes, uuid, uuid) rename to unavailable"
    )

    booked = book(desk, customer, total_cents=0, **request)

    assert (booked.status, booked.body["price_cents"]) == (201, 0)
    assert book(desk, desk.customer(), total_cents=PRICE, **request).body["code"] == "price_changed"


@pytest.mark.parametrize("changed", [NEW, 1, 0])
def test_hold_keeps_its_price(desk, customer, changed):
    held = hold(desk, customer, seats=2, total_cents=2 * PRICE).body
    price(desk, changed)

    again = hold(desk, customer, seats=2).body
    booked = book(desk, customer, seats=2, hold_id=held["id"], total_cents=2 * PRICE)

    assert (held["price_cents"], held["currency"]) == (2 * PRICE, "CHF")
    assert again == held
    assert (booked.status, booked.body["price_cents"]) == (201, 2 * PRICE)


def test_hold_of_a_free_event_stays_free(desk, customer):
    price(desk, 0)
    held = hold(desk, customer).body
    price(desk, PRICE)

    booked = book(desk, customer, hold_id=held["id"], payment_method=None)

    assert (booked.status, booked.body["price_cents"], booked.body["payment_method"]) == (201, 0, "none")


def test_hold_at_another_price_is_refused(desk, customer):
    price(desk, NEW)

    answer = hold(desk, customer, seats=2, total_cents=2 * PRICE)

    assert (answer.status, answer.body["code"], answer.body["price_cents"]) == (409, "price_changed", 2 * NEW)
    assert desk.db.execute("select from events.holds").fetchall() == []


def test_price_ends_with_the_hold(desk, customer):
    held = hold(desk, customer).body
    price(desk, NEW)
    gateway.delete("book", f"/holds/{held['id']}", caller=customer)

    assert book(desk, customer).body["price_cents"] == NEW


def test_expired_hold_keeps_no_price(desk, customer):
    hold(desk, customer)
    price(desk, NEW)
    desk.db.execute("update events.holds set created_at = now() - interval '1 h', expires_at = now() - interval '1 s'")

    assert book(desk, customer).body["price_cents"] == NEW


def test_guests_who_take_the_held_seats_have_their_price(desk, customer):
    hold(desk, customer)
    price(desk, NEW)

    booked = book(desk, customer, guest=True, seats=2, total_cents=PRICE + NEW)

    assert (booked.status, booked.body["price_cents"]) == (201, PRICE + NEW)
    assert desk.db.execute("select status from events.holds").fetchall() == [{"status": "consumed"}]


def test_desk_keeps_the_price_that_it_held_for_a_customer(desk, customer):
    held = gateway.post(
        "book", "/holds", {"event_id": str(desk.event_id), "customer_id": str(customer)}, caller=desk.stage.owner
    ).body
    price(desk, NEW)

    booked = book(desk, desk.stage.owner, customer_id=str(customer), hold_id=held["id"])

    assert booked.body["price_cents"] == PRICE


@pytest.fixture
def entry(desk, customer):
    """Offer a seat to the customer at the first price, then raise the price."""
    other = desk.customer()
    desk.give(other, 3 * PRICE)
    full = book(desk, other, seats=3).body
    path = f"/events/{desk.event_id}/waitlist"
    entry = gateway.post("waitlist", path, {"seats": 1}, caller=customer).body
    desk.cancel(full)
    price(desk, NEW)
    return entry


def accept(entry, customer, **more):
    request = {"payment_method": "wallet", **more}
    return gateway.post("waitlist", f"/waitlist/{entry['id']}/accept", request, caller=customer, key="tap")


def test_offer_keeps_its_price_when_it_is_accepted(desk, customer, entry):
    refused = accept(entry, customer, total_cents=NEW)
    accepted = accept(entry, customer, total_cents=PRICE)

    assert (refused.status, refused.body["code"], refused.body["price_cents"]) == (409, "price_changed", PRICE)
    assert accepted.body["status"] == "accepted"
    booked = desk.db.execute("select price_cents from events.bookings where status = 'confirmed'").fetchall()
    assert booked == [{"price_cents": PRICE}]


def test_offer_keeps_its_price_when_it_is_booked(desk, customer, entry):
    assert book(desk, customer, total_cents=PRICE).body["price_cents"] == PRICE


def test_expired_offer_is_refused_without_a_new_price(desk, customer, entry):
    desk.db.execute("update events.holds set created_at = now() - interval '1 h', expires_at = now() - interval '1 s'")
    desk.db.execute("update events.waitlist_entries set offer_expires_at = now() - interval '1 s'")

    assert accept(entry, customer, total_cents=PRICE).body["code"] == "hold_expired"


def test_package_at_another_price_is_refused(desk, customer):
    package = packages.offer(desk, price_cents=20000)
    query = "select payments.buy_package(%s, 'card', %s, %s)"

    with pytest.raises(Exception, match="price_changed") as refused:
        routines.call(desk.db, customer, query, [package["id"], "tap", 10000])

    assert json.loads(refused.value.diag.message_detail)["price_cents"] == 20000
    assert routines.call(desk.db, customer, query, [package["id"], "tap", 20000])["price_cents"] == 20000


def test_seats_beyond_the_hold_cost_the_present_price(desk, customer):
    hold(desk, customer, seats=2)
    price(desk, NEW)
    query = """
        select payments.kept_list_cents(t, %s, %s) as cents
        from events.terms as t
        where t.event_id = %s
    """

    cents = [desk.db.execute(query, [customer, seats, desk.event_id]).fetchone()["cents"] for seats in (1, 2, 3)]

    assert cents == [PRICE, 2 * PRICE, 2 * PRICE + NEW]


def test_hold_that_grows_keeps_the_price_of_its_first_seats(desk, customer):
    hold(desk, customer)
    price(desk, NEW)

    grown, again = hold(desk, customer, 2).body, hold(desk, customer, 2).body
    shrunk = hold(desk, customer, 1).body

    assert [answer["price_cents"] for answer in (grown, again, shrunk)] == [PRICE + NEW, PRICE + NEW, PRICE]
    assert book(desk, customer, seats=3).body["price_cents"] == PRICE + 2 * NEW


def test_offer_that_grows_keeps_the_price_of_its_first_seats(desk, customer):
    other = desk.customer()
    desk.give(other, 10 * PRICE)
    booking = desk.book(other, "wallet", seats=3)
    routines.call(desk.db, customer, "select events.join_waitlist(event_id => %s)", [desk.event_id])
    desk.cancel(booking, other)
    price(desk, NEW)

    assert hold(desk, customer, 2).body["price_cents"] == PRICE + NEW
    assert book(desk, customer, seats=2).body["price_cents"] == PRICE + NEW
