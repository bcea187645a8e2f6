"""Series and events for their organizers: /series, POST and PATCH /events, and the generation of series' events."""

from typing import Any

import generating
import managing
import single_events
import statuses
from marquee.edge import dispatch, http
from marquee.edge.observability import LambdaContext, observed

app = http.resolver(managing.routes, statuses.routes, single_events.routes)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Serve a request, generate a slice, or start the daily run."""
    return dispatch.by_trigger(event, context, http=app.resolve, queue=generating.receive, schedule=generating.run)
