"""People of an organization: its members, invitations, offers of ownership, and the record of its changes."""

from typing import Any

from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed
from people_routes import invitations, members, ownership

app = http.resolver(members.routes, invitations.routes, ownership.routes)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
