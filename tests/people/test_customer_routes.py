"""Customers: staff search the people who came to their organization, and enter people without an account."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from tests.kit import customers, gateway, routines, stages
from tests.kit.concurrency import run_together
from tests.kit.customers import enter, found, path, post, search
from tests.kit.databases import SQL

READERS = ("front_desk", "accountant", "editor", "admin", "owner")
WRITERS = ("front_desk", "editor", "admin", "owner")


@pytest.fixture
def stage(db):
    return stages.create(db)


def entered(stage):
    rows = stage.db.execute(
        "select customer_id from organizations.customers where organization_id = %s", [stage.organization_id]
    ).fetchall()
    return {row["customer_id"] for row in rows}


def test_customer_is_found_by_the_first_letters_of_each_word_without_accents(stage):
    for name in ("Zoë Müller", "Anna-Maria Ødegård", "Jean Dupont"):
        enter(stage, name)

    assert {q: found(stage, q) for q in ("zoe", "MÜL", "mul", "mar", "ode", "du je", "ull", "nobody", "-")} == {
        "zoe": ["Zoë Müller"],
        "MÜL": ["Zoë Müller"],
        "mul": ["Zoë Müller"],
        "mar": ["Anna-Maria Ødegård"],
        "ode": ["Anna-Maria Ødegård"],
        "du je": ["Jean Dupont"],
        "ull": [],
        "nobody": [],
        "-": [],
    }


def test_customer_is_found_by_address_and_phone_number(stage):
    enter(stage, "Ana", email="Ana.Meier@example.org", phone="+41 79 123 45 67")
    enter(stage, "Ben", phone="079 765 43 21")

    queries = ("ana.meier@ex", "ANA.MEIER@example.org", "meier", "+41 79", "079 123", "0791234567", "079", "example")
    assert {q: found(stage, q) for q in queries} == {
        "ana.meier@ex": ["Ana"],
        "ANA.MEIER@example.org": ["Ana"],
        "meier": ["Ana"],
        "+41 79": ["Ana"],
        "079 123": ["Ana"],
        "0791234567": ["Ana"],
        "079": ["Ana", "Ben"],
        "example": [],
    }


def test_customer_with_two_matching_words_is_found_once(stage):
    enter(stage, "Anna Annen", email="annette@example.org")

    assert found(stage, "ann") == ["Anna Annen"]
    assert found(stage, "annen") == ["Anna Annen"]


def test_customers_are_listed_by_name_in_pages_which_repeat_and_omit_nobody(stage):
    names = sorted(["Änne", "bea", "Carl", "Dora", "Émile"], key=str.casefold)
    for name in reversed(names):
        enter(stage, name, tags=["new"])

    for query in ({}, {"q": "a"}, {"tag": "new"}):
        seen, cursor = [], None
        while True:
            page = search(stage, limit=2, **query, **({"cursor": cursor} if cursor else {})).body
            seen += [row["name"] for row in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        expected = {"Änne"} if "q" in query else set(names)
        assert set(seen) == expected
        assert len(seen) == len(expected)
    assert found(stage) == ["Änne", "bea", "Carl", "Dora", "Émile"]


def test_customers_are_filtered_by_tag_as_a_whole_and_by_block(stage, db):
    enter(stage, "Ana", tags=["VIP", "choir"])
    blocked = enter(stage, "Ben", tags=["VIPs"])
    db.execute("update organizations.customers set blocked_at = now() where customer_id = %s", [blocked])

    assert found(stage, tag="VIP") == ["Ana"]
    assert found(stage, "an", tag="choir") == ["Ana"]
    assert found(stage, "be", tag="choir") == []
    assert found(stage, "vip") == []
    assert found(stage, blocked="true") == ["Ben"]
    assert found(stage, blocked="false") == ["Ana"]
    assert found(stage, "b", blocked="false") == []


@pytest.mark.parametrize("role", [*READERS, "viewer", "instructor"])
def test_customers_are_shown_to_staff_and_the_read_is_recorded(stage, db, role):
    person = enter(stage, "Ana")
    caller = stage.member(role)

    answer = search(stage, caller=caller, q="ana")

    rows = db.execute("select operation, people from ops.access_log where caller_id = %s", [caller]).fetchall()
    if role in READERS:
        assert [row["id"] for row in answer.body["items"]] == [str(person)]
        assert [(row["operation"], row["people"]) for row in rows] == [("customers", [str(person)])]
    else:
        assert (answer.status, answer.body["code"]) == (403, "forbidden")
        assert rows == []


def test_customers_of_another_organization_are_not_shown(stage, db):
    other = stages.create(db)
    enter(stage, "Ana")

    assert search(stage, caller=other.owner).status == 403
    assert found(other) == []
    assert found(other, "ana") == []


def came_by_booking(stage, person):
    routines.book(stage.db, stage.event(), person)


def came_by_hold(stage, person):
    routines.call(stage.db, person, "select events.hold_seats(event_id => %s)", [stage.event()])


def came_by_waitlist(stage, person):
    full = stage.event(capacity=1)
    routines.book(stage.db, full, stage.customer("first"))
    routines.call(stage.db, person, "select events.join_waitlist(event_id => %s)", [full])


def came_by_credits(stage, person):
    query = "select payments.grant_credits(%s, %s, 'pass', 1, 'gift')"
    routines.call(stage.db, None, query, [stage.organization_id, person])


def came_by_wallet(stage, person):
    query = "select payments.grant_credits(%s, %s, 'wallet', 100, 'gift', 'CHF')"
    routines.call(stage.db, None, query, [stage.organization_id, person])


WAYS = [came_by_booking, came_by_hold, came_by_waitlist, came_by_credits, came_by_wallet]


@pytest.mark.parametrize("way", WAYS)
def test_person_is_listed_from_the_first_time_they_come(stage, way):
    person = stage.stranger("Zora")

    assert found(stage, "zora") == []
    way(stage, person)

    assert found(stage, "zora") == ["Zora"]


def test_person_is_found_by_a_new_name_and_address_only(stage, db):
    person = stage.customer("Ana Meier")
    claims = {
        "sub": str(person), "role": "authenticated", "email": "new@example.org", "email_verified": True,
        "iat": 4_000_000_000,
    }  # fmt: skip

    gateway.patch("profile", "/profile", {"name": "Ana Huber"}, caller=person)
    with db.transaction():
        db.execute("select ops.act_as(%s)", [json.dumps(claims)])
        db.execute("select users.own_profile()")

    assert found(stage, "huber") == ["Ana Huber"]
    assert found(stage, "meier") == []
    assert found(stage, "new@") == ["Ana Huber"]
    assert found(stage, f"{person.hex[:12]}@") == []


def test_unverified_address_of_an_account_is_neither_shown_nor_searched(stage, db):
    person = stage.customer("Ana")
    db.execute("update users.profiles set email_verified_at = null where id = %s", [person])

    (row,) = search(stage, q="ana").body["items"]

    assert row["email"] is None
    assert found(stage, f"{person.hex[:12]}@") == []


def test_first_booking_during_a_change_of_name_is_found_by_the_new_name(stage, db, connect):
    person, event_id = stage.stranger("Ana Meier"), stage.event()

    def act(connection, what):
        if what == "rename":
            return routines.call(connection, person, "select users.edit_profile(name => 'Ana Huber')")
        return routines.book(connection, event_id, person)

    for _ in range(5):
        run_together(connect, ["book", "rename"], act)
        assert found(stage, "huber") == ["Ana Huber"]
        assert found(stage, "meier") == []
        db.execute("delete from events.bookings where customer_id = %s", [person])
        db.execute("delete from organizations.customers where customer_id = %s", [person])
        db.execute("update users.profiles set name = 'Ana Meier' where id = %s", [person])


def test_migration_enters_people_who_came_before(stage, db):
    person, stranger = stage.stranger("Zora"), stage.stranger("Nobody")
    for way in WAYS:
        other = stage.stranger(way.__name__)
        way(stage, other)
        db.execute("delete from ops.idempotency_keys")
    came_by_booking(stage, person)
    before = entered(stage)
    db.execute("delete from organizations.customers")

    for _ in range(2):
        db.execute((SQL / "migrations" / "0201_existing_customers.post.sql").read_text())

    assert entered(stage) == before
    assert stranger not in before
    assert found(stage, "zora") == ["Zora"]


def test_erased_person_is_not_listed_any_more(stage, db):
    person = stage.customer("Zora")

    routines.call(db, None, "select users.erase_profile(%s)", [person])

    assert found(stage, "zora") == []
    assert entered(stage) == set()
    assert db.execute("select from organizations.customer_words").fetchall() == []


@pytest.mark.parametrize(("q", "blocks_most"), [("mar", 1500), ("mar kel", 3500)])
def test_search_among_many_customers_reads_few_blocks(db, q, blocks_most):
    """A tenth of the customers has a word with the prefix. A scan of all of them would read 7,000 blocks or more."""
    stage = stages.create(db)
    db.execute(
        """
        with people as (
            insert into users.profiles (id, name)
            select
                gen_random_uuid(),
                (array['Mara', 'Tom', 'Eva', 'Kim', 'Lea', 'Jan', 'Ida', 'Ole', 'Una', 'Ben'])[mod(n, 10) + 1]
                || ' ' || (array['Keller', 'Meier', 'Huber'])[mod(n, 3) + 1] || n
            from generate_series(1, 6000) as n
            returning id, name
        )
        insert into organizations.customers (organization_id, customer_id, walk_in, phone)
        select %s, p.id, true, '079 ' || lpad((1000000 + substring(p.name from '[0-9]+')::integer)::text, 7, '0')
        from people as p
        """,
        [stage.organization_id],
    )
    db.execute("vacuum analyze organizations.customers, organizations.customer_words, users.profiles")
    assert len(found(stage, q)) == 20  # reads the catalog of PostgreSQL
    query = (
        "explain (analyze, buffers, format json) select * from organizations.list_customers(%s, q => %s, most => 21)"
    )

    plan = routines.call(db, None, query, [stage.organization_id, q])[0]["Plan"]

    assert plan["Actual Rows"] == 21
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < blocks_most


def test_walk_in_is_entered_and_booked_by_staff(stage, db):
    details = {
        "name": "Ana Meier", "email": "ana@example.org", "phone": "+41 79 123 45 67", "language": "fr",
        "note": "Pays in cash.", "tags": ["choir"],
    }  # fmt: skip
    desk = stage.member("front_desk")

    answer = post(stage, details, caller=desk)

    assert answer.status == 201
    assert {name: answer.body[name] for name in details if name != "note"} == {
        name: value for name, value in details.items() if name != "note"
    }
    assert answer.body["walk_in"] is True
    notes = db.execute("select note, author_id from organizations.customer_notes").fetchall()
    assert notes == [{"note": "Pays in cash.", "author_id": desk}]
    body = {"event_id": str(stage.event()), "customer_id": answer.body["id"]}
    booked = gateway.post("book", "/bookings", body, caller=desk, key="walk-in")
    assert (booked.status, booked.body["status"]) == (201, "confirmed")


def test_walk_in_without_language_has_that_of_the_organization(db):
    stage = stages.create(db, language="it")

    assert post(stage, {"name": "Ana"}).body["language"] == "it"


def test_repeated_request_enters_one_walk_in(stage, db):
    first = post(stage, {"name": "Ana"}, key="once")
    again = post(stage, {"name": "Ana"}, key="once")
    other = post(stage, {"name": "Ben"}, key="once")
    elsewhere = post(stage, {"name": "Ana"}, caller=stage.member("admin"), key="once")

    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert (other.status, other.body["code"]) == (422, "idempotency_conflict")
    assert elsewhere.body["id"] != first.body["id"]
    assert len(entered(stage)) == 2
    keys = db.execute("select response from ops.idempotency_keys").fetchall()
    assert {row["response"] for row in keys} == {""}


def test_key_is_required(stage):
    answer = gateway.post("people", path(stage), {"name": "Ana"}, caller=stage.owner)

    assert (answer.status, answer.body["code"]) == (400, "idempotency_key_required")


def test_walk_ins_entered_at_once_with_one_address_are_one(stage, connect):
    def add(connection, number):
        details = Jsonb({"name": f"Ana {number}", "email": "ana@example.org"})
        query = "select organizations.create_customer(%s, %s, %s)"
        return routines.call(connection, stage.owner, query, [stage.organization_id, details, f"key {number}"])

    results = run_together(connect, range(4), add)

    assert results.count("customer_exists") == 3
    assert len(entered(stage)) == 1


def test_address_of_another_customer_is_refused_with_their_id(stage, db):
    walk_in = enter(stage, "Ana", email="ana@example.org")
    account = stage.customer("Ben")

    answers = [
        post(stage, {"name": "Ana", "email": "ANA@example.org"}),
        post(stage, {"name": "Ben", "email": f"{account.hex[:12]}@example.org"}),
    ]

    assert [(answer.status, answer.body["code"], answer.body["customer_id"]) for answer in answers] == [
        (409, "customer_exists", str(walk_in)),
        (409, "customer_exists", str(account)),
    ]


def test_walk_in_is_linked_to_no_account_with_its_address(stage, db):
    """Neither an account elsewhere, nor one that signs in later with the address, becomes this customer."""
    account = stages.create(db).stranger("Ben")
    walk_in = enter(stage, "Ben", email=f"{account.hex[:12]}@example.org")
    with db.transaction():
        claims = {"sub": str(uuid4()), "email": f"{account.hex[:12]}@example.org", "email_verified": True, "iat": 1}
        db.execute("select ops.act_as(%s)", [json.dumps({**claims, "role": "authenticated"})])
        later = db.execute("select users.own_profile() ->> 'id' as id").fetchone()["id"]

    assert len({account, walk_in, UUID(later)}) == 3
    assert db.execute("select email from users.profiles where id = %s", [walk_in]).fetchone() == {"email": None}
    rows = db.execute("select organizations.has_customer(%s, %s) as came", [stage.organization_id, later]).fetchone()
    assert rows == {"came": False}


@pytest.mark.parametrize("role", ["viewer", "instructor", "accountant"])
def test_other_roles_enter_nobody(stage, db, role):
    answer = post(stage, {"name": "Ana"}, caller=stage.member(role))
    elsewhere = post(stage, {"name": "Ana"}, caller=stages.create(db).owner)

    assert [(one.status, one.body["code"]) for one in (answer, elsewhere)] == [(403, "forbidden")] * 2
    assert entered(stage) == set()


def test_walk_ins_of_a_day_are_limited(stage, db):
    db.execute("update ops.limits set value = 2 where name = 'walk_ins_per_day'")
    enter(stage, "Ana")
    enter(stage, "Ben")

    refused = post(stage, {"name": "Cleo"})
    db.execute("update organizations.customers set created_at = now() - %s", [timedelta(hours=25)])

    assert (refused.status, refused.body["code"], refused.body["most"]) == (409, "too_many_walk_ins", 2)
    assert post(stage, {"name": "Cleo"}).status == 201


@pytest.mark.parametrize(
    "change",
    [
        {"name": " "},
        {"email": "ana"},
        {"phone": "none"},
        {"phone": "+"},
        {"language": "xx"},
        {"tags": ["a,b"]},
        {"tags": [" a"]},
        {"tags": ["a", "a"]},
        {"tags": [f"tag {number}" for number in range(21)]},
        {"tags": ["x" * 41]},
        {"note": ""},
        {"customer_id": str(uuid4())},
    ],
)
def test_invalid_details_are_refused(stage, change):
    answer = post(stage, {"name": "Ana", **change})

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert entered(stage) == set()


def test_database_refuses_invalid_tags_and_addresses_of_accounts(stage, db):
    person = stage.customer()
    for change in ("tags = '{a,a b, \"c,d\"}'", "tags = array[' a']", "tags = array['']", "email = 'a@example.org'"):
        with pytest.raises(Exception, match=r"tags_are_valid|only_walk_ins_have_entered_addresses"):
            db.execute(f"update organizations.customers set {change} where customer_id = %s", [person])


def test_customers_are_known_by_their_row_alone(stage):
    walk_in = customers.enter(stage, "Ana")
    event_id = stage.event()

    held = gateway.post(
        "book", "/holds", {"event_id": str(event_id), "customer_id": str(walk_in)}, caller=stage.owner, key="hold"
    )

    assert held.status == 201
