"""Test that a preview writes nothing, and that its numbers are those of the action afterwards, in random worlds.

A world has events and a series with bookings of every payment method, unpaid bookings and waitlists. Each action is
previewed, then done, and its effects are counted from the tables. MARQUEE_EXAMPLES=100 sets the number of worlds; they
are the same in each run.
"""

import os
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.kit import gateway, routines
from tests.kit.gateway import Answer
from tests.kit.money_figures import Till
from tests.kit.wallets import CreditBookings

EXAMPLES = int(os.environ.get("MARQUEE_EXAMPLES", "3"))
METHODS = ["card", "card unpaid", "wallet", "invoice", "cash", "pass"]
NOT_COMPARED = {"ops.rate_limits", "ops.performance_metrics", "ops.performance_metrics_hourly"}
"""Tables that every request writes: its tokens, and the samples of its duration."""
LIVE = ("pending_payment", "held", "confirmed")

Database = psycopg.Connection[Any]
Dice = random.Random


class Studio:
    """An organization with events, a series and customers with bookings, by chance."""

    def __init__(self, db: Database, dice: Dice) -> None:
        db.execute("update ops.rate_limit_rules set burst = 100000, per_minute = 100000")
        self.db, self.dice = db, dice
        self.till = Till(db, cancel_hours_before=dice.choice([0, 24, 2160]), late_refund_percent=dice.choice([0, 50]))
        self.owner = self.till.owner
        self.organization = str(self.till.stage.organization_id)
        made = self.send("organizations", "POST", f"/organizations/{self.organization}/policies", {"name": "Usual"})
        self.policy = made.body["id"]
        series = {
            "organization_id": self.organization, "title": "Yoga", "recurrence": "RRULE:FREQ=DAILY;COUNT=4",
            "local_start_time": "09:00", "start_date": str(self.day(9)), "duration_minutes": 60, "capacity": 3,
            "price_cents": 2000, "time_zone": "UTC",
        }  # fmt: skip
        self.series = self.send("manage-events", "POST", "/series", series).body["id"]
        self.events = [str(self.till.event(capacity=2, starts_in=f"{days} days")) for days in (8, 10, 11)]
        self.events.append(str(self.till.event(capacity=2, price_cents=0, starts_in="10 days")))
        rows = db.execute("select e.id from events.events as e where e.series_id = %s order by e.id", [self.series])
        self.events += [str(row["id"]) for row in rows.fetchall()]
        self.customers = self.till.stage.customers(4)
        for customer in self.customers:
            self.till.give(customer, 60000)
            self.till.give_pass(customer, 5)
        for event_id in self.events:
            for customer in dice.sample(self.customers, dice.randint(0, 4)):
                self.join(event_id, customer)

    def day(self, number: int) -> Any:
        return datetime.now(UTC).date() + timedelta(days=number)

    def send(self, function: str, method: str, path: str, body: Any, **options: Any) -> Answer:
        return gateway.request(function, method, path, body, **{"caller": self.owner, **options})

    def join(self, event_id: str, customer: UUID) -> None:
        """Book with some method, or wait if no seat is left."""
        method = self.dice.choice(METHODS)
        try:
            if method == "cash":
                self.till.take("cash", customer_id=customer, event_id=event_id)
                return
            given = method.removesuffix(" unpaid")
            booking = CreditBookings.book(self.till, customer, given, event_id=UUID(event_id))
            if method == "card":
                self.till.apply_payment(booking)
        except psycopg.Error as error:
            if routines.code_of(error) == "sold_out":
                routines.call(self.db, customer, "select events.join_waitlist(event_id => %s)", [event_id])

    def actions(self) -> list[tuple[str, str, str, dict[str, Any]]]:
        """Return requests by chance: function, method, path and body."""
        bookings = [
            str(row["id"])
            for row in self.db.execute(
                "select b.id from events.bookings as b where b.organization_id = %s order by b.id", [self.organization]
            ).fetchall()
        ]
        first, second = (f"/events/{event_id}" for event_id in self.dice.sample(self.events, 2))
        series = f"/series/{self.series}"
        later = (datetime.now(UTC) + timedelta(days=20)).replace(microsecond=0)
        moved = {"starts_at": later.isoformat(), "ends_at": (later + timedelta(hours=1)).isoformat()}
        days = {"from": str(self.day(9)), "until": str(self.day(self.dice.choice([9, 10]))), "reason": "Works."}
        policy = f"/organizations/{self.organization}/policies/{self.policy}"
        return [
            *(("cancel", "POST", f"/bookings/{booking}/cancel", {}) for booking in self.dice.sample(bookings, 2)),
            ("manage-events", "PATCH", first, {"price_cents": 700}),
            ("manage-events", "PATCH", first, moved),
            ("manage-events", "PATCH", second, {"capacity": self.dice.choice([0, 1, 5])}),
            ("manage-events", "POST", f"{first}/cancel", {"reason": "Ill."}),
            ("organizations", "PATCH", policy, {"cancel_hours_before": 48, "late_fee_cents": 300}),
            ("manage-events", "PATCH", series, {"scope": "all", "local_start_time": "18:00"}),
            ("manage-events", "POST", f"/organizations/{self.organization}/closures", days),
            (
                "manage-events", "PATCH", series,
                {"scope": "following", "from_date": str(self.day(11)), "recurrence": "RRULE:FREQ=WEEKLY"},
            ),
            ("manage-events", "PATCH", series, {"scope": "all", "recurrence": "RRULE:FREQ=DAILY;COUNT=1"}),
        ]  # fmt: skip

    def contents(self) -> dict[str, Any]:
        """Return a digest of every table."""
        tables = [
            row["name"]
            for row in self.db.execute(
                "select c.oid::regclass::text as name from pg_class as c"
                " inner join pg_namespace as n on n.oid = c.relnamespace"
                " where c.relkind in ('r', 'p') and not c.relispartition"
                " and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
            ).fetchall()
        ]
        union = " union all ".join(
            f"select '{name}' as name, md5(string_agg(t::text, '|' order by t::text)) as digest from {name} as t"
            for name in tables
            if name not in NOT_COMPARED
        )
        return {row["name"]: row["digest"] for row in self.db.execute(union).fetchall()}

    def rows(self) -> dict[str, dict[Any, Any]]:
        """Return the states that an action may change, by id."""
        queries = {
            "events": "select t.event_id as id, t.status::text, null as customer, 0 as seats from events.terms as t",
            "bookings": "select b.id, b.status::text, b.customer_id as customer, b.seats from events.bookings as b",
            "entries": "select w.id, w.status::text, w.customer_id as customer, w.seats"
            " from events.waitlist_entries as w",
            "intents": "select i.id, i.status::text, null as customer, 0 as seats from payments.intents as i",
            "refunds": "select r.id, r.currency::text as status, null as customer, r.amount_cents as seats"
            " from payments.refunds as r",
            "messages": "select o.id, o.topic as status, (o.payload ->> 'customer_id')::uuid as customer, 0 as seats"
            " from public.outbox as o",
        }
        return {
            name: {
                row["id"]: (row["status"], row["customer"], row["seats"]) for row in self.db.execute(query).fetchall()
            }
            for name, query in queries.items()
        }


