"""People list and read their notifications, choose which messages they receive, and unsubscribe by one click."""

import re
from uuid import uuid4

import pytest

from marquee.messaging.topics import CATALOGUE, FAMILIES, family_of
from tests.kit import gateway, routines, scheduling
from tests.kit.message_worker import build_message, deliver, notifications, plain

BASE = "https://api.example.org/v1"
HEADERS = ("List-Unsubscribe", "List-Unsubscribe-Post")


@pytest.fixture
def world(db, monkeypatch):
    monkeypatch.setenv("API_URL", BASE)
    return scheduling.world(db)


def notify(world, topic, number, **payload):
    """Notify the customer of a booking of their own."""
    event_id = payload.pop("event_id", None)
    message = build_message(world, topic, number, **({"event_id": event_id} if event_id else {}), **payload)
    deliver(message)


def confirm(world, number):
    notify(world, "booking.confirmed", number)


def get(path, caller, **query):
    return gateway.get("people", path, caller=caller, query=query)


def read(path, caller, body=None):
    return gateway.post("people", path, body, caller=caller)


def unread(caller):
    return get("/notifications/unread", caller).body["unread"]


def prefer(caller, family, channel, delivery):
    item = {"family": family, "channel": channel, "delivery": delivery}
    return gateway.patch("people", "/notification-preferences", {"items": [item]}, caller=caller)


def link(message):
    """Return the path of the link in the header of an e-mail."""
    return re.fullmatch(rf"<{re.escape(BASE)}(/unsubscribe/[^>]+)>", message["List-Unsubscribe"])[1]


def test_notifications_are_the_callers_own_newest_first_in_pages(world, aws):
    for number in range(1, 4):
        confirm(world, number)

    first = get("/notifications", world.customer, limit=2).body
    second = get("/notifications", world.customer, cursor=first["next_cursor"]).body

    items = first["items"] + second["items"]
    assert [row["topic"] for row in items] == ["booking.confirmed"] * 3
    assert [row["id"] for row in items] == sorted((row["id"] for row in items), reverse=True)
    assert second["next_cursor"] is None
    assert items[0]["subject"] == "Booking confirmed: Evening yoga"
    assert get("/notifications", world.stranger).body["items"] == []
    assert unread(world.stranger) == 0


def test_one_notification_or_all_are_marked_as_read(world, aws):
    for number in range(1, 5):
        confirm(world, number)
    newest, second, *_ = [row["id"] for row in get("/notifications", world.customer).body["items"]]
    counts = [unread(world.customer)]

    assert [read(f"/notifications/{newest}/read", world.customer).status for _ in range(2)] == [204, 204]
    counts.append(unread(world.customer))
    assert read("/notifications/read", world.customer, {"up_to_id": second}).status == 204
    counts.append(unread(world.customer))
    confirm(world, 5)
    counts.append(unread(world.customer))
    listed = get("/notifications", world.customer, unread="true").body["items"]
    assert read("/notifications/read", world.customer).status == 204
    counts.append(unread(world.customer))

    assert counts == [4, 3, 0, 1, 0]
    assert [row["read_at"] for row in listed] == [None]


def test_reading_up_to_a_notification_leaves_newer_ones_unread(world, aws):
    for number in range(1, 4):
        confirm(world, number)
    newest, second, _oldest = [row["id"] for row in get("/notifications", world.customer).body["items"]]

    read("/notifications/read", world.customer, {"up_to_id": second})

    assert [row["id"] for row in get("/notifications", world.customer, unread="true").body["items"]] == [newest]


def test_nobody_reads_the_notifications_of_another_person(world, aws):
    confirm(world, 1)
    (row,) = get("/notifications", world.customer).body["items"]

    answers = [
        read(f"/notifications/{row['id']}/read", world.stranger),
        read(f"/notifications/{uuid4()}/read", world.customer),
        read("/notifications/read", world.stranger),
    ]

    assert [answer.status for answer in answers] == [404, 404, 204]
    assert answers[0].body["code"] == "notification_not_found"
    assert unread(world.customer) == 1


def test_preferences_name_every_family_and_channel_and_are_immediate_by_default(world):
    body = get("/notification-preferences", world.customer).body

    assert {(row["family"], row["channel"]): row["delivery"] for row in body["items"]} == {
        (family, channel): "immediately" for family in FAMILIES for channel in ("app", "email")
    }


