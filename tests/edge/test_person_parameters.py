"""Test routes that take a person's id: staff get customer_not_found for anyone unknown to their organization.

The first test checks each parameter and body member in docs/openapi.json that may name a person. It fails for one
that is missing in the tables below.
"""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from marquee.core.identity import Caller
from tests.kit import gateway, packages, routines, stages

OPENAPI = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
PERSON = re.compile(
    r"(customer|user|person|people|voter|profile|member|subject|recipient|buyer|payer|attendee|owner|caller|instructor)"
    r"s?(_?ids?)?$"
)
BY_STAFF = {
    ("post", "/bookings"): ("book", "customer_id", {"guest": False}),
    ("post", "/holds"): ("book", "customer_id", {}),
    ("post", "/events/{event_id}/waitlist"): ("waitlist", "customer_id", {}),
    ("post", "/credits/grants"): ("wallet", "customer_id", {"kind": "pass", "amount": 1}),
    ("post", "/packages/{package_id}/desk-sales"): ("desk", "customer_id", {"payment_method": "cash"}),
}
"""Routes on which staff name a person: the function, the member, and the other body members."""

NOT_BY_STAFF = {
    "instructor_id": "a public page of an instructor, not a person",
    "owner_id": "for the service, which names the owner of a new organization",
    "people": "the number of customers whose bookings an edit cancels",
    "person_id": "filters a list of the caller's organization, without looking up a person",
    "user_id": "a member of the organization; anyone else is member_not_found",
    "voter_id": "the client's own text, which identifies no person",
}


CUSTOMER_PAGES = "/organizations/{organization_id}/customers/{customer_id}"
"""Records of the organization's own customers; anyone else is customer_not_found (tests/people)."""


def names(schema, seen=()):
    """Yield the names of all members of a schema."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        if name not in seen:
            yield from names(OPENAPI["components"]["schemas"][name], (*seen, name))
    for name, member in schema.get("properties", {}).items():
        yield name
        yield from names(member, seen)
    for key in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(key, []):
            yield from names(part, seen)
    if "items" in schema:
        yield from names(schema["items"], seen)


def test_every_request_member_that_may_name_a_person_is_listed():
    found = {
        (method, path, name)
        for path, methods in OPENAPI["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict)
        for name in [
            *(one["name"] for one in operation.get("parameters", [])),
            *(
                name
                for content in operation.get("requestBody", {}).get("content", {}).values()
                for name in names(content["schema"])
            ),
        ]
        if PERSON.match(name) and name not in NOT_BY_STAFF and not path.startswith(CUSTOMER_PAGES)
    }

    assert found == {(*route, member) for route, (_, member, _) in BY_STAFF.items()}


@pytest.fixture
def stage(db):
    return stages.create(db)


def ask(stage, route, person_id, caller, event_id):
    """Call a route for a person and return the status and the body."""
    function, member, more = BY_STAFF[route]
    body = {member: str(person_id), **more}
    if "package_id" in route[1]:
        path = route[1].format(package_id=packages.offer(SimpleNamespace(db=stage.db, stage=stage))["id"])
        answer = gateway.post(function, path, body, caller=caller, key=uuid4().hex)
        return answer.status, answer.body
    if "event_id" not in route[1]:
        body |= (
            {"organization_id": str(stage.organization_id)} if "credits" in route[1] else {"event_id": str(event_id)}
        )
    path = route[1].format(event_id=event_id)
    answer = gateway.request(function, route[0].upper(), path, body, caller=caller, key=uuid4().hex)
    return answer.status, answer.body


def erased(stage):
    """Create a customer of the organization and erase them."""
    person_id = stage.customer()
    routines.call(stage.db, None, "select users.erase_profile(%s)", [person_id])
    return person_id


@pytest.mark.parametrize("route", BY_STAFF)
def test_stranger_erased_person_and_unknown_id_get_the_same_refusal(stage, route):
    event_id, elsewhere = stage.event(capacity=1), stages.create(stage.db)
    routines.book(stage.db, event_id, stage.stranger())
    stranger = stage.stranger()
    routines.book(stage.db, elsewhere.event(), stranger)

    answers = [ask(stage, route, one, stage.owner, event_id) for one in (stranger, erased(stage), uuid4())]

    assert {answer["code"] for _, answer in answers} == {"customer_not_found"}
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 404


@pytest.mark.parametrize("route", BY_STAFF)
def test_service_gets_customer_not_found_for_a_missing_profile(stage, route):
    event_id = stage.event()

    status, answer = ask(stage, route, uuid4(), Caller(uuid4(), "service_role"), event_id)

    assert (status, answer["code"]) == (404, "customer_not_found")


def test_service_without_a_profile_must_name_the_customer(stage):
    service, event_id, stranger = Caller(uuid4(), "service_role"), stage.event(), stage.stranger()

    unnamed = gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=service, key="tap")
    named = gateway.post(
        "book", "/bookings", {"event_id": str(event_id), "customer_id": str(stranger)}, caller=service, key="tip"
    )

    assert (unnamed.status, unnamed.body["code"]) == (404, "customer_not_found")
    assert (named.status, named.body["customer_id"]) == (201, str(stranger))
    assert stage.db.execute("select from users.profiles where id = %s", [service.id]).fetchone() is None


@pytest.mark.parametrize("way", ["booking", "hold", "wallet", "membership"])
def test_staff_can_act_for_a_known_person(stage, way):
    event_id, person_id = stage.event(), stage.stranger()
    match way:
        case "booking":
            routines.book(stage.db, stage.event(), person_id)
        case "hold":
            routines.call(stage.db, person_id, "select events.hold_seats(event_id => %s)", [stage.event()])
        case "wallet":
            stage.came(person_id)
        case _:
            person_id = stage.member("viewer")

    assert ask(stage, ("post", "/holds"), person_id, stage.owner, event_id)[0] == 201
    assert ask(stage, ("post", "/bookings"), person_id, stage.owner, event_id)[0] == 201
    assert ask(stage, ("post", "/credits/grants"), person_id, stage.owner, event_id)[0] == 201
