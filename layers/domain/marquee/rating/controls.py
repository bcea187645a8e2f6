"""An organization's control over its ratings: settings, marking items, restart."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, Strict

from marquee.core.database import Session
from marquee.core.models import Answer, Flag, Id, Moment, Request, Whole
from marquee.rating.events import StoredId

ITEMS_MOST = 1000

Share = Annotated[float, Strict(), Field(ge=0, le=1)]
Points = Annotated[float, Strict(), Field(ge=0, le=100)]


def _absent() -> Any:
    """Return the default of a member that a change may omit; null is not a valid value."""
    return Field(default_factory=lambda: None)


class RatingSettings(Answer):
    """The settings by which an organization's items are rated and published."""

    organization_id: UUID
    model: Literal["bayes", "elo"]
    public: bool
    rating_weight: float
    slider_weight: float
    fire_weight: float
    votes_least: int
    opponents_least: int
    sliders_least: int
    slider_voters_least: int
    score_step: float
    confidence_step: float
    deviation_step: float
    tiers: list[float]
    pause_seconds: int
    paused_until: datetime | None
    period_seconds: int
    events_per_voter_and_day: int


class SettingsEdit(Request):
    """Changes of the settings; omitted members stay the same. The three weights must sum to 1."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "pause_seconds": 600}]
        }
    )

    organization_id: Id
    model: Annotated[
        Literal["bayes", "elo"],
        Field(description="A new model counts events from now on. A restart counts all events."),
    ] = _absent()
    public: Annotated[Flag, Field(description="Whether anyone may see scores and rate existing items.")] = _absent()
    rating_weight: Share = _absent()
    slider_weight: Share = _absent()
    fire_weight: Share = _absent()
    votes_least: Annotated[Whole, Field(ge=0, le=1000)] = _absent()
    opponents_least: Annotated[Whole, Field(ge=0, le=20)] = _absent()
    sliders_least: Annotated[Whole, Field(ge=0, le=1000)] = _absent()
    slider_voters_least: Annotated[Whole, Field(ge=0, le=20)] = _absent()
    score_step: Points = _absent()
    confidence_step: Points = _absent()
    deviation_step: Annotated[float, Strict(), Field(ge=0, le=1000)] = _absent()
    tiers: Annotated[list[Points], Field(max_length=100)] = _absent()
    pause_seconds: Annotated[Whole, Field(ge=0, le=86400)] = _absent()
    paused_until: Annotated[
        Moment | None, Field(description="No score is published before this time. Null: no pause.")
    ] = None
    period_seconds: Annotated[Whole, Field(ge=1, le=86400)] = _absent()
    events_per_voter_and_day: Annotated[
        Whole,
        Field(ge=1, le=10_000_000, description="Rating events of one voter accepted in a day (UTC)."),
    ] = _absent()


class DirtyRequest(Request):
    """Items to be counted and published again without new events."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "item_ids": ["dawn"]}]
        }
    )

    organization_id: Id
    item_ids: Annotated[list[StoredId], Field(min_length=1, max_length=ITEMS_MOST)]
    priority: Annotated[Whole, Field(ge=0, le=100, description="Each point counts like twenty seconds of waiting.")] = 0


class ItemsMarked(Answer):
    """The number of items that are now queued by the request."""

    marked: int


class RestartRequest(Request):
    """The organization whose ratings are restarted."""

    organization_id: Id


class RatingsRestarted(Answer):
    """The number of events and items that are counted again."""

    events: Annotated[int, Field(description="The number of events that are queued to be counted again.")]
    items: int


def settings(session: Session, organization_id: UUID) -> RatingSettings:
    """Return an organization's settings, or the defaults."""
    row = session.one(
        """
        select s.organization_id, s.model::text as model, s.public, s.rating_weight, s.slider_weight, s.fire_weight,
            s.votes_least, s.opponents_least, s.sliders_least, s.slider_voters_least, s.score_step, s.confidence_step,
            s.deviation_step, s.tiers, s.pause_seconds, s.paused_until, s.period_seconds,
            s.events_per_voter_and_day
        from rating.show_settings(organization_id => %s) as s
        """,
        [organization_id],
    )
    return RatingSettings.model_validate(row)


def change_settings(session: Session, request: SettingsEdit) -> RatingSettings:
    """Change the settings. Refuses: 401, 403 forbidden (admins and owners may), 404, 422 invalid_request."""
    changes = request.model_dump(mode="json", exclude_unset=True, exclude={"organization_id"})
    answer = session.value(
        "select rating.change_settings(organization_id => %s, changes => %s::jsonb)",
        [request.organization_id, json.dumps(changes)],
    )
    return RatingSettings.model_validate(answer)


def mark_dirty(session: Session, organization_id: UUID, item_ids: Sequence[str], priority: int) -> ItemsMarked:
    """Mark items to be counted and published again. Refuses: 401, 403 forbidden."""
    marked: int = session.value(
        "select rating.recount(organization_id => %s, item_ids => %s::text[], priority => %s)",
        [organization_id, sorted(set(item_ids)), priority],
    )
    return ItemsMarked(marked=marked)


def restart(session: Session, organization_id: UUID) -> RatingsRestarted:
    """Delete the computed state and count all events again. Refuses: 401, 403 forbidden (owners may)."""
    return RatingsRestarted.model_validate(
        session.value("select rating.reset_ratings(organization_id => %s)", [organization_id])
    )
