"""Lambda authorizers as API Gateway runs them: identity sources, the cache of policies, the policies themselves."""

import asyncio
import functools
import json
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local import events
from local.events import Call
from local.refusals import RefusedByGateway
from local.resources import Account, Api, Authorizer, Operation
from local.runtime import Failure

CACHE_ENTRIES_MAX = 10_000
ACTIONS = ("execute-api:invoke", "execute-api:*", "*")

Invoke = Callable[[str, bytes], Awaitable[bytes | Failure]]


@dataclass(frozen=True, slots=True)
class Grant:
    """An authorizer's result: the caller, the policy, and the end of its validity."""

    principal: dict[str, Any]
    statements: tuple[Mapping[str, Any], ...]
    until: float


class Gatekeeper:
    """Runs the authorizers of one API. `invoke` runs a function, by logical id, with an event."""

    def __init__(self, api: Api, account: Account, invoke: Invoke, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._account = account
        self._invoke = invoke
        self._clock = clock
        self._cache: OrderedDict[tuple[str, ...], Grant] = OrderedDict()
        self._asking: dict[tuple[str, ...], asyncio.Future[Grant]] = {}

    async def admit(self, call: Call, operation: Operation) -> None:
        """Admit the call and record its caller; raises RefusedByGateway otherwise."""
        if operation.authorizer is None:
            return
        authorizer = self._api.authorizers[operation.authorizer]
        identity = _identity(authorizer, call, self._api)
        key = (authorizer.name, *identity)
        grant = self._cache.get(key)
        if grant is None or grant.until <= self._clock():
            grant = await self._ask_once(authorizer, key, call, operation)
        call.principal = dict(grant.principal)
        effects = _effects(grant.statements, events.method_arn(call, self._api, self._account))
        if "Deny" in effects or "Allow" not in effects:
            ending = " with an explicit deny" if "Deny" in effects else ""
            raise RefusedByGateway("ACCESS_DENIED", f"User is not authorized to access this resource{ending}")

    async def _ask_once(self, authorizer: Authorizer, key: tuple[str, ...], call: Call, operation: Operation) -> Grant:
        """Run the authorizer; concurrent calls with the same identity wait for the same result."""
        if authorizer.ttl_seconds == 0:
            return await self._ask(authorizer, key[1:], call, operation)
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.ensure_future(self._ask(authorizer, key[1:], call, operation))
            self._asking[key] = asking
            asking.add_done_callback(lambda done: self._remember(key, done))
        return await asyncio.shield(asking)

    def _remember(self, key: tuple[str, ...], asked: "asyncio.Future[Grant]") -> None:
        self._asking.pop(key, None)
        if asked.cancelled() or asked.exception() is not None:
            return  # waiting calls get the refusal; it is not cached
        self._cache[key] = asked.result()
        self._cache.move_to_end(key)
        while len(self._cache) > CACHE_ENTRIES_MAX:
            self._cache.popitem(last=False)

    async def _ask(self, authorizer: Authorizer, identity: tuple[str, ...], call: Call, operation: Operation) -> Grant:
        if authorizer.kind == "token":
            event = events.token_authorizer(call, identity[0], self._api, self._account)
        else:
            event = events.request_authorizer(call, operation, self._api, self._account)
        began = time.perf_counter()
        result = await self._invoke(authorizer.function, json.dumps(event).encode())
        if isinstance(result, Failure):
            if result.message == "Unauthorized":
                raise RefusedByGateway("UNAUTHORIZED", "Unauthorized")
            raise RefusedByGateway("AUTHORIZER_FAILURE", None)
        latency = int((time.perf_counter() - began) * 1000)
        return _grant(result, self._clock() + authorizer.ttl_seconds, latency)


def _identity(authorizer: Authorizer, call: Call, api: Api) -> tuple[str, ...]:
    """Return the values of the identity sources. Raises UNAUTHORIZED if one is missing, without a call."""
    values = []
    for where, name in authorizer.sources:
        match where:
            case "header":
                value = call.header(name)
            case "querystring":
                value = next((value for key, value in reversed(call.parameters) if key == name), None)
            case "stageVariables":
                value = api.stage_variables.get(name)
            case _:
                value = {
                    "path": call.path,
                    "httpMethod": call.method,
                    "stage": api.stage,
                    "identity.sourceIp": call.source_address,
                }.get(name)
        if not value:
            raise RefusedByGateway("UNAUTHORIZED", "Unauthorized")
        values.append(value)
    if authorizer.kind == "token" and authorizer.pattern and not re.fullmatch(authorizer.pattern, values[0]):
        raise RefusedByGateway("UNAUTHORIZED", "Unauthorized")
    return tuple(values)


def _grant(payload: bytes, until: float, latency: int) -> Grant:
    """Check an authorizer's result. Raises AUTHORIZER_CONFIGURATION_ERROR (500) if it is not valid."""
    broken = RefusedByGateway("AUTHORIZER_CONFIGURATION_ERROR", None)
    try:
        document = json.loads(payload)
    except ValueError as error:
        raise broken from error
    if not isinstance(document, dict) or not isinstance(document.get("principalId"), str):
        raise broken
    policy, context = document.get("policyDocument"), document.get("context", {})
    if not isinstance(policy, dict) or not isinstance(context, dict):
        raise broken
    statements = policy.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not all(isinstance(each, dict) for each in statements):
        raise broken
    if any("Condition" in statement or "NotResource" in statement for statement in statements):
        raise RefusedByGateway("AUTHORIZER_CONFIGURATION_ERROR", "Conditions in policies do not run locally")
    if any(value is not None and not isinstance(value, str | int | float | bool) for value in context.values()):
        raise broken
    words = {name: _text(value) for name, value in context.items() if value is not None}
    principal = {**words, "principalId": document["principalId"], "integrationLatency": latency}
    return Grant(principal, tuple(statements), until)


def _effects(statements: tuple[Mapping[str, Any], ...], arn: str) -> set[str]:
    """Return Allow, Deny, both or neither: the effects of the statements that match this method."""
    return {str(statement.get("Effect")) for statement in statements if _matches(statement, arn)}


def _matches(statement: Mapping[str, Any], arn: str) -> bool:
    actions, resources = _listed(statement.get("Action")), _listed(statement.get("Resource"))
    return any(action.lower() in ACTIONS for action in actions) and any(
        _pattern(each).fullmatch(arn) for each in resources
    )


@functools.lru_cache(maxsize=1024)
def _pattern(resource: str) -> re.Pattern[str]:
    expression = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in resource)
    return re.compile(expression, re.DOTALL)


def _listed(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value or "")]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
