"""Rules of what works behind the API: queues, schedules, and how functions reach production."""

import json
from collections.abc import Iterator

from scripts.templates import mentions
from tests.kit.template.system import Resources, System, function_of

VISIBILITY_FACTOR = 6
RETENTION_SECONDS_MAX = 1_209_600
SWITCH_AT_ONCE = {
    "HealthFunction": "load balancers and watchers ask it, and ask again",
    "ProcessBatchFunction": "a worker; its one route starts the work that its schedule starts anyway",
}


def every_queue_has_dead_letters(system: System) -> Iterator[str]:
    """A message that fails too often goes where somebody can see it, for as long as SQS keeps anything."""
    queues = system.of_type("AWS::SQS::Queue")
    for name, queue in queues.items():
        properties = queue["Properties"]
        if not properties.get("SqsManagedSseEnabled"):
            yield f"{name} is not encrypted"
        if name.endswith("DeadLetters"):
            if properties.get("MessageRetentionPeriod") != RETENTION_SECONDS_MAX:
                yield f"{name} forgets its messages in under two weeks"
            continue
        redrive = properties.get("RedrivePolicy", {})
        target = next(mentions(redrive.get("deadLetterTargetArn")), None)
        if target != name.removesuffix("Queue") + "DeadLetters" or target not in queues:
            yield f"{name} has no dead letters of its own"
        elif not 2 <= redrive["maxReceiveCount"] <= 10:
            yield f"{name} gives up after {redrive['maxReceiveCount']} attempts"


def every_queue_is_watched(system: System) -> Iterator[str]:
    """An alarm on the age of each queue's oldest message, and one on each queue of dead letters."""
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


def messages_stay_hidden_six_time_outs_long(system: System) -> Iterator[str]:
    """A message does not come back while its function may still be at it."""
    for name, source in system.of_type("AWS::Lambda::EventSourceMapping").items():
        queue = next(mentions(source["Properties"]["EventSourceArn"]))
        function = function_of(source["Properties"]["FunctionName"])
        needed = VISIBILITY_FACTOR * system.properties(function)["Timeout"]
        if system.properties(queue).get("VisibilityTimeout", 30) < needed:
            yield f"{name}: {queue} hides messages for less than {needed} s"


def batches_fail_in_part_and_in_bounds(system: System) -> Iterator[str]:
    """Each source reports the messages that failed, and has a bound on how many functions it wakes."""
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


def those_who_continue_by_message_may(system: System) -> Iterator[str]:
    """Lambda stops a function after sixteen messages to itself, unless that is allowed; nobody else is allowed it."""
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
    """A schedule that cannot reach its function tries again within bounds, then leaves its event behind."""
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
            yield f"{name} runs when it likes"


def failed_runs_of_schedules_are_parked(system: System) -> Iterator[str]:
    """Schedules invoke without waiting, so the function's alias must say where a failed run goes."""
    parked = {
        next(mentions(config["Properties"]["FunctionName"]))
        for config in system.of_type("AWS::Lambda::EventInvokeConfig").values()
        if set(mentions(config["Properties"].get("DestinationConfig"))) == {"ScheduleDeadLetters"}
    }
    for name, schedule in system.of_type("AWS::Scheduler::Schedule").items():
        function = function_of(schedule["Properties"]["Target"]["Arn"])
        if function not in parked:
            yield f"{name}: a failed run of {function} is lost"


def everything_calls_the_alias(system: System) -> Iterator[str]:
    """Schedules and queues call the alias whose traffic shifts, never the newest code. Routes have their own rule."""
    callers: Resources = {**system.of_type("AWS::Scheduler::Schedule"), **system.of_type("Custom::Migration")}
    callers |= system.of_type("AWS::Lambda::EventSourceMapping")
    for name, caller in callers.items():
        for target in sorted(set(mentions(caller["Properties"])) & system.functions.keys()):
            yield f"{name} calls {target} instead of its alias"


