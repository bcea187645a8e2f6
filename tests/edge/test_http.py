"""Test the HTTP layer: the request checks, responses and refusals that all routes share."""

import json
from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.exceptions import ResponseValidationError
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import Field

from marquee.core import paging
from marquee.core.errors import Refused, Unavailable
from marquee.core.identity import Caller, anonymous
from marquee.core.models import Answer, Flag, Id, Moment, Request, Seats
from marquee.edge import http, refusals
from tests.kit import gateway

pytestmark = pytest.mark.usefixtures("sockets_off")

THING = "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a"


class Order(Request):
    """The request body of the trial route."""

    thing_id: Id
    seats: Seats = 1
    at: Moment | None = None
    gift: Flag = False
    note: Annotated[str | None, Field(max_length=20)] = None


class Made(Answer):
    """The response body of the trial route."""

    thing_id: UUID
    seats: int


app = http.resolver()
raised: list[Exception] = []


@app.post("/orders", status_code=201)
def order(request: Annotated[Order, Body()], idempotency_key: http.IdempotencyKey) -> Response[Made]:
    """Make an order."""
    if raised:
        raise raised.pop()
    return http.json(201, Made(thing_id=request.thing_id, seats=request.seats), {"Location": "/orders/1"})


@app.post("/orders/<order_id>/cancel")
def cancel(order_id: Annotated[UUID, Path()], request: Annotated[Order | None, Body()] = None) -> Response[Made]:
    """Cancel an order, with or without a reason."""
    return http.text_json(200, f'{{"thing_id": "{order_id}",  "seats": {0 if request is None else request.seats}}}')


@app.get("/orders")
def orders(limit: http.PageSize = 20, cursor: http.Cursor = None) -> Response[paging.Page[Made]]:
    """List orders."""
    paging.after(cursor, UUID)
    made = Made(thing_id=UUID(THING), seats=limit)
    return http.cacheable(app.current_event, http.json(200, paging.Page(items=[made], next_cursor=None)), seconds=30)


@app.get("/wrong")
def wrong() -> Made:
    """Return a value of the wrong type."""
    return {"seats": "many"}  # type: ignore[return-value]


@app.delete("/orders/<order_id>", status_code=204)
def drop(order_id: Annotated[UUID, Path()]) -> Response[None]:
    """Drop an order."""
    return http.empty()


def ask(method: str, path: str, body: Any = None, **options: Any) -> gateway.Answer:
    """Send a request to the trial app."""
    result = app.resolve(gateway.event(method, path, body, **options), gateway.Context())
    headers = {name.lower(): values[-1] for name, values in result["multiValueHeaders"].items()}
    text = result["body"] or ""
    return gateway.Answer(result["statusCode"], headers, json.loads(text) if text else None, text)


def post(body: Any, **options: Any) -> gateway.Answer:
    """Send a body to the trial route."""
    return ask("POST", "/orders", body, key=options.pop("key", "tap"), **options)


def test_valid_request_returns_the_routes_typed_response():
    answer = post({"thing_id": THING, "seats": 2, "at": "2030-01-31T18:00:00+01:00", "gift": True})

    assert (answer.status, answer.body) == (201, {"thing_id": THING, "seats": 2})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["location"] == "/orders/1"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "place", "kind"),
    [
        ({}, ["body", "thing_id"], "missing"),
        ({"thing_id": THING, "who": "ben"}, ["body", "who"], "extra_forbidden"),
        ({"thing_id": THING, "seats": "2"}, ["body", "seats"], "int_type"),
        ({"thing_id": THING, "seats": True}, ["body", "seats"], "int_type"),
        ({"thing_id": THING, "seats": 21}, ["body", "seats"], "less_than_equal"),
        ({"thing_id": THING, "seats": 10**30}, ["body", "seats"], "int_too_large"),
        ({"thing_id": THING, "gift": 1}, ["body", "gift"], "bool_type"),
        ({"thing_id": THING, "at": 0}, ["body", "at"], "value_error"),
        ({"thing_id": THING, "at": "2030-01-31T18:00:00"}, ["body", "at"], "value_error"),
        ({"thing_id": THING.replace("-", "")}, ["body", "thing_id"], "value_error"),
        ({"thing_id": THING, "note": "nul \0"}, ["body", "note"], "string_nul"),
        ('{"thing_id": "' + THING + '", "note": "\\ud800"}', ["body", "note"], "string_unicode"),
        ('{"thing_id": "' + THING + '", "note": 1e999}', ["body", "note"], "finite_number"),
        ({"thing_id": THING, "a\0": 1}, ["body"], "string_unicode"),
        ([{"thing_id": THING}], ["body"], "object"),
        ("null", ["body"], "missing"),
        (None, ["body"], "missing"),
    ],
)
def test_invalid_body_is_refused_with_place_and_kind(body, place, kind):
    answer = post(body)

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"path": place, "kind": kind} in [{"path": e["path"], "kind": e["kind"]} for e in answer.body["errors"]]


