"""Routes of locations, rooms, instructors and resources, and of their double bookings."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http
from marquee.organizations import places

routes = http.routes()


@routes.get("/organizations/<organization_id>/places", tags=["organizations"], responses=http.problems(403, 404))
def list_places(organization_id: Annotated[Id, Path()]) -> Response[places.Places]:
    """List all locations, rooms, instructors and resources, archived ones included; for members."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, places.list_places(session, organization_id))


@routes.get(
    "/organizations/<organization_id>/double-bookings", tags=["organizations"], responses=http.problems(403, 404)
)
def list_double_bookings(organization_id: Annotated[Id, Path()]) -> Response[places.DoubleBookings]:
    """List the next 100 overlaps of two events in one room, with one instructor or with one resource."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.OK, places.double_bookings(session, organization_id))


@routes.post(
    "/organizations/<organization_id>/locations",
    tags=["organizations"],
    status_code=201,
    responses=http.problems(403, 404, 409),
)
def create_location(
    organization_id: Annotated[Id, Path()], request: Annotated[places.LocationRequest, Body()]
) -> Response[places.ManagedLocation]:
    """Create a location; for editors, admins and owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.CREATED, places.save_location(session, organization_id, request))


@routes.patch(
    "/organizations/<organization_id>/locations/<location_id>",
    tags=["organizations"],
    responses=http.problems(403, 404),
)
def edit_location(
    organization_id: Annotated[Id, Path()],
    location_id: Annotated[Id, Path()],
    request: Annotated[places.LocationEdit, Body()],
) -> Response[places.ManagedLocation]:
    """Change a location, archive it, or use it again; for editors, admins and owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.OK, places.save_location(session, organization_id, request, location_id))


@routes.post(
    "/organizations/<organization_id>/rooms",
    tags=["organizations"],
    status_code=201,
    responses=http.problems(403, 404, 409),
)
def create_room(
    organization_id: Annotated[Id, Path()], request: Annotated[places.RoomRequest, Body()]
) -> Response[places.ManagedRoom]:
    """Create a room; for editors, admins and owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.CREATED, places.save_room(session, organization_id, request))


@routes.patch(
    "/organizations/<organization_id>/rooms/<room_id>", tags=["organizations"], responses=http.problems(403, 404)
)
def edit_room(
    organization_id: Annotated[Id, Path()],
    room_id: Annotated[Id, Path()],
    request: Annotated[places.RoomEdit, Body()],
) -> Response[places.ManagedRoom]:
    """Change a room, archive it, or use it again; for editors, admins and owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.OK, places.save_room(session, organization_id, request, room_id))


@routes.post(
    "/organizations/<organization_id>/instructors",
    tags=["organizations"],
    status_code=201,
    responses=http.problems(403, 404, 409),
)
def create_instructor(
    organization_id: Annotated[Id, Path()], request: Annotated[places.InstructorRequest, Body()]
) -> Response[places.Instructor]:
    """Create an instructor; for editors, admins and owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.CREATED, places.save_instructor(session, organization_id, request))


@routes.patch(
    "/organizations/<organization_id>/instructors/<instructor_id>",
    tags=["organizations"],
    responses=http.problems(403, 404),
)
def edit_instructor(
    organization_id: Annotated[Id, Path()],
    instructor_id: Annotated[Id, Path()],
    request: Annotated[places.InstructorEdit, Body()],
) -> Response[places.Instructor]:
    """Change an instructor, archive it, or use it again; for editors, admins and owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.OK, places.save_instructor(session, organization_id, request, instructor_id))


@routes.post(
    "/organizations/<organization_id>/resources",
    tags=["organizations"],
    status_code=201,
    responses=http.problems(403, 404, 409),
)
def create_resource(
    organization_id: Annotated[Id, Path()], request: Annotated[places.ResourceRequest, Body()]
) -> Response[places.Resource]:
    """Create a resource; for editors, admins and owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.CREATED, places.save_resource(session, organization_id, request))


@routes.patch(
    "/organizations/<organization_id>/resources/<resource_id>",
    tags=["organizations"],
    responses=http.problems(403, 404),
)
def edit_resource(
    organization_id: Annotated[Id, Path()],
    resource_id: Annotated[Id, Path()],
    request: Annotated[places.ResourceEdit, Body()],
) -> Response[places.Resource]:
    """Change a resource, archive it, or use it again; for editors, admins and owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_organization")) as session:
        return http.json(HTTPStatus.OK, places.save_resource(session, organization_id, request, resource_id))
