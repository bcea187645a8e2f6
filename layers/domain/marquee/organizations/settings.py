"""An organization's settings and business details, from its creation on."""

import json
import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field

from marquee.core.database import Session
from marquee.core.models import Answer, Flag, Id, Whole
from marquee.core.text_types import Line, Text, is_address
from marquee.organizations import branding, fields, tax_numbers
from marquee.organizations.branding import Branding
from marquee.organizations.fields import Changes, absent

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _address(value: str) -> str:
    if not is_address(value):
        raise ValueError("write an e-mail address such as info@example.org")
    return value


def _no_id(value: str) -> str:
    if _ID.fullmatch(value):
        raise ValueError("choose a slug that does not have the form of an id")
    return value


Slug = Annotated[
    str,
    AfterValidator(_no_id),
    Field(
        min_length=3,
        max_length=80,
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        description="The name in addresses: lower-case letters, digits and hyphens, unique, not in the form of an id.",
        examples=["studio-lotus"],
    ),
]
Email = Annotated[str, AfterValidator(_address), Field(max_length=254, json_schema_extra={"format": "email"})]
Phone = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$", description="E.164.", examples=["+41441234567"])]
Website = Annotated[Line, Field(max_length=500, pattern=r"^https://[^\s]+$")]
TaxNumber = Annotated[
    Line,
    Field(min_length=4, max_length=40, description="VAT number, checked by the country.", examples=["CHE-116.281.710"]),
]
DoubleBooking = Annotated[
    Literal["refuse", "report"],
    Field(description="Whether two events at the same time in one room are refused, or only listed."),
]
Minutes = Annotated[Whole, Field(ge=1, le=120)]


class _Details(Changes):
    """The business details of an organization."""

    legal_name: fields.Title | None = None
    street: Annotated[Line, Field(min_length=1, max_length=200)] | None = None
    postal_code: Annotated[Line, Field(min_length=1, max_length=20)] | None = None
    city: Annotated[Line, Field(min_length=1, max_length=100)] | None = None
    contact_email: Email | None = None
    contact_phone: Phone | None = None
    website: Website | None = None
    tax_number: TaxNumber | None = None
    invoice_due_days: Annotated[Whole, Field(ge=1, le=90, description="Days until an invoice is due.")] = absent()
    invoice_note: Annotated[Text, Field(min_length=1, max_length=1000)] | None = None


class OrganizationRequest(_Details):
    """A new organization. The caller becomes its owner; the service names one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "slug": "studio-lotus", "name": "Studio Lotus", "country": "CH", "currency": "CHF",
                    "time_zone": "Europe/Zurich", "language": "en",
                }
            ]
        }
    )  # fmt: skip

    slug: Slug
    name: fields.Title
    country: fields.Country
    currency: fields.Currency
    time_zone: fields.TimeZone
    language: fields.Language = "en"
    branding: Branding = absent()
    double_booking: DoubleBooking = "refuse"
    owner_id: Annotated[Id | None, Field(description="For the service: the owner.")] = None


class OrganizationEdit(_Details):
    """Changes of an organization; omitted members stay the same."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Studio Lotus", "offer_minutes": 30}]})

    slug: Annotated[Slug, Field(description="May change once in 30 days; the former slug redirects.")] = absent()
    name: fields.Title = absent()
    country: fields.Country = absent()
    currency: Annotated[fields.Currency, Field(description="Fixed after the first payment.")] = absent()
    time_zone: fields.TimeZone = absent()
    language: fields.Language = absent()
    branding: Branding = absent()
    double_booking: DoubleBooking = absent()
    online_hold_minutes: Annotated[Minutes, Field(description="How long an online hold reserves seats.")] = absent()
    desk_hold_minutes: Annotated[Minutes, Field(description="How long a hold of the desk reserves seats.")] = absent()
    offer_minutes: Annotated[Whole, Field(ge=1, le=1440, description="How long a waitlist offer reserves seats.")] = (
        absent()
    )
    last_offer_minutes: Annotated[
        Whole, Field(ge=0, le=10080, description="The waitlist ends this many minutes before the start.")
    ] = absent()
    offers_most: Annotated[Whole, Field(ge=1, le=10, description="Expired offers until a person leaves.")] = absent()
    reminder_hours: Annotated[
        Whole, Field(ge=0, le=168, description="Customers are reminded this many hours before the start. 0: never.")
    ] = absent()


