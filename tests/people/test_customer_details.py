"""A customer's record: shown to staff, noted, changed, blocked, and in files."""

import csv
import io
import json
from uuid import uuid4

import psycopg
import pytest

from tests.kit import gateway, routines, stages
from tests.kit.concurrency import InBackground, run_together, wait_for_a_lock
from tests.kit.customers import enter, found, path
from tests.kit.packages import offer
from tests.kit.wallets import CreditBookings

READERS = ("front_desk", "accountant", "editor", "admin", "owner")
WRITERS = ("front_desk", "editor", "admin", "owner")
REASON = "Broke the house rules."


@pytest.fixture
def stage(db):
    return stages.create(db)


def show(stage, person, caller=None):
    return gateway.get("people", path(stage, str(person)), caller=caller or stage.owner)


def edit(stage, person, changes, caller=None):
    return gateway.patch("people", path(stage, str(person)), changes, caller=caller or stage.owner)


def note(stage, person, text="Pays in cash.", caller=None, key=None):
    answer_path = path(stage, f"{person}/notes")
    return gateway.post("people", answer_path, {"note": text}, caller=caller or stage.owner, key=key)


def delete_note(stage, person, note_id, caller=None):
    return gateway.delete("people", path(stage, f"{person}/notes/{note_id}"), caller=caller or stage.owner)


def block(stage, person, caller=None, what="block"):
    body = {"reason": REASON} if what == "block" else None
    return gateway.post("people", path(stage, f"{person}/{what}"), body, caller=caller or stage.owner)


def send_file(stage, text, caller=None, **query):
    answer_path = path(stage, "import")
    return gateway.post("people", answer_path, {"csv": text}, caller=caller or stage.owner, query=query)


def codes(*answers):
    return [(answer.status, answer.body["code"]) for answer in answers]


def test_staff_see_what_their_organization_has_about_a_customer_and_nothing_else(db):
    desk = CreditBookings(db, late_fee_cents=0, no_show_fee_cents=900)
    stage, person, elsewhere = desk.stage, desk.customer(), stages.create(db)
    mine = desk.event(price_cents=0)
    routines.book(db, mine, person)
    routines.book(db, elsewhere.event(), person)
    routines.call(db, None, "select payments.grant_credits(%s, %s, 'pass', 3, 'gift')", [stage.organization_id, person])
    query = "select payments.grant_credits(%s, %s, 'pass', 9, 'other')"
    routines.call(db, None, query, [elsewhere.organization_id, person])
    full = [desk.event(capacity=1, price_cents=0), elsewhere.event(capacity=1)]
    for event_id in full:
        routines.book(db, event_id, stage.stranger())
        routines.call(db, person, "select events.join_waitlist(event_id => %s)", [event_id])
    note(stage, person, "Ours.")
    note(elsewhere, person, "Theirs.")

    answer = show(stage, person)

    assert answer.status == 200
    assert [one["event_id"] for one in answer.body["bookings"]] == [str(mine)]
    assert [one["event_id"] for one in answer.body["waitlist_entries"]] == [str(full[0])]
    assert [one["remaining"] for one in answer.body["credits"] if one["kind"] == "pass"] == [3]
    assert [one["note"] for one in answer.body["notes"]] == ["Ours."]
    rows = db.execute("select people from ops.access_log where operation = 'customer'").fetchall()
    assert [row["people"] for row in rows] == [[str(person)]]


@pytest.mark.parametrize("role", [*READERS, "viewer", "instructor"])
def test_customer_is_shown_to_staff_and_changed_by_fewer_roles(stage, db, role):
    person = enter(stage, "Ana")
    caller = stage.member(role)

    read = show(stage, person, caller)
    written = [
        edit(stage, person, {"tags": ["choir"]}, caller), note(stage, person, caller=caller),
        block(stage, person, caller), block(stage, person, caller, "unblock"),
        send_file(stage, "name\nBen\n", caller),
    ]  # fmt: skip

    assert read.status == (200 if role in READERS else 403)
    assert [answer.status for answer in written] == ([200, 201, 200, 200, 200] if role in WRITERS else [403] * 5)


def test_other_organizations_and_unknown_people_have_no_record(stage, db):
    other = stages.create(db)
    person, member = enter(stage, "Ana"), stage.member("viewer")
    theirs = enter(other, "Ben")

    assert (
        codes(show(stage, person, other.owner), edit(stage, person, {"tags": []}, other.owner))
        == [(403, "forbidden")] * 2
    )
    for unknown in (theirs, member, stage.stranger(), uuid4()):
        answers = [
            show(stage, unknown), edit(stage, unknown, {"tags": []}), note(stage, unknown), block(stage, unknown),
            block(stage, unknown, what="unblock"), delete_note(stage, unknown, uuid4()),
        ]  # fmt: skip
        assert codes(*answers) == [(404, "customer_not_found")] * 6


