"""Invoices: created in the booking's transaction, numbered without gaps, immutable, corrected by credit notes."""

import datetime

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.kit import routines
from tests.kit.wallets import PRICE, CreditBookings


@pytest.fixture
def desk(db):
    desk = CreditBookings(db, late_fee_cents=3000)
    desk.allow_invoices()
    yield desk
    assert desk.findings() == []


def states(desk):
    """Return all invoices and credit notes in the order of their numbers."""
    return desk.db.execute("select * from payments.invoice_states order by number").fetchall()


def short(desk):
    """Return number, kind, gross amount and status of each."""
    return [(row["number"], row["kind"], row["gross_cents"], row["status"]) for row in states(desk)]


def pay(desk, invoice_id, caller=None):
    query = "select payments.record_invoice_payment(%s)"
    return routines.call(desk.db, caller or desk.stage.owner, query, [invoice_id])


def make_late(desk):
    desk.db.execute("update events.bookings set policy = policy || '{\"cancel_hours_before\": 2160}'")


def test_invoice_booking_is_confirmed_with_its_invoice(desk):
    """In the earlier system, invoice bookings always failed and locked the customer out."""
    customer = desk.customer()

    booking = desk.book(customer, "invoice")

    (invoice,) = states(desk)
    today = datetime.datetime.now(datetime.UTC).date()
    assert booking["status"] == "confirmed"
    assert (invoice["number"], invoice["status"], str(invoice["booking_id"])) == (1, "open", booking["id"])
    assert (invoice["net_cents"], invoice["tax_cents"], invoice["gross_cents"]) == (9251, 749, PRICE)
    assert (invoice["tax_bps"], invoice["tax_country"], invoice["currency"]) == (810, "CH", "CHF")
    assert invoice["due_on"] - today in (datetime.timedelta(days=14), datetime.timedelta(days=15))
    assert invoice["seller"] == {"name": "Studio", "country": "CH"}
    assert desk.balances() == {
        "user payable": PRICE,
        "organization receivable": -9500,
        "platform revenue": -500,
    }


def test_invoice_keeps_the_business_details_of_its_time(desk):
    details = {
        "legal_name": "Studio Ltd", "street": "Lake Road 1", "postal_code": "8001", "city": "Zurich",
        "tax_number": "CHE123456788", "invoice_due_days": 30, "invoice_note": "Thank you.",
    }  # fmt: skip
    change = "select organizations.update_organization(%s, %s)"
    routines.call(desk.db, desk.stage.owner, change, [desk.stage.organization_id, Jsonb(details)])
    desk.book(desk.customer(), "invoice")
    routines.call(desk.db, desk.stage.owner, change, [desk.stage.organization_id, Jsonb({"legal_name": "Other Ltd"})])

    (invoice,) = states(desk)
    shown = {**details, "name": details["legal_name"], "note": details["invoice_note"], "country": "CH"}
    for name in ("legal_name", "invoice_due_days", "invoice_note"):
        del shown[name]
    assert invoice["seller"] == shown
    assert (invoice["due_on"] - invoice["issued_on"]).days == 30
    assert desk.db.execute("select seller from payments.invoices").fetchone() == {"seller": shown}


def test_invoice_payment_is_refused_unless_the_organization_allows_it(db):
    desk = CreditBookings(db)

    assert desk.refusal(desk.customer(), "invoice") == "payment_required"
    assert states(desk) == []


def test_invoice_numbers_have_no_gaps_when_bookings_fail(desk):
    desk.db.execute("update events.inventory set capacity = 3")
    people = desk.stage.customers(5)

    outcomes = []
    for customer in people:
        try:
            desk.book(customer, "invoice")
            outcomes.append("booked")
        except psycopg.Error:
            outcomes.append("refused")

    assert outcomes == ["booked"] * 3 + ["refused"] * 2
    assert [row["number"] for row in states(desk)] == [1, 2, 3]


def test_each_organization_has_its_own_number_series(desk):
    other = CreditBookings(desk.db)
    other.allow_invoices()

    for each in (desk, other, desk):
        each.book(each.customer(), "invoice")

    assert sorted(row["number"] for row in states(desk)) == [1, 1, 2]


def test_cancellation_issues_one_credit_note_in_the_same_series(desk):
    customer = desk.customer()
    booking = desk.book(customer, "invoice")

    desk.cancel(booking, customer)
    desk.cancel(booking, customer)

    assert short(desk) == [(1, "invoice", PRICE, "corrected"), (2, "credit_note", PRICE, "issued")]
    assert states(desk)[0]["open_cents"] == 0
    assert desk.balances() == {}


def test_late_cancellation_credits_the_refund_and_leaves_the_fee_open(desk):
    customer = desk.customer()
    booking = desk.book(customer, "invoice")
    make_late(desk)

    desk.cancel(booking, customer)

    invoice, note = states(desk)
    assert (invoice["status"], invoice["open_cents"]) == ("open", 3000)
    assert (note["gross_cents"], note["tax_cents"]) == (7000, 524)
    assert desk.balances()["user payable"] == 3000


