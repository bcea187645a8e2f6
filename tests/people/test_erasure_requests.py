"""People request their erasure, see its effects, and cancel it or are erased after seven days."""

from datetime import UTC, datetime, timedelta

import pytest

from marquee.core.identity import Caller
from tests.kit import gateway, routines, stages
from tests.kit.concurrency import InBackground, wait_for_a_lock
from tests.kit.wallets import CreditBookings

REQUEST = "select users.request_erasure()"
CANCEL = "select users.cancel_erasure()"


@pytest.fixture
def stage(db):
    return stages.create(db)


def request(caller):
    return gateway.delete("profile", "/profile", caller=caller)


def restore(caller):
    return gateway.post("profile", "/profile/restore", caller=caller)


def clean_up():
    gateway.invoke("maintain", {"job": "clean_up"}, gateway.Context(milliseconds_left=300_000))


def fall_due(db):
    db.execute("update users.erasure_requests set requested_at = now() - interval '8 days', due_at = now()")


def is_erased(db, person):
    return db.execute("select erased_at is not null as it from users.profiles where id = %s", [person]).fetchone()["it"]


def state(db):
    """Return everything that an erasure changes."""
    return db.execute(
        """
        select
            (select count(*) from events.bookings as b where b.status = 'confirmed') as bookings,
            (select sum(i.taken) from events.inventory as i) as taken,
            (select sum(l.remaining) from payments.credit_lots as l) as credits,
            (select count(*) from payments.transactions) as transactions,
            (select count(*) from users.profiles as p where p.erased_at is not null) as erased,
            (select count(*) from public.outbox as o where o.topic <> 'erasure.scheduled') as messages
        """
    ).fetchone()


def test_erasure_is_scheduled_in_seven_days_and_changes_nothing_before(db, stage):
    customer = stage.customer()
    routines.book(db, stage.event(), customer, 2)
    before = state(db)

    answer = request(customer)

    assert answer.status == 202
    times = [datetime.fromisoformat(answer.body[name]) for name in ("requested_at", "due_at")]
    assert times[1] - times[0] == timedelta(days=7)
    assert (answer.body["bookings"], answer.body["credits"]) == (1, [])
    assert state(db) == before
    clean_up()
    assert not is_erased(db, customer)


def test_person_is_erased_in_the_night_after_the_date(db, stage):
    customer = stage.customer()
    routines.book(db, stage.event(), customer, 2)
    request(customer)
    fall_due(db)

    clean_up()

    assert is_erased(db, customer)
    assert db.execute("select count(*) as n from users.erasure_requests").fetchone()["n"] == 0
    assert db.execute("select sum(taken) as n from events.inventory").fetchone()["n"] == 0
    assert [request(customer).status, restore(customer).status] == [403, 403]


def test_request_tells_the_person_the_date_once(db, stage):
    customer = stage.customer()

    first, second = request(customer), request(customer)

    assert second.body == first.body
    (row,) = db.execute("select payload from public.outbox where topic = 'erasure.scheduled'").fetchall()
    assert (row["payload"]["customer_id"], row["payload"]["due_on"]) == (str(customer), first.body["due_at"][:10])


@pytest.mark.parametrize(("zone", "day"), [("Pacific/Kiritimati", 1), ("Pacific/Pago_Pago", 0), ("nowhere", 0)])
def test_date_of_the_message_is_that_of_the_persons_zone(db, stage, zone, day):
    customer = stage.customer()
    with db.transaction():
        routines.call(db, customer, REQUEST)
        db.execute("reset role")
        db.execute("update users.erasure_requests set due_at = '2031-03-03 11:00Z', requested_at = '2031-01-01'")
        row = db.execute(
            "select set_config('request.jwt.claims', jsonb_build_object('sub', %s::text, 'zoneinfo', %s::text)::text,"
            " true), users.scheduled_erasure_payload(r) ->> 'due_on' as due_on from users.erasure_requests as r",
            [str(customer), zone],
        ).fetchone()

    assert row["due_on"] == f"2031-03-0{3 + day}"


def test_cancelled_erasure_does_not_take_place(db, stage):
    customer = stage.customer()
    request(customer)

    answers = [restore(customer), restore(customer)]
    fall_due(db)
    clean_up()

    assert [answer.status for answer in answers] == [204, 404]
    assert answers[1].body["code"] == "erasure_not_requested"
    assert not is_erased(db, customer)


def test_nobody_cancels_the_erasure_of_another_person(db, stage):
    customer = stage.customer()
    request(customer)

    assert restore(stage.owner).status == 404
    assert db.execute("select user_id from users.erasure_requests").fetchone()["user_id"] == customer


def test_services_have_no_account_to_erase(stage):
    service = Caller(None, "service_role")

    assert [request(service).status, restore(service).status] == [403, 404]


def test_money_of_wallets_is_listed_by_organization_as_the_erasure_pays_it_out(db):
    desk = CreditBookings(db)
    customer = desk.customer()
    desk.give(customer, 700)
    before = state(db)

    listed = request(customer).body["credits"]
    unchanged = state(db)
    erased = routines.call(db, customer, "select users.erase_profile(%s)", [customer])

    assert unchanged == before
    assert [(row["lapsed_cents"], row["organization_id"]) for row in listed] == [(700, str(desk.stage.organization_id))]
    assert [{name: row[name] for name in row if name != "organization_name"} for row in listed] == erased["credits"]


def test_last_owner_is_refused_with_the_organization_and_schedules_nothing(db, stage):
    answer = request(stage.owner)

    assert (answer.status, answer.body["code"]) == (409, "last_owner")
    assert answer.body["organization_ids"] == [str(stage.organization_id)]
    assert db.execute("select count(*) as n from users.erasure_requests").fetchone()["n"] == 0


def test_person_who_became_the_last_owner_is_not_erased_until_there_is_another(db, stage):
    second, customer = stage.member("owner"), stage.customer()
    for person in (stage.owner, customer):
        assert request(person).status == 202
    db.execute("delete from organizations.memberships where user_id = %s", [second])
    fall_due(db)

    clean_up()
    blocked = [is_erased(db, person) for person in (stage.owner, customer)]
    db.execute(
        "insert into organizations.memberships (organization_id, user_id, role) values (%s, %s, 'owner')",
        [stage.organization_id, second],
    )
    clean_up()

    assert blocked == [False, True]
    assert is_erased(db, stage.owner)


def test_erasure_waits_for_a_cancellation_and_does_not_take_place(db, connect, stage):
    customer = stage.customer()
    request(customer)
    fall_due(db)
    canceller = connect(autocommit=False)
    routines.call(canceller, customer, CANCEL)

    late = InBackground(lambda: routines.call(connect(), None, "select users.erase_due()"))
    wait_for_a_lock(db, "%erase_due%")
    canceller.commit()

    assert late.got()["erased"] == 0
    assert not is_erased(db, customer)


def test_cancellation_after_the_erasure_began_is_refused(db, connect, stage):
    customer = stage.customer()
    request(customer)
    fall_due(db)
    eraser = connect(autocommit=False)
    assert routines.call(eraser, None, "select users.erase_due()")["erased"] == 1

    late = InBackground(lambda: routines.call(connect(), customer, CANCEL))
    wait_for_a_lock(db, "%cancel_erasure%")
    eraser.commit()

    assert late.got() == "forbidden"


def test_only_the_service_erases_people_whose_request_is_due(db, stage):
    for caller in (stage.customer(), stage.owner):
        with pytest.raises(Exception, match=r"permission denied|forbidden"):
            routines.call(db, caller, "select users.erase_due(at => %s)", [datetime.now(UTC)])
