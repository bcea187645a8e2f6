"""Promo codes: discounts or bonus credits, within limits, and returned when an unpaid booking ends."""

import json
from typing import Any

import psycopg
import pytest

from tests.kit import money_invariants, routines
from tests.kit.packages import apply_payment
from tests.kit.payments import dashboard_refund
from tests.kit.wallets import PRICE, CreditBookings


@pytest.fixture
def desk(db):
    desk = CreditBookings(db, capacity=50)
    yield desk
    assert desk.findings() == []


def create_code(desk, code="SPRING", caller=None, **terms) -> dict[str, Any]:
    """Create a code of 10 %, or with other `terms`."""
    given_terms = {"kind": "percent", "percent_bps": 1000} if "kind" not in terms else {}
    arguments = {"organization_id": desk.stage.organization_id, "code": code, **given_terms, **terms}
    named = ", ".join(f"{name} => %({name})s" for name in arguments)
    query = f"select payments.create_promo_code({named})"
    answer: dict[str, Any] = routines.call(desk.db, caller or desk.stage.owner, query, arguments)
    return answer


def used(desk):
    """Return the uses of the only code, by its counter and by its rows."""
    return tuple(
        desk.db.execute(
            """
            select c.used, (select count(*) from payments.promo_uses as u where u.given_back_at is null) as rows
            from payments.promo_codes as c
            """
        )
        .fetchone()
        .values()
    )


@pytest.mark.parametrize(
    ("terms", "price"),
    [
        ({}, 9000),
        ({"kind": "percent", "percent_bps": 3333}, 6667),
        ({"kind": "amount", "amount_cents": 2500, "currency": "CHF"}, 7500),
        ({"kind": "amount", "amount_cents": 9950, "currency": "CHF"}, 50),
    ],
)
def test_promo_code_reduces_the_price_for_card_and_wallet(desk, terms, price):
    create_code(desk, **terms)
    customers = desk.stage.customers(2)
    desk.give(customers[0], PRICE)

    by_wallet = desk.book(customers[0], "wallet", promo_code="spring")
    by_card = desk.book(customers[1], "card", promo_code="SPRING")

    assert (by_wallet["price_cents"], by_card["price_cents"]) == (price, price)
    assert desk.lots(customers[0]) == [(PRICE, PRICE - price)]
    assert desk.db.execute("select amount_cents from payments.intents").fetchall() == [{"amount_cents": price}]
    assert used(desk) == (2, 2)


@pytest.mark.parametrize("method", ["card", None])
def test_booking_reduced_to_zero_is_confirmed_at_once(desk, method):
    create_code(desk, kind="amount", amount_cents=PRICE + 1, currency="CHF")

    booking = desk.book(desk.customer(), method, promo_code="SPRING")

    assert (booking["status"], booking["price_cents"], booking["payment_method"]) == ("confirmed", 0, "none")
    assert desk.db.execute("select count(*) as n from payments.intents").fetchone()["n"] == 0
    assert used(desk) == (1, 1)


def test_bonus_credits_are_granted_on_payment_at_the_organizers_expense(desk):
    create_code(desk, kind="credits", amount_cents=700, currency="CHF")
    customer = desk.customer()
    desk.give(customer, PRICE)

    desk.book(customer, "wallet", promo_code="SPRING")

    assert desk.lots(customer) == [(PRICE, 0), (700, 700)]
    assert desk.balances() == {
        "organization receivable": PRICE - 9500 + 700,
        "platform revenue": -500,
        "user credits": -700,
    }


def test_bonus_credits_lapse_when_the_booking_is_cancelled(desk):
    create_code(desk, kind="credits", amount_cents=700, currency="CHF")
    customer = desk.customer()
    desk.give(customer, PRICE)
    booking = desk.book(customer, "wallet", promo_code="SPRING")

    desk.cancel(booking, customer)

    assert desk.lots(customer) == [(PRICE, PRICE), (700, 0)]
    assert desk.expire()["lapsed_cents"] == 0


def test_payment_required_refusal_shows_the_discounted_price(desk):
    create_code(desk)

    with pytest.raises(psycopg.Error) as refused:
        desk.book(desk.customer(), None, promo_code="SPRING")

    told = json.loads(refused.value.diag.message_detail)
    assert (told["list_cents"], told["discount_cents"], told["price_cents"]) == (10000, 1000, 9000)
    assert used(desk) == (0, 0)


