"""A payment ends in the same state with any selection of its webhooks, in any order and number."""

import itertools
import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from marquee.core import database
from marquee.edge.stripe import connect
from marquee.payments import inbox, stripe_snapshot
from tests.kit import gateway, money_invariants
from tests.kit.aws import record
from tests.kit.stripe_standin import KEY, Json, StandinBookings, deliver, settle

EXAMPLES = int(os.environ.get("MARQUEE_EXAMPLES", "15"))
START = datetime(2031, 1, 1, tzinfo=UTC)
STATE = """
select
    (select b.status::text from events.bookings as b where b.id = i.booking_id) as booking,
    i.status::text as intent,
    i.stripe_charge_id as charge,
    i.stripe_fee_cents as fee_cents,
    i.last_error ->> 'code' as error,
    (select v.taken from events.inventory as v inner join events.bookings as b on b.event_id = v.event_id
     where b.id = i.booking_id) as taken,
    (select array_agg(array[r.stripe_refund_id, r.status::text, r.amount_cents::text] order by r.stripe_refund_id)
     from payments.refunds as r where r.intent_id = i.id) as refunds,
    (select array_agg(array[d.stripe_dispute_id, d.status] order by d.stripe_dispute_id)
     from payments.disputes as d where d.intent_id = i.id) as disputes,
    (select to_jsonb(s) - 'sold_at' from payments.sales as s where s.booking_id = i.booking_id) as sale
from payments.intents as i
where i.id = %s
"""
CONFIRMATIONS = "select count(*) as n from public.outbox where topic = 'booking.confirmed' and key = %s"

Step = Callable[[StandinBookings, str], None]


@pytest.fixture
def shop(db, stripe, aws, monkeypatch):
    for name in ("STRIPE_EVENTS", "REFUNDS"):
        monkeypatch.setenv(f"{name}_QUEUE_URL", aws.sqs.create_queue(QueueName=name.lower())["QueueUrl"])
    return StandinBookings(db, stripe)


def state(shop: StandinBookings, booking: Json) -> Json:
    """Return the state of a booking's payment, with the balances of the whole ledger."""
    found = shop.db.execute(STATE, [booking["id"]]).fetchone()
    confirmations = shop.db.execute(CONFIRMATIONS, [str(shop.event_id)]).fetchone()["n"]
    return {**found, "balances": money_invariants.balances(shop.db), "confirmations": confirmations}


def decline(shop: StandinBookings, stripe_id: str) -> None:
    shop.stripe.pay(stripe_id, payment_method="pm_card_chargeDeclined")


def pay(shop: StandinBookings, stripe_id: str) -> None:
    shop.stripe.pay(stripe_id)


def time_passes(shop: StandinBookings, _stripe_id: str) -> None:
    shop.stripe.run()


def refund_some(shop: StandinBookings, stripe_id: str) -> None:
    shop.stripe.v1.refunds.create({"payment_intent": stripe_id, "amount": 700})


def refund_more(shop: StandinBookings, stripe_id: str) -> None:
    shop.stripe.v1.refunds.create({"payment_intent": stripe_id, "amount": 800})


def refund_the_rest(shop: StandinBookings, stripe_id: str) -> None:
    charge = shop.stripe.v1.payment_intents.retrieve(stripe_id, {"expand": ["latest_charge"]}).latest_charge
    shop.stripe.v1.refunds.create({"payment_intent": stripe_id, "amount": charge.amount - charge.amount_refunded})


def newest_refund_fails(shop: StandinBookings, stripe_id: str) -> None:
    newest = shop.stripe.v1.refunds.list({"payment_intent": stripe_id}).data[0]
    shop.stripe.control(f"/refunds/{newest.id}/fail", reason="expired_or_canceled_card")


def dispute(shop: StandinBookings, stripe_id: str) -> None:
    charge = shop.stripe.v1.payment_intents.retrieve(stripe_id).latest_charge
    shop.stripe.control(f"/charges/{charge}/dispute")


def lose(shop: StandinBookings, stripe_id: str) -> None:
    (opened,) = shop.stripe.v1.disputes.list({"payment_intent": stripe_id}).data
    shop.stripe.control(f"/disputes/{opened.id}/close", status="lost")


def win(shop: StandinBookings, stripe_id: str) -> None:
    (opened,) = shop.stripe.v1.disputes.list({"payment_intent": stripe_id}).data
    shop.stripe.control(f"/disputes/{opened.id}/close", status="won")


def cancel_at_stripe(shop: StandinBookings, stripe_id: str) -> None:
    shop.stripe.v1.payment_intents.cancel(stripe_id)


LIVES: dict[str, list[Step]] = {
    "declined, then paid": [decline, pay, time_passes],
    "declined, then cancelled": [decline, cancel_at_stripe],
    "refunded in two parts": [pay, time_passes, refund_some, time_passes, refund_more, time_passes],
    "refunded in full": [pay, time_passes, refund_some, refund_the_rest, time_passes],
    "a refund that fails": [pay, time_passes, refund_some, time_passes, newest_refund_fails],
    "a refund that fails, and another": [pay, time_passes, refund_some, newest_refund_fails, refund_more, time_passes],
    "a full refund that fails, and is repeated": [
        pay,
        time_passes,
        refund_the_rest,
        time_passes,
        newest_refund_fails,
        refund_the_rest,
        time_passes,
    ],
    "disputed and lost": [pay, time_passes, dispute, time_passes, lose, time_passes],
    "disputed and won": [pay, time_passes, dispute, time_passes, win, time_passes],
}