def difference(before: dict[str, dict[Any, Any]], after: dict[str, dict[Any, Any]]) -> dict[str, Any]:
    """Return the effects of an action in the form of a preview, from the rows before and after it."""
    changed = {name: [row for key, row in rows.items() if before[name].get(key) != row] for name, rows in after.items()}
    ended = [row for row in changed["bookings"] if row[0] not in LIVE]
    customers = {row[1] for name in ("entries", "messages") for row in changed[name]} | {row[1] for row in ended}
    money: Counter[str] = Counter()
    for currency, _, cents in changed["refunds"]:
        money[currency] += cents
    return {
        "events": sum(1 for row in changed["events"] if row[0] == "cancelled"),
        "bookings": len(ended),
        "seats": sum(row[2] for row in ended),
        "waitlist_entries": sum(1 for row in changed["entries"] if row[0] not in ("waiting", "offered")),
        "offers": sum(1 for row in changed["entries"] if row[0] == "offered"),
        "people": len(customers - {None}),
        "refunds": [
            {"currency": currency, "payments": len(changed["refunds"]), "amount_cents": cents}
            for currency, cents in sorted(money.items())
        ],
        "payments_stopped": sum(1 for row in changed["intents"]),
        "messages": len(changed["messages"]),
        "topics": dict(Counter(row[0] for row in changed["messages"])),
    }


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_preview_equals_the_action_and_writes_nothing(db: Database, seed: int) -> None:
    studio = Studio(db, random.Random(seed))
    total: Counter[str] = Counter()
    for function, method, path, body in studio.actions():
        before = studio.contents()

        preview = studio.send(function, method, path, body, query={"preview": "true"})

        assert studio.contents() == before, path
        rows = studio.rows()
        consent = {} if function in ("cancel", "organizations") or path.endswith("/cancel") else {"confirm": True}
        done = studio.send(function, method, path, {**body, **consent})
        if preview.status >= 400:
            assert (preview.status, preview.body["code"]) == (done.status, done.body["code"]), path
            continue
        assert (preview.status, done.status // 100) == (200, 2), done.text
        assert preview.body == difference(rows, studio.rows()), (method, path, body)
        total.update({name: value for name, value in preview.body.items() if isinstance(value, int)})
    assert total["bookings"] > 0
    assert total["messages"] > 0
    assert studio.till.findings() == []


@pytest.fixture
def studio(db: Database) -> Studio:
    return Studio(db, random.Random(1))


def test_preview_takes_tokens_of_the_route(studio: Studio) -> None:
    studio.db.execute("update ops.rate_limit_rules set burst = 2, per_minute = 1 where operation = 'edit_events'")
    studio.db.execute("delete from ops.rate_limits")
    path = f"/events/{studio.events[0]}/cancel"

    statuses = [studio.send("manage-events", "POST", path, {}, query={"preview": "true"}).status for _ in range(3)]

    assert statuses == [200, 200, 429]


def test_preview_uses_no_idempotency_key(studio: Studio) -> None:
    path = f"/organizations/{studio.organization}/closures"
    body = {"from": str(studio.day(60)), "until": str(studio.day(60)), "reason": "Works."}

    preview = studio.send("manage-events", "POST", path, body, query={"preview": "true"}, key="k")
    done = studio.send("manage-events", "POST", path, body, key="k")

    assert (preview.status, done.status) == (200, 201)
    assert "topics" not in done.body


def test_preview_keeps_no_lock(studio: Studio) -> None:
    path = f"/series/{studio.series}"
    edit = {"scope": "all", "recurrence": "RRULE:FREQ=DAILY;COUNT=1"}

    assert studio.send("manage-events", "PATCH", path, edit, query={"preview": "true"}).status == 200

    held = studio.db.execute(
        "select count(*) as number from pg_locks as l where l.pid <> pg_backend_pid() and l.granted"
        " and l.database = (select d.oid from pg_database as d where d.datname = current_database())"
    ).fetchone()
    assert held == {"number": 0}


def test_preview_is_for_those_who_may_act(studio: Studio) -> None:
    stranger = studio.till.stage.stranger()
    desk = studio.till.stage.member("front_desk")
    for path, caller, status in (
        (f"/events/{studio.events[0]}/cancel", stranger, 403),
        (f"/events/{studio.events[0]}/cancel", desk, 403),
        (f"/organizations/{studio.organization}/closures", stranger, 403),
    ):
        body = {"from": "2031-01-01", "until": "2031-01-01", "reason": "x"} if path.endswith("closures") else {}
        answer = studio.send("manage-events", "POST", path, body, query={"preview": "true"}, caller=caller)
        assert answer.status == status, answer.text
