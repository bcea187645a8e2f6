"""From a request to a response: key, operation, fault, parameters, idempotency, the work in a transaction."""

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.stripe import forms, operations, parameters, rendering
from local.stripe.callers import Caller, recognized
from local.stripe.clock import Clock
from local.stripe.errors import Refused, malformed, unauthenticated, unrecognized
from local.stripe.faults import Fault, Faults
from local.stripe.idempotency import Kept, Keys
from local.stripe.identity import new_id
from local.stripe.request_context import API_VERSION, Pace, RequestContext
from local.stripe.routes import Operation, call, match
from local.stripe.store import Json, Store

operations.load()


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `headers` find names in any case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; `lost`: the connection is closed instead."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    lost: bool = False


LOST = Answer(0, b"", lost=True)


@dataclass(slots=True)
class Service:
    """The API over a store."""

    store: Store
    clock: Clock
    pace: Pace
    platform: str
    url: str
    keys: Collection[str] = ()
    faults: Faults = field(default_factory=Faults)
    idempotency: Keys = field(init=False)

    def __post_init__(self) -> None:
        self.idempotency = Keys(self.store)

    async def answer(self, request: Request) -> Answer:
        """Serve one request of the API."""
        request_id = new_id("req", 14)
        headers = {
            "Request-Id": request_id,
            "Stripe-Version": request.headers.get("Stripe-Version", API_VERSION),
            "Content-Type": "application/json",
        }
        try:
            return await self._answer(request, request_id, headers)
        except Refused as refusal:
            return _refused(refusal, request_id, headers)

    def work(self, account: str, request_id: str | None = None, key: str | None = None) -> RequestContext:
        """Return work in an account, at the current time."""
        return RequestContext(
            self.store, self.pace, int(self.clock.now()), account, self.platform, self.url, request_id, key
        )

    async def _answer(self, request: Request, request_id: str, headers: dict[str, str]) -> Answer:
        given = forms.decoded(request.query) | forms.decoded(_text(request))
        form_key = given.pop("key", None)
        caller = recognized(
            request.headers, form_key if isinstance(form_key, str) else None, self.keys, self.platform, self.store
        )
        found = match(request.method, request.path)
        if found is None:
            raise unrecognized(request.method, request.path)
        operation, variables = found
        if caller.publishable and not operation.public:
            raise unauthenticated(
                "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a "
                "list of your API keys at https://dashboard.stripe.com/account/apikeys."
            )
        headers |= {"Stripe-Account": caller.account} if caller.account != self.platform else {}
        fault = self.faults.next(request.method, request.path)
        if fault is not None and fault.kind == "drop_before":
            return LOST
        refusal = fault.refusal() if fault else None
        if refusal is not None and not refusal.begun:
            raise refusal
        read = parameters.read(given, operation.kinds)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        if key is None:
            await _pause(fault)
            answer = self._do(operation, read, variables, caller, request_id, headers, None, refusal, "", "")
        else:
            headers["Idempotency-Key"] = key
            fingerprint = json.dumps(given, sort_keys=True)
            kept = self.idempotency.begin(caller.account, key, request.path, fingerprint, self.clock.now())
            if kept is not None:
                replayed = {"Idempotent-Replayed": "true", "Original-Request": kept.request_id}
                return Answer(kept.status, kept.body, headers | replayed)
            try:
                await _pause(fault)
                answer = self._do(
                    operation, read, variables, caller, request_id, headers, key, refusal, request.path, fingerprint
                )
            finally:
                self.idempotency.end(caller.account, key)
        return LOST if fault is not None and fault.kind == "drop_after" else answer

    def _do(
        self,
        operation: Operation,
        given: dict[str, Any],
        variables: list[str],
        caller: Caller,
        request_id: str,
        headers: dict[str, str],
        key: str | None,
        refusal: Refused | None,
        path: str,
        fingerprint: str,
    ) -> Answer:
        """Run the operation and store its response under its key, in one transaction; or only the response."""

        def keep(answer: Answer) -> Answer:
            if key is not None:
                kept = Kept(answer.status, request_id, answer.body)
                self.idempotency.keep(caller.account, key, path, fingerprint, self.clock.now(), kept)
            return answer

        work = self.work(caller.account, request_id, key)
        work.publishable = caller.publishable
        try:
            if refusal is not None:
                raise refusal
            with self.store.transaction():
                try:
                    expand = given.pop("expand", [])
                    made = call(operation, work, given, variables)
                    return keep(Answer(200, encoded(rendering.rendered(work, made, expand)), headers))
                except Refused as kept_refusal:
                    if not kept_refusal.kept:
                        raise
                    return keep(_refused(kept_refusal, request_id, headers))
        except Refused as raised:
            if not raised.begun:
                raise
            with self.store.transaction():
                return keep(_refused(raised, request_id, headers))


def encoded(document: Json) -> bytes:
    """Encode JSON as bytes."""
    return json.dumps(document, separators=(",", ":")).encode()


async def _pause(fault: Fault | None) -> None:
    if fault is not None and fault.seconds:
        await asyncio.sleep(fault.seconds)


def _text(request: Request) -> str:
    if not request.body:
        return ""
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/json":
        raise malformed(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any "
            "questions, we can help at https://support.stripe.com/."
        )
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise malformed("Invalid request body: it is not UTF-8.") from error


def _refused(refusal: Refused, request_id: str, headers: dict[str, str]) -> Answer:
    return Answer(refusal.status, encoded(refusal.body(request_id)), headers | refusal.headers)
