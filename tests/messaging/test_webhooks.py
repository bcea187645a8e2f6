"""marquee.messaging.webhooks: body, signature and retry times of a webhook."""

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from standardwebhooks import Webhook

from marquee.messaging import topics, webhooks

pytestmark = pytest.mark.usefixtures("sockets_off")

NOW = datetime(2030, 5, 1, 12, 0, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_signature_matches_the_published_example():
    signature = webhooks.sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(some.binary(min_size=24, max_size=64), some.text(max_size=50), some.integers(0, 2**31))
def test_signature_matches_the_reference_library(key, text, seconds):
    secret = "whsec_" + base64.b64encode(key).decode()
    content = webhooks.body("booking.confirmed", NOW, {"text": text})

    ours = webhooks.sign(secret, "id", str(seconds), content)

    assert ours == Webhook(secret).sign("id", datetime.fromtimestamp(seconds, UTC), content.decode())


def test_body_contains_type_timestamp_and_data():
    content = webhooks.body("booking.confirmed", datetime(2030, 5, 1, 14, 0, tzinfo=UTC), {"name": "Zoë", "seats": 2})

    text = '{"type":"booking.confirmed","timestamp":"2030-05-01T14:00:00.000Z","data":{"name":"Zoë","seats":2}}'
    assert content.decode() == text
    assert json.loads(content)["data"]["seats"] == 2


def test_headers_carry_a_signature_by_each_valid_secret():
    new, old = ("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode() for _number in range(2))
    content = b"{}"

    headers = webhooks.headers("id-1", datetime.now(UTC), content, [new, old])

    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (new, old):
        Webhook(secret).verify(content, headers)


def test_ten_attempts_span_a_little_over_three_days():
    pauses = [webhooks.pause_seconds(tries, 0.5) for tries in range(1, 11)]

    assert pauses == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, None]
    assert timedelta(days=3) < timedelta(seconds=sum(pauses[:-1])) < timedelta(days=3, hours=4)


@pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 270), (0.5, 300), (1.0, 330)])
def test_jitter_spreads_pauses_by_ten_percent(jitter, seconds):
    assert webhooks.pause_seconds(2, jitter) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("asked", "seconds"), [(None, 300), (10, 300), (900, 900), (86_400, 86_400), (10**9, 86_400), (0, 300)]
)
def test_receiver_may_lengthen_the_pause_up_to_a_day(asked, seconds):
    assert webhooks.pause_seconds(2, 0.5, asked) == seconds


@pytest.mark.parametrize(
    ("status", "value", "seconds"),
    [
        (429, "120", 120),
        (503, " 120 ", 120),
        (429, "Wed, 01 May 2030 12:02:00 GMT", 120),
        (429, "Wed, 01 May 2030 11:00:00 GMT", 0),
        (429, "99999999999999999999", 999999999),
        (429, "soon", None),
        (429, "-5", None),
        (429, "", None),
        (429, "٣", None),
        (429, None, None),
        (500, "120", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date_of_a_429_or_503(status, value, seconds):
    assert webhooks.retry_after_seconds(status, value, NOW) == seconds


@pytest.mark.parametrize(
    ("topic", "payload", "heard"),
    [
        ("booking.confirmed", {"organization_id": "x"}, True),
        ("booking.confirmed", {}, False),
        ("booking.confirmed", {"organization_id": None}, False),
        ("alert.fired", {"organization_id": "x"}, False),
        ("webhook_endpoint.disabled", {"organization_id": "x"}, False),
        ("unknown.thing", {"organization_id": "x"}, False),
    ],
)
def test_subscribers_receive_public_topics_of_their_organization(topic, payload, heard):
    message = topics.OutboxMessage(id=1, topic=topic, key="k", payload=payload, created_at=NOW)

    assert topics.is_for_subscribers(message) is heard