def test_message_of_a_validator_comes_without_the_prefix_of_pydantic():
    [error] = post({"thing_id": THING, "at": "2030-01-31T18:00:00"}).body["errors"]

    assert error["message"] == "write a time like 2030-01-31T18:00:00Z, with seconds and an offset, from year 1 to 9999"


def test_refusal_never_repeats_request_values():
    answer = post({"thing_id": "hunter2-secret", "seats": "hunter2-secret", "note": "hunter2-secret" * 9})

    assert answer.status == 422
    assert "hunter2" not in answer.text


def test_text_of_a_request_hides_its_values():
    request = Order(thing_id=THING, note="hunter2")

    assert f"{request} {request!r} {[request]}" == "Order(…) Order(…) [Order(…)]"


@pytest.mark.parametrize(
    "body",
    ["{", "[1,", '{"seats": NaN}', '{"seats": Infinity}', '{"a": ' + "9" * 5000 + "}", b"\xff\xfe{}", "[" * 99999],
)
def test_body_that_is_no_json_is_malformed(body):
    answer = post(body)

    assert (answer.status, answer.body["code"]) == (400, "malformed_json")


def test_body_nested_too_deeply_is_refused():
    answer = post('{"note": ' + "[" * 50 + "]" * 50 + "}")

    assert answer.status == 422
    assert answer.body["errors"][0]["kind"] == "too_deep"


def test_body_over_256_kb_is_too_large():
    assert post({"note": "x" * 262_144}).status == 413
    assert post({"note": "x" * 262_000}).status == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json; foo=bar; charset=latin-1"},
        {"Content-Type": 'application/json; foo="; charset=utf-8"; CharSet="latin-1"'},
        {"Content-Type": "application/json; charset=utf-8; charset=utf-16"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/problem+json"},
        {"Content-Type": "application/json, application/json"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_body_of_another_media_type_is_unsupported(headers):
    answer = post({"thing_id": THING}, headers=headers)

    assert (answer.status, answer.body["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=UTF-8",
        "Application/JSON",
        "APPLICATION/JSON;CHARSET=utf-8",
        "application/json; foo=bar",
        "application/json; foo=bar; charset=utf-8",
        'application/json; charset="utf-8"; foo="a; charset=latin-1"',
        "  application/json  ;   charset = utf-8  ",
        "application/json;",
        "application/json; charset=utf-8;",
        "application/json;;foo",
        "application/json; charset=",
        "",
        "  ",
    ],
)
def test_json_content_type_is_accepted_in_every_spelling(kind):
    assert post({"thing_id": THING}, headers={"content-type": kind}).status == 201


def test_base64_body_is_decoded():
    assert post(json.dumps({"thing_id": THING, "note": "Zürich"}).encode()).status == 201


def test_missing_idempotency_key_has_its_own_code():
    answer = ask("POST", "/orders", {"thing_id": THING})

    assert (answer.status, answer.body["code"]) == (400, "idempotency_key_required")


@pytest.mark.parametrize("key", ["", "x" * 256, "kläx", "a b"])
def test_malformed_idempotency_key_is_invalid(key):
    answer = post({"thing_id": THING}, key=key)

    assert (answer.status, answer.body["errors"][0]["path"]) == (422, ["header", "idempotency-key"])


def test_optional_body_can_be_omitted():
    assert ask("POST", f"/orders/{THING}/cancel").body == {"thing_id": THING, "seats": 0}
    assert ask("POST", f"/orders/{THING}/cancel", {"thing_id": THING, "seats": 3}).body["seats"] == 3


def test_stored_response_is_returned_unchanged():
    assert ask("POST", f"/orders/{THING}/cancel").text == f'{{"thing_id": "{THING}",  "seats": 0}}'


def test_empty_response_is_204():
    answer = ask("DELETE", f"/orders/{THING}")

    assert (answer.status, answer.text) == (204, "")


@pytest.mark.parametrize("segment", ["nobody", "%00", 'a"b', "\0", "x" * 5000, "Ω"])
def test_invalid_path_parameter_is_invalid_and_not_unknown(segment):
    answer = ask("DELETE", f"/orders/{segment}")

    assert (answer.status, answer.body["errors"][0]["path"]) == (422, ["path", "order_id"])


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "many"},
        {"limit": [1, 2]},
        {"sort": "up"},
        {"cursor": "\0"},
        {"cursor": ""},
    ],
)
def test_invalid_query_is_refused_with_its_parameter(query):
    answer = ask("GET", "/orders", query=query)

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert answer.body["errors"][0]["path"][:2] == ["query", *query]


