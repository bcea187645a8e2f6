"""What a Lambda authorizer answers API Gateway; `http.caller` reads the same context on the other side."""

import json
from typing import Any

from marquee.core.identity import Caller


class Unauthorized(Exception):
    """API Gateway answers 401 to this very message, and to no other."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def allowed(method_arn: str, caller: Caller) -> dict[str, Any]:
    """The policy that lets a caller in at every route of the stage: routes decide the rest, and it can be cached."""
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
