"""Concurrent changes of one profile: an erasure is final, and a new profile is created once."""

import json
import time
from uuid import uuid4

from marquee.core.identity import Caller
from tests.kit import gateway, routines, stages
from tests.kit.concurrency import InBackground, wait_for_a_lock

CLAIMS = {"name": "ana", "email": "ana@example.org", "email_verified": True, "locale": "fr"}


def test_profile_edit_during_erasure_is_refused(db, connect):
    customer = stages.create(db).customer()
    eraser, editor = connect(autocommit=False), connect()
    routines.call(eraser, customer, "select users.erase_profile(%s)", [customer])

    change = "select users.edit_profile(name => 'Zoë', language => 'de')"
    late = InBackground(lambda: routines.call(editor, customer, change))
    wait_for_a_lock(db, "%edit_profile%")
    eraser.commit()

    assert late.got() == "forbidden"
    profile = "select name, language, erased_at is not null as erased from users.profiles where id = %s"
    assert db.execute(profile, [customer]).fetchone() == {"name": None, "language": "en", "erased": True}


def test_concurrent_first_calls_create_one_profile(db, connect):
    person = Caller(uuid4(), "authenticated", claims=CLAIMS)
    first = connect(autocommit=False)
    routines.call(first, person.id, "select users.own_profile()")

    second = InBackground(lambda: gateway.patch("profile", "/profile", {"language": "de"}, caller=person))
    wait_for_a_lock(db, "%edit_profile%")
    first.commit()

    assert second.got().status == 200
    assert db.execute("select id, language from users.profiles").fetchall() == [{"id": person.id, "language": "de"}]


def test_booking_with_a_changed_address_does_not_deadlock_with_erasure(db, connect):
    stage = stages.create(db)
    customer, event_id = stage.customer(), stage.event()
    routines.call(db, customer, "select events.hold_seats(event_id => %s)", [event_id])
    booker, eraser = connect(autocommit=False), connect()
    claims = {"sub": str(customer), "email": "new@example.org", "email_verified": True, "iat": time.time() + 60}
    booker.execute("select ops.act_as(%s::jsonb)", [json.dumps(claims)])
    booker.execute("select users.own_profile()")  # locks the profile, like the first step of a booking

    erasing = InBackground(lambda: routines.call(eraser, customer, "select users.erase_profile(%s)", [customer]))
    wait_for_a_lock(db, "%erase_profile%")
    booker.execute("select events.hold_seats(event_id => %s)", [event_id])
    booker.execute("select events.book(event_id => %s, hold_id => (select id from events.holds))", [event_id])
    booker.commit()

    assert erasing.got()["bookings_cancelled"] == 1
