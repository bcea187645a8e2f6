"""Bookings over HTTP through the local stack: per second (against 200) and their 95th percentile (against 50 ms).

Client, gateway, authorizer, function and database share this machine.
"""

from collections.abc import Iterator

from bench import databases, stack
from bench.booking import http_client
from bench.figures import Row, against, percentile
from bench.runs import Run, log, step

EVENTS = 200
CALLERS = 500
CONNECTIONS = 8
TARGET_PER_SECOND = 200
TARGET_P95_MS = 50
REQUESTS_PER_RUN_MAX = 30_000
WARM_UP_SECONDS_MAX = 90


def rows(run: Run, factory: databases.Factory) -> Iterator[Row]:
    """Yield `http_rps` and `http_p95_ms` of the same requests."""
    runs, seconds = 3, run.pick(10, 2)
    database = factory.create("web", customers=CALLERS, events=EVENTS)
    with stack.start(run.folder / "stack", database.api) as system:
        question = {
            "port": system.port,
            "connections": CONNECTIONS,
            "tokens": [system.token(str(databases.customer_id(number))) for number in range(CALLERS)],
            "events": [str(databases.event_id(number)) for number in range(EVENTS)],
            "requests_max": REQUESTS_PER_RUN_MAX,
        }
        with step(f"http: warming up with each of {CALLERS} callers"):
            http_client.load({**question, "first": 0, "seconds": WARM_UP_SECONDS_MAX, "requests_max": CALLERS})
        rates, slow = [], []
        with step(f"http_rps, http_p95_ms: {runs} times {seconds} s over {CONNECTIONS} connections"):
            first = CALLERS
            for _ in range(runs):
                answer = http_client.load({**question, "first": first, "seconds": seconds})
                taken = answer["milliseconds"]
                first += len(taken) + CONNECTIONS
                rates.append(len(taken) / answer["seconds"])
                slow.append(percentile(taken, 0.95))
    log("http: " + ", ".join(f"{rate:.0f}/s, {late:.0f} ms" for rate, late in zip(rates, slow, strict=True)))
    yield against("http_rps", "bookings/s", rates, TARGET_PER_SECOND)
    yield against("http_p95_ms", "ms", slow, TARGET_P95_MS)
    factory.drop(database)
