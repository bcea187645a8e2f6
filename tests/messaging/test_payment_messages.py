"""functions/send-messages about money: payments and refunds for customers, payment problems for finance staff."""

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from icalendar import Calendar

from marquee.core import locales
from marquee.edge import mail
from tests.kit import gateway, scheduling
from tests.kit.aws import record
from tests.kit.message_worker import an_event, build_message, deliver, deliveries, notifications, plain
from tests.kit.packages import apply_payment, buy, offer
from tests.kit.stripe_standin import StandinBookings, settle
from tests.kit.wallets import CreditBookings


@pytest.fixture
def world(db):
    """Create an organization in Zurich with a customer."""
    return scheduling.world(db)


@pytest.fixture
def booking_id(world):
    """Book two seats for 80.00 by card."""
    made = scheduling.book(world, an_event(world), world.customer, 2)
    world.db.execute("update events.bookings set price_cents = 8000, payment_method = 'card' where id = %s", [made])
    return made


def refund(world, booking_id, topic, **changes):
    """Return a message with the payload of payments.refund_payload, which names the booking and no event."""
    payload = {
        "refund_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "booking_id": str(booking_id), "amount_cents": 8000,
        "currency": "CHF", "destination": "original", "cause": "cancelled", **changes,
    }  # fmt: skip
    message = build_message(world, topic, **payload)
    del message["payload"]["event_id"]
    return message


def staff(world, *roles):
    """Create members with these roles. Return the addresses of all finance staff."""
    for role in roles:
        world.db.execute(
            "with p as ("
            "insert into users.profiles (email, email_verified_at, name) values (%s, now(), %s) returning id)"
            " insert into organizations.memberships (organization_id, user_id, role) select %s, p.id, %s from p",
            [f"{role}@example.org", role, world.organization_id, role],
        )
    rows = world.db.execute(
        "select p.email from organizations.memberships as m inner join users.profiles as p on p.id = m.user_id"
        " where m.organization_id = %s and m.role in ('accountant', 'admin', 'owner')",
        [world.organization_id],
    ).fetchall()
    return sorted(row["email"] for row in rows)


def entry_of(message):
    """Return the attached calendar and its only entry."""
    (attachment,) = message.iter_attachments()
    calendar = Calendar.from_ical(attachment.get_content())
    assert attachment.get_content_type() == "text/calendar"
    assert attachment.get_param("method") == str(calendar["method"])
    return calendar, calendar.walk("VEVENT")[0]


def test_confirmation_of_a_paid_booking_names_price_and_payment_method(world, aws, booking_id):
    deliver(build_message(world, "booking.confirmed", booking_id=str(booking_id), price_cents=8000, currency="CHF"))

    assert "Price: CHF\xa080.00 (paid by card)" in plain(aws.mailed()[0])


def test_cancellation_removes_the_confirmed_entry_from_calendars(world, aws, booking_id):
    deliver(build_message(world, "booking.confirmed", 1, booking_id=str(booking_id)))
    world.db.execute(
        "update events.bookings set status = 'cancelled', cancelled_at = now() where id = %s", [booking_id]
    )
    deliver(build_message(world, "booking.cancelled", 2, booking_id=str(booking_id), fee_cents=0, currency="CHF"))

    (published, put_in), (cancelled, taken_out) = map(entry_of, aws.mailed())
    assert (published["method"], cancelled["method"]) == ("PUBLISH", "CANCEL")
    assert put_in["uid"] == taken_out["uid"] == f"{booking_id}@marquee.example"
    assert taken_out["sequence"] > put_in["sequence"]
    assert (put_in["status"], taken_out["status"]) == ("CONFIRMED", "CANCELLED")
    assert put_in["organizer"] == "mailto:marquee@example.org"
    assert put_in["organizer"].params["CN"] == "Studio"


@pytest.mark.parametrize("topic", ["refund.requested", "refund.succeeded", "payment.returned"])
def test_customer_is_notified_of_a_refund(world, aws, booking_id, topic):
    staff(world, "accountant")

    deliver(refund(world, booking_id, topic))

    (notification,) = notifications(world)
    assert notification["user_id"] == world.customer
    (message,) = aws.mailed()
    assert "CHF\xa080.00" in plain(message)
    assert "Evening yoga" in plain(message)
    assert list(message.iter_attachments()) == []


