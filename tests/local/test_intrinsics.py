"""CloudFormation's intrinsic functions and their values."""

from typing import Any

import pytest

from local.intrinsics import Reference, Resolver, TemplateError
from local.resources import Account

TEMPLATE: dict[str, Any] = {
    "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}, "Cluster": {"Type": "AWS::RDS::DBCluster"}},
    "Conditions": {
        "Production": {"Fn::Equals": [{"Ref": "Stage"}, "production"]},
        "Trial": {"Fn::Not": [{"Condition": "Production"}]},
        "Both": {
            "Fn::And": [{"Condition": "Trial"}, {"Fn::Or": [{"Condition": "Production"}, {"Condition": "Trial"}]}]
        },
    },
    "Mappings": {"Sizes": {"small": {"memory": 128}}},
}


@pytest.fixture
def resolver() -> Resolver:
    made = Resolver(TEMPLATE, {"Stage": "trial", "Zones": ["a", "b"]}, Account("shop", "eu-central-1"))
    made.references["Queue"] = Reference("http://127.0.0.1:1/q", {"Arn": "arn:q", "QueueName": "q"})
    return made


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Stage"}, "trial"),
        ({"Ref": "Zones"}, ["a", "b"]),
        ({"Ref": "Queue"}, "http://127.0.0.1:1/q"),
        ({"Ref": "AWS::StackName"}, "shop"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:q"),
        ({"Fn::GetAtt": "Queue.QueueName"}, "q"),
        ({"Ref": "Cluster"}, "shop-Cluster"),
        ({"Fn::GetAtt": ["Cluster", "Endpoint.Address"]}, "shop-Cluster.Endpoint.Address"),
        ({"Fn::GetAtt": ["Cluster", "Arn"]}, "arn:aws:rds:eu-central-1:123456789012:shop-Cluster"),
        ({"Fn::Sub": "${AWS::Region}/${Queue.QueueName}/${Stage}/${!kept}"}, "eu-central-1/q/trial/${kept}"),
        ({"Fn::Sub": ["${mine}-${Stage}", {"mine": {"Ref": "Queue"}}]}, "http://127.0.0.1:1/q-trial"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}]]}, "a-trial"),
        ({"Fn::Split": ["/", "a/b"]}, ["a", "b"]),
        ({"Fn::Select": [1, {"Ref": "Zones"}]}, "b"),
        ({"Fn::Select": ["0", {"Fn::Split": [",", "x,y"]}]}, "x"),
        ({"Fn::If": ["Production", 1, 2]}, 2),
        ({"Fn::If": ["Both", {"a": 1}, 2]}, {"a": 1}),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ({"Fn::FindInMap": ["Sizes", "small", "memory"]}, 128),
        ({"Fn::Base64": "a"}, "YQ=="),
        ({"Fn::GetAZs": ""}, ["eu-central-1a", "eu-central-1b", "eu-central-1c"]),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::Length": {"Ref": "Zones"}}, 2),
        ({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}, '{"a": "trial"}'),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
    ],
)
def test_intrinsic_function_returns_its_value(resolver: Resolver, value: Any, expected: Any) -> None:
    assert resolver.resolve(value) == expected


def test_unsupported_function_is_reported_and_empty(resolver: Resolver) -> None:
    assert resolver.resolve({"a": {"Fn::ImportValue": "other"}, "b": 1}) == {"a": "", "b": 1}
    assert resolver.unsupported == {"Fn::ImportValue other"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{resolve:secretsmanager:shop/key}}", '{"word": "blue"}'),
        ("{{resolve:secretsmanager:shop/key:SecretString:word}}", "blue"),
        ("a {{resolve:ssm:/shop/size:3}} b", "a 12 b"),
        ("{{resolve:ssm-secure:/shop/size}}", "12"),
        ("{{resolve:ssm:/else}}", "{{resolve:ssm:/else}}"),
        (
            "{{resolve:secretsmanager:shop/key:SecretString:none}}",
            "{{resolve:secretsmanager:shop/key:SecretString:none}}",
        ),
    ],
)
def test_dynamic_reference_finds_values_that_the_template_stores(resolver: Resolver, text: str, expected: str) -> None:
    resolver.stored = {("secretsmanager", "shop/key"): '{"word": "blue"}', ("ssm", "/shop/size"): "12"}

    assert resolver.resolve({"a": text}) == {"a": expected}
    assert resolver.unsupported == ({text} if text == expected else set())


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Nobody"},
        {"Fn::GetAtt": ["Nobody", "Arn"]},
        {"Fn::Sub": "${Nobody}"},
        {"Fn::If": ["Never", 1, 2]},
        {"Fn::FindInMap": ["Sizes", "huge", "memory"]},
        {"Fn::Select": [5, {"Ref": "Zones"}]},
        {"Fn::Select": [0, "text"]},
        {"Fn::Join": [",", "text"]},
        {"Fn::Join": 7},
        {"Fn::Sub": [1, 2]},
        {"Fn::FindInMap": "Sizes"},
        {"Fn::Cidr": ["10.0.0.0/16", 2, 40]},
        {"Fn::If": []},
        {"Ref": ["a"]},
    ],
)
def test_invalid_reference_is_an_error(resolver: Resolver, value: Any) -> None:
    with pytest.raises(TemplateError):
        resolver.resolve(value)
