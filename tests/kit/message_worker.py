"""Build outbox messages for functions/send-messages and read the results.

`deliver(build_message(world, "booking.confirmed"))` passes one message.
"""

from datetime import UTC, datetime
from uuid import uuid4

from tests.kit import gateway
from tests.kit.aws import record

STARTS_AT = datetime(2031, 3, 3, 17, tzinfo=UTC)


def an_event(world, **changes):
    """Insert an event on Monday, 3 March 2031, from 18:00 to 19:30 in Zurich."""
    event_id = uuid4()
    values = {
        "title": "Evening yoga",
        "time_zone": "Europe/Zurich",
        "starts_at": STARTS_AT,
        "ends_at": STARTS_AT.replace(hour=18, minute=30),
        **changes,
    }
    world.db.execute(
        """
        insert into events.events (
            id, starts_at, ends_at, organization_id, title, language, time_zone, currency, policy, location_id,
            instructor_id
        )
        values (%s, %s, %s, %s, %s, 'en', %s, 'CHF', '{}', %s, %s)
        """,
        [
            event_id,
            values["starts_at"],
            values["ends_at"],
            world.organization_id,
            values["title"],
            values["time_zone"],
            world.location_id,
            world.instructor_id,
        ],
    )
    world.db.execute("insert into events.inventory (event_id, capacity) values (%s, 10)", [event_id])
    return event_id


def build_message(world, topic, number=1, **payload):
    """Build an outbox message."""
    event_id = payload.pop("event_id", None) or an_event(world)
    return {
        "id": number,
        "topic": topic,
        "key": str(event_id),
        "payload": {
            "event_id": str(event_id),
            "organization_id": str(world.organization_id),
            "customer_id": str(world.customer),
            "seats": 2,
            **payload,
        },
        "created_at": "2030-01-01T00:00:00+00:00",
        "correlation_id": None,
    }


def deliver(*happenings):
    """Pass the messages to the function in one bundle."""
    return gateway.invoke("send-messages", {"Records": [record({"happenings": list(happenings)})]})


def notifications(world):
    return world.db.execute(
        "select user_id, topic, subject, body, organization_id from messaging.notifications order by id"
    ).fetchall()


def deliveries(world):
    return world.db.execute(
        "select outbox_id, recipient, status, attempts, provider_id is not null as has_id from messaging.deliveries"
    ).fetchall()


def plain(message):
    return message.get_body(("plain",)).get_content()