@pytest.mark.parametrize(
    ("code", "terms", "refusal"),
    [
        ("WINTER", {}, "promo_code_not_found"),
        ("SPRING", {"valid_from": "2100-01-01"}, "promo_code_not_valid"),
        ("SPRING", {"valid_from": "2000-01-01", "valid_until": "2001-01-01"}, "promo_code_not_valid"),
        ("SPRING", {"kind": "amount", "amount_cents": 100, "currency": "EUR"}, "promo_code_not_valid"),
    ],
)
def test_invalid_promo_code_creates_no_booking(desk, code, terms, refusal):
    create_code(desk, **terms)

    assert desk.refusal(desk.customer(), "card", promo_code=code) == refusal
    assert desk.db.execute("select count(*) as n from events.bookings").fetchone()["n"] == 0


def test_promo_code_of_another_organization_is_not_found(desk):
    create_code(CreditBookings(desk.db))

    assert desk.refusal(desk.customer(), "card", promo_code="SPRING") == "promo_code_not_found"


def test_promo_code_cannot_be_combined_with_a_pass(desk):
    create_code(desk)
    customer = desk.customer()
    desk.give_pass(customer, 1)

    assert desk.refusal(customer, "pass", promo_code="SPRING") == "promo_code_not_valid"


def test_promo_code_is_refused_beyond_its_limit(desk):
    create_code(desk, uses_most=2)
    people = desk.stage.customers(3)

    for customer in people[:2]:
        desk.book(customer, "card", promo_code="SPRING")

    assert desk.refusal(people[2], "card", promo_code="SPRING") == "promo_code_used_up"
    assert used(desk) == (2, 2)
    assert desk.book(people[2], "card")["price_cents"] == PRICE


def test_promo_code_is_refused_beyond_its_limit_per_customer(desk):
    create_code(desk, uses_most_per_customer=1)
    customer, other = desk.stage.customers(2)
    desk.book(customer, "card", promo_code="SPRING")

    assert desk.refusal(customer, "card", promo_code="SPRING", event_id=desk.event()) == "promo_code_used_up"
    assert desk.book(other, "card", promo_code="SPRING")["price_cents"] == 9000


def test_retry_uses_the_promo_code_once_and_returns_the_first_response(desk):
    create_code(desk, uses_most=1)
    customer = desk.customer()

    first = desk.book(customer, "card", promo_code="SPRING", idempotency_key="tap")
    again = desk.book(customer, "card", promo_code="SPRING", idempotency_key="tap")

    assert first == again
    assert used(desk) == (1, 1)


def test_same_key_with_another_promo_code_is_refused(desk):
    create_code(desk)
    customer = desk.customer()
    desk.book(customer, "card", idempotency_key="tap")

    assert desk.refusal(customer, "card", promo_code="SPRING", idempotency_key="tap") == "idempotency_conflict"


def test_unpaid_booking_returns_its_promo_code_when_it_expires(desk):
    create_code(desk, uses_most=1, uses_most_per_customer=1)
    customer = desk.customer()
    desk.book(customer, "card", promo_code="SPRING")

    routines.call(desk.db, None, "select events.expire_holds(at => now() + interval '16 minutes')")

    assert used(desk) == (0, 0)
    # At another event, because the customer cannot hold seats of this one again for a while.
    assert desk.book(customer, "card", promo_code="SPRING", event_id=desk.event())["price_cents"] == 9000
    assert used(desk) == (1, 1)


def test_unpaid_booking_returns_its_promo_code_when_it_is_cancelled(desk):
    create_code(desk, uses_most=1)
    customer = desk.customer()

    desk.cancel(desk.book(customer, "card", promo_code="SPRING"), customer)

    assert used(desk) == (0, 0)


def test_event_cancelled_by_its_organizer_returns_promo_codes_once(desk):
    create_code(desk, uses_most=3)
    for customer in desk.stage.customers(3):
        desk.give(customer, PRICE)
        desk.book(customer, "wallet", promo_code="SPRING")

    desk.cancel_event()

    assert used(desk) == (0, 0)


@pytest.mark.parametrize(("taken_meanwhile", "did"), [(False, ["confirmed"]), (True, ["returned"])])
def test_late_payment_uses_its_promo_code_again_if_uses_remain(desk, taken_meanwhile, did):
    create_code(desk, uses_most=1)
    late = desk.book(desk.customer(), "card", promo_code="SPRING")
    routines.call(desk.db, None, "select events.expire_holds(at => now() + interval '16 minutes')")
    if taken_meanwhile:
        desk.book(desk.customer(), "card", promo_code="SPRING")
    facts = {
        "stripe_id": "pi_1",
        "intent_id": late["id"],
        "status": "succeeded",
        "amount_cents": 9000,
        "received_cents": 9000,
        "currency": "chf",
        "observed_at": "2031-01-01T00:00:00+00:00",
    }

    answer = routines.call(desk.db, None, "select payments.apply_payment(%s::jsonb)", [json.dumps(facts)])

    assert answer["did"] == did
    assert used(desk) == (1, 1)


