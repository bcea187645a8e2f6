"""functions/send-messages: each recipient is notified once, in their language, with the local time of the event."""

from datetime import UTC
from email.message import EmailMessage
from uuid import UUID

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from botocore.exceptions import ClientError
from icalendar import Calendar

from marquee.edge import mail
from tests.kit import gateway, scheduling
from tests.kit.aws import record
from tests.kit.message_worker import STARTS_AT, an_event, build_message, deliver, deliveries, notifications, plain


@pytest.fixture
def world(db):
    """Create an organization in Zurich with a customer."""
    return scheduling.world(db)


def test_booking_is_confirmed_by_notification_and_email_with_calendar_entry(world, aws):
    event_id = an_event(world)
    booking_id = scheduling.book(world, event_id, world.customer, 2)

    assert deliver(build_message(world, "booking.confirmed", event_id=event_id, booking_id=str(booking_id))) == {
        "batchItemFailures": []
    }

    (notification,) = notifications(world)
    assert (notification["user_id"], notification["topic"]) == (world.customer, "booking.confirmed")
    assert notification["organization_id"] == world.organization_id
    (message,) = aws.mailed()
    assert message["Subject"] == notification["subject"] == "Booking confirmed: Evening yoga"
    assert message["From"] == "marquee@example.org"
    text = plain(message)
    assert "Your booking for 2 places" in text
    assert "Monday, 3 March 2031, 18:00–19:30 (Europe/Zurich)" in text
    assert "Lake room, Seestrasse 1, Zurich" in text
    assert str(booking_id) in text
    assert str(booking_id) in message.get_body(("html",)).get_content()
    (attachment,) = message.iter_attachments()
    entry = Calendar.from_ical(attachment.get_content()).walk("VEVENT")[0]
    assert attachment.get_content_type() == "text/calendar"
    assert entry.start.astimezone(UTC) == STARTS_AT
    (delivery,) = deliveries(world)
    assert (delivery["status"], delivery["attempts"], delivery["has_id"]) == ("sent", 1, True)


def test_redelivered_message_notifies_once(world, aws):
    message = build_message(world, "booking.confirmed")

    for _delivery in range(3):
        deliver(message)

    assert len(notifications(world)) == 1
    assert len(aws.mailed()) == 1


def test_customer_without_an_address_gets_a_notification_only(world, aws):
    world.db.execute("update users.profiles set email = null where id = %s", [world.customer])

    deliver(build_message(world, "booking.confirmed"))

    assert len(notifications(world)) == 1
    assert aws.mailed() == []
    assert deliveries(world) == []


def test_erased_customer_is_not_notified(world, aws):
    world.db.execute(
        "update users.profiles set email = null, name = null, erased_at = now() where id = %s", [world.customer]
    )

    assert deliver(build_message(world, "booking.cancelled")) == {"batchItemFailures": []}

    assert notifications(world) == []
    assert aws.mailed() == []


@pytest.mark.parametrize(
    ("language", "subject", "when", "seats"),
    [
        ("en", "Booking confirmed: Evening yoga", "Monday, 3 March 2031, 18:00–19:30", "2 places"),
        ("de", "Buchung bestätigt: Evening yoga", "Montag, 3. März 2031, 18:00–19:30", "2 Plätze"),
        ("fr", "Réservation confirmée : Evening yoga", "lundi 3 mars 2031, 18:00–19:30", "2 places"),
        ("it", "Prenotazione confermata: Evening yoga", "lunedì 3 marzo 2031, 18:00–19:30", "2 posti"),
        ("es", "Booking confirmed: Evening yoga", "Monday, 3 March 2031, 18:00–19:30", "2 places"),
    ],
)
def test_message_is_in_the_language_of_its_recipient(world, aws, language, subject, when, seats):
    world.db.execute("update users.profiles set language = %s where id = %s", [language, world.customer])

    deliver(build_message(world, "booking.confirmed"))

    (message,) = aws.mailed()
    assert message["Subject"] == subject
    assert when in plain(message)
    assert seats in plain(message)


@pytest.mark.parametrize(
    ("language", "description"),
    [
        ("en", "With Felix\n\n2 places"),
        ("de", "Mit Felix\n\n2 Plätze"),
        ("fr", "Avec Felix\n\n2 places"),
        ("it", "Con Felix\n\n2 posti"),
        ("es", "With Felix\n\n2 places"),
    ],
)
def test_calendar_entry_is_in_the_language_of_its_message(world, aws, language, description):
    world.db.execute("update users.profiles set language = %s where id = %s", [language, world.customer])
    event_id = an_event(world)
    booking_id = scheduling.book(world, event_id, world.customer, 2)

    deliver(build_message(world, "booking.confirmed", event_id=event_id, booking_id=str(booking_id)))

    (attachment,) = aws.mailed()[0].iter_attachments()
    entry = Calendar.from_ical(attachment.get_content()).walk("VEVENT")[0]
    assert entry["description"] == description


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("Europe/Zurich", "Monday, 3 March 2031, 18:00–19:30"),
        ("America/New_York", "Monday, 3 March 2031, 12:00–13:30"),
        ("Pacific/Auckland", "Tuesday, 4 March 2031, 06:00–07:30"),
    ],
)
def test_message_shows_times_in_the_events_time_zone(world, aws, zone, local):
    event_id = an_event(world, time_zone=zone)

    deliver(build_message(world, "waitlist.joined", event_id=event_id))

    assert f"{local} ({zone})" in plain(aws.mailed()[0])


