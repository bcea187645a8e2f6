"""Tells the main story against the running system: a class sells out, people wait, a place comes free.

Every step is a real call over HTTP, with a token of the person who makes it.
"""

import json
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

STATE = Path(".local/stack.json")
PEOPLE = Path(__file__).parent / "people.toml"
SEATS = 3


class Stopped(Exception):
    """The story cannot go on; the message says why."""


class System:
    """The running system, as its callers see it."""

    def __init__(self) -> None:
        if not STATE.exists():
            raise Stopped("Nothing is running here. Start it in another terminal: make up")
        self.url = str(json.loads(STATE.read_text())["url"])
        self.people: dict[str, str] = {
            name: entry["id"] for name, entry in tomllib.loads(PEOPLE.read_text())["people"].items()
        }
        self._tokens: dict[str, str] = {}

    def call(self, who: str | None, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        """Make a call as somebody; answers the parsed body. Raises Stopped for another status than expected."""
        headers = {"Content-Type": "application/json"}
        if who is not None:
            headers["Authorization"] = f"Bearer {self._token(who)}"
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        request = urllib.request.Request(  # of our own URL
            self.url + path, None if body is None else json.dumps(body).encode(), headers, method=method
        )
        began = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=40) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        except urllib.error.URLError as error:
            raise Stopped(
                f"{self.url} does not answer ({error.reason}). Start it in another terminal: make up"
            ) from error
        milliseconds = (time.perf_counter() - began) * 1000
        print(f"    {who or 'anybody':8} {method:6} {path}  →  {status}  ({milliseconds:.0f} ms)")
        if status != expect:
            raise Stopped(f"{expect} was expected here. The answer: {text.decode()}")
        return json.loads(text) if text else None

    def _token(self, who: str) -> str:
        if who not in self._tokens:
            command = [sys.executable, "-m", "local", "token", "--sub", self.people[who]]
            made = subprocess.run([*command, "--name", who.title()], capture_output=True, text=True, check=True)
            self._tokens[who] = made.stdout.strip()
        return self._tokens[who]


def tell(system: System) -> None:
    """The story, step by step."""
    organizations = tomllib.loads(PEOPLE.read_text())["organizations"]
    organization_id = next(iter(organizations.values()))["id"]
    tomorrow = date.today() + timedelta(days=1)  # whatever day it is here

    say("Ana, who owns a studio, makes a weekly class with three places. Its events are there at once.")
    made = system.call(
        "ana",
        "POST",
        "/series",
        {
            "organization_id": organization_id,
            "title": f"Sunrise yoga {uuid.uuid4().hex[:4]}",
            "category": "yoga",
            "recurrence": "RRULE:FREQ=WEEKLY",
            "local_start_time": "07:00",
            "start_date": tomorrow.isoformat(),
            "duration_minutes": 60,
            "capacity": SEATS,
        },
        expect=201,
    )
    found = system.call(None, "GET", f"/events?series_id={made['id']}&limit=50")["items"]
    # Inside the last hour before a class nothing is offered to a waitlist any more; next week's is safe.
    event = found[1]
    print(f"    {len(found)} events; we look at the one of {event['starts_at']}.")

    say("Ben and Chloe book. Chloe takes two places: the class is full.")
    booked = system.call("ben", "POST", "/bookings", {"event_id": event["id"]}, expect=201)
    system.call("chloe", "POST", "/bookings", {"event_id": event["id"], "seats": 2}, expect=201)
    shown = system.call(None, "GET", f"/events/{event['id']}")
    print(f"    availability: {shown['availability']}")

    say("David is too late: sold out, says the answer, and that there is a waitlist. He joins it, then Emma.")
    refused = system.call("david", "POST", "/bookings", {"event_id": event["id"]}, expect=409)
    print(f"    {refused['code']}, waitlist: {refused['waitlist']}")
    for who in ("david", "emma"):
        entry = system.call(who, "POST", f"/events/{event['id']}/waitlist", {}, expect=201)
        print(f"    {who} is number {entry['position']}")

    say("Ben cancels. In the same moment his place is offered to David, and to nobody else.")
    system.call("ben", "POST", f"/bookings/{booked['id']}/cancel", {"reason": "A cold"})
    offer = system.call("david", "GET", f"/events/{event['id']}/waitlist")
    print(f"    david: {offer['status']} until {offer['offer_expires_at']}")
    waiting = system.call("emma", "GET", f"/events/{event['id']}/waitlist")
    print(f"    emma: {waiting['status']}, number {waiting['position']}")

    say("David takes it. Ana looks at the roster.")
    taken = system.call("david", "POST", f"/waitlist/{offer['id']}/accept", {})
    print(f"    david: {taken['status']}, booking {taken['booking_id']}")
    roster = system.call("ana", "GET", f"/events/{event['id']}/roster")["items"]
    for line in roster:
        print(f"    {line['name'] or 'somebody':8} {line['seats']} place(s), {line['status']}")
    seats = sum(line["seats"] for line in roster)
    if seats != SEATS:
        raise Stopped(f"{seats} of {SEATS} places are taken: that should not be possible.")
    print(
        f"\nThree places, {seats} taken, nobody twice. Each message about it is on its way; `make fire "
        "NAME=RelayOutboxSchedule` sends what waits."
    )


def say(sentence: str) -> None:
    """One sentence of the story."""
    print(f"\n{sentence}")


def main() -> int:
    """Tell it; 1 if it had to stop."""
    try:
        tell(System())
    except Stopped as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
