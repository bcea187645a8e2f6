"""moto's server, quiet and with connections that stay open, and a page with the mails that SES received.

It prints its port, then serves until it is ended. moto itself serves any web page, so requests of foreign pages are
refused first.
"""

import email
import email.policy
import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.ses.models import ses_backends
from werkzeug.serving import WSGIRequestHandler, make_server

from local import foreign_pages

MAILS = "/.local/mails"


class KeepAlive(WSGIRequestHandler):
    """Keeps connections open, which halves the cost of a call."""

    protocol_version = "HTTP/1.1"


class Application:
    """moto, and the page with the mails in front of it."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        if foreign_pages.is_foreign(headers):
            body = foreign_pages.REFUSAL.encode()
            start("403 Forbidden", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
            return [body]
        if environ["PATH_INFO"] != MAILS:
            answer: Iterable[bytes] = self._moto(environ, start)
            return answer
        body = json.dumps(sent()).encode()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


def sent() -> list[dict[str, Any]]:
    """Return the mails that SES received, in order: from, to, subject, body."""
    found = []
    for regions in ses_backends.values():
        for backend in regions.values():
            for message in backend.sent_messages:
                to = getattr(message, "destinations", [])
                addresses = to.get("ToAddresses", []) if isinstance(to, dict) else to
                raw = getattr(message, "raw_data", None)
                subject, body = shown(raw) if raw else (message.subject, message.body)
                found.append(
                    {
                        "from": message.source,
                        "to": list(dict.fromkeys(addresses)),  # moto adds the recipients of a raw message's headers
                        "subject": subject,
                        "body": body,
                    }
                )
    return found


def shown(raw: str) -> tuple[str, str]:
    """Return the subject and the plain text of a raw message, or its source if it has no plain text."""
    message = email.message_from_string(raw, policy=email.policy.default)
    plain = message.get_body(("plain",))
    return str(message["Subject"] or ""), raw if plain is None else plain.get_content()


def main() -> None:
    """Serve on a free port of loopback."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, Application(), threaded=True, request_handler=KeepAlive)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