def test_walk_in_is_changed_and_found_by_the_new_details(stage):
    person = enter(stage, "Ana Meier", email="ana@example.org", phone="079 111 22 33")

    answer = edit(stage, person, {"name": "Ana Huber", "email": "huber@example.org", "phone": None, "tags": ["VIP"]})

    assert answer.status == 200
    assert [answer.body[name] for name in ("name", "email", "phone", "tags")] == [
        "Ana Huber", "huber@example.org", None, ["VIP"],
    ]  # fmt: skip
    assert [found(stage, q) for q in ("huber@", "hub")] == [["Ana Huber"], ["Ana Huber"]]
    assert [found(stage, q) for q in ("meier", "079", "ana@")] == [[], [], []]
    assert found(stage, tag="VIP") == ["Ana Huber"]


def test_details_of_an_account_are_its_owners_and_tags_are_the_staffs(stage, db):
    person = stage.customer("Ana")

    details = {"name": "Ben", "email": "b@example.org", "phone": "079 111 22 33", "language": "fr"}
    refused = [edit(stage, person, {name: value}) for name, value in details.items()]

    assert codes(*refused) == [(409, "customer_has_account")] * 4
    assert edit(stage, person, {"tags": ["choir"]}).body["tags"] == ["choir"]
    assert show(stage, person).body["name"] == "Ana"


def test_new_address_of_a_walk_in_must_not_be_that_of_another_customer(stage):
    first, second = enter(stage, "Ana", email="ana@example.org"), enter(stage, "Ben")

    assert codes(edit(stage, second, {"email": "Ana@example.org"})) == [(409, "customer_exists")]
    assert edit(stage, first, {"email": "ANA@example.org"}).status == 200


def test_notes_have_author_and_time_and_are_deleted_by_author_and_admins(stage, db):
    person, desk, other = enter(stage, "Ana"), stage.member("front_desk"), stage.member("front_desk")
    made = note(stage, person, "Needs a seat near the door.", caller=desk)
    second = note(stage, person, "Sings.", caller=desk)

    assert (made.body["author_id"], made.body["author_name"]) == (str(desk), "front_desk")
    assert [one["note"] for one in show(stage, person).body["notes"]] == ["Sings.", "Needs a seat near the door."]
    assert codes(delete_note(stage, person, made.body["id"], other)) == [(403, "forbidden")]
    assert delete_note(stage, person, made.body["id"], desk).status == 204
    assert delete_note(stage, person, second.body["id"], stage.owner).status == 204
    assert codes(delete_note(stage, person, second.body["id"])) == [(404, "note_not_found")]
    assert show(stage, person).body["notes"] == []


def test_repeated_note_is_one_and_notes_are_limited(stage, db):
    person = enter(stage, "Ana")
    db.execute("update ops.limits set value = 2 where name = 'notes_per_customer'")

    first, again = note(stage, person, key="once"), note(stage, person, key="once")
    other = note(stage, person, "Other.", key="once")

    assert (first.status, again.body) == (201, first.body)
    assert codes(other) == [(422, "idempotency_conflict")]
    assert note(stage, person, "Second.").status == 201
    assert codes(note(stage, person, "Third.")) == [(409, "too_many_notes")]


def test_notes_written_at_once_stay_within_the_limit(stage, db, connect):
    person = enter(stage, "Ana")
    db.execute("update ops.limits set value = 2 where name = 'notes_per_customer'")
    query = "select organizations.add_customer_note(%s, %s, %s)"

    results = run_together(
        connect, range(5),
        lambda connection, n: routines.call(connection, stage.owner, query, [stage.organization_id, person, f"{n}"]),
    )  # fmt: skip

    assert results.count("too_many_notes") == 3


ASK = {
    "book": "select events.book(event_id => %(event)s, idempotency_key => 'blocked')",
    "book several": "select events.book(event_id => %(event)s, seats => 2)",
    "book for": "select events.book(event_id => %(event)s, customer_id => %(person)s)",
    "hold": "select events.hold_seats(event_id => %(event)s)",
    "hold for": "select events.hold_seats(event_id => %(event)s, customer_id => %(person)s)",
    "wait": "select events.join_waitlist(event_id => %(full)s)",
    "wait for": "select events.join_waitlist(event_id => %(full)s, customer_id => %(person)s)",
    "buy": "select payments.buy_package(%(package)s, 'card', 'blocked')",
    "buy for": "select payments.sell_package(%(package)s, %(person)s, 'cash', 'blocked')",
}


