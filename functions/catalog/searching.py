"""GET /events: search public events."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from marquee.catalog import search
from marquee.core import database, identity, paging
from marquee.core.models import Id, Moment
from marquee.edge import http

LIST_SECONDS = 60

routes = http.routes()


@routes.get("/events", tags=["catalog"], responses=http.problems(304))
def search_events(
    q: Annotated[
        str | None,
        Query(min_length=1, max_length=200, description='Words to find. `-word` excludes a word; "…" finds a phrase.'),
    ] = None,
    city: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
    category: Annotated[
        str | None,
        Query(max_length=100, pattern=r"^[a-z0-9-]+$", description="Slug of a category; includes its subcategories."),
    ] = None,
    organization_id: Annotated[Id | None, Query()] = None,
    series_id: Annotated[Id | None, Query()] = None,
    instructor_id: Annotated[Id | None, Query()] = None,
    availability: Annotated[search.Availability | None, Query()] = None,
    price: Annotated[search.PriceTier | None, Query(description="In whole units of the event's currency.")] = None,
    starts_from: Annotated[Moment | None, Query(alias="from", description="Only events from this start on.")] = None,
    starts_before: Annotated[Moment | None, Query(alias="to", description="Only events that start earlier.")] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[search.EventListing]]:
    """Search public events that have not started, in order of their start. The number of seats is current."""
    query = search.EventQuery(
        q=q,
        city=city,
        category=category,
        organization_id=organization_id,
        series_id=series_id,
        instructor_id=instructor_id,
        availability=availability,
        price=price,
        starts_from=starts_from,
        starts_before=starts_before,
    )
    with database.single(identity.anonymous()) as session:
        page = search.search(session, query, limit, cursor)
    return http.cacheable(routes.current_event, http.json(HTTPStatus.OK, page), seconds=LIST_SECONDS)
