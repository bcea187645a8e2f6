"""Return the environment that the function sees."""

import json
import os
import time
from pathlib import Path

import words

VERSION = "first"


def lambda_handler(event, context):
    nap = float((event.get("queryStringParameters") or {}).get("nap", 0))
    time.sleep(nap)
    seen = {
        "version": VERSION,
        "pid": os.getpid(),
        "greeting": words.GREETING,
        "data": Path(os.environ["DATA"], "places.txt").read_text().strip(),
        "environment": dict(os.environ),
        "name": context.function_name,
        "memory": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
        "request_id": context.aws_request_id,
        "left": context.get_remaining_time_in_millis(),
        "folder": str(Path.cwd()),
        "can_import_local": _importable("local"),
    }
    return {"statusCode": 200, "body": json.dumps(seen)}


def _importable(name):
    from importlib.util import find_spec

    return find_spec(name) is not None
