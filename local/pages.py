"""The stack's own pages, for paths without a route in the template.

They are the API's documentation (/docs, /openapi.json), the issuer's keys (/.well-known/…), and the paths of the other
commands (/.local/…). The last ones need a header that a browser's page cannot send by itself.
"""

import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from local import foreign_pages
from local.functions import Outcome, Pool
from local.invocations import Undelivered
from local.issuer import Issuer
from local.runtime import Failure
from local.schedules import Scheduler, UnknownSchedule
from local.state import HEADER

ASSETS = {"swagger-ui-bundle.min.js": "text/javascript", "swagger-ui.min.css": "text/css"}
EVENT_BYTES_MAX = 6 * 1024 * 1024
DOCS = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>API</title><link rel="stylesheet" href="/docs/swagger-ui.min.css"></head>
<body><div id="docs"></div>
<script src="/docs/swagger-ui-bundle.min.js"></script>
<script>
SwaggerUIBundle({url: "/openapi.json", dom_id: "#docs", deepLinking: true, persistAuthorization: true,
  presets: [SwaggerUIBundle.presets.apis], validatorUrl: null});
</script>
</body></html>
"""


class Pages:
    """Serves the stack's own paths. `status` returns the state of the stack."""

    def __init__(
        self,
        url: str,
        issuer: Issuer,
        docs: Path | None,
        pools: Mapping[str, Pool],
        scheduler: Scheduler,
        status: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._url = url
        self._issuer = issuer
        self._docs = docs
        self._pools = pools
        self._scheduler = scheduler
        self._status = status

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """Return the page for this path, or None if there is none."""
        path = unquote(request.raw_path.partition("?")[0])
        if path.startswith("/.local/"):
            return await self._control(request, path.removeprefix("/.local/"))
        if request.method not in ("GET", "HEAD"):
            return None
        if path == "/.well-known/jwks.json":
            return web.json_response(self._issuer.keys())
        if path == "/.well-known/openid-configuration":
            return web.json_response(self._issuer.configuration(self._url))
        if self._docs is not None and (path in ("/docs", "/docs/", "/openapi.json") or path.startswith("/docs/")):
            return self._documentation(path, self._docs)
        return None

    def _documentation(self, path: str, docs: Path) -> web.StreamResponse | None:
        if path in ("/docs", "/docs/"):
            return web.Response(text=DOCS, content_type="text/html")
        if path == "/openapi.json":
            if not docs.exists():
                return _error(HTTPStatus.NOT_FOUND, f"{docs} is not there yet.")
            document = json.loads(docs.read_text())
            return web.json_response({**document, "servers": [{"url": self._url}]})
        name = path.removeprefix("/docs/")
        folder = _swagger()
        if name not in ASSETS or folder is None:
            return None
        return web.Response(body=(folder / name).read_bytes(), content_type=ASSETS[name])

    async def _control(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        if HEADER not in request.headers or foreign_pages.is_foreign(request.headers):
            return _error(HTTPStatus.FORBIDDEN, f"This path is for the stack's own commands (header {HEADER}).")
        kind, _, name = path.partition("/")
        match request.method, kind:
            case "GET", "status":
                return web.json_response(self._status())
            case "GET", "schedules":
                return web.json_response([_schedule(due) for due in self._scheduler.due()])
            case "POST", "schedules":
                return await self._fire(name)
            case "POST", "functions":
                return await self._invoke(name, request)
        return _error(HTTPStatus.NOT_FOUND, f"There is nothing at /.local/{path}.")

    async def _fire(self, name: str) -> web.StreamResponse:
        try:
            outcome = await self._scheduler.fire(name)
        except (UnknownSchedule, Undelivered) as error:
            return _error(HTTPStatus.NOT_FOUND, str(error))
        return web.json_response({"delivered": True} if outcome is None else told(outcome))

    async def _invoke(self, name: str, request: web.BaseRequest) -> web.StreamResponse:
        pool = named(self._pools, name)
        if pool is None:
            known = ", ".join(sorted(each.function.logical_id for each in self._pools.values()))
            return _error(HTTPStatus.NOT_FOUND, f"There is no function {name!r}. Functions here: {known}.")
        event = b"".join([chunk async for chunk in request.content.iter_any()])
        if len(event) > EVENT_BYTES_MAX:
            return _error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "An event may have 6 MB at most.")
        return web.json_response(told(await pool.invoke(event)))


def named(pools: Mapping[str, Pool], name: str) -> Pool | None:
    """Return the function's pool, by logical id, physical name or title."""
    wanted = name.lower()
    for pool in pools.values():
        function = pool.function
        if wanted in (function.logical_id.lower(), function.name.lower(), function.title):
            return pool
    return None


def told(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON: the payload as a value if it is JSON, and whether it is an error."""
    try:
        payload = json.loads(outcome.payload)
    except ValueError:
        payload = outcome.payload.decode(errors="replace")
    return {
        "request_id": outcome.request_id,
        "failed": isinstance(outcome.result, Failure),
        "milliseconds": round(outcome.seconds * 1000, 1),
        "cold_milliseconds": None if outcome.cold_seconds is None else round(outcome.cold_seconds * 1000, 1),
        "payload": payload,
    }


def _schedule(due: Any) -> dict[str, Any]:
    schedule = {**asdict(due.schedule), "title": due.schedule.title}
    return {**schedule, "next_at": due.next_at.isoformat() if due.next_at else None}


def _error(status: HTTPStatus, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)


def _swagger() -> Path | None:
    """Return the folder of Swagger UI in Powertools, which needs no network."""
    spec = importlib.util.find_spec("aws_lambda_powertools")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "event_handler" / "openapi" / "swagger_ui"
    return folder if folder.is_dir() else None
