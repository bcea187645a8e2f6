"""Payout settings of an organization: the platform's share, its return with a refund, and the time to pay."""

import pytest
from psycopg import sql

from tests.kit import money_invariants, routines, stages
from tests.kit.packages import apply_payment, buy, offer, refund
from tests.kit.payments import PRICE, CardBookings
from tests.kit.wallets import CreditBookings


def set_payout_settings(db, organization_id, **settings):
    columns = {"organization_id": organization_id, **settings}
    db.execute(
        sql.SQL("insert into organizations.payout_settings ({}) values ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(", ").join([sql.Placeholder()] * len(columns))
        ),
        list(columns.values()),
    )


@pytest.fixture
def till(db):
    till = CardBookings(db)
    yield till
    assert money_invariants.findings(db) == []


def sold(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.apply_payment(booking, fee_cents=None, balance_transaction_id=None)
    return customer, booking


@pytest.mark.parametrize(("fee_bps", "share"), [(0, 0), (370, 370), (1000, 1000), (10000, PRICE)])
def test_platform_share_follows_the_organizations_setting(till, fee_bps, share):
    set_payout_settings(till.db, till.stage.organization_id, fee_bps=fee_bps)

    sold(till)

    shares = {"platform clearing": PRICE, "organization receivable": share - PRICE, "platform revenue": -share}
    assert till.balances() == {account: cents for account, cents in shares.items() if cents}


def test_platform_share_of_another_organization_does_not_apply(till):
    set_payout_settings(till.db, stages.create(till.db).organization_id, fee_bps=1000)

    sold(till)

    assert till.balances()["platform revenue"] == -500


def test_platform_share_rounds_half_a_cent_up(till):
    set_payout_settings(till.db, till.stage.organization_id, fee_bps=5)
    query = "select payments.platform_fee(%s, cents) as cents from unnest(array[999, 1000, 1001]) as cents"

    rows = till.db.execute(query, [till.stage.organization_id]).fetchall()

    assert [row["cents"] for row in rows] == [0, 1, 1]


@pytest.mark.parametrize(("is_refunded", "kept"), [(True, 0), (False, 370)])
def test_platform_share_of_a_card_refund_follows_the_setting(till, is_refunded, kept):
    set_payout_settings(till.db, till.stage.organization_id, fee_bps=370, fee_refunded=is_refunded)
    customer, booking = sold(till)

    till.cancel(booking, customer)
    till.send_refunds()

    assert till.balances() == ({"organization receivable": kept, "platform revenue": -kept} if kept else {})


@pytest.mark.parametrize(("is_refunded", "kept"), [(True, 0), (False, 370)])
def test_platform_share_of_a_wallet_refund_follows_the_setting(db, is_refunded, kept):
    desk = CreditBookings(db)
    set_payout_settings(db, desk.stage.organization_id, fee_bps=370, fee_refunded=is_refunded)
    customer = desk.customer()
    desk.give(customer, PRICE)
    booking = desk.book(customer, "wallet")

    routines.call(db, customer, "select events.cancel_booking(booking_id => %s)", [booking["id"]])

    assert desk.balances().get("platform revenue", 0) == -kept
    assert desk.findings() == []


@pytest.mark.parametrize(("is_refunded", "kept"), [(True, 0), (False, 740)])
def test_platform_share_of_a_pass_refund_follows_the_setting(db, is_refunded, kept):
    desk = CreditBookings(db)
    set_payout_settings(db, desk.stage.organization_id, fee_bps=370, fee_refunded=is_refunded)
    purchase = buy(desk, desk.customer(), offer(desk))
    apply_payment(desk, purchase)
    sold = desk.balances()

    refund(desk, purchase)

    assert sold["platform revenue"] == -740
    assert desk.balances().get("platform revenue", 0) == -kept
    assert desk.findings() == []


def test_hold_for_payment_lasts_as_long_as_the_setting(till):
    set_payout_settings(till.db, till.stage.organization_id, payment_minutes=3)

    till.book(till.stage.customer())

    left = till.db.execute("select extract(epoch from expires_at - now())::int as s from events.holds").fetchone()["s"]
    assert 170 < left <= 180
