"""The access log records each read of another person's data, and no read of the caller's own data.

The tests cover every route that takes a token. A route in READS or WRITES must leave a record when staff call it. A
route in UNRECORDED or UNRECORDED_WRITES has a reason instead. A new route in none of them fails the test. A response
needs a record if it contains more about other people than the caller sent.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from marquee.core import database
from marquee.core.database import Access
from marquee.core.errors import Refused
from marquee.core.identity import Caller, anonymous
from marquee.edge import queues
from tests.kit import gateway, stages
from tests.kit.databases import copy_database, drop_database
from tests.kit.walk import world as walk

WORLD = "walk_world"
OPENAPI = Path(__file__).resolve().parents[2] / "docs/openapi.json"
OURS, THEIRS = walk.ORGANIZATIONS["ours"], walk.ORGANIZATIONS["theirs"]
OWNER = Caller(walk.PEOPLE["owner"], "authenticated", OURS)
OTHER_OWNER = Caller(walk.PEOPLE["other_owner"], "authenticated", THEIRS)
CUSTOMER = Caller(walk.PEOPLE["customer"], "authenticated")
SERVICE = Caller(None, "service_role")
ORGANIZATION = {"organization_id": OURS}
TODAY = datetime.now(UTC).date()

READS = {
    "/access-log": ("insights", "access_log", {}),
    "/bookings/{booking_id}": ("book", "booking", {}),
    "/bookings/{booking_id}/history": ("desk", "booking_history", {}),
    "/bookings/{booking_id}/names": ("book", "booking_names", {}),
    "/bookings/{booking_id}/payment": ("book", "payment", {}),
    "/events/{event_id}/roster": ("attendance", "roster", {}),
    "/events/{event_id}/waitlist/entries": ("waitlist", "waitlist", {}),
    "/fees": ("invoices", "fees", ORGANIZATION),
    "/invoices": ("invoices", "invoices", ORGANIZATION),
    "/invoices/{invoice_id}": ("invoices", "invoice", {}),
    "/invoices/{invoice_id}/page": ("invoices", "invoice_page", {}),
    "/organizations/{organization_id}/audit": ("people", "audit", {}),
    "/organizations/{organization_id}/customers": ("people", "customers", {}),
    "/organizations/{organization_id}/customers.csv": ("people", "customers", {}),
    "/organizations/{organization_id}/customers/{customer_id}": ("people", "customer", {}),
    "/organizations/{organization_id}/invitations": ("people", "invitations", {}),
    "/organizations/{organization_id}/members": ("people", "members", {}),
    "/organizations/{organization_id}/bookings": ("desk", "organization_bookings", {}),
    "/organizations/{organization_id}/bookings.csv": ("desk", "organization_bookings", {}),
    "/organizations/{organization_id}/statement.csv": (
        "payouts",
        "statement_lines",
        {"from": TODAY - timedelta(days=2), "to": TODAY + timedelta(days=2)},
    ),
    "/purchases/{purchase_id}": ("wallet", "purchase", {}),
    "/ratings/events": ("ratings", "rating_events", ORGANIZATION),
    "/ratings/voters/{voter_id}": ("ratings", "rater", ORGANIZATION),
    "/refunds": ("refunds", "refunds", {}),
    "/webhook-endpoints/{endpoint_id}/deliveries": ("webhook-endpoints", "webhook_deliveries", {}),
}
"""Routes that return other people's data to staff, each with its function, operation and query."""

WRITES = {
    "POST /bookings/{booking_id}/attended": ("attendance", "attendance", None),
    "POST /bookings/{booking_id}/cancel": ("cancel", "cancel_booking", {}),
    "POST /bookings/{booking_id}/excuse": ("attendance", "attendance", None),
    "POST /bookings/{booking_id}/move": ("cancel", "move_booking", {"payment_method": "comp"}),
    "PUT /bookings/{booking_id}/names": ("book", "booking_names", {"names": ["Ana"]}),
    "POST /bookings/{booking_id}/no-show": ("attendance", "attendance", {"waive": True}),
    "POST /bookings/{booking_id}/payment": ("book", "payment", None),
    "PATCH /bookings/{booking_id}/payment": ("book", "change_payment_method", {"payment_method": "card"}),
    "POST /bookings/{booking_id}/refunds": ("refunds", "refund_booking", {"amount_cents": 100}),
    "POST /bookings/{booking_id}/seats": ("cancel", "return_seats", {"seats": 1}),
    "POST /events/{event_id}/waitlist/promote": ("waitlist", "promote", None),
    "POST /fees/{fee_id}/desk-payment": ("desk", "pay_fee_at_desk", {"payment_method": "cash"}),
    "POST /fees/{fee_id}/paid": ("invoices", "record_fee_payment", None),
    "POST /fees/{fee_id}/waive": ("invoices", "waive_fee", {"reason": "A mistake."}),
    "DELETE /holds/{hold_id}": ("book", "release_hold", None),
    "POST /invoices/{invoice_id}/desk-payment": ("desk", "pay_invoice_at_desk", {"payment_method": "terminal"}),
    "POST /invoices/{invoice_id}/paid": ("invoices", "record_invoice_payment", None),
    "PATCH /organizations/{organization_id}/customers/{customer_id}": ("people", "customer", {"tags": ["choir"]}),
    "POST /organizations/{organization_id}/customers/{customer_id}/block": ("people", "customer", {}),
    "POST /organizations/{organization_id}/customers/{customer_id}/unblock": ("people", "customer", None),
    "POST /purchases/{purchase_id}/refund": ("wallet", "refund_purchase", None),
    "POST /refunds/{refund_id}/payout": ("desk", "pay_out_refund", {}),
    "POST /refunds/{refund_id}/reopen": ("refunds", "reopen_refund", {}),
    "POST /refunds/{refund_id}/settle": ("refunds", "settle_debt", {"outcome": "forgiven", "reason": "Too old."}),
    "POST /waitlist/{entry_id}/accept": ("waitlist", "accept_offer", {}),
    "POST /waitlist/{entry_id}/decline": ("waitlist", "decline_offer", None),
    "POST /webhook-deliveries/{delivery_id}/resend": ("webhook-endpoints", "resend_webhook_delivery", None),
}
"""Routes that write and return other people's data to staff, each with its function, operation and body."""

