"""Private events by link and by code: what the secrets open, for whom, and until when."""

import json
from uuid import uuid4

import pytest

from marquee.booking import bookings
from marquee.booking.bookings import BookingRequest
from marquee.core import database
from marquee.core.identity import Caller
from tests.kit import gateway, money_invariants, routines, stages
from tests.kit.concurrency import InBackground, run_together, wait_for_a_lock
from tests.kit.payments import CardBookings


@pytest.fixture
def stage(db):
    return stages.create(db)


@pytest.fixture
def private(stage):
    return stage.event(visibility="private")


def create(stage, event_id, caller=None):
    return gateway.post("manage-events", f"/events/{event_id}/links", caller=caller or stage.owner)


def revoke(stage, event_id, link_id, caller=None):
    return gateway.delete("manage-events", f"/events/{event_id}/links/{link_id}", caller=caller or stage.owner)


def see(secret, address="192.0.2.20"):
    return gateway.get("catalog", f"/events/by-link/{secret}", address=address)


def book(event_id, caller, code=None, **more):
    body = {"event_id": str(event_id), **({"access_code": code} if code else {}), **more}
    return gateway.post("book", "/bookings", body, caller=caller, key=uuid4().hex)


def test_link_shows_a_private_event_and_link_and_code_book_it(stage, private):
    made = create(stage, private)
    assert made.status == 201, made.body

    shown = see(made.body["secret"])

    assert (shown.status, shown.body["id"], shown.body["booking_open"]) == (200, str(private), True)
    codes = [made.body["secret"], made.body["code"], made.body["code"].lower()]
    assert [book(private, stage.stranger(), code).status for code in codes] == [201] * 3
    assert [book(private, stage.stranger(), code).body["code"] for code in (None, "WRONG", "x" * 43)] == [
        "event_not_found"
    ] * 3


def test_secret_of_one_event_opens_no_other(stage, private):
    made, other = create(stage, private).body, stage.event(visibility="private")

    for code in (made["secret"], made["code"]):
        assert book(other, stage.stranger(), code).body["code"] == "event_not_found"


def test_code_opens_only_the_booking_that_sends_it(stage, private):
    made, customer = create(stage, private).body, stage.stranger()
    assert book(private, customer, made["code"]).status == 201

    # The same connection serves the next request.
    assert book(private, stage.stranger()).body["code"] == "event_not_found"


def test_revoked_link_opens_nothing_and_its_bookings_stay(stage, private):
    made, kept = create(stage, private).body, create(stage, private).body
    booked = book(private, stage.stranger(), made["code"]).body

    revoked = [revoke(stage, private, made["id"]) for _ in range(2)]

    assert [answer.status for answer in revoked] == [200, 200]
    assert revoked[0].text == revoked[1].text
    assert see(made["secret"]).body["code"] == "event_not_found"
    assert book(private, stage.stranger(), made["code"]).body["code"] == "event_not_found"
    assert book(private, stage.stranger(), kept["code"]).status == 201
    row = stage.db.execute("select status::text from events.bookings where id = %s", [booked["id"]]).fetchone()
    assert row["status"] == "confirmed"


def test_database_holds_no_secret(stage, private):
    made = create(stage, private).body

    stored = stage.db.execute("select to_jsonb(l)::text as row from events.access_links as l").fetchone()["row"]

    assert made["secret"] not in stored and made["code"] not in stored
    listed = gateway.get("manage-events", f"/events/{private}/links", caller=stage.owner).body["items"]
    assert [set(one) for one in listed] == [{"id", "event_id", "created_at", "revoked_at"}]


def test_only_editors_of_the_organization_make_and_revoke_links(stage, private):
    link = create(stage, private).body
    callers = [stage.customer(), stages.create(stage.db).owner, stage.member("front_desk"), stage.member("viewer")]
    expected = ["event_not_found", "event_not_found", "forbidden", "forbidden"]

    assert [create(stage, private, one).body["code"] for one in callers] == expected
    assert [revoke(stage, private, link["id"], one).body["code"] for one in callers] == expected
    paths = [gateway.get("manage-events", f"/events/{private}/links", caller=one).body["code"] for one in callers]
    assert paths == expected
    assert revoke(stage, stage.event(), link["id"]).body["code"] == "link_not_found"
    assert create(stage, private, stage.member("editor")).status == 201


def test_link_does_not_change_the_rules_of_booking(stage):
    draft = stage.event(visibility="private", status="draft")
    full = stage.event(visibility="private", capacity=1)
    over = stage.event(visibility="private", starts_in="-2 hours")
    codes = {event_id: create(stage, event_id).body["code"] for event_id in (draft, full, over)}
    book(full, stage.stranger(), codes[full])

    found = [book(event_id, stage.stranger(), codes[event_id]).body["code"] for event_id in (draft, full, over)]

    assert found == ["event_not_found", "sold_out", "booking_window_closed"]


def test_card_pays_a_private_event(db):
    till = CardBookings(db)
    db.execute("update events.events set visibility = 'private'")
    code = create(till.stage, till.event_id).body["code"]
    request = BookingRequest(event_id=till.event_id, payment_method="card", access_code=code)

    with database.single(Caller(till.stage.stranger(), "authenticated")) as session:
        booked = bookings.book(session, request, "k")

    assert json.loads(booked.answer)["status"] == "pending_payment"
    assert booked.payment is not None
    assert money_invariants.findings(db) == []


def test_wrong_secrets_are_limited(stage, private):
    statuses = [see(f"wrong-{number}", address="192.0.2.77").status for number in range(70)]
    guesses = [book(private, customer, "WRONG").status for customer in [stage.stranger()] * 8]

    assert set(statuses) == {404, 429}
    assert set(guesses) == {404, 429}
    assert see(create(stage, private).body["secret"], address="192.0.2.78").status == 200


def test_link_that_is_revoked_while_a_booking_waits_does_not_book(stage, private, connect):
    made, rival = create(stage, private).body, connect()
    customer = stage.stranger()
    with rival.transaction():
        rival.execute("select from events.inventory where event_id = %s for no key update", [private])
        waiting = InBackground(lambda: book(private, customer, made["code"]).body)
        wait_for_a_lock(stage.db, "%events.book(%")
        rival.execute("update events.access_links set revoked_at = now()")

    assert waiting.got()["code"] == "event_not_found"


def test_links_made_at_once_keep_the_maximum(stage, private, connect):
    for _ in range(18):
        stage.db.execute(
            "insert into events.access_links (event_id, secret_hash, code_hash)"
            " values (%s, sha256(gen_random_uuid()::text::bytea), sha256('x'))",
            [private],
        )
    query = """
        select events.create_access_link(
            event_id => %s, secret_hash => sha256(gen_random_uuid()::text::bytea), code_hash => sha256('y')
        )
    """

    results = run_together(connect, range(5), lambda one, _: routines.call(one, stage.owner, query, [private])["id"])

    assert sorted(result == "too_many_links" for result in results) == [False, False, True, True, True]
