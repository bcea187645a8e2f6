"""The two databases of time zones: pinned, compared, and followed by events when their rules change."""

import json
import os
import re
import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from marquee.core import time_zones
from marquee.operations import zone_rules
from tests.kit import gateway, scheduling

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 12, 1, 10, tzinfo=UTC)


@pytest.fixture
def world(db):
    return scheduling.world(db, time_zone="America/Vancouver")


def run(job):
    return gateway.invoke("maintain", {"job": job}, gateway.Context(milliseconds_left=300_000))


def health(db):
    """Return the health check of the time zones."""
    db.execute("select ops.check_health()")
    return db.execute(
        "select status, value, details from ops.health_checks where name = 'time_zones_differing'"
    ).fetchone()


def shift(db, event_id, hours):
    """Move an event as if the rules of its zone had changed: the clock of the place is as before."""
    db.execute("alter table events.events disable trigger count_changes")
    db.execute(
        "update events.events set starts_at = starts_at + make_interval(hours => %s),"
        " ends_at = ends_at + make_interval(hours => %s) where id = %s",
        [hours, hours, event_id],
    )
    db.execute("alter table events.events enable trigger count_changes")


def event_of(db, event_id):
    query = """
        select e.starts_at, e.ends_at, e.starts_at at time zone e.time_zone as local_start, e.sequence, t.opens_at
        from events.events as e
        inner join events.terms as t on t.event_id = e.id
        where e.id = %s
        """
    return db.execute(query, [event_id]).fetchone()


@pytest.mark.parametrize("setting", [None, "/usr/share/zoneinfo", ""])
def test_code_reads_the_pinned_zones_alone(setting):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONTZPATH"}
    environment |= {"PYTHONPATH": str(ROOT / "layers/domain")} | ({} if setting is None else {"PYTHONTZPATH": setting})
    code = "import marquee.scheduling.rules, marquee.messaging.languages, zoneinfo; print(zoneinfo.TZPATH)"

    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "()"


def test_functions_commands_and_tests_pin_the_zones():
    template = (ROOT / "template.yaml").read_text()
    assert re.search(r'^Globals:.*?^        PYTHONTZPATH: ""$.*?^Resources:', template, re.MULTILINE | re.DOTALL)
    assert "export PYTHONTZPATH :=\n" in (ROOT / "Makefile").read_text()
    assert (zoneinfo.TZPATH, os.environ["PYTHONTZPATH"]) == ((), "")


def test_only_one_module_looks_zones_up_by_name():
    """ZoneInfo of a variable name, elsewhere than in core.time_zones, could be read before the zones are pinned."""
    domain = ROOT / "layers/domain/marquee"
    found = {
        module.relative_to(domain).as_posix()
        for module in domain.rglob("*.py")
        if re.search(r"\bZoneInfo\((?!\"UTC\"\))", module.read_text())
    }
    assert found == {"core/time_zones.py"}


@pytest.mark.parametrize("name", ["Europe/Zurich", "America/Vancouver", "Australia/Lord_Howe", "Asia/Tokyo"])
def test_transitions_are_exact(name):
    days = time_zones.days_from(NOW, 580)

    changes = time_zones.transitions(name, days)

    for change in changes:
        before, after = (at.astimezone(ZoneInfo(name)).utcoffset() for at in (change - timedelta(seconds=1), change))
        assert before != after
    assert len(changes) == {"Europe/Zurich": 3, "Australia/Lord_Howe": 3}.get(name, len(changes))
    assert name != "Asia/Tokyo" or changes == []


def test_equal_rules_are_healthy(world):
    scheduling.make_event(world, time_zone="Australia/Lord_Howe")

    answer = run("time_zones")

    assert answer["details"] == {"differing": {}}
    found = health(world.db)
    assert (found["status"], found["value"], found["details"]) == ("healthy", 0, {})