_NAMED = "the caller, or the customer whom the request names"
_PARTIES = "the ids of an owner and a member, without names"
_PLANNED = "planned events and counts"
_SETTINGS = "the organization's own settings"
_PLACE = "places and public pages of the organization"
_TILL = "figures of a till, which name nobody"

UNRECORDED_WRITES = {
    "POST /bookings": _NAMED,
    "POST /credits/grants": _NAMED,
    "POST /events": _PLANNED,
    "PATCH /events/{event_id}": _PLANNED,
    "POST /events/{event_id}/cancel": _PLANNED,
    "POST /events/{event_id}/copy": _PLANNED,
    "POST /organizations/{organization_id}/closures": _PLANNED,
    "DELETE /organizations/{organization_id}/closures/{closure_id}": "an empty response",
    "POST /events/{event_id}/substitute": _PLANNED,
    "POST /events/{event_id}/links": _PLANNED,
    "DELETE /events/{event_id}/links/{link_id}": _PLANNED,
    "POST /events/{event_id}/attendance": "recorded, by the bookings that the caller names",
    "DELETE /events/{event_id}/waitlist": "the caller's own place",
    "POST /events/{event_id}/waitlist": _NAMED,
    "POST /holds": _NAMED,
    "POST /series/{series_id}/bookings": "the caller's own",
    "POST /organizations": _SETTINGS,
    "PATCH /organizations/{organization_id}": _SETTINGS,
    "POST /organizations/{organization_id}/archive": _SETTINGS,
    "POST /organizations/{organization_id}/instructors": _PLACE,
    "PATCH /organizations/{organization_id}/instructors/{instructor_id}": _PLACE,
    "POST /organizations/{organization_id}/locations": _PLACE,
    "PATCH /organizations/{organization_id}/locations/{location_id}": _PLACE,
    "POST /invitations/accept": "the caller's own",
    "POST /invitations/decline": "an empty response",
    "DELETE /invitations/{invitation_id}": "an empty response",
    "POST /invitations/{invitation_id}/resend": "an address that staff of the organization entered",
    "DELETE /memberships/{organization_id}": "an empty response",
    "PATCH /notification-preferences": "the caller's own",
    "DELETE /profile": "the caller's own",
    "PUT /profile/consents": "an empty response",
    "POST /profile/export": "the caller's own",
    "POST /profile/restore": "an empty response",
    "POST /notifications/read": "an empty response",
    "POST /notifications/{notification_id}/read": "an empty response",
    "POST /organizations/{organization_id}/customers": "the person whom the caller sent",
    "POST /organizations/{organization_id}/customers/import": "ids of the people whom the caller sent",
    "POST /organizations/{organization_id}/customers/{customer_id}/notes": "the note that the caller sent",
    "DELETE /organizations/{organization_id}/customers/{customer_id}/notes/{note_id}": "an empty response",
    "POST /organizations/{organization_id}/invitations": "the address that the caller sent",
    "PATCH /organizations/{organization_id}/members/{user_id}": "the id that the caller sent, and a role",
    "DELETE /organizations/{organization_id}/members/{user_id}": "an empty response",
    "POST /organizations/{organization_id}/ownership-offers": "the ids of the caller and of the named member",
    "POST /ownership-offers/{offer_id}/accept": _PARTIES,
    "POST /ownership-offers/{offer_id}/decline": _PARTIES,
    "POST /ownership-offers/{offer_id}/withdraw": _PARTIES,
    "POST /organizations/{organization_id}/payout-account": "the organization's own account",
    "PATCH /organizations/{organization_id}/platform-terms": _SETTINGS,
    "POST /organizations/{organization_id}/policies": _SETTINGS,
    "PATCH /organizations/{organization_id}/policies/{policy_id}": _SETTINGS,
    "POST /organizations/{organization_id}/reopen": _SETTINGS,
    "POST /organizations/{organization_id}/resources": _PLACE,
    "PATCH /organizations/{organization_id}/resources/{resource_id}": _PLACE,
    "POST /organizations/{organization_id}/tax-rates": _SETTINGS,
    "POST /organizations/{organization_id}/rooms": _PLACE,
    "PATCH /organizations/{organization_id}/rooms/{room_id}": _PLACE,
    "POST /organizations/{organization_id}/till/closings": _TILL,
    "POST /organizations/{organization_id}/till/transfers": _TILL,
    "POST /organizations/{organization_id}/tills": _TILL,
    "POST /packages": "packages for sale, without their buyers",
    "POST /packages/{package_id}/desk-sales": _NAMED,
    "POST /packages/{package_id}/end": "packages for sale, without their buyers",
    "POST /packages/{package_id}/purchases": "the caller's own",
    "PATCH /profile": "the caller's own",
    "DELETE /profile/calendar": "an empty response",
    "POST /profile/calendar": "the caller's own",
    "POST /promo-codes": "a code, without its users",
    "POST /ratings/events": "results by the keys that the caller sent",
    "POST /ratings/items/dirty": "a count",
    "POST /ratings/process": "figures of a queue",
    "POST /ratings/restart": "the caller's own request",
    "PATCH /ratings/settings": "settings",
    "POST /series": _PLANNED,
    "PATCH /series/{series_id}": _PLANNED,
    "POST /series/{series_id}/archive": _PLANNED,
    "POST /series/{series_id}/generate": _PLANNED,
    "POST /series/{series_id}/pause": _PLANNED,
    "POST /series/{series_id}/resume": _PLANNED,
    "POST /webhook-endpoints": "the organization's own addresses",
    "PATCH /webhook-endpoints/{endpoint_id}": "the organization's own addresses",
    "DELETE /webhook-endpoints/{endpoint_id}": "an empty response",
    "POST /webhook-endpoints/{endpoint_id}/rotate-secret": "the organization's own addresses",
    "POST /webhook-endpoints/{endpoint_id}/test": "a test message without personal data",
    "POST /webhooks/stripe/{event_id}/replay": "the id and the state of a message",
}
"""Routes that write without a record, each with its reason."""

