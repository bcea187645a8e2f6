"""Routes of an organization's customers, for its staff."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import csv_files, database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import count
from marquee.people import customer_files, customers

routes = http.routes()

CSV: dict[int, Any] = {200: {"description": "A CSV file", "content": {"text/csv": {"schema": {"type": "string"}}}}}
Organization = Annotated[Id, Path()]
Customer = Annotated[Id, Path()]
Words = Annotated[
    str | None,
    Query(
        alias="q",
        min_length=1,
        max_length=100,
        description="The first letters of words of the name or address, or the first digits of the phone number.",
    ),
]
Tag = Annotated[str | None, Query(min_length=1, max_length=40)]
Blocked = Annotated[bool | None, Query(description="Whether the customer is blocked.")]


@routes.get("/organizations/<organization_id>/customers", tags=["customers"], responses=http.problems(403, 404))
def list_customers(
    organization_id: Organization,
    q: Words = None,
    tag: Tag = None,
    blocked: Blocked = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[customers.Customer]]:
    """List an organization's customers by name, or those whom a text finds; for its staff."""
    event = routes.current_event
    filters = customers.CustomerFilters(q, tag, blocked)
    with database.single(http.caller(event), limit=http.limited(event, "search_customers")) as session:
        return http.json(HTTPStatus.OK, customers.list_all(session, organization_id, filters, limit, cursor))


@routes.post(
    "/organizations/<organization_id>/customers",
    tags=["customers"],
    status_code=201,
    responses=http.problems(400, 403, 404, 409),
)
def create_customer(
    organization_id: Organization,
    request: Annotated[customers.WalkInRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[customers.Customer]:
    """Enter a person without an account, for whom staff can then book."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "customers")) as session:
        made = customers.create(session, organization_id, request, idempotency_key)
    count("WalkInEntered")
    return http.json(HTTPStatus.CREATED, made)


@routes.get(
    "/organizations/<organization_id>/customers.csv",
    tags=["customers"],
    responses={**CSV, **http.problems(403, 404)},
)
def get_customers_csv(
    organization_id: Organization, q: Words = None, tag: Tag = None, blocked: Blocked = None
) -> Response[str]:
    """Get an organization's customers as CSV, at most 10,000."""
    event = routes.current_event
    filters = customers.CustomerFilters(q, tag, blocked)
    with database.single(http.caller(event), limit=http.limited(event, "export_list")) as session:
        text = customers.customers_csv(session, organization_id, filters)
    return http.text_of(HTTPStatus.OK, csv_files.CONTENT_TYPE, text)


@routes.post("/organizations/<organization_id>/customers/import", tags=["customers"], responses=http.problems(403, 404))
def import_customers(
    organization_id: Organization,
    request: Annotated[customer_files.ImportRequest, Body()],
    dry_run: Annotated[bool | None, Query(description="Whether to return the results and write nothing.")] = None,
) -> Response[customer_files.ImportResults]:
    """Enter the people of a CSV file who are not there yet; a repeated file enters nobody twice."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "import_customers")) as session:
        results = customer_files.run(session, organization_id, request, dry_run=dry_run is True)
    count("CustomersImported")
    return http.json(HTTPStatus.OK, results)


@routes.get(
    "/organizations/<organization_id>/customers/<customer_id>", tags=["customers"], responses=http.problems(403, 404)
)
def get_customer(organization_id: Organization, customer_id: Customer) -> Response[customers.CustomerDetail]:
    """Get a customer with their bookings, waitlist entries, credits, fees and notes at the organization."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, customers.show(session, organization_id, customer_id))


@routes.patch(
    "/organizations/<organization_id>/customers/<customer_id>",
    tags=["customers"],
    responses=http.problems(403, 404, 409),
)
def edit_customer(
    organization_id: Organization, customer_id: Customer, request: Annotated[customers.CustomerEdit, Body()]
) -> Response[customers.CustomerDetail]:
    """Change the tags of a customer, or the details of a person without an account."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "customers")) as session:
        return http.json(HTTPStatus.OK, customers.edit(session, organization_id, customer_id, request))


@routes.post(
    "/organizations/<organization_id>/customers/<customer_id>/notes",
    tags=["customers"],
    status_code=201,
    responses=http.problems(403, 404, 409),
)
def add_customer_note(
    organization_id: Organization,
    customer_id: Customer,
    request: Annotated[customers.NoteRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[customers.CustomerNote]:
    """Add a note about a customer, for the staff alone."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "customers")) as session:
        note = customers.add_note(session, organization_id, customer_id, request, idempotency_key)
    return http.json(HTTPStatus.CREATED, note)


@routes.delete(
    "/organizations/<organization_id>/customers/<customer_id>/notes/<note_id>",
    tags=["customers"],
    status_code=204,
    responses=http.problems(403, 404),
)
def delete_customer_note(
    organization_id: Organization, customer_id: Customer, note_id: Annotated[Id, Path()]
) -> Response[None]:
    """Delete a note; for its author, and for admins and owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "customers")) as session:
        customers.delete_note(session, organization_id, customer_id, note_id)
    return http.empty()


@routes.post(
    "/organizations/<organization_id>/customers/<customer_id>/block",
    tags=["customers"],
    responses=http.problems(403, 404),
)
def block_customer(
    organization_id: Organization, customer_id: Customer, request: Annotated[customers.BlockRequest, Body()]
) -> Response[customers.CustomerDetail]:
    """Refuse a customer from now on: they cannot book, hold, wait or buy, and staff cannot for them."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "customers")) as session:
        blocked = customers.block(session, organization_id, customer_id, request)
    count("CustomerBlocked")
    return http.json(HTTPStatus.OK, blocked)


@routes.post(
    "/organizations/<organization_id>/customers/<customer_id>/unblock",
    tags=["customers"],
    responses=http.problems(403, 404),
)
def unblock_customer(organization_id: Organization, customer_id: Customer) -> Response[customers.CustomerDetail]:
    """Let a blocked customer book again."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "customers")) as session:
        return http.json(HTTPStatus.OK, customers.unblock(session, organization_id, customer_id))
