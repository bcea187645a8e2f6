"""Fills the database with the demo: organizations, people, events, some bookings.

    python -m demo.load --url postgresql://…

Existing data stay unchanged, so it can run at every start. It then creates only missing parts, such as a single event
after a past one, and the events of series up to the horizon. All data are created by the routines and the code that the
functions use; only people and places, which have no routes yet, are inserted as rows.
"""

import argparse
import contextlib
import os
import time
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.types.json import JsonbDumper

from marquee.booking import bookings
from marquee.core import clock, database
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.identity import Caller
from marquee.scheduling import events, generation, recurrence, series

FOLDER = Path(__file__).parent

Tree = dict[str, Any]
Owner = psycopg.Connection[tuple[Any, ...]]


def load(url: str) -> str:
    """Create the missing parts of the demo in the database at `url`, as its owner. Returns a summary."""
    people = tomllib.loads((FOLDER / "people.toml").read_text())
    data = tomllib.loads((FOLDER / "data.toml").read_text())
    now = clock.now()
    with _connected(url):
        with _owner(url) as owner:
            _place_people(owner, people)
            _place_organizations(owner, people)
            _place_policies_and_places(owner, data, people)
        with database.transaction(database.service()) as session:
            _plan(session, data, people, now)
        _book(data, people, now)
        with database.single(database.service()) as session:
            counts = session.one(
                """
                select
                    (select count(*) from organizations.organizations) as organizations,
                    (select count(*) from events.series) as series,
                    (select count(*) from events.events) as events,
                    (select count(*) from events.bookings) as bookings
                """
            )
    return "{organizations} organizations, {series} series, {events} events, {bookings} bookings".format(
        **(counts or {})
    )


@contextlib.contextmanager
def _connected(url: str) -> Iterator[None]:
    """Connect the domain's sessions to this database."""
    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = url
    try:
        yield
    finally:
        database.disconnect()
        if before is None:
            del os.environ["DATABASE_URL"]
        else:
            os.environ["DATABASE_URL"] = before


@contextlib.contextmanager
def _owner(url: str) -> Iterator[Owner]:
    """Connect as the database's owner, in one transaction: only the owner may write people and organizations."""
    with psycopg.connect(url) as connection:
        connection.adapters.register_dumper(dict, JsonbDumper)
        yield connection


def _place_people(owner: Owner, people: Tree) -> None:
    for name, person in people["people"].items():
        owner.execute(
            """
            insert into users.profiles (id, email, email_verified_at, name, language) values (%s, %s, now(), %s, %s)
            on conflict do nothing
            """,
            [person["id"], f"{name}@example.org", name.title(), person["language"]],
        )


def _place_organizations(owner: Owner, people: Tree) -> None:
    for slug, organization in people["organizations"].items():
        owner.execute(
            """
            insert into organizations.organizations (id, slug, name, country, currency, time_zone, language, branding)
            values (%(id)s, %(slug)s, %(name)s, %(country)s, %(currency)s, %(time_zone)s, %(language)s, %(branding)s)
            on conflict do nothing
            """,
            {**organization, "slug": slug},
        )
        for name, role in organization["members"].items():
            owner.execute(
                """
                insert into organizations.memberships (organization_id, user_id, role)
                values (%s, %s, %s::organizations.member_role)
                on conflict do nothing
                """,
                [organization["id"], people["people"][name]["id"], role],
            )


def _place_policies_and_places(owner: Owner, data: Tree, people: Tree) -> None:
    for policy in data["policies"].values():
        columns = {"organization_id": _organization(people, policy)["id"], **_without(policy, "organization")}
        _insert(owner, "organizations.policies", columns)
    for location in data["locations"].values():
        organization = _organization(people, location)
        columns = {
            "organization_id": organization["id"],
            "country": organization["country"],
            "time_zone": organization["time_zone"],
            **_without(location, "organization"),
        }
        _insert(owner, "organizations.locations", columns)
    for instructor in data["instructors"].values():
        columns = {
            "organization_id": _organization(people, instructor)["id"],
            "user_id": people["people"][instructor["person"]]["id"],
            **_without(instructor, "organization", "person"),
        }
        _insert(owner, "organizations.instructors", columns)