UNRECORDED = {
    "/bookings": "the caller's own",
    "/bookings/calendar.ics": "the caller's own",
    "/dashboard": "the caller's own",
    "/events/{event_id}/links": "links of an event, which name nobody",
    "/events/{event_id}/refunds": "counts and sums of an event, which name nobody",
    "/events/{event_id}/waitlist": "the caller's own place",
    "/health/details": "figures of the system",
    "/instructors/{instructor_id}/schedule": "the events of an instructor, which are public, with counts of seats",
    "/ledger/trial-balance": "sums by type of account",
    "/memberships": "the caller's own",
    "/notification-preferences": "the caller's own",
    "/notifications": "the caller's own",
    "/notifications/unread": "the caller's own",
    "/organizations/{organization_id}/analytics": "counts and sums, which name nobody",
    "/organizations/{organization_id}/double-bookings": "events by id",
    "/organizations/{organization_id}/ownership-offers": _PARTIES,
    "/organizations/{organization_id}/payout-account": "the organization's own account",
    "/organizations/{organization_id}/places": "places and public pages of instructors, as in the catalog",
    "/organizations/{organization_id}/policies": "the organization's own settings",
    "/organizations/{organization_id}/settings": "the organization's own settings",
    "/organizations/{organization_id}/tax-rates": "the organization's own settings",
    "/organizations/{organization_id}/events": _PLANNED,
    "/organizations/{organization_id}/events.csv": _PLANNED,
    "/organizations/{organization_id}/till": _TILL,
    "/organizations/{organization_id}/till/closings": _TILL,
    "/organizations/{organization_id}/today": "recorded for unpaid bookings: tests/booking/test_staff_lists_routes.py",
    "/organizations/{organization_id}/statement": "sums; the movements are in statement.csv",
    "/packages": "packages for sale, without their buyers",
    "/profile": "the caller's own",
    "/profile/consents": "the caller's own",
    "/profile/export": "the caller's own",
    "/profile/settings": "the caller's own",
    "/promo-codes": "codes with their number of uses, without their users",
    "/ratings/members/items/{item_id}": "scores of an item",
    "/ratings/members/leaderboard": "scores of items",
    "/ratings/requests/{request_id}": "the caller's own request",
    "/ratings/settings": "settings",
    "/ratings/status": "figures of a queue",
    "/organizations/{organization_id}/closures": "closed periods, which name nobody",
    "/series": "planned events, with instructors by id as in the catalog",
    "/series/{series_id}": "planned events, with instructors by id as in the catalog",
    "/series/{series_id}/availability": "the caller's own",
    "/wallet": "the caller's own",
    "/webhook-endpoints": "the organization's own addresses",
    "/webhook-endpoints/{endpoint_id}": "the organization's own addresses",
}
"""Routes that read without a record, each with its reason."""

