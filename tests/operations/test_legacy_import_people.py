"""An import may name new people, customers of the organization, and people whose verified address it contains.

Erasure finds imported rows by every verified address of the person. A later import does not restore them.
"""

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from marquee.core.identity import Caller
from tests.kit import gateway, routines, stages
from tests.kit.legacy_exports import Export, run

STRANGERS = "is that of a person who never came to this organization; give their verified address as customer_email"


@pytest.fixture
def stage(db):
    return stages.create(db)


@pytest.fixture
def export(stage, tmp_path):
    return Export(tmp_path, stage.organization_id)


def person(db, email="ana@example.org", verified=True):
    user_id = uuid4()
    db.execute(
        "insert into users.profiles (id, name, email, email_verified_at)"
        " values (%s, 'Ana Secret', %s, case when %s then now() end)",
        [user_id, email, verified],
    )
    return user_id


def sign_in(user_id, email, seconds):
    claims = {"email": email, "email_verified": True, "name": "Ana", "iat": datetime.now(UTC).timestamp() + seconds}
    assert gateway.get("profile", "/profile", caller=Caller(user_id, "authenticated", claims=claims)).status == 200


def staged(db, table="class_registrations"):
    rows = db.execute(f"select customer_name, customer_email from staging.{table} order by line").fetchall()
    return [tuple(row.values()) for row in rows]


@pytest.mark.parametrize("file", ["registration", "wait"])
@pytest.mark.parametrize("email", ["mallory@example.org", ""])
def test_row_of_a_stranger_without_their_address_is_rejected(db, stage, export, file, email):
    class_id = export.instance(export.template())
    getattr(export, file)(class_id, customer_id=str(person(db)), customer_email=email, customer_name="x")

    [(_, _, reason)] = run(db, export).rejects

    assert reason.endswith(STRANGERS)
    assert db.execute("select from events.bookings").fetchall() == []
    assert db.execute("select from events.waitlist_entries").fetchall() == []


def test_row_of_a_stranger_with_an_unverified_address_is_rejected(db, export):
    stranger = person(db, verified=False)
    export.registration(export.instance(export.template()), customer_id=str(stranger), customer_email="ana@example.org")

    assert len(run(db, export).rejects) == 1


def test_address_is_compared_case_insensitively(db, export):
    export.registration(
        export.instance(export.template()), customer_id=str(person(db)), customer_email="ANA@example.org"
    )

    assert run(db, export).rejects == []


def test_customer_of_the_organization_needs_no_address(db, stage, export):
    customer = person(db)
    routines.book(db, stage.event(), customer)
    export.registration(export.instance(export.template()), customer_id=str(customer))

    assert run(db, export).rejects == []


def test_erasure_finds_imported_rows_by_former_addresses_in_any_case(db, export):
    user_id = uuid4()
    sign_in(user_id, "old@example.org", -100)
    class_id = export.instance(export.template())
    export.registration(class_id, customer_id="7", customer_email="OLD@example.org", customer_name="Ana Old")
    export.registration(class_id, customer_id="8", customer_email="New@example.org", customer_name="Ana New")
    export.registration(class_id, customer_id="9", customer_email="ben@example.org", customer_name="Ben")
    run(db, export)
    sign_in(user_id, "new@example.org", -50)

    routines.call(db, user_id, "select users.erase_profile(%s)", [user_id])

    assert staged(db) == [(None, None), (None, None), ("Ben", "ben@example.org")]
    assert db.execute("select former_emails from users.profiles where id = %s", [user_id]).fetchone() == {
        "former_emails": None
    }


def test_former_addresses_are_kept_as_long_as_imported_rows(db):
    user_id = uuid4()
    for seconds, email in enumerate(("a@x.ch", "b@x.ch", "a@x.ch")):
        sign_in(user_id, email, seconds - 100)
    kept = "select former_emails from users.profiles where id = %s"
    assert db.execute(kept, [user_id]).fetchone() == {"former_emails": ["a@x.ch", "b@x.ch"]}

    routines.call(db, None, "select ops.clean_up(at => now() + interval '91 days')")

    assert db.execute(kept, [user_id]).fetchone() == {"former_emails": None}


@pytest.mark.parametrize(("verified", "left"), [(False, 1), (True, 0)])
def test_erasure_finds_rows_by_a_verified_address_only(db, verified, left):
    db.execute("insert into ops.alert_recipients (email) values ('Ops@example.org')")
    user_id = person(db, "ops@example.org", verified)

    routines.call(db, user_id, "select users.erase_profile(%s)", [user_id])

    assert len(db.execute("select from ops.alert_recipients").fetchall()) == left


def test_erasure_keeps_rows_of_a_namesake_in_another_organization(db, stage, export):
    other = stages.create(db)
    namesake, instructor = other.instructor(), stage.instructor()
    name = db.execute("select name from organizations.instructors where user_id = %s", [namesake]).fetchone()["name"]
    db.execute("update organizations.instructors set name = %s where user_id = %s", [name, instructor])
    template = export.template(instructor_name=name)
    export.instance(template, instructor_name=name)
    run(db, export)

    def names():
        rows = db.execute(
            "select instructor_name as name from staging.class_templates"
            " union all select instructor_name from staging.class_instances"
        ).fetchall()
        return [row["name"] for row in rows]

    routines.call(db, namesake, "select users.erase_profile(%s)", [namesake])
    assert names() == [name, name]

    routines.call(db, instructor, "select users.erase_profile(%s)", [instructor])
    assert names() == [None, None]


def test_import_of_an_erased_person_leaves_nothing_in_staging(db, stage, export):
    customer = stage.customer()
    routines.call(db, customer, "select users.erase_profile(%s)", [customer])
    class_id = export.instance(export.template())
    about = {"customer_id": str(customer), "customer_email": "not an address of Ana", "customer_name": "Ana"}
    export.registration(class_id, **about)
    export.wait(class_id, **about)

    rejects = run(db, export).rejects

    assert [reason.partition('" ')[2] for _, _, reason in rejects] == ["was erased", "was erased"]
    assert staged(db) == staged(db, "waitlists") == [(None, None)]


def test_erased_person_cannot_have_a_former_address(db):
    user_id = person(db)
    routines.call(db, user_id, "select users.erase_profile(%s)", [user_id])

    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("update users.profiles set former_emails = '{a@x.ch}' where id = %s", [user_id])
