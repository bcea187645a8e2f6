"""Answers with the event that it got."""

import json


def lambda_handler(event, context):
    return {"statusCode": 200, "headers": {"X-Echo": "yes"}, "body": json.dumps(event)}