IDS = {
    "booking_id": "select i.booking_id from payments.intents as i where i.booking_id is not null and i.{p} and i.{o}",
    "event_id": """
        select w.event_id
        from events.waitlist_entries as w
        inner join events.terms as t on t.event_id = w.event_id
        where w.status = 'waiting' and t.{o}
    """,
    "invoice_id": "select i.id from payments.invoices as i where i.kind = 'invoice' and i.{p} and i.{o}",
    "purchase_id": "select p.id from payments.purchases as p where p.{p} and p.{o}",
    "endpoint_id": "select e.id from messaging.webhook_endpoints as e where e.{o}",
    "voter_id": "select v.voter_id from rating.voters as v where v.voter_id <> %(owner)s::text and v.{o}",
    "customer_id": "select c.customer_id from organizations.customers as c where c.{p} and c.{o}",
    "organization_id": "select o.id from organizations.organizations as o where o.id = %(organization_id)s",
}

_BOOKING = "select b.id from events.bookings as b where b.status = 'confirmed' and {p} and {o}"
_FEE = "select f.id from payments.fee_states as f where f.status in ('owed', 'open') and {p} and {o}"
_INVOICE = """
select i.id
from payments.invoice_states as i
where i.kind = 'invoice' and i.paid_at is not null and {p} and {o}
"""
_UNPAID_INVOICE = "select i.id from payments.invoices as i where i.kind = 'invoice' and i.{p} and i.{o}"
_REFUND = "select r.id from payments.refunds as r where {p} and {o}"
_DELIVERY = """
select d.id
from messaging.webhook_deliveries as d
inner join messaging.webhook_endpoints as e on e.id = d.endpoint_id
where e.enabled and e.{o}
"""
_HOLD = """
select h.id
from events.holds as h
inner join events.terms as t on t.event_id = h.event_id
where h.purpose in ('online', 'desk') and {p} and t.{o}
"""
_ENTRY = """
select w.id
from events.waitlist_entries as w
inner join events.terms as t on t.event_id = w.event_id
where {p} and t.{o}
"""

WRITTEN = {
    "/bookings/{booking_id}/attended": _BOOKING,
    "/bookings/{booking_id}/cancel": _BOOKING,
    "/bookings/{booking_id}/excuse": _BOOKING.replace("confirmed", "no_show"),
    "/bookings/{booking_id}/move": _BOOKING,
    "/bookings/{booking_id}/names": _BOOKING,
    "/bookings/{booking_id}/no-show": _BOOKING,
    "/bookings/{booking_id}/payment": IDS["booking_id"],
    "/bookings/{booking_id}/refunds": IDS["booking_id"],
    "/bookings/{booking_id}/seats": _BOOKING,
    "/events/{event_id}/waitlist/promote": IDS["event_id"],
    "/fees/{fee_id}/desk-payment": _FEE,
    "/fees/{fee_id}/paid": _FEE,
    "/fees/{fee_id}/waive": _FEE,
    "/holds/{hold_id}": _HOLD,
    "/invoices/{invoice_id}/desk-payment": _UNPAID_INVOICE,
    "/invoices/{invoice_id}/paid": _INVOICE,
    "/organizations/{organization_id}/customers/{customer_id}": IDS["customer_id"],
    "/organizations/{organization_id}/customers/{customer_id}/block": IDS["customer_id"],
    "/organizations/{organization_id}/customers/{customer_id}/unblock": IDS["customer_id"],
    "/purchases/{purchase_id}/refund": IDS["purchase_id"],
    "/refunds/{refund_id}/payout": _REFUND,
    "/refunds/{refund_id}/reopen": _REFUND,
    "/refunds/{refund_id}/settle": _REFUND,
    "/waitlist/{entry_id}/accept": _ENTRY,
    "/waitlist/{entry_id}/decline": _ENTRY,
    "/webhook-deliveries/{delivery_id}/resend": _DELIVERY,
}
"""For each route of WRITES, a query for the id in its path: a row of another customer."""

BEFORE = {
    "/bookings/{booking_id}/attended": "update events.terms set starts_at = now()",
    "/bookings/{booking_id}/excuse": "update events.bookings set status = 'no_show' where status = 'confirmed'",
    "/bookings/{booking_id}/no-show": "update events.terms set starts_at = now()",
    "/bookings/{booking_id}/payment": """
        update payments.intents set stripe_payment_intent_id = 'pi_' || id;
        update events.bookings set payment_method = 'card'
    """,
    "/bookings/{booking_id}/refunds": """
        update payments.refunds as r
        set cause = 'staff:k1', destination = 'original', amount_cents = 100
        where r.id in (select distinct on (o.booking_id) o.id from payments.refunds as o order by o.booking_id, o.id)
    """,
    "/invoices/{invoice_id}/desk-payment": """
        alter table payments.invoice_payments disable trigger all;
        delete from payments.invoice_payments
    """,
    "/refunds/{refund_id}/payout": """
        alter table payments.till_closings disable trigger all;
        delete from payments.till_closings;
        update payments.refunds set destination = 'till', intent_id = null, status = 'created', settled_at = null
    """,
    "/invoices/{invoice_id}/paid": """
        insert into payments.invoice_payments (invoice_id, amount_cents, transaction_id, recorded_by)
        select i.id, 1, (select t.id from payments.transactions as t limit 1), i.customer_id
        from payments.invoices as i
        on conflict do nothing
    """,
    "/waitlist/{entry_id}/accept": """
        update events.bookings as b
        set status = 'cancelled', cancelled_at = now()
        where b.event_id in (select w.event_id from events.waitlist_entries as w)
    """,
    "/purchases/{purchase_id}/refund": "update payments.purchases set status = 'refunded'",
    "/refunds/{refund_id}/settle": """
        update payments.refunds
        set
            beyond = true, sold = false, status = 'succeeded', settled_at = now(),
            debt_outcome = 'forgiven', debt_settled_at = now(),
            debt_transaction_id = (select t.id from payments.transactions as t limit 1)
    """,
}
"""Changes to the rows that a route of WRITES needs. Most turn the call into a retry, which returns the same data."""


