"""The response of a Lambda authorizer to API Gateway. `http.caller` reads the same context on the other side."""

import json
from typing import Any

from marquee.core.identity import Caller


class Unauthorized(Exception):
    """API Gateway responds 401 to exactly this message, and to no other."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def allowed(method_arn: str, caller: Caller) -> dict[str, Any]:
    """Return the policy that admits a caller to every route of the stage.

    The routes check all further rights, so that API Gateway can cache the policy.
    """
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
