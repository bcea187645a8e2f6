"""Test the Stripe client: one for each key, with short time-outs for customers and long ones for workers."""

import pytest

from marquee.edge import stripe

KEY = "sk_test_0123456789abcdef"
GATEWAY_SECONDS = 29


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("STRIPE_API_KEY", KEY)
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:1/")


@pytest.fixture
def made(monkeypatch):
    """Collect the arguments of created clients: base URL, seconds for a response, and retries."""
    arguments = []
    monkeypatch.setattr(stripe, "_client", lambda _key, *given: arguments.append(given))
    return arguments


def test_default_client_fails_within_the_gateways_timeout(made):
    stripe.client()

    [(base, seconds, retries)] = made
    assert base == "http://127.0.0.1:1/"
    assert (stripe.CONNECT_SECONDS_MAX + seconds) * (1 + retries) + 2 * retries < GATEWAY_SECONDS - 5


def test_patient_client_waits_and_retries_longer(made):
    stripe.client()
    stripe.client(patient=True)

    (_, seconds, retries), (_, patient_seconds, patient_retries) = made
    assert (patient_seconds, patient_retries) > (seconds, retries)
    assert patient_retries > retries


def test_client_is_created_once_for_each_key():
    assert stripe.client(patient=True) is stripe.client(patient=True)
    assert stripe.client(patient=True) is not stripe.client()
