"""Reading the sample template: parts that run, parts that do not, and wrong parameters."""

import time
from pathlib import Path

import pytest

from local import plans, template
from local.intrinsics import TemplateError
from local.report import Group
from local.resources import Account
from tests.kit.local_stack import SAMPLE

ACCOUNT = Account("sample", "eu-central-1")
GIVEN = {"Issuer": "http://127.0.0.1:3000", "Notes": "/notes"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def read(cache: Path, **parameters: str) -> tuple[plans.Plan, plans.Stack]:
    plan = plans.Plan(template.load(SAMPLE / "template.yaml", {**GIVEN, **parameters}, ACCOUNT, cache))
    return plan, plan.read()


def test_unsupported_resources_are_reported_by_type(cache: Path) -> None:
    _, stack = read(cache)

    assert (Group.RESOURCES, "AWS::CloudWatch::Alarm (1)") in stack.report
    assert (Group.RESOURCES, "Custom::Setup (1)") in stack.report
    assert any(line.startswith("Unseen (its code is in no folder here") for _, line in stack.report)
    assert not any("SNS" in line for _, line in stack.report), "its condition does not hold"


def test_condition_includes_its_resources(cache: Path) -> None:
    _, stack = read(cache, Loud="true")

    assert (Group.RESOURCES, "AWS::SNS::Topic (1)") in stack.report
    assert stack.functions["EchoFunction"].environment["LOUD"] == "yes"


def test_functions_have_their_settings_from_the_template(cache: Path) -> None:
    _, stack = read(cache)
    echo, slow, tick = (stack.functions[f"{name}Function"] for name in ("Echo", "Slow", "Tick"))

    assert (echo.timeout_seconds, echo.memory_megabytes, echo.alias, echo.title) == (5, 128, "live", "echo")
    assert echo.invoked_arn == "arn:aws:lambda:eu-central-1:123456789012:function:sample-EchoFunction:live"
    assert [(layer.content.name, layer.built) for layer in echo.layers] == [("words", True), ("files", False)]
    assert echo.environment["ISSUER"] == "http://127.0.0.1:3000/"
    assert "ABSENT" not in echo.environment
    assert slow.timeout_seconds == 1
    assert (tick.policy.retries_max, tick.policy.on_failure) == (
        1,
        "arn:aws:sqs:eu-central-1:123456789012:sample-FailedTicks",
    )


def test_queues_sources_and_schedules_are_read(cache: Path) -> None:
    plan, stack = read(cache)
    queues = {queue.logical_id: queue for queue in plan.queues}
    source, schedules = stack.sources[0], {schedule.name: schedule for schedule in stack.schedules}

    assert '"maxReceiveCount": 2' in queues["WorkQueue"].attributes["RedrivePolicy"]
    assert (source.function, source.batch_size, source.window_seconds) == ("WorkFunction", 10, 1)
    assert (source.partial_failures, source.concurrency_max) == (True, 2)
    assert schedules["sample-tick"].timezone == "Europe/Zurich"
    assert not schedules["TickFunctionSoonSchedule"].enabled
    assert [schedules[name].title for name in ("sample-tick", "TickFunctionSoonSchedule")] == [
        "sample-tick",
        "SoonSchedule",
    ]


def test_cached_template_is_read_fast_and_is_the_same(cache: Path) -> None:
    _, first = read(cache)
    began = time.perf_counter()
    _, second = read(cache)

    assert time.perf_counter() - began < 0.3
    assert first == second


@pytest.mark.parametrize("content", [b"", b'{"document": {', b"\0\0\xff", b"[]"])
def test_damaged_cached_translation_is_replaced(tmp_path: Path, content: bytes) -> None:
    _, first = read(tmp_path)
    [kept] = tmp_path.glob("*.json")
    kept.write_bytes(content)

    assert read(tmp_path)[1] == first


def test_edit_of_the_template_invalidates_the_cache(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text((SAMPLE / "template.yaml").read_text())
    (tmp_path / "layers").symlink_to(SAMPLE / "layers")
    template.load(file, GIVEN, ACCOUNT, tmp_path / "cache")
    file.write_text(file.read_text().replace("sample-tick", "sample-tock"))

    loaded = template.load(file, GIVEN, ACCOUNT, tmp_path / "cache")

    assert "sample-tock" in str(loaded.resources)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({**GIVEN, "Lou": "true"}, "Lou: the template has no such parameter"),
        ({**GIVEN, "Loud": "perhaps"}, "Loud: 'perhaps' is none of true, false"),
    ],
)
def test_wrong_parameters_are_named(cache: Path, parameters: dict[str, str], said: str) -> None:
    with pytest.raises(TemplateError, match=said):
        template.load(SAMPLE / "template.yaml", parameters, ACCOUNT, cache)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Resources: [", r"line \d, column \d+"),
        ("Resources:\n\tA: 1", "line 2, column 1"),
        ("Parameters: {}", "has no Resources"),
        ("- a", "has no Resources"),
    ],
)
def test_unreadable_template_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "template.yaml").write_text(text)

    with pytest.raises(TemplateError, match=said):
        template.load(tmp_path / "template.yaml", {}, ACCOUNT, tmp_path)


def test_missing_parameter_is_empty_and_reported(cache: Path) -> None:
    loaded = template.load(SAMPLE / "template.yaml", {}, ACCOUNT, cache)

    assert loaded.resolver.parameters["Issuer"] == ""
    assert any(line.endswith("Give it with --parameter Issuer=VALUE.") for _, line in loaded.report.entries())


def test_edit_of_an_included_file_invalidates_the_cache(tmp_path: Path) -> None:
    file, part = tmp_path / "template.yaml", tmp_path / "part.yaml"
    file.write_text(
        "Resources: {Q: {Type: AWS::SQS::Queue, Properties: "
        "{'Fn::Transform': {Name: AWS::Include, Parameters: {Location: part.yaml}}}}}"
    )
    part.write_text("DelaySeconds: 1")
    template.load(file, {}, ACCOUNT, tmp_path / "cache")
    part.write_text("DelaySeconds: 2")

    loaded = template.load(file, {}, ACCOUNT, tmp_path / "cache")

    assert loaded.resources["Q"]["Properties"] == {"DelaySeconds": 2}
    assert part in loaded.files


def test_parameters_of_a_nested_template_receive_queue_addresses(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(
        "Resources:\n"
        "  Q: {Type: AWS::SQS::Queue}\n"
        "  S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: s.yaml, Parameters: {Url: !Ref Q}}}\n"
        "  W: {Type: AWS::SecretsManager::Secret, Properties: {SecretString: !GetAtt S.Outputs.Said}}\n"
    )
    (tmp_path / "s.yaml").write_text(
        "Parameters: {Url: {Type: String}}\nResources: {T: {Type: AWS::SNS::Topic}}\n"
        "Outputs: {Said: {Value: !Sub 'to ${Url}'}}\n"
    )
    plan = plans.Plan(template.load(file, {}, ACCOUNT, tmp_path / "cache"))

    plan.furnish({plan.queues[0].arn: "http://queues/q"}, {})

    assert plan.template.resolver.resolve({"Fn::GetAtt": ["S", "Outputs.Said"]}) == "to http://queues/q"
