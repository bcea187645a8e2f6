"""Series, events and closures of organizers: their routes, and the generation of series' events.

The daily run sends slices of series to GenerateQueue.
"""

from typing import Any
from uuid import UUID

from manage_events_routes import closures, events, series
from marquee.core import clock, database, settings
from marquee.edge import dispatch, http, queues, schedules
from marquee.edge.observability import LambdaContext, MetricUnit, count, logger, metrics, observed
from marquee.operations import jobs
from marquee.scheduling import generation

app = http.resolver(series.routes, events.routes, closures.routes)


class GenerateSlice(queues.Message):
    """Generate the events of these series."""

    series_ids: list[UUID]


def generate(message: GenerateSlice, _delivery: queues.Delivery) -> None:
    """Generate the events of a slice of series, in bounded transactions."""
    left = message.series_ids
    while left:
        with database.transaction(database.service()) as session:
            generated = generation.generate(session, left, clock.now())
        metrics.add_metric(name="EventsGenerated", unit=MetricUnit.Count, value=generated.events)
        for series_id in generated.refused:
            logger.error("series_refused", series_id=str(series_id))
            count("SeriesRefused")
        left = list(generated.left)


def receive(event: dict[str, Any], context: LambdaContext) -> Any:
    """Process the batches of GenerateQueue."""
    return queues.receive(event, context, GenerateSlice, generate)


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule: each turn sends the next slice of due series to GenerateQueue."""
    last: list[UUID] = []

    def send_slice(_turn: schedules.Turn) -> schedules.Outcome:
        with database.single(database.service()) as session:
            due = generation.due(session, clock.now(), last[-1] if last else None)
        if due:
            queues.send(settings.current().require("generate_queue_url"), GenerateSlice(series_ids=due))
            last.append(due[-1])
        return schedules.Outcome(len(due), more=len(due) == generation.SERIES_PER_SLICE)

    return jobs.record_run("generate_events", lambda: schedules.run(event, context, {"generate_events": send_slice}))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Serve a request, generate a slice, or start the daily run."""
    return dispatch.by_trigger(event, context, http=app.resolve, queue=receive, schedule=run)
