"""Stripe beside the stack: the stand-in, which ends with us, or Stripe's test mode by one's own key, and never more."""

import io
import json
import socket
import urllib.request

import pytest

from demo import stripe_server
from demo.database import NotReady
from demo.stripe_server import StripeSide
from local.console import Console

WEBHOOK = "http://127.0.0.1:9/webhooks/stripe"


@pytest.fixture
def said():
    return io.StringIO()


@pytest.fixture
def side(tmp_path):
    found = StripeSide(tmp_path)
    yield found
    found.stop()


def test_the_stand_in_runs_until_it_is_stopped_and_knows_where_its_events_go(side, said, tmp_path):
    given = side.start(WEBHOOK, Console(said), {})
    url = given["STRIPE_API_BASE"]

    request = urllib.request.Request(
        f"{url}/v1/webhook_endpoints", headers={"Authorization": f"Bearer {given['STRIPE_API_KEY']}"}
    )
    with urllib.request.urlopen(request) as answer:
        endpoints = json.load(answer)["data"]
    assert [each["url"] for each in endpoints] == [WEBHOOK] * 2
    assert given["STRIPE_SIGNING_SECRETS"].startswith("whsec_")
    assert (tmp_path / "stripe" / "url").read_text() == url

    side.stop()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{url}/_stand_in")


def test_two_that_start_at_once_get_a_port_each(side, said, tmp_path, monkeypatch):
    monkeypatch.setattr(stripe_server, "_port", lambda: taken)
    with socket.socket() as end:
        end.bind(("127.0.0.1", 0))
        end.listen()
        taken = end.getsockname()[1]

        given = side.start(WEBHOOK, Console(said), {})

    assert not given["STRIPE_API_BASE"].endswith(f":{taken}")


def test_its_state_outlives_it(side, said):
    def asked(path, data=None):
        request = urllib.request.Request(
            f"{given['STRIPE_API_BASE']}{path}", data, {"Authorization": f"Bearer {given['STRIPE_API_KEY']}"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    given = side.start(WEBHOOK, Console(said), {})
    customer = asked("/v1/customers", b"name=Ben")
    side.stop()

    given = side.start(WEBHOOK, Console(said), {})

    assert asked(f"/v1/customers/{customer['id']}")["name"] == "Ben"


def test_a_test_key_means_stripe_itself(side, said):
    environment = {"STRIPE_API_KEY": "sk_test_0123456789", "STRIPE_SIGNING_SECRETS": "whsec_1", "OTHER": "x"}

    given = side.start(WEBHOOK, Console(said), environment)

    assert given == {"STRIPE_API_KEY": "sk_test_0123456789", "STRIPE_SIGNING_SECRETS": "whsec_1"}


def test_without_a_signing_secret_it_says_how_to_have_webhooks(side, said):
    side.start(WEBHOOK, Console(said), {"STRIPE_API_KEY": "sk_test_0123456789"})

    assert f"stripe listen --forward-to {WEBHOOK}" in said.getvalue()


def test_a_live_key_is_refused(side, said):
    with pytest.raises(NotReady, match="no test key"):
        side.start(WEBHOOK, Console(said), {"STRIPE_API_KEY": "sk_live_0123456789"})
