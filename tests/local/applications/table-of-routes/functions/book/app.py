import json
import os


def handler(event, context):
    principal = event.get("requestContext", {}).get("authorizer", {}).get("principalId")
    seen = {"database": os.environ["DATABASE"], "path": event.get("resource"), "caller": principal}
    return {"statusCode": 200, "body": json.dumps(seen)}
