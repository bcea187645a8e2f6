"""One way to break each rule: done to a copy of the system, to show that the rule would notice."""

import copy
from collections.abc import Callable
from typing import Any

from tests.kit.template import http_rules, operation_rules, safety_rules, work_rules
from tests.kit.template.system import Rule, System

Break = Callable[[System], None]


def _stage(system: System) -> dict[str, object]:
    properties: dict[str, object] = next(iter(system.of_type("AWS::ApiGateway::Stage").values()))["Properties"]
    return properties


def _add_route(system: System) -> None:
    system.body["paths"]["/surprise"] = {"get": system.body["paths"]["/bookings"]["get"]}


def _answer_a_route_by_nobody(system: System) -> None:
    integration = system.body["paths"]["/bookings"]["post"]["x-amazon-apigateway-integration"]
    integration["uri"] = {"Fn::Sub": "arn:aws:apigateway:…:path/…/functions/${LostFunction.Arn}:live/invocations"}


def _answer_a_route_by_another(system: System) -> None:
    paths = system.body["paths"]
    paths["/holds"]["post"]["x-amazon-apigateway-integration"] = copy.deepcopy(
        paths["/bookings/{booking_id}/cancel"]["post"]["x-amazon-apigateway-integration"]
    )


def _declare_a_route_alone(system: System) -> None:
    system.declared["book"].add(("get", "/holds"))


def _route_to_the_newest_code(system: System) -> None:
    integration = system.body["paths"]["/bookings"]["post"]["x-amazon-apigateway-integration"]
    integration["uri"] = {"Fn::Sub": integration["uri"]["Fn::Sub"].replace(":live", "")}


def _route_by_another_role(system: System) -> None:
    integration = system.body["paths"]["/bookings"]["post"]["x-amazon-apigateway-integration"]
    integration["credentials"] = {"Fn::GetAtt": ["BookFunctionRole", "Arn"]}


def _statement(system: System, role: str) -> Any:
    return system.properties(role)["Policies"][0]["PolicyDocument"]["Statement"][0]


def _let_the_api_migrate(system: System) -> None:
    _statement(system, "ApiRole")["Resource"].append({"Ref": "MigrateFunctionAliaslive"})


def _let_the_api_invoke_any_version(system: System) -> None:
    _statement(system, "ApiRole")["Resource"].append({"Fn::GetAtt": ["BookFunction", "Arn"]})


def _permit_by_hand(system: System) -> None:
    system.resources["Surprise"] = {"Type": "AWS::Lambda::Permission", "Properties": {}}


def _let_schedules_book(system: System) -> None:
    _statement(system, "SchedulesRole")["Resource"].append({"Ref": "BookFunctionAliaslive"})


def _forget_a_scheduled_function(system: System) -> None:
    _statement(system, "SchedulesRole")["Resource"].remove({"Ref": "RelayOutboxFunctionAliaslive"})


def _open_a_route(system: System) -> None:
    system.body["paths"]["/bookings"]["get"]["security"] = [{"NONE": []}]


def _close_the_catalog(system: System) -> None:
    system.body["paths"]["/events"]["get"]["security"] = [{"Tokens": []}]


def _publish_settings_of_ratings(system: System) -> None:
    system.body["paths"]["/ratings/settings"]["get"]["security"] = [{"NONE": []}]


def _forget_the_authorizer(system: System) -> None:
    del system.body["paths"]["/holds"]["post"]["security"]


def _be_slow(system: System) -> None:
    system.properties("BookFunction")["Timeout"] = 29


def _verify_by_the_newest_code(system: System) -> None:
    authorizer = system.body["securityDefinitions"]["Tokens"]["x-amazon-apigateway-authorizer"]
    authorizer["authorizerUri"]["Fn::Sub"][1]["__FunctionArn__"] = {"Fn::GetAtt": ["AuthorizeFunction", "Arn"]}


def _ask_for_a_customer(system: System) -> None:
    system.body["definitions"]["newbooking"]["required"] = ["event_id", "customer_id"]


def _refuse_for_everybody(system: System) -> None:
    responses = system.body["x-amazon-apigateway-gateway-responses"]
    del responses["ACCESS_DENIED"]["responseParameters"]["gatewayresponse.header.Vary"]


