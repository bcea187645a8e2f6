"""Erasure empties wallets and passes: paid money is refunded or owed, gifts lapse, and the ledger balances."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.kit import routines
from tests.kit.packages import apply_payment, buy, money, offer, refund
from tests.kit.payments import PRICE, CardBookings
from tests.kit.wallets import CreditBookings


@pytest.fixture
def desk(db):
    desk = CreditBookings(db)
    yield desk
    assert desk.findings() == []


def erase(db, user):
    """Erase as the service, and return the result for the credits of each organization."""
    return routines.call(db, None, "select users.erase_profile(%s)", [user])["credits"]


def erased_credits(organization_id, currency="CHF", **cents):
    nothing = {"refunded_cents": 0, "unclaimed_cents": 0, "lapsed_cents": 0, "lapsed_units": 0}
    return {"organization_id": str(organization_id), "currency": currency, **nothing, **cents}


def refunds(db):
    rows = db.execute(
        "select amount_cents::int as cents, destination, cause, status::text from payments.refunds order by id"
    ).fetchall()
    return [tuple(row.values()) for row in rows]


def make_old(db, days):
    db.execute("update payments.intents set succeeded_at = succeeded_at - make_interval(days => %s)", [days])


def test_purchased_wallet_money_is_refunded_at_stripe_and_its_bonus_lapses(desk):
    customer = desk.customer()
    apply_payment(desk, buy(desk, customer, money(desk)))

    paid_out = erase(desk.db, customer)

    assert paid_out == [erased_credits(desk.stage.organization_id, refunded_cents=9000)]
    assert refunds(desk.db) == [(9000, "original", "erased", "created")]
    assert desk.balances() == {"platform clearing": 9000, "user cash": -9000}


@pytest.mark.parametrize(("days", "where"), [(179, "refunded_cents"), (181, "unclaimed_cents")])
def test_payment_too_old_to_refund_is_owed_by_the_organization(desk, days, where):
    customer = desk.customer()
    apply_payment(desk, buy(desk, customer, money(desk)))
    make_old(desk.db, days)

    assert erase(desk.db, customer) == [erased_credits(desk.stage.organization_id, **{where: 9000})]

    owed = {"organization unclaimed": -9000} if where == "unclaimed_cents" else {"user cash": -9000}
    assert desk.balances() == {"platform clearing": 9000, **owed}
    assert len(refunds(desk.db)) == (where == "refunded_cents")


def test_pass_is_refunded_by_its_remaining_units(desk):
    customer = desk.customer()
    apply_payment(desk, buy(desk, customer, offer(desk)))
    desk.book(customer, "pass")
    desk.db.execute("update events.events set starts_at = now(), ends_at = now() + interval '1 hour'")

    assert erase(desk.db, customer) == [erased_credits(desk.stage.organization_id, refunded_cents=18000)]
    assert refunds(desk.db) == [(18000, "original", "erased", "created")]


def test_granted_credits_lapse_to_the_organization(desk):
    customer = desk.customer()
    desk.give(customer, 700)
    desk.give_pass(customer, 5)

    paid_out = erase(desk.db, customer)

    assert paid_out == [
        erased_credits(desk.stage.organization_id, lapsed_cents=700),
        erased_credits(desk.stage.organization_id, None, lapsed_units=5),
    ]
    assert desk.balances() == {}


def test_wallet_refund_of_a_card_payment_is_returned_to_the_card(db):
    till = CardBookings(db, refund_to="wallet")
    customer = till.stage.customer()
    booking = till.book(customer)
    till.apply_payment(booking)
    till.cancel(booking, customer)

    assert erase(db, customer) == [erased_credits(till.stage.organization_id, refunded_cents=PRICE)]

    claimed = till.send_refunds()
    assert len(claimed) == 1
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


def test_invoice_payment_is_owed_by_the_organization(desk):
    desk.allow_invoices()
    customer = desk.customer()
    booking = desk.book(customer, "invoice")
    (invoice,) = desk.db.execute("select id from payments.invoices").fetchall()
    routines.call(desk.db, desk.stage.owner, "select payments.record_invoice_payment(%s)", [invoice["id"]])

    answer = routines.call(desk.db, customer, "select users.erase_profile(%s)", [customer])

    assert answer["bookings_cancelled"] == 1
    assert answer["credits"] == [erased_credits(desk.stage.organization_id, unclaimed_cents=booking["price_cents"])]
    assert desk.balances()["organization unclaimed"] == -booking["price_cents"]


def test_disputed_money_is_not_refunded_too(desk):
    customer = desk.customer()
    purchase = buy(desk, customer, money(desk))
    apply_payment(desk, purchase)
    dispute = {"stripe_id": "dp_1", "amount_cents": 9000, "currency": "CHF", "status": "needs_response", "reason": None}
    apply_payment(desk, purchase, disputes=[dispute])

    assert erase(desk.db, customer) == [erased_credits(desk.stage.organization_id, lapsed_cents=12000)]
    assert refunds(desk.db) == []


def test_payment_after_the_erasure_is_refunded_at_once(desk):
    customer = desk.customer()
    purchase = buy(desk, customer, money(desk))
    assert erase(desk.db, customer) == []

    apply_payment(desk, purchase)

    assert desk.lots(customer) == [(10000, 0), (2000, 0)]
    assert refunds(desk.db) == [(9000, "original", "erased", "created")]


def test_sweep_continues_after_the_last_erased_person(desk):
    erase(desk.db, desk.customer())

    swept = routines.call(desk.db, None, "select users.sweep_erased()")

    assert swept["swept"] == 1
    assert routines.call(desk.db, None, "select users.sweep_erased(after => %s)", [swept["last"]])["last"] is None


def test_sweep_skips_people_erased_long_ago(desk):
    customer = desk.customer()
    erase(desk.db, customer)
    later = datetime.now(UTC) + timedelta(days=91)

    assert routines.call(desk.db, None, "select users.sweep_erased(at => %s)", [later]) == {"swept": 0, "last": None}


def test_owed_fee_stays_owed_after_the_erasure(desk):
    customer = desk.customer()
    event_id = desk.event(price_cents=0, policy={**desk.policy, "no_show_fee_cents": 900})
    booking = desk.book(customer, None, event_id=event_id)
    desk.db.execute(
        "update events.events set starts_at = now(), ends_at = now() + interval '1 hour' where id = %s", [event_id]
    )
    routines.call(desk.db, desk.stage.owner, "select events.record_attendance(%s, false)", [booking["id"]])

    assert erase(desk.db, customer) == []

    states = routines.call(
        desk.db,
        desk.stage.owner,
        "select array_agg(s.status::text) from payments.fee_states as s where s.id is not null",
    )
    assert states == ["owed"]


def test_wallets_at_all_organizations_are_emptied(db):
    desks = [CreditBookings(db), CreditBookings(db)]
    customer = desks[0].customer()
    for desk, key in zip(desks, itertools.count(), strict=False):
        apply_payment(desk, buy(desk, customer, money(desk), key=f"k{key}"))

    paid_out = erase(db, customer)

    assert sorted(one["organization_id"] for one in paid_out) == sorted(
        str(desk.stage.organization_id) for desk in desks
    )
    assert [one["refunded_cents"] for one in paid_out] == [9000, 9000]
    assert desks[0].findings() == []


def test_wallet_refund_of_an_erased_person_goes_to_the_card(db):
    till = CardBookings(db)
    customer = till.stage.customer()
    booking = till.book(customer)
    till.apply_payment(booking)
    db.execute("update events.events set starts_at = now() - interval '3 hours', ends_at = now() - interval '2 hours'")
    erase(db, customer)

    routines.call(
        db,
        till.stage.owner,
        "select payments.refund_booking(%s, 100, 'wallet', 'again')",
        [booking["id"]],
    )

    ((cents, destination, cause, status),) = refunds(db)
    assert (cents, destination, status) == (100, "original", "created")
    assert cause.startswith("staff:")
    assert db.execute("select from payments.credit_lots where remaining > 0").fetchall() == []


def test_failed_refund_of_an_erased_person_becomes_an_unclaimed_balance(db):
    desk = CreditBookings(db)
    customer = desk.customer()
    apply_payment(desk, buy(desk, customer, money(desk)))
    erase(db, customer)
    refund_id = db.execute("select id from payments.refunds").fetchone()["id"]
    failed = json.dumps([{"refund_id": str(refund_id), "error": {"message": "closed"}, "retryable": False}])
    routines.call(db, None, "select payments.record_refunds(%s::jsonb)", [failed])

    answer = routines.call(db, desk.stage.owner, "select payments.reopen_refund(%s, 'wallet')", [refund_id])

    assert (answer["status"], answer["destination"]) == ("succeeded", "unclaimed")
    assert desk.balances() == {"platform clearing": 9000, "organization unclaimed": -9000}
    assert desk.findings() == []


def test_refund_of_a_package_that_went_to_the_wallet_is_paid_out(desk):
    customer = desk.customer()
    purchase = buy(desk, customer, money(desk))
    apply_payment(desk, purchase)
    refund(desk, purchase)
    refund_id = desk.db.execute("select id from payments.refunds").fetchone()["id"]
    failed = json.dumps([{"refund_id": str(refund_id), "error": {"message": "closed"}, "retryable": False}])
    routines.call(desk.db, None, "select payments.record_refunds(%s::jsonb)", [failed])
    routines.call(desk.db, desk.stage.owner, "select payments.reopen_refund(%s, 'wallet')", [refund_id])

    paid_out = erase(desk.db, customer)

    assert paid_out == [erased_credits(desk.stage.organization_id, refunded_cents=9000)]
    (_, sent) = desk.db.execute("select purchase_id, destination from payments.refunds order by id").fetchall()
    assert (str(sent["purchase_id"]), sent["destination"]) == (purchase["id"], "original")


@pytest.mark.parametrize("source", ["refund", "grant"])
def test_credits_granted_to_an_erased_person_are_removed_in_the_same_transaction(desk, source):
    """The trigger of payments.credit_lots pays them out, whichever routine grants them."""
    customer = desk.customer()
    erase(desk.db, customer)

    desk.db.execute(
        "select payments.grant_money(%s, %s, 700, 'CHF', %s, 'given')",
        [desk.stage.organization_id, customer, source],
    )

    assert desk.db.execute("select remaining::int from payments.credit_lots").fetchall() == [{"remaining": 0}]
    wallets = {owner: cents for owner, cents in desk.balances().items() if owner.startswith("user")}
    assert wallets == {}


def test_sweep_pays_out_late_credits_of_an_erased_person(desk):
    customer = desk.customer()
    erase(desk.db, customer)
    desk.db.execute("alter table payments.credit_lots disable trigger pay_out_erased_inserted")
    desk.db.execute(
        "select payments.grant_money(%s, %s, 700, 'CHF', 'refund', 'given')", [desk.stage.organization_id, customer]
    )
    desk.db.execute("alter table payments.credit_lots enable trigger pay_out_erased_inserted")

    routines.call(desk.db, None, "select users.sweep_erased(at => %s)", [datetime.now(UTC) + timedelta(days=400)])

    assert desk.db.execute("select remaining::int from payments.credit_lots").fetchall() == [{"remaining": 0}]


def test_wallet_refund_into_a_refunded_package_is_owed_by_its_share_of_the_price(desk):
    customer = desk.customer()
    apply_payment(desk, buy(desk, customer, money(desk, bonus=0)))
    booking = desk.book(customer, "wallet", event_id=desk.event(price_cents=4000))
    desk.db.execute(
        "update events.events set starts_at = now() - interval '3 hours', ends_at = now() - interval '2 hours'"
    )
    assert erase(desk.db, customer) == [erased_credits(desk.stage.organization_id, refunded_cents=5400)]

    routines.call(
        desk.db, desk.stage.owner, "select payments.refund_booking(%s, null, 'wallet', 'again')", [booking["id"]]
    )

    assert desk.db.execute("select from payments.credit_lots where remaining > 0").fetchall() == []
    assert desk.balances()["organization unclaimed"] == -3600