def test_unstorable_text_is_refused_in_query_and_path():
    kinds = [
        ask("GET", "/orders", query={"cursor": "a\0b"}).body["errors"][0]["kind"],
        ask("GET", "/orders", query={"cursor": "a\ud800b"}).body["errors"][0]["kind"],
        ask("DELETE", "/orders/a\0b").body["errors"][0]["kind"],
    ]

    assert kinds == ["string_nul", "string_unicode", "string_nul"]


def test_unknown_path_is_not_found():
    answer = ask("GET", "/nowhere")

    assert (answer.status, answer.body["code"]) == (404, "route_not_found")


def test_unknown_method_returns_the_allowed_methods():
    answer = ask("PATCH", "/orders")

    assert (answer.status, answer.body["code"], answer.headers["allow"]) == (405, "method_not_allowed", "GET, POST")


def test_refusal_becomes_a_problem_document():
    raised.append(Refused(409, "sold_out", "3 seats are left.", waitlist=True, status="full"))

    answer = post({"thing_id": THING})

    assert answer.status == 409
    assert answer.body == {
        "type": "/problems/sold_out",
        "title": "Sold out",
        "status": 409,
        "code": "sold_out",
        "detail": "3 seats are left.",
        "waitlist": True,
    }


def test_refusal_without_a_sentence_uses_the_sentence_of_its_code():
    raised.append(Refused(409, "sold_out", seats_left=1, waitlist=True))

    answer = post({"thing_id": THING})

    assert answer.body["detail"] == refusals.BY_CODE["sold_out"].sentence.replace("{seats_left}", "1")
    assert "`waitlist`" in answer.body["detail"]


def test_sentence_names_a_member_without_a_value():
    raised.append(Refused(409, "sold_out", seats_left=None))

    answer = post({"thing_id": THING})

    assert answer.body["detail"] == refusals.BY_CODE["sold_out"].sentence.replace("{seats_left}", "`seats_left`")


def test_rate_limit_refusal_names_the_time_to_retry():
    raised.append(Refused(429, "rate_limited", retry_after_seconds=12))

    answer = post({"thing_id": THING})

    assert (answer.status, answer.headers["retry-after"], answer.body["retry_after_seconds"]) == (429, "12", 12)


def test_unavailable_response_names_the_time_to_retry():
    raised.append(Unavailable("The database is busy."))

    answer = post({"thing_id": THING})

    assert (answer.status, answer.body["code"], answer.headers["retry-after"]) == (503, "unavailable", "1")


