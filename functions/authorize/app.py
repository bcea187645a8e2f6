"""Lambda authorizer of the REST API: turns a Bearer token into the caller that every function receives."""

from typing import Any

from marquee.core import settings
from marquee.edge import authorizers, tokens
from marquee.edge.observability import LambdaContext, count, logger, observed


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Admit a caller, or refuse the token.

    A fault, such as signing keys that cannot be fetched, is raised unchanged: the client sees a 500 and is not
    admitted.
    """
    current = settings.current()
    verifier = tokens.verifier(
        current.require("token_issuer"),
        current.require("token_audience"),
        current.token_jwks_url,
        emails_verified=current.token_emails_verified,
        subjects=current.token_subjects,
    )
    try:
        caller = verifier.verify(tokens.bearer(event))
    except tokens.InvalidToken as error:
        count("TokenRefused")
        logger.info("token_refused", reason=error.reason)
        raise authorizers.Unauthorized from None
    except tokens.KeysUnavailable:
        count("TokenKeysUnavailable")
        raise
    count("TokenAccepted")
    return authorizers.allowed(event["methodArn"], caller)