FILL = """
update messaging.webhook_deliveries as d
set payload = jsonb_build_object('customer_id', %(customer)s::uuid, 'organization_id', e.organization_id)
from messaging.webhook_endpoints as e
where e.id = d.endpoint_id;

alter table payments.invoices disable trigger all;
update payments.invoices set seller = '{"name": "Seller"}', buyer = '{"name": "Buyer"}';
alter table payments.invoices enable trigger all;

update organizations.changes set actor_id = %(customer)s where kind = 'policy.created';

insert into payments.intents (id, purchase_id, organization_id, customer_id, method, amount_cents, currency)
select p.id, p.id, p.organization_id, p.customer_id, 'card', p.amount_cents, p.currency
from payments.purchases as p;

select payments.post_transaction(
    'wallet.top_up',
    array[
        payments.account('platform', null, 'cash', 'CHF'),
        payments.account('organization', %(organization_id)s, 'receivable', 'CHF')
    ],
    array[100, -100], 'owed'
);
"""
"""Values that the generated rows lack: customers of deliveries, names on invoices, payments of purchases, a debt."""


@pytest.fixture(scope="module")
def template(server, copier):
    """Make a database with the generated rows and an empty access log, which is copied for each test."""
    copy_database(copier, WORLD)
    with psycopg.connect(server.url(WORLD), autocommit=True) as owner:
        walk.fill(owner)
        with psycopg.ClientCursor(owner) as cursor:
            cursor.execute(FILL, {**ORGANIZATION, "customer": CUSTOMER.id})
        owner.execute("alter table ops.access_log disable trigger user")
        owner.execute("delete from ops.access_log")
        owner.execute("alter table ops.access_log enable always trigger refuse_change")
        owner.execute("alter table ops.access_log enable always trigger refuse_truncation")
    yield WORLD
    drop_database(copier, WORLD)


def id_of(db, name):
    query = IDS[name].replace("{o}", "organization_id = %(organization_id)s").replace("{p}", "customer_id <> %(owner)s")
    row = db.execute(f"{query} order by 1 limit 1", {**ORGANIZATION, "owner": OWNER.id}).fetchone()
    assert row is not None, f"The generated rows contain no {name}."
    return str(next(iter(row.values())))


def path_of(db, route):
    for name in IDS:
        if "{" + name + "}" in route:
            route = route.replace("{" + name + "}", id_of(db, name))
    return route


def log(db, operation=None):
    return db.execute(
        "select a.* from ops.access_log as a where %(o)s::text is null or a.operation = %(o)s order by a.id",
        {"o": operation},
    ).fetchall()


def read(db, route, caller):
    function, _operation, query = READS[route]
    return gateway.get(function, path_of(db, route), caller=caller, query=query)


def advice(routes, recorded, unrecorded, recorded_name, unrecorded_name):
    """Return which list of this file to change for each route that differs, and why."""
    listed = recorded.keys() | unrecorded.keys()
    lines = [
        f"{route} is in no list. Add it to {recorded_name} if it returns other people's data to staff, which the access"
        f" log must record. Otherwise add it to {unrecorded_name} with the reason."
        for route in sorted(routes - listed)
    ]
    lines += [
        f"{route} is in {recorded_name if route in recorded else unrecorded_name}, but docs/openapi.json has no such"
        " route with a token. Remove it."
        for route in sorted(listed - routes)
    ]
    return "\n".join(lines)


def test_every_route_with_a_token_is_classified():
    paths = json.loads(OPENAPI.read_text())["paths"]
    routes = {path for path, methods in paths.items() if methods.get("get", {}).get("security")}
    writes = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, operation in methods.items()
        if method != "get" and isinstance(operation, dict) and operation.get("security")
    }

    assert routes == READS.keys() | UNRECORDED.keys(), advice(routes, READS, UNRECORDED, "READS", "UNRECORDED")
    assert writes == WRITES.keys() | UNRECORDED_WRITES.keys(), advice(
        writes, WRITES, UNRECORDED_WRITES, "WRITES", "UNRECORDED_WRITES"
    )
    assert not READS.keys() & UNRECORDED.keys()
    assert not WRITES.keys() & UNRECORDED_WRITES.keys()


