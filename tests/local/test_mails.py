"""`python -m local mails`: a message with several parts is shown as its subject and its plain text."""

from email.message import EmailMessage

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import SESBackend

from local import aws_server


def a_message():
    message = EmailMessage()
    message["Subject"] = "Réservé"
    return message


def test_plain_text_of_a_message_with_html_and_a_calendar_is_shown():
    message = a_message()
    message.set_content("3 Plätze\n", cte="quoted-printable")
    message.add_alternative("<p>3 Plätze</p>", subtype="html", cte="quoted-printable")
    message.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename="booking.ics")

    assert aws_server.shown(message.as_string()) == ("Réservé", "3 Plätze\n")


def test_message_without_plain_text_is_shown_as_it_was_sent():
    message = a_message()
    message.set_content("<p>3</p>", subtype="html")

    assert aws_server.shown(message.as_string()) == ("Réservé", message.as_string())


def test_recipient_of_the_envelope_and_the_header_is_shown_once(monkeypatch):
    message = a_message()
    message["From"], message["To"] = "bookings@example.org", "ben@example.org"
    message.set_content("3 Plätze\n")
    backend = SESBackend("eu-central-1", DEFAULT_ACCOUNT_ID)
    backend.verify_email_identity("bookings@example.org")
    monkeypatch.setattr(aws_server, "ses_backends", {DEFAULT_ACCOUNT_ID: {"eu-central-1": backend}})

    backend.send_raw_email("bookings@example.org", ["ben@example.org", "ana@example.org"], message.as_string())

    assert [mail["to"] for mail in aws_server.sent()] == [["ben@example.org", "ana@example.org"]]
