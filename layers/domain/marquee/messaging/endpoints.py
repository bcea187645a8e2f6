"""Endpoints of subscribers, for admins of their organization: create, change, test, and list deliveries.

Everything concerns the organization of the caller's token. A secret is only in the response that creates it.
"""

import json
from datetime import datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema

from marquee.core import paging, settings
from marquee.core.database import Access, Session
from marquee.core.encryption import KeyRing
from marquee.core.errors import Refused
from marquee.core.models import Answer, Flag, Request
from marquee.core.text_types import Text
from marquee.messaging import signing_secrets, url_safety
from marquee.messaging.topics import SUBSCRIBABLE

TOPICS_MOST = 100

_ORGANIZATION = "(select e.organization_id from messaging.webhook_endpoints as e where e.id = {0})"

Status = Literal["pending", "delivered", "failed"]


def _topic(value: str) -> str:
    if value not in SUBSCRIBABLE:
        raise ValueError("webhooks have no such topic")
    return value


Topic = Annotated[str, AfterValidator(_topic), WithJsonSchema({"type": "string", "enum": sorted(SUBSCRIBABLE)})]
Topics = Annotated[
    list[Topic],
    Field(min_length=1, max_length=TOPICS_MOST, description="The topics to send. Null: all topics."),
]
Url = Annotated[
    str,
    Field(min_length=1, max_length=url_safety.URL_LENGTH_MAX),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "maxLength": url_safety.URL_LENGTH_MAX,
            "description": "https, a public host, port 443 or 8443, no user and no fragment.",
        }
    ),
]
Description = Annotated[Text, Field(max_length=500)]


def _absent() -> Any:
    """Return the default of a member that a change may omit; null is not a valid value."""
    return Field(default_factory=lambda: None)


class EndpointRequest(Request):
    """An endpoint of an organization for webhooks."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": "https://hooks.example.com/marquee", "topics": ["booking.confirmed"]}]}
    )

    url: Url
    topics: Topics | None = None
    description: Description = ""


class EndpointEdit(Request):
    """Changes of an endpoint; omitted members stay the same."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"topics": None}, {"enabled": True}]})

    url: Url = _absent()
    topics: Topics | None = None
    description: Description = _absent()
    enabled: Annotated[
        Flag, Field(description="Whether it receives webhooks. While it is off, none are stored for it.")
    ] = _absent()


class Endpoint(Answer):
    """An endpoint, without its secrets."""

    id: UUID
    organization_id: UUID
    url: str
    topics: list[str] | None
    description: str
    enabled: bool
    disabled_at: datetime | None
    disabled_reason: Annotated[
        Literal["by_hand", "gone", "failing", "no_admin"] | None,
        Field(description="gone: it responded 410. failing: nothing accepted in five days. no_admin: none is left."),
    ]
    failing_since: Annotated[datetime | None, Field(description="The first failure since its last success.")]
    previous_secret_expires_at: Annotated[
        datetime | None, Field(description="Until then deliveries are also signed with the previous secret.")
    ]
    created_at: datetime
    updated_at: datetime


class EndpointWithSecret(Endpoint):
    """An endpoint and its new secret, which is shown only once."""

    secret: Annotated[str, Field(description="whsec_ and 32 random bytes in base64.")]


class Attempt(Answer):
    """One attempt to deliver, with its result."""

    number: int
    started_at: datetime
    duration_ms: int
    status_code: int | None
    error: Annotated[str | None, Field(description="Why there was no response, or why it was not accepted.")]
    response: Annotated[str | None, Field(description="The first part of the response's body.")]


class Delivery(Answer):
    """A message for an endpoint; its id is the webhook-id."""

    id: UUID
    endpoint_id: UUID
    topic: str
    payload: Annotated[dict[str, Any], Field(description="The contents of `data`.")]
    occurred_at: datetime
    status: Status
    attempts: int
    next_attempt_at: datetime | None
    last_status_code: int | None
    last_error: str | None
    last_duration_ms: int | None
    created_at: datetime
    delivered_at: datetime | None
    history: list[Attempt]


def create(session: Session, request: EndpointRequest, keys: KeyRing) -> EndpointWithSecret:
    """Create an endpoint. Refuses: 403 forbidden, 409 too_many_webhook_endpoints, 422 invalid_request."""
    _check_url(request.url)
    endpoint_id, secret = signing_secrets.new_endpoint_id(), signing_secrets.new_secret()
    made = session.value(
        """
        select messaging.create_webhook_endpoint(
            id => %s, url => %s, topics => %s::text[], description => %s, sealed_secret => %s
        )
        """,
        [
            endpoint_id,
            request.url,
            request.topics,
            request.description,
            signing_secrets.sealed(keys, endpoint_id, secret),
        ],
    )
    return EndpointWithSecret.model_validate({**made, "secret": secret})


