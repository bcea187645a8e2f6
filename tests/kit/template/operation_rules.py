"""Check the operation: alarms, logs, samples, parameters and their documents."""

import json
import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from scripts.templates import mentions
from tests.kit.template.system import ROOT, System

ALARM_QUERIES_MAX = 10
STACK_RESOURCES_MAX = 420
TEMPLATE_LINES_MAX = 2_500
STACK_BYTES_MAX = 1_000_000


TOPICS = ({"AlarmTopic", "AlarmTopicArn"}, {"Watching", "AlarmTopicArn"})
"""An alarm in the stack Watching names the topic itself. An alarm in the root names the output of that stack."""


def every_alarm_notifies_and_is_documented(system: System) -> Iterator[str]:
    """Require that an alarm notifies when it rises and clears, and is described in docs/operate/operations.md."""
    manual = system.documents.get("operations.md", "")
    for name, alarm in system.of_type("AWS::CloudWatch::Alarm").items():
        properties = alarm["Properties"]
        for action in ("AlarmActions", "OKActions"):
            if set(mentions(properties.get(action))) - {"AWS::NoValue"} not in TOPICS:
                yield f"{name} has no {action}"
        if not properties.get("AlarmDescription"):
            yield f"{name} does not say what it means"
        if f"`{name}`" not in manual:
            yield f"{name} is not explained in docs/operate/operations.md"


def stacks_stay_below_the_size_limits(system: System) -> Iterator[str]:
    """Require a margin below CloudFormation's limits of 500 resources and one megabyte per stack."""
    for name, template in {"template.yaml": system.translated, **system.nested}.items():
        if len(template["Resources"]) > STACK_RESOURCES_MAX:
            yield f"{name} has {len(template['Resources'])} resources; {STACK_RESOURCES_MAX} are allowed"
        if len(json.dumps(template)) > STACK_BYTES_MAX:
            yield f"{name} has more than a megabyte"
    if system.lines > TEMPLATE_LINES_MAX:
        yield f"template.yaml has {system.lines} lines; {TEMPLATE_LINES_MAX} are allowed"


def no_alarm_exceeds_the_query_limit(system: System) -> Iterator[str]:
    """Require at most ten metrics and ten expressions per alarm. CloudWatch refuses a deployment with more."""
    for name, alarm in system.of_type("AWS::CloudWatch::Alarm").items():
        queries = alarm["Properties"].get("Metrics", [])
        for kind in ("MetricStat", "Expression"):
            if sum(kind in query for query in queries) > ALARM_QUERIES_MAX:
                yield f"{name} evaluates too many queries"


def every_function_is_watched(system: System) -> Iterator[str]:
    """Require an alarm on the errors of each function's alias, and one on its throttling."""
    alarms = system.of_type("AWS::CloudWatch::Alarm")
    watched = {(metric, function) for alarm in alarms.values() for metric, function in _watched_by(alarm["Properties"])}
    for name in system.functions:
        if ("Errors", name) not in watched:
            yield f"no alarm watches errors of {name}"
        if ("Throttles", name) not in watched and name != "MigrateFunction":
            yield f"no alarm notifies when {name} is throttled"


def limiter_is_watched_where_it_limits(system: System) -> Iterator[str]:
    """Require that alarms on RateLimiterFailed watch exactly the functions with rate limits."""
    functions = ROOT / "functions"
    files = [file for file in functions.rglob("*.py") if "http.limited(" in file.read_text()]
    limiting = {file.relative_to(functions).parts[0] for file in files}
    watched = {
        dimension["Value"]
        for alarm in ("RateLimiterFailedAlarm", "StaffLimiterFailedAlarm")
        for query in system.properties(alarm)["Metrics"]
        if "MetricStat" in query
        for dimension in query["MetricStat"]["Metric"]["Dimensions"]
    }
    for name in sorted(limiting ^ watched):
        yield f"{name} is limited or watched, and not both"


def every_function_logs_to_a_group_with_retention(system: System) -> Iterator[str]:
    """Require that each function logs JSON to its part's group, with LogRetentionDays and our key where given."""
    groups = system.of_type("AWS::Logs::LogGroup")
    for name, group in groups.items():
        if set(mentions(group["Properties"].get("RetentionInDays"))) != {"LogRetentionDays"}:
            yield f"{name} has no retention"
        if "KmsKeyArn" not in set(mentions(group["Properties"].get("KmsKeyId"))):
            yield f"{name} ignores KmsKeyArn"
    for name in system.functions:
        configuration = system.properties(name).get("LoggingConfig", {})
        if next(mentions(configuration.get("LogGroup")), None) not in groups:
            yield f"{name} has no log group"
        if configuration.get("LogFormat") != "JSON":
            yield f"{name} does not log JSON"
    # RDS creates a missing log group without retention. Our group must exist before the first instance.
    names = {json.dumps(group["Properties"]["LogGroupName"]): name for name, group in groups.items()}
    for kind in system.properties("DatabaseCluster")["EnableCloudwatchLogsExports"]:
        group = names.get(json.dumps({"Fn::Sub": f"/aws/rds/cluster/${{DatabaseCluster}}/{kind}"}))
        if group is None or system.resources["DatabaseWriter"].get("DependsOn") != group:
            yield f"the database's {kind} log has no retention"


