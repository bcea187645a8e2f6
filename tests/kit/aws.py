"""Fake SQS, S3 and SES with moto in this process: the queues that functions send to, and the sent e-mails.

def test_…(aws): … aws.received(aws.messages_queue)
"""

import email
import email.policy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest

REGION = "eu-central-1"
ACCOUNT_ID = "123456789012"
"""The account id that moto uses."""
SENDER = "marquee@example.org"
EXPORTS = "marquee-exports"


@dataclass(slots=True)
class Aws:
    """The fake account."""

    sqs: Any
    messages_queue: str
    relay_queue: str
    deliver_queue: str
    _seen: int = field(default=0, init=False)

    def received(self, queue_url: str) -> list[dict[str, Any]]:
        """Receive all available messages in order and delete them."""
        bodies: list[dict[str, Any]] = []
        while found := self.sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in found:
                bodies.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def stored(self, name: str) -> bytes:
        """Return the content of a file in the bucket of exports."""
        import boto3

        client: Any = boto3.client("s3", region_name=REGION)
        content: bytes = client.get_object(Bucket=EXPORTS, Key=name)["Body"].read()
        return content

    def mailed(self) -> list[EmailMessage]:
        """Return the e-mails sent since the last call, parsed."""
        from moto.ses.models import ses_backends

        sent = ses_backends[ACCOUNT_ID][REGION].sent_messages
        new, self._seen = sent[self._seen :], len(sent)
        return [email.message_from_string(each.raw_data, policy=email.policy.default) for each in new]


def record(body: dict[str, Any], number: int = 1) -> dict[str, Any]:
    """Build an SQS record as Lambda passes it to a function."""
    return {
        "messageId": f"m{number}",
        "receiptHandle": "handle",
        "body": json.dumps(body, default=str),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "0"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:queue",
        "awsRegion": REGION,
    }


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """Create the queues and a sender's address, and set their environment variables as the template does."""
    import boto3
    from moto import mock_aws

    from marquee.edge import mail, queues, storage

    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("MESSAGES_SENDER", SENDER)
    queues._client.cache_clear()
    mail._client.cache_clear()
    storage._client.cache_clear()
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
        bucket: Any = {"LocationConstraint": REGION}
        boto3.client("s3", region_name=REGION).create_bucket(Bucket=EXPORTS, CreateBucketConfiguration=bucket)
        monkeypatch.setenv("EXPORTS_BUCKET", EXPORTS)
        yield Aws(sqs, *urls[:3])
    queues._client.cache_clear()
    storage._client.cache_clear()
    mail._client.cache_clear()


@pytest.fixture(name="queues")
def stripe_queues(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Create StripeEventsQueue and RefundsQueue. Return a function that receives the new messages of one."""
    urls = {}
    for name in ("STRIPE_EVENTS", "REFUNDS"):
        urls[name] = aws.sqs.create_queue(QueueName=name.lower())["QueueUrl"]
        monkeypatch.setenv(f"{name}_QUEUE_URL", urls[name])
    return lambda name="STRIPE_EVENTS": aws.received(urls[name])
