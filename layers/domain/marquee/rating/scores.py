"""Public scores: the leaderboard, and an item with its history.

Row security decides who may read: scores are public if the organization's settings say so, else only for its members.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote
from uuid import UUID

from pydantic import BeforeValidator, Field, WithJsonSchema

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.models import Answer

HISTORY_SHOWN = 30

Model = Literal["bayes", "elo"]


def _unquoted(value: Any) -> Any:
    """Decode a segment of a path, which API Gateway passes on with its escapes."""
    if not isinstance(value, str):
        return value
    text = unquote(value, errors="strict")
    if "\0" in text:
        raise ValueError("an id must not contain NUL")
    return text


PathId = Annotated[
    str,
    BeforeValidator(_unquoted),
    Field(min_length=1, max_length=128),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 128}),
]
"""A client's id within a path, where `/` is written %2F."""


class Score(Answer):
    """A published score and its components."""

    item_id: str
    score: Annotated[float, Field(description="The score, from 0 to 100.")]
    rating_component: Annotated[float, Field(description="The component from votes, from 0 to 100.")]
    slider_component: Annotated[float, Field(description="The component from sliders, from 0 to 100.")]
    fire_component: Annotated[float, Field(description="The component from fires, from 0 to 100.")]
    reliability: Annotated[float, Field(description="The mean reliability of its raters, from 0 to 1.")]
    mean: Annotated[float, Field(description="The rating in the units of its model.")]
    deviation: Annotated[float, Field(description="The standard deviation of the rating, in the same units.")]
    confidence: Annotated[float, Field(description="How certain the score is, from 0 to 100.")]
    provisional: bool
    votes: int
    sliders: int
    fires: int
    model: Model
    model_version: str
    published_at: datetime


class Ranked(Score):
    """A score with its rank; equal scores share one."""

    rank: int


class PastScore(Answer):
    """An earlier published score."""

    score: float
    mean: float
    deviation: float
    confidence: float
    provisional: bool
    votes: int
    sliders: int
    fires: int
    model: Model
    model_version: str
    published_at: datetime


class RatedItem(Ranked):
    """An item's score, its rank, and its latest scores."""

    of: Annotated[int, Field(description="The number of items with a rank.")]
    history: Annotated[list[PastScore], Field(description="The last thirty published scores, newest first.")]


def leaderboard(session: Session, organization_id: UUID, limit: int, cursor: str | None) -> paging.Page[Ranked]:
    """List a page of an organization's items, best first; equal scores in the order of their ids.

    A cursor holds the number of items before it, so that every page costs the same. Refuses: 404 leaderboard_not_found
    if there is no such organization, or it shows its scores only to members.
    """
    after = paging.after(cursor, float, str, paging.COUNT, paging.COUNT)
    score, item_id, place, rank = after or (None, None, 0, 0)
    rows = session.all(
        """
        select v.visible, s.*
        from (
            select rating.shows_scores(organization_id => %(organization_id)s) as visible
        ) as v
        left join lateral (
            select a.*
            from rating.item_scores as a
            where
                a.organization_id = %(organization_id)s
                and a.score <= coalesce(%(score)s::double precision, 100)
                and (
                    %(item_id)s::text is null
                    or a.score < %(score)s::double precision
                    or a.item_id > %(item_id)s::text
                )
            order by a.score desc, a.item_id
            limit %(most)s
        ) as s on v.visible
        order by s.score desc, s.item_id
        """,
        {"organization_id": organization_id, "score": score, "item_id": item_id, "most": limit + 1},
    )
    if not rows[0]["visible"]:
        raise Refused(404, "leaderboard_not_found")
    placed: list[dict[str, Any]] = []
    for row in rows if rows[0]["item_id"] is not None else []:
        place += 1  # type: ignore[operator]
        rank = rank if row["score"] == score else place
        score = row["score"]
        placed.append({**row, "place": place, "rank": rank})
    return paging.page(
        placed, limit, Ranked.model_validate, lambda row: (row["score"], row["item_id"], row["place"], row["rank"])
    )


def item(session: Session, organization_id: UUID, item_id: str) -> RatedItem:
    """Return an item with its rank and its last thirty scores. Refuses: 404 item_not_found, also without a score."""
    row = session.one(
        """
        select
            s.*,
            p.place as rank,
            p.scores as of,
            array(
                select to_jsonb(past)
                from (
                    select h.*
                    from rating.score_history as h
                    where h.organization_id = s.organization_id and h.item_id = s.item_id
                    order by h.published_at desc
                    limit %s
                ) as past
            ) as history
        from rating.item_scores as s
        cross join lateral (
            select 1 + count(*) filter (where a.score > s.score) as place, count(*) as scores
            from rating.item_scores as a
            where a.organization_id = s.organization_id
        ) as p
        where s.organization_id = %s and s.item_id = %s
        """,
        [HISTORY_SHOWN, organization_id, item_id],
    )
    if row is None:
        raise Refused(404, "item_not_found")
    return RatedItem.model_validate(row)


def history(
    session: Session, organization_id: UUID, item_id: str, limit: int, cursor: str | None
) -> paging.Page[PastScore]:
    """List the scores of an item, newest first; none for an item without scores."""
    before = paging.after(cursor, datetime)
    rows = session.all(
        """
        select h.*
        from rating.score_history as h
        where
            h.organization_id = %(organization_id)s
            and h.item_id = %(item_id)s
            and (%(before)s::timestamptz is null or h.published_at < %(before)s::timestamptz)
        order by h.published_at desc
        limit %(most)s
        """,
        {
            "organization_id": organization_id,
            "item_id": item_id,
            "before": before[0] if before else None,
            "most": limit + 1,
        },
    )
    return paging.page(rows, limit, PastScore.model_validate, lambda row: (row["published_at"],))
