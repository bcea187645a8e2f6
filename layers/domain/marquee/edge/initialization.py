"""Fetch secrets while Lambda initializes a function, so that the first request does not wait for them.

Importing boto3 and fetching a login take more than a second with 512 MB. During the initialization a function has a
whole processor, and no caller waits.
"""

import logging

from marquee.core import settings
from marquee.core.settings import LOGINS, SECRET_AGE_SECONDS_MAX

_log = logging.getLogger(__name__)

PLAIN = {
    "stripe_secret_arn": "stripe_api_key",
    "stripe_signing_secret_arn": "stripe_signing_secrets",
    "webhook_keys_secret_arn": "webhook_keys",
}
"""The settings that name a secret, and the settings that stand for it on one machine."""


def fetch_secrets() -> None:
    """Fetch the secrets that this function's settings name, unless DATABASE_URL shows that it runs on one machine.

    The secrets stay in the cache of Powertools, where `settings` and `secrets` look first. A secret that cannot be
    fetched now is logged and fetched again at its first use, which returns 503 if that fails too. Migrate fetches its
    secrets anew each time, so it fetches none here.
    """
    current = settings.current()
    if current.database_url is not None or current.database_owner_secret_arn is not None:
        return
    named = [settings.secret_arn(login) for login in LOGINS.values()]
    named += [getattr(current, name) for name, plain in PLAIN.items() if getattr(current, plain) is None]
    arns = [arn for arn in named if arn is not None]
    if not arns:
        return
    # Imported here: it brings boto3, which functions on one machine do not need at their start.
    from aws_lambda_powertools.utilities import parameters
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

    for arn in arns:
        try:
            parameters.get_secret(arn, max_age=SECRET_AGE_SECONDS_MAX)
        except GetParameterError as error:
            _log.warning("secret_not_fetched: %s", error)