def test_waitlist_offer_can_be_accepted_with_a_promo_code(db):
    desk = CreditBookings(db, capacity=1)
    create_code(desk)
    first, second = desk.stage.customers(2)
    desk.give(second, PRICE)
    booking = desk.book(first, "card")
    entry = routines.call(db, second, "select events.join_waitlist(event_id => %s)", [desk.event_id])
    desk.cancel(booking, first)

    routines.call(
        db,
        second,
        "select events.accept_offer(%s, payment_method => 'wallet', idempotency_key => 'tap', promo_code => 'SPRING')",
        [entry["id"]],
    )

    assert desk.lots(second) == [(PRICE, 1000)]


@pytest.mark.parametrize("role", ["viewer", "front_desk", "instructor", "accountant"])
def test_other_roles_cannot_create_promo_codes(desk, role):
    with pytest.raises(psycopg.Error) as refused:
        create_code(desk, caller=desk.stage.member(role))

    assert routines.code_of(refused.value) == "forbidden"


def test_same_promo_code_is_returned_and_another_of_its_name_is_refused(desk):
    assert create_code(desk) == create_code(desk, code=" spring ")

    with pytest.raises(psycopg.Error) as refused:
        create_code(desk, kind="percent", percent_bps=2000)

    assert routines.code_of(refused.value) == "promo_code_exists"


@pytest.mark.parametrize(
    "terms",
    [
        {"kind": "percent"},
        {"kind": "amount", "amount_cents": 100},
        {"kind": "percent", "percent_bps": 10001},
        {"kind": "credits", "percent_bps": 100},
        {"kind": "amount", "amount_cents": 100, "currency": "XXX"},
        {"kind": "percent", "percent_bps": 100, "uses_most": 0},
    ],
)
def test_promo_code_with_invalid_terms_is_refused(desk, terms):
    with pytest.raises(psycopg.Error) as refused:
        create_code(desk, **terms)

    assert routines.code_of(refused.value) == "invalid_request"


ENDS = ["cancelled in time", "cancelled by staff in time", "waived", "called off", "refunded at Stripe", "erased"]
TERMS = [
    {"percent_bps": 10000},
    {"percent_bps": 1000},
    {"kind": "amount", "percent_bps": None, "amount_cents": 500, "currency": "CHF"},
    {"kind": "credits", "percent_bps": None, "amount_cents": 500, "currency": "CHF"},
]


@pytest.mark.parametrize("terms", TERMS, ids=["free", "percent", "amount", "credits"])
@pytest.mark.parametrize("end", ENDS)
def test_use_of_a_promo_code_returns_with_a_booking_that_ends_without_benefit(desk, terms, end):
    create_code(desk, uses_most=1, **terms)
    customer = desk.customer()
    free = terms.get("percent_bps") == 10000
    if end == "waived":
        desk.policy["cancel_hours_before"] = 9000
        desk.event_id = desk.event()
    booking = desk.book(customer, "card" if not free else None, promo_code="SPRING")
    if not free:
        apply_payment(desk, booking)

    match end:
        case "cancelled in time":
            desk.cancel(booking, customer)
        case "cancelled by staff in time":
            desk.cancel(booking)
        case "waived":
            desk.cancel(booking, waive=True)
        case "called off":
            desk.cancel_event()
        case "erased":
            routines.call(desk.db, customer, "select users.erase_profile(user_id => %s)", [customer])
        case _ if free:
            pytest.skip("Nothing was paid.")
        case _:
            apply_payment(desk, booking, refunds=[dashboard_refund(1, booking["price_cents"])])

    assert used(desk) == (0, 0)
    assert money_invariants.findings(desk.db) == []


def test_late_cancellation_keeps_the_promo_code_used(desk):
    create_code(desk, percent_bps=10000, uses_most=1)
    desk.policy["cancel_hours_before"] = 9000
    desk.event_id = desk.event()
    customer = desk.customer()

    desk.cancel(desk.book(customer, None, promo_code="SPRING"), customer)

    assert used(desk) == (1, 1)
