"""Lambda authorizer of the REST API: turns a Bearer token into the caller that every function is told about."""

import json
from typing import Any

from marquee.core import settings
from marquee.core.identity import Caller
from marquee.edge import tokens
from marquee.edge.observability import LambdaContext, count, logger, observed


class Unauthorized(Exception):
    """API Gateway answers 401 to this very message, and to no other."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Allow a caller the whole stage (routes decide the rest, and the answer can be cached), or refuse the token.

    A fault, such as keys that cannot be fetched, raises as it is: the client sees a 500 and never gets in.
    """
    current = settings.current()
    verifier = tokens.verifier(
        current.require("token_issuer"), current.require("token_audience"), current.token_jwks_url
    )
    try:
        caller = verifier.verify(tokens.bearer(event))
    except tokens.InvalidToken as error:
        count("TokenRefused")
        logger.info("token_refused", reason=error.reason)
        raise Unauthorized from None
    except tokens.KeysUnavailable:
        count("TokenKeysUnavailable")
        raise
    count("TokenAccepted")
    return _allowed(event["methodArn"], caller)


def _allowed(method_arn: str, caller: Caller) -> dict[str, Any]:
    api, stage = method_arn.split("/")[:2]
    context = {"caller_id": str(caller.id), "role": caller.role, "claims": json.dumps(caller.database_claims())}
    if caller.org_id is not None:
        context["org_id"] = str(caller.org_id)
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api}/{stage}/*/*"}
    return {
        "principalId": str(caller.id),
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }
