"""scripts.system generates the diagrams and tables of docs/system.md from the template."""

import re
from typing import Any

import pytest

from local import documents
from scripts import system

NODE = re.compile(
    r'(?P<id>[a-z]\w*)(?P<open>\(\[|\[\(|\[\[|\[/|\[)"(?P<label>[^"<>]*(?:<br/>[^"<>]*)*)"(?P<close>\]\)|\)\]|\]\]|/\]|\])'
)
ARROW = re.compile(r'(?P<start>[a-z]\w*)(?:-->|-\.->)(?:\|"(?P<text>[^"<>]+)"\|)?(?P<end>[a-z]\w*)')
SUBGRAPH = re.compile(r'subgraph (?P<id>[a-z]\w*)\["[^"<>]+"\]')
CLOSING = {"([": "])", "[(": ")]", "[[": "]]", "[/": "/]", "[": "]"}
RESERVED = {"end", "graph", "subgraph", "flowchart", "style", "class", "click", "default", "linkstyle", "classdef"}
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "GuardFunction": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": "functions/guard",
                "Description": "Checks tokens.",
                "LoggingConfig": {"LogGroup": {"Ref": "GateLogs"}},
                "Environment": {"Variables": {"TOKEN_JWKS_URL": {"Ref": "TokenJwksUrl"}}},
            },
        },
        "CarryFunction": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": "functions/carry",
                "Description": "Carries the outbox | once.",
                "LoggingConfig": {"LogGroup": {"Ref": "MailLogs"}},
                "Environment": {"Variables": {"SECRET": {"Ref": "DatabaseServiceSecretArn"}}},
                "VpcConfig": {"Fn::GetAtt": ["Database", "Outputs.OutwardSecurityGroup"]},
                "Policies": [
                    {"Statement": [{"Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["MailQueue", "Arn"]}}]},
                    {"Statement": [{"Action": ["ses:SendEmail"], "Resource": "*"}]},
                ],
                "Events": {
                    "CarrySchedule": {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "rate(1 minute)"}}
                },
            },
        },
        "Api": {
            "Type": "AWS::Serverless::Api",
            "Properties": {
                "Auth": {"Authorizers": {"Tokens": {"FunctionArn": {"Fn::Sub": "${GuardFunction.Arn}:live"}}}},
                "DefinitionBody": {
                    "paths": {
                        "/letters": {
                            method: {
                                "x-amazon-apigateway-integration": {
                                    "uri": {"Fn::Sub": "arn:${AWS::Region}:${CarryFunction.Arn}:live/invocations"}
                                }
                            }
                            for method in ("get", "post")
                        }
                    }
                },
            },
        },
        "MailQueue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "RedrivePolicy": {
                    "deadLetterTargetArn": {"Fn::GetAtt": ["MailDeadLetters", "Arn"]},
                    "maxReceiveCount": 4,
                }
            },
        },
        "MailDeadLetters": {"Type": "AWS::SQS::Queue"},
        "MailSource": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "FunctionName": {"Ref": "CarryFunction.Alias"},
                "EventSourceArn": {"Fn::GetAtt": ["MailQueue", "Arn"]},
            },
        },
        "Migration": {"Type": "Custom::Migration", "Properties": {"ServiceToken": {"Ref": "GuardFunction.Alias"}}},
    }
}


def faults(chart: str) -> list[str]:
    """Return the invalid lines of a Mermaid chart, and the ids without a node."""
    lines = chart.splitlines()
    found = [] if lines[:2] == ["```mermaid", "flowchart LR"] and lines[-1] == "```" else ["fences"]
    defined, used, open_subgraphs = set(), set(), 0
    for line in map(str.strip, lines[2:-1]):
        if node := NODE.fullmatch(line):
            defined.add(node["id"])
            found += [] if CLOSING[node["open"]] == node["close"] else [line]
        elif subgraph := SUBGRAPH.fullmatch(line):
            defined.add(subgraph["id"])
            open_subgraphs += 1
        elif line == "end" and open_subgraphs:
            open_subgraphs -= 1
        elif arrow := ARROW.fullmatch(line):
            used |= {arrow["start"], arrow["end"]}
        else:
            found.append(line)
    return found + sorted(used - defined) + sorted(defined & RESERVED) + ["subgraph"] * open_subgraphs