def observe(shop: StandinBookings, stripe_id: str, moment: datetime) -> stripe_snapshot.Facts:
    """Fetch the facts of this moment."""
    return stripe_snapshot.fetch(connect(SecretStr(KEY), base=shop.stripe.url), stripe_id, lambda: moment)


@pytest.mark.parametrize("life", LIVES)
def test_facts_lead_to_the_same_state_in_any_order_and_number(shop, life):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    moments = (START + timedelta(seconds=number) for number in itertools.count())
    seen = [observe(shop, stripe_id, next(moments))]
    for step in LIVES[life]:
        step(shop, stripe_id)
        seen.append(observe(shop, stripe_id, next(moments)))
    *before, last = seen

    def applied(order) -> Json:
        shop.db.execute("begin")
        try:
            for each in order:
                shop.db.execute("select payments.apply_payment(facts => %s::jsonb)", [json.dumps(each)])
            return state(shop, booking)
        finally:
            shop.db.execute("rollback")

    expected = applied(seen)
    last_number = len(before)
    orders = {
        order
        for kept in range(3)
        for some in itertools.combinations(range(last_number), min(kept, last_number))
        for order in itertools.permutations([*some, last_number])
    }
    orders |= {(*order, *order) for order in itertools.permutations(range(len(seen)), 2) if last_number in order}
    dice = random.Random(life)
    orders |= {tuple(dice.sample(range(len(seen)), len(seen))) for _ in range(150)}
    for order in sorted(orders):
        assert applied([seen[number] for number in order]) == expected, order
    assert len(orders) > 10
    assert last["observed_at"] == max(each["observed_at"] for each in seen)


class Deliveries:
    """Deliveries of a history's events: each one at any later time, repeatedly, or only at the end."""

    def __init__(self, shop: StandinBookings) -> None:
        self.shop = shop

    def events_so_far(self) -> list[Json]:
        return self.shop.stripe.events()

    def deliver(self, event: Json) -> None:
        assert deliver(event).status == 200
        gateway.invoke("stripe-worker", {"Records": [record({"event_id": event["id"]})]})

    def catch_up(self) -> None:
        """Backfill the undelivered events from Stripe's list."""
        rows = [inbox.Event.model_validate(event).row() for event in self.events_so_far()]
        with database.single(database.service()) as session:
            receipts = inbox.receive_all(session, rows, caught_up=True)
        for receipt in receipts:
            if not receipt.duplicate:
                gateway.invoke("stripe-worker", {"Records": [record({"event_id": receipt.event_id})]})


def run_history(shop: StandinBookings, life: str, choose: Callable[[int], list[int]]) -> Json:
    """Run a history. After each step deliver the chosen events so far, and at the end the missing ones."""
    shop.stripe.control("/reset")
    shop.db.execute("truncate payments.webhook_inbox")
    fresh = StandinBookings(shop.db, shop.stripe)
    booking = fresh.book()
    stripe_id = fresh.ask(booking)
    telling = Deliveries(fresh)
    for step in LIVES[life]:
        step(fresh, stripe_id)
        events = telling.events_so_far()
        for number in choose(len(events)):
            note(f"{step.__name__}: {events[number]['type']}")
            telling.deliver(events[number])
    telling.catch_up()
    found = state(fresh, booking)
    # Ids differ between histories, and balances cover the whole ledger.
    refunds, disputes = found["refunds"] or [], found["disputes"] or []
    return {
        **{name: found[name] for name in ("booking", "intent", "fee_cents", "error", "taken", "confirmations")},
        "refunds": sorted(each[1:] for each in refunds),
        "disputes": sorted(each[1:] for each in disputes),
        "sale": {name: value for name, value in (found["sale"] or {}).items() if name.endswith("_cents")},
        "accounts": balances_of(fresh),
    }


def balances_of(shop: StandinBookings) -> list[Json]:
    """Return the ledger's balances of this shop's organization."""
    return shop.db.execute(
        "select a.type::text as account, sum(e.amount_cents)::bigint as cents from payments.entries as e"
        " inner join payments.accounts as a on a.id = e.account_id where a.owner_id = %s group by 1 order by 1",
        [shop.stage.organization_id],
    ).fetchall()


def test_webhooks_lead_to_the_same_state_in_any_selection_and_number(shop):
    expected: dict[str, Json] = {}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(life=st.sampled_from(sorted(LIVES)), data=st.data())
    def check(life: str, data: Any) -> None:
        if life not in expected:
            expected[life] = run_history(shop, life, lambda count: list(range(count)))

        def some(count: int) -> list[int]:
            return data.draw(st.lists(st.integers(0, count - 1), max_size=4)) if count else []

        assert run_history(shop, life, some) == expected[life]

    check()
    assert settle()["job"] == "settle_payments"