def list_own(session: Session, limit: int, cursor: str | None) -> paging.Page[Endpoint]:
    """List the organization's endpoints, oldest first."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        """
        select e.*
        from messaging.webhook_endpoint_details as e
        where %(after)s::uuid is null or e.id > %(after)s::uuid
        order by e.id
        limit %(most)s
        """,
        {"after": after[0] if after else None, "most": limit + 1},
    )
    return paging.page(rows, limit, Endpoint.model_validate, lambda row: (row["id"],))


def get(session: Session, endpoint_id: UUID) -> Endpoint:
    """Return one endpoint. Refuses: 404 webhook_endpoint_not_found."""
    row = session.one("select e.* from messaging.webhook_endpoint_details as e where e.id = %s", [endpoint_id])
    if row is None:
        raise Refused(404, "webhook_endpoint_not_found")
    return Endpoint.model_validate(row)


def edit(session: Session, endpoint_id: UUID, request: EndpointEdit) -> Endpoint:
    """Change an endpoint. Refuses: 403 forbidden, 404 webhook_endpoint_not_found, 422 invalid_request."""
    changes = request.model_dump(mode="json", exclude_unset=True)
    if "url" in changes:
        _check_url(request.url)
    answer = session.value(
        "select messaging.update_webhook_endpoint(endpoint_id => %s, changes => %s::jsonb)",
        [endpoint_id, json.dumps(changes)],
    )
    return Endpoint.model_validate(answer)


def delete(session: Session, endpoint_id: UUID) -> None:
    """Delete an endpoint and its deliveries. Refuses: 403 forbidden, 404 webhook_endpoint_not_found."""
    session.value("select messaging.delete_webhook_endpoint(endpoint_id => %s)", [endpoint_id])


def rotate_secret(session: Session, endpoint_id: UUID, keys: KeyRing) -> EndpointWithSecret:
    """Give an endpoint a new secret; the old one also signs for another 24 hours.

    Refuses: 403 forbidden, 404 webhook_endpoint_not_found, 409 rotated_too_often.
    """
    secret = signing_secrets.new_secret()
    changed = session.value(
        "select messaging.rotate_webhook_secret(endpoint_id => %s, sealed_secret => %s)",
        [endpoint_id, signing_secrets.sealed(keys, endpoint_id, secret)],
    )
    return EndpointWithSecret.model_validate({**changed, "secret": secret})


def test(session: Session, endpoint_id: UUID) -> Delivery:
    """Send a webhook.test to an endpoint. Returns its delivery.

    Refuses: 403 forbidden, 404 webhook_endpoint_not_found, 409 tests_pending and webhook_endpoint_disabled, 429
    rate_limited.
    """
    return _delivery(
        session.value(
            "select messaging.webhook_delivery_answer(messaging.test_webhook_endpoint(endpoint_id => %s))",
            [endpoint_id],
        )
    )


def resend(session: Session, delivery_id: UUID) -> Delivery:
    """Send a delivery again now, under its webhook-id.

    Refuses: 403 forbidden, 404 webhook_delivery_not_found, 409 webhook_endpoint_disabled, 429 rate_limited.
    """
    return _delivery(
        session.value(
            "select messaging.webhook_delivery_answer(messaging.resend_webhook_delivery(delivery_id => %s)) as answer",
            [delivery_id],
            access=Access(
                "resend_webhook_delivery",
                person="r.answer -> 'payload' ->> 'customer_id'",
                organization=_ORGANIZATION.format("(r.answer ->> 'endpoint_id')::uuid"),
            ),
        )
    )


def deliveries(
    session: Session, endpoint_id: UUID, status: Status | None, limit: int, cursor: str | None
) -> paging.Page[Delivery]:
    """List an endpoint's deliveries, newest first, of one status or any; none for an unknown endpoint."""
    before = paging.after(cursor, UUID)
    rows = session.all(
        """
        select d.*
        from messaging.webhook_delivery_details as d
        where
            d.endpoint_id = %(endpoint_id)s
            and (%(status)s::text is null or d.status = %(status)s::text)
            and (%(before)s::uuid is null or d.id < %(before)s::uuid)
        order by d.id desc
        limit %(most)s
        """,
        {
            "endpoint_id": endpoint_id,
            "status": status,
            "before": before[0] if before else None,
            "most": limit + 1,
        },
        access=Access(
            "webhook_deliveries",
            person="r.payload ->> 'customer_id'",
            organization=_ORGANIZATION.format("r.endpoint_id"),
            most=limit,
        ),
    )
    return paging.page(rows, limit, Delivery.model_validate, lambda row: (row["id"],))


def _delivery(answer: Any) -> Delivery:
    return Delivery.model_validate(cast(dict[str, Any], answer))


def _check_url(url: str) -> None:
    try:
        url_safety.target(url, allow_private=settings.current().webhooks_allow_private)
    except url_safety.NotAllowed as error:
        problem = {"path": ["body", "url"], "kind": "url", "message": str(error)}
        raise Refused(
            422, "invalid_request", "Webhooks cannot be sent to this URL. `errors` has the reason.", errors=[problem]
        ) from error
