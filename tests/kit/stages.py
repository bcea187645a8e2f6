"""Create a small stage for tests of booking directly in the database: one organization, customers and events.

stage = stages.create(db)
event_id = stage.event(capacity=5)
customer_id = stage.customer()
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

POLICY = {
    "opens_days_before": None,
    "closes_minutes_before": 0,
    "cancel_hours_before": 24,
    "late_fee_cents": 500,
    "late_credit_lost": True,
    "no_show_fee_cents": 900,
    "refund_to": "original",
}

DRIFT = """
select e.event_id, e.capacity, e.taken, e.held, e.waitlisted, b.taken as booked, h.held as holding, w.waiting
from events.inventory as e
left join lateral (
    select coalesce(sum(b.seats), 0) as taken
    from events.bookings as b
    where b.event_id = e.event_id and b.status in ('confirmed', 'attended', 'no_show')
) as b on true
left join lateral (
    select coalesce(sum(h.seats), 0) as held
    from events.holds as h
    where h.event_id = e.event_id and h.status = 'active'
) as h on true
left join lateral (
    select count(*) as waiting
    from events.waitlist_entries as w
    where w.event_id = e.event_id and w.status = 'waiting'
) as w on true
where e.taken <> b.taken or e.held <> h.held or e.waitlisted <> w.waiting or e.taken + e.held > e.capacity
"""
"""Finds events that are oversold or whose counters differ from their rows. There must be none."""


@dataclass(frozen=True, slots=True)
class Stage:
    """An organization with its owner. Its methods create events and people."""

    db: psycopg.Connection[Any]
    organization_id: UUID
    owner: UUID

    def event(self, capacity: int | None = 10, starts_in: str = "10 days", **columns: Any) -> UUID:
        """Create a scheduled, public, free event of one hour. `columns` change the values."""
        event_id = columns.pop("id", None) or uuid4()
        given = {
            "title": "Class",
            "price_cents": 0,
            "visibility": "public",
            "status": "scheduled",
            "policy": POLICY,
            **columns,
        }
        self.db.execute(
            """
            insert into events.events (
                id, starts_at, ends_at, organization_id, title, language, time_zone, currency, policy, price_cents,
                visibility, status
            )
            values (
                %(id)s, now() + %(starts_in)s::interval, now() + %(starts_in)s::interval + interval '1 hour',
                %(organization_id)s, %(title)s, 'en', 'Europe/Zurich', 'CHF', %(policy)s, %(price_cents)s,
                %(visibility)s::events.visibility, %(status)s::events.event_status
            )
            """,
            {
                **given,
                "policy": Jsonb(given["policy"]),
                "id": event_id,
                "starts_in": starts_in,
                "organization_id": self.organization_id,
            },
        )
        self.db.execute("insert into events.inventory (event_id, capacity) values (%s, %s)", [event_id, capacity])
        return event_id

    def stranger(self, name: str = "stranger") -> UUID:
        """Create a person whom the organization does not know, so that its staff cannot act for them."""
        stranger_id = uuid4()
        self.db.execute(
            "insert into users.profiles (id, name, email, email_verified_at) values (%s, %s, %s, now())",
            [stranger_id, name, f"{stranger_id.hex[:12]}@example.org"],
        )
        return stranger_id

    def customer(self, name: str = "customer") -> UUID:
        """Create a customer of the organization with a wallet, so that its staff can act for them."""
        customer_id = self.stranger(name)
        self.came(customer_id)
        return customer_id

    def came(self, person_id: UUID) -> None:
        """Make a person known to the organization with an empty wallet (see organizations.has_customer)."""
        self.db.execute(
            """
            insert into payments.accounts (owner_kind, owner_id, type, currency, organization_id)
            select 'user', %s, 'credits', o.currency, o.id from organizations.organizations as o where o.id = %s
            on conflict do nothing
            """,
            [person_id, self.organization_id],
        )

    def customers(self, number: int) -> list[UUID]:
        """Create several customers."""
        return [self.customer() for _ in range(number)]

    def member(self, role: str) -> UUID:
        """Create a member of the organization."""
        member_id = self.stranger(role)
        self.db.execute(
            "insert into organizations.memberships (organization_id, user_id, role) values (%s, %s, %s)",
            [self.organization_id, member_id, role],
        )
        return member_id

    def instructor(self, event_id: UUID | None = None) -> UUID:
        """Create a member with the role `instructor` and a public page, who leads the event if one is given."""
        member_id, instructor_id = self.member("instructor"), uuid4()
        self.db.execute(
            "insert into organizations.instructors (id, organization_id, user_id, name) values (%s, %s, %s, 'Felix')",
            [instructor_id, self.organization_id, member_id],
        )
        self.db.execute("update events.events set instructor_id = %s where id = %s", [instructor_id, event_id])
        return member_id


def organization(db: psycopg.Connection[Any], **columns: Any) -> UUID:
    """Insert an organization in Zurich without members. `columns` change its values, such as offer_minutes."""
    organization_id: UUID = columns.get("id") or uuid4()
    name = columns.get("name", "Studio")
    given = {
        "id": organization_id,
        "slug": f"{name.lower()}-{organization_id.hex[:8]}",
        "name": name,
        "country": "CH",
        "currency": "CHF",
        "time_zone": "Europe/Zurich",
        **columns,
    }
    names = psycopg.sql.SQL(", ").join(psycopg.sql.Identifier(name) for name in given)
    db.execute(
        psycopg.sql.SQL("insert into organizations.organizations ({}) values ({})").format(
            names, psycopg.sql.SQL(", ").join(psycopg.sql.Placeholder() * len(given))
        ),
        list(given.values()),
    )
    return organization_id


def create(db: psycopg.Connection[Any], **columns: Any) -> Stage:
    """Insert an organization with its owner. `columns` are those of `organization`."""
    made = Stage(db, organization(db, **columns), uuid4())
    db.execute("insert into users.profiles (id, name) values (%s, 'owner')", [made.owner])
    db.execute(
        "insert into organizations.memberships (organization_id, user_id, role) values (%s, %s, 'owner')",
        [made.organization_id, made.owner],
    )
    return made
