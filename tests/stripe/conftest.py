"""One API for all tests: the stand-in, or with STRIPE_API_KEY=sk_test_… Stripe's own test mode."""

from collections.abc import Iterator

import pytest

from tests.kit.stripe_process import AGAINST_STRIPE, KEY, Api, Mailbox, Process

SECRET_KEY = "sk_test_contract_0123456789"


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    if AGAINST_STRIPE:
        yield "https://api.stripe.com"
        return
    process = Process(":memory:")
    yield process.url
    process.stop()


@pytest.fixture
def api(address: str) -> Api:
    """Return the API. The stand-in is empty, and its clock stands still until a test advances it."""
    if AGAINST_STRIPE:
        return Api(address, KEY)
    found = Api(address, SECRET_KEY)
    found.control("/reset", all=True)
    found.control("/clock", frozen=True)
    return found


@pytest.fixture
def stand_in(api: Api) -> Api:
    """Return the stand-in, for tests that use its controls."""
    if AGAINST_STRIPE:
        pytest.skip("Stripe has no such controls.")
    return api


@pytest.fixture
def mailbox(stand_in: Api) -> Iterator[Mailbox]:
    """Return a receiver of webhooks, which the test registers."""
    box = Mailbox()
    yield box
    box.close()
    for endpoint in stand_in.v1.webhook_endpoints.list().data:
        stand_in.v1.webhook_endpoints.delete(endpoint.id)
