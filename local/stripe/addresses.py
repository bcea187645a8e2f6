"""The return addresses of payers and owners."""

from urllib.parse import urlsplit

from local.stripe.errors import malformed

NEVER = ("javascript", "data", "vbscript", "file")


def check_return(given: dict[str, object], *names: str) -> None:
    """Refuse a text that is not an address with a scheme, or would run in a browser."""
    for name in names:
        if name in given and not _fits(str(given[name])):
            raise malformed(
                f"Not a valid URL: {name} must be an address with a scheme such as https.",
                code="url_invalid",
                param=name,
            )


def _fits(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(parts.scheme) and parts.scheme.lower() not in NEVER and bool(parts.netloc or parts.path.strip("/"))
