"""The front desk: lists of events and bookings, the day, attendance, payments, and the till."""

from typing import Any

from desk_routes import attendance, lists, payments, tills
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed

app = http.resolver(lists.routes, attendance.routes, payments.routes, tills.routes)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
