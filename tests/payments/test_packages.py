"""Packages: wallet money and passes that customers buy through Stripe, granted once, refunded by remaining value."""

import json
from datetime import datetime, timedelta

import psycopg
import pytest

from tests.kit import routines
from tests.kit.packages import apply_payment, buy, money, offer, refund
from tests.kit.wallets import CreditBookings


@pytest.fixture
def desk(db):
    desk = CreditBookings(db)
    yield desk
    assert desk.findings() == []


def test_purchased_credits_are_granted_once_after_payment(desk):
    customer = desk.customer()
    purchase = buy(desk, customer, offer(desk))
    assert (purchase["status"], purchase["payment"]["status"], desk.lots(customer)) == ("pending", "created", [])

    assert apply_payment(desk, purchase)["did"] == ["granted"]
    assert apply_payment(desk, purchase)["did"] == []

    assert desk.lots(customer) == [(10, 10)]
    assert desk.balances() == {
        "platform clearing": 20000,
        "organization receivable": -19000,
        "platform revenue": -1000,
    }


def test_wallet_purchase_earns_the_organizer_nothing_until_it_is_spent(desk):
    customer = desk.customer()
    apply_payment(desk, buy(desk, customer, money(desk)))

    assert desk.lots(customer) == [(10000, 10000), (2000, 2000)]
    assert desk.balances() == {
        "platform clearing": 9000,
        "organization receivable": 3000,
        "user credits": -12000,
    }
    desk.book(customer, "wallet")
    assert desk.balances()["organization receivable"] == 3000 - 9500


def test_purchased_pass_is_valid_until_the_end_of_its_last_day(desk):
    customer = desk.customer()
    apply_payment(desk, buy(desk, customer, offer(desk, valid_days=30, bonus=1)))

    desk.book(customer, "pass", seats=11)

    assert desk.lots(customer) == [(10, 0), (1, 0)]
    row = desk.db.execute(
        """
        select distinct
            l.expires_at at time zone o.time_zone as expires_at,
            (l.created_at at time zone o.time_zone)::date as bought_on
        from payments.credit_lots as l
        inner join organizations.organizations as o on o.id = l.organization_id
        """
    ).fetchone()
    assert row["expires_at"] == datetime.combine(row["bought_on"] + timedelta(days=31), datetime.min.time())


def test_same_key_buys_once_and_refuses_another_package(desk):
    customer, package = desk.customer(), offer(desk)

    assert buy(desk, customer, package) == buy(desk, customer, package)
    with pytest.raises(psycopg.Error) as refused:
        buy(desk, customer, offer(desk))

    assert routines.code_of(refused.value) == "idempotency_conflict"


@pytest.mark.parametrize("method", [None, "wallet", "pass", "invoice", "comp"])
def test_package_is_paid_through_stripe_only(desk, method):
    with pytest.raises(psycopg.Error) as refused:
        buy(desk, desk.customer(), offer(desk), method)

    assert routines.code_of(refused.value) == "payment_required"
    assert json.loads(refused.value.diag.message_detail)["methods"] == ["card", "twint"]


def test_ended_package_is_not_found_and_its_purchases_stay_valid(desk):
    customer, package = desk.customer(), offer(desk)
    purchase = buy(desk, customer, package)
    routines.call(desk.db, desk.stage.owner, "select payments.end_package(%s)", [package["id"]])

    assert buy(desk, customer, package) == purchase
    apply_payment(desk, purchase)

    assert desk.lots(customer) == [(10, 10)]
    with pytest.raises(psycopg.Error) as refused:
        buy(desk, desk.customer(), package)
    assert routines.code_of(refused.value) == "package_not_found"


def test_unpaid_purchase_is_cancelled_at_stripe_after_a_day(desk):
    customer = desk.customer()
    purchase = buy(desk, customer, offer(desk))
    apply_payment(desk, purchase, "requires_payment_method")
    desk.db.execute("update payments.purchases set created_at = now() - interval '25 hours'")
    desk.db.execute("update payments.intents set available_at = now()")
    with psycopg.ClientCursor(desk.db) as cursor:
        cursor.execute("select action, metadata from payments.claim_intents()")
        (claimed,) = cursor.fetchall()

    assert (claimed["action"], claimed["metadata"]["purchase_id"]) == ("cancel", purchase["id"])