@pytest.mark.parametrize("topic", ["refund.exceeded", "refund.failed", "payment.disputed"])
def test_finance_staff_are_notified_of_payment_problems(world, aws, booking_id, topic):
    addresses = staff(world, "accountant", "admin")
    assert len(addresses) == 3

    deliver(refund(world, booking_id, topic, dispute="dp_1", status="needs_response"))

    mailed = aws.mailed()
    assert sorted(message["To"] for message in mailed) == addresses
    assert all("Customer: customer" in plain(message) for message in mailed)
    assert world.customer not in {row["user_id"] for row in notifications(world)}


@pytest.mark.parametrize("topic", ["refund.failed", "refund.succeeded", "payment.disputed"])
def test_payment_message_without_a_booking_names_the_package(world, aws, topic):
    bought = world.db.execute(
        "with k as (insert into payments.packages (organization_id, name, kind, price_cents, currency, amount)"
        " values (%(o)s, 'Ten classes', 'pass', 8000, 'CHF', 10) returning id)"
        " insert into payments.purchases (id, package_id, organization_id, customer_id, method, kind, credits, bonus,"
        " net_cents, tax_cents, tax_bps, tax_country, amount_cents, currency)"
        " select gen_random_uuid(), k.id, %(o)s, %(c)s, 'card', 'pass', 10, 0, 8000, 0, 0, 'CH', 8000, 'CHF' from k"
        " returning id",
        {"o": world.organization_id, "c": world.customer},
    ).fetchone()["id"]
    message = refund(world, None, topic, purchase_id=str(bought), dispute="dp_1", status="lost")
    message["payload"]["booking_id"] = None

    deliver(message)

    text = plain(aws.mailed()[0])
    assert "Ten classes" in text
    assert f"Purchase reference: {bought}" in text
    assert ("Customer: customer" in text) == (topic != "refund.succeeded")


def test_staff_message_is_in_the_language_of_its_recipient(world, aws, booking_id):
    world.db.execute("update users.profiles set language = 'fr' where id = %s", [world.owner])

    deliver(refund(world, booking_id, "refund.failed"))

    assert aws.mailed()[0]["Subject"].startswith("Échec d’un remboursement de 80,00")


def test_reconciliation_difference_is_sent_to_alert_recipients(world, aws):
    world.db.execute("insert into ops.alert_recipients (email) values ('ops@example.org')")
    deliver({
        "id": 7, "topic": "reconciliation.differs", "key": "ch_1", "created_at": "2030-01-01T00:00:00Z",
        "payload": {
            "id": 1, "source_id": "ch_1", "currency": "CHF", "reason": "not_in_ledger", "stripe_cents": 4000,
            "ledger_cents": 0, "opened_at": "2030-01-01T00:00:00+00:00",
        },
    })  # fmt: skip

    (message,) = aws.mailed()
    assert (message["To"], message["Subject"]) == ("ops@example.org", "[difference] ch_1")
    assert "has no entry for it" in plain(message)
    assert notifications(world) == []


def test_email_without_a_response_from_ses_is_resent_and_marked_as_repeated(world, aws, monkeypatch):
    world.db.execute("update users.profiles set language = 'de' where id = %s", [world.customer])
    message = build_message(world, "booking.confirmed")
    send = mail._client().send_email

    def unheard(**request):
        send(**request)
        raise ReadTimeoutError(endpoint_url="https://ses")

    with monkeypatch.context() as patched:
        patched.setattr(mail._client(), "send_email", unheard)
        with pytest.raises(Exception, match="records"):
            deliver(message)
    for _delivery in range(2):
        deliver(message)

    first, second = aws.mailed()
    assert (first["X-Marquee-Retry"], second["X-Marquee-Retry"]) == (None, "yes")
    assert "bereits erhalten" not in plain(first)
    assert "bereits erhalten" in plain(second)
    assert [(row["status"], row["attempts"]) for row in deliveries(world)] == [("sent", 2)]


def test_throttled_call_of_ses_is_retried(world, aws, monkeypatch):
    send, calls = mail._client().send_email, []

    def too_fast_at_first(**request):
        calls.append(request)
        if len(calls) < 3:
            raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "slow down"}}, "SendEmail")
        return send(**request)

    monkeypatch.setattr(mail._client(), "send_email", too_fast_at_first)
    monkeypatch.setattr(mail, "PAUSE_SECONDS", 0)
    deliver(build_message(world, "booking.confirmed"))

    (message,) = aws.mailed()
    assert message["X-Marquee-Retry"] is None


def test_ses_client_makes_no_hidden_retries(aws):
    assert mail._client().meta.config.retries["total_max_attempts"] == 1


