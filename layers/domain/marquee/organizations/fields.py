"""Field types shared by requests about organizations."""

from typing import Annotated, Any

from pydantic import Field

from marquee.core.models import Request
from marquee.core.text_types import Line, Text

Title = Annotated[Line, Field(min_length=1, max_length=200)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="Country code (ISO 3166).", examples=["CH"])]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="Currency code (ISO 4217).", examples=["CHF"])]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$", description="Language code (ISO 639).", examples=["en"])]
TimeZone = Annotated[
    Line, Field(min_length=1, max_length=100, description="IANA time zone.", examples=["Europe/Zurich"])
]
LongText = Annotated[Text, Field(max_length=5000)]


def absent() -> Any:
    """Return the default of a member that an edit may omit; null is not a valid value."""
    return Field(default_factory=lambda: None)


class Changes(Request):
    """The changes of an edit: the members that were sent."""

    def sent(self) -> dict[str, Any]:
        """Return the members that were sent, as JSON values."""
        return self.model_dump(mode="json", exclude_unset=True)
