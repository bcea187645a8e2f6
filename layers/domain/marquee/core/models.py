"""Bases and field types of the models that meet the outside world.

JSON is taken at its word: "2" is no number, 1 is no truth value, a time says its offset.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    WithJsonSchema,
)

from marquee.core import moments

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class Request(BaseModel):
    """What a client sends: unknown members are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    judged_singly: ClassVar[str | None] = None
    """A list whose elements are answered for one by one: what cannot be stored in one refuses that one alone."""

    def __repr__(self) -> str:
        """The class alone: what a client sends is for no log, and Powertools makes this text of every request."""
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


class Answer(BaseModel):
    """What a client gets; made from rows of the database by `model_validate(row)`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


def _moment(value: Any) -> Any:
    return value if isinstance(value, datetime) else moments.moment(value if isinstance(value, str) else "")


def _day(value: Any) -> Any:
    is_date = isinstance(value, date) and not isinstance(value, datetime)
    return value if is_date else moments.day(value if isinstance(value, str) else "")


def _id(value: Any) -> Any:
    if isinstance(value, UUID) or (isinstance(value, str) and _ID.fullmatch(value)):
        return value
    raise ValueError("an id is a UUID, written like 0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a")


Id = Annotated[
    UUID, BeforeValidator(_id), WithJsonSchema({"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36})
]
"""An id of a request: the plain form only."""

Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An instant of a request, given with an offset, held in UTC."""

Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": moments.DAY_PATTERN, "examples": ["2030-01-31"]}),
]
"""A local date of a request, and no number of seconds that happens to come to one."""

Whole = Annotated[int, Strict()]
"""A whole number of a request; bound it: `Annotated[Whole, Field(ge=1, le=20)]`."""

Flag = Annotated[bool, Strict()]
"""True or false, and no other word for it."""

Seats = Annotated[int, Strict(), Field(ge=1, le=20)]
"""Seats taken together or not at all."""

PromoCode = Annotated[
    str,
    Strict(),
    Field(pattern=r"^[A-Za-z0-9_-]{3,40}$", description="Used with the booking, or the booking is not made."),
]
"""A code that makes a price less, or gives credits on top; small and capital letters are the same."""
