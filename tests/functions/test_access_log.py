"""The access log: who reads other people's personal data leaves a record, and what callers read of themselves does not.

The walk goes through every GET route that takes a token. Each is in READS, and a real call by staff must leave a
record, or in UNRECORDED with a reason. A new route without a line fails.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from marquee.core import database
from marquee.core.database import Access
from marquee.core.identity import Caller
from tests import gateway
from tests.database.walk import world as walk

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
    "/bookings/{booking_id}/payment": ("book", "payment", {}),
    "/events/{event_id}/roster": ("attendance", "roster", {}),
    "/events/{event_id}/waitlist/entries": ("waitlist", "waitlist", {}),
    "/fees": ("invoices", "fees", ORGANIZATION),
    "/invoices": ("invoices", "invoices", ORGANIZATION),
    "/invoices/{invoice_id}": ("invoices", "invoice", {}),
    "/invoices/{invoice_id}/page": ("invoices", "invoice_page", {}),
    "/organizations/{organization_id}/statement.csv": (
        "statements",
        "statement_lines",
        {"from": TODAY - timedelta(days=2), "to": TODAY + timedelta(days=2)},
    ),
    "/purchases/{purchase_id}": ("wallet", "purchase", {}),
    "/ratings/events": ("ingest", "rating_events", ORGANIZATION),
    "/ratings/voters/{voter_id}": ("ingest", "rater", ORGANIZATION),
    "/refunds": ("refunds", "refunds", {}),
    "/webhook-endpoints/{endpoint_id}/deliveries": ("endpoints", "webhook_deliveries", {}),
}
"""Routes whose answers hold other people's data when staff asks: the function, the operation, and the query."""

UNRECORDED = {
    "/bookings": "the caller's own",
    "/bookings/calendar.ics": "the caller's own",
    "/dashboard": "the caller's own",
    "/events/{event_id}/refunds": "counts and sums of an event, which name nobody",
    "/events/{event_id}/waitlist": "the caller's own place",
    "/health/details": "figures of the system",
    "/instructors/{instructor_id}/schedule": "what an instructor leads, which is public, with counts of seats",
    "/ledger/trial-balance": "sums by type of account",
    "/organizations/{organization_id}/analytics": "counts and sums, which name nobody",
    "/organizations/{organization_id}/payout-account": "the organization's own account",
    "/organizations/{organization_id}/statement": "sums; the movements are in statement.csv",
    "/packages": "what is sold, not to whom",
    "/profile": "the caller's own",
    "/promo-codes": "codes and how often they were used, not by whom",
    "/ratings/members/items/{item_id}": "scores of an item",
    "/ratings/members/leaderboard": "scores of items",
    "/ratings/requests/{request_id}": "the caller's own request",
    "/ratings/settings": "settings",
    "/ratings/status": "figures of a queue",
    "/series": "what is planned; instructors by id, as the catalog shows them",
    "/series/{series_id}": "what is planned; instructors by id, as the catalog shows them",
    "/wallet": "the caller's own",
    "/webhook-endpoints": "the organization's own addresses",
    "/webhook-endpoints/{endpoint_id}": "the organization's own addresses",
}
"""Routes that record nothing, and why."""

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
    "organization_id": "select o.id from organizations.organizations as o where o.id = %(organization_id)s",
}


FILL = """
update messaging.webhook_deliveries as d
set payload = jsonb_build_object('customer_id', %(customer)s::uuid, 'organization_id', e.organization_id)
from messaging.webhook_endpoints as e
where e.id = d.endpoint_id;

alter table payments.invoices disable trigger all;
update payments.invoices set seller = '{"name": "Seller"}', buyer = '{"name": "Buyer"}';
alter table payments.invoices enable trigger all;

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
"""What the walk's rows lack: whom a delivery is about, names on invoices, payments of purchases, something owed."""


@pytest.fixture
def filled(db):
    walk.fill(db)
    with psycopg.ClientCursor(db) as cursor:
        cursor.execute(FILL, {**ORGANIZATION, "customer": CUSTOMER.id})
    return db


