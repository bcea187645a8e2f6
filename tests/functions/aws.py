"""SQS and SES for tests, by moto in this process: the queues that functions send to, and what was mailed.

from tests.functions.aws import aws  # a fixture

def test_…(aws): … aws.received(aws.messages_queue)
"""

import email
import email.policy
import json
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

REGION = "eu-central-1"
SENDER = "marquee@example.org"


@dataclass(slots=True)
class Aws:
    """The pretended account."""

    sqs: Any
    messages_queue: str
    relay_queue: str
    deliver_queue: str
    _seen: int = field(default=0, init=False)

    def received(self, queue_url: str) -> list[dict[str, Any]]:
        """All messages that can be received just now, in order; they are deleted."""
        bodies: list[dict[str, Any]] = []
        while found := self.sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in found:
                bodies.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def mailed(self) -> list[EmailMessage]:
        """The e-mails sent since the last look, parsed."""
        sent = ses_backends[DEFAULT_ACCOUNT_ID][REGION].sent_messages
        new, self._seen = sent[self._seen :], len(sent)
        return [email.message_from_string(each.raw_data, policy=email.policy.default) for each in new]


def record(body: dict[str, Any], number: int = 1) -> dict[str, Any]:
    """An SQS record as Lambda hands it over."""
    return {
        "messageId": f"m{number}",
        "receiptHandle": "handle",
        "body": json.dumps(body, default=str),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "0"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{DEFAULT_ACCOUNT_ID}:queue",
        "awsRegion": REGION,
    }