def traffic_shifts_under_watch(system: System) -> Iterator[str]:
    """Functions that customers wait for shift gradually, and two alarms roll them back: errors and the API's faults.

    The other functions switch at once: a queue or the next run of a schedule repeats their work.
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
    """Every other function waits for the migration, which runs again whenever SQL, domain or migrate have changed."""
    for name in system.functions.keys() - {"MigrateFunction"}:
        if system.resources[name].get("DependsOn") not in ("Migration", ["Migration"]):
            yield f"{name} may change before the database has"
    reasons = set(mentions(system.properties("Migration")))
    for prefix in ("SqlLayer", "DomainLayer", "MigrateFunctionVersion"):
        if not any(reason.startswith(prefix) for reason in reasons):
            yield f"a change of {prefix} starts no migration"


def nested_stacks_wait_for_no_function(system: System) -> Iterator[str]:
    """Nested stacks have no functions, which `sam local` would not see, and nothing that waits for the migration."""
    waits = ("AWS::Serverless::", "AWS::Lambda::", "AWS::RDS::DBProxyTargetGroup")
    for stack, template in system.nested.items():
        for name, resource in template["Resources"].items():
            if resource["Type"].startswith(waits):
                yield f"{name} cannot be in the nested stack {stack}"
    if system.resources["DatabaseProxyTargets"].get("DependsOn") != "Migration":
        yield "the proxy's target group waits for a login that no migration has made"


def nested_stacks_are_given_what_they_name(system: System) -> Iterator[str]:
    """A parameter of a nested stack has the name of the parameter or resource that it stands for, and is used."""
    for stack, template in system.nested.items():
        given = system.properties(stack)["Parameters"]
        for name in sorted(given.keys() ^ template["Parameters"].keys()):
            yield f"{stack} {'lacks' if name in given else 'is not given'} the parameter {name}"
        used = set(mentions([template["Resources"], template["Conditions"], template["Outputs"]]))
        for name in sorted(given.keys() & template["Parameters"].keys()):
            meant = {"Stack": "AWS::StackName", "WithProxy": "DatabaseProxy", "WithEndpoints": "Endpoints"}
            meant |= {"Cluster": "Database", "Proxy": "Database"}
            if meant.get(name, name) not in set(mentions(given[name])):
                yield f"{stack} is given something else as {name}"
            if name not in used:
                yield f"{stack} does not use {name}"


def a_change_of_any_kind_publishes_a_version(system: System) -> Iterator[str]:
    """Code, settings and layers: without these a new layer would reach no alias."""
    for name, function in system.functions.items():
        if function["Properties"].get("AutoPublishAliasAllProperties") is not True:
            yield f"{name} publishes a version for new code only"
    for name, resource in system.source["Resources"].items():
        is_layer = resource["Type"] == "AWS::Serverless::LayerVersion"
        if is_layer and resource["Properties"].get("PublishLambdaVersion") is not True:
            yield f"{name} can change without its functions"


def the_layer_holds_what_settings_make_functions_load(system: System) -> Iterator[str]:
    """Tracing loads X-Ray's SDK, and that botocore: pinned, or each build would bring another."""
    traced = [name for name in system.functions if system.properties(name).get("TracingConfig") == {"Mode": "Active"}]
    for library in ("aws-xray-sdk", "wrapt", "botocore", "boto3"):
        if traced and library not in system.libraries:
            yield f"{len(traced)} functions are traced, and {library} is not pinned in layers/dependencies"


def folders_and_functions_are_the_same(system: System) -> Iterator[str]:
    """Each folder with a handler is in the template, and the other way round, by one name."""
    named = {system.folder(name): name for name in system.functions}
    for folder in sorted(system.folders ^ named.keys()):
        yield f"functions/{folder} is not in both"
    for folder, name in named.items():
        if name != folder.replace("-", " ").title().replace(" ", "") + "Function":
            yield f"functions/{folder} is called {name}"


RULES = (
    every_queue_has_dead_letters,
    every_queue_is_watched,
    messages_stay_hidden_six_time_outs_long,
    batches_fail_in_part_and_in_bounds,
    those_who_continue_by_message_may,
    every_schedule_has_dead_letters,
    failed_runs_of_schedules_are_parked,
    everything_calls_the_alias,
    traffic_shifts_under_watch,
    migrations_run_before_functions_change,
    nested_stacks_wait_for_no_function,
    nested_stacks_are_given_what_they_name,
    a_change_of_any_kind_publishes_a_version,
    the_layer_holds_what_settings_make_functions_load,
    folders_and_functions_are_the_same,
)
