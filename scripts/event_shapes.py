"""The shapes of sample events: requests of API Gateway, batches of SQS, requests of CloudFormation.

Ids, times and addresses are the same in all samples, so that a sample changes only with its trigger.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from scripts import templates
from scripts.openapi_parts import Tree

REGION, ACCOUNT, API, STAGE = "eu-central-1", "123456789012", "a1b2c3d4e5", "v1"
HOST = f"{API}.execute-api.{REGION}.amazonaws.com"
PERSON = "0190a6d0-0000-7000-8000-000000000002"
ORGANIZATION = "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a"
REQUEST_ID = "7f1a3c52-4e1b-4a36-9d3a-2b6f5f0c9e11"
SECONDS = 1760600498
CLOUDFORMATION = {
    "ResponseURL": "https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com/sample",
    "StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/marquee/0e8f6d20-aa70-11f0-8d4c-0a1b2c3d4e5f",
    "RequestId": "c5c3ad0f-5c22-4f6e-8e2b-7a3a1b0d9f11",
}
UNKNOWN = (
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
)

Sample = tuple[str, Tree]


def caller(role: str) -> Tree:
    """Return a caller as the authorizer hands it on: a person with an organization, or the service role."""
    claims = {"sub": PERSON, "role": role} | ({"org_id": ORGANIZATION} if role == "authenticated" else {})
    return {
        "principalId": PERSON,
        "caller_id": PERSON,
        "role": role,
        "org_id": claims.get("org_id", ""),
        "claims": json.dumps(claims, separators=(",", ":")),
        "integrationLatency": 12,
    }


def request(
    method: str,
    path: str,
    *,
    segments: Mapping[str, str],
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: str | None,
    authorizer: Tree | None,
) -> Tree:
    """Return the proxy event of a request, as API Gateway writes it for a REST API."""
    quoted = {name: quote(value, safe="") for name, value in segments.items()}
    sent = re.sub(r"\{(\w+)\}", lambda found: quoted[found[1]], path)
    all_headers = {
        "Accept": "application/json",
        **({"Authorization": "Bearer sample"} if authorizer else {}),
        **({"Content-Type": "application/json"} if body is not None else {}),
        "Host": HOST,
        **headers,
        "User-Agent": "curl/8.9.1",
        "X-Amzn-Trace-Id": "Root=1-68f0a1b2-0123456789abcdef01234567",
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    return {
        "resource": path,
        "path": sent,
        "httpMethod": method,
        "headers": all_headers,
        "multiValueHeaders": _lists(all_headers),
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": _lists(query) or None,
        "pathParameters": quoted or None,
        "stageVariables": {"logging": "given"},
        "requestContext": _context(method, path, sent, authorizer),
        "body": body,
        "isBase64Encoded": False,
    }


def token_request(path: str) -> Tree:
    """Return the request that API Gateway sends to the authorizer before a GET request for a path."""
    headers = {"Accept": "application/json", "Authorization": "Bearer sample"}
    return {
        "type": "REQUEST",
        "methodArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API}/{STAGE}/GET{path}",
        "resource": path,
        "path": path,
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": _lists(headers),
        "queryStringParameters": {},
        "multiValueQueryStringParameters": {},
        "pathParameters": {},
        "stageVariables": {"logging": "given"},
        "requestContext": _context("GET", path, path, None),
    }


def batch(queue: str, message: Tree) -> Tree:
    """Return a batch of one message, as Lambda reads it from SQS."""
    body = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    correlation = {"stringValue": REQUEST_ID, "stringListValues": [], "binaryListValues": [], "dataType": "String"}
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661970000001",
        "receiptHandle": "AQEBsample1",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(SECONDS * 1000 + 123),
            "SenderId": "AROASAMPLE:marquee",
            "ApproximateFirstReceiveTimestamp": str(SECONDS * 1000 + 456),
        },
        "messageAttributes": {"correlation_id": correlation},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:marquee-{queue}-EXAMPLE",
        "awsRegion": REGION,
    }
    return {"Records": [record]}


def deployments(name: str, resource: Tree) -> Iterator[Sample]:
    """Yield the requests of CloudFormation for a custom resource: create it, update it, delete it."""

    def properties(release: int) -> Tree:
        return {key: _deployed(value, release) for key, value in resource["Properties"].items()}

    for kind, release in (("Create", 1), ("Update", 2), ("Delete", 2)):
        given = properties(release)
        sample = {"RequestType": kind, "ServiceToken": given["ServiceToken"], **CLOUDFORMATION}
        sample |= {"LogicalResourceId": name, "ResourceType": resource["Type"]}
        if kind != "Create":
            sample["PhysicalResourceId"] = name
        sample["ResourceProperties"] = given
        if kind == "Update":
            sample["OldResourceProperties"] = properties(1)
        yield kind, sample


def _deployed(value: Any, release: int) -> Any:
    """Return a property as CloudFormation sends it: text, and an ARN where it refers to a resource."""
    if isinstance(value, list):
        return [_deployed(member, release) for member in value]
    if not isinstance(value, dict):
        return str(value)
    name, _, attribute = list(templates.mentions(value))[-1].partition(".")
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:sample:{name}:{'live' if attribute == 'Alias' else release}"


def _context(method: str, path: str, sent: str, authorizer: Tree | None) -> Tree:
    return {
        "accountId": ACCOUNT,
        "apiId": API,
        **({"authorizer": authorizer} if authorizer else {}),
        "domainName": HOST,
        "domainPrefix": API,
        "extendedRequestId": "SampleExtendedId=",
        "httpMethod": method,
        "identity": {**dict.fromkeys(UNKNOWN), "sourceIp": "203.0.113.7", "userAgent": "curl/8.9.1"},
        "path": f"/{STAGE}{sent}",
        "protocol": "HTTP/1.1",
        "requestId": REQUEST_ID,
        "requestTime": "16/Oct/2025:07:41:38 +0000",
        "requestTimeEpoch": SECONDS * 1000 + 123,
        "resourceId": "x1y2z3",
        "resourcePath": path,
        "stage": STAGE,
    }


def _lists(values: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: [value] for name, value in values.items()}
