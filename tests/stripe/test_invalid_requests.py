"""Random requests: each response is an object or one of Stripe's refusals, never a fault of the stand-in."""

import random
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from local.stripe import operations, parameters, routes
from tests.kit.stripe_process import AGAINST_STRIPE, Api

ROUNDS = 5
PLURALS = {
    "destination": "accounts",
    "account": "accounts",
    "source_transaction": "charges",
    "on_behalf_of": "accounts",
}
WORDS = [
    "",
    "x",
    "0",
    "-1",
    "true",
    "card",
    "2000",
    "chf",
    "pm_card_visa",
    "twint",
    "ü\x00",
    "a" * 600,
    "999999999999999999",
]
pytestmark = pytest.mark.skipif(AGAINST_STRIPE, reason="Thousands of random requests are for the stand-in only.")


def operation_list() -> Iterator[routes.Operation]:
    operations.load()
    for found in routes._OPERATIONS.values():
        yield from found


def random_parameters(
    kind: parameters.Kind, name: str, chance: random.Random, ids: list[str]
) -> Iterator[tuple[str, str]]:
    """Yield a parameter that usually fits its kind."""
    if chance.random() < 0.02:
        yield name, chance.choice(WORDS)
        return
    match kind:
        case parameters.Whole():
            yield name, str(chance.choice([kind.least or 0, 1, 100, 2000, 5000, 2_000_000_000]))
        case parameters.Flag():
            yield name, chance.choice(["true", "false"])
        case parameters.Choice():
            yield name, chance.choice(kind.words)
        case parameters.Fields():
            for inner, each in kind.kinds.items():
                if each.needed or chance.random() < 0.3:
                    yield from random_parameters(each, f"{name}[{inner}]", chance, ids)
        case parameters.Items():
            for place in range(chance.choice([0, 1, 1, 2])):
                yield from random_parameters(kind.of, f"{name}[{place}]", chance, ids)
        case parameters.Metadata():
            yield f"{name}[{chance.choice(['a', '0', 'ü'])}]", chance.choice(WORDS)
        case parameters.Span():
            yield chance.choice([name, f"{name}[gte]", f"{name}[lt]"]), str(chance.choice([0, 2_000_000_000]))
        case _:
            known = {"currency": "chf", "url": "http://127.0.0.1:9/x", "enabled_events": "*", "country": "CH"}
            word = next((value for key, value in known.items() if key in name), None)
            if word is None and ("url" in name):
                word = "https://shop.example/back"
            last = name.rpartition("[")[2].rstrip("]") or name
            fitting = [each for each in ids if _fits(each, PLURALS.get(last, f"{last}s"))]
            if last == "payment_method":
                fitting.append("pm_card_visa")
            good = [word] if word else fitting
            yield name, chance.choice(good) if good and chance.random() < 0.95 else chance.choice([*WORDS, *ids])


def create_objects(api: Api) -> tuple[str, list[str]]:
    """Create a connected account, and at least one object of each kind."""
    account = api.v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}}).id
    api.act("accounts", account, "activate")
    ids = [account, api.v1.customers.create({"name": "Ana"}).id, api.v1.payment_methods.create({"type": "twint"}).id]
    card = {"amount": 90_000, "currency": "chf", "payment_method_types": ["card"], "confirm": True}
    card |= {"payment_method": "pm_card_bypassPending", "capture_method": "automatic"}
    destination = {"application_fee_amount": 100, "transfer_data": {"destination": account}}
    for more in ({}, {}, {"capture_method": "manual"}, {"capture_method": "manual"}, {"confirm": False}, destination):
        made = api.v1.payment_intents.create({**card, **more})
        ids += [made.id, made.latest_charge] if made.latest_charge else [made.id]
        if more == {}:
            ids.append(api.v1.refunds.create({"payment_intent": made.id, "amount": 1000}).id)
            ids.append(api.act("charges", made.latest_charge, "dispute")["id"])
    ids.append(api.v1.charges.retrieve(made.latest_charge).application_fee)
    for _ in range(3):
        ids.append(api.v1.transfers.create({"amount": 1000, "currency": "chf", "destination": account}).id)
        ids.append(api.v1.payouts.create({"amount": 1000, "currency": "chf"}).id)
    line = {"price_data": {"currency": "chf", "unit_amount": 2500, "product_data": {"name": "Pass"}}}
    session = {"mode": "payment", "line_items": [line], "success_url": "https://shop.example"}
    ids += [api.v1.checkout.sessions.create(session).id for _ in range(2)]
    ids.append(api.v1.events.list().data[0].id)
    ids.append(api.v1.balance_transactions.list().data[0].id)
    return account, ids


@pytest.mark.parametrize("seed", range(2))
def test_random_requests_get_a_valid_response(stand_in: Api, seed: int):
    chance = random.Random(seed)
    account, ids = create_objects(stand_in)
    answered: set[tuple[str, str]] = set()
    for operation in list(operation_list()) * ROUNDS:
        segments = [
            chance.choice(ids or ["x"]) if part.startswith("{") and chance.random() < 0.9 else part
            for part in operation.segments
        ]
        place = next((place for place, part in enumerate(operation.segments) if part.startswith("{")), None)
        if place is not None and chance.random() < 0.95:
            segments[place] = chance.choice([each for each in ids if _fits(each, operation.segments[1])] or ["x"])
        path = "/" + "/".join(segments)
        pairs = [
            pair
            for name, kind in operation.kinds.items()
            if name != "expand" and (kind.needed or chance.random() < 0.15)
            for pair in random_parameters(kind, name, chance, ids)
        ]
        form = urlencode(pairs)
        headers = {"Stripe_Account": account} if chance.random() < 0.1 else {}
        if operation.method == "POST":
            answer = stand_in.request("POST", path, form, **headers)
        else:
            answer = stand_in.request(operation.method, f"{path}?{form}", **headers)

        assert answer.status in (200, 400, 401, 402, 403, 404), (operation.method, path, form, answer.body)
        document = answer.json
        if answer.status == 200:
            answered.add((operation.method, "/".join(operation.segments)))
            ids += [document["id"]] if "id" in document else []
        else:
            assert {"type", "message"} <= document["error"].keys()
    stand_in.settle()
    assert len(answered) > 50, len(answered)


def _fits(id: str, kind: str) -> bool:
    prefixes = {
        "payment_intents": "pi_",
        "payment_methods": "pm_",
        "customers": "cus_",
        "charges": ("ch_", "py_"),
        "refunds": "re_",
        "accounts": "acct_",
        "checkout": "cs_",
        "transfers": "tr_",
        "payouts": "po_",
        "disputes": "du_",
        "application_fees": "fee_",
        "events": "evt_",
        "balance_transactions": "txn_",
        "webhook_endpoints": "we_",
    }
    return id.startswith(prefixes.get(kind, "-"))