def charts(page: str) -> list[str]:
    return re.findall(r"^```mermaid\n.*?^```\n", page, re.MULTILINE | re.DOTALL)


def test_every_chart_of_the_page_is_valid_mermaid() -> None:
    read = system.read(documents.read(system.ROOT / "template.yaml"))
    found = charts(system.page(read))

    assert len(found) == 1 + len(read.parts)
    assert [fault for chart in found for fault in faults(chart)] == []


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        ('a["one"]\nb["two"]\na-->|"to"|b', []),
        ('a["one"]\na-->b', ["b"]),
        ('a["on"e"]', ['a["on"e"]']),
        ("a[one]", ["a[one]"]),
        ('a[["one"]', ['a[["one"]']),
        ('subgraph a["one"]', ["subgraph"]),
        ("end", ["end"]),
        ('end["one"]', ["end"]),
    ],
)
def test_strict_reader_of_charts_finds_faults(chart: str, expected: list[str]) -> None:
    assert faults(f"```mermaid\nflowchart LR\n{chart}\n```") == expected


def test_triggers_and_connections_are_read_from_the_template() -> None:
    guard, carry = system.read(TEMPLATE).functions

    assert (guard.part, guard.authorizes, guard.migrates, guard.calls) == ("Gate", True, True, ("token issuer",))
    assert (carry.part, carry.routes, carry.schedules) == ("Mail", 2, (system.Schedule("Carry", "every minute"),))
    assert (carry.sends, carry.reads, carry.calls) == (("Mail",), ("Mail",), ("subscribers", "SES"))
    assert (guard.database, carry.database, carry.relays) == (False, True, True)


def test_part_shows_its_triggers_queues_and_dead_letters() -> None:
    lines = system.of_part(system.read(TEMPLATE), "Mail")

    for line in (
        'api-->|"2 routes"|function_carry',
        'schedules_carry(["Carry: every minute"])',
        'database-->|"outbox"|function_carry',
        "function_carry-->queue_mail",
        "queue_mail-->function_carry",
        'queue_mail-.->|"4 attempts"|dead_mail',
        "function_carry-->outside_subscribers",
    ):
        assert f"    {line}\n" in lines


def test_overview_groups_functions_by_part_and_shows_the_authorizer_apart() -> None:
    lines = system.overview(system.read(TEMPLATE))

    assert 'part_mail["Mail<br/>carry"]' in lines
    assert 'api-->|"token"|function_guard' in lines
    assert faults(lines.rstrip("\n")) == []


def test_lists_name_functions_and_queues() -> None:
    read = system.read(TEMPLATE)

    assert system.functions_table(read.of("Mail")).splitlines() == ["- `carry`: Carries the outbox | once"]
    assert "| Mail | `carry` | `carry` | 4 | MailDeadLetters |" in system.queues_table(read).splitlines()


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("rate(1 minute)", "every minute"),
        ("rate(15 minutes)", "every 15 minutes"),
        ("cron(10 * * * ? *)", "hourly at :10"),
        ("cron(5 4 * * ? *)", "daily at 04:05 UTC"),
        ("cron(0 3 ? * MON *)", "cron(0 3 ? * MON *)"),
    ],
)
def test_schedule_expression_is_described_in_words(expression: str, words: str) -> None:
    assert system.often(expression) == words


def test_label_escapes_characters_that_mermaid_rejects() -> None:
    assert system.label('a "b" <c>', "#1") == '"a #quot;b#quot; #lt;c#gt;<br/>#35;1"'


def test_node_id_is_not_a_reserved_word() -> None:
    assert system.node("part", "End of day") == "part_end_of_day"
