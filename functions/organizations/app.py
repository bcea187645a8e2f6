"""Organizations: their creation and settings, locations, rooms, instructors, resources, policies and tax rates."""

from typing import Any

from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed
from organizations_routes import places, policies, settings, tax_rates

app = http.resolver(settings.routes, places.routes, policies.routes, tax_rates.routes)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
