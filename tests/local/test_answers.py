"""Responses that API Gateway makes of a function's result, without a server."""

import json
from typing import Any

import pytest

from local import responses
from local.events import Call
from local.refusals import RefusedByGateway
from local.resources import Api

API = Api("Api", "id", "v1", {}, (), {}, {}, {}, ("image/png",), None)


def call(accept: str = "*/*") -> Call:
    return Call("GET", "/", "", [("Accept", accept)], "127.0.0.1", "HTTP/1.1", 3000)


def proxied(result: Any, accept: str = "*/*") -> responses.Answer:
    return responses.proxied(json.dumps(result).encode(), call(accept), API)


@pytest.mark.parametrize(
    "result",
    [
        "text",
        None,
        [],
        {"statusCode": 200, "extra": 1},
        {"statusCode": "ok"},
        {"statusCode": 99},
        {"statusCode": 600},
        {"statusCode": True},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"A": {"b": 1}}},
        {"statusCode": 200, "headers": {"A": "two\r\nlines"}},
        {"statusCode": 200, "headers": {"no spaces": "x"}},
        {"statusCode": 200, "multiValueHeaders": {"A": "no list"}},
        {"statusCode": 200, "isBase64Encoded": "yes"},
    ],
)
def test_malformed_result_is_a_bad_gateway(result: Any) -> None:
    with pytest.raises(RefusedByGateway) as refusal:
        proxied(result)

    assert refusal.value.status == 502


@pytest.mark.parametrize(
    ("result", "status", "headers", "body"),
    [
        ({}, 200, [("Content-Type", "application/json")], b""),
        ({"statusCode": "201", "body": "x"}, 201, [("Content-Type", "application/json")], b"x"),
        (
            {"statusCode": 200, "headers": {"content-type": "text/plain", "N": 1, "T": True}, "body": None},
            200,
            [("content-type", "text/plain"), ("N", "1"), ("T", "true")],
            b"",
        ),
        (
            {"headers": {"set-cookie": "lost", "A": "1"}, "multiValueHeaders": {"Set-Cookie": ["a", "b"]}},
            200,
            [("A", "1"), ("Set-Cookie", "a"), ("Set-Cookie", "b"), ("Content-Type", "application/json")],
            b"",
        ),
        (
            {"headers": {"WWW-Authenticate": "Bearer", "Connection": "close", "Transfer-Encoding": "chunked"}},
            200,
            [
                ("x-amzn-Remapped-WWW-Authenticate", "Bearer"),
                ("x-amzn-Remapped-Connection", "close"),
                ("Content-Type", "application/json"),
            ],
            b"",
        ),
    ],
)
def test_result_becomes_a_response(result: Any, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    assert proxied(result) == responses.Answer(status, headers, body)


def test_binary_body_is_decoded_when_the_client_accepts_it() -> None:
    result = {"headers": {"Content-Type": "image/png"}, "body": "iVBORw==", "isBase64Encoded": True}

    assert proxied(result, "image/png,*/*").body == b"\x89PNG"
    assert proxied(result, "text/html").body == b"iVBORw=="
