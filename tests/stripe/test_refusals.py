"""Refusals of keys, paths, parameters and amounts."""

import pytest
import stripe

from tests.kit.stripe_process import Api

CARD = {"amount": 2000, "currency": "chf", "payment_method_types": ["card"]}


def test_missing_or_wrong_key_is_refused(api: Api):
    for header in ("", "Bearer nonsense", "Bearer sk_live_0123456789", "Basic ???"):
        answer = api.request("GET", "/v1/customers", Authorization=header)
        assert answer.status == 401, header
        assert answer.json["error"]["type"] == "invalid_request_error"
    with pytest.raises(stripe.AuthenticationError):
        Api(api.url, "sk_wrong").v1.customers.list()


def test_key_is_accepted_as_a_basic_auth_user_name(api: Api):
    import base64

    basic = base64.b64encode(f"{api.key}:".encode()).decode()

    assert api.request("GET", "/v1/customers", Authorization=f"Basic {basic}").status == 200


def test_response_names_its_request_and_api_version(api: Api):
    for path in ("/v1/customers", "/v1/nothing"):
        answer = api.request("GET", path, Stripe_Version="2025-03-31.basil")
        assert answer.headers["request-id"].startswith("req_")
        assert answer.headers["stripe-version"] == "2025-03-31.basil"
    assert api.v1.customers.list().last_response.request_id.startswith("req_")


def test_unknown_path_is_refused(api: Api):
    answer = api.request("GET", "/v1/no_such_things")

    assert answer.status == 404
    assert answer.json["error"]["message"].startswith("Unrecognized request URL (GET: /v1/no_such_things)")


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ("amount=2000&currency=chf&colour=blue", "parameter_unknown", "colour"),
        ("amount=2000&currency=chf&shipping[name]=Ana&shipping[hat]=1", "parameter_unknown", "shipping[hat]"),
        ("currency=chf", "parameter_missing", "amount"),
        ("amount=2000", "parameter_missing", "currency"),
        ("amount=many&currency=chf", "parameter_invalid_integer", "amount"),
        ("amount=20.5&currency=chf", "parameter_invalid_integer", "amount"),
        ("amount=-5&currency=chf", "parameter_invalid_integer", "amount"),
        ("amount=&currency=chf", "parameter_invalid_empty", "amount"),
        ("amount=20&currency=chf&payment_method_types[]=card", "amount_too_small", "amount"),
        ("amount=100000000&currency=chf&payment_method_types[]=card", "amount_too_large", "amount"),
        ("amount=2000&currency=chf&customer=cus_nobody", "resource_missing", "customer"),
        ("amount=2000&currency=chf&payment_method=pm_nothing", "resource_missing", "payment_method"),
    ],
)
def test_invalid_parameter_is_refused_with_its_code_and_name(api: Api, form: str, code: str, param: str):
    answer = api.request("POST", "/v1/payment_intents", form)

    assert answer.status in (400, 404)
    error = answer.json["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", code)
    assert error["param"] == param


@pytest.mark.parametrize(
    "form",
    [
        "amount=2000&currency=xyz",
        "amount=2000&currency=chf&capture_method=sometimes",
        "amount=2000&currency=chf&confirm=perhaps",
        "amount=2000&currency=chf&metadata=text",
        "amount=2000&currency=chf&payment_method_types=card",
        "amount=2000&currency=chf&shipping=text",
        "amount=2000&currency=chf&off_session=true",
        "amount=2000&currency=chf&application_fee_amount=100",
        "amount=2000&currency=chf&transfer_data[destination]=acct_nobody",
        "amount=2000&currency=chf&metadata[" + "k" * 41 + "]=v",
        "amount=2000&currency=chf&metadata[k]=" + "v" * 501,
    ],
)
def test_invalid_parameter_value_is_refused(api: Api, form: str):
    answer = api.request("POST", "/v1/payment_intents", form)

    assert answer.status == 400
    assert answer.json["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("kind", "id"), [("payment_intents", "pi_x"), ("charges", "ch_x"), ("refunds", "re_x"), ("customers", "cus_x")]
)
def test_unknown_id_is_refused_as_missing(api: Api, kind: str, id: str):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        getattr(api.v1, kind).retrieve(id)

    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_json_body_is_refused(api: Api):
    answer = api.request("POST", "/v1/customers", '{"name": "Ana"}', Content_Type="application/json")

    assert answer.status == 400


def test_nested_parameters_are_parsed(api: Api):
    shipping = {"name": "Ana", "address": {"city": "Bern", "postal_code": "3011"}}
    metadata = {"0": "zero", "ü": "ö & = % +"}

    made = api.v1.payment_intents.create({**CARD, "shipping": shipping, "metadata": metadata})

    assert made.shipping.address.city == "Bern"
    assert made.metadata.to_dict() == metadata


def test_invalid_expansion_is_refused(api: Api):
    made = api.v1.payment_intents.create(CARD)

    for path in ("colour", "amount", "customer.customer.customer.customer.customer"):
        with pytest.raises(stripe.InvalidRequestError):
            api.v1.payment_intents.retrieve(made.id, {"expand": [path]})
    assert api.v1.payment_intents.list({"expand": ["data.customer"]}).data


def test_injected_faults_raise_the_errors_of_the_sdk(stand_in: Api):
    for kind, error in (
        ("rate_limit", stripe.RateLimitError),
        ("lock_timeout", stripe.RateLimitError),
        ("error", stripe.APIError),
        ("unavailable", stripe.APIError),
        ("drop_before", stripe.APIConnectionError),
    ):
        stand_in.control("/faults", kind=kind, matches="GET /v1/customers")
        with pytest.raises(error):
            stand_in.v1.customers.list()
        assert stand_in.v1.customers.list().data == []


def test_unknown_host_header_is_refused(stand_in: Api):
    """Prevent DNS rebinding: a foreign domain that resolves to this machine does not reach the API."""
    assert stand_in.request("GET", "/_stand_in", Host="rebound.example:80").status == 403
    assert stand_in.request("GET", "/v1/customers", Host="rebound.example").status == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_request_from_a_foreign_origin_is_refused(stand_in: Api, origin: str):
    assert stand_in.request("POST", "/_stand_in/run", Origin=origin).status == 403
    assert stand_in.request("POST", "/v1/customers", Origin=origin).status == 403


@pytest.mark.parametrize("back", ["javascript:alert(1)", "data:text/html,x", "nowhere", "https://"])
def test_invalid_return_url_is_refused(api: Api, back: str):
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.payment_intents.create({**CARD, "payment_method": "pm_card_visa", "confirm": True, "return_url": back})


def test_controls_accept_json_only(stand_in: Api):
    """Prevent cross-site requests: a page in a browser cannot send JSON unasked."""
    answer = stand_in.request("POST", "/_stand_in/reset", "{}", Content_Type="text/plain")

    assert answer.status == 400
