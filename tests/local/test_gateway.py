"""The gateway, over real HTTP, with real functions behind it."""

import base64
import gzip
import json
import socket
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.kit.local_stack import LocalStack


def test_event_has_the_format_of_api_gateway(stack: LocalStack) -> None:
    event = stack.get(
        "/echo/a%20b?tag=x&tag=y+z&empty=&%C3%BC=1", X_Many=["one", "two"], User_Agent="trial", Cookie="a=b"
    ).json
    context = event["requestContext"]

    assert (event["resource"], event["path"], event["httpMethod"]) == ("/echo/{name}", "/echo/a%20b", "GET")
    assert event["pathParameters"] == {"name": "a%20b"}
    assert event["queryStringParameters"] == {"tag": "y z", "empty": "", "ü": "1"}
    assert event["multiValueQueryStringParameters"] == {"tag": ["x", "y z"], "empty": [""], "ü": ["1"]}
    assert (event["headers"]["X-Many"], event["multiValueHeaders"]["X-Many"]) == ("two", ["one", "two"])
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert event["headers"]["X-Forwarded-Port"] == str(stack.port)
    assert event["stageVariables"] == {"colour": "blue"}
    assert (event["body"], event["isBase64Encoded"]) == (None, False)
    assert (context["stage"], context["resourcePath"], context["httpMethod"]) == ("v1", "/echo/{name}", "GET")
    assert (context["identity"]["sourceIp"], context["identity"]["userAgent"]) == ("127.0.0.1", "trial")
    assert abs(context["requestTimeEpoch"] / 1000 - time.time()) < 30
    assert "authorizer" not in context


def test_absent_parts_of_a_request_are_null(stack: LocalStack) -> None:
    event = stack.get("/echo/literal").json

    assert event["resource"] == "/echo/literal"
    assert event["queryStringParameters"] is None
    assert event["multiValueQueryStringParameters"] is None
    assert event["pathParameters"] is None


def test_response_carries_the_request_id_of_the_function(stack: LocalStack) -> None:
    answer = stack.get("/echo/x")

    assert answer.header("x-amzn-RequestId") == answer.json["requestContext"]["requestId"]
    assert (answer.header("X-Echo"), answer.header("Content-Type")) == ("yes", "application/json")


def test_text_body_is_passed_unchanged_and_binary_body_encoded(stack: LocalStack) -> None:
    text = stack.request("POST", "/echo", "grüezi", Content_Type="text/plain").json
    picture = stack.request("POST", "/echo", b"\x89PNG\xff", Content_Type="image/png").json

    assert (text["body"], text["isBase64Encoded"]) == ("grüezi", False)
    assert (base64.b64decode(picture["body"]), picture["isBase64Encoded"]) == (b"\x89PNG\xff", True)


def test_greedy_route_matches_any_method_and_depth(stack: LocalStack) -> None:
    event = stack.request("DELETE", "/files/a/b/c").json

    assert (event["httpMethod"], event["resource"], event["pathParameters"]) == (
        "DELETE",
        "/files/{proxy+}",
        {"proxy": "a/b/c"},
    )


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("DELETE", "/echo"), ("HEAD", "/echo/x")])
def test_unknown_route_is_refused_with_missing_authentication_token(stack: LocalStack, method: str, path: str) -> None:
    answer = stack.request(method, path)

    assert answer.status == 403
    assert method == "HEAD" or answer.json == {"message": "Missing Authentication Token"}
    assert answer.header("x-amzn-ErrorType") == "MissingAuthenticationTokenException"


def test_preflight_returns_the_cors_headers_of_the_template(stack: LocalStack) -> None:
    answer = stack.request("OPTIONS", "/private", Origin="https://example.com")

    assert answer.status == 200
    assert answer.header("Access-Control-Allow-Origin") == "https://example.com"
    assert answer.header("Access-Control-Allow-Methods") == "GET,POST"
    assert answer.header("Access-Control-Max-Age") == "600"


def test_request_without_a_token_is_refused_without_the_authorizer(stack: LocalStack) -> None:
    before = _asked(stack)

    answer = stack.get("/private")

    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})
    assert _asked(stack) == before


