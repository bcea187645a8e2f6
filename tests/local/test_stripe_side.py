"""Stripe beside the stack: the stand-in, which stops with the stack, or Stripe's test mode; never live mode."""

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


def test_stand_in_runs_until_stopped_and_knows_its_webhook_endpoints(side, said, tmp_path):
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


def test_stand_in_takes_another_port_when_its_port_is_in_use(side, said, tmp_path, monkeypatch):
    monkeypatch.setattr(stripe_server, "_port", lambda: taken)
    with socket.socket() as end:
        end.bind(("127.0.0.1", 0))
        end.listen()
        taken = end.getsockname()[1]

        given = side.start(WEBHOOK, Console(said), {})

    assert not given["STRIPE_API_BASE"].endswith(f":{taken}")


def test_stand_in_keeps_its_state_across_a_restart(side, said):
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


def test_test_key_selects_stripe_itself(side, said):
    environment = {"STRIPE_API_KEY": "sk_test_0123456789", "STRIPE_SIGNING_SECRETS": "whsec_1", "OTHER": "x"}

    given = side.start(WEBHOOK, Console(said), environment)

    assert given == {"STRIPE_API_KEY": "sk_test_0123456789", "STRIPE_SIGNING_SECRETS": "whsec_1"}


def test_missing_signing_secret_prints_how_to_receive_webhooks(side, said):
    side.start(WEBHOOK, Console(said), {"STRIPE_API_KEY": "sk_test_0123456789"})

    assert f"stripe listen --forward-to {WEBHOOK}" in said.getvalue()


def test_live_key_is_refused(side, said):
    with pytest.raises(NotReady, match="no test key"):
        side.start(WEBHOOK, Console(said), {"STRIPE_API_KEY": "sk_live_0123456789"})
