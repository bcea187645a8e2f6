"""Test scheduled jobs: limited in turns and time, with a report of remaining work."""

import pytest

from marquee.edge import dispatch, schedules
from tests.kit.gateway import Context

pytestmark = pytest.mark.usefixtures("sockets_off")


def outcomes(*given: schedules.Outcome):
    """Return a job with these outcomes, one for each turn."""
    waiting = list(given)
    return lambda turn: waiting.pop(0)


def test_job_continues_while_there_is_more():
    job = outcomes(
        schedules.Outcome(5, more=True), schedules.Outcome(5, more=True), schedules.Outcome(2, details={"x": 1})
    )

    answer = schedules.run({"job": "tidy"}, Context(), {"tidy": job})

    assert answer == {"job": "tidy", "done": 12, "turns": 3, "more": False, "details": {"x": 1}}


def test_job_stops_before_its_timeout_and_reports_more():
    context = Context(milliseconds_left=20_000)

    def job(turn: schedules.Turn) -> schedules.Outcome:
        context.milliseconds_left -= 6_000
        return schedules.Outcome(1, more=True)

    answer = schedules.run({"job": "tidy"}, context, {"tidy": job})

    assert (answer["turns"], answer["more"]) == (3, True)
    assert context.milliseconds_left > 0


def test_job_has_one_turn_however_late_it_is():
    answer = schedules.run({"job": "tidy"}, Context(milliseconds_left=10), {"tidy": outcomes(schedules.Outcome(1))})

    assert answer["turns"] == 1


def test_number_of_turns_is_limited():
    answer = schedules.run(
        {"job": "tidy"}, Context(), {"tidy": lambda turn: schedules.Outcome(0, more=True)}, turns_max=4
    )

    assert (answer["turns"], answer["more"]) == (4, True)


def test_job_receives_its_input_and_turn_number():
    seen = []

    def job(turn: schedules.Turn) -> schedules.Outcome:
        seen.append((turn.number, turn.input["days"]))
        return schedules.Outcome(1, more=turn.number < 2)

    schedules.run({"job": "tidy", "days": 7}, Context(), {"tidy": job})

    assert seen == [(1, 7), (2, 7)]


def test_fault_of_a_job_is_raised():
    def job(turn: schedules.Turn) -> schedules.Outcome:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        schedules.run({"job": "tidy"}, Context(), {"tidy": job})


@pytest.mark.parametrize("event", [{"job": "untidy"}, {"job": None}, {"job": ["tidy"]}])
def test_unknown_job_is_a_fault(event):
    with pytest.raises(schedules.UnknownJob):
        schedules.run(event, Context(), {"tidy": outcomes()})


@pytest.mark.parametrize(
    ("event", "receiver"),
    [({"httpMethod": "GET"}, "http"), ({"Records": []}, "queue"), ({"job": "tidy"}, "schedule")],
)
def test_trigger_is_dispatched_to_its_receiver(event, receiver):
    receivers = {name: lambda event, context, name=name: name for name in ("http", "queue", "schedule")}

    assert dispatch.by_trigger(event, Context(), **receivers) == receiver
    del receivers[receiver]
    with pytest.raises(dispatch.UnknownTrigger):
        dispatch.by_trigger(event, Context(), **receivers)