@pytest.mark.parametrize("ask", ASK)
def test_blocked_customer_is_refused_whoever_asks_until_unblocked(db, ask):
    desk = CreditBookings(db)
    stage, person = desk.stage, desk.stage.customer("Ana")
    package = offer(desk)["id"]
    full = stage.event(capacity=1)
    routines.book(db, full, stage.customer())
    names = {"event": stage.event(), "full": full, "person": person, "package": package}
    caller = stage.owner if ask.endswith("for") else person

    assert block(stage, person).body["blocked_at"] is not None
    with pytest.raises(psycopg.Error) as refused:
        routines.call(db, caller, ASK[ask], names)
    assert routines.code_of(refused.value) == "customer_blocked"
    assert block(stage, person, what="unblock").body["blocked_at"] is None
    routines.call(db, caller, ASK[ask], names)


def test_blocked_customer_books_at_other_organizations(stage, db):
    person, other = stage.customer(), stages.create(db)
    block(stage, person)

    routines.book(db, other.event(), person)


def test_refusal_of_a_blocked_customer_has_a_code_and_a_repeated_booking_its_first_response(stage):
    person, event_id = stage.customer(), stage.event()
    first = gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=person, key="first")
    block(stage, person)

    again = gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=person, key="first")
    refused = gateway.post("book", "/bookings", {"event_id": str(stage.event())}, caller=person, key="second")

    assert (again.status, again.text) == (first.status, first.text)
    assert codes(refused) == [(409, "customer_blocked")]


def test_block_keeps_bookings_and_ends_holds_and_places_on_waitlists(stage, db):
    person, next_person = stage.customer("Ana"), stage.customer("Ben")
    booked, held, full = stage.event(), stage.event(capacity=1), stage.event(capacity=1)
    routines.book(db, booked, person)
    routines.call(db, person, "select events.hold_seats(event_id => %s)", [held])
    routines.call(db, next_person, "select events.join_waitlist(event_id => %s)", [held])
    routines.book(db, full, stage.customer())
    routines.call(db, person, "select events.join_waitlist(event_id => %s)", [full])

    answer = block(stage, person)

    assert (answer.body["block_reason"], answer.body["blocked_by"]) == (REASON, str(stage.owner))
    assert [one["status"] for one in answer.body["bookings"]] == ["confirmed"]
    assert [one["status"] for one in answer.body["waitlist_entries"]] == ["left"]
    offered = db.execute("select status::text from events.waitlist_entries where customer_id = %s", [next_person])
    assert offered.fetchone() == {"status": "offered"}
    assert db.execute(stages.DRIFT).fetchall() == []


def test_blocked_customer_does_not_accept_an_offer_that_was_made_meanwhile(stage, db):
    person, full = stage.customer("Ana"), stage.event(capacity=1)
    first = routines.book(db, full, stage.customer())
    entry = routines.call(db, person, "select events.join_waitlist(event_id => %s)", [full])["id"]
    db.execute("update organizations.customers set blocked_at = now() where customer_id = %s", [person])
    routines.call(db, stage.owner, "select events.cancel_booking(%s)", [first["id"]])

    with pytest.raises(psycopg.Error) as refused:
        routines.call(db, person, "select events.accept_offer(entry_id => %s)", [entry])

    assert routines.code_of(refused.value) == "customer_blocked"


@pytest.mark.parametrize("ask", ["book", "book several", "hold", "wait"])
def test_request_that_waits_for_a_block_is_refused(stage, db, connect, ask):
    person, full = stage.customer(), stage.event(capacity=1)
    routines.book(db, full, stage.customer())
    names = {"event": stage.event(), "full": full, "person": person}
    blocker = connect(autocommit=False)
    routines.call(blocker, stage.owner, "select organizations.block_customer(%s, %s)", [stage.organization_id, person])

    late = InBackground(lambda: routines.call(connect(), person, ASK[ask], names))
    wait_for_a_lock(db, "%select events.%")
    blocker.commit()

    assert late.got() == "customer_blocked"
    assert db.execute("select from events.bookings where customer_id = %s", [person]).fetchall() == []


def test_erasure_removes_notes_tags_and_details_of_a_walk_in(stage, db):
    person = enter(stage, "Zwetschge", email="zwetschge@example.org", phone="079 111 22 33", tags=["zwetschge"])
    note(stage, person, "zwetschge")
    block(stage, person)
    routines.call(db, None, "select users.erase_profile(%s)", [person])

    for table in ("customers", "customer_words", "customer_notes"):
        assert db.execute(f"select from organizations.{table}").fetchall() == []
    assert db.execute("select name from users.profiles where id = %s", [person]).fetchone() == {"name": None}