@pytest.mark.parametrize("use", ["organization", "location", "series", "event"])
def test_different_rules_of_a_zone_in_use_are_a_warning(world, monkeypatch, use):
    zone = "Asia/Tokyo"
    if use == "organization":
        world.db.execute("update organizations.organizations set time_zone = %s", [zone])
    elif use == "location":
        world.db.execute("update organizations.locations set time_zone = %s", [zone])
    elif use == "series":
        scheduling.make_series(world, time_zone=zone)
    else:
        scheduling.make_event(world, time_zone=zone)
    real = time_zones.offset_seconds
    first = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=24 * 570, minutes=17)
    monkeypatch.setattr(
        time_zones,
        "offset_seconds",
        lambda name, at: real(name, at) + (3600 if name == zone and at >= first else 0),
    )

    answer = run("time_zones")

    assert answer["details"] == {"differing": {zone: first.isoformat()}}
    found = health(world.db)
    assert (found["status"], found["value"], found["details"]) == ("warning", 1, answer["details"]["differing"])


def test_zone_that_only_the_server_knows_is_a_difference(world, monkeypatch):
    world.db.execute("insert into ref.timezones (name) values ('Mars/Olympus')")
    world.db.execute("update organizations.locations set time_zone = 'Mars/Olympus'")

    assert list(zone_rules.compare(NOW)) == ["Mars/Olympus"]


def test_zone_that_only_the_server_has_changed_is_found_within_a_day(world, monkeypatch):
    """The functions know no change on that day; the server changes twice, a day apart."""
    real = time_zones.offset_seconds
    monkeypatch.setattr(time_zones, "offset_seconds", lambda name, at: 0 if name == "Europe/Zurich" else real(name, at))
    world.db.execute("update organizations.locations set time_zone = 'Europe/Zurich'")

    assert set(zone_rules.compare(NOW)) == {"Europe/Zurich"}


def test_stored_start_and_display_agree_whatever_the_functions_know(world, monkeypatch):
    """The functions' zone files are old: they would store 09:00 as another instant."""
    monkeypatch.setattr(
        "marquee.scheduling.recurrence.instant", lambda local, zone: local.replace(tzinfo=UTC) + timedelta(hours=3)
    )
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;COUNT=3")
    body = {"scope": "all", "local_start_time": "10:30"}
    gateway.patch("manage-events", f"/series/{series['id']}", body, caller=world.owner)
    event = scheduling.events_of(world, series["id"])[0]
    body = {"scope": "this", "event_id": str(event["id"]), "local_start_time": "11:15"}
    gateway.patch("manage-events", f"/series/{series['id']}", body, caller=world.owner)

    starts = [event["local_start"].strftime("%H:%M") for event in scheduling.events_of(world, series["id"])]
    assert starts == ["11:15", "10:30", "10:30"]


def test_changed_rules_move_events_and_notify_their_customers(world):
    db = world.db
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;COUNT=3", policy_id=str(world.policy_id))
    single = scheduling.make_event(world)
    first, second, third = scheduling.events_of(world, series["id"])
    edited = {"scope": "this", "event_id": str(third["id"]), "local_start_time": "12:00"}
    gateway.patch("manage-events", f"/series/{series['id']}", edited, caller=world.owner)
    scheduling.book(world, first["id"], world.customer)
    before = {event_id: event_of(db, event_id) for event_id in (first["id"], second["id"], third["id"], single["id"])}
    for event_id in (first["id"], third["id"], single["id"]):
        shift(db, event_id, 1)
    db.execute("delete from public.outbox")

    answer = run("time_zones")

    assert answer["done"] == 3
    for event_id, earlier in before.items():
        later = event_of(db, event_id)
        assert [later[name] for name in ("starts_at", "ends_at", "local_start", "opens_at")] == [
            earlier[name] for name in ("starts_at", "ends_at", "local_start", "opens_at")
        ]
        assert (later["sequence"] > earlier["sequence"]) == (event_id != second["id"])
    [message] = db.execute("select topic, payload from public.outbox").fetchall()
    assert (message["topic"], message["payload"]["customer_id"]) == ("event.changed", str(world.customer))
    assert message["payload"]["changed"] == ["starts_at", "ends_at"]
    assert datetime.fromisoformat(message["payload"]["previous_starts_at"]) == before[first["id"]][
        "starts_at"
    ] + timedelta(hours=1)
    assert run("time_zones")["done"] == 0


