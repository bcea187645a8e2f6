"""Authorizers that the sample lacks: TOKEN events, caching, malformed results. No server."""

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
    """A gatekeeper with one authorizer, a clock that a test moves, and a record of the calls."""

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


def test_token_authorizer_receives_the_token_and_the_method() -> None:
    gatekeeper = ObservedGatekeeper(ALLOW)

    gatekeeper.admit("Bearer x")

    assert gatekeeper.asked == [
        {
            "type": "TOKEN",
            "methodArn": "arn:aws:execute-api:eu-central-1:123456789012:api/v1/GET/a",
            "authorizationToken": "Bearer x",
        }
    ]


def test_malformed_token_is_refused_without_calling_the_authorizer() -> None:
    gatekeeper = ObservedGatekeeper(ALLOW, pattern="Bearer .+")

    with pytest.raises(RefusedByGateway, match="Unauthorized"):
        gatekeeper.admit("Basic x")

    assert gatekeeper.asked == []


def test_authorizer_result_is_cached_for_the_time_in_the_template() -> None:
    gatekeeper = ObservedGatekeeper(ALLOW, ttl_seconds=60)

    for gatekeeper.now in (0, 59, 61, 100, 122):
        gatekeeper.admit()

    assert len(gatekeeper.asked) == 3


def test_authorizer_is_called_each_time_without_a_time_to_live() -> None:
    gatekeeper = ObservedGatekeeper(ALLOW, ttl_seconds=0)

    gatekeeper.admit()
    gatekeeper.admit()

    assert len(gatekeeper.asked) == 2


def test_identity_sources_are_all_required_and_form_one_cache_key() -> None:
    gatekeeper = ObservedGatekeeper(
        ALLOW, kind="request", sources=(("header", "Authorization"), ("querystring", "tenant"))
    )

    gatekeeper.admit(query="tenant=a")
    gatekeeper.admit(query="tenant=a")
    gatekeeper.admit(query="tenant=b")
    with pytest.raises(RefusedByGateway):
        gatekeeper.admit(query="tenant=")

    assert len(gatekeeper.asked) == 2


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
def test_malformed_authorizer_result_is_a_fault(answer: Any) -> None:
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
def test_statement_applies_to_its_resources_and_actions(resource: str, action: str, admitted: bool) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": [resource]}
    gatekeeper = ObservedGatekeeper({**ALLOW, "policyDocument": {"Statement": [statement]}})

    if admitted:
        assert gatekeeper.admit().principal is not None
    else:
        with pytest.raises(RefusedByGateway, match="not authorized"):
            gatekeeper.admit()
