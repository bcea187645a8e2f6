"""Test how locations, rooms, instructors, resources and booking policies are created, changed and archived."""

import json

import pytest

from tests.kit import gateway, routines, stages

PLACES = {
    "locations": {"name": "Main", "city": "Zurich", "latitude": 47.3769, "longitude": 8.5417, "directions": "Tram 4"},
    "instructors": {"name": "Ana", "bio": "Teaches yoga."},
    "resources": {"name": "Projector", "description": "4K"},
    "policies": {"name": "Classes", "cancel_hours_before": 12, "late_fee_cents": 500, "seats_max_per_person": None},
}
KIND = {"locations": "location", "rooms": "room", "instructors": "instructor", "resources": "resource",
        "policies": "policy"}  # fmt: skip


@pytest.fixture
def stage(db):
    db.execute("update ops.rate_limit_rules set burst = 1000, per_minute = 1000")
    return stages.create(db)


def make(stage, kind, caller=None, **members):
    path = f"/organizations/{stage.organization_id}/{kind}"
    return gateway.post("organizations", path, {**PLACES.get(kind, {}), **members}, caller=caller or stage.owner)


def edit(stage, kind, place_id, caller=None, **changes):
    path = f"/organizations/{stage.organization_id}/{kind}/{place_id}"
    return gateway.patch("organizations", path, changes, caller=caller or stage.owner)


@pytest.mark.parametrize("kind", PLACES)
def test_place_is_created_changed_and_archived(db, stage, kind):
    made = make(stage, kind)
    assert made.status == 201, made.text
    assert {name: made.body[name] for name in PLACES[kind]} == PLACES[kind]
    place_id = made.body["id"]

    renamed = edit(stage, kind, place_id, name="Renamed")
    assert renamed.body == {**made.body, "name": "Renamed"}
    archived = edit(stage, kind, place_id, archived=True)
    assert archived.body["archived_at"] is not None
    assert edit(stage, kind, place_id, archived=True).body == archived.body
    assert edit(stage, kind, place_id, archived=False).body["archived_at"] is None

    changes = "select kind from organizations.changes where subject_id = %s order by id"
    kinds = [row["kind"] for row in db.execute(changes, [place_id]).fetchall()]
    one = KIND[kind]
    # A person's name is no part of the record, so that an erasure need not change it.
    renames = [] if kind == "instructors" else [f"{one}.changed"]
    assert kinds == [f"{one}.created", *renames, f"{one}.changed", f"{one}.changed"]
    assert "Ana" not in str(db.execute("select before, after from organizations.changes").fetchall())


@pytest.mark.parametrize("kind", ["locations", "instructors"])
def test_calendar_counts_changes_of_a_name_alone(db, stage, kind):
    one = KIND[kind]

    def save(changes, place_id=None):
        query = f"select organizations.save_{one}(%s, %s::jsonb, %s)"
        return routines.call(db, stage.owner, query, [stage.organization_id, json.dumps(changes), place_id])

    def counted(place_id):
        query = f"select calendar_changes from organizations.{kind} where id = %s"
        return db.execute(query, [place_id]).fetchone()["calendar_changes"]

    made = save({**PLACES[kind], "calendar_changes": 7})
    counts = [counted(made["id"])]
    for changes in ({"archived": False, "calendar_changes": 7}, {"name": "Renamed", "calendar_changes": 7}):
        answer = save(changes, made["id"])
        counts.append(counted(made["id"]))

    assert counts == [0, 0, 1]
    records = db.execute("select before, after from organizations.changes").fetchall()
    assert "calendar_changes" not in str([made, answer, records])


def test_rooms_belong_to_a_location_of_the_organization(db, stage):
    location = make(stage, "locations").body["id"]
    other = stages.create(db)
    foreign = make(other, "locations").body["id"]

    assert make(stage, "rooms", name="Room 1", location_id=location, capacity=12).status == 201
    assert make(stage, "rooms", name="Room 1", location_id=foreign).status == 422
    edit(stage, "locations", location, archived=True)
    assert make(stage, "rooms", name="Room 2", location_id=location).status == 422


def test_public_locations_have_their_rooms_and_no_archived_ones(stage):
    location = make(stage, "locations").body["id"]
    gone = make(stage, "locations", name="Gone").body["id"]
    make(stage, "rooms", name="Room 1", location_id=location)
    closed = make(stage, "rooms", name="Room 2", location_id=location).body["id"]
    edit(stage, "rooms", closed, archived=True)
    edit(stage, "locations", gone, archived=True)

    [shown] = gateway.get("catalog", f"/organizations/{stage.organization_id}/locations").body["items"]

    assert (shown["id"], shown["latitude"], shown["directions"]) == (location, 47.3769, "Tram 4")
    assert [room["name"] for room in shown["rooms"]] == ["Room 1"]
    places = gateway.get("organizations", f"/organizations/{stage.organization_id}/places",
                         caller=stage.member("viewer")).body  # fmt: skip
    assert [len(places[kind]) for kind in ("locations", "rooms", "instructors", "resources")] == [2, 2, 0, 0]