def test_events_at_skipped_and_repeated_times_stay(world):
    """02:30 is skipped on 14 March 2027 in New York, and 01:30 occurs twice on 7 November 2027."""
    db = world.db
    series = scheduling.make_series(
        world, time_zone="America/New_York", start_date="2027-03-10", local_start_time="02:30", recurrence="FREQ=DAILY"
    )
    db.execute("update events.series set generated_until = null where id = %s", [series["id"]])
    second = {"starts_at": "2027-11-07T01:30:00-05:00", "ends_at": "2027-11-07T02:30:00-05:00"}
    single = scheduling.make_event(world, time_zone="America/New_York", **second)
    events = {event["id"]: event["starts_at"] for event in scheduling.events_of(world, series["id"])}
    assert any(at.astimezone(UTC) == datetime(2027, 3, 14, 7, 30, tzinfo=UTC) for at in events.values())

    assert run("time_zones")["done"] == 0
    assert event_of(db, single["id"])["starts_at"] == datetime(2027, 11, 7, 6, 30, tzinfo=UTC)


def test_event_from_before_its_local_start_was_stored_gets_it(world):
    event = scheduling.make_event(world)
    world.db.execute("alter table events.events disable trigger count_changes")
    world.db.execute("update events.events set local_start = null")
    world.db.execute("alter table events.events enable trigger count_changes")

    run("time_zones")

    row = world.db.execute("select local_start, sequence from events.events").fetchone()
    assert (row["local_start"], row["sequence"]) == (event_of(world.db, event["id"])["local_start"], 0)


def test_moves_are_bounded_and_events_that_would_have_started_stay(world, monkeypatch):
    monkeypatch.setattr(zone_rules, "EVENTS_MOST", 2)
    series = scheduling.make_series(world, recurrence="FREQ=WEEKLY;COUNT=5")
    for event in scheduling.events_of(world, series["id"]):
        shift(world.db, event["id"], 1)
    soon = datetime.now(UTC) + timedelta(minutes=30)
    near = scheduling.make_event(world, starts_at=soon.isoformat(), ends_at=(soon + timedelta(hours=1)).isoformat())
    shift(world.db, near["id"], 1)
    world.db.execute(
        "update events.events set local_start = local_start - interval '2 hours' where id = %s", [near["id"]]
    )

    answer = run("time_zones")

    assert (answer["done"], answer["more"]) == (5, False)
    assert answer["turns"] >= 3
    assert {event["local_start"].strftime("%H:%M") for event in scheduling.events_of(world, series["id"])} == {"09:00"}


def test_message_shows_the_time_of_the_database(world):
    """The text says the time that the database computes, although the functions' zone files differ."""
    event = scheduling.make_event(world, starts_at="2027-01-11T17:00:00Z", ends_at="2027-01-11T18:00:00Z")
    booking = scheduling.book(world, event["id"], world.customer)

    row = world.db.execute(
        "select r.facts from messaging.recipients('booking.confirmed', %s) as r",
        [json.dumps({"id": str(booking), "booking_id": str(booking), "event_id": event["id"],
                     "customer_id": str(world.customer), "offer_expires_at": "2027-01-11T16:00:00Z"})],
    ).fetchone()  # fmt: skip

    local = event_of(world.db, event["id"])["local_start"]
    assert row["facts"]["local_times"] == {
        "starts_at": local.isoformat(),
        "ends_at": (local + timedelta(hours=1)).isoformat(),
        "offer_expires_at": (local - timedelta(hours=1)).isoformat(),
    }
