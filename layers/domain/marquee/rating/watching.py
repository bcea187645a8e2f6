"""What went in, for an organization's members: its events, newest first, what is known of a rater, how far work is."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from marquee.core import paging
from marquee.core.database import Access, Session
from marquee.core.errors import Refused
from marquee.core.models import Answer
from marquee.rating.events import Kind, VoteKind

LOOK_BACK = timedelta(days=1)


class PastEvent(Answer):
    """An event that was taken; members that its type does not have are null."""

    event_id: int
    type: Kind
    key: str
    voter_id: str
    item_a: str | None = None
    item_b: str | None = None
    winner: str | None = None
    kind: VoteKind | None = None
    item_id: str | None = None
    value: float | None = None
    occurred_at: datetime | None
    received_at: datetime


class Rater(Answer):
    """What is known of a rater within an organization."""

    voter_id: str
    votes: int
    agreed: Annotated[int, Field(description="Votes for the item that was expected to win.")]
    expected: Annotated[float, Field(description="How many of them an honest rater would have agreed with.")]
    sliders: int
    slider_mean: Annotated[float | None, Field(description="Of the rater's own sliders.")]
    slider_deviation: Annotated[float | None, Field(description="Of the rater's own sliders.")]
    fires: int
    reliability: Annotated[float, Field(description="How probably this is an honest rater, from 0 to 1.")]
    explanation: Annotated[str, Field(description="The same in words, with the figures that it comes from.")]
    updated_at: datetime


class BatchRun(Answer):
    """A run of the worker; it works for all organizations."""

    started_at: datetime
    seconds: Annotated[float | None, Field(description="Null: it is at it, or was killed.")]
    succeeded: bool | None
    result: Annotated[dict[str, Any] | None, Field(description="What it did; for the service.")] = None
    error: Annotated[str | None, Field(description="For the service.")] = None


class PipelineStatus(Answer):
    """How far the work is."""

    queued: Annotated[int, Field(description="Items that wait to be counted or published.")]
    high_priority: Annotated[int, Field(description="Of these, those with fires or super votes.")]
    in_work: int
    failing: Annotated[int, Field(description="They are tried again, later and later.")]
    held_back: Annotated[int, Field(description="Their scores are published when a pause ends.")]
    oldest_seconds: Annotated[float, Field(description="How long the one that waits longest has been waiting.")]
    published: Annotated[int, Field(description="Items with a score.")]
    events_last_minute: int
    batches: Annotated[list[BatchRun], Field(description="The last ten, newest first.")]
    last_calibration: Annotated[dict[str, Any] | None, Field(description="Figures of the last night's fit.")]


def events(
    session: Session,
    organization_id: UUID,
    limit: int,
    cursor: str | None,
    *,
    since: datetime,
    kind: Kind | None = None,
    voter_id: str | None = None,
) -> paging.Page[PastEvent]:
    """Events that came in since then, newest first: all of them for members, for others their own.

    They lie by time: a page of all is found at once, a voter's by looking through what came in since.
    """
    before = paging.after(cursor, datetime, paging.BIGINT)
    rows = session.all(
        """
        select e.*
        from rating.recent_events as e
        where
            e.organization_id = %(organization_id)s
            and (%(kind)s::text is null or e.type = %(kind)s::text)
            and (%(voter_id)s::text is null or e.voter_id = %(voter_id)s::text)
            and e.received_at >= %(since)s::timestamptz
            and e.received_at <= coalesce(%(before)s::timestamptz, 'infinity')
            and (
                %(before)s::timestamptz is null
                or e.received_at < %(before)s::timestamptz
                or e.event_id < %(before_id)s::bigint
            )
        order by e.received_at desc, e.event_id desc
        limit %(most)s
        """,
        {
            "organization_id": organization_id,
            "kind": kind,
            "voter_id": voter_id,
            "since": since,
            "before": before[0] if before else None,
            "before_id": before[1] if before else None,
            "most": limit + 1,
        },
        access=Access("rating_events", person="r.voter_id", most=limit),
    )
    return paging.page(rows, limit, PastEvent.model_validate, lambda row: (row["received_at"], row["event_id"]))


def rater(session: Session, organization_id: UUID, voter_id: str) -> Rater:
    """A rater: for members, and for oneself. Refuses: 404 voter_not_found."""
    # Imported here: it comes with numpy, which nothing else in this module needs.
    from marquee.rating import reliability
    from marquee.rating.arrays import Population

    row = session.one(
        """
        select
            v.*,
            50 + v.slider_sum / nullif(v.sliders, 0) as slider_mean,
            sqrt(
                greatest(v.slider_square_sum - v.slider_sum ^ 2 / nullif(v.sliders, 0), 0) / nullif(v.sliders - 1, 0)
            ) as slider_deviation,
            rating.honest_share_of(organization_id => v.organization_id) as honest_share
        from rating.voters as v
        where v.organization_id = %s and v.voter_id = %s
        """,
        [organization_id, voter_id],
        access=Access("rater", person="r.voter_id"),
    )
    if row is None:
        raise Refused(404, "voter_not_found")
    explained = reliability.explain(
        votes=row["votes"],
        agreed=row["agreed"],
        expected=row["expected"],
        log_odds=row["log_odds"],
        sliders=row["sliders"],
        population=Population(honest_share=row["honest_share"]),
    )
    return Rater.model_validate({**row, "reliability": explained.reliability, "explanation": explained.text})


def status(session: Session, organization_id: UUID | None) -> PipelineStatus:
    """How far the work is, of an organization or (for the service) of all. Refuses: 401, 403 forbidden."""
    answer = session.value("select rating.get_pipeline_status(organization_id => %s::uuid)", [organization_id])
    return PipelineStatus.model_validate(answer)