def test_credit_notes_reverse_the_tax_to_the_cent(desk):
    booking = desk.book(desk.customer(), "invoice")
    for part, cents in enumerate((3333, 3333, 3334)):
        routines.call(
            desk.db,
            desk.stage.owner,
            "select payments.refund_booking(%s, amount_cents => %s, idempotency_key => %s)",
            [booking["id"], cents, f"part {part}"],
        )

    invoice, *notes = states(desk)

    assert sum(note["tax_cents"] for note in notes) == invoice["tax_cents"]
    assert sum(note["net_cents"] for note in notes) == invoice["net_cents"]
    assert invoice["status"] == "corrected"


def test_event_cancelled_by_its_organizer_credits_each_invoice(desk):
    for customer in desk.stage.customers(4):
        desk.book(customer, "invoice")

    desk.cancel_event()

    assert [row["number"] for row in states(desk)] == list(range(1, 9))
    assert {row["status"] for row in states(desk)} == {"corrected", "issued"}
    assert desk.balances() == {}


def test_accountant_marks_an_invoice_paid_once(desk):
    desk.book(desk.customer(), "invoice")
    (invoice,) = states(desk)

    first = pay(desk, invoice["id"], desk.stage.member("accountant"))
    again = pay(desk, invoice["id"])

    assert (first["status"], first["paid_cents"], first["open_cents"]) == ("paid", PRICE, 0)
    assert again == first
    assert desk.balances() == {"organization receivable": 500, "platform revenue": -500}


def test_cancellation_of_a_paid_invoice_credits_the_wallet_with_a_credit_note(desk):
    customer = desk.customer()
    booking = desk.book(customer, "invoice")
    pay(desk, states(desk)[0]["id"])

    desk.cancel(booking, customer)

    assert [row["kind"] for row in states(desk)] == ["invoice", "credit_note"]
    assert desk.lots(customer) == [(PRICE, PRICE)]
    assert desk.balances()["user credits"] == -PRICE


@pytest.mark.parametrize("role", ["viewer", "front_desk", "instructor", "editor"])
def test_other_roles_cannot_mark_an_invoice_paid(desk, role):
    desk.book(desk.customer(), "invoice")
    (invoice,) = states(desk)

    with pytest.raises(psycopg.Error) as refused:
        pay(desk, invoice["id"], desk.stage.member(role))

    assert routines.code_of(refused.value) == "invoice_not_found"


def test_credit_note_or_corrected_invoice_cannot_be_paid(desk):
    customer = desk.customer()
    desk.cancel(desk.book(customer, "invoice"), customer)

    for row in states(desk):
        with pytest.raises(psycopg.Error) as refused:
            pay(desk, row["id"])
        assert routines.code_of(refused.value) == "nothing_to_pay"


@pytest.mark.parametrize(
    "change",
    [
        "update payments.invoices set gross_cents = 1",
        "delete from payments.invoices",
        "truncate payments.invoices cascade",
        "delete from payments.invoice_numbers",
    ],
)
def test_issued_invoice_cannot_be_changed_even_by_the_table_owner(desk, change):
    desk.book(desk.customer(), "invoice")

    with pytest.raises(psycopg.Error) as refused:
        desk.db.execute(change)

    assert routines.code_of(refused.value) == "invoice_is_final"


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_invoice_dates_use_the_organizations_time_zone(db, zone):
    """At any time, the date in one of these zones differs from that in UTC."""
    desk = CreditBookings(db)
    desk.allow_invoices()
    desk.book(desk.customer(), "invoice")
    db.execute("update organizations.organizations set time_zone = %s", [zone])
    today = db.execute("select (now() at time zone %s)::date as today", [zone]).fetchone()["today"]
    yesterday = today - datetime.timedelta(days=1)
    db.execute("alter table payments.invoices disable trigger refuse_invoice_update")

    for due_on, status in ((today, "open"), (yesterday, "overdue")):
        db.execute("update payments.invoices set due_on = %s", [due_on])
        (invoice,) = states(desk)
        assert (invoice["issued_on"], invoice["status"]) == (today, status)

    (overdue,) = db.execute("select * from payments.overdue_invoices").fetchall()
    assert overdue["days_overdue"] == 1


def test_invoice_is_overdue_after_its_due_date_until_it_is_paid(db):
    desk = CreditBookings(db)
    desk.allow_invoices()
    desk.book(desk.customer(), "invoice")
    db.execute("alter table payments.invoices disable trigger refuse_invoice_update")
    db.execute("update payments.invoices set due_on = current_date - 3")

    (overdue,) = db.execute("select * from payments.overdue_invoices").fetchall()

    assert short(desk) == [(1, "invoice", PRICE, "overdue")]
    pay(desk, overdue["id"])
    assert db.execute("select * from payments.overdue_invoices").fetchall() == []


def test_invoice_shows_its_discount(desk):
    desk.db.execute(
        "insert into payments.promo_codes (organization_id, code, kind, percent_bps)"
        " values (%s, 'HALF', 'percent', 5000)",
        [desk.stage.organization_id],
    )

    desk.book(desk.customer(), "invoice", seats=2, promo_code="half")

    (invoice,) = states(desk)
    (line,) = invoice["lines"]
    assert (line["seats"], line["list_cents"], line["discount_cents"]) == (2, 2 * PRICE, PRICE)
    assert invoice["gross_cents"] == PRICE
