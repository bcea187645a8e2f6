"""A mistake in the protection of a route never opens it: every part of `Auth` is broken in turn."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import plans, template
from local.resources import Account

BROKEN: list[Any] = [None, 7, "x", [], [1, 2], {"Ref": "Nobody"}, {"Fn::If": ["No", 1, 2]}, {"Fn::Transform": "M"}]
TEXT = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {CodeUri: code, Handler: app.handler, Runtime: python3.12}
  Api:
    Auth: {DefaultAuthorizer: Shared, Authorizers: {Shared: {UserPoolArn: "arn:shared"}}}
Resources:
  Signed: {Type: AWS::Serverless::Api, Properties: {StageName: v, Auth: {DefaultAuthorizer: AWS_IAM}}}
  Office:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v
      Auth: {DefaultAuthorizer: NONE, ResourcePolicy: {IpRangeWhitelist: [192.0.2.0/24]}}
  Keyed:
    Type: AWS::Serverless::Api
    Properties: {StageName: v, Auth: {DefaultAuthorizer: NONE, ApiKeyRequired: true}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Implicit: {Type: Api, Properties: {Path: /implicit, Method: get}}
        Own: {Type: Api, Properties: {Path: /own, Method: get, Auth: {Authorizer: Shared}}}
        Signed: {Type: Api, Properties: {RestApiId: {Ref: Signed}, Path: /signed, Method: get}}
        Office: {Type: Api, Properties: {RestApiId: {Ref: Office}, Path: /office, Method: get}}
        Keyed: {Type: Api, Properties: {RestApiId: {Ref: Keyed}, Path: /keyed, Method: get}}
"""
DOCUMENT = yaml.safe_load(TEXT)
PROTECTED = [
    ("Globals", "Api", "Auth"),
    ("Resources", "Signed", "Properties", "Auth"),
    ("Resources", "Office", "Properties", "Auth"),
    ("Resources", "Keyed", "Properties", "Auth"),
    ("Resources", "F", "Properties", "Events", "Own", "Properties", "Auth"),
]


def at(document: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def places(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    for key, member in value.items() if isinstance(value, dict) else ():
        yield from places(member, (*path, key))


PLACES = [place for path in PROTECTED for place in places(at(DOCUMENT, path), path)]


def served(document: Any, folder: Path) -> list[str]:
    (folder / "code").mkdir(exist_ok=True)
    (folder / "template.yaml").write_text(yaml.safe_dump(document))
    loaded = template.load(folder / "template.yaml", {}, Account("s", "eu-central-1"), folder / "cache")
    return [
        operation.path
        for api in plans.Plan(loaded).read().apis
        for operation in api.operations
        if operation.function and not operation.refusal
    ]


def test_protected_routes_are_closed(tmp_path: Path) -> None:
    assert served(DOCUMENT, tmp_path) == []


def test_routes_without_protection_are_served(tmp_path: Path) -> None:
    document = copy.deepcopy(DOCUMENT)
    for path in PROTECTED:
        del at(document, path[:-1])[path[-1]]

    assert sorted(served(document, tmp_path)) == ["/implicit", "/keyed", "/office", "/own", "/signed"]


@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_broken_protection_opens_no_route(place: tuple[str, ...], tmp_path: Path) -> None:
    for broken in BROKEN:
        document = copy.deepcopy(DOCUMENT)
        at(document, place[:-1])[place[-1]] = copy.deepcopy(broken)

        assert served(document, tmp_path) == [], broken
