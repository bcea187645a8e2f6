"""Base models and field types of requests and responses.

JSON types are strict: "2" is not a number, 1 is not a boolean, and a time needs an offset.
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

from marquee.core import timestamps

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class Request(BaseModel):
    """The base of requests: unknown members are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    judged_singly: ClassVar[str | None] = None
    """The name of a list whose elements get a result each: an element that cannot be stored is refused alone."""

    def __repr__(self) -> str:
        """Return only the class, because client data must not reach a log, and Powertools formats every request."""
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


class Answer(BaseModel):
    """The base of responses; made from rows of the database by `model_validate(row)`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


def _moment(value: Any) -> Any:
    return value if isinstance(value, datetime) else timestamps.parse_time(value if isinstance(value, str) else "")


def _day(value: Any) -> Any:
    is_date = isinstance(value, date) and not isinstance(value, datetime)
    return value if is_date else timestamps.parse_date(value if isinstance(value, str) else "")


def _id(value: Any) -> Any:
    if isinstance(value, UUID) or (isinstance(value, str) and _ID.fullmatch(value)):
        return value
    raise ValueError("an id must be a UUID of 36 characters, with hyphens")


Id = Annotated[
    UUID, BeforeValidator(_id), WithJsonSchema({"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36})
]
"""An id in a request: only the plain form."""

Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An instant in a request, sent with an offset, kept in UTC."""

Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": timestamps.DAY_PATTERN, "examples": ["2030-01-31"]}),
]
"""A local date in a request. Numbers are refused, also those that pydantic would read as seconds."""

Whole = Annotated[int, Strict()]
"""A whole number in a request; bound it: `Annotated[Whole, Field(ge=1, le=20)]`."""

Flag = Annotated[bool, Strict()]
"""True or false, and no other spelling of it."""

Seats = Annotated[int, Strict(), Field(ge=1, le=20)]
"""Seats to take, all of them or none."""

TotalCents = Annotated[
    int,
    Strict(),
    Field(
        ge=0,
        le=2**53,
        description="The total that the customer saw. If it is another one by now, the request is `price_changed`.",
    ),
]
"""The price that the client showed to the customer, in cents."""

PromoCode = Annotated[
    str,
    Strict(),
    Field(pattern=r"^[A-Za-z0-9_-]{3,40}$", description="A promo code. If it is not valid, the request is refused."),
]
"""A code for a discount or for bonus credits; case does not matter."""