def every_trigger_has_a_sample(system: System) -> Iterator[str]:
    """Require a sample in events/ for each route, schedule and queue, named after its function."""
    for route in system.routes:
        if not any(
            sample.get("httpMethod") == route.method.upper() and sample.get("resource") == route.path
            for sample in _samples(system, route.function)
        ):
            yield f"{route} has no sample among events/{system.folder(route.function)}-*.json"
    for name, schedule in system.of_type("AWS::Scheduler::Schedule").items():
        function = next(mentions(schedule["Properties"]["Target"]["Arn"])).removesuffix("Aliaslive")
        if json.loads(schedule["Properties"]["Target"]["Input"]) not in _samples(system, function):
            yield f"{name} has no sample among events/{system.folder(function)}-*.json"
    for name, source in system.of_type("AWS::Lambda::EventSourceMapping").items():
        function = next(mentions(source["Properties"]["FunctionName"])).removesuffix("Aliaslive")
        queue = next(mentions(source["Properties"]["EventSourceArn"]))
        if not any(queue in json.dumps(sample.get("Records")) for sample in _samples(system, function)):
            yield f"{name} has no sample among events/{system.folder(function)}-*.json"
    for name in system.functions:
        if not _samples(system, name):
            yield f"{name} has no sample"


def every_sample_is_of_a_trigger(system: System) -> Iterator[str]:
    """Require that each sample has a trigger."""
    routes = {(route.method.upper(), route.path, system.folder(route.function)) for route in system.routes}
    folders = {system.folder(name) for name in system.functions}
    for name, sample in system.samples.items():
        folder = max((each for each in folders if name.startswith(each + "-")), default="", key=len)
        if not folder:
            yield f"events/{name}.json is of no function"
        elif "stageVariables" not in sample or sample.get("type") == "REQUEST":
            continue
        elif (sample["httpMethod"], sample["resource"], folder) not in routes:
            yield f"events/{name}.json is of no route"


def every_sample_fits_its_operation(system: System) -> Iterator[str]:
    """Require that a sample's body, query and path match docs/openapi.json."""
    for name, sample in system.samples.items():
        operation = system.operations.get((sample.get("httpMethod", "").lower(), sample.get("resource", "")))
        if operation is None:
            continue
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if content and (sample["body"] is not None or operation["requestBody"].get("required")):
            schema = {**content["schema"], "components": system.openapi.get("components", {})}
            for error in Draft202012Validator(schema).iter_errors(json.loads(sample["body"] or "null")):
                yield f"events/{name}.json: {error.json_path} {error.message}"
        known = {(each["in"], each["name"].lower()) for each in operation.get("parameters", [])}
        given = {("query", each.lower()) for each in sample["queryStringParameters"] or {}}
        given |= {("path", each.lower()) for each in sample["pathParameters"] or {}}
        for place, parameter in sorted(given - known):
            yield f"events/{name}.json: {parameter} is no {place} parameter"
        headers = {each.lower() for each in sample["headers"]}
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "header" and parameter.get("required") and parameter["name"].lower() not in headers:
                yield f"events/{name}.json: the header {parameter['name']} is missing"


def every_parameter_is_explained(system: System) -> Iterator[str]:
    """Require that each parameter is described, used, and grouped for the console."""
    used = set(mentions([system.source["Resources"], system.source["Globals"], system.source["Outputs"]]))
    used |= set(mentions(system.source["Conditions"]))
    groups = system.source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    for name, parameter in system.source["Parameters"].items():
        if not parameter.get("Description"):
            yield f"{name} is not described"
        if name not in used:
            yield f"{name} is not used"
        if grouped.count(name) != 1:
            yield f"{name} is in {grouped.count(name)} groups"


def dashboard_shows_existing_resources(system: System) -> Iterator[str]:
    """Require that the dashboard's body is JSON, fits its grid, and names only existing resources."""
    text = system.properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    for name in re.findall(r"\$\{([^}]+)\}", text):
        if not (name.startswith("AWS::") or name in system.nested["Watching"]["Parameters"]):
            yield f"the dashboard names {name}"
    for widget in json.loads(re.sub(r"\$\{[^}]+\}", "x", text))["widgets"]:
        if widget["x"] + widget["width"] > 24 or not widget["properties"].get("title"):
            yield f"a widget does not fit: {widget['properties'].get('title')}"


def _samples(system: System, function: str) -> list[dict[str, Any]]:
    prefix = system.folder(function) + "-"
    return [sample for name, sample in system.samples.items() if name.startswith(prefix)]


def _watched_by(alarm: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the metrics of AWS/Lambda that an alarm evaluates, with their functions. Unused queries do not count."""
    queries = alarm.get("Metrics", [])
    expressions = " ".join(each["Expression"] for each in queries if "Expression" in each)
    looks_at = {each["Id"] for each in queries if "METRICS()" in expressions or each["Id"] in expressions}
    metrics = [each["MetricStat"]["Metric"] for each in queries if "MetricStat" in each and each["Id"] in looks_at]
    for metric in [*metrics, alarm]:
        if metric.get("Namespace") == "AWS/Lambda":
            for function in mentions(metric["Dimensions"]):
                yield metric["MetricName"], function


RULES = (
    every_alarm_notifies_and_is_documented,
    stacks_stay_below_the_size_limits,
    no_alarm_exceeds_the_query_limit,
    every_function_is_watched,
    limiter_is_watched_where_it_limits,
    every_function_logs_to_a_group_with_retention,
    every_trigger_has_a_sample,
    every_sample_is_of_a_trigger,
    every_sample_fits_its_operation,
    every_parameter_is_explained,
    dashboard_shows_existing_resources,
)
