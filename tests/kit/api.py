"""Serve the whole API in this process: a WSGI app that passes each request to the function of its route.

It replaces API Gateway and its authorizer. The header X-Caller names one of the callers that the app knows.
"""

import json
import traceback
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.kit import gateway

OPENAPI = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


class Api:
    """The API as a WSGI app. `callers` are the possible callers by header name. A public route has no caller."""

    def __init__(self, callers: Mapping[str, Any]) -> None:
        self.callers = callers
        self.document = json.loads(OPENAPI.read_text())
        self._routes = []
        for folder in sorted(gateway.FUNCTIONS.iterdir()):
            if (folder / "app.py").exists() and "http.resolver(" in (folder / "app.py").read_text():
                app = gateway.load(folder.name).app
                self._routes += [(route.method, route.rule, folder.name, route.openapi_path) for route in app.routes]
        # As in API Gateway, a literal segment has priority over a parameter.
        self._routes.sort(key=lambda route: route[3].count("{"))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Respond to a WSGI request."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else None
        if path == "/openapi.json":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self.document).encode()]
        function, documented = self.function_of(method, path)
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        event = gateway.event(
            method,
            unquote(path),
            body,
            caller=self._caller(method, environ, documented),
            headers=_headers(environ),
            query=query,
        )
        try:
            answer = gateway.invoke(function, event)
        except Exception:  # API Gateway's response for a function that raised, with the log's text
            answer = {"statusCode": 502, "headers": {"Content-Type": "text/plain"}, "body": traceback.format_exc()}
        headers = {name: values[-1] for name, values in (answer.get("multiValueHeaders") or {}).items()}
        headers |= answer.get("headers") or {}
        status = HTTPStatus(answer["statusCode"])
        start_response(f"{status.value} {status.phrase}", list(headers.items()))
        return [(answer.get("body") or "").encode()]

    def function_of(self, method: str, path: str) -> tuple[str, str | None]:
        matching = [route for route in self._routes if route[1].match(path)]
        for route in matching:
            if route[0] == method:
                return route[2], route[3]
        return (matching[0][2], None) if matching else ("book", None)

    def _caller(self, method: str, environ: dict[str, Any], documented: str | None) -> Any:
        operation = self.document["paths"].get(documented or "", {}).get(method.lower(), {})
        if not operation.get("security", self.document.get("security")):
            return None
        return self.callers.get(environ.get("HTTP_X_CALLER", ""))


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    headers = {name[5:].replace("_", "-").title(): value for name, value in environ.items() if name.startswith("HTTP_")}
    if environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    return headers
