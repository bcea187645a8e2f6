"""The public catalog: GET /events, /organizations, their calendars, and /ratings."""

from typing import Any

import organizers
import ranking
import searching
import showing
import subscribing
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed

app = http.resolver(searching.routes, showing.routes, organizers.routes, subscribing.routes, ranking.routes)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
