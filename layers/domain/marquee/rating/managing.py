"""An organization's say over its ratings: how they are made, and to have them made again."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, Strict

from marquee.core.database import Session
from marquee.core.models import Answer, Flag, Id, Moment, Request, Whole
from marquee.rating.events import ClientId

ITEMS_MOST = 1000

Share = Annotated[float, Strict(), Field(ge=0, le=1)]
Points = Annotated[float, Strict(), Field(ge=0, le=100)]


def _absent() -> Any:
    """The default of a member that a change may leave out; null is no value of it."""
    return Field(default_factory=lambda: None)


class RatingSettings(Answer):
    """How an organization's items are rated and published."""

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
    """What changes; what is left out stays. The three weights come to 1 together."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "pause_seconds": 600}]
        }
    )

    organization_id: Id
    model: Annotated[
        Literal["bayes", "elo"], Field(description="Another model counts what comes from now on; restart counts all.")
    ] = _absent()
    public: Annotated[Flag, Field(description="Whether anyone may see scores and rate items that exist.")] = _absent()
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
    paused_until: Annotated[Moment | None, Field(description="Nothing is published before; null: at once.")] = None
    period_seconds: Annotated[Whole, Field(ge=1, le=86400)] = _absent()
    events_per_voter_and_day: Annotated[
        Whole,
        Field(ge=1, le=10_000_000, description="Rating events of one voter accepted in a day (UTC)."),
    ] = _absent()


class DirtyRequest(Request):
    """Items that are to be counted and published again, though nothing came in for them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a", "item_ids": ["dawn"]}]
        }
    )

    organization_id: Id
    item_ids: Annotated[list[ClientId], Field(min_length=1, max_length=ITEMS_MOST)]
    priority: Annotated[Whole, Field(ge=0, le=100, description="Each point is worth twenty seconds of waiting.")] = 0


class ItemsMarked(Answer):
    """How many items wait now because of the request."""

    marked: int


class RestartRequest(Request):
    """Whose ratings begin anew."""

    organization_id: Id


class RatingsRestarted(Answer):
    """What is counted anew."""

    events: Annotated[int, Field(description="All of them wait to be counted again.")]
    items: int


def settings(session: Session, organization_id: UUID) -> RatingSettings:
    """How an organization has it; the defaults where it never said."""
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
    """Change them. Refuses: 401, 403 forbidden (admins and owners may), 404, 422 invalid_request."""
    changes = request.model_dump(mode="json", exclude_unset=True, exclude={"organization_id"})
    answer = session.value(
        "select rating.change_settings(organization_id => %s, changes => %s::jsonb)",
        [request.organization_id, json.dumps(changes)],
    )
    return RatingSettings.model_validate(answer)


def mark_dirty(session: Session, organization_id: UUID, item_ids: Sequence[str], priority: int) -> ItemsMarked:
    """Have items counted and published again. Refuses: 401, 403 forbidden."""
    marked: int = session.value(
        "select rating.recount(organization_id => %s, item_ids => %s::text[], priority => %s)",
        [organization_id, sorted(set(item_ids)), priority],
    )
    return ItemsMarked(marked=marked)


def restart(session: Session, organization_id: UUID) -> RatingsRestarted:
    """Forget what was computed and have all events counted again. Refuses: 401, 403 forbidden (owners may)."""
    return RatingsRestarted.model_validate(
        session.value("select rating.restart(organization_id => %s)", [organization_id])
    )