def id_of(db, name):
    query = IDS[name].replace("{o}", "organization_id = %(organization_id)s").replace("{p}", "customer_id <> %(owner)s")
    row = db.execute(f"{query} order by 1 limit 1", {**ORGANIZATION, "owner": OWNER.id}).fetchone()
    assert row is not None, f"The walk's rows have no {name}."
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


def forget(db):
    """Begin with an empty log: the walk's rows are in it. Nobody but the owner without triggers can."""
    db.execute("alter table ops.access_log disable trigger user")
    db.execute("delete from ops.access_log")
    db.execute("alter table ops.access_log enable always trigger refuse_change")
    db.execute("alter table ops.access_log enable always trigger refuse_truncation")


def read(db, route, caller):
    function, _operation, query = READS[route]
    return gateway.get(function, path_of(db, route), caller=caller, query=query)


def test_every_route_with_a_token_is_judged():
    paths = json.loads(OPENAPI.read_text())["paths"]
    routes = {path for path, methods in paths.items() if methods.get("get", {}).get("security")}

    assert routes == READS.keys() | UNRECORDED.keys()
    assert not READS.keys() & UNRECORDED.keys()


@pytest.mark.parametrize("route", sorted(READS))
def test_read_by_staff_leaves_a_record(filled, route):
    if route != "/access-log":
        forget(filled)

    answer = read(filled, route, OWNER)

    assert answer.status == 200, answer.text
    operation = READS[route][1]
    [row] = log(filled, operation)
    assert (row["caller_id"], row["caller_role"], row["organization_id"]) == (OWNER.id, "authenticated", OURS)
    assert row["request_id"]
    assert datetime.now(UTC) - row["accessed_at"] < timedelta(minutes=1)
    assert str(OWNER.id) not in row["people"]
    if isinstance(answer.body, dict) and "items" in answer.body and route != "/access-log":
        of_others = [item for item in answer.body["items"] if person_of(item) != str(OWNER.id)]
        assert row["row_count"] == len(of_others) > 0
        assert set(row["people"]) == {person_of(item) for item in of_others}
    elif isinstance(answer.body, dict) and "customer_id" in answer.body:
        assert row["people"] == [answer.body["customer_id"]]


def person_of(item):
    return item.get("customer_id") or item.get("voter_id") or item["payload"]["customer_id"]


@pytest.mark.parametrize("route", sorted(READS.keys() - {"/access-log", "/webhook-endpoints/{endpoint_id}/deliveries"}))
def test_read_by_the_service_leaves_a_record(filled, route):
    forget(filled)

    assert read(filled, route, SERVICE).status == 200

    rows = log(filled, READS[route][1])
    assert {row["caller_role"] for row in rows} == {"service_role"}
    assert OURS in {row["organization_id"] for row in rows}


@pytest.mark.parametrize("route", sorted(READS))
def test_read_that_cannot_be_recorded_returns_nothing(filled, route):
    filled.execute("alter table ops.access_log add constraint full_for_the_test check (row_count = -1) not valid")

    with pytest.raises(psycopg.errors.CheckViolation, match="full_for_the_test"):
        read(filled, route, OWNER)


def test_what_callers_read_of_themselves_is_not_recorded(filled):
    forget(filled)
    mine = {
        "booking_id": "select b.id from events.bookings as b where b.customer_id = %s limit 1",
        "invoice_id": "select i.id from payments.invoices as i where i.customer_id = %s limit 1",
        "purchase_id": "select p.id from payments.purchases as p where p.customer_id = %s limit 1",
    }
    ids = {name: filled.execute(query, [CUSTOMER.id]).fetchone()["id"] for name, query in mine.items()}

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
    assert log(filled) == []


def test_page_records_what_it_shows_and_no_more(filled):
    forget(filled)

    answer = gateway.get("refunds", "/refunds", caller=OWNER, query={"limit": 1})

    assert answer.body["next_cursor"] is not None
    shown = {item["customer_id"] for item in answer.body["items"]} - {str(OWNER.id)}
    assert {person for row in log(filled) for person in row["people"]} == shown
    assert sum(row["row_count"] for row in log(filled)) == len(shown)


