"""Check the work behind the API: queues, schedules and deployments."""

import json
from collections.abc import Iterator

from scripts.templates import mentions
from tests.kit.template.system import Resources, System, function_of

VISIBILITY_FACTOR = 6
RETENTION_SECONDS_MAX = 1_209_600
SWITCH_AT_ONCE = {
    "HealthFunction": "load balancers and monitors call it repeatedly",
    "ProcessBatchFunction": "a worker whose only route starts the same work as its schedule",
}


def every_queue_has_dead_letters(system: System) -> Iterator[str]:
    """Require that repeatedly failing messages go to dead letters, which SQS keeps as long as possible."""
    queues = system.of_type("AWS::SQS::Queue")
    for name, queue in queues.items():
        properties = queue["Properties"]
        if not properties.get("SqsManagedSseEnabled"):
            yield f"{name} is not encrypted"
        if name.endswith("DeadLetters"):
            if properties.get("MessageRetentionPeriod") != RETENTION_SECONDS_MAX:
                yield f"{name} keeps its messages for less than two weeks"
            continue
        redrive = properties.get("RedrivePolicy", {})
        target = next(mentions(redrive.get("deadLetterTargetArn")), None)
        if target != name.removesuffix("Queue") + "DeadLetters" or target not in queues:
            yield f"{name} has no dead letters of its own"
        elif not 2 <= redrive["maxReceiveCount"] <= 10:
            yield f"{name} gives up after {redrive['maxReceiveCount']} attempts"


def every_queue_is_watched(system: System) -> Iterator[str]:
    """Require an alarm on the age of each queue's oldest message, and on each dead-letter queue."""
    watched = {
        (dimension, alarm["Properties"].get("MetricName"))
        for alarm in system.of_type("AWS::CloudWatch::Alarm").values()
        for dimension in mentions(alarm["Properties"].get("Dimensions"))
    }
    for name in system.of_type("AWS::SQS::Queue"):
        dead = name.endswith("DeadLetters")
        metric = "ApproximateNumberOfMessagesVisible" if dead else "ApproximateAgeOfOldestMessage"
        if (name, metric) not in watched:
            yield f"{name} has no alarm on {metric}"


def visibility_timeout_is_six_function_timeouts(system: System) -> Iterator[str]:
    """Require a visibility time-out that hides a message while its function may still process it."""
    for name, source in system.of_type("AWS::Lambda::EventSourceMapping").items():
        queue = next(mentions(source["Properties"]["EventSourceArn"]))
        function = function_of(source["Properties"]["FunctionName"])
        needed = VISIBILITY_FACTOR * system.properties(function)["Timeout"]
        if system.properties(queue).get("VisibilityTimeout", 30) < needed:
            yield f"{name}: {queue} hides messages for less than {needed} s"


def queue_sources_report_failures_and_limit_concurrency(system: System) -> Iterator[str]:
    """Require that each source reports failed messages and limits its concurrency."""
    sources = system.of_type("AWS::Lambda::EventSourceMapping")
    for name, source in sources.items():
        properties = source["Properties"]
        if properties.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name} repeats whole batches"
        if not 2 <= properties.get("ScalingConfig", {}).get("MaximumConcurrency", 0) <= 50:
            yield f"{name} has no bound on its concurrency"
    read = {next(mentions(source["Properties"]["EventSourceArn"])) for source in sources.values()}
    for name in system.of_type("AWS::SQS::Queue"):
        if not name.endswith("DeadLetters") and name not in read:
            yield f"nobody reads {name}"


def only_functions_that_send_to_themselves_may_recurse(system: System) -> Iterator[str]:
    """Require permission for recursion exactly where a function sends messages to itself.

    Without it, Lambda stops the function after sixteen messages.
    """
    for name in system.functions:
        reads = {
            next(mentions(source["Properties"]["EventSourceArn"]))
            for source in system.of_type("AWS::Lambda::EventSourceMapping").values()
            if function_of(source["Properties"]["FunctionName"]) == name
        }
        sends = set(mentions(system.properties(name)["Environment"]))
        allowed = system.properties(name).get("RecursiveLoop", "Terminate") == "Allow"
        if allowed != bool(reads & sends):
            yield f"{name} {'may' if allowed else 'may not'} send to itself"


