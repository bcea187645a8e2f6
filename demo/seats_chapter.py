"""The second chapter: a class sells out, people join the waitlist, a place becomes free."""

import uuid
from datetime import date, timedelta

from demo.system import Stopped, System, say

SEATS = 3


def run(system: System) -> None:
    """Play the chapter: a class sells out, people join the waitlist, a place becomes free."""
    tomorrow = date.today() + timedelta(days=1)  # whatever day it is here

    say("Ana, who owns a studio, makes a weekly class with three places. Its events are there at once.")
    made = system.call(
        "ana",
        "POST",
        "/series",
        {
            "organization_id": system.organization_id,
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
        "NAME=RelayOutboxSchedule` sends the pending ones."
    )
