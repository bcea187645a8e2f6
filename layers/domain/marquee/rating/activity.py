"""Monitoring of ratings for members: accepted events, newest first, figures of raters, state of the pipeline."""

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
VOTER_LOOK_BACK = timedelta(days=31)


class PastEvent(Answer):
    """An accepted rating event; members that its type does not have are null."""

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
    """The figures of a rater within an organization."""

    voter_id: str
    votes: int
    agreed: Annotated[int, Field(description="The number of votes for the item that was expected to win.")]
    expected: Annotated[float, Field(description="The number of such votes expected of an honest rater.")]
    sliders: int
    slider_mean: Annotated[float | None, Field(description="The mean of the rater's sliders.")]
    slider_deviation: Annotated[float | None, Field(description="The standard deviation of the rater's sliders.")]
    fires: int
    reliability: Annotated[float, Field(description="The probability that the rater is honest, from 0 to 1.")]
    explanation: Annotated[str, Field(description="The same in words, with its figures.")]
    updated_at: datetime


class BatchRun(Answer):
    """A run of the worker, which works for all organizations."""

    started_at: datetime
    seconds: Annotated[float | None, Field(description="Duration. Null: it is still running, or was killed.")]
    succeeded: bool | None
    result: Annotated[dict[str, Any] | None, Field(description="The result, only for the service.")] = None
    error: Annotated[str | None, Field(description="The error, only for the service.")] = None


class PipelineStatus(Answer):
    """The state of the rating pipeline."""

    queued: Annotated[int, Field(description="Number of items that wait to be counted or published.")]
    high_priority: Annotated[int, Field(description="The part of these with fires or super votes.")]
    in_work: int
    failing: Annotated[int, Field(description="Number of items that failed; they are retried with growing delays.")]
    held_back: Annotated[int, Field(description="Number of items whose scores are published when a pause ends.")]
    oldest_seconds: Annotated[float, Field(description="Waiting time of the oldest item.")]
    published: Annotated[int, Field(description="Number of items with a score.")]
    events_last_minute: int
    batches: Annotated[list[BatchRun], Field(description="The last ten runs, newest first.")]
    last_calibration: Annotated[dict[str, Any] | None, Field(description="Figures of last night's fit.")]


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
    """List rating events accepted since then, newest first: all of them for members, the caller's own for others.

    The index is by time: a page of all events is found at once, a voter's by reading all events since then. So others
    than members get those of the last 31 days (VOTER_LOOK_BACK) at most. An index by voter would slow ingestion.
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
            and e.received_at >= greatest(
                %(since)s::timestamptz,
                case
                    when
                        ops.caller_is_service()
                        or exists (select from public.user_orgs() as o (id) where o.id = %(organization_id)s)
                        then '-infinity'
                    else statement_timestamp() - %(voter_look_back)s::interval
                end
            )
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
            "voter_look_back": VOTER_LOOK_BACK,
            "before": before[0] if before else None,
            "before_id": before[1] if before else None,
            "most": limit + 1,
        },
        access=Access("rating_events", person="r.voter_id", most=limit),
    )
    return paging.page(rows, limit, PastEvent.model_validate, lambda row: (row["received_at"], row["event_id"]))


def rater(session: Session, organization_id: UUID, voter_id: str) -> Rater:
    """Return a rater's figures, for members and for the rater. Refuses: 404 voter_not_found."""
    # Imported here because it loads numpy, which the rest of this module does not need.
    from marquee.rating import reliability
    from marquee.rating.types import Population

    row = session.one(
        """
        select
            v.*,
            50 + v.slider_sum / nullif(v.sliders, 0) as slider_mean,
            sqrt(
                greatest(v.slider_square_sum - v.slider_sum ^ 2 / nullif(v.sliders, 0), 0) / nullif(v.sliders - 1, 0)
            ) as slider_deviation,
            rating.honest_share(organization_id => v.organization_id) as honest_share
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
    """Return the state of the pipeline, for an organization or (the service) for all. Refuses: 401, 403 forbidden."""
    answer = session.value("select rating.get_pipeline_status(organization_id => %s::uuid)", [organization_id])
    return PipelineStatus.model_validate(answer)