def every_schedule_has_dead_letters(system: System) -> Iterator[str]:
    """Require limited retries and dead letters for a schedule that cannot reach its function."""
    for name, schedule in system.of_type("AWS::Scheduler::Schedule").items():
        target = schedule["Properties"]["Target"]
        if next(mentions(target.get("DeadLetterConfig")), None) != "ScheduleDeadLetters":
            yield f"{name} has no dead letters"
        if not {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"} <= target.get("RetryPolicy", {}).keys():
            yield f"{name} retries without bounds"
        if not isinstance(json.loads(target.get("Input", "{}")).get("job"), str):
            yield f"{name} does not say which job it starts"
        if schedule["Properties"].get("ScheduleExpressionTimezone") != "UTC":
            yield f"{name} does not run by UTC"
        if schedule["Properties"]["FlexibleTimeWindow"] != {"Mode": "OFF"}:
            yield f"{name} has a flexible time window"


def schedules_have_generated_names(system: System) -> Iterator[str]:
    """Require SAM's name for a schedule. A renamed function creates its schedules before it deletes the earlier ones.

    With a name of its own, the new schedule would have the name of the earlier one, and the deployment would fail.
    """
    for name, schedule in system.of_type("AWS::Scheduler::Schedule").items():
        if schedule["Properties"].get("Name", name) != name:
            yield f"{name} has a name of its own"


def failed_runs_of_schedules_are_parked(system: System) -> Iterator[str]:
    """Require a destination for failed runs on the alias, because schedules invoke without waiting."""
    parked = {
        next(mentions(config["Properties"]["FunctionName"]))
        for config in system.of_type("AWS::Lambda::EventInvokeConfig").values()
        if set(mentions(config["Properties"].get("DestinationConfig"))) == {"ScheduleDeadLetters"}
    }
    for name, schedule in system.of_type("AWS::Scheduler::Schedule").items():
        function = function_of(schedule["Properties"]["Target"]["Arn"])
        if function not in parked:
            yield f"{name}: a failed run of {function} is lost"


def schedules_and_queues_call_the_alias(system: System) -> Iterator[str]:
    """Require that schedules and queues call the alias and not the newest code. Routes have their own rule."""
    callers: Resources = {**system.of_type("AWS::Scheduler::Schedule"), **system.of_type("Custom::Migration")}
    callers |= system.of_type("AWS::Lambda::EventSourceMapping")
    for name, caller in callers.items():
        for target in sorted(set(mentions(caller["Properties"])) & system.functions.keys()):
            yield f"{name} calls {target} instead of its alias"


def customer_functions_deploy_gradually_with_alarms(system: System) -> Iterator[str]:
    """Require gradual deployment with two roll-back alarms for functions that customers wait for.

    The alarms watch the function's errors and the API's faults. The other functions switch at once, because a queue or
    the next run of a schedule repeats their work.
    """
    groups = system.of_type("AWS::CodeDeploy::DeploymentGroup")
    waited_for = {route.function for route in system.routes} - SWITCH_AT_ONCE.keys() | {"AuthorizeFunction"}
    for name in groups.keys() - {f"{name}DeploymentGroup" for name in waited_for}:
        yield f"{name} shifts a function gradually for which no customer waits"
    for name in waited_for:
        group = groups.get(f"{name}DeploymentGroup")
        if group is None:
            yield f"{name} shifts at once"
            continue
        configuration = group["Properties"].get("AlarmConfiguration", {})
        alarms = set(mentions(configuration.get("Alarms"))) if configuration.get("Enabled") else set()
        if alarms != {name.removesuffix("Function") + "ErrorsAlarm", "ApiFaultsCriticalAlarm"}:
            yield f"{name} is not rolled back by its alarms"


def migrations_run_before_functions_change(system: System) -> Iterator[str]:
    """Require that other functions wait for the migration, which reruns when SQL, domain or migrate change."""
    for name in system.functions.keys() - {"MigrateFunction"}:
        if system.resources[name].get("DependsOn") not in ("Migration", ["Migration"]):
            yield f"{name} may change before the database has"
    reasons = set(mentions(system.properties("Migration")))
    for prefix in ("SqlLayer", "DomainLayer", "MigrateFunctionVersion"):
        if not any(reason.startswith(prefix) for reason in reasons):
            yield f"a change of {prefix} starts no migration"


def nested_stacks_wait_for_no_function(system: System) -> Iterator[str]:
    """Require nested stacks without functions, which `sam local` would not see, and without waits for the migration."""
    waits = ("AWS::Serverless::", "AWS::Lambda::", "AWS::RDS::DBProxyTargetGroup")
    for stack, template in system.nested.items():
        for name, resource in template["Resources"].items():
            if resource["Type"].startswith(waits):
                yield f"{name} cannot be in the nested stack {stack}"
    if system.resources["DatabaseProxyTargets"].get("DependsOn") != "Migration":
        yield "the proxy's target group waits for a login that no migration has made"


def nested_stacks_receive_their_named_parameters(system: System) -> Iterator[str]:
    """Require that a nested stack's parameter is used and named after the parameter or resource that it receives."""
    for stack, template in system.nested.items():
        given = system.properties(stack)["Parameters"]
        for name in sorted(given.keys() ^ template["Parameters"].keys()):
            yield f"{stack} {'lacks' if name in given else 'is not given'} the parameter {name}"
        used = set(mentions([template.get(part) for part in ("Resources", "Conditions", "Outputs")]))
        for name in sorted(given.keys() & template["Parameters"].keys()):
            meant = {"Stack": "AWS::StackName", "WithProxy": "DatabaseProxy", "WithEndpoints": "Endpoints"}
            meant |= {"Cluster": "Database", "Proxy": "Database", "Stage": "Apiv1Stage"}
            if meant.get(name, name) not in set(mentions(given[name])):
                yield f"{stack} is given something else as {name}"
            if name not in used:
                yield f"{stack} does not use {name}"


def every_change_publishes_a_version(system: System) -> Iterator[str]:
    """Require that changes of code, settings and layers publish a version, without which no alias gets a new layer."""
    for name, function in system.functions.items():
        if function["Properties"].get("AutoPublishAliasAllProperties") is not True:
            yield f"{name} publishes a version for new code only"
    for name, resource in system.source["Resources"].items():
        is_layer = resource["Type"] == "AWS::Serverless::LayerVersion"
        if is_layer and resource["Properties"].get("PublishLambdaVersion") is not True:
            yield f"{name} can change without its functions"


def tracing_libraries_are_pinned_in_the_layer(system: System) -> Iterator[str]:
    """Require pinned tracing libraries: X-Ray's SDK loads botocore, and each build could bring another version."""
    traced = [name for name in system.functions if system.properties(name).get("TracingConfig") == {"Mode": "Active"}]
    for library in ("aws-xray-sdk", "wrapt", "botocore", "boto3"):
        if traced and library not in system.libraries:
            yield f"{len(traced)} functions are traced, and {library} is not pinned in layers/dependencies"


def folders_and_functions_correspond(system: System) -> Iterator[str]:
    """Require that folders with handlers and functions of the template correspond by name."""
    named = {system.folder(name): name for name in system.functions}
    for folder in sorted(system.folders ^ named.keys()):
        yield f"functions/{folder} is not in both"
    for folder, name in named.items():
        if name != folder.replace("-", " ").title().replace(" ", "") + "Function":
            yield f"functions/{folder} is called {name}"


RULES = (
    every_queue_has_dead_letters,
    every_queue_is_watched,
    visibility_timeout_is_six_function_timeouts,
    queue_sources_report_failures_and_limit_concurrency,
    only_functions_that_send_to_themselves_may_recurse,
    every_schedule_has_dead_letters,
    schedules_have_generated_names,
    failed_runs_of_schedules_are_parked,
    schedules_and_queues_call_the_alias,
    customer_functions_deploy_gradually_with_alarms,
    migrations_run_before_functions_change,
    nested_stacks_wait_for_no_function,
    nested_stacks_receive_their_named_parameters,
    every_change_publishes_a_version,
    tracing_libraries_are_pinned_in_the_layer,
    folders_and_functions_correspond,
)
