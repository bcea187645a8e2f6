"""Files in S3 that people download by a temporary link: the bucket EXPORTS_BUCKET."""

import functools
from typing import Any

from marquee.core import settings


def put_export(name: str, content: bytes) -> None:
    """Store a ZIP under its name. Storing it again replaces it."""
    _client().put_object(
        Bucket=settings.current().require("exports_bucket"), Key=name, Body=content, ContentType="application/zip"
    )


def export_link(name: str, seconds: int) -> str:
    """Return a link that downloads a ZIP, valid for so many seconds.

    The function's credentials sign it. If they end sooner, so does the link; the next request returns a new one.
    """
    link: str = _client().generate_presigned_url(
        "get_object",
        Params={
            "Bucket": settings.current().require("exports_bucket"),
            "Key": name,
            "ResponseContentDisposition": 'attachment; filename="marquee.zip"',
        },
        ExpiresIn=seconds,
    )
    return link


@functools.cache
def _client() -> Any:
    """Create the client on first use, because it loads boto3. Signature 4 makes links to the bucket's own region."""
    import boto3
    from botocore.config import Config

    return boto3.client("s3", config=Config(signature_version="s3v4", retries={"mode": "standard"}))
