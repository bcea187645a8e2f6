"""The stand-in as a program: its state after a restart, its options, and its errors at the start."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import stripe

from tests.kit.stripe_process import AGAINST_STRIPE, ROOT, Api, Mailbox, Process

CARD = {"amount": 2000, "currency": "chf", "payment_method_types": ["card"], "payment_method": "pm_card_visa"}
KEY = "sk_test_process_0123456789"
pytestmark = pytest.mark.skipif(AGAINST_STRIPE, reason="Stripe's own server cannot be started by a test.")


def test_state_survives_a_kill(tmp_path: Path):
    process = Process(str(tmp_path))
    api = Api(process.url, KEY)
    made = api.v1.payment_intents.create({**CARD, "confirm": True}, {"idempotency_key": "tap"})
    refund = api.v1.refunds.create({"payment_intent": made.id, "amount": 500})
    api.control("/clock", advance=1000)
    endpoint = api.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/x", "enabled_events": ["*"]})
    process.stop(signal.SIGKILL)

    process = Process(str(tmp_path))
    try:
        api = Api(process.url, KEY)
        again = api.v1.payment_intents.create({**CARD, "confirm": True}, {"idempotency_key": "tap"})
        assert again.id == made.id
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        charge = api.v1.charges.retrieve(made.latest_charge)
        assert charge.amount_refunded == 500
        assert api.v1.refunds.retrieve(refund.id).status == "succeeded"
        assert api.v1.webhook_endpoints.retrieve(endpoint.id).url == endpoint.url
        assert api.v1.customers.create({}).created > made.created + 900
    finally:
        process.stop()


def test_undelivered_event_is_delivered_after_a_restart(tmp_path: Path):
    box = Mailbox()
    try:
        first = Process(str(tmp_path), "--webhook", f"{box.url}=whsec_given")
        box.statuses = [503]
        Api(first.url, KEY).v1.payment_intents.create(CARD)
        box.wait(1)
        first.stop()
        second = Process(str(tmp_path), "--webhook", f"{box.url}=whsec_other")
        letter = box.wait(2)[1]
        assert len(Api(second.url, KEY).v1.webhook_endpoints.list().data) == 1
        second.stop()
    finally:
        box.close()

    assert stripe.Webhook.construct_event(letter.body, letter.headers["stripe-signature"], "whsec_other")


def test_only_configured_keys_are_valid(tmp_path: Path):
    process = Process(":memory:", "--key", KEY)
    try:
        assert Api(process.url, KEY).request("GET", "/v1/customers").status == 200
        assert Api(process.url, KEY + "x").request("GET", "/v1/customers").status == 401
    finally:
        process.stop()


def test_folder_or_port_in_use_stops_the_program_with_an_error(tmp_path: Path):
    process = Process(str(tmp_path))
    try:
        for arguments, words in (
            (["--port", "0", "--folder", str(tmp_path)], "Another stand-in uses it"),
            (["--port", process.url.rpartition(":")[2], "--folder", ":memory:"], "address"),
        ):
            command = [sys.executable, "-m", "local.stripe", *arguments]
            ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=20, check=False)
            assert ended.returncode == 1
            assert words in ended.stderr
    finally:
        assert process.stop() == 0


def test_program_listens_on_loopback_only():
    process = Process(":memory:")
    try:
        listening = [
            each.laddr.ip for each in psutil.Process(process.process.pid).net_connections() if each.status == "LISTEN"
        ]
    finally:
        process.stop()

    assert listening == ["127.0.0.1"]


def test_help_lists_the_options():
    said = subprocess.run(
        [sys.executable, "-m", "local.stripe", "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=20,
        check=True,
    ).stdout

    assert all(word in said for word in ("--port", "--folder", "--webhook", "--connect-webhook", "--key"))
