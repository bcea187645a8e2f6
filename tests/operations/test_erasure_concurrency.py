"""Erasure during concurrent calls: the last owner remains, and no personal data is written afterwards."""

import pytest

from tests.kit import routines, stages
from tests.kit.concurrency import InBackground, wait_for_a_lock

ERASE = "select users.erase_profile(%s)"
START_NOTIFICATION = (
    "select messaging.start_notification(outbox_id => 1, topic => 'x', user_id => %s, organization_id => null,"
    " subject => 'a', body => 'b', email => %s)"
)


def test_last_two_owners_cannot_both_be_erased_concurrently(db, connect):
    stage = stages.create(db)
    second = stage.member("owner")
    first, rival = connect(autocommit=False), connect()
    routines.call(first, stage.owner, ERASE, [stage.owner])

    late = InBackground(lambda: routines.call(rival, second, ERASE, [second]))
    wait_for_a_lock(db, "%erase_profile%")
    first.commit()

    assert late.got() == "last_owner"
    owners = db.execute("select user_id from organizations.memberships where role = 'owner'").fetchall()
    assert [row["user_id"] for row in owners] == [second]


def test_notification_started_during_the_erasure_leaves_no_rows(db, connect):
    customer = stages.create(db).customer()
    eraser, sender = connect(autocommit=False), connect()
    routines.call(eraser, customer, ERASE, [customer])

    late = InBackground(lambda: routines.call(sender, None, START_NOTIFICATION, [customer, "customer@example.org"]))
    wait_for_a_lock(db, "%start_notification%")
    eraser.commit()

    assert late.got() == "done"
    assert db.execute("select count(*) as n from messaging.notifications").fetchone()["n"] == 0
    assert db.execute("select count(*) as n from messaging.deliveries").fetchone()["n"] == 0


def test_erasure_deletes_a_notification_started_before_it(db, connect):
    customer = stages.create(db).customer()
    sender, eraser = connect(autocommit=False), connect()
    assert routines.call(sender, None, START_NOTIFICATION, [customer, "customer@example.org"]) == "send"

    erasure = InBackground(lambda: routines.call(eraser, customer, ERASE, [customer]))
    wait_for_a_lock(db, "%erase_profile%")
    sender.commit()

    assert erasure.got()["user_id"] == str(customer)
    assert db.execute("select count(*) as n from messaging.notifications").fetchone()["n"] == 0
    assert db.execute("select count(*) as n from messaging.deliveries").fetchone()["n"] == 0


@pytest.mark.parametrize("turns", range(3))
def test_erasures_and_cancellations_of_one_event_do_not_deadlock(db, connect, turns):
    stage = stages.create(db)
    event_id = stage.event(capacity=100)
    people = stage.customers(12)
    bookings = {person: routines.book(db, event_id, person)["id"] for person in people}

    def leave(person):
        routines.call(connect(), person, ERASE, [person])

    def cancel(person):
        routines.call(connect(), person, "select events.cancel_booking(booking_id => %s)", [bookings[person]])

    running = [
        InBackground(lambda person=person, index=index: (leave if index % 2 else cancel)(person))
        for index, person in enumerate(people)
    ]

    assert [one.got() for one in running] == [None] * len(people)
    assert db.execute(stages.DRIFT).fetchall() == []