def test_paid_and_refunded_booking_sends_each_message_once_in_order(db, aws, stripe):
    """Book, pay, confirm, cancel and refund: the messages pass outbox, relay and queue."""
    shop = StandinBookings(db, stripe)
    booking = shop.book()
    db.execute(
        "update users.profiles set email = 'ana@example.org', email_verified_at = now() where id = %s",
        [booking["customer_id"]],
    )
    stripe.pay(shop.ask(booking))
    shop.due_now()
    settle()
    shop.cancel(booking)
    shop.due_now()
    settle()
    stripe.run()
    shop.due_now()
    settle()

    gateway.invoke("relay-outbox", {"job": "relay_outbox"})
    for number, body in enumerate(aws.received(aws.messages_queue)):
        gateway.invoke("send-messages", {"Records": [record(body, number)]})

    assert db.execute("select count(*) from public.outbox where parked_at is not null").fetchone()["count"] == 0
    mailed = aws.mailed()
    assert entry_of(mailed[0])[1]["uid"] == f"{booking['id']}@marquee.example"
    subjects = [message["Subject"] for message in mailed]
    assert subjects[0] == "Booking confirmed: Class"
    assert sorted(subjects[1:3]) == ["Booking cancelled: Class", "Refund of CHF 40.00 on its way: Class"]
    assert subjects[3:] == ["Refund of CHF 40.00 completed: Class"]


def test_amount_has_the_decimal_places_of_its_currency(db):
    for row in db.execute("select code, decimal_places from ref.currencies").fetchall():
        digits = locales.money("en", 1, row["code"]).replace("1", "0")
        assert len(digits.partition(".")[2]) == row["decimal_places"], row["code"]


def outbox_message(world, topic):
    """Return the outbox row of a topic as a bundle contains it."""
    row = world.db.execute("select id, key, payload from public.outbox where topic = %s", [topic]).fetchone()
    return {
        "id": row["id"], "topic": topic, "key": row["key"], "payload": row["payload"],
        "created_at": "2030-01-01T00:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Invoice 1: CHF 100.00"), ("de", "Rechnung 1: "), ("fr", "Facture 1 : "), ("it", "Fattura 1: ")],
)
def test_invoice_message_is_in_the_customers_language(db, aws, language, said):
    desk = CreditBookings(db)
    customer = desk.customer()
    db.execute("update users.profiles set language = %s where id = %s", [language, customer])
    db.execute(
        "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)",
        [desk.stage.organization_id],
    )
    booking = desk.book(customer, "invoice")
    message = outbox_message(desk, "invoice.issued")

    deliver(message)

    (mail,) = aws.mailed()
    assert mail["Subject"].startswith(said)
    assert str(booking["id"]) in plain(mail)
    due = db.execute("select due_on from payments.invoices").fetchone()["due_on"]
    assert locales.day(language, due) in plain(mail)


@pytest.mark.parametrize(
    ("kind", "topic", "said"),
    [
        ("wallet", "credits.granted", "We have added CHF\xa050.00 to your wallet"),
        ("pass", "pass.granted", "Admissions: 5,000"),
    ],
)
def test_customer_is_notified_once_of_granted_credits_and_passes(db, aws, kind, topic, said):
    desk = CreditBookings(db)
    customer = desk.customer()
    for _time in range(2):
        desk.give(customer, 5000, kind=kind, idempotency_key="a", expires_at="2031-06-30T12:00:00+02:00")

    deliver(outbox_message(desk, topic))

    assert db.execute("select count(*) as n from public.outbox").fetchone()["n"] == 1
    (mail,) = aws.mailed()
    assert said in plain(mail)
    assert "Expires on: Monday, 30 June 2031" in plain(mail)


@pytest.mark.parametrize(("terms", "said"), [({"bonus": 2}, "Admissions: 12"), ({"kind": "wallet"}, "CHF\xa00.10")])
def test_customer_is_notified_of_a_purchase_after_payment(db, aws, terms, said):
    desk = CreditBookings(db)
    purchase = buy(desk, desk.customer(), offer(desk, **terms))
    assert db.execute("select count(*) as n from public.outbox").fetchone()["n"] == 0

    for _time in range(2):
        apply_payment(desk, purchase)
    (message,) = [outbox_message(desk, "credits.granted" if terms.get("kind") else "pass.granted")]
    deliver(message)

    (mail,) = aws.mailed()
    assert said in plain(mail)
    assert "Ten classes" in plain(mail)