def test_read_that_finds_nothing_or_is_refused_leaves_none(filled):
    forget(filled)
    stranger = Caller(uuid4(), "authenticated")

    for route in ("/events/{event_id}/roster", "/invoices/{invoice_id}", "/purchases/{purchase_id}"):
        assert read(filled, route, stranger).status in (403, 404)
    assert gateway.get("invoices", f"/invoices/{uuid4()}", caller=OWNER).status == 404

    assert log(filled) == []


def test_order_of_a_list_survives_its_record(filled):
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

    expected = filled.execute("select n from generate_series(1, 5000) as g (n) order by hashint4(g.n)").fetchall()
    assert [row["n"] for row in rows] == [row["n"] for row in expected]
    assert log(filled)[-1]["row_count"] == 4999
    assert session.round_trips == 1


def test_list_over_two_organizations_leaves_a_record_with_each(filled):
    forget(filled)

    assert gateway.get("refunds", "/refunds", caller=SERVICE, query={"limit": 100}).status == 200

    assert {row["organization_id"] for row in log(filled)} == {OURS, THEIRS}


def who_saw(caller, **query):
    return gateway.get("insights", "/access-log", caller=caller, query=query)


def test_owner_finds_who_saw_a_person(filled):
    forget(filled)
    read(filled, "/events/{event_id}/roster", OWNER)
    read(filled, "/invoices/{invoice_id}", OWNER)
    [roster] = log(filled, "roster")
    person = next(person for person in roster["people"])

    answer = who_saw(OWNER, person_id=person)

    [found] = [item for item in answer.body["items"] if item["operation"] == "roster"]
    assert found["caller_id"] == str(OWNER.id)
    assert found["caller_name"] == "somebody"
    assert person in found["people"]
    assert found["event_id"] == id_of(filled, "event_id")
    assert found["row_count"] == len(roster["people"])
    assert who_saw(OWNER, person_id=person.upper()).body["items"][-1]["id"] == answer.body["items"][-1]["id"]
    assert who_saw(OWNER, person_id=str(uuid4())).body["items"] == []
    assert log(filled, "access_log")[0]["people"] == [person]


@pytest.mark.parametrize("query", [{"person_id": ""}, {"person_id": "x" * 129}, {"person_id": "\0"}, {"cursor": "x"}])
def test_log_refuses_what_is_no_person_and_no_cursor(db, query):
    assert who_saw(OWNER, **query).status == 422


def test_log_has_pages(filled):
    forget(filled)
    for _number in range(5):
        read(filled, "/events/{event_id}/roster", OWNER)
    expected = [str(row["id"]) for row in reversed(log(filled))]

    seen, cursor = [], None
    for _page in range(3):
        page = who_saw(OWNER, limit=2, cursor=cursor).body
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
def test_owners_admins_and_the_service_read_the_log(filled, caller, status):
    assert who_saw(caller).status == status


def test_owner_sees_the_records_of_the_own_organization_only(filled):
    read(filled, "/events/{event_id}/roster", OWNER)

    assert {item["organization_id"] for item in who_saw(OTHER_OWNER).body["items"]} == {str(THEIRS)}
    assert {item["organization_id"] for item in who_saw(OWNER).body["items"]} == {str(OURS)}
    everywhere = {item["organization_id"] for item in who_saw(SERVICE).body["items"]}
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
def test_nobody_touches_the_log_but_by_its_routines(filled, caller, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.single(caller) as session:
        session.all(statement)


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
def test_not_even_the_owner_changes_it(filled, statement, replaying):
    with filled.transaction(force_rollback=True):
        filled.execute(f"set local session_replication_role = {'replica' if replaying else 'origin'}")
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="only ever added to"):
            filled.execute(statement)


def test_months_are_made_and_dropped_after_13(db):
    """Rows that fell into the default partition move to their month, and retention drops what is older."""
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


def test_ids_of_people_are_found_by_their_index(filled):
    filled.execute("set enable_seqscan = off")
    plan = filled.execute(
        "explain select from ops.access_log as a where a.people @> array[%s]", [str(UUID(int=1))]
    ).fetchall()

    assert any("people" in next(iter(row.values())) and "Index" in next(iter(row.values())) for row in plan)