def _refuse_in_prose(system: System) -> None:
    response = system.body["x-amazon-apigateway-gateway-responses"]["THROTTLED"]
    response["responseTemplates"]["application/json"] = '{"message": "Slow down"}'


def _throttle_nothing(system: System) -> None:
    _stage(system)["MethodSettings"] = [{"ResourcePath": "/*", "HttpMethod": "*", "MetricsEnabled": True}]


def _measure_every_route(system: System) -> None:
    settings = _stage(system)["MethodSettings"]
    assert isinstance(settings, list)
    for setting in settings:
        setting["MetricsEnabled"] = True


def _log_no_access(system: System) -> None:
    del _stage(system)["AccessLogSetting"]


def _cache_by_the_path_alone(system: System) -> None:
    del system.body["paths"]["/organizations"]["get"]["x-amazon-apigateway-integration"]["cacheKeyParameters"]


def _cache_what_is_private(system: System) -> None:
    settings = _stage(system)["MethodSettings"]
    assert isinstance(settings, list)
    settings.append({"HttpMethod": "GET", "ResourcePath": "/~1bookings", "CachingEnabled": True})


def _lose_what_fails(system: System) -> None:
    del system.properties("MessagesQueue")["RedrivePolicy"]


def _lend_dead_letters(system: System) -> None:
    system.properties("RelayQueue")["RedrivePolicy"]["deadLetterTargetArn"] = {
        "Fn::GetAtt": ["MessagesDeadLetters", "Arn"]
    }


def _watch_no_dead_letters(system: System) -> None:
    del system.resources["RelayDeadLettersAlarm"]


def _watch_no_age(system: System) -> None:
    del system.resources["MessagesQueueAgeAlarm"]


def _show_messages_too_early(system: System) -> None:
    system.properties("SendMessagesFunction")["Timeout"] = 61


def _repeat_whole_batches(system: System) -> None:
    del system.properties("MessagesSource")["FunctionResponseTypes"]


def _drain_the_connections(system: System) -> None:
    del system.properties("RelaySource")["ScalingConfig"]


def _stop_after_sixteen_messages(system: System) -> None:
    del system.properties("RelayOutboxFunction")["RecursiveLoop"]


def _schedule_without_dead_letters(system: System) -> None:
    del system.properties("RelayOutboxFunctionRelayOutboxSchedule")["Target"]["DeadLetterConfig"]


def _schedule_without_a_job(system: System) -> None:
    del system.properties("MaintainFunctionCleanUpSchedule")["Target"]["Input"]


def _lose_failed_runs(system: System) -> None:
    del system.resources["MaintainFunctionEventInvokeConfig"]


def _call_the_newest_code(system: System) -> None:
    system.properties("RelaySource")["FunctionName"] = {"Ref": "RelayOutboxFunction"}


def _shift_unwatched(system: System) -> None:
    system.properties("BookFunctionDeploymentGroup")["AlarmConfiguration"]["Enabled"] = False


def _shift_a_worker_slowly(system: System) -> None:
    system.resources["RelayOutboxFunctionDeploymentGroup"] = system.resources["BookFunctionDeploymentGroup"]


def _nest_a_function(system: System) -> None:
    system.nested["Database"]["Resources"]["Nested"] = {"Type": "AWS::Serverless::Function", "Properties": {}}


def _wait_in_a_circle(system: System) -> None:
    system.resources["DatabaseProxyTargets"]["DependsOn"] = "DatabaseWriter"


def _watch_the_wrong_queue(system: System) -> None:
    system.properties("Watching")["Parameters"]["RelayQueue"] = {"Fn::GetAtt": ["DeliverQueue", "QueueName"]}


def _give_a_stack_nothing(system: System) -> None:
    del system.properties("Database")["Parameters"]["VpcCidr"]


def _overtake_the_migration(system: System) -> None:
    del system.resources["CancelFunction"]["DependsOn"]


def _migrate_once_for_ever(system: System) -> None:
    del system.properties("Migration")["Sql"]


def _publish_for_code_only(system: System) -> None:
    del system.source["Resources"]["BookFunction"]["Properties"]["AutoPublishAliasAllProperties"]


