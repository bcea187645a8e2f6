"""Reminders from the schedule to the e-mail. A booking that was cancelled meanwhile gets none."""

from uuid import UUID

import pytest

from tests.kit import gateway, scheduling
from tests.kit.aws import record
from tests.kit.message_worker import an_event, build_message, deliver, notifications, plain


@pytest.fixture
def world(db):
    """Create an organization in Zurich with a customer."""
    return scheduling.world(db)


@pytest.fixture
def booking_id(world):
    """Book two seats on 3 March 2031."""
    return scheduling.book(world, an_event(world), world.customer, 2)


def remind(world, booking_id):
    """Return the reminder of a booking as the job writes it."""
    row = world.db.execute("select event_id from events.bookings where id = %s", [booking_id]).fetchone()
    return build_message(world, "booking.reminder", event_id=row["event_id"], booking_id=str(booking_id))


def test_reminder_passes_from_the_schedule_to_the_email(world, aws):
    event_id = UUID(scheduling.make_event(world)["id"])
    scheduling.book(world, event_id, world.customer, 2)
    db = world.db
    db.execute("update public.outbox set relayed_at = now()")
    db.execute("update organizations.organizations set reminder_hours = 96")
    db.execute("update events.bookings set created_at = created_at - interval '2 days'")

    answers = [gateway.invoke("maintain", {"job": "send_reminders"}) for _run in range(2)]
    gateway.invoke("relay-outbox", {"job": "relay_outbox"})
    for number, body in enumerate(aws.received(aws.messages_queue)):
        gateway.invoke("send-messages", {"Records": [record(body, number)]})

    assert [answer["done"] for answer in answers] == [1, 0]
    assert [message["Subject"] for message in aws.mailed()] == ["Reminder: Open evening"]


def test_reminder_names_event_time_and_place(world, aws, booking_id):
    world.db.execute("update users.profiles set language = 'de' where id = %s", [world.customer])

    deliver(remind(world, booking_id))

    (message,) = aws.mailed()
    assert message["Subject"] == "Erinnerung: Evening yoga"
    text = plain(message)
    assert "2 Plätze" in text
    assert "Montag, 3. März 2031, 18:00–19:30" in text
    assert "Ort: Lake room, Seestrasse 1, Zurich" in text


def test_reminder_of_a_booking_cancelled_meanwhile_is_not_sent(world, aws, booking_id):
    message = remind(world, booking_id)
    world.db.execute(
        "update events.bookings set status = 'cancelled', cancelled_at = now() where id = %s", [booking_id]
    )

    assert deliver(message) == {"batchItemFailures": []}

    assert notifications(world) == []
    assert aws.mailed() == []


def test_reminder_delayed_past_the_start_is_not_sent(world, aws, booking_id):
    message = remind(world, booking_id)
    world.db.execute("update events.events set starts_at = now() - interval '1 second'")

    deliver(message)

    assert notifications(world) == []
    assert aws.mailed() == []