def test_family_that_is_off_for_email_still_has_a_notification_and_vice_versa(world, aws):
    prefer(world.customer, "bookings", "email", "off")
    confirm(world, 1)
    without_email = (len(notifications(world)), len(aws.mailed()))
    prefer(world.customer, "bookings", "email", "immediately")
    answer = prefer(world.customer, "bookings", "app", "off")
    confirm(world, 2)
    without_notification = (len(notifications(world)), len(aws.mailed()))

    assert without_email == (1, 0)
    assert without_notification == (1, 1)
    chosen = {(row["family"], row["channel"]): row["delivery"] for row in answer.body["items"]}
    assert chosen[("bookings", "app")] == "off"
    assert list(chosen.values()).count("off") == 1


def test_preferences_of_one_person_do_not_concern_another(world, aws):
    prefer(world.second_customer, "bookings", "email", "off")

    confirm(world, 1)

    assert len(aws.mailed()) == 1


def test_payments_and_cancellations_have_no_family(world, aws):
    always = ("booking.cancelled", "booking.expired", "event.cancelled", "invoice.issued", "refund.", "payment.")
    assert [name for name in CATALOGUE if name.startswith(always) and family_of(name) is not None] == []
    for family in FAMILIES:
        for channel in ("app", "email"):
            prefer(world.customer, family, channel, "off")

    event_id = scheduling.make_event(world)["id"]
    booking_id = scheduling.book(world, event_id, world.customer, 1)
    notify(world, "booking.cancelled", 1, event_id=event_id, booking_id=str(booking_id), by_organizer=True)

    (message,) = aws.mailed()
    assert len(notifications(world)) == 1
    assert [message[name] for name in HEADERS] == [None, None]


def test_unknown_family_channel_or_delivery_is_refused(world):
    answers = [
        prefer(world.customer, "payments", "email", "off"),
        prefer(world.customer, "bookings", "post", "off"),
        prefer(world.customer, "bookings", "email", "never"),
        gateway.patch("people", "/notification-preferences", {"items": []}, caller=world.customer),
    ]

    assert [(answer.status, answer.body["code"]) for answer in answers] == [(422, "invalid_request")] * 4


def test_email_is_unsubscribed_by_one_click_without_signing_in(world, aws):
    confirm(world, 1)
    (message,) = aws.mailed()

    answer = gateway.post("people", link(message), "List-Unsubscribe=One-Click",
                          headers={"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    confirm(world, 2)

    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (answer.status, answer.body) == (200, {"family": "bookings"})
    assert aws.mailed() == []
    assert len(notifications(world)) == 2
    chosen = get("/notification-preferences", world.customer).body["items"]
    assert [row for row in chosen if row["delivery"] == "off"] == [
        {"family": "bookings", "channel": "email", "delivery": "off"}
    ]
    assert gateway.post("people", link(message)).status == 200


def test_changed_link_unsubscribes_nobody(world, aws):
    confirm(world, 1)
    path = link(aws.mailed()[0])
    key, person, family, signature = path.removeprefix("/unsubscribe/").split(".")
    changed = [
        f"{key}.{world.second_customer}.{family}.{signature}",
        f"{key}.{person}.reminders.{signature}",
        f"9.{person}.{family}.{signature}",
        f"{key}.{person}.{family}.{'0' * 64}",
        "x",
    ]

    answers = [gateway.post("people", f"/unsubscribe/{token}") for token in changed]

    assert [(answer.status, answer.body["code"]) for answer in answers] == [(404, "unsubscribe_link_not_found")] * 5
    assert world.db.execute("select from messaging.preferences").fetchall() == []


def test_older_key_still_verifies_and_a_deleted_one_does_not(world, aws):
    confirm(world, 1)
    old = link(aws.mailed()[0])
    world.db.execute(
        "insert into messaging.unsubscribe_keys (inner_secret, outer_secret) select outer_secret, inner_secret"
        " from messaging.unsubscribe_keys"
    )
    confirm(world, 2)
    new = link(aws.mailed()[0])

    assert old != new
    assert [gateway.post("people", path).status for path in (old, new)] == [200, 200]
    world.db.execute(
        "delete from messaging.unsubscribe_keys where id = (select min(id) from messaging.unsubscribe_keys)"
    )
    assert [gateway.post("people", path).status for path in (old, new)] == [404, 200]


def test_link_of_an_erased_person_does_nothing(world, aws):
    confirm(world, 1)
    path = link(aws.mailed()[0])
    routines.call(world.db, world.customer, "select users.erase_profile(%s)", [world.customer])

    answer = gateway.post("people", path)

    assert (answer.status, answer.body["code"]) == (404, "unsubscribe_link_not_found")
    assert world.db.execute("select from messaging.preferences").fetchall() == []


def test_email_without_the_address_of_the_api_has_no_link(world, aws, monkeypatch):
    monkeypatch.delenv("API_URL")

    confirm(world, 1)

    (message,) = aws.mailed()
    assert [message[name] for name in HEADERS] == [None, None]
    assert "Evening yoga" in plain(message)
