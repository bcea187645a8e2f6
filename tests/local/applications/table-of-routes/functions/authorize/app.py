def handler(event, context):
    if event["headers"].get("Authorization") != "good":
        raise PermissionError("Unauthorized")
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    return {"principalId": "ana", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