class PlatformTerms(Changes):
    """Changes of the platform's terms for an organization; omitted members stay the same."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"fee_bps": 300, "invoices_allowed": True}]})

    fee_bps: Annotated[Whole, Field(ge=0, le=10_000, description="The platform's share, in 1/100 percent.")] = absent()
    fee_refunded: Annotated[Flag, Field(description="Whether a refund also refunds the share.")] = absent()
    invoices_allowed: Annotated[Flag, Field(description="Whether customers may pay by invoice.")] = absent()
    payment_minutes: Annotated[Minutes, Field(description="How long seats are reserved until payment.")] = absent()


class OrganizationSettings(Answer):
    """An organization with its settings and business details, as its staff see it."""

    id: UUID
    slug: str
    name: str
    legal_name: str | None
    street: str | None
    postal_code: str | None
    city: str | None
    country: str
    currency: str
    time_zone: str
    language: str
    contact_email: str | None
    contact_phone: str | None
    website: str | None
    branding: Annotated[dict[str, Any], Field(description="Logo and colours.")]
    tax_number: str | None
    invoice_due_days: int
    invoice_note: str | None
    double_booking: DoubleBooking
    online_hold_minutes: int
    desk_hold_minutes: int
    offer_minutes: int
    last_offer_minutes: int
    offers_most: int
    reminder_hours: int
    fee_bps: Annotated[int, Field(description="The platform's share of a sale, in 1/100 percent.")]
    fee_refunded: bool
    invoices_allowed: bool
    payment_minutes: int
    slug_changed_at: datetime | None
    archived_at: datetime | None
    created_at: datetime


def create(session: Session, request: OrganizationRequest, idempotency_key: str | None) -> OrganizationSettings:
    """Create an organization.

    Refuses: 403 organizations_reserved, 409 slug_taken, too_many_organizations, 422 invalid_request, low_contrast,
    tax_number_not_valid.
    """
    details = request.sent()
    if request.branding is not None:
        branding.check(request.branding)
    if request.tax_number is not None:
        details["tax_number"] = tax_numbers.compact(request.country, request.tax_number)
    answer = session.value(
        "select organizations.create_organization(details => %s::jsonb, idempotency_key => %s)",
        [json.dumps(details), idempotency_key],
    )
    return OrganizationSettings.model_validate(answer)


def read(session: Session, organization_id: UUID) -> OrganizationSettings:
    """Return an organization with its settings. Refuses: 403 forbidden, 404 organization_not_found."""
    answer = session.value("select organizations.show_settings(organization_id => %s)", [organization_id])
    return OrganizationSettings.model_validate(answer)


def edit(session: Session, organization_id: UUID, request: OrganizationEdit) -> OrganizationSettings:
    """Change an organization. A changed country needs a tax number that is valid there.

    Refuses: 403 forbidden, 404 organization_not_found, 409 slug_taken, slug_changed_lately, currency_fixed,
    double_booked, 422 invalid_request, low_contrast, tax_number_not_valid.
    """
    changes = request.sent()
    if "branding" in changes:
        branding.check(request.branding)
    if "country" in changes or changes.get("tax_number") is not None:
        present = read(session, organization_id)
        number = changes.get("tax_number", present.tax_number)
        if number is not None:
            changes["tax_number"] = tax_numbers.compact(changes.get("country", present.country), number)
    answer = session.value(
        "select organizations.update_organization(organization_id => %s, changes => %s::jsonb)",
        [organization_id, json.dumps(changes)],
    )
    return OrganizationSettings.model_validate(answer)


def set_archived(session: Session, organization_id: UUID, *, archived: bool) -> OrganizationSettings:
    """Archive an organization, or open it again. Refuses: 403 forbidden, 404 organization_not_found."""
    answer = session.value(
        "select organizations.set_archived(organization_id => %s, archived => %s)", [organization_id, archived]
    )
    return OrganizationSettings.model_validate(answer)


def set_platform_terms(session: Session, organization_id: UUID, request: PlatformTerms) -> OrganizationSettings:
    """Set the platform's terms for an organization, as the service. Refuses: 404 organization_not_found."""
    answer = session.value(
        "select organizations.set_platform_terms(organization_id => %s, changes => %s::jsonb)",
        [organization_id, json.dumps(request.sent())],
    )
    return OrganizationSettings.model_validate(answer)
