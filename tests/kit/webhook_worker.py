"""Create a subscribing organization and outbox messages for deliver-webhooks, and read the sent requests."""

from marquee.core.identity import Caller
from tests.kit import gateway
from tests.kit.aws import record

SCHEDULE = {"job": "deliver_webhooks"}
LONG = gateway.Context(milliseconds_left=60_000)


def admin(world):
    return Caller(world.owner, "authenticated", world.organization_id)


def subscribe(world, url, **options):
    """Create an endpoint through the API and return it with its secret."""
    answer = gateway.post("webhook-endpoints", "/webhook-endpoints", {"url": url, **options}, caller=admin(world))
    assert answer.status == 201, answer.text
    return answer.body


def build_message(world, number=1, topic="booking.confirmed", key="event-1", **payload):
    return {
        "id": number,
        "topic": topic,
        "key": key,
        "payload": {"organization_id": str(world.organization_id), "number": number, **payload},
        "created_at": "2030-01-01T00:00:00+00:00",
        "correlation_id": None,
    }


def receive(*happenings, context=LONG):
    """Pass outbox messages to the function in one bundle."""
    return gateway.invoke("deliver-webhooks", {"Records": [record({"happenings": list(happenings)})]}, context)


def run():
    return gateway.invoke("deliver-webhooks", SCHEDULE, LONG)


def rows(world):
    return world.db.execute(
        """
        select d.*, d.next_attempt_at - now() as pause, (d.payload ->> 'number')::integer as number
        from messaging.webhook_deliveries as d
        order by d.outbox_id
        """
    ).fetchall()
