"""The waitlist of an event: join, leave, position and offers; entries and promotion for staff; the scheduled run."""

from typing import Any

import front_desk
import lapsing
import offers
import waiting
from marquee.edge import dispatch, http
from marquee.edge.observability import LambdaContext, observed

app = http.resolver(waiting.routes, offers.routes, front_desk.routes)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Serve a request, or run the schedule's job."""
    return dispatch.by_trigger(event, context, http=app.resolve, schedule=lapsing.run)