def test_notes_end_after_three_years_and_stay_without_their_erased_author(stage, db):
    person, author = enter(stage, "Ana"), stage.member("editor")
    note(stage, person, "Old.", caller=author)
    db.execute("update organizations.customer_notes set created_at = now() - interval '37 months'")
    note(stage, person, "New.", caller=author)

    routines.call(db, None, "select ops.clean_up()")
    routines.call(db, None, "select users.erase_profile(%s)", [author])

    notes = show(stage, person).body["notes"]
    assert [(one["note"], one["author_id"], one["author_name"]) for one in notes] == [("New.", None, None)]


def test_file_of_customers_has_no_formula_and_can_be_imported_elsewhere(stage, db):
    enter(stage, "=1+1", phone="+41 79 111 22 33", tags=["a", "b"])
    enter(stage, "Ana", email="ana@example.org")
    other = stages.create(db)

    answer = gateway.get("people", f"/organizations/{stage.organization_id}/customers.csv", caller=stage.owner)
    imported = send_file(other, answer.text)

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert [(row["name"], row["phone"], row["tags"], row["walk_in"]) for row in rows] == [
        ("'=1+1", "'+41 79 111 22 33", "a,b", "yes"), ("Ana", "", "", "yes"),
    ]  # fmt: skip
    assert imported.body["created"] == 2
    assert sorted(found(other)) == ["=1+1", "Ana"]
    assert found(other, tag="b") == ["=1+1"]
    assert found(other, "+41 79") == ["=1+1"]


def test_import_reports_each_row_and_a_repeated_file_enters_nobody(stage):
    account = stage.customer("Ben")
    text = (
        "name,email,phone,tags\r\n"
        "Ana,ana@example.org,,choir\r\n"
        f"Ben,{account.hex[:12]}@example.org,,\r\n"
        "Cleo,,079 111 22 33,\r\n"
        "Cleo,,+79 111 22 33,\r\n"
        "Cleo,,,\r\n"
        ",dora@example.org,,\r\n"
        'Emil,emil,none,"a,a"\r\n'
        "Ana,ANA@example.org,,\r\n"
    )

    first, again = send_file(stage, text), send_file(stage, text)

    rows = [(row["line"], row["status"], row["reason"], row["columns"]) for row in first.body["rows"]]
    assert rows == [
        (2, "created", None, []),
        (3, "exists", None, []),
        (4, "created", None, []),
        (5, "exists", None, []),
        (6, "created", None, []),
        (7, "refused", "invalid_row", ["name"]),
        (8, "refused", "invalid_row", ["email", "phone", "tags"]),
        (9, "exists", None, []),
    ]
    assert first.body["rows"][1]["customer_id"] == str(account)
    assert [row["status"] for row in again.body["rows"]] == [
        "exists", "exists", "exists", "exists", "exists", "refused", "refused", "exists",
    ]  # fmt: skip
    assert sorted(found(stage)) == ["Ana", "Ben", "Cleo", "Cleo"]


def test_dry_run_returns_the_results_and_writes_nothing(stage, db):
    text = "name,email\nAna,ana@example.org\nAna,ana@example.org\n,x\n"

    dry = send_file(stage, text, dry_run="true")

    assert found(stage) == []
    assert db.execute("select from users.profiles where name = 'Ana'").fetchall() == []
    assert [row["customer_id"] for row in dry.body["rows"]] == [None, dry.body["rows"][1]["customer_id"], None]
    real = send_file(stage, text)
    assert [row["status"] for row in real.body["rows"]] == [row["status"] for row in dry.body["rows"]]
    assert (dry.body["created"], dry.body["exists"], dry.body["refused"]) == (1, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "email\na@example.org\n", "name,name\nAna,Ana\n", "name,colour\nAna,red\n", 'name\n"Ana', "name\n\"A\"b\n",
        "name\n" + "A\n" * 5001,
    ],
)  # fmt: skip
def test_file_that_cannot_be_read_enters_nobody(stage, text):
    assert codes(send_file(stage, text)) == [(422, "invalid_request")]
    assert found(stage) == []


def test_rows_beyond_the_limit_of_a_day_are_refused(stage, db):
    db.execute("update ops.limits set value = 1 where name = 'walk_ins_per_day'")

    answer = send_file(stage, "name\nAna\nBen\n")

    assert [(row["status"], row["reason"]) for row in answer.body["rows"]] == [
        ("created", None), ("refused", "too_many_walk_ins"),
    ]  # fmt: skip


def test_file_imported_twice_at_once_enters_each_person_once(stage, connect):
    rows = json.dumps([{"line": n, "name": f"Person {n}"} for n in range(2, 12)])
    query = "select organizations.import_customers(%s, %s::jsonb)"

    run_together(
        connect, range(3),
        lambda connection, _: routines.call(connection, stage.owner, query, [stage.organization_id, rows]),
    )  # fmt: skip

    assert len(found(stage, limit=100)) == 10
