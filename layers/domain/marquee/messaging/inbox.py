"""The caller's notifications in the application: list them, count the unread ones, and mark them as read."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.models import Answer, Id, Request


class Notification(Answer):
    """A notification, in the language that the person preferred when it was written."""

    id: UUID
    topic: Annotated[str, Field(description="The event that it is about.", examples=["booking.confirmed"])]
    organization_id: UUID | None
    subject: str
    body: str
    created_at: datetime
    read_at: Annotated[datetime | None, Field(description="Null: unread.")]


class UnreadNotifications(Answer):
    """The number of unread notifications."""

    unread: Annotated[int, Field(description="At most 1000, which then means 1000 or more.")]


class NotificationsRead(Request):
    """Notifications to mark as read: all, or those up to one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{}, {"up_to_id": "0190f3c4-6f0a-7cc1-9d3b-1f0b7c1d2e3f"}]}
    )

    up_to_id: Annotated[
        Id | None, Field(description="The newest notification that the person has seen. Null: all.")
    ] = None


UNREAD_MOST = 1000


def list_own(session: Session, limit: int, cursor: str | None, *, only_unread: bool) -> paging.Page[Notification]:
    """List the caller's notifications, newest first. Refuses: 422 invalid_request."""
    before = paging.after(cursor, UUID)
    rows = session.all(
        """
        select n.id, n.topic, n.organization_id, n.subject, n.body, n.created_at, n.read_at
        from messaging.notifications as n
        where
            n.user_id = (select ops.caller_id())
            and (not %(only_unread)s or n.read_at is null)
            and (%(before)s::uuid is null or n.id < %(before)s::uuid)
        order by n.id desc
        limit %(most)s
        """,
        {"only_unread": only_unread, "before": before[0] if before else None, "most": limit + 1},
    )
    return paging.page(rows, limit, Notification.model_validate, lambda row: (row["id"],))


def count_unread(session: Session) -> UnreadNotifications:
    """Return the number of the caller's unread notifications, which is counted up to 1000."""
    return UnreadNotifications(
        unread=session.value(
            """
            select count(*)
            from (
                select
                from messaging.notifications as n
                where n.user_id = (select ops.caller_id()) and n.read_at is null
                limit %s
            ) as unread
            """,
            [UNREAD_MOST],
        )
    )


def mark_read(session: Session, notification_id: UUID) -> None:
    """Mark a notification as read. Refuses: 403 forbidden, 404 notification_not_found."""
    session.value("select messaging.mark_notification_read(notification_id => %s)", [notification_id])


def mark_all_read(session: Session, request: NotificationsRead | None) -> None:
    """Mark all notifications as read, or those up to one. Refuses: 403 forbidden."""
    session.value(
        "select messaging.mark_notifications_read(up_to_id => %s::uuid)", [request.up_to_id if request else None]
    )
