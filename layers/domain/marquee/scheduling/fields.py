"""Field types shared by requests about series and events."""

import re
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from marquee.core.models import Id, Request, Whole
from marquee.core.text_types import Line, Text
from marquee.scheduling.rules import LENGTH_MAX

_TIME = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)

TIME_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"


def _time(value: Any) -> Any:
    if isinstance(value, time) or (isinstance(value, str) and _TIME.fullmatch(value)):
        return value
    raise ValueError("write a local time like 18:30, without an offset")


LocalTime = Annotated[
    time, BeforeValidator(_time), WithJsonSchema({"type": "string", "pattern": TIME_PATTERN, "examples": ["18:30"]})
]
"""A wall-clock time of day."""

Title = Annotated[Line, Field(min_length=1, max_length=200)]
Description = Annotated[Text, Field(max_length=20_000)]
Category = Annotated[
    str, Field(max_length=100, pattern=r"^[a-z0-9-]+$", description="Slug of a category.", examples=["yoga"])
]
Language = Annotated[
    str, Field(pattern=r"^[a-z]{2}$", description="Language code (ISO 639): en, de, fr…", examples=["en"])
]
TimeZone = Annotated[
    Line, Field(min_length=1, max_length=100, description="IANA time zone.", examples=["Europe/Zurich"])
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="Currency code (ISO 4217).", examples=["CHF"])]
Recurrence = Annotated[
    Text,
    Field(
        min_length=1,
        max_length=LENGTH_MAX,
        examples=["RRULE:FREQ=WEEKLY;BYDAY=MO,WE"],
        description="RFC 5545 lines in local time: at most one RRULE, any number of RDATE and EXDATE, no DTSTART.",
    ),
]
DurationMinutes = Annotated[Whole, Field(ge=10, le=600)]
Capacity = Annotated[Whole, Field(ge=0, le=1_000_000)]
PriceCents = Annotated[Whole, Field(ge=0, le=100_000_000, description="The price of a seat, in cents of the currency.")]
ResourceIds = Annotated[list[Id], Field(max_length=20, description="Resources in use by the event.")]
Visibility = Literal["public", "private"]


def absent() -> Any:
    """Return the default of a field that an edit may omit.

    model_fields_set shows whether it was sent; null is not a valid value.
    """
    return Field(default_factory=lambda: None)


class Changes(Request):
    """The changes of an edit: the members that were sent."""

    def sent(self) -> dict[str, Any]:
        """Return the members that were sent, as JSON values, without the consent."""
        return self.model_dump(mode="json", exclude_unset=True, exclude={"confirm"})