@pytest.mark.parametrize("route", sorted(READS))
def test_read_by_staff_leaves_a_record(db, route):
    if route == "/access-log":
        record(SERVICE, OURS, str(CUSTOMER.id))

    answer = read(db, route, OWNER)

    assert answer.status == 200, answer.text
    operation = READS[route][1]
    [row] = log(db, operation)
    assert (row["caller_id"], row["caller_role"], row["organization_id"]) == (OWNER.id, "authenticated", OURS)
    assert row["request_id"]
    assert datetime.now(UTC) - row["accessed_at"] < timedelta(minutes=1)
    assert str(OWNER.id) not in row["people"]
    if isinstance(answer.body, dict) and "items" in answer.body and route != "/access-log":
        of_others = [item for item in answer.body["items"] if person_of(item) != str(OWNER.id)]
        assert row["row_count"] == len(of_others) > 0
        assert set(row["people"]) == {person_of(item) for item in of_others} - {None}
    elif isinstance(answer.body, dict) and "customer_id" in answer.body:
        assert row["people"] == [answer.body["customer_id"]]


def person_of(item):
    """Return the id of the person that an item of a list is about, or None if it names nobody."""
    if "walk_in" in item:
        return item["id"]
    for name in ("customer_id", "voter_id", "user_id", "actor_id", "accepted_by"):
        if name in item:
            return item[name]
    return item["payload"]["customer_id"]


@pytest.mark.parametrize("route", sorted(READS.keys() - {"/access-log", "/webhook-endpoints/{endpoint_id}/deliveries"}))
def test_read_by_the_service_leaves_a_record(db, route):
    assert read(db, route, SERVICE).status == 200

    rows = log(db, READS[route][1])
    assert {row["caller_role"] for row in rows} == {"service_role"}
    assert OURS in {row["organization_id"] for row in rows}


@pytest.mark.own_database
@pytest.mark.parametrize("route", sorted(READS))
def test_read_that_cannot_be_recorded_returns_nothing(db, route):
    if route == "/access-log":
        record(SERVICE, OURS, str(CUSTOMER.id))
    db.execute("alter table ops.access_log add constraint full_for_the_test check (row_count = -1) not valid")

    with pytest.raises(psycopg.errors.CheckViolation, match="full_for_the_test"):
        read(db, route, OWNER)


def test_callers_reads_of_their_own_data_are_not_recorded(db):
    mine = {
        "booking_id": "select b.id from events.bookings as b where b.customer_id = %s limit 1",
        "invoice_id": "select i.id from payments.invoices as i where i.customer_id = %s limit 1",
        "purchase_id": "select p.id from payments.purchases as p where p.customer_id = %s limit 1",
    }
    ids = {name: db.execute(query, [CUSTOMER.id]).fetchone()["id"] for name, query in mine.items()}

    answers = [
        gateway.get("book", "/bookings", caller=CUSTOMER),
        gateway.get("book", f"/bookings/{ids['booking_id']}", caller=CUSTOMER),
        gateway.get("invoices", "/invoices", caller=CUSTOMER),
        gateway.get("invoices", "/fees", caller=CUSTOMER),
        gateway.get("invoices", f"/invoices/{ids['invoice_id']}", caller=CUSTOMER),
        gateway.get("wallet", f"/purchases/{ids['purchase_id']}", caller=CUSTOMER),
        gateway.get("refunds", "/refunds", caller=CUSTOMER),
    ]

    assert [answer.status for answer in answers] == [200] * len(answers)
    assert log(db) == []


def test_page_records_only_the_people_it_shows(db):
    answer = gateway.get("refunds", "/refunds", caller=OWNER, query={"limit": 1})

    assert answer.body["next_cursor"] is not None
    shown = {item["customer_id"] for item in answer.body["items"]} - {str(OWNER.id)}
    assert {person for row in log(db) for person in row["people"]} == shown
    assert sum(row["row_count"] for row in log(db)) == len(shown)


@pytest.fixture
def queue(monkeypatch):
    """Replace the queue by one that accepts every message, because these tests do not look at deliveries."""
    monkeypatch.setenv("DELIVER_QUEUE_URL", "https://queue.example")
    monkeypatch.setattr(queues, "send", lambda *_args, **_options: None)


def make_other_event(db, booking_id):
    """Create a free event of the booking's organization, and return its id."""
    query = "select organization_id from events.bookings where id = %s"
    organization_id = db.execute(query, [booking_id]).fetchone()["organization_id"]
    return str(stages.Stage(db, organization_id, OWNER.id).event())