def test_late_cancellation_message_names_the_fee(world, aws):
    world.db.execute("update users.profiles set language = 'de' where id = %s", [world.customer])

    deliver(build_message(world, "booking.cancelled", fee_cents=1250, currency="CHF", late=True, reason="krank"))

    text = plain(aws.mailed()[0])
    assert "12,50" in text
    assert "CHF" in text
    assert "Grund: krank" in text


def test_organizer_cancellation_message_says_that_there_is_no_cost(world, aws):
    deliver(build_message(world, "booking.cancelled", fee_cents=0, currency="CHF", by_organizer=True))

    text = plain(aws.mailed()[0])
    assert "will not take place" in text
    assert "at no cost to you" in text
    assert "late cancellation" not in text


def test_waitlist_offer_message_names_its_expiry(world, aws):
    deliver(build_message(world, "waitlist.offered", offer_expires_at="2031-03-03T10:15:00+00:00"))

    assert "until Monday, 3 March 2031, 11:15 (Europe/Zurich)" in plain(aws.mailed()[0])


def test_event_change_message_shows_the_previous_time(world, aws):
    deliver(
        build_message(world, "event.changed", changed=["starts_at"], previous_starts_at="2031-03-02T17:00:00+00:00")
    )

    text = plain(aws.mailed()[0])
    assert "When: Monday, 3 March 2031, 18:00–19:30" in text
    assert "Previously: Sunday, 2 March 2031, 18:00" in text


def test_instructor_is_notified_of_a_cancelled_event(world, aws):
    world.db.execute("update organizations.instructors set user_id = %s", [world.editor])
    message = build_message(world, "event.cancelled", reason="storm")
    del message["payload"]["customer_id"]

    deliver(message)

    (notification,) = notifications(world)
    assert notification["user_id"] == world.editor
    assert "Reason: storm" in notification["body"]


def test_alert_is_sent_to_recipients_by_severity(world, aws):
    world.db.execute(
        "insert into ops.alert_recipients (email, severity_least)"
        " values ('all@example.org', 'warning'), ('worst@example.org', 'critical')"
    )
    alert = {
        "id": 5, "topic": "alert.fired", "key": "alert:booking_slow", "created_at": "2030-01-01T00:00:00Z",
        "payload": {
            "rule": "booking_slow", "severity": "warning", "metric": "m", "aggregate": "p95", "window_seconds": 300,
            "comparison": ">", "threshold": 2000, "value": 2500.5, "pending_since": "2030-01-01T00:00:00Z",
            "fired_at": "2030-01-01T00:02:00Z", "resolved_at": None,
        },
    }  # fmt: skip

    deliver(alert)
    deliver({**alert, "id": 6, "payload": {**alert["payload"], "severity": "critical"}})

    sent = [(message["To"], message["Subject"]) for message in aws.mailed()]
    assert sorted(sent) == [
        ("all@example.org", "[critical] booking_slow"),
        ("all@example.org", "[warning] booking_slow"),
        ("worst@example.org", "[critical] booking_slow"),
    ]
    assert notifications(world) == []


def test_failed_email_does_not_stop_the_others_and_is_retried(world, aws, monkeypatch):
    event_id = an_event(world)
    second = {"customer_id": str(world.second_customer)}
    messages = [
        build_message(world, "booking.confirmed", 1, event_id=event_id),
        build_message(world, "booking.confirmed", 2, event_id=event_id, **second),
    ]
    first_address = world.db.execute("select email from users.profiles where id = %s", [world.customer]).fetchone()
    send = mail._client().send_email

    def throttled(**request):
        if request["Destination"]["ToAddresses"] == [first_address["email"]]:
            raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "slow down"}}, "SendEmail")
        return send(**request)

    with monkeypatch.context() as patched:
        patched.setattr(mail._client(), "send_email", throttled)
        patched.setattr(mail, "PAUSE_SECONDS", 0)
        with pytest.raises(BatchProcessingError):
            deliver(*messages)
    assert len(aws.mailed()) == 1
    assert sorted((row["outbox_id"], row["status"]) for row in deliveries(world)) == [(1, "sending"), (2, "sent")]

    deliver(*messages)
    (message,) = aws.mailed()
    assert message["To"] == first_address["email"]
    assert message["X-Marquee-Retry"] is None  # SES refused the first attempt, so this e-mail is not a repeat
    assert {(row["status"], row["attempts"]) for row in deliveries(world) if row["outbox_id"] == 1} == {("sent", 2)}


