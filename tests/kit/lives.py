"""A person who uses every feature, with a marker in every text: the fixture `life`.

The tests of erasure and export look for what names the person.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends
from psycopg.types.json import Jsonb

from marquee.core.identity import Caller
from tests.kit import gateway, routines, stages
from tests.kit.aws import REGION
from tests.kit.databases import Connection
from tests.kit.legacy_exports import SOON, Export, run
from tests.kit.packages import MOMENTS, apply_payment, buy, money, offer
from tests.kit.rating_requests import fire, slider, vote
from tests.kit.wallets import CreditBookings

MARKER = "Zwetschgenmus"
EMAIL = f"{MARKER}@example.org"
TABLES = """
select n.nspname || '.' || c.relname as name
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where
    c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
    and n.nspname !~ '^pg_(toast|temp)' and (n.nspname, c.relname) <> ('ops', 'retention')
order by 1
"""


@dataclass
class Life:
    """A customer of an organization, with the calls that leave personal data behind."""

    desk: CreditBookings
    aws: Any
    person: UUID
    other_event: UUID
    bookings: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def db(self) -> Connection:
        return self.desk.db

    def call(self, caller: UUID | None, routine: str, *arguments: Any) -> Any:
        places = ", ".join(["%s"] * len(arguments))
        return routines.call(self.db, caller, f"select {routine}({places})", arguments)

    def pay(self, booking: dict[str, Any], status: str = "succeeded", **more: Any) -> None:
        """Apply a payment of a booking as Stripe reports it."""
        self.call(
            None,
            "payments.apply_payment",
            Jsonb(
                {
                    "stripe_id": f"pi_{booking['id']}",
                    "intent_id": booking["id"],
                    "status": status,
                    "amount_cents": booking["price_cents"],
                    "received_cents": booking["price_cents"] if status == "succeeded" else 0,
                    "currency": "chf",
                    "charge_id": f"ch_{booking['id']}",
                    "observed_at": next(MOMENTS).isoformat(),
                    **more,
                }
            ),
        )

    def cancel(self, booking: dict[str, Any]) -> None:
        body = {"reason": f"{MARKER} is ill"}
        answer = gateway.post("cancel", f"/bookings/{booking['id']}/cancel", body, caller=self.person)
        assert answer.status == 200, answer.text

    def erase(self, caller: UUID | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = self.call(caller, "users.erase_profile", self.person)
        return answer


def sign_in(db: Connection) -> UUID:
    """Create a profile with a name and an address from two tokens."""
    person = uuid4()
    for email, iat in ((f"former.{EMAIL}", 1_700_000_000), (EMAIL, 1_700_000_001)):
        claims = {"sub": str(person), "email": email, "email_verified": True, "name": f"Anna {MARKER}", "iat": iat}
        with db.transaction():
            db.execute("select ops.act_as(%s)", [Jsonb(claims)])
            db.execute("select users.own_profile()")
    return person


def stripe_refund(number: int, cents: int, status: str = "succeeded") -> dict[str, Any]:
    """Return a refund that was made in Stripe's dashboard."""
    return {
        "stripe_id": f"re_{number}", "refund_id": None, "key": None, "amount_cents": cents, "status": status,
        "failure_reason": None, "balance_transaction_id": None,
    }  # fmt: skip


