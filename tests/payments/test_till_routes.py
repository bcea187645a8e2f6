"""Payments at the desk, refunds that it pays out, and the report of its till: access, retries, postings."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from tests.kit import gateway, money_invariants, packages, routines
from tests.kit.money_figures import Till
from tests.kit.wallets import PRICE

SHARE = PRICE // 20


@pytest.fixture
def till(db):
    db.execute("update organizations.organizations set time_zone = 'UTC'")
    till = Till(db, capacity=None, cancel_hours_before=0)
    yield till
    assert money_invariants.findings(db) == []
    assert till.findings() == []


@pytest.fixture
def clerk(till):
    return till.stage.member("front_desk")


def post(path, body, caller, key="tap"):
    return gateway.post("desk", path, body, caller=caller, key=key)


def book(till, caller, method="cash", key="tap", **more):
    body = {"event_id": str(till.event_id), "payment_method": method, "customer_id": str(till.booker), **more}
    return gateway.post("book", "/bookings", body, caller=caller, key=key)


def report(till, caller, **query):
    path = f"/organizations/{till.stage.organization_id}/till"
    return gateway.get("desk", path, caller=caller, query=query or None)


def close(till, caller, counted_cents, **more):
    path = f"/organizations/{till.stage.organization_id}/till/closings"
    return gateway.post("desk", path, {"counted_cents": counted_cents, **more}, caller=caller)


def transfer(till, caller, cents, key="change"):
    path = f"/organizations/{till.stage.organization_id}/till/transfers"
    return post(path, {"amount_cents": cents, "note": "Change."}, caller, key)


def refunds(till):
    return gateway.get("refunds", "/refunds", caller=till.owner).body["items"]


@pytest.mark.parametrize("method", ["cash", "terminal"])
def test_booking_at_the_desk_enters_the_till_and_leaves_the_share_owed(till, clerk, method):
    booked = book(till, clerk, method)

    assert (booked.status, booked.body["status"], booked.body["payment_method"]) == (201, "confirmed", method)
    assert till.balances() == {
        "organization clearing": PRICE,
        "organization cash": -PRICE,
        "organization receivable": SHARE,
        "platform revenue": -SHARE,
    }
    assert till.shown() == (PRICE - SHARE, {"CHF": PRICE})
    taken = report(till, clerk).body["taken"]
    assert taken == {"cash_cents": 0, "terminal_cents": 0} | {f"{method}_cents": PRICE}
    assert book(till, clerk, method).text == booked.text


@pytest.mark.parametrize("role", ["viewer", "editor", "instructor"])
def test_only_staff_with_money_take_cash_and_see_the_till(till, role):
    member = till.stage.member(role)

    refused = book(till, member, customer_id=str(member))

    assert (refused.status, refused.body["code"]) == (402, "payment_required")
    assert {"cash", "terminal"} & set(refused.body["methods"]) == set()
    assert (report(till, member).status, close(till, member, 0).status, transfer(till, member, 5).status) == (403,) * 3


def test_customer_cannot_pay_in_cash_by_themself(till):
    refused = book(till, till.booker)

    assert (refused.status, refused.body["code"]) == (402, "payment_required")
    assert "cash" not in refused.body["methods"]


def test_unpaid_card_booking_is_paid_at_the_desk(till, clerk):
    booking = till.buy_with("card")
    query = "select events.change_payment_method(booking_id => %s, payment_method => 'cash')"

    paid = routines.call(till.db, clerk, query, [booking["id"]])

    assert (paid["status"], paid["payment_method"]) == ("confirmed", "cash")
    assert report(till, clerk).body["expected_cents"] == PRICE


def test_fee_is_taken_once(till, clerk):
    booking = book(till, clerk).body
    till.miss(booking)
    path, body = f"/fees/{till.fee_id()}/desk-payment", {"payment_method": "terminal"}

    first, again, other = post(path, body, clerk), post(path, body, clerk), post(path, body, clerk, "another")

    assert (first.status, first.body["status"]) == (200, "paid")
    assert again.body == first.body
    assert (other.status, other.body["code"]) == (409, "nothing_to_pay")
    assert report(till, clerk).body["taken"] == {"cash_cents": PRICE, "terminal_cents": 900}


def test_invoice_is_taken_by_the_front_desk_and_refunded_from_the_till(till, clerk):
    booking = till.buy_with("invoice")
    (invoice,) = gateway.get("invoices", "/invoices", caller=till.booker).body["items"]
    path = f"/invoices/{invoice['id']}/desk-payment"

    wrong = post(path, {"payment_method": "cash", "total_cents": 1}, clerk, "wrong")
    paid = post(path, {"payment_method": "cash", "total_cents": PRICE}, clerk)
    other = post(path, {"payment_method": "cash"}, clerk, "another")
    till.cancel(booking)
    (refund,) = refunds(till)

    assert (wrong.status, wrong.body["code"], wrong.body["price_cents"]) == (409, "price_changed", PRICE)
    assert (paid.status, paid.body["status"], paid.body["open_cents"]) == (200, "paid", 0)
    assert (other.status, other.body["code"]) == (409, "nothing_to_pay")
    assert (refund["destination"], refund["status"]) == ("till", "created")
    assert post(f"/refunds/{refund['id']}/payout", {}, clerk).body["status"] == "succeeded"
    assert till.balances() == {}


@pytest.mark.parametrize("kind", ["pass", "wallet"])
def test_package_is_sold_and_refunded_at_the_desk(till, clerk, kind):
    package = packages.offer(till) if kind == "pass" else packages.money(till, bonus=0)
    path = f"/packages/{package['id']}/desk-sales"
    body = {"customer_id": str(till.booker), "payment_method": "cash"}

    sold, again = post(path, body, clerk), post(path, body, clerk)
    stranger = post(path, {**body, "customer_id": str(till.stage.stranger())}, clerk, "stranger")
    packages.refund(till, sold.body)
    (refund,) = refunds(till)

    assert (sold.status, sold.body["status"], sold.body["payment"]) == (201, "granted", None)
    assert again.body == sold.body
    assert (stranger.status, stranger.body["code"]) == (404, "customer_not_found")
    assert (refund["destination"], refund["amount_cents"]) == ("till", package["price_cents"])
    assert post(f"/refunds/{refund['id']}/payout", {}, clerk).body["settled_at"] is not None
    assert till.balances() == {}
    assert report(till, clerk).body["expected_cents"] == 0


def test_cancelled_cash_booking_waits_at_the_desk_and_is_paid_out_once(till, clerk):
    booking = book(till, clerk).body
    gateway.post("cancel", f"/bookings/{booking['id']}/cancel", caller=till.booker)
    (refund,) = refunds(till)
    path = f"/refunds/{refund['id']}/payout"

    assert (refund["destination"], refund["status"]) == ("till", "created")
    assert report(till, clerk).body["refunded"] == {"cash_cents": 0, "terminal_cents": 0}
    paid, again, other = post(path, {}, clerk), post(path, {}, clerk), post(path, {}, clerk, "another")
    assert (paid.status, paid.body["status"]) == (200, "succeeded")
    assert again.body == paid.body
    assert (other.status, other.body["code"]) == (409, "nothing_to_refund")
    assert report(till, clerk).body["refunded"] == {"cash_cents": PRICE, "terminal_cents": 0}
    assert till.balances() == {}


def test_refund_of_cash_to_the_wallet_leaves_the_till_as_it_is(till, clerk):
    booking = book(till, clerk).body

    till.refund(booking, 4000, destination="wallet")

    assert report(till, clerk).body["expected_cents"] == PRICE
    assert till.balances()["user credits"] == -4000


def test_till_pays_out_no_more_cash_than_it_has(till, clerk):
    booking = book(till, clerk).body
    till.cancel(booking)
    (refund,) = refunds(till)
    transfer(till, clerk, -1)

    short = post(f"/refunds/{refund['id']}/payout", {}, clerk)
    taken_out = transfer(till, clerk, -PRICE, "all")

    assert (short.status, short.body["code"], short.body["balance_cents"]) == (409, "till_short", PRICE - 1)
    assert (taken_out.status, taken_out.body["code"]) == (409, "till_short")
    transfer(till, clerk, 1, "back")
    assert post(f"/refunds/{refund['id']}/payout", {}, clerk, "again").status == 200


@pytest.mark.parametrize("what", ["fee", "invoice", "package", "payout", "transfer"])
def test_money_moves_only_with_an_idempotency_key(till, clerk, what):
    path, body = {
        "fee": (f"/fees/{uuid4()}/desk-payment", {"payment_method": "cash"}),
        "invoice": (f"/invoices/{uuid4()}/desk-payment", {"payment_method": "cash"}),
        "package": (f"/packages/{uuid4()}/desk-sales", {"payment_method": "cash", "customer_id": str(till.booker)}),
        "payout": (f"/refunds/{uuid4()}/payout", {}),
        "transfer": (
            f"/organizations/{till.stage.organization_id}/till/transfers",
            {"amount_cents": 100, "note": "Change."},
        ),
    }[what]

    refused = gateway.post("desk", path, body, caller=clerk)

    assert (refused.status, refused.body["code"]) == (400, "idempotency_key_required")


@pytest.mark.parametrize("what", ["fee", "invoice", "package", "payout"])
def test_desk_of_another_organization_finds_nothing(till, clerk, what):
    booking = till.buy_with("invoice")
    till.miss(booking)
    sold = book(till, clerk, guest=True).body
    till.refund(sold, 100)
    (invoice,) = gateway.get("invoices", "/invoices", caller=till.booker).body["items"]
    path, body = {
        "fee": (f"/fees/{till.fee_id()}/desk-payment", {"payment_method": "cash"}),
        "invoice": (f"/invoices/{invoice['id']}/desk-payment", {"payment_method": "cash"}),
        "package": (
            f"/packages/{packages.offer(till)['id']}/desk-sales",
            {"payment_method": "cash", "customer_id": str(till.booker)},
        ),
        "payout": (f"/refunds/{refunds(till)[0]['id']}/payout", {}),
    }[what]

    refused = post(path, body, Till(till.db).owner)

    assert (refused.status, refused.body["code"].rsplit("_", 2)[1:]) == (404, ["not", "found"])


def test_closed_day_is_stored_once_and_the_rest_opens_the_next_one(till, clerk):
    book(till, clerk)
    today = datetime.now(UTC).date()
    transfer(till, clerk, 5000)

    closed = close(till, clerk, PRICE + 4970, deposited_cents=PRICE, note="A coin is missing.")
    again = close(till, clerk, PRICE + 4970, deposited_cents=PRICE, note="A coin is missing.")
    other = close(till, clerk, PRICE + 5000, deposited_cents=PRICE)
    later = book(till, clerk, key="later", guest=True)
    tomorrow = report(till, clerk).body

    assert closed.status == 200
    assert closed.body["taken"] == {"cash_cents": PRICE, "terminal_cents": 0}
    assert (closed.body["transferred_cents"], closed.body["expected_cents"]) == (5000, PRICE + 5000)
    assert (closed.body["difference_cents"], closed.body["deposited_cents"]) == (-30, PRICE)
    assert again.body == closed.body
    assert (other.status, other.body["code"], other.body["day"]) == (409, "till_closed", str(today))
    assert later.status == 201
    assert (tomorrow["day"], tomorrow["first_day"]) == (str(today + timedelta(days=1)),) * 2
    assert (tomorrow["opening_cents"], tomorrow["expected_cents"]) == (4970, PRICE + 4970)
    assert report(till, clerk, day=today).body == closed.body
    path = f"/organizations/{till.stage.organization_id}/till/closings"
    assert gateway.get("desk", path, caller=clerk).body["items"] == [closed.body]
    assert gateway.get("desk", path, caller=till.stage.member("viewer")).status == 403


def test_day_in_the_future_and_deposit_beyond_the_count_are_refused(till, clerk):
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)

    assert close(till, clerk, 0, day=str(tomorrow)).status == 422
    assert close(till, clerk, 10, deposited_cents=11).status == 422
    assert report(till, clerk, day=tomorrow).status == 422


def test_forgotten_days_are_part_of_the_next_closing(till, clerk):
    book(till, clerk)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)

    before = close(till, clerk, 0, day=str(yesterday - timedelta(days=2)))
    after = close(till, clerk, PRICE)

    assert (before.body["taken"]["cash_cents"], before.body["expected_cents"]) == (0, 0)
    assert (after.body["first_day"], after.body["taken"]["cash_cents"]) == (str(yesterday - timedelta(days=1)), PRICE)
    assert report(till, clerk, day=yesterday).body == after.body


def test_location_with_its_own_till_takes_the_money_of_its_events(till, clerk):
    row = till.db.execute(
        """
        insert into organizations.locations (organization_id, name, city, country, time_zone)
        values (%s, 'Hall', 'Bern', 'CH', 'Europe/Zurich') returning id
        """,
        [till.stage.organization_id],
    ).fetchone()
    till.db.execute("update events.events set location_id = %s", [row["id"]])
    path, body = f"/organizations/{till.stage.organization_id}/tills", {"location_id": str(row["id"])}

    book(till, clerk)
    refused = gateway.post("desk", path, body, caller=clerk)
    opened, again = (gateway.post("desk", path, body, caller=till.owner) for _ in range(2))
    book(till, clerk, key="second", guest=True)

    assert refused.status == 403
    assert (opened.status, opened.body["location_id"]) == (200, str(row["id"]))
    assert again.body == opened.body
    own = report(till, clerk, location_id=row["id"]).body
    assert (own["till_id"], own["expected_cents"]) == (opened.body["id"], PRICE)
    assert report(till, clerk).body["expected_cents"] == PRICE
    assert close(till, clerk, PRICE, location_id=str(row["id"])).body["till_id"] == opened.body["id"]


def test_location_of_another_organization_is_refused(till, clerk):
    assert report(till, clerk, location_id=uuid4()).status == 422
    assert close(till, clerk, 0, location_id=str(uuid4())).status == 422


@pytest.mark.parametrize("table", ["till_movements", "till_closings"])
@pytest.mark.parametrize("change", ["update payments.{} set note = 'x'", "delete from payments.{}"])
def test_nobody_changes_movements_and_closings(till, clerk, table, change):
    book(till, clerk)
    close(till, clerk, PRICE)

    with pytest.raises(psycopg.Error, match="till_closed"):
        till.db.execute(change.format(table))


def test_cancelled_event_leaves_its_cash_refunds_at_the_desk(till, clerk):
    book(till, clerk)
    till.call("select events.cancel_event(event_id => %s)", till.event_id)

    (refund,) = refunds(till)

    assert (refund["destination"], refund["status"], refund["amount_cents"]) == ("till", "created", PRICE)
    till.pay_out(refund["id"])
    assert till.balances() == {}