def _insert(owner: Owner, table: str, columns: Tree) -> None:
    statement = sql.SQL("insert into {} ({}) values ({}) on conflict do nothing").format(
        sql.Identifier(*table.split(".")),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(sql.Placeholder() * len(columns)),
    )
    owner.execute(statement, list(columns.values()))


def _plan(session: Session, data: Tree, people: Tree, now: datetime) -> None:
    """Create series with their events, and future single events."""
    made = {(row["organization_id"], row["title"]): row for row in session.all("select s.* from events.series as s")}
    coming = {
        (row["organization_id"], row["title"])
        for row in session.all(
            "select e.organization_id, e.title from events.events as e where e.series_id is null and e.starts_at > %s",
            [now],
        )
    }
    for one in data["series"]:
        organization = _organization(people, one)
        if (UUID(organization["id"]), one["title"]) not in made:
            start_date = now.astimezone(ZoneInfo(organization["time_zone"])).date()
            details = {**_details(data, organization, one), "start_date": start_date}
            series.create(session, series.SeriesRequest.model_validate(details), None, now)
    for one in data["events"]:
        organization = _organization(people, one)
        if (UUID(organization["id"]), one["title"]) not in coming:
            details = {**_details(data, organization, one), **_times(organization, one, now)}
            events.create(session, events.EventRequest.model_validate(details), None)
    generation.generate(session, [row["id"] for row in made.values()], now)


def _times(organization: Tree, event: Tree, now: datetime) -> Tree:
    zone = ZoneInfo(organization["time_zone"])
    day = now.astimezone(zone).date() + timedelta(days=event["in_days"])
    starts_at = recurrence.instant(datetime.combine(day, datetime.strptime(event["at"], "%H:%M").time()), zone)
    return {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=event["duration_minutes"])}


def _details(data: Tree, organization: Tree, one: Tree) -> Tree:
    """Return the members that the requests for a series and for an event share."""
    known = _without(one, "organization", "location", "instructor", "policy", "in_days", "at")
    if "in_days" in one:
        del known["duration_minutes"]
    for name in ("location", "instructor"):
        if name in one:
            known[f"{name}_id"] = data[f"{name}s"][one[name]]["id"]
    if "policy" in one:
        known["policy_id"] = data["policies"][one["policy"]]["id"]
    return {"organization_id": organization["id"], **known}


def _book(data: Tree, people: Tree, now: datetime) -> None:
    """Book some places at the next event of a title, each by its customer."""
    for one in data["bookings"]:
        with database.single(database.service()) as session:
            row = session.one(
                """
                select
                    e.id,
                    array(select b.customer_id::text from events.bookings as b where b.event_id = e.id) as customers
                from events.events as e
                inner join events.terms as t on t.event_id = e.id
                where
                    e.title = %s and e.starts_at > %s and e.starts_at < %s and e.status = 'scheduled'
                    and e.price_cents = 0 and coalesce(t.opens_at, '-infinity') <= %s and t.closes_at > %s
                order by e.starts_at, e.id
                limit 1
                """,
                [one["title"], now + timedelta(hours=1), now + timedelta(days=40), now, now + timedelta(minutes=5)],
            )
        if row is None:
            continue
        for name, seats in one["people"].items():
            customer_id = people["people"][name]["id"]
            if customer_id in row["customers"]:
                continue
            request = bookings.BookingRequest(event_id=row["id"], seats=seats)
            # Users of the demo may have booked or held the places.
            with (
                contextlib.suppress(Refused),
                database.single(Caller(UUID(customer_id), "authenticated")) as session,
            ):
                bookings.book(session, request, f"demo-{row['id']}")


def _organization(people: Tree, one: Tree) -> Tree:
    found: Tree = people["organizations"][one["organization"]]
    return found


def _without(tree: Tree, *names: str) -> Tree:
    return {name: value for name, value in tree.items() if name not in names}


def main() -> int:
    """Load the demo and print the summary."""
    parser = argparse.ArgumentParser(prog="python -m demo.load", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--url", required=True, help="the owner's connection to the database")
    began = time.perf_counter()
    print(f"{load(parser.parse_args().url)} ({time.perf_counter() - began:.1f} s)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