def pay_and_book(life: Life) -> None:
    """Make bookings of every kind, with their payments, refunds, disputes, fees and invoices."""
    desk, person, owner = life.desk, life.person, life.desk.stage.owner

    life.cancel(desk.book(person, None, event_id=desk.event(price_cents=0), idempotency_key=MARKER))
    desk.book(person, None, event_id=desk.event(price_cents=0), guest=True)
    life.call(None, "payments.create_promo_code", desk.stage.organization_id, "SPRING", "percent", 1000)

    paid = desk.book(person, "card", promo_code="SPRING")
    life.call(
        None, "payments.record_intent", paid["id"], f"pi_{paid['id']}", f"{MARKER}_secret", "requires_payment_method"
    )
    life.pay(paid, "requires_payment_method", error={"code": "card_declined", "message": f"{MARKER} has no money"})
    life.call(person, "events.set_booking_names", paid["id"], [f"Anna {MARKER}"])
    life.bookings["open"] = paid

    refunded = desk.book(person, "card", event_id=desk.event())
    life.pay(refunded)
    life.cancel(refunded)
    (refund,) = life.db.execute("select id from payments.refunds where booking_id = %s", [refunded["id"]]).fetchall()
    error = {"refund_id": str(refund["id"]), "error": {"message": f"{MARKER}'s card is closed"}, "retryable": False}
    life.call(None, "payments.record_refunds", Jsonb([error]))

    beyond = desk.book(person, "card", event_id=desk.event())
    life.pay(beyond)
    life.call(owner, "payments.refund_booking", beyond["id"], 6000, "wallet", "part")
    life.pay(beyond, refunds=[stripe_refund(1, beyond["price_cents"]), stripe_refund(2, 700)])
    (debt,) = life.db.execute("select id from payments.refunds where beyond and recovered_cents = 0").fetchall()
    life.call(person, "payments.settle_debt", debt["id"], "forgiven", f"{MARKER} asked for it")

    disputed = desk.book(person, "card", event_id=desk.event())
    life.pay(disputed)
    dispute = {"stripe_id": "dp_1", "amount_cents": 100, "currency": "CHF", "status": "needs_response", "reason": None}
    life.pay(disputed, disputes=[dispute])

    invoiced = desk.book(person, "invoice", event_id=desk.event())
    (invoice,) = life.db.execute("select id from payments.invoices where booking_id = %s", [invoiced["id"]]).fetchall()
    life.call(person, "payments.record_invoice_payment", invoice["id"])

    missed = desk.book(person, None, event_id=desk.event(price_cents=0))
    life.db.execute("update events.events set starts_at = now(), ends_at = now() + interval '1 hour' where id = %s",
                    [missed["event_id"]])  # fmt: skip
    life.call(owner, "events.record_attendance", missed["id"], False)
    (fee,) = life.db.execute("select id from payments.fees").fetchall()
    life.call(person, "payments.waive_fee", fee["id"], f"{MARKER} was at the dentist")


def hold_and_wait(life: Life) -> None:
    """Make a hold and two waitlist entries, one of which the organizer cancels."""
    desk, person = life.desk, life.person
    gateway.post("book", "/holds", {"event_id": str(desk.event(price_cents=0)), "seats": 2}, caller=person)
    for reason in (None, f"Not enough teachers for {MARKER}"):
        full = desk.event(capacity=1, price_cents=0)
        routines.book(life.db, full, desk.customer())
        answer = gateway.post("waitlist", f"/events/{full}/waitlist", {}, caller=person)
        assert answer.status in (200, 201), answer.text
        if reason:
            life.call(desk.stage.owner, "events.cancel_event", full, reason)
            # The organization's texts about its event are deleted by age, not by erasure: docs/operate/privacy.md.
            life.db.execute("update events.events set status_reason = null where id = %s", [full])
            life.db.execute("update events.bookings set status_reason = null where event_id = %s", [full])
            life.db.execute(
                "update ops.state_history set reason = null where subject_id = %s or subject_id in ("
                "select b.id from events.bookings as b where b.event_id = %s)",
                [full, full],
            )


def buy_credits(life: Life) -> None:
    """Buy wallet money and a pass, and receive and grant credits."""
    desk, person = life.desk, life.person
    apply_payment(desk, buy(desk, person, money(desk), key="money"))
    apply_payment(desk, buy(desk, person, offer(desk), key="pass"))
    desk.give(person, 700, note=f"{MARKER} was kind")
    life.call(person, "payments.create_promo_code", desk.stage.organization_id, "BYANNA", "percent", 500)
    routines.call(
        life.db, person,
        "select payments.grant_credits(organization_id => %s, customer_id => %s, kind => 'wallet', amount => 5,"
        " currency => 'CHF', idempotency_key => %s)",
        [desk.stage.organization_id, desk.customer(), f"{MARKER}-grant"],
    )  # fmt: skip


def take_cash(life: Life) -> None:
    """Take the money of another customer at the desk, and close the till."""
    desk, person = life.desk, life.person
    life.call(person, "events.book", desk.event(), 1, "cash", desk.customer(), False, None, f"{MARKER}-cash")
    life.call(person, "payments.close_till", desk.stage.organization_id, 0)


def rate(life: Life) -> None:
    """Send votes, sliders and fires: some are processed, some are pending, and some are queued."""
    stage, person = life.desk.stage, life.person
    body = {
        "organization_id": str(stage.organization_id),
        "events": [vote("dawn", "dusk"), slider("dawn", 70), fire("dawn")],
    }
    assert gateway.post("ingest", "/ratings/events", body, caller=stage.owner).status == 200
    for events in ([vote("dawn", "dusk"), slider("dawn", 80), fire("dusk")], [vote("dusk", "dawn")]):
        mine = {**body, "events": [{**event, "voter_id": str(person)} for event in events]}
        assert gateway.post("ingest", "/ratings/events", mine, caller=person).status == 200
        if len(events) > 1:
            gateway.invoke("process-batch", {"job": "process_ratings"})
    later = {**body, "events": [{**slider("dusk", 10), "voter_id": str(person)}]}
    answer = gateway.post("ingest", "/ratings/events", later, caller=person, headers={"Prefer": "respond-async"})
    assert answer.status == 202, answer.text
    for message in life.aws.received(life.aws.sqs.get_queue_url(QueueName="rating-events")["QueueUrl"]):
        gateway.invoke("ingest", {"Records": [_record(message)]})


