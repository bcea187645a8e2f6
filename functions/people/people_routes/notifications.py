"""Routes of a person's notifications and preferences, and the public one that unsubscribes."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import count
from marquee.messaging import inbox, preferences

routes = http.routes()

Token = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[0-9a-z._-]+$")]


@routes.get("/notifications", tags=["notifications"])
def list_notifications(
    unread: Annotated[bool | None, Query(description="Whether to list only unread ones.")] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[inbox.Notification]]:
    """List the caller's notifications of the last 13 months, newest first."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, inbox.list_own(session, limit, cursor, only_unread=unread is True))


@routes.get("/notifications/unread", tags=["notifications"])
def count_unread_notifications() -> Response[inbox.UnreadNotifications]:
    """Count the caller's unread notifications."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, inbox.count_unread(session))


@routes.post("/notifications/read", tags=["notifications"], status_code=204, responses=http.problems(403))
def mark_notifications_read(request: Annotated[inbox.NotificationsRead | None, Body()] = None) -> Response[None]:
    """Mark all notifications of the caller as read, or those up to one."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "notifications")) as session:
        inbox.mark_all_read(session, request)
    return http.empty()


@routes.post(
    "/notifications/<notification_id>/read",
    tags=["notifications"],
    status_code=204,
    responses=http.problems(403, 404),
)
def mark_notification_read(notification_id: Annotated[Id, Path()]) -> Response[None]:
    """Mark one of the caller's notifications as read."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "notifications")) as session:
        inbox.mark_read(session, notification_id)
    return http.empty()


@routes.get("/notification-preferences", tags=["notifications"])
def get_preferences() -> Response[preferences.Preferences]:
    """Get how the caller receives messages, by family and channel."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, preferences.read(session))


@routes.patch("/notification-preferences", tags=["notifications"], responses=http.problems(403))
def edit_preferences(
    request: Annotated[preferences.PreferencesEdit, Body()],
) -> Response[preferences.Preferences]:
    """Change how the caller receives messages; payments and cancellations are always sent."""
    event = routes.current_event
    with database.transaction(http.caller(event), limit=http.limited(event, "notifications")) as session:
        return http.json(HTTPStatus.OK, preferences.edit(session, request))


@routes.post("/unsubscribe/<token>", tags=["notifications"], responses=http.problems(404))
def unsubscribe(token: Token) -> Response[preferences.Unsubscribed]:
    """Stop the e-mails of a family by the link in one of them (RFC 8058), without a token of the issuer."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "unsubscribe")) as session:
        stopped = preferences.unsubscribe(session, token)
    count("EmailsUnsubscribed")
    return http.json(HTTPStatus.OK, stopped)
