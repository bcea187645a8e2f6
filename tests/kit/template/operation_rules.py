"""Rules of what people who run it rely on: alarms, logs, samples, parameters and their documents."""

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
"""An alarm of the stack Watching names the topic itself, an alarm of the root the output of that stack."""


def every_alarm_tells_somebody(system: System) -> Iterator[str]:
    """An alarm notifies when it rises and when it clears, has a description, and is in docs/operate/operations.md."""
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


def the_stack_is_not_too_large(system: System) -> Iterator[str]:
    """CloudFormation takes 500 resources and a megabyte for one stack. This limit leaves time to split a stack."""
    for name, template in {"template.yaml": system.translated, **system.nested}.items():
        if len(template["Resources"]) > STACK_RESOURCES_MAX:
            yield f"{name} has {len(template['Resources'])} resources; {STACK_RESOURCES_MAX} are allowed"
        if len(json.dumps(template)) > STACK_BYTES_MAX:
            yield f"{name} has more than a megabyte"
    if system.lines > TEMPLATE_LINES_MAX:
        yield f"template.yaml has {system.lines} lines; {TEMPLATE_LINES_MAX} are allowed"


def no_alarm_looks_at_too_much(system: System) -> Iterator[str]:
    """CloudWatch takes ten metrics and ten expressions of an alarm, and refuses the deployment for one more."""
    for name, alarm in system.of_type("AWS::CloudWatch::Alarm").items():
        queries = alarm["Properties"].get("Metrics", [])
        for kind in ("MetricStat", "Expression"):
            if sum(kind in query for query in queries) > ALARM_QUERIES_MAX:
                yield f"{name} looks at too much at once"


def every_function_is_watched(system: System) -> Iterator[str]:
    """Each function has an alarm on its alias's errors, and one on being throttled."""
    alarms = system.of_type("AWS::CloudWatch::Alarm")
    watched = {(metric, function) for alarm in alarms.values() for metric, function in _watched_by(alarm["Properties"])}
    for name in system.functions:
        if ("Errors", name) not in watched:
            yield f"nobody hears of errors of {name}"
        if ("Throttles", name) not in watched and name != "MigrateFunction":
            yield f"nobody hears when {name} is throttled"


def the_limiter_is_watched_wherever_it_limits(system: System) -> Iterator[str]:
    """Alarms on RateLimiterFailed watch each function whose routes are limited, and no other."""
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


def every_function_logs_where_it_is_kept(system: System) -> Iterator[str]:
    """Each function logs JSON to its part's group. Groups keep logs for LogRetentionDays, with our key where given."""
    groups = system.of_type("AWS::Logs::LogGroup")
    for name, group in groups.items():
        if set(mentions(group["Properties"].get("RetentionInDays"))) != {"LogRetentionDays"}:
            yield f"{name} keeps its log for ever"
        if "KmsKeyArn" not in set(mentions(group["Properties"].get("KmsKeyId"))):
            yield f"{name} ignores KmsKeyArn"
    for name in system.functions:
        configuration = system.properties(name).get("LoggingConfig", {})
        if next(mentions(configuration.get("LogGroup")), None) not in groups:
            yield f"{name} has no log group"
        if configuration.get("LogFormat") != "JSON":
            yield f"{name} does not log JSON"
    # RDS makes a group that is missing, and keeps it for ever. The group must be there before the first instance.
    names = {json.dumps(group["Properties"]["LogGroupName"]): name for name, group in groups.items()}
    for kind in system.properties("DatabaseCluster")["EnableCloudwatchLogsExports"]:
        group = names.get(json.dumps({"Fn::Sub": f"/aws/rds/cluster/${{DatabaseCluster}}/{kind}"}))
        if group is None or system.resources["DatabaseWriter"].get("DependsOn") != group:
            yield f"the database keeps its {kind} log for ever"


def every_trigger_has_a_sample(system: System) -> Iterator[str]:
    """events/ holds an event for each route, schedule and queue, under its function's name."""
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
    """No sample outlives its trigger."""
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
    """A sample's body, query and path are what docs/openapi.json asks for."""
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
    """Each parameter is described, used, grouped for the console, and listed in docs/operate/deploy.md."""
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
        if f"\n- `{name}`" not in system.documents.get("deploy.md", ""):
            yield f"{name} is not listed in docs/operate/deploy.md"


def the_dashboard_shows_what_exists(system: System) -> Iterator[str]:
    """The dashboard's body is JSON, fits its grid, and names only what the template holds."""
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
    """The metrics of AWS/Lambda that an alarm looks at, with their functions; what it names and leaves out is none."""
    queries = alarm.get("Metrics", [])
    expressions = " ".join(each["Expression"] for each in queries if "Expression" in each)
    looks_at = {each["Id"] for each in queries if "METRICS()" in expressions or each["Id"] in expressions}
    metrics = [each["MetricStat"]["Metric"] for each in queries if "MetricStat" in each and each["Id"] in looks_at]
    for metric in [*metrics, alarm]:
        if metric.get("Namespace") == "AWS/Lambda":
            for function in mentions(metric["Dimensions"]):
                yield metric["MetricName"], function


RULES = (
    every_alarm_tells_somebody,
    the_stack_is_not_too_large,
    no_alarm_looks_at_too_much,
    every_function_is_watched,
    the_limiter_is_watched_wherever_it_limits,
    every_function_logs_where_it_is_kept,
    every_trigger_has_a_sample,
    every_sample_is_of_a_trigger,
    every_sample_fits_its_operation,
    every_parameter_is_explained,
    the_dashboard_shows_what_exists,
)