def test_allowed_caller_reaches_the_function_with_its_context(stack: LocalStack) -> None:
    authorizer = stack.get("/private", Authorization="somebody").json["requestContext"]["authorizer"]

    assert authorizer.pop("integrationLatency") >= 0
    assert authorizer == {"principalId": "somebody", "number": "1", "flag": "true", "text": "execute-api"}


@pytest.mark.parametrize(
    ("token", "path", "status", "message"),
    [
        ("limited", "/private/forbidden", 403, "User is not authorized to access this resource with an explicit deny"),
        ("nothing", "/private", 403, "User is not authorized to access this resource"),
        ("unauthorized", "/private", 401, "Unauthorized"),
        ("fault", "/private", 500, None),
        ("nonsense", "/private", 500, None),
    ],
)
def test_authorizer_decides_the_response(
    stack: LocalStack, token: str, path: str, status: int, message: str | None
) -> None:
    answer = stack.get(path, Authorization=token)

    assert (answer.status, answer.json) == (status, {"message": message})


def test_policy_is_evaluated_for_each_route(stack: LocalStack) -> None:
    assert stack.get("/private", Authorization="limited").status == 200
    assert stack.get("/private/forbidden", Authorization="limited").status == 403


def test_authorizer_result_is_reused_until_it_expires(stack: LocalStack) -> None:
    token = str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(lambda _: stack.get("/private", Authorization=token).status, range(16)))
    asked_at_first = _asked(stack, token)
    time.sleep(2.1)
    stack.get("/private", Authorization=token)

    assert (statuses, asked_at_first, _asked(stack, token)) == ({200}, 1, 2)


def test_fault_of_the_authorizer_is_not_cached(stack: LocalStack) -> None:
    before = _asked(stack, "fault")

    assert [stack.get("/private", Authorization="fault").status for _ in range(2)] == [500, 500]
    assert _asked(stack, "fault") == before + 2


def test_missing_required_header_is_refused(stack: LocalStack) -> None:
    answer = stack.post("/orders", {"item": "tea"})

    assert answer.status == 400
    assert answer.json == {"message": "Missing required request parameters: [X-Key]"}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("{}", '[object has missing required properties (["item"])]'),
        (
            '{"item": 1}',
            '[instance type (integer) does not match any allowed primitive type (allowed: ["string"])]',
        ),
        ("{", "[not JSON]"),
        ("[" * 100_000, "[not JSON]"),
        ("", '[object has missing required properties (["item"])]'),
    ],
)
def test_invalid_body_is_refused_with_the_response_of_the_template(stack: LocalStack, body: str, detail: str) -> None:
    answer = stack.request(
        "POST", "/orders", body, Content_Type="application/json", X_Key="1", Origin="https://example.com"
    )

    assert answer.status == 422
    assert answer.header("Content-Type") == "application/problem+json"
    assert answer.header("X-Origin") == "https://example.com"
    assert answer.json == {"detail": detail, "path": "/orders", "said": "Invalid request body"}


def test_valid_body_and_unmodelled_content_type_pass(stack: LocalStack) -> None:
    assert stack.post("/orders", {"item": "tea", "count": 2}, X_Key="1").status == 200
    assert stack.request("POST", "/orders", "tea", Content_Type="text/plain", X_Key="1").status == 200


def test_too_large_body_is_refused(stack: LocalStack) -> None:
    declared = stack.request("POST", "/echo", b"x" * (10 * 1024 * 1024 + 1), Content_Type="text/plain")

    assert declared.status == 413
    assert declared.json == {"message": "HTTP content length exceeded 10485760 bytes."}
    assert stack.request("POST", "/echo", b"x" * 7 * 1024 * 1024, Content_Type="text/plain").status == 413


def test_compressed_body_is_limited_by_its_decompressed_size(stack: LocalStack) -> None:
    bomb = gzip.compress(b"x" * 30 * 1024 * 1024)

    refused = stack.request("POST", "/echo", bomb, Content_Encoding="gzip")

    assert (refused.status, "exceeded 10485760" in refused.json["message"]) == (413, True)
    assert stack.request("POST", "/echo", gzip.compress(b"small"), Content_Encoding="gzip").json["body"] == "small"
    assert stack.request("POST", "/echo", b"no gzip", Content_Encoding="gzip").status == 400


