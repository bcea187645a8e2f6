"""E-mail by SES."""

import functools
import random
import time
from email.errors import MessageError
from email.message import EmailMessage
from http import HTTPStatus
from typing import TYPE_CHECKING

from marquee.core import settings
from marquee.core.text_types import is_address

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


ATTEMPTS_MAX = 4
PAUSE_SECONDS = 0.2
TOO_FAST = "TooManyRequestsException"


class Refused(Exception):
    """The address or the message can never be sent; sending it again is useless."""


class NotTaken(Exception):
    """SES temporarily rejected the message: nothing was sent."""


def send(address: str, message: EmailMessage) -> str:
    """Send a message to one address, from MESSAGES_SENDER. Returns the id from SES.

    Raises Refused, or NotTaken (too fast, after four attempts; sending paused; no permission). Any other exception,
    above all a time-out, leaves it open whether the message was sent, because SES has no idempotency key.
    """
    sender = settings.current().require("messages_sender")
    content = _written(sender, address, message)
    attempt = 1
    while True:
        try:
            return _send(sender, address, content)
        except NotTaken as refusal:
            if attempt == ATTEMPTS_MAX or str(refusal) != TOO_FAST:
                raise
        time.sleep(PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311 - spreads the retries
        attempt += 1


def _written(sender: str, address: str, message: EmailMessage) -> bytes:
    """Return the message with its headers. Raises Refused for an address or a text that cannot be written.

    The header classes of `email` raise many kinds of errors for input that they cannot parse. None of them may be a
    fault, because a fault has the whole batch retried.
    """
    if not is_address(address):
        raise Refused("The address is not one that mailers can write.")
    message["From"] = sender
    try:
        message["To"] = address
        return message.as_bytes()
    except (MessageError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise Refused(f"The message cannot be written: {type(error).__name__}.") from error


def _send(sender: str, address: str, content: bytes) -> str:
    from botocore.exceptions import ClientError

    client = _client()
    try:
        answer = client.send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [address]},
            Content={"Raw": {"Data": content}},
        )
    except client.exceptions.BadRequestException as error:
        raise Refused(str(error)) from error
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        raise NotTaken(error.response["Error"]["Code"]) from error
    return answer["MessageId"]


@functools.cache
def _client() -> "SESV2Client":
    """Create the client on first use, because it loads boto3. One attempt only: a hidden retry could send twice."""
    import boto3
    from botocore.config import Config

    return boto3.client("sesv2", config=Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=15))