def test_archived_places_cannot_be_chosen_and_stay_with_their_events(stage):
    members = {
        "instructor_id": make(stage, "instructors").body["id"],
        "policy_id": make(stage, "policies").body["id"],
        "location_id": make(stage, "locations").body["id"],
    }
    body = {"organization_id": str(stage.organization_id), "title": "Class", "starts_at": "2030-01-11T18:00:00Z",
            "ends_at": "2030-01-11T20:00:00Z"}  # fmt: skip
    event = gateway.post("manage-events", "/events", {**body, **members}, caller=stage.owner)
    assert event.status == 201, event.text
    for kind, member in (("instructors", "instructor_id"), ("policies", "policy_id"), ("locations", "location_id")):
        edit(stage, kind, members[member], archived=True)
        refused = gateway.post("manage-events", "/events", {**body, member: members[member]}, caller=stage.owner)
        assert (refused.status, refused.body["errors"][0]["path"]) == (422, ["body", member])

    renamed = gateway.patch("manage-events", f"/events/{event.body['id']}", {"title": "New"}, caller=stage.owner)
    assert (renamed.status, renamed.body["instructor_id"]) == (200, members["instructor_id"])


def test_changed_policy_leaves_the_terms_of_events_and_bookings(db, stage):
    policy = make(stage, "policies").body
    body = {"organization_id": str(stage.organization_id), "title": "Class", "starts_at": "2030-01-11T18:00:00Z",
            "ends_at": "2030-01-11T20:00:00Z", "policy_id": policy["id"]}  # fmt: skip
    event = gateway.post("manage-events", "/events", body, caller=stage.owner).body
    gateway.post("book", "/bookings", {"event_id": event["id"]}, caller=stage.customer(), key="k")

    edit(stage, "policies", policy["id"], late_fee_cents=900)

    fees = db.execute(
        "select e.policy ->> 'late_fee_cents' as event, b.policy ->> 'late_fee_cents' as booking"
        " from events.bookings as b inner join events.events as e on e.id = b.event_id"
    ).fetchone()
    assert fees == {"event": "500", "booking": "500"}
    changed = db.execute("select before, after from organizations.changes where kind = 'policy.changed'").fetchone()
    assert changed == {"before": {"late_fee_cents": 500}, "after": {"late_fee_cents": 900}}
    later = gateway.post("manage-events", "/events", body, caller=stage.owner).body
    assert later["policy"]["late_fee_cents"] == 900


@pytest.mark.parametrize("kind", PLACES)
def test_place_of_another_organization_is_not_found(db, stage, kind):
    other = stages.create(db)
    place_id = make(other, kind).body["id"]

    answer = edit(stage, kind, place_id, name="Mine")

    assert (answer.status, answer.body["code"]) == (404, f"{KIND[kind]}_not_found")


@pytest.mark.parametrize(("kind", "roles"), [("locations", "editor"), ("policies", "admin")])
def test_roles_that_may_change_places(stage, kind, roles):
    assert make(stage, kind, caller=stage.member(roles)).status == 201
    for caller in (stage.member("viewer"), stage.member("front_desk"), stage.stranger()):
        refused = make(stage, kind, caller=caller)
        assert (refused.status, refused.body["code"]) == (403, "forbidden")


def test_number_of_places_is_limited(db, stage):
    db.execute("update ops.limits set value = 1 where name = 'places_per_organization'")
    make(stage, "resources")

    refused = make(stage, "resources")

    assert (refused.status, refused.body["code"], refused.body["most"]) == (409, "too_many_places", 1)


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("locations", {"latitude": None}),
        ("locations", {"latitude": 91}),
        ("locations", {"country": "XX"}),
        ("locations", {"time_zone": "Nowhere"}),
        ("instructors", {"user_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a"}),
        ("policies", {"late_refund_percent": 101}),
        ("policies", {"refund_to": "cash"}),
    ],
)
def test_place_that_is_not_valid_is_refused(stage, kind, members):
    refused = make(stage, kind, **members)

    assert (refused.status, refused.body["code"]) == (422, "invalid_request")


def test_coordinates_stay_complete(stage):
    location = make(stage, "locations").body["id"]

    assert edit(stage, "locations", location, latitude=None).status == 422
    assert edit(stage, "locations", location, latitude=None, longitude=None).status == 200


def test_instructor_is_linked_to_a_member(stage):
    member = stage.member("instructor")

    assert make(stage, "instructors", user_id=str(member)).body["user_id"] == str(member)