def invite_and_offer(life: Life) -> None:
    """Invite the person elsewhere and accept, invite others as the person, and offer the ownership."""
    elsewhere = stages.create(life.db)
    life.call(elsewhere.owner, "organizations.invite_member", elsewhere.organization_id, EMAIL, "viewer")
    (invitation,) = life.db.execute("select id from organizations.invitations").fetchall()
    code = hashlib.sha256(f"{MARKER} accepts".encode()).digest()
    assert life.call(None, "organizations.issue_invitation_code", invitation["id"], 1, code)
    life.call(life.person, "organizations.accept_invitation", code)
    organization_id = life.desk.stage.organization_id
    life.call(life.person, "organizations.invite_member", organization_id, "friend@example.com", "viewer")
    other = stages.create(life.db)
    life.call(other.owner, "organizations.invite_member", other.organization_id, EMAIL, "viewer")
    change = [{"family": "reminders", "channel": "email", "delivery": "off"}]
    life.call(life.person, "messaging.set_preferences", Jsonb(change))
    life.call(life.person, "organizations.offer_ownership", organization_id, life.desk.stage.member("admin"))
    life.call(elsewhere.owner, "organizations.offer_ownership", elsewhere.organization_id, life.person)


def be_noted(life: Life) -> None:
    """Enter details, tags, a block and a note about the person, and block and note another customer as the person."""
    desk, person = life.desk, life.person
    organization_id, other = desk.stage.organization_id, desk.customer()
    life.call(desk.stage.owner, "organizations.add_customer_note", organization_id, person, f"{MARKER} sings")
    life.call(person, "organizations.add_customer_note", organization_id, other, "Sings.")
    life.call(person, "organizations.block_customer", organization_id, other, "Was rude.")
    life.db.execute(
        "update organizations.customers set walk_in = true, email = %s, phone = '079 111 22 33', tags = %s,"
        " request_hash = sha256('request') where customer_id = %s and organization_id = %s",
        [EMAIL, [MARKER], person, organization_id],
    )
    life.call(desk.stage.owner, "organizations.block_customer", organization_id, person, f"{MARKER} was rude")


def read_rosters(life: Life) -> None:
    """Read rosters, so that the access log records reads about the person and by the person."""
    desk = life.desk
    event_id = desk.event(price_cents=0)
    routines.book(life.db, event_id, life.person)
    for caller in (desk.stage.owner, life.person):
        assert gateway.get("attendance", f"/events/{event_id}/roster", caller=caller).status == 200
        routines.book(life.db, event_id, desk.customer())


def import_rows(life: Life, folder: Any) -> None:
    """Import rows of an earlier system: accepted ones, rejected ones with the address, and one as an instructor."""
    export = Export(folder, life.desk.stage.organization_id)
    template = export.template(instructor_name=f"Teacher {MARKER}")
    instance = export.instance(template, SOON + timedelta(days=1), instructor_name=f"Teacher {MARKER}")
    who = {"customer_id": str(life.person), "customer_email": EMAIL, "customer_name": MARKER}
    export.registration(instance, **who)
    export.registration(instance, **{**who, "customer_email": f"{MARKER} at example"})
    export.wait(instance, **{**who, "customer_email": f"{MARKER} at example"})
    export.wait(instance, **who)
    run(life.db, export)
    life.db.execute("update organizations.instructors set user_id = %s, bio = %s where name = %s",
                    [life.person, f"{MARKER} teaches", f"Teacher {MARKER}"])  # fmt: skip


