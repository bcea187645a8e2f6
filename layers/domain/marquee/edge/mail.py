"""E-mail by SES."""

import functools
from email.message import EmailMessage
from typing import TYPE_CHECKING

from marquee.core import settings

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client


class Refused(Exception):
    """SES can't make sense of the address or the message; sending it again won't help."""


def send(address: str, message: EmailMessage) -> str:
    """Send a message to one address, from MESSAGES_SENDER; answers the id that SES gave it.

    Raises Refused. Everything else (too fast, sending paused, no permission) raises as SES says it, to be retried.
    """
    sender = settings.current().require("messages_sender")
    message["From"] = sender
    message["To"] = address
    client = _client()
    try:
        answer = client.send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [address]},
            Content={"Raw": {"Data": message.as_bytes()}},
        )
    except client.exceptions.BadRequestException as error:
        raise Refused(str(error)) from error
    return answer["MessageId"]


@functools.cache
def _client() -> "SESV2Client":
    """Made on first use, as it brings boto3."""
    import boto3

    return boto3.client("sesv2")
