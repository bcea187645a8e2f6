"""Migrates the database: at each deployment before any other function changes, and by hand for the post phase.

CloudFormation sends Create, Update or Delete of the custom resource Migration; a person sends {"phase": "pre"} or
{"phase": "post"}. It runs as the database's owner, and sets the passwords of the logins of all other functions.
"""

import os
from pathlib import Path
from typing import Any, Literal, get_args

import psycopg
from pydantic import TypeAdapter

from marquee.core import migrations, settings
from marquee.edge import custom_resources, secrets
from marquee.edge.observability import LambdaContext, count, logger, observed
from marquee.operations import logins

CONNECT_SECONDS_MAX = 30

Phase = Literal["pre", "post"]
SAMPLES = {phase: {"phase": phase} for phase in get_args(Phase)}
"""The events that a person sends, by name; `make events` writes them."""


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
    """Migrate, and report the outcome to CloudFormation if CloudFormation sent the request."""
    count("MigrationRequested")
    if "RequestType" in event:
        return custom_resources.carry_out(event, lambda: migrate("pre", context))
    return migrate(TypeAdapter(Phase).validate_python(event.get("phase")), context)


def migrate(phase: Phase, context: LambdaContext) -> dict[str, str]:
    """Run the pending migrations of a phase, then set the passwords of the API's logins.

    The migration is cancelled before the function's time-out, so that the failure can be reported.
    """
    conninfo = settings.owner_conninfo()
    with psycopg.connect(conninfo, autocommit=True, connect_timeout=CONNECT_SECONDS_MAX) as connection:
        with custom_resources.in_time(context, connection.cancel):
            report = migrations.migrate(connection, Path(os.environ.get("SQL_FOLDER", "/opt")), phase, say=logger.info)
        for login in settings.LOGINS.values():
            if arn := settings.secret_arn(login):
                secret = secrets.login(arn, renewed=True)
                logins.set_password(connection, login, secret.username, secret.password.get_secret_value())
    return {"phase": phase, "migrations": str(len(report.migrations)), "repeatables": str(len(report.repeatables))}