@pytest.mark.parametrize("caller", [OWNER, SERVICE], ids=["owner", "service"])
@pytest.mark.parametrize("route", sorted(WRITES))
@pytest.mark.usefixtures("queue")
def test_write_that_returns_data_of_others_leaves_a_record(db, route, caller):
    function, operation, body = WRITES[route]
    if caller is SERVICE and function == "webhook-endpoints":
        caller = Caller(None, "service_role", OURS)
    method, _, path = route.partition(" ")
    query = WRITTEN[path].replace("{o}", "organization_id = %(organization_id)s")
    query = query.replace("{p}", "customer_id <> %(owner)s")
    db.execute("set session_replication_role = replica")
    db.execute(BEFORE.get(path, "select 1"))
    db.execute("set session_replication_role = origin")
    found = db.execute(f"{query} order by 1 limit 1", {**ORGANIZATION, "owner": OWNER.id}).fetchone()
    the_id = str(next(iter(found.values())))
    if path.endswith("/accept"):
        event_id = db.execute("select w.event_id from events.waitlist_entries as w where w.id = %s", [the_id])
        gateway.post("waitlist", f"/events/{event_id.fetchone()['event_id']}/waitlist/promote", caller=OWNER)
    if path.endswith("/move"):
        body = {**body, "event_id": make_other_event(db, the_id)}

    path = path.replace("{organization_id}", str(OURS))
    answer = gateway.request(
        function, method, path[: path.index("{")] + the_id + path[path.index("}") + 1 :], body, caller=caller, key="k1"
    )

    assert answer.status < 300, answer.text
    [row] = log(db, operation)
    assert (row["caller_id"], row["organization_id"]) == (caller.id, OURS)
    if "customer_id" in answer.body:
        assert row["people"] == [answer.body["customer_id"]]
    assert row["people"]


def test_empty_or_refused_read_leaves_no_record(db):
    stranger = Caller(uuid4(), "authenticated")

    for route in ("/events/{event_id}/roster", "/invoices/{invoice_id}", "/purchases/{purchase_id}"):
        assert read(db, route, stranger).status in (403, 404)
    assert gateway.get("invoices", f"/invoices/{uuid4()}", caller=OWNER).status == 404

    assert log(db) == []


def test_recording_keeps_the_order_of_a_list(db):
    with database.single(SERVICE) as session:
        rows = session.all(
            """
            select g.n, %(organization)s::uuid as organization_id, 'x' as customer_id
            from generate_series(1, 5000) as g (n)
            order by hashint4(g.n)
            """,
            {"organization": OURS},
            access=Access("roster", most=4999),
        )

    expected = db.execute("select n from generate_series(1, 5000) as g (n) order by hashint4(g.n)").fetchall()
    assert [row["n"] for row in rows] == [row["n"] for row in expected]
    assert log(db)[-1]["row_count"] == 4999
    assert session.round_trips == 1


def test_list_over_two_organizations_leaves_a_record_with_each(db):
    assert gateway.get("refunds", "/refunds", caller=SERVICE, query={"limit": 100}).status == 200

    assert {row["organization_id"] for row in log(db)} == {OURS, THEIRS}


def read_log(caller, **query):
    return gateway.get("insights", "/access-log", caller=caller, query=query)


def test_owner_finds_the_reads_about_a_person(db):
    read(db, "/events/{event_id}/roster", OWNER)
    read(db, "/invoices/{invoice_id}", OWNER)
    [roster] = log(db, "roster")
    person = next(person for person in roster["people"])

    answer = read_log(OWNER, person_id=person)

    [found] = [item for item in answer.body["items"] if item["operation"] == "roster"]
    assert found["caller_id"] == str(OWNER.id)
    assert found["caller_name"] == "somebody"
    assert person in found["people"]
    assert found["event_id"] == id_of(db, "event_id")
    assert found["row_count"] == len(roster["people"])
    assert read_log(OWNER, person_id=person.upper()).body["items"][-1]["id"] == answer.body["items"][-1]["id"]
    assert read_log(OWNER, person_id=str(uuid4())).body["items"] == []
    assert log(db, "access_log")[0]["people"] == [person]


@pytest.mark.parametrize("query", [{"person_id": ""}, {"person_id": "x" * 129}, {"person_id": "\0"}, {"cursor": "x"}])
def test_log_refuses_an_invalid_person_or_cursor(db, query):
    assert read_log(OWNER, **query).status == 422


def test_log_is_paged(db):
    for _number in range(5):
        read(db, "/events/{event_id}/roster", OWNER)
    expected = [str(row["id"]) for row in reversed(log(db))]

    seen, cursor = [], None
    for _page in range(3):
        page = read_log(OWNER, limit=2, cursor=cursor).body
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert (seen, cursor) == (expected, None)


@pytest.mark.parametrize(
    ("caller", "status"),
    [
        (OWNER, 200),
        (Caller(OWNER.id, "authenticated"), 403),
        (Caller(OWNER.id, "authenticated", THEIRS), 403),
        (Caller(walk.PEOPLE["viewer"], "authenticated", OURS), 403),
        (Caller(CUSTOMER.id, "authenticated", OURS), 403),
        (CUSTOMER, 403),
        (SERVICE, 200),
        (None, 401),
    ],
)
def test_owners_admins_and_the_service_read_the_log(db, caller, status):
    assert read_log(caller).status == status


def test_owner_sees_only_the_records_of_their_organization(db):
    read(db, "/events/{event_id}/roster", OWNER)
    record(OTHER_OWNER, THEIRS, str(CUSTOMER.id))

    assert {item["organization_id"] for item in read_log(OTHER_OWNER).body["items"]} == {str(THEIRS)}
    assert {item["organization_id"] for item in read_log(OWNER).body["items"]} == {str(OURS)}
    everywhere = {item["organization_id"] for item in read_log(SERVICE).body["items"]}
    assert everywhere >= {str(OURS), str(THEIRS)}


