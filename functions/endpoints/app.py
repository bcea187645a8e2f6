"""Webhooks to subscribers, for admins of their organization: /webhook-endpoints, /webhook-deliveries."""

from typing import Any

import changing_endpoints
import keeping_endpoints
import sending_deliveries
import showing_deliveries
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed

app = http.resolver(
    keeping_endpoints.routes, changing_endpoints.routes, showing_deliveries.routes, sending_deliveries.routes
)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
