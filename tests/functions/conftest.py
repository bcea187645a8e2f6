"""Fixtures of the tests that run handlers."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from marquee.edge import mail, queues, request_samples
from tests.functions import subscriber
from tests.functions.aws import REGION, SENDER, Aws


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Queues and a sender's address, named in the environment as the template does."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("MESSAGES_SENDER", SENDER)
    queues._client.cache_clear()
    mail._client.cache_clear()
    with mock_aws():
        sqs = boto3.client("sqs", region_name=REGION)
        boto3.client("sesv2", region_name=REGION).create_email_identity(EmailIdentity=SENDER)
        urls = [
            sqs.create_queue(QueueName=name)["QueueUrl"]
            for name in (
                "messages",
                "relay",
                "deliver",
                "stripe-events",
                "refunds",
                "rating-events",
                "process-batch",
                "calibrate",
            )
        ]
        monkeypatch.setenv("MESSAGES_QUEUE_URL", urls[0])
        monkeypatch.setenv("RELAY_QUEUE_URL", urls[1])
        monkeypatch.setenv("DELIVER_QUEUE_URL", urls[2])
        monkeypatch.setenv("STRIPE_EVENTS_QUEUE_URL", urls[3])
        monkeypatch.setenv("REFUNDS_QUEUE_URL", urls[4])
        monkeypatch.setenv("RATING_EVENTS_QUEUE_URL", urls[5])
        monkeypatch.setenv("PROCESS_BATCH_QUEUE_URL", urls[6])
        monkeypatch.setenv("CALIBRATE_QUEUE_URL", urls[7])
        yield Aws(sqs, *urls[:3])
    queues._client.cache_clear()
    mail._client.cache_clear()


@pytest.fixture(name="queues")
def queues_of_settle(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """StripeEventsQueue and RefundsQueue: what was sent to each since the last look."""
    urls = {}
    for name in ("STRIPE_EVENTS", "REFUNDS"):
        urls[name] = aws.sqs.create_queue(QueueName=name.lower())["QueueUrl"]
        monkeypatch.setenv(f"{name}_QUEUE_URL", urls[name])
    return lambda name="STRIPE_EVENTS": aws.received(urls[name])


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[subscriber.Subscriber]:
    """A subscriber's server on this machine, which deliver may call."""
    monkeypatch.setenv("WEBHOOKS_ALLOW_PRIVATE", "true")
    with subscriber.running() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_samples_of_other_tests() -> None:
    """Each test begins with an empty batch, so that none writes what others measured."""
    request_samples.requests = request_samples.Batch(request_samples.requests.write)
