"""Ratings for their readers and organizers: scores, past events, raters, settings, and the state of the pipeline."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import clock, database, identity, paging
from marquee.core.models import Id, Moment
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed
from marquee.edge.worker_trigger import WorkerTrigger
from marquee.rating import activity, controls, scores
from marquee.rating.events import Kind, StoredId
from marquee.rating.messages import ProcessBatch

app = http.resolver()
_worker = WorkerTrigger("process_batch_queue_url")

SCORE_SECONDS = 5


@app.get("/ratings/leaderboard", tags=["ratings"], responses=http.problems(304, 404))
def get_leaderboard(
    organization_id: Annotated[Id, Query()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[scores.Ranked]]:
    """List an organization's items, best first."""
    with database.single(identity.anonymous()) as session:
        page = scores.leaderboard(session, organization_id, limit, cursor)
    return http.cacheable(app.current_event, http.json(HTTPStatus.OK, page), seconds=SCORE_SECONDS)


@app.get("/ratings/items/<item_id>", tags=["ratings"], responses=http.problems(304, 404))
def get_item(
    item_id: Annotated[scores.PathId, Path()], organization_id: Annotated[Id, Query()]
) -> Response[scores.RatedItem]:
    """Get an item's score, its components, its rank and its latest scores."""
    limit = http.limited(app.current_event, "read_item")
    with database.single(identity.anonymous(), limit=limit) as session:
        item = scores.item(session, organization_id, item_id)
    return http.cacheable(app.current_event, http.json(HTTPStatus.OK, item), seconds=SCORE_SECONDS)


@app.get("/ratings/items/<item_id>/history", tags=["ratings"], responses=http.problems(304, 404))
def get_item_history(
    item_id: Annotated[scores.PathId, Path()],
    organization_id: Annotated[Id, Query()],
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[scores.PastScore]]:
    """List all scores that an item has had, newest first."""
    with database.single(identity.anonymous()) as session:
        page = scores.history(session, organization_id, item_id, limit, cursor)
    return http.cacheable(app.current_event, http.json(HTTPStatus.OK, page), seconds=SCORE_SECONDS)


@app.get("/ratings/members/leaderboard", tags=["ratings"], responses=http.problems(404))
def get_members_leaderboard(
    organization_id: Annotated[Id, Query()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[scores.Ranked]]:
    """List an organization's items, best first, if the caller may see them."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, scores.leaderboard(session, organization_id, limit, cursor))


@app.get("/ratings/members/items/<item_id>", tags=["ratings"], responses=http.problems(404))
def get_members_item(
    item_id: Annotated[scores.PathId, Path()], organization_id: Annotated[Id, Query()]
) -> Response[scores.RatedItem]:
    """Get an item's score, rank and latest scores, if the caller may see them."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_item")) as session:
        return http.json(HTTPStatus.OK, scores.item(session, organization_id, item_id))


@app.get("/ratings/events", tags=["ratings"])
def list_rating_events(
    organization_id: Annotated[Id, Query()],
    kind: Annotated[Kind | None, Query()] = None,
    voter_id: Annotated[StoredId | None, Query()] = None,
    since: Annotated[
        Moment | None,
        Query(
            description="Only events accepted at this time or later. Default: the last day. Callers who are not "
            "members get events of the last 31 days at most."
        ),
    ] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[activity.PastEvent]]:
    """List accepted rating events, newest first: all of them for members, the caller's own for others."""
    since = since or clock.now() - activity.LOOK_BACK
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "list_rating_events")) as session:
        page = activity.events(session, organization_id, limit, cursor, since=since, kind=kind, voter_id=voter_id)
    return http.json(HTTPStatus.OK, page)


@app.get("/ratings/voters/<voter_id>", tags=["ratings"], responses=http.problems(404))
def get_rater(
    voter_id: Annotated[scores.PathId, Path()], organization_id: Annotated[Id, Query()]
) -> Response[activity.Rater]:
    """Get the figures of a rater and their reliability; for members, and for the rater."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, activity.rater(session, organization_id, voter_id))


@app.get("/ratings/settings", tags=["ratings"], responses=http.problems(404))
def get_rating_settings(organization_id: Annotated[Id, Query()]) -> Response[controls.RatingSettings]:
    """Get the settings by which an organization's items are rated and published."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, controls.settings(session, organization_id))


@app.patch("/ratings/settings", tags=["ratings"], responses=http.problems(404))
def edit_rating_settings(request: Annotated[controls.SettingsEdit, Body()]) -> Response[controls.RatingSettings]:
    """Change how items are rated and published; for admins and owners."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_rating_settings")) as session:
        return http.json(HTTPStatus.OK, controls.change_settings(session, request))


@app.post("/ratings/items/dirty", tags=["ratings"], responses=http.problems(404))
def mark_items_dirty(request: Annotated[controls.DirtyRequest, Body()]) -> Response[controls.ItemsMarked]:
    """Mark items so that they are counted and published again; for staff."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "recount_items")) as session:
        marked = controls.mark_dirty(session, request.organization_id, request.item_ids, request.priority)
    _worker.fire(ProcessBatch(reason="items"))
    return http.json(HTTPStatus.OK, marked)


@app.get("/ratings/status", tags=["ratings"])
def get_rating_status(organization_id: Annotated[Id | None, Query()] = None) -> Response[activity.PipelineStatus]:
    """Get the state of the rating pipeline: queued items, their delay, the latest batches.

    For members; the service sees all organizations together.
    """
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, activity.status(session, organization_id))


@app.post("/ratings/restart", tags=["ratings"], status_code=202, responses=http.problems(404))
def restart_ratings(request: Annotated[controls.RestartRequest, Body()]) -> Response[controls.RatingsRestarted]:
    """Count all events again, for example after a change of the model; for owners.

    Scores stay until they are replaced.
    """
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "restart_ratings")) as session:
        restarted = controls.restart(session, request.organization_id)
    _worker.fire(ProcessBatch(reason="items"))
    return http.json(HTTPStatus.ACCEPTED, restarted)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
