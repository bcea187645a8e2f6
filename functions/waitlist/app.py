"""The waitlist of an event: join, leave, one's place, offers; for staff its entries and a push; its scheduled run."""

from typing import Any

import front_desk
import lapsing
import offers
import waiting
from marquee.edge import http, triggers
from marquee.edge.observability import LambdaContext, observed

app = http.resolver(waiting.routes, offers.routes, front_desk.routes)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Answer a request, or run the schedule's job."""
    return triggers.dispatch(event, context, http=app.resolve, schedule=lapsing.run)
