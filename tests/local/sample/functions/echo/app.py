"""Return the event as the response's body."""

import json


def lambda_handler(event, context):
    return {"statusCode": 200, "headers": {"X-Echo": "yes"}, "body": json.dumps(event)}
