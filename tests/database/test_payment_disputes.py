"""While a dispute has a payment, nothing else gives it back: the customer would have it twice."""

import psycopg
import pytest

from tests import given
from tests.database.test_payments import PRICE, Till

DISPUTE = {"stripe_id": "dp_1", "amount_cents": PRICE, "currency": "CHF", "reason": None}


def disputed(till):
    booking = till.book(customer := till.stage.customer())
    till.hear(booking)
    till.hear(booking, disputes=[{**DISPUTE, "status": "needs_response"}])
    return booking, customer


def refuse(till):
    (claimed,) = till.claim("refunds")
    result = f'[{{"refund_id": "{claimed["refund_id"]}", "error": {{"code": "disputed"}}, "retryable": false}}]'
    given.call(till.db, None, "select payments.record_refunds(%s::text::jsonb)", [result])
    return claimed["refund_id"]


@pytest.mark.parametrize("destination", ["original", "wallet"])
def test_what_a_dispute_has_taken_is_not_given_to_the_wallet_too(db, destination):
    till = Till(db, refund_to="wallet")
    booking, customer = disputed(till)

    till.cancel(booking, customer)
    refund_id = refuse(till)
    with pytest.raises(psycopg.Error) as error:
        query = "select payments.reopen_refund(refund_id => %s, destination => %s)"
        given.call(db, till.stage.owner, query, [refund_id, destination])

    assert given.code_of(error.value) == "payment_disputed"
    assert "user credits" not in till.balances()


def test_what_was_won_back_can_be_refunded(db):
    till = Till(db)
    booking, customer = disputed(till)
    till.cancel(booking, customer)
    refund_id = refuse(till)

    till.hear(booking, disputes=[{**DISPUTE, "status": "won"}])
    query = "select payments.reopen_refund(refund_id => %s, destination => 'wallet')"
    given.call(db, till.stage.owner, query, [refund_id])

    assert till.balances() == {"platform clearing": PRICE - 320, "platform fees": 320, "user credits": -PRICE}


def test_staff_cannot_refund_what_a_dispute_has_taken(db):
    till = Till(db)
    booking, _ = disputed(till)

    with pytest.raises(psycopg.Error) as error:
        query = "select payments.refund_booking(booking_id => %s, amount_cents => 10, idempotency_key => 'a')"
        given.call(db, till.stage.owner, query, [booking["id"]])

    assert given.code_of(error.value) == "payment_disputed"