@pytest.mark.parametrize("caller", [OWNER, SERVICE])
@pytest.mark.parametrize(
    "statement",
    [
        "insert into ops.access_log (caller_role, operation, row_count) values ('service_role', 'roster', 1)",
        "update ops.access_log set row_count = 1",
        "delete from ops.access_log",
        "select a.id from ops.access_log as a",
    ],
)
def test_log_is_accessible_only_through_its_routines(db, caller, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.single(caller) as session:
        session.all(statement)


RECORD = """
select ops.record_access(
    operation => 'roster',
    read => jsonb_build_array(
        jsonb_build_object('organization_id', %(organization)s::uuid, 'person', %(person)s::text, 'rows', 1)
    )
)
"""


def record(caller, organization, person):
    with database.single(caller) as session:
        session.all(RECORD, {"organization": organization, "person": person})


@pytest.mark.parametrize(
    ("caller", "organization"),
    [(CUSTOMER, OURS), (OTHER_OWNER, OURS), (OWNER, THEIRS), (OWNER, UUID(int=1)), (OWNER, None), (None, OURS)],
)
@pytest.mark.parametrize("person", [str(UUID(int=2)), None], ids=["a person", "nobody"])
def test_caller_cannot_record_reads_of_other_organizations(db, caller, organization, person):
    with pytest.raises((Refused, psycopg.errors.InsufficientPrivilege)) as refusal:
        record(caller or anonymous(), organization, person)

    if caller is not None:
        assert (refusal.value.status, refusal.value.code) == (403, "forbidden")
    assert log(db) == []


def test_erased_member_cannot_record_reads(db):
    db.execute(
        "update users.profiles set erased_at = now(), name = null, email = null, email_verified_at = null"
        " where id = %s",
        [OWNER.id],
    )

    with pytest.raises(Refused, match="forbidden"), database.single(OWNER) as session:
        session.all(RECORD, {"organization": OURS, "person": None})


@pytest.mark.parametrize(
    ("login", "role", "claims", "recorded"),
    [
        ("marquee_service", "service_role", {"role": "authenticated", "sub": str(OWNER.id)}, (None, "service_role")),
        ("marquee_service", "service_role", {"role": "service_role", "sub": str(OWNER.id)}, (None, "service_role")),
        (
            "marquee_people",
            "authenticated",
            {"role": "service_role", "sub": str(OWNER.id)},
            (OWNER.id, "authenticated"),
        ),
    ],
)
def test_record_contains_the_role_of_the_session_whatever_its_claims(db, connect, login, role, claims, recorded):
    session = connect(login, autocommit=False)
    session.execute(
        "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)", [role, json.dumps(claims)]
    )

    session.execute(RECORD, {"organization": OURS, "person": str(CUSTOMER.id)})
    session.commit()

    [row] = log(db)
    assert (row["caller_id"], row["caller_role"]) == recorded


@pytest.mark.parametrize(
    "statement",
    [
        "update ops.access_log set row_count = 2",
        "update ops.access_log set accessed_at = accessed_at - interval '1 hour'",
        "update ops.access_log set accessed_at = accessed_at - interval '8766000 hours', row_count = 2",
        "delete from ops.access_log",
        "truncate ops.access_log",
    ],
)
@pytest.mark.parametrize("replaying", [False, True])
def test_database_owner_cannot_change_the_log(db, statement, replaying):
    record(SERVICE, OURS, str(CUSTOMER.id))

    with db.transaction(force_rollback=True):
        db.execute(f"set local session_replication_role = {'replica' if replaying else 'origin'}")
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="only ever added to"):
            db.execute(statement)


def test_partitions_are_created_and_dropped_after_13_months(db):
    """Rows of the default partition move to the partition of their month, and retention drops old partitions."""
    db.execute(
        """
        insert into ops.access_log (accessed_at, caller_role, operation, row_count)
        select t, 'service_role', 'roster', 1
        from unnest(array['2031-05-10', '2030-02-10', '2030-05-10']::timestamptz[]) as t
        """
    )
    for month in ("2030-02-01", "2030-05-01", "2031-05-01"):
        moved = db.execute("select ops.create_partition('ops.access_log', %s) as n", [month]).fetchone()["n"]
        assert moved == 1, month

    done = db.execute("select ops.maintain_partitions(at => '2031-05-15') as d").fetchone()["d"]

    assert "ops.access_log_2030_02" in done["dropped"]
    assert done["failed"] == []
    times = {row["accessed_at"].date().isoformat() for row in log(db)}
    assert times == {"2030-05-10", "2031-05-10"}
    assert db.execute("select count(*) as n from ops.access_log_default").fetchone()["n"] == 0


def test_search_by_person_uses_the_index(db):
    db.execute("set enable_seqscan = off")
    plan = db.execute(
        "explain select from ops.access_log as a where a.people @> array[%s]", [str(UUID(int=1))]
    ).fetchall()

    assert any("people" in next(iter(row.values())) and "Index" in next(iter(row.values())) for row in plan)
