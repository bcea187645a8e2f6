"""People: members of organizations, invitations and ownership; and each person's notifications and preferences."""

from typing import Any

from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed
from people_routes import invitations, members, notifications, ownership

app = http.resolver(members.routes, invitations.routes, ownership.routes, notifications.routes)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