def _change_a_layer_unseen(system: System) -> None:
    del system.source["Resources"]["DomainLayer"]["Properties"]["PublishLambdaVersion"]


def _trace_without_the_sdk(system: System) -> None:
    system.libraries.clear()


def _leave_a_folder_out(system: System) -> None:
    system.folders.add("forgotten")


def _grant_everything(system: System) -> None:
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": {"Fn::GetAtt": ["RelayQueue", "Arn"]}}
    system.properties("RelayOutboxFunctionRole")["Policies"].append({"PolicyDocument": {"Statement": [statement]}})


def _grant_everywhere(system: System) -> None:
    statement = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}
    system.properties("SendMessagesFunctionRole")["Policies"].append({"PolicyDocument": {"Statement": [statement]}})


def _take_a_broad_policy(system: System) -> None:
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
    system.properties("SendMessagesFunctionRole")["ManagedPolicyArns"].append(arn)


def _share_a_role(system: System) -> None:
    system.properties("CancelFunction")["Role"] = system.properties("BookFunction")["Role"]


def _let_book_read_the_keys_of_webhooks(system: System) -> None:
    variables = system.properties("BookFunction")["Environment"]["Variables"]
    variables["WEBHOOK_KEYS_SECRET_ARN"] = {"Ref": "WebhookKeys"}


def _let_the_keys_of_webhooks_vanish(system: System) -> None:
    system.resources["WebhookKeys"]["DeletionPolicy"] = "Delete"


def _put_a_secret_into_the_environment(system: System) -> None:
    variables = system.properties("BookFunction")["Environment"]["Variables"]
    variables["GREETING"] = "{{resolve:secretsmanager:marquee:SecretString:password}}"


def _put_the_database_into_the_environment(system: System) -> None:
    system.properties("BookFunction")["Environment"]["Variables"]["DATABASE_URL"] = {"Ref": "DatabasePeopleSecretArn"}


def _hand_out_the_owner(system: System) -> None:
    variables = system.properties("MaintainFunction")["Environment"]["Variables"]
    variables["DATABASE_OWNER_SECRET_ARN"] = {"Fn::GetAtt": ["Database", "Outputs.OwnerSecret"]}


def _let_the_catalog_be_the_service(system: System) -> None:
    catalog, book = (system.properties(f"{name}Function")["Environment"]["Variables"] for name in ("Catalog", "Book"))
    catalog["DATABASE_SERVICE_SECRET_ARN"] = book["DATABASE_SERVICE_SECRET_ARN"]


def _let_the_catalog_read_a_login(system: System) -> None:
    system.properties("CatalogFunctionRole")["Policies"] += system.properties("BookFunctionRole")["Policies"]


def _schedule_without_a_login(system: System) -> None:
    del system.properties("MaintainFunction")["Environment"]["Variables"]["DATABASE_SERVICE_SECRET_ARN"]


def _take_tokens_in_the_catalog(system: System) -> None:
    system.body["paths"]["/events"]["get"]["security"] = [{"Tokens": []}]


def _lend_a_login(system: System) -> None:
    statement = system.properties("FormerLoginPolicy")["PolicyDocument"]["Statement"][0]
    statement["Resource"] = {"Ref": "ServiceSecret"}


def _trust_anyone(system: System) -> None:
    system.source["Parameters"]["DatabaseTls"]["Default"] = "require"


def _trust_the_wrong_authority(system: System) -> None:
    system.properties("MigrateFunction")["Environment"]["Variables"]["DATABASE_CA"] = "amazon"


def _open_the_database(system: System) -> None:
    system.properties("DatabaseWriter")["PubliclyAccessible"] = True


def _lead_the_database_out(system: System) -> None:
    system.properties("OutwardRoute")["RouteTableId"] = {"Ref": "Routes"}


def _shut_the_proxy_in(system: System) -> None:
    del system.resources["ProxyToEndpoints"]


def _let_stripe_in_by_token(system: System) -> None:
    system.body["paths"]["/webhooks/stripe"]["post"]["security"] = [{"Tokens": []}]


def _alarm_nobody(system: System) -> None:
    del system.properties("BookingLatencyAlarm")["AlarmActions"]


