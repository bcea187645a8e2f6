"""People: members and customers of organizations, and each person's notifications and preferences."""

from typing import Any

from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed
from people_routes import customers, invitations, members, notifications, ownership

app = http.resolver(members.routes, customers.routes, invitations.routes, ownership.routes, notifications.routes)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