def send_all_messages(life: Life) -> None:
    """Run the relay and its consumers: notifications are sent, e-mails fail, and a subscriber echoes its message."""
    stage = life.desk.stage
    gateway.invoke("relay-outbox", {"job": "relay_outbox"})
    assert_queues_are_clean()
    deliveries = life.aws.sqs.get_queue_url(QueueName="deliver")["QueueUrl"]
    for bundle in life.aws.received(deliveries):
        life.call(None, "messaging.fan_out_webhooks", Jsonb(bundle["happenings"]))
    for bundle in life.aws.received(life.aws.messages_queue):
        gateway.invoke("send-messages", {"Records": [_record(bundle)]})
    life.call(None, "messaging.finish_notification", 10_000_000, EMAIL)
    outbox_id = life.db.execute("select max(outbox_id) as id from messaging.deliveries").fetchone()["id"]
    life.call(None, "messaging.start_notification", outbox_id + 1, "booking.reminder", life.person,
              stage.organization_id, "Yoga", f"Hello {MARKER}", EMAIL)  # fmt: skip
    life.call(None, "messaging.finish_notification", outbox_id + 1, EMAIL, None, f"{EMAIL} is unknown")

    while claimed := life.db.execute(
        "select c.id, c.attempt, c.payload from messaging.claim_webhook_deliveries(sealed => true) as c"
    ).fetchall():
        results = [
            {
                "id": str(row["id"]), "attempt": row["attempt"], "outcome": "failed", "started_at": "2030-01-01T00:00Z",
                "duration_ms": 1, "status_code": 500,
                "error": f"{words} made it fail", "response": f"We do not like {words}",
            }
            for row in claimed
            for words in [EMAIL if row["payload"].get("customer_id") == str(life.person) else "x"]
        ]  # fmt: skip
        life.call(None, "messaging.finish_webhook_deliveries", Jsonb(results))


def _record(body: dict[str, Any]) -> dict[str, Any]:
    return {"messageId": "m1", "receiptHandle": "h", "body": json.dumps(body, default=str),
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "0"}, "messageAttributes": {},
            "md5OfBody": "", "eventSource": "aws:sqs", "awsRegion": REGION,
            "eventSourceARN": f"arn:aws:sqs:{REGION}:{DEFAULT_ACCOUNT_ID}:queue"}  # fmt: skip


@pytest.fixture
def life(db: Connection, aws: Any, tmp_path: Any) -> Life:
    """Create a person with a row for every rule of ops.retention."""
    desk = CreditBookings(db, late_fee_cents=0, no_show_fee_cents=900)
    db.execute(
        "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)",
        [desk.stage.organization_id],
    )
    db.execute("update ops.rate_limit_rules set burst = 1000, per_minute = 1000")
    person = sign_in(db)
    life = Life(desk, aws, person, stages.create(db).event())
    organization_id = desk.stage.organization_id
    db.execute(
        "insert into organizations.memberships (organization_id, user_id, role) values (%s, %s, 'owner')",
        [organization_id, person],
    )
    path = f"/organizations/{organization_id}"
    gateway.patch("organizations", path, {"offer_minutes": 20}, caller=person)
    instructor = {"name": f"Anna {MARKER}", "bio": f"{MARKER} teaches", "user_id": str(person)}
    made = gateway.post("organizations", f"{path}/instructors", instructor, caller=person)
    assert made.status == 201, made.text
    db.execute("insert into ops.alert_recipients (email) values (%s)", [EMAIL])
    gateway.post("webhook-endpoints", "/webhook-endpoints", {"url": "https://hooks.example.com/x"},
                 caller=Caller(desk.stage.owner, "authenticated", organization_id))  # fmt: skip
    life.call(person, "users.create_calendar_address", hashlib.sha256(MARKER.encode()).digest())
    pay_and_book(life)
    hold_and_wait(life)
    buy_credits(life)
    take_cash(life)
    rate(life)
    invite_and_offer(life)
    read_rosters(life)
    import_rows(life, tmp_path)
    be_noted(life)
    routines.call(db, None, "select payments.receive_webhooks(%s::text::jsonb)", [json.dumps([stripe_event()])])
    life.call(person, "users.set_consent", organization_id, "newsletter", True, "2030-05")
    life.call(person, "users.request_export")
    life.call(person, "users.request_erasure")
    send_all_messages(life)
    return life


def stripe_event() -> dict[str, Any]:
    """Return a Stripe event that contains personal data."""
    thing = {"id": "ch_1", "object": "charge", "payment_intent": {"id": "pi_1", "client_secret": MARKER},
             "billing_details": {"name": MARKER, "email": EMAIL}, "receipt_email": EMAIL}  # fmt: skip
    payload = {"id": "evt_1", "object": "event", "type": "charge.updated", "created": 1, "data": {"object": thing}}
    return {"event_id": "evt_1", "account": None, "type": "charge.updated", "api_version": None, "livemode": False,
            "created_at": "2030-01-01T00:00:00Z", "payload": json.dumps(payload)}  # fmt: skip


def assert_queues_are_clean() -> None:
    """Assert that no message of any queue, including dead letters, contains the marker."""
    for queue in sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues.values():
        for message in queue._messages:
            assert MARKER.lower() not in str(vars(message)).lower(), queue.name