@pytest.mark.parametrize("address", ["a@[", "=?utf-8?q?=0aBcc:x?=@y.ch", "a,b@x", "a(@b.ch", "a:b@c.ch;"])
def test_malformed_address_fails_once_without_failing_its_batch(world, aws, address):
    """The address is older than the constraint, which refuses such an address today."""
    world.db.execute("alter table users.profiles drop constraint email_can_be_written")
    world.db.execute("update users.profiles set email = %s where id = %s", [address, world.customer])
    message = build_message(world, "booking.confirmed")

    for _delivery in range(2):
        assert deliver(message) == {"batchItemFailures": []}

    (delivery,) = deliveries(world)
    assert (delivery["status"], delivery["attempts"]) == ("failed", 1)
    assert aws.mailed() == []


def test_unserializable_message_raises_refused(aws, monkeypatch):
    def fail(_message):
        raise IndexError("string index out of range")

    monkeypatch.setattr(EmailMessage, "as_bytes", fail)

    with pytest.raises(mail.Refused):
        mail.send("ana@example.org", EmailMessage())


def test_address_refused_by_ses_is_not_retried(world, aws, monkeypatch):
    client, calls = mail._client(), []

    def refuse(**request):
        calls.append(request)
        raise client.exceptions.BadRequestException(
            {"Error": {"Code": "BadRequestException", "Message": "no such domain"}}, "SendEmail"
        )

    monkeypatch.setattr(client, "send_email", refuse)
    message = build_message(world, "booking.confirmed")
    for _delivery in range(2):
        assert deliver(message) == {"batchItemFailures": []}

    assert len(calls) == 1
    (delivery,) = deliveries(world)
    assert delivery["status"] == "failed"
    assert len(notifications(world)) == 1


def test_delivery_of_a_dead_worker_is_resent_after_its_lease(world, aws):
    message = build_message(world, "booking.confirmed")
    address = world.db.execute("select email from users.profiles where id = %s", [world.customer]).fetchone()["email"]
    world.db.execute(
        "insert into messaging.deliveries (outbox_id, channel, recipient, status, lease_until)"
        " values (1, 'email', %s, 'sending', now() + interval '1 minute')",
        [address],
    )

    with pytest.raises(BatchProcessingError):  # another worker may be sending it
        deliver(message)
    assert aws.mailed() == []

    world.db.execute("update messaging.deliveries set lease_until = now() - interval '1 second'")
    deliver(message)
    (mailed,) = aws.mailed()
    assert mailed["X-Marquee-Retry"] == "yes"
    assert "received this message before" in plain(mailed)
    assert "received this message before" in mailed.get_body(("html",)).get_content()
    assert [(row["status"], row["attempts"]) for row in deliveries(world)] == [("sent", 2)]


def test_title_with_a_line_break_cannot_add_headers(world, aws):
    world.db.execute("alter table events.events drop constraint event_texts_are_readable")
    event_id = an_event(world, title="Yoga\r\nBcc: everybody@example.org")

    deliver(build_message(world, "booking.confirmed", event_id=event_id))

    (message,) = aws.mailed()
    assert message["Bcc"] is None
    assert message["Subject"] == "Booking confirmed: Yoga Bcc: everybody@example.org"


def test_names_and_titles_are_not_interpreted_as_templates_or_tags(world, aws):
    world.db.execute(
        "update users.profiles set name = '$reason {name} {{ 7 * 7 }} <b>%%s' where id = %s", [world.customer]
    )
    event_id = an_event(world, title="Yoga for $5 <script>")

    deliver(build_message(world, "booking.confirmed", event_id=event_id))

    (message,) = aws.mailed()
    assert message["Subject"] == "Booking confirmed: Yoga for $5 <script>"
    assert plain(message).startswith("Hello $reason {name} {{ 7 * 7 }} <b>%s,")
    html = message.get_body(("html",)).get_content()
    assert "<p>Hello $reason {name} {{ 7 * 7 }} &lt;b&gt;%s,</p>" in html
    assert "“Yoga for $5 &lt;script&gt;”" in html


def test_booking_confirmation_passes_outbox_relay_and_queue_to_ses(world, aws):
    """Follow a message from the booking routine through outbox, relay and queue to the e-mail."""
    event_id = UUID(scheduling.make_event(world)["id"])
    scheduling.book(world, event_id, world.customer)
    scheduling.book(world, event_id, world.second_customer)

    gateway.invoke("relay-outbox", {"job": "relay_outbox"})
    for number, body in enumerate(aws.received(aws.messages_queue)):
        gateway.invoke("send-messages", {"Records": [record(body, number)]})

    assert [message["Subject"] for message in aws.mailed()] == ["Booking confirmed: Open evening"] * 2
