"""A process that requests pages of events from the catalog's handler, and returns the milliseconds of each query."""

import time
from statistics import median
from typing import Any

from bench.booking import processes
from bench.runs import MeasurementFailed
from tests.kit import gateway

WARM_UP = 3


def measure(url: str, queries: dict[str, dict[str, str]], times: int) -> dict[str, float]:
    """Return the milliseconds of each query: the median of `times` requests in a separate process."""
    answer: dict[str, float] = processes.call(__name__, {"queries": queries, "times": times}, DATABASE_URL=url)
    return answer


def _work(question: dict[str, Any]) -> dict[str, float]:
    handler = gateway.load("catalog").lambda_handler
    context = gateway.Context(function_name="catalog")
    taken: dict[str, list[float]] = {name: [] for name in question["queries"]}
    requests = {name: gateway.event("GET", "/events", query=query) for name, query in question["queries"].items()}
    for turn in range(WARM_UP + question["times"]):
        for name, request in requests.items():
            began = time.perf_counter()
            answer = handler(request, context)
            milliseconds = (time.perf_counter() - began) * 1000
            if answer["statusCode"] != 200:
                raise MeasurementFailed(f"{name}: {answer['statusCode']} {answer['body']}")
            if turn >= WARM_UP:
                taken[name].append(milliseconds)
    return {name: median(values) for name, values in taken.items()}


if __name__ == "__main__":
    processes.serve(_work)