def _add_an_unexplained_alarm(system: System) -> None:
    system.resources["SurpriseAlarm"] = system.resources["BookingLatencyAlarm"]


def _grow_too_many(system: System) -> None:
    logs = system.resources["BookingLogs"]
    system.translated["Resources"].update({f"Copy{number}": logs for number in range(420)})


def _write_too_much(system: System) -> None:
    system.lines = 2_501


def _grow_too_large(system: System) -> None:
    system.properties("BookFunction")["Description"] = "book " * 200_000


def _watch_too_much(system: System) -> None:
    system.properties("WorkersThrottledAlarm")["Metrics"] += system.properties("StaffThrottledAlarm")["Metrics"]


def _trust_the_limiter(system: System) -> None:
    del system.properties("RateLimiterFailedAlarm")["Metrics"][1]


def _look_at_one_of_many(system: System) -> None:
    system.properties("WorkersThrottledAlarm")["Metrics"][0]["Expression"] = "relayoutbox"


def _watch_no_errors(system: System) -> None:
    del system.resources["InsightsErrorsAlarm"]


def _keep_logs_for_ever(system: System) -> None:
    del system.properties("BookingLogs")["RetentionInDays"]


def _let_the_database_make_its_log(system: System) -> None:
    del system.resources["DatabaseWriter"]["DependsOn"]


def _log_elsewhere(system: System) -> None:
    del system.properties("BookFunction")["LoggingConfig"]["LogGroup"]


def _sample(system: System, **members: str) -> dict[str, Any]:
    samples = system.samples.values()
    return next(each for each in samples if all(each.get(name) == value for name, value in members.items()))


def _forget_a_sample(system: System) -> None:
    _sample(system, resource="/waitlist/{entry_id}/accept").clear()


def _forget_a_schedules_sample(system: System) -> None:
    _sample(system, job="clean_up")["job"] = "tidy"


def _keep_an_old_sample(system: System) -> None:
    _sample(system, httpMethod="POST", resource="/bookings")["resource"] = "/reservations"


def _send_what_is_not_asked_for(system: System) -> None:
    _sample(system, httpMethod="POST", resource="/bookings")["body"] = '{"event": "yoga"}'


def _add_an_unexplained_parameter(system: System) -> None:
    system.source["Parameters"]["Surprise"] = {"Type": "String"}


def _show_what_is_gone(system: System) -> None:
    body = system.properties("Dashboard")["DashboardBody"]
    body["Fn::Sub"] = body["Fn::Sub"].replace("RelayQueue", "LostQueue")