def test_truncated_compressed_body_is_refused(stack: LocalStack) -> None:
    whole = gzip.compress(b"small")

    assert stack.request("POST", "/echo", whole[:-9], Content_Encoding="gzip").status == 400
    assert stack.request("POST", "/echo", zlib.compress(b"small"), Content_Encoding="deflate").json["body"] == "small"


@pytest.mark.parametrize("encoding", ["rot13", "br", "zstd", "gzip, gzip"])
def test_unknown_content_encoding_is_refused(stack: LocalStack, encoding: str) -> None:
    assert stack.request("POST", "/echo", b"x", Content_Encoding=encoding).status == 415


def test_requests_above_the_rate_are_throttled(stack: LocalStack) -> None:
    stack.get("/echo/warm")
    statuses = [stack.get("/scarce").status for _ in range(4)]
    answer = stack.get("/scarce")
    others = stack.get("/echo/x").status
    time.sleep(1.1)

    assert (statuses[:2], statuses[3]) == ([200, 200], 429)
    assert answer.json == {"message": "Too Many Requests"}
    assert others == 200
    assert stack.get("/scarce").status == 200


def test_malformed_result_is_a_bad_gateway(stack: LocalStack) -> None:
    answer = stack.post("/answer", {"status": 200})

    assert (answer.status, answer.json) == (502, {"message": "Internal server error"})


def test_function_that_raises_is_a_bad_gateway_and_logs_its_traceback(stack: LocalStack) -> None:
    answer = stack.post("/answer", "raise")

    assert (answer.status, answer.json) == (502, {"message": "Internal server error"})
    assert "ValueError: as wished" in stack.output
    assert "raise ValueError" in stack.output


def test_repeated_headers_and_binary_body_are_returned(stack: LocalStack) -> None:
    answer = stack.post(
        "/answer",
        {
            "statusCode": 201,
            "headers": {"Content-Type": "image/png"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
            "body": base64.b64encode(b"\x89PNG").decode(),
            "isBase64Encoded": True,
        },
        Accept="image/png",
    )

    assert (answer.status, answer.body) == (201, b"\x89PNG")
    assert [value for name, value in answer.headers if name == "set-cookie"] == ["a=1", "b=2"]


def test_large_response_is_compressed_for_clients_that_accept_it(stack: LocalStack) -> None:
    wish = {"statusCode": 200, "body": json.dumps("x" * 5000)}

    plain, small = stack.post("/answer", wish), stack.post("/answer", wish, Accept_Encoding="gzip")

    assert plain.header("Content-Encoding") is None
    assert small.header("Content-Encoding") == "gzip"
    assert gzip.decompress(small.body) == plain.body


def test_integration_that_is_too_slow_times_out(stack: LocalStack) -> None:
    began = time.monotonic()
    answer = stack.get("/slow")

    assert (answer.status, answer.json) == (504, {"message": "Endpoint request timed out"})
    assert time.monotonic() - began < 3


def test_connection_serves_many_requests(stack: LocalStack) -> None:
    request = f"GET /echo/x HTTP/1.1\r\nHost: 127.0.0.1:{stack.port}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", stack.port)) as end:
        for _ in range(3):
            end.sendall(request)
            assert _status_line(end) == "HTTP/1.1 200 OK"


def test_client_that_expects_100_continue_receives_it(stack: LocalStack) -> None:
    head = f"POST /echo HTTP/1.1\r\nHost: 127.0.0.1:{stack.port}\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stack.port)) as end:
        end.sendall(head.encode())
        assert end.recv(100).startswith(b"HTTP/1.1 100 Continue")
        end.sendall(b"hi")
        assert _status_line(end) == "HTTP/1.1 200 OK"


def test_client_that_disconnects_does_not_affect_others(stack: LocalStack) -> None:
    for part in (
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
        b"GET /echo/x HTTP",
        b"\x16\x03",
    ):
        with socket.create_connection(("127.0.0.1", stack.port)) as end:
            end.sendall(part)

    assert stack.get("/echo/x").status == 200


def _asked(stack: LocalStack, token: str | None = None) -> int:
    file = stack.notes / "authorized.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    return len([line for line in lines if token in (None, line)])


def _status_line(end: socket.socket) -> str:
    """Read one whole response."""
    file = end.makefile("rb")
    status, length = file.readline().decode().strip(), 0
    while (line := file.readline().strip()) != b"":
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    file.read(length)
    return status