def test_purchase_expires_when_its_payment_is_cancelled(desk):
    purchase = buy(desk, desk.customer(), offer(desk))

    assert apply_payment(desk, purchase, "canceled")["did"] == ["abandoned"]

    assert desk.db.execute("select status from payments.purchases").fetchone()["status"] == "expired"


def test_package_refund_returns_the_remaining_share_once(desk):
    customer = desk.customer()
    purchase = buy(desk, customer, offer(desk))
    apply_payment(desk, purchase)
    desk.book(customer, "pass", seats=3)

    first = refund(desk, purchase)
    again = refund(desk, purchase)

    assert first == again
    assert (first["status"], first["refunded_cents"]) == ("refunded", 14000)
    assert desk.lots(customer) == [(10, 0)]
    assert desk.balances() == {
        "platform clearing": 20000,
        "organization receivable": -5700,
        "platform revenue": -300,
        "user cash": -14000,
    }
    (sent,) = desk.db.execute("select amount_cents, idempotency_key from payments.claim_refunds()").fetchall()
    assert sent["amount_cents"] == 14000


def test_refund_of_wallet_money_removes_its_bonus(desk):
    customer = desk.customer()
    purchase = buy(desk, customer, money(desk))
    apply_payment(desk, purchase)

    refund(desk, purchase)

    assert desk.lots(customer) == [(10000, 0), (2000, 0)]
    assert desk.balances() == {"platform clearing": 9000, "user cash": -9000}


def test_expired_credits_are_not_refunded_even_before_the_sweep(desk):
    purchase = buy(desk, desk.customer(), offer(desk))
    apply_payment(desk, purchase)
    desk.db.execute("update payments.credit_lots set expires_at = now() - interval '1 second'")

    with pytest.raises(psycopg.Error) as refused, desk.db.transaction():
        refund(desk, purchase)

    assert routines.code_of(refused.value) == "nothing_to_refund"


def test_used_up_package_is_not_refunded(desk):
    customer = desk.customer()
    purchase = buy(desk, customer, offer(desk, amount=1))
    apply_payment(desk, purchase)
    desk.book(customer, "pass")

    with pytest.raises(psycopg.Error) as refused:
        refund(desk, purchase)

    assert routines.code_of(refused.value) == "nothing_to_refund"


def test_dashboard_refund_takes_back_its_units_and_counts_once(desk):
    customer = desk.customer()
    purchase = buy(desk, customer, offer(desk))
    apply_payment(desk, purchase)
    made = {"stripe_id": "re_1", "refund_id": None, "amount_cents": 5000, "status": "succeeded"}

    for _time in range(2):
        apply_payment(desk, purchase, refunds=[made])

    assert desk.lots(customer) == [(10, 7)]
    assert desk.balances() == {
        "platform clearing": 15000,
        "organization receivable": -14250,
        "platform revenue": -750,
    }


@pytest.mark.parametrize("role", ["viewer", "instructor", "front_desk", "editor"])
def test_other_roles_cannot_refund_a_package(desk, role):
    purchase = buy(desk, desk.customer(), offer(desk))
    apply_payment(desk, purchase)

    with pytest.raises(psycopg.Error) as refused:
        refund(desk, purchase, desk.stage.member(role))

    assert routines.code_of(refused.value) == "purchase_not_found"


@pytest.mark.parametrize(
    "terms",
    [{"price_cents": 0}, {"amount": 0}, {"categories": ["juggling"]}, {"valid_days": 0}, {"currency": "XXX"}],
)
def test_package_with_invalid_terms_is_refused(desk, terms):
    with pytest.raises(psycopg.Error) as refused:
        offer(desk, **terms)

    assert routines.code_of(refused.value) == "invalid_request"


def test_pass_is_taxed_when_bought_and_wallet_money_when_spent(db):
    desk = CreditBookings(db, country="CA")
    bought = buy(desk, desk.customer(), offer(desk))
    loaded = buy(desk, desk.customer(), money(desk))

    assert (bought["price_cents"], bought["tax_cents"]) == (21000, 1000)
    assert (loaded["price_cents"], loaded["tax_cents"]) == (9000, 0)
    assert db.execute("select fee_cents from payments.purchases order by id").fetchall()[0]["fee_cents"] == 1000
