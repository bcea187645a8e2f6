"""Authorizers where the sample has none: TOKEN events, time to live, answers that are none. No server."""

import asyncio
import json
from typing import Any

import pytest

from local.authorizers import Gatekeeper
from local.events import Call
from local.refusals import RefusedByGateway
from local.resources import Account, Api, Authorizer, Operation
from local.routes import Match
from local.runtime import Failure

OPERATION = Operation("GET", "/a", "id", "F", {}, "Tokens", False, False, None, False, (), None, 29.0)
ALLOW = {"principalId": "p", "policyDocument": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}}


class ObservedGatekeeper:
    """A gatekeeper over one authorizer, a clock that a test moves, and a record of what was asked."""

    def __init__(self, answer: Any, **settings: Any) -> None:
        given = {"kind": "token", "sources": (("header", "Authorization"),), "ttl_seconds": 60, **settings}
        api = Api(
            "Api", "api", "v1", {}, (), {"Tokens": Authorizer("Tokens", function="Auth", **given)}, {}, {}, (), None
        )
        self.now = 0.0
        self.asked: list[dict[str, Any]] = []
        self.answer = answer
        self._gatekeeper = Gatekeeper(api, Account("s", "eu-central-1"), self._invoke, clock=lambda: self.now)

    def admit(self, token: str | None = "Bearer x", query: str = "") -> Call:
        headers = [] if token is None else [("authorization", token)]
        call = Call("GET", "/a", query, headers, "127.0.0.1", "HTTP/1.1", 3000, match=Match(OPERATION, {}))
        asyncio.run(self._gatekeeper.admit(call, OPERATION))
        return call

    async def _invoke(self, _function: str, event: bytes) -> bytes | Failure:
        self.asked.append(json.loads(event))
        return self.answer if isinstance(self.answer, Failure) else json.dumps(self.answer).encode()


def test_a_token_authorizer_gets_the_token_and_the_method() -> None:
    desk = ObservedGatekeeper(ALLOW)

    desk.admit("Bearer x")

    assert desk.asked == [
        {
            "type": "TOKEN",
            "methodArn": "arn:aws:execute-api:eu-central-1:123456789012:api/v1/GET/a",
            "authorizationToken": "Bearer x",
        }
    ]


def test_a_token_of_the_wrong_form_is_refused_without_asking() -> None:
    desk = ObservedGatekeeper(ALLOW, pattern="Bearer .+")

    with pytest.raises(RefusedByGateway, match="Unauthorized"):
        desk.admit("Basic x")

    assert desk.asked == []


def test_an_answer_lives_as_long_as_the_template_says() -> None:
    desk = ObservedGatekeeper(ALLOW, ttl_seconds=60)

    for desk.now in (0, 59, 61, 100, 122):
        desk.admit()

    assert len(desk.asked) == 3


def test_without_a_time_to_live_everybody_is_asked_about() -> None:
    desk = ObservedGatekeeper(ALLOW, ttl_seconds=0)

    desk.admit()
    desk.admit()

    assert len(desk.asked) == 2


def test_all_identity_sources_must_be_there_and_count_together() -> None:
    desk = ObservedGatekeeper(ALLOW, kind="request", sources=(("header", "Authorization"), ("querystring", "tenant")))

    desk.admit(query="tenant=a")
    desk.admit(query="tenant=a")
    desk.admit(query="tenant=b")
    with pytest.raises(RefusedByGateway):
        desk.admit(query="tenant=")

    assert len(desk.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        "Allow",
        {"principalId": "p"},
        {**ALLOW, "principalId": None},
        {**ALLOW, "context": {"nested": {"a": 1}}},
        {**ALLOW, "context": []},
        {**ALLOW, "policyDocument": {"Statement": "Allow"}},
        {**ALLOW, "policyDocument": {"Statement": [{"Effect": "Allow", "Resource": "*", "Condition": {}}]}},
    ],
)
def test_an_answer_that_is_none_is_a_fault(answer: Any) -> None:
    with pytest.raises(RefusedByGateway) as refusal:
        ObservedGatekeeper(answer).admit()

    assert refusal.value.kind == "AUTHORIZER_CONFIGURATION_ERROR"


@pytest.mark.parametrize(
    ("resource", "action", "admitted"),
    [
        ("arn:aws:execute-api:eu-central-1:123456789012:api/v1/GET/a", "execute-api:Invoke", True),
        ("arn:aws:execute-api:*:*:api/*/GET/?", "execute-api:*", True),
        ("arn:aws:execute-api:eu-central-1:123456789012:api/v1/GET/ab", "execute-api:Invoke", False),
        ("arn:aws:execute-api:eu-central-1:123456789012:api/v2/*", "execute-api:Invoke", False),
        ("*", "s3:GetObject", False),
    ],
)
def test_a_statement_counts_for_what_it_names(resource: str, action: str, admitted: bool) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": [resource]}
    desk = ObservedGatekeeper({**ALLOW, "policyDocument": {"Statement": [statement]}})

    if admitted:
        assert desk.admit().principal is not None
    else:
        with pytest.raises(RefusedByGateway, match="not authorized"):
            desk.admit()
