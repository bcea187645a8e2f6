"""The opening chapter: somebody signs in, opens a studio, sells a place for cash, counts the till and parts with staff.

It needs nothing but the running API: everybody in it is new, so it also runs on an empty database.
"""

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

from demo.system import Stopped, System, say

PRICE_CENTS = 2500
CHANGE_CENTS = 10_000
CODE = re.compile(r"\b[\w-]{43}\b")


def run(system: System) -> None:
    """Open a studio, invite staff, sell a place at the desk, close the till, remove the staff member."""
    for name in ("nora", "otto", "pia"):
        system.sign_up(name)

    say("Nora signs in for the first time, and opens a studio. She is its owner.")
    studio = _studio(system)
    path = f"/organizations/{studio['id']}"

    say("A place with a room, a booking policy, and the first class. People can find it at once.")
    event = _class(system, path, studio)

    say("Nora invites Otto to the front desk. The e-mail contains a code, which works for his address alone.")
    otto = _invited(system, path)

    say(
        "Pia reserves a place online, and pays at the desk instead. Otto puts change into the till, and takes her cash."
    )
    wanted = {"event_id": event["id"], "payment_method": "card"}
    booking = system.call("pia", "POST", "/bookings", wanted, expect=201)
    change = {"amount_cents": CHANGE_CENTS, "note": "Change for the day."}
    system.call("otto", "POST", f"{path}/till/transfers", change)
    system.call("otto", "PATCH", f"/bookings/{booking['id']}/payment", {"payment_method": "cash"})
    seen = system.call("pia", "GET", f"/bookings/{booking['id']}")
    print(f"    {seen['status']}, {seen['price_cents'] / 100:.2f} {seen['currency']} by {seen['payment_method']}")

    say("In the evening Otto counts the till.")
    counted = {"counted_cents": CHANGE_CENTS + PRICE_CENTS, "deposited_cents": PRICE_CENTS}
    report = system.call("otto", "POST", f"{path}/till/closings", counted)
    for name in ("opening_cents", "transferred_cents", "expected_cents", "counted_cents", "difference_cents"):
        print(f"    {name.removesuffix('_cents'):12} {report[name] / 100:8.2f}")
    if report["taken"]["cash_cents"] != PRICE_CENTS or report["difference_cents"] != 0:
        raise Stopped("The till should contain the price of one place, without a difference.")

    say("Otto leaves the studio. From his next request on he has no rights there.")
    system.call("nora", "DELETE", f"{path}/members/{otto}", expect=204)
    refused = system.call("otto", "GET", f"/events/{event['id']}/roster", expect=403)
    print(f"    otto: {refused['code']}")
    for change in reversed(system.call("nora", "GET", f"{path}/audit?limit=50")["items"]):
        print(f"    {change['kind']}")


def _studio(system: System) -> Any:
    slug = f"studio-nora-{uuid.uuid4().hex[:8]}"
    return system.call(
        "nora",
        "POST",
        "/organizations",
        {
            "name": "Studio Nora",
            "slug": slug,
            "country": "CH",
            "currency": "CHF",
            "language": "en",
            "time_zone": "Europe/Zurich",
        },
        expect=201,
    )


def _class(system: System, path: str, studio: Any) -> Any:
    place = system.call("nora", "POST", f"{path}/locations", {"name": "By the canal", "city": "Zurich"}, expect=201)
    room = system.call("nora", "POST", f"{path}/rooms", {"location_id": place["id"], "name": "Hall"}, expect=201)
    rules = {"name": "Classes", "cancel_hours_before": 12}
    policy = system.call("nora", "POST", f"{path}/policies", rules, expect=201)
    starts_at = datetime.combine(date.today() + timedelta(days=2), datetime.min.time(), UTC)
    event = system.call(
        "nora",
        "POST",
        "/events",
        {
            "organization_id": studio["id"],
            "title": f"Opening night {studio['slug'][-4:]}",
            "category": "yoga",
            "starts_at": (starts_at + timedelta(hours=17)).isoformat(),
            "ends_at": (starts_at + timedelta(hours=18)).isoformat(),
            "capacity": 12,
            "price_cents": PRICE_CENTS,
            "location_id": place["id"],
            "room_id": room["id"],
            "policy_id": policy["id"],
        },
        expect=201,
    )
    found = system.call(None, "GET", f"/events?q=opening+{studio['slug'][-4:]}")["items"]
    if [each["id"] for each in found] != [event["id"]]:
        raise Stopped("The search should find the new class.")
    return event


def _invited(system: System, path: str) -> str:
    address = system.addresses["otto"]
    system.call("nora", "POST", f"{path}/invitations", {"email": address, "role": "front_desk"}, expect=201)
    system.fire("RelayOutboxSchedule")
    mail = system.wait("The invitation", lambda: next(iter(system.mails(address)), None))
    found = CODE.search(mail["body"])
    if found is None:
        raise Stopped(f"The invitation contains no code: {mail['body']}")
    return str(system.call("otto", "POST", "/invitations/accept", {"code": found[0]})["user_id"])
