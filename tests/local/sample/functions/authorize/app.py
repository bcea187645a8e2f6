"""Authorize by the word in the token, and record each call."""

import os
from pathlib import Path


def lambda_handler(event, context):
    token = event["headers"]["Authorization"]
    with (Path(os.environ["NOTES"]) / "authorized.txt").open("a") as notes:
        notes.write(token + "\n")
    if token == "unauthorized":
        raise Exception("Unauthorized")
    if token == "fault":
        raise RuntimeError("keys cannot be fetched")
    if token == "nonsense":
        return {"hello": "world"}
    everything = event["methodArn"].rsplit("/", 2)[0]
    statements = [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "arn:aws:execute-api:*:*:*/v1/*/*"}]
    if token == "limited":
        statements.append({"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": "*/GET/private/forbidden"})
    if token == "nothing":
        statements = []
    return {
        "principalId": token,
        "policyDocument": {"Version": "2012-10-17", "Statement": statements},
        "context": {"number": 1, "flag": True, "text": everything.split(":")[2]},
    }
