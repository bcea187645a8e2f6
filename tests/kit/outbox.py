"""Write, claim and finish outbox messages, and collect them with a listener."""

from collections.abc import Sequence

from marquee.messaging import relay
from marquee.messaging.topics import Bundle, OutboxMessage


def say(db, *keys, topic="booking.confirmed"):
    """Write a message for each key in order, and return the ids."""
    return [
        row["id"]
        for key in keys
        for row in db.execute(
            "insert into public.outbox (topic, key, payload) values (%s, %s, '{}') returning id", [topic, key]
        ).fetchall()
    ]


def unfinished(db):
    return db.execute("select count(*) as n from public.outbox where relayed_at is null").fetchone()["n"]


class Listener:
    """Receives bundles, but refuses bundles that contain a listed message."""

    def __init__(self, refused: Sequence[int] = ()) -> None:
        self.refused = set(refused)
        self.heard: list[OutboxMessage] = []
        self.calls: list[list[int]] = []

    def __call__(self, bundles: Sequence[Bundle]) -> None:
        self.calls.append([len(bundle.messages) for bundle in bundles])
        refused = [bundle for bundle in bundles if self.refused & {each.id for each in bundle.messages}]
        self.heard += [each for bundle in bundles if bundle not in refused for each in bundle.messages]
        if refused:
            raise relay.NotTaken(refused, "InternalError")

    @property
    def ids(self) -> list[int]:
        return [each.id for each in self.heard]


def run(listener, seconds=60.0, most=500):
    return relay.relay(listener, lambda: seconds, most=most)