def test_fault_is_raised():
    raised.append(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        post({"thing_id": THING})


def test_response_of_the_wrong_type_is_a_fault():
    with pytest.raises(ResponseValidationError):
        ask("GET", "/wrong")


def test_matching_etag_returns_304_without_a_body():
    first = ask("GET", "/orders")
    assert (first.status, first.headers["cache-control"]) == (200, "public, max-age=30")

    for condition in (first.headers["etag"], f"W/{first.headers['etag']}", f'"other", {first.headers["etag"]}', "*"):
        again = ask("GET", "/orders", headers={"If-None-Match": condition})
        assert (again.status, again.text, again.headers["etag"]) == (304, "", first.headers["etag"])

    other = ask("GET", "/orders", query={"limit": 3}, headers={"If-None-Match": first.headers["etag"]})
    assert (other.status, other.body["items"][0]["seats"]) == (200, 3)


def test_caller_is_read_from_the_authorizer():
    caller = Caller(uuid4(), "service_role", uuid4(), {"name": "Ana"})
    event = http_event(caller=caller)

    found = http.caller(event)

    assert (found.id, found.role, found.org_id) == (caller.id, caller.role, caller.org_id)
    assert found.database_claims() == {
        "sub": str(caller.id), "role": "service_role", "org_id": str(caller.org_id), "name": "Ana",
        "correlation_id": event["requestContext"]["requestId"],
    }  # fmt: skip


def test_caller_and_address_are_not_read_from_client_headers():
    event = http_event(
        headers={"caller_id": str(uuid4()), "Authorization": "Bearer x", "X-Forwarded-For": "198.51.100.1"},
        query={"caller_id": str(uuid4())},
        address="192.0.2.77",
    )

    assert http.caller(event) == anonymous()
    assert http.source_address(event) == "192.0.2.77"
    assert http.limited(event, "book").address == "192.0.2.77"


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("192.0.2.77", "192.0.2.77"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:DB8:0:0:ffff::2", "2001:db8::/64"),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.77", "192.0.2.77"),
        ("::FFFF:c000:24d", "192.0.2.77"),
        ("not:an:address", "not:an:address"),
        ("", ""),
        (None, None),
    ],
)
def test_addresses_of_one_ipv6_network_share_a_limit(address, subject):
    event = http_event()
    event["requestContext"]["identity"] = {"sourceIp": address}

    assert http.limited(event, "book").address == subject


def test_unknown_role_from_the_authorizer_is_a_fault():
    with pytest.raises(ValueError, match="postgres"):
        http.caller(http_event(caller=Caller(uuid4(), "postgres")))


@pytest.mark.parametrize(
    ("method", "path", "status", "vary"),
    [
        ("POST", "/orders", 400, "Authorization"),
        ("POST", f"/orders/{THING}/cancel", 200, "Authorization"),
        ("DELETE", f"/orders/{THING}", 204, "Authorization"),
        ("PUT", "/orders", 405, "Authorization"),
        ("GET", "/nowhere", 404, "Authorization"),
        ("GET", "/orders", 200, None),
    ],
)
def test_response_varies_by_the_token_unless_public(method, path, status, vary):
    answer = ask(method, path)

    assert (answer.status, answer.headers.get("vary")) == (status, vary)


def test_private_cacheable_response_and_its_304_vary_by_the_token():
    private = http.resolver()

    @private.get("/mine")
    def mine() -> Response[str]:
        return http.cacheable(private.current_event, http.text_of(200, "text/plain", "mine"), seconds=60, public=False)

    first = private.resolve(gateway.event("GET", "/mine"), gateway.Context())["multiValueHeaders"]
    condition = {"If-None-Match": first["ETag"][0]}
    second = private.resolve(gateway.event("GET", "/mine", headers=condition), gateway.Context())

    assert second["statusCode"] == 304
    assert first["Vary"] == second["multiValueHeaders"]["Vary"] == ["Authorization"]


def test_cors_allows_the_configured_origins_only(monkeypatch):
    monkeypatch.setenv("CORS_ORIGIN", "https://marquee.example, https://desk.marquee.example")
    browser = http.resolver()

    @browser.get("/here")
    def here() -> Response[None]:
        return http.empty()

    def allowed(origin: str) -> Any:
        result = browser.resolve(gateway.event("GET", "/here", headers={"Origin": origin}), gateway.Context())
        assert result["multiValueHeaders"]["Vary"] == ["Authorization, Origin"]
        return result["multiValueHeaders"].get("Access-Control-Allow-Origin")

    assert allowed("https://desk.marquee.example") == ["https://desk.marquee.example"]
    assert allowed("https://elsewhere.example") is None


@pytest.mark.parametrize("path", ["/orders", f"/orders/{THING}", "/somewhere/else"])
def test_request_metrics_name_the_route_and_no_ids(path, capsys):
    ask("GET", path)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    routes = {line["route"] for line in lines if "RequestDuration" in line}
    assert len(routes) == 1
    assert THING not in str(routes)
    assert "else" not in str(routes)


def test_refusals_are_counted_by_code(capsys):
    ask("GET", "/nowhere")

    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "RequestRefused" in line]
    assert [(line["code"], line["RequestRefused"]) for line in counted] == [("route_not_found", [1.0])]


def http_event(**options: Any) -> Any:
    """Build a request event as routes receive it."""
    return app._to_proxy_event(gateway.event("GET", "/orders", **options))
