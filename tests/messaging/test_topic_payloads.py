"""The catalogue of topics and the database agree, and each payload that a routine writes fits its topic's model."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from marquee.booking.bookings import BookingDetails
from marquee.booking.waitlist import Entry
from marquee.messaging.topics import CATALOGUE
from marquee.payments.invoices import Invoice
from marquee.payments.refund_requests import Refund
from marquee.payments.wallets import Credit
from tests.kit import routines, stages, webhook_routines
from tests.kit.alerts import NOW, evaluate, insert_rule, record_metric
from tests.kit.packages import apply_payment, buy, money, offer
from tests.kit.payments import PRICE, CardBookings
from tests.kit.wallets import CreditBookings

ROOT = Path(__file__).resolve().parents[2]

TEXTS = {"title", "description", "reason", "status_reason", "seller", "buyer", "lines", "event_title"}
"""Members with texts that people wrote: the outbox never stores them."""
CODES = {"reconciliation.differs"}
"""Topics whose `reason` is a code."""

DISPUTE = {"stripe_id": "dp_1", "amount_cents": PRICE, "currency": "chf", "status": "needs_response", "reason": "fraud"}
BY_SOMEBODY = {"stripe_id": "re_x", "refund_id": None, "amount_cents": PRICE, "status": "succeeded"}


def check(db, *topics):
    """Compare each row of these topics with the model: the same members, valid values, no text in the store."""
    rows = db.execute(
        "select o.topic, o.payload, messaging.webhook_data(o.topic, o.payload) as data"
        " from public.outbox as o where o.topic = any (%s) order by o.id",
        [list(topics)],
    ).fetchall()
    assert {row["topic"] for row in rows} == set(topics)
    for row in rows:
        topic = CATALOGUE[row["topic"]]
        topic.model_class.model_validate(row["data"])
        data = row["data"] if topic.is_public else row["payload"]
        assert data.keys() == topic.model_class.model_fields.keys() - {"payment"}, row["topic"]
        assert topic.name in CODES or not row["payload"].keys() & TEXTS, row["topic"]
    return rows


def view(db, model, query, *params):
    """Return what the API returns for a row of a view."""
    return model.model_validate(db.execute(query, params).fetchone())


def paid(db, **policy):
    """Return a booking that was paid by card, with its till."""
    till = CardBookings(db, **policy)
    booking = till.book(till.stage.customer())
    till.apply_payment(booking)
    return till, booking


def refunded(db, status="succeeded", reason=None):
    till, booking = paid(db)
    till.cancel(booking, till.stage.owner)
    till.send_refunds(status, reason)
    return till, booking


@pytest.mark.parametrize("topic", CATALOGUE.values(), ids=lambda topic: topic.name)
def test_database_has_the_payload_routine_and_the_audience_of_a_topic(db, topic):
    row = db.execute(
        "select to_regproc(%s) is not null as exists, messaging.topic_audience(%s) as audience",
        [topic.payload, topic.name],
    ).fetchone()

    assert row == {"exists": True, "audience": topic.audience}


def test_confirmed_booking_has_one_payload_however_it_is_paid(db):
    desk = CreditBookings(db)
    customers = [desk.customer() for _number in range(3)]
    desk.give(customers[0], 10_000)
    made = [
        routines.book(db, desk.stage.event(), customers[0], key="tap"),
        routines.book(db, desk.stage.event(), customers[0], seats=2),
        desk.book(customers[0], "wallet"),
        paid(db)[1],
    ]

    rows = check(db, "booking.confirmed")

    assert [row["payload"]["id"] for row in rows] == [booking["id"] for booking in made]
    for row, booking in zip(rows, made, strict=True):
        assert row["payload"] | {"status": booking["status"]} == row["payload"] | booking
        query = "select * from events.booking_details where id = %s"
        assert BookingDetails.model_validate(row["data"]) == view(db, BookingDetails, query, booking["id"])
        (stored,) = db.execute("select events.booking_payload(b) as v from events.bookings as b where id = %s",
                               [booking["id"]]).fetchall()  # fmt: skip
        assert stored["v"] == row["payload"]


def test_payload_of_a_stored_booking_has_the_values_of_its_row(db):
    stage = stages.create(db)
    own, missing = stage.customers(2)
    booking = routines.book(db, stage.event(), own)
    routines.call(db, own, "select events.cancel_booking(booking_id => %s)", [booking["id"]])
    missed = routines.book(db, stage.event(starts_in="30 minutes"), missing)
    query = "select events.record_attendance(booking_id => %s, attended => false)"
    routines.call(db, stage.owner, query, [missed["id"]])
    db.execute("update events.bookings set late = true where id = %s", [missed["id"]])

    query = "select events.booking_payload(b) as payload, to_jsonb(b) as stored from events.bookings as b order by id"
    rows = db.execute(query).fetchall()

    assert [row["payload"]["status"] for row in rows] == ["cancelled", "no_show"]
    for row in rows:
        assert row["payload"] == {member: row["stored"][member] for member in row["payload"]}


def test_cancelled_booking_has_one_payload_whoever_cancels_it(db):
    till, booking = paid(db)
    till.cancel(booking, till.stage.owner)
    (own, staffs, events, erased) = till.stage.customers(4)
    event_id = till.stage.event()
    made = {customer: routines.book(db, event_id, customer) for customer in (own, staffs, events, erased)}
    query = "select events.cancel_booking(booking_id => %s, reason => 'ill')"
    routines.call(db, own, query, [made[own]["id"]])
    routines.call(db, till.stage.owner, query, [made[staffs]["id"]])
    routines.call(db, None, "select users.erase_profile(%s)", [erased])
    routines.call(db, till.stage.owner, "select events.cancel_event(event_id => %s, reason => 'snow')", [event_id])
    its_till, full = paid(db)
    its_till.apply_payment(full, refunds=[BY_SOMEBODY])

    rows = check(db, "booking.cancelled")

    by = {row["payload"]["customer_id"]: (row["payload"]["by_organizer"], row["data"]["reason"]) for row in rows}
    assert by[str(own)] == by[str(staffs)] == (False, "ill")
    assert by[str(events)] == (True, "snow")
    assert by[str(erased)] == (False, None)
    assert [row["payload"]["status"] for row in rows] == [*["cancelled"] * 5, "refunded"]


def test_row_of_earlier_code_keeps_its_members_and_gets_its_reason(db):
    stage = stages.create(db)
    customer = stage.customer()
    booking = routines.book(db, stage.event(), customer)
    routines.call(db, customer, "select events.cancel_booking(booking_id => %s, reason => 'ill')", [booking["id"]])
    earlier = {"booking_id": booking["id"], "organization_id": str(stage.organization_id), "seats": 1}

    query = "select messaging.webhook_data('booking.cancelled', %s) as cancelled, messaging.webhook_data('x', %s) as x"
    row = db.execute(query, [Jsonb(earlier), Jsonb(earlier)]).fetchone()

    assert row == {"cancelled": {**earlier, "reason": "ill"}, "x": earlier}


def test_unpaid_booking_expires_with_the_payload_of_a_booking(db):
    till = CardBookings(db)
    unpaid = till.book(till.stage.customer())
    routines.call(db, None, "select events.expire_holds(at => now() + interval '16 minutes')")
    given_up = till.book(till.stage.customer())
    till.apply_payment(given_up, "canceled")

    rows = check(db, "booking.expired")

    assert {row["payload"]["id"] for row in rows} <= {unpaid["id"], given_up["id"]}
    assert {row["payload"]["status"] for row in rows} == {"expired"}


def test_attendance_has_the_payload_of_a_booking(db):
    stage = stages.create(db)
    event_id = stage.event(starts_in="30 minutes")
    for attended, customer in zip((True, False), stage.customers(2), strict=True):
        booking = routines.book(db, event_id, customer)
        query = "select events.record_attendance(booking_id => %s, attended => %s)"
        routines.call(db, stage.owner, query, [booking["id"], attended])

    attended, missed = check(db, "booking.attended", "booking.no_show")

    assert (attended["data"]["fee_cents"], missed["data"]["fee_cents"]) == (0, 900)


def test_reminder_has_the_payload_of_a_booking(db):
    stage = stages.create(db)
    booking = routines.book(db, stage.event(), stage.customer())
    routines.call(db, None, "select messaging.send_reminders(at => now() + interval '9 days 1 hour')")

    (row,) = check(db, "booking.reminder")

    assert row["payload"]["id"] == booking["id"]


def test_waitlist_messages_have_the_entry_that_the_api_returns(db):
    stage = stages.create(db)
    event_id = stage.event(capacity=1)
    booked, first, second = stage.customers(3)
    booking = routines.book(db, event_id, booked)
    join = "select events.join_waitlist(event_id => %s)"
    entry = routines.call(db, first, join, [event_id])
    routines.call(db, second, join, [event_id])
    routines.call(db, booked, "select events.cancel_booking(booking_id => %s)", [booking["id"]])
    routines.call(db, None, "select events.expire_holds(at => now() + interval '1 day')")
    routines.call(db, None, "select events.expire_holds(at => now() + interval '11 days')")
    cancelled = stage.event(capacity=1)
    routines.book(db, cancelled, booked)
    routines.call(db, first, join, [cancelled])
    routines.call(db, stage.owner, "select events.cancel_event(event_id => %s, reason => 'snow')", [cancelled])

    rows = check(db, "waitlist.joined", "waitlist.offered", "waitlist.lapsed", "waitlist.expired")

    told = {}
    for row in rows:
        told.setdefault(row["topic"], []).append(row["data"])
    assert Entry.model_validate(told["waitlist.joined"][0]) == Entry.model_validate(entry)
    assert [each["position"] for each in told["waitlist.joined"]] == [1, 2, 1]
    assert {each["status"] for each in told["waitlist.offered"]} == {"offered"}
    assert (told["waitlist.lapsed"][0]["status"], told["waitlist.lapsed"][0]["position"]) == ("waiting", 2)
    assert [(each["by_organizer"], each["reason"]) for each in told["waitlist.expired"]][-1] == (True, "snow")
    assert {each["by_organizer"] for each in told["waitlist.expired"][:-1]} == {False}


def test_event_messages_have_the_event_that_staff_see(db):
    stage = stages.create(db)
    event_id = stage.event(capacity=5)
    booking = routines.book(db, event_id, stage.customer())
    instructor_id = uuid4()
    db.execute(
        "insert into organizations.instructors (id, organization_id, name) values (%s, %s, 'Ana')",
        [instructor_id, stage.organization_id],
    )
    for changes in (
        {"starts_at": "2031-03-03T17:00:00Z", "ends_at": "2031-03-03T18:00:00Z"},
        {"instructor_id": str(instructor_id)},
    ):
        query = "select events.update_event(event_id => %s, changes => %s)"
        routines.call(db, stage.owner, query, [event_id, Jsonb(changes)])
    query = "select events.cancel_event(event_id => %s, reason => 'snow')"
    answer = routines.call(db, stage.owner, query, [event_id])

    changed, substituted, led, cancelled = check(db, "event.changed", "event.lead_changed", "event.cancelled")

    assert cancelled["data"] == answer
    assert (cancelled["data"]["title"], cancelled["data"]["status_reason"]) == ("Class", "snow")
    assert (changed["data"]["booking_id"], changed["data"]["taken"]) == (booking["id"], 1)
    assert changed["data"]["changed"] == ["starts_at", "ends_at"]
    assert substituted["data"]["changed"] == ["instructor_id"]
    assert (led["data"]["duty"], led["data"]["notified_instructor_id"]) == ("assigned", str(instructor_id))


def test_credits_have_the_object_of_the_wallet_with_their_bonus(db):
    desk = CreditBookings(db)
    customer = desk.customer()
    lot = desk.give(customer, 5000)
    desk.give_pass(customer, 10)
    apply_payment(desk, buy(desk, customer, money(desk)))
    apply_payment(desk, buy(desk, customer, offer(desk), key="again"))

    rows = check(db, "credits.granted", "pass.granted")

    assert Credit.model_validate(rows[0]["data"]) == Credit.model_validate(lot)
    assert [row["data"]["bonus"] for row in rows] == [0, 0, 2000, 0]


def test_invoice_has_the_object_of_the_api_and_stores_no_party(db):
    desk = CreditBookings(db)
    query = "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)"
    db.execute(query, [desk.stage.organization_id])
    customer = desk.customer()
    desk.book(customer, "invoice")

    (row,) = check(db, "invoice.issued")

    query = "select * from payments.invoice_states where id = %s"
    assert Invoice.model_validate(row["data"]) == view(db, Invoice, query, row["data"]["id"])
    assert row["data"]["buyer"]["name"] == "customer"
    routines.call(db, None, "select users.erase_profile(%s)", [customer])
    assert check(db, "invoice.issued")[0]["data"]["buyer"] == {}


def test_refunds_have_the_object_of_the_api(db):
    till, booking = refunded(db)
    failed, its_booking = refunded(db, "failed", "lost_or_stolen_card")
    failed.apply_payment(its_booking)
    exceeded, more = paid(db)
    exceeded.apply_payment(more, refunds=[BY_SOMEBODY])
    exceeded.apply_payment(more, refunds=[BY_SOMEBODY, {**BY_SOMEBODY, "stripe_id": "re_y", "amount_cents": 500}])
    late = CardBookings(db, capacity=1)
    too_late = late.book(late.stage.customer())
    routines.call(db, None, "select events.expire_holds(at => now() + interval '16 minutes')")
    late.apply_payment(late.book(late.stage.customer()))
    late.apply_payment(too_late)

    rows = check(db, "refund.requested", "refund.succeeded", "refund.failed", "refund.exceeded", "payment.returned")

    by = {row["topic"]: row["data"] for row in rows}
    assert by["refund.failed"]["reason"] == "lost_or_stolen_card"
    assert by["refund.exceeded"]["beyond"]
    query = "select payments.refund_answer(r) as answer from payments.refunds as r where r.id = %s"
    answer = db.execute(query, [by["refund.failed"]["id"]]).fetchone()["answer"]
    assert Refund.model_validate(by["refund.failed"]) == Refund.model_validate(answer)
    assert till.status(booking) == "cancelled"


def test_dispute_and_payout_have_the_members_of_their_model(db):
    till, booking = paid(db)
    till.apply_payment(booking, disputes=[DISPUTE])
    for number, account in enumerate((None, "acct_1")):
        if account:
            db.execute("insert into organizations.payout_accounts (organization_id, stripe_account_id)"
                       " values (%s, %s)", [till.stage.organization_id, account])  # fmt: skip
        facts = {
            "stripe_id": f"po_{number}", "account_id": account, "amount_cents": 700, "currency": "chf",
            "status": "failed", "arrives_on": "2031-01-02", "failure_code": "no_account",
            "observed_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        routines.call(db, None, "select payments.apply_payout(%s)", [Jsonb(facts)])

    rows = check(db, "payment.disputed", "payout.failed")

    assert [row["data"]["organization_id"] for row in rows[1:]] == [None, str(till.stage.organization_id)]


def test_operators_messages_have_the_members_of_their_model(db):
    insert_rule(db)
    record_metric(db, "heat", 11)
    evaluate(db)
    record_metric(db, "heat", 1)
    db.execute("delete from ops.performance_metrics where value = 11")
    evaluate(db)
    routines.call(db, None, "select payments.store_balance_transactions(%s)", [Jsonb([{
        "id": "txn_1", "type": "charge", "source_id": "ch_1", "amount_cents": 500, "fee_cents": 0, "net_cents": 500,
        "currency": "chf", "created_at": datetime.now(UTC).isoformat(),
    }])])  # fmt: skip
    routines.call(db, None, "select payments.reconcile(at => now() + interval '4 hours')")

    rows = check(db, "alert.fired", "alert.resolved", "reconciliation.differs")

    assert rows[0]["payload"]["fired_at"].startswith(NOW.date().isoformat())


def test_disabled_endpoint_and_erased_person_have_the_members_of_their_model(db):
    stage = stages.create(db)
    webhook_routines.endpoint(stage)
    webhook_routines.fan_out(stage, webhook_routines.build_message(stage, 1))
    webhook_routines.finish(stage, *webhook_routines.claim(stage), outcome="gone", status_code=410)
    customer = stage.customer()
    routines.book(db, stage.event(), customer)
    routines.call(db, None, "select users.erase_profile(%s)", [customer])

    check(db, "webhook_endpoint.disabled", "person.erased")


def test_earlier_code_finds_the_recipients_of_new_payloads(db):
    """Replace the routine that earlier code calls while a deployment runs, as the migration does."""
    stage = stages.create(db)
    routines.book(db, stage.event(), stage.customer())
    routines.call(db, None, "select messaging.send_reminders(at => now() + interval '9 days 1 hour')")
    db.execute(
        "create function messaging.audience("
        " topic text, payload jsonb, at timestamptz default statement_timestamp()"
        ") returns table (user_id uuid, email text, name text, language text, organization_id uuid, facts jsonb)"
        " language sql as $$ select null::uuid, '', '', '', null::uuid, '{}'::jsonb where false $$"
    )
    db.execute((ROOT / "sql" / "migrations" / "0088_former_audience.pre.sql").read_text())

    earlier, now = (
        db.execute(
            f"select o.topic, r.* from public.outbox as o, messaging.{name}(o.topic, o.payload) as r order by o.id"
        ).fetchall()
        for name in ("audience", "recipients")
    )

    assert earlier == now
    assert [row["topic"] for row in now] == ["booking.confirmed", "booking.reminder"]


def test_confirmation_carries_no_reason_of_a_later_cancellation(db):
    stage = stages.create(db)
    customer = stage.customer()
    booking = routines.book(db, stage.event(), customer)
    routines.call(db, customer, "select events.cancel_booking(booking_id => %s, reason => 'ill')", [booking["id"]])

    confirmed, cancelled = check(db, "booking.confirmed", "booking.cancelled")

    assert (confirmed["data"]["status"], confirmed["data"]["reason"]) == ("confirmed", None)
    assert (cancelled["data"]["status"], cancelled["data"]["reason"]) == ("cancelled", "ill")


def test_invitation_and_offer_have_the_payloads_of_their_rows(db):
    stage = stages.create(db)
    invite = "select organizations.invite_member(%s, 'ana@example.org', 'editor')"
    invitation = routines.call(db, stage.owner, invite, [stage.organization_id])
    routines.call(db, stage.owner, "select organizations.resend_invitation(%s)", [invitation["id"]])
    query = "select organizations.offer_ownership(%s, %s)"
    offer = routines.call(db, stage.owner, query, [stage.organization_id, stage.member("editor")])

    rows = check(db, "invitation.sent", "ownership.offered")

    payloads = [row["payload"] for row in rows]
    assert [(payload["id"], payload.get("sends")) for payload in payloads] == [
        (invitation["id"], 1), (invitation["id"], 2), (offer["id"], None),
    ]  # fmt: skip
    assert all("ana@" not in str(payload) for payload in payloads)


def test_requested_erasure_has_the_payload_of_its_row(db):
    customer = stages.create(db).customer()
    answer = routines.call(db, customer, "select users.request_erasure()")

    (row,) = check(db, "erasure.scheduled")

    assert row["payload"]["due_at"] == answer["due_at"]