BREAKS: tuple[tuple[Rule, Break, str], ...] = (
    (http_rules.every_route_has_a_handler, _answer_a_route_by_nobody, "POST /bookings"),
    (http_rules.every_route_is_documented, _add_route, "GET /surprise"),
    (http_rules.every_route_is_declared_by_its_function, _answer_a_route_by_another, "POST /holds of functions/book"),
    (http_rules.every_route_is_declared_by_its_function, _declare_a_route_alone, "GET /holds of functions/book"),
    (http_rules.routes_invoke_the_alias_by_one_role, _route_to_the_newest_code, "instead of its alias"),
    (http_rules.routes_invoke_the_alias_by_one_role, _route_by_another_role, "does not invoke by ApiRole"),
    (http_rules.routes_invoke_the_alias_by_one_role, _let_the_api_migrate, "invoke MigrateFunction"),
    (http_rules.routes_invoke_the_alias_by_one_role, _let_the_api_invoke_any_version, "more than aliases"),
    (http_rules.routes_invoke_the_alias_by_one_role, _permit_by_hand, "Surprise"),
    (http_rules.schedules_invoke_the_alias_by_one_role, _let_schedules_book, "may invoke BookFunction"),
    (
        http_rules.schedules_invoke_the_alias_by_one_role,
        _forget_a_scheduled_function,
        "may not invoke RelayOutboxFunction",
    ),
    (http_rules.only_catalog_scores_and_health_are_public, _open_a_route, "GET /bookings asks for no token"),
    (http_rules.only_catalog_scores_and_health_are_public, _close_the_catalog, "GET /events asks for a token"),
    (http_rules.only_catalog_scores_and_health_are_public, _publish_settings_of_ratings, "GET /ratings/settings"),
    (http_rules.only_catalog_scores_and_health_are_public, _let_stripe_in_by_token, "POST /webhooks/stripe asks"),
    (http_rules.only_catalog_scores_and_health_are_public, _forget_the_authorizer, "POST /holds"),
    (http_rules.answers_come_before_the_gateway_gives_up, _be_slow, "BookFunction"),
    (http_rules.tokens_are_verified_by_our_authorizer, _verify_by_the_newest_code, "alias"),
    (http_rules.the_gateway_asks_for_no_more_than_the_handler, _ask_for_a_customer, "POST /bookings"),
    (http_rules.refusals_of_the_gateway_are_problems, _refuse_in_prose, "THROTTLED"),
    (http_rules.refusals_of_the_gateway_are_problems, _refuse_for_everybody, "ACCESS_DENIED does not say"),
    (http_rules.the_stage_is_throttled_logged_and_traced, _throttle_nothing, "/* is not throttled"),
    (http_rules.the_stage_is_throttled_logged_and_traced, _log_no_access, "access log"),
    (http_rules.only_watched_routes_have_metrics, _measure_every_route, "GET /events is measured"),
    (http_rules.cached_answers_are_kept_by_all_that_decides_them, _cache_by_the_path_alone, "GET /organizations"),
    (http_rules.cached_answers_are_kept_by_all_that_decides_them, _cache_what_is_private, "not public"),
    (work_rules.every_queue_has_dead_letters, _lose_what_fails, "MessagesQueue"),
    (work_rules.every_queue_has_dead_letters, _lend_dead_letters, "RelayQueue"),
    (work_rules.every_queue_is_watched, _watch_no_dead_letters, "RelayDeadLetters"),
    (work_rules.every_queue_is_watched, _watch_no_age, "MessagesQueue"),
    (work_rules.messages_stay_hidden_six_time_outs_long, _show_messages_too_early, "MessagesQueue"),
    (work_rules.batches_fail_in_part_and_in_bounds, _repeat_whole_batches, "MessagesSource"),
    (work_rules.batches_fail_in_part_and_in_bounds, _drain_the_connections, "RelaySource"),
    (work_rules.those_who_continue_by_message_may, _stop_after_sixteen_messages, "RelayOutboxFunction"),
    (work_rules.every_schedule_has_dead_letters, _schedule_without_dead_letters, "RelayOutboxSchedule"),
    (work_rules.every_schedule_has_dead_letters, _schedule_without_a_job, "CleanUpSchedule"),
    (work_rules.failed_runs_of_schedules_are_parked, _lose_failed_runs, "MaintainFunction"),
    (work_rules.everything_calls_the_alias, _call_the_newest_code, "RelaySource"),
    (work_rules.traffic_shifts_under_watch, _shift_unwatched, "BookFunction"),
    (work_rules.traffic_shifts_under_watch, _shift_a_worker_slowly, "RelayOutboxFunctionDeploymentGroup"),
    (work_rules.nested_stacks_wait_for_no_function, _nest_a_function, "Nested cannot be"),
    (work_rules.nested_stacks_wait_for_no_function, _wait_in_a_circle, "target group"),
    (work_rules.nested_stacks_are_given_what_they_name, _watch_the_wrong_queue, "something else as RelayQueue"),
    (work_rules.nested_stacks_are_given_what_they_name, _give_a_stack_nothing, "VpcCidr"),
    (work_rules.migrations_run_before_functions_change, _overtake_the_migration, "CancelFunction"),
    (work_rules.migrations_run_before_functions_change, _migrate_once_for_ever, "SqlLayer"),
    (work_rules.a_change_of_any_kind_publishes_a_version, _publish_for_code_only, "BookFunction"),
    (work_rules.a_change_of_any_kind_publishes_a_version, _change_a_layer_unseen, "DomainLayer"),
    (work_rules.the_layer_holds_what_settings_make_functions_load, _trace_without_the_sdk, "wrapt"),
    (work_rules.folders_and_functions_are_the_same, _leave_a_folder_out, "functions/forgotten"),
    (safety_rules.no_policy_holds_a_wildcard, _grant_everything, "RelayOutboxFunctionRole"),
    (safety_rules.no_policy_holds_a_wildcard, _grant_everywhere, "SendMessagesFunctionRole"),
    (safety_rules.no_policy_holds_a_wildcard, _take_a_broad_policy, "AWSLambdaSQSQueueExecutionRole"),
    (safety_rules.every_function_has_a_role_of_its_own, _share_a_role, "shares the role"),
    (safety_rules.only_three_functions_read_the_keys_of_webhooks, _let_book_read_the_keys_of_webhooks, "BookFunction"),
    (safety_rules.only_three_functions_read_the_keys_of_webhooks, _let_the_keys_of_webhooks_vanish, "vanish"),
    (safety_rules.no_environment_variable_holds_a_secret, _put_a_secret_into_the_environment, "GREETING"),
    (safety_rules.no_environment_variable_holds_a_secret, _put_the_database_into_the_environment, "DATABASE_URL"),
    (safety_rules.only_migrate_knows_the_owner, _hand_out_the_owner, "MaintainFunction"),
    (safety_rules.functions_hold_the_logins_of_their_callers_alone, _let_the_catalog_be_the_service, "CatalogFunction"),
    (safety_rules.functions_hold_the_logins_of_their_callers_alone, _let_the_catalog_read_a_login, "the role has"),
    (safety_rules.functions_hold_the_logins_of_their_callers_alone, _schedule_without_a_login, "MaintainFunction"),
    (
        safety_rules.functions_hold_the_logins_of_their_callers_alone,
        _take_tokens_in_the_catalog,
        "lacks the login People",
    ),
    (safety_rules.functions_hold_the_logins_of_their_callers_alone, _lend_a_login, "FormerLoginPolicy lends"),
    (safety_rules.the_database_is_verified, _trust_anyone, "does not verify"),
    (safety_rules.the_database_is_verified, _trust_the_wrong_authority, "MigrateFunction"),
    (safety_rules.the_database_that_we_make_is_closed, _open_the_database, "DatabaseWriter"),
    (safety_rules.the_database_that_we_make_is_closed, _lead_the_database_out, "OutwardRoute leads"),
    (safety_rules.the_proxy_reaches_its_secrets, _shut_the_proxy_in, "the proxy may reach"),
    (operation_rules.every_alarm_tells_somebody, _alarm_nobody, "BookingLatencyAlarm has no AlarmActions"),
    (operation_rules.every_alarm_tells_somebody, _add_an_unexplained_alarm, "SurpriseAlarm is not explained"),
    (operation_rules.the_stack_is_not_too_large, _grow_too_many, "420 are allowed"),
    (operation_rules.the_stack_is_not_too_large, _write_too_much, "2501 lines"),
    (operation_rules.the_stack_is_not_too_large, _grow_too_large, "more than a megabyte"),
    (operation_rules.no_alarm_looks_at_too_much, _watch_too_much, "WorkersThrottledAlarm"),
    (operation_rules.every_function_is_watched, _watch_no_errors, "InsightsFunction"),
    (operation_rules.every_function_is_watched, _look_at_one_of_many, "SendMessagesFunction is throttled"),
    (operation_rules.the_limiter_is_watched_wherever_it_limits, _trust_the_limiter, "book is limited"),
    (operation_rules.every_function_logs_where_it_is_kept, _keep_logs_for_ever, "BookingLogs"),
    (operation_rules.every_function_logs_where_it_is_kept, _let_the_database_make_its_log, "postgresql"),
    (operation_rules.every_function_logs_where_it_is_kept, _log_elsewhere, "BookFunction"),
    (operation_rules.every_trigger_has_a_sample, _forget_a_sample, "/waitlist/{entry_id}/accept"),
    (operation_rules.every_trigger_has_a_sample, _forget_a_schedules_sample, "CleanUpSchedule"),
    (operation_rules.every_sample_is_of_a_trigger, _keep_an_old_sample, "is of no route"),
    (operation_rules.every_sample_fits_its_operation, _send_what_is_not_asked_for, "'event' was unexpected"),
    (operation_rules.every_parameter_is_explained, _add_an_unexplained_parameter, "Surprise"),
    (operation_rules.the_dashboard_shows_what_exists, _show_what_is_gone, "LostQueue"),
)
