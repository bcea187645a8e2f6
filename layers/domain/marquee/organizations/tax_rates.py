"""Tax rates that organizations set for themselves, by date. They replace those of the organization's country."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core.database import Session
from marquee.core.models import Answer, Request, Whole
from marquee.core.text_types import Line


class TaxRateRequest(Request):
    """A tax rate from a day on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"valid_from": "2030-02-01", "rate_bps": 0}]})

    valid_from: Annotated[date, Field(description="Its first day, today or later, in the organization's time zone.")]
    rate_bps: Annotated[
        Annotated[Whole, Field(ge=0, le=10_000)] | None,
        Field(description="In hundredths of a percent. Null: the rate of the country again."),
    ] = None
    category: Annotated[
        Line,
        Field(max_length=64, description="A category of events, or `standard` for all without a rate of their own."),
    ] = "standard"


class TaxRate(Answer):
    """A tax rate of an organization."""

    id: UUID
    organization_id: UUID
    category: str
    valid_from: date
    rate_bps: int | None
    created_at: datetime


class TaxRates(Answer):
    """The tax rates of an organization, the latest day first."""

    items: list[TaxRate]


def set_rate(session: Session, organization_id: UUID, request: TaxRateRequest) -> TaxRate:
    """Set the rate of a category from a day on.

    Refuses: 403 forbidden, 404 organization_not_found, 409 too_many_places, 422 invalid_request.
    """
    query = "select organizations.set_tax_rate(organization_id => %s, category => %s, valid_from => %s, rate_bps => %s)"
    return TaxRate.model_validate(
        session.value(query, [organization_id, request.category, request.valid_from, request.rate_bps])
    )


def list_rates(session: Session, organization_id: UUID) -> TaxRates:
    """Return the rates of an organization, for its members. Refuses: 403 forbidden, 404 organization_not_found."""
    rows = session.all("select r.* from organizations.list_tax_rates(organization_id => %s) as r", [organization_id])
    return TaxRates(items=[TaxRate.model_validate(row) for row in rows])
