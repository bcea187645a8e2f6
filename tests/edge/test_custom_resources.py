"""Test that CloudFormation always receives a correct response for a custom resource."""

import threading
import time

import pytest

from marquee.edge import custom_resources
from tests.kit import cloudformation, gateway


@pytest.fixture
def there():
    with cloudformation.listening() as listening:
        yield listening


def carry_out(request, work):
    return custom_resources.carry_out(request, work, pause_seconds=0.001)


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_success_response_repeats_the_requests_ids(there, kind):
    done = carry_out(there.request(kind), lambda: {"applied": "3"})

    assert done == {"applied": "3"}
    assert there.answers == [
        {
            "Status": "SUCCESS",
            "Data": {"applied": "3"},
            "PhysicalResourceId": "Migration",
            "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/marquee/0e8f6d20",
            "RequestId": "c5c3ad0f-5c22-4f6e-8e2b-7a3a1b0d9f11",
            "LogicalResourceId": "Migration",
        }
    ]


def test_response_has_no_content_type_because_its_url_is_signed_without(there):
    carry_out(there.request("Create"), dict)

    assert there.content_types == [""]


def test_update_keeps_the_physical_resource_id(there):
    carry_out(there.request("Update", PhysicalResourceId="first"), dict)

    assert there.answers[0]["PhysicalResourceId"] == "first"


def test_delete_does_nothing_and_succeeds(there):
    carry_out(there.request("Delete", PhysicalResourceId="first"), lambda: pytest.fail("It did something."))

    assert there.answers[0]["Status"] == "SUCCESS"


@pytest.mark.parametrize("fault", [RuntimeError("no such table"), SystemExit("no such table")])
def test_failure_is_reported_and_raised(there, fault):
    def fail():
        raise fault

    with pytest.raises(type(fault)):
        carry_out(there.request("Update"), fail)

    assert there.answers[0]["Status"] == "FAILED"
    assert there.answers[0]["Reason"] == f"{type(fault).__name__}: no such table"


def test_long_failure_reason_is_truncated(there):
    def fail():
        raise RuntimeError("x" * 10_000)

    with pytest.raises(RuntimeError):
        carry_out(there.request("Update"), fail)

    assert len(there.answers[0]["Reason"]) == custom_resources.REASON_CHARACTERS_MAX


def test_refused_response_is_resent(there):
    there.refusals = 3

    carry_out(there.request("Create"), dict)

    assert len(there.answers) == 1


def test_response_refused_at_every_attempt_raises_not_answered(there):
    there.refusals = custom_resources.ATTEMPTS_MAX

    with pytest.raises(custom_resources.NotAnswered):
        carry_out(there.request("Create"), dict)

    assert there.answers == []
    assert there.refusals == 0


def test_work_is_cancelled_before_its_invocation_ends():
    cancelled = threading.Event()
    context = gateway.Context(milliseconds_left=1_000)

    with custom_resources.in_time(context, cancelled.set, reserve_seconds=0.99):
        assert cancelled.wait(5)


def test_work_done_in_time_is_not_cancelled():
    cancelled = threading.Event()

    with custom_resources.in_time(gateway.Context(milliseconds_left=60_030), cancelled.set, reserve_seconds=60):
        pass

    time.sleep(0.1)
    assert not cancelled.is_set()
