"""Break each rule in one way, on a copy of the system, to show that the rule detects it."""

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


def _route_to_a_missing_function(system: System) -> None:
    integration = system.body["paths"]["/bookings"]["post"]["x-amazon-apigateway-integration"]
    integration["uri"] = {"Fn::Sub": "arn:aws:apigateway:…:path/…/functions/${LostFunction.Arn}:live/invocations"}


def _route_to_another_function(system: System) -> None:
    paths = system.body["paths"]
    paths["/holds"]["post"]["x-amazon-apigateway-integration"] = copy.deepcopy(
        paths["/bookings/{booking_id}/cancel"]["post"]["x-amazon-apigateway-integration"]
    )


def _declare_a_route_outside_the_table(system: System) -> None:
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


def _add_an_invoke_permission(system: System) -> None:
    system.resources["Surprise"] = {"Type": "AWS::Lambda::Permission", "Properties": {}}


def _let_schedules_invoke_book(system: System) -> None:
    _statement(system, "SchedulesRole")["Resource"].append({"Ref": "BookFunctionAliaslive"})


def _omit_a_scheduled_function(system: System) -> None:
    _statement(system, "SchedulesRole")["Resource"].remove({"Ref": "RelayOutboxFunctionAliaslive"})


def _make_a_route_public(system: System) -> None:
    system.body["paths"]["/bookings"]["get"]["security"] = [{"NONE": []}]


def _require_a_token_for_the_catalog(system: System) -> None:
    system.body["paths"]["/events"]["get"]["security"] = [{"Tokens": []}]


def _make_rating_settings_public(system: System) -> None:
    system.body["paths"]["/ratings/settings"]["get"]["security"] = [{"NONE": []}]


def _remove_the_authorizer(system: System) -> None:
    del system.body["paths"]["/holds"]["post"]["security"]


def _set_a_long_timeout(system: System) -> None:
    system.properties("BookFunction")["Timeout"] = 29


def _verify_by_the_newest_code(system: System) -> None:
    authorizer = system.body["securityDefinitions"]["Tokens"]["x-amazon-apigateway-authorizer"]
    authorizer["authorizerUri"]["Fn::Sub"][1]["__FunctionArn__"] = {"Fn::GetAtt": ["AuthorizeFunction", "Arn"]}


def _require_a_customer(system: System) -> None:
    system.body["definitions"]["newbooking"]["required"] = ["event_id", "customer_id"]


def _refuse_a_nullable_member(system: System) -> None:
    system.body["definitions"]["newhold"]["properties"]["customer_id"] = {"type": "string"}


def _check_a_list_of_types(system: System) -> None:
    system.body["definitions"]["newhold"]["properties"]["customer_id"] = {"type": ["string", "null"]}


def _refuse_more_than_the_handler(system: System) -> None:
    system.body["definitions"]["newhold"]["properties"]["seats"]["maximum"] = 10


def _omit_the_status(system: System) -> None:
    response = system.body["x-amazon-apigateway-gateway-responses"]["DEFAULT_5XX"]
    del response["statusCode"]
    template = response["responseTemplates"]["application/json"]
    response["responseTemplates"]["application/json"] = template.replace('"status": 502, ', "")


def _omit_the_vary_header(system: System) -> None:
    responses = system.body["x-amazon-apigateway-gateway-responses"]
    del responses["ACCESS_DENIED"]["responseParameters"]["gatewayresponse.header.Vary"]


def _refuse_without_a_problem_document(system: System) -> None:
    response = system.body["x-amazon-apigateway-gateway-responses"]["THROTTLED"]
    response["responseTemplates"]["application/json"] = '{"message": "Slow down"}'


def _throttle_nothing(system: System) -> None:
    _stage(system)["MethodSettings"] = [{"ResourcePath": "/*", "HttpMethod": "*", "MetricsEnabled": True}]


def _measure_every_route(system: System) -> None:
    settings = _stage(system)["MethodSettings"]
    assert isinstance(settings, list)
    for setting in settings:
        setting["MetricsEnabled"] = True


def _remove_the_access_log(system: System) -> None:
    del _stage(system)["AccessLogSetting"]


def _cache_by_the_path_alone(system: System) -> None:
    del system.body["paths"]["/organizations"]["get"]["x-amazon-apigateway-integration"]["cacheKeyParameters"]


def _cache_a_private_route(system: System) -> None:
    settings = _stage(system)["MethodSettings"]
    assert isinstance(settings, list)
    settings.append({"HttpMethod": "GET", "ResourcePath": "/~1bookings", "CachingEnabled": True})


def _remove_the_redrive_policy(system: System) -> None:
    del system.properties("MessagesQueue")["RedrivePolicy"]


def _share_a_dead_letter_queue(system: System) -> None:
    system.properties("RelayQueue")["RedrivePolicy"]["deadLetterTargetArn"] = {
        "Fn::GetAtt": ["MessagesDeadLetters", "Arn"]
    }


def _remove_the_dead_letter_alarm(system: System) -> None:
    del system.resources["RelayDeadLettersAlarm"]


def _remove_the_age_alarm(system: System) -> None:
    del system.resources["MessagesQueueAgeAlarm"]


def _lengthen_the_function_timeout(system: System) -> None:
    system.properties("SendMessagesFunction")["Timeout"] = 61


def _repeat_whole_batches(system: System) -> None:
    del system.properties("MessagesSource")["FunctionResponseTypes"]


def _remove_the_concurrency_limit(system: System) -> None:
    del system.properties("RelaySource")["ScalingConfig"]


def _forbid_recursion(system: System) -> None:
    del system.properties("RelayOutboxFunction")["RecursiveLoop"]


def _schedule_without_dead_letters(system: System) -> None:
    del system.properties("RelayOutboxFunctionRelayOutboxSchedule")["Target"]["DeadLetterConfig"]


def _schedule_without_a_job(system: System) -> None:
    del system.properties("MaintainFunctionCleanUpSchedule")["Target"]["Input"]


def _name_a_schedule(system: System) -> None:
    system.properties("MaintainFunctionCleanUpSchedule")["Name"] = "clean-up"


def _remove_the_failure_destination(system: System) -> None:
    del system.resources["MaintainFunctionEventInvokeConfig"]


def _call_the_newest_code(system: System) -> None:
    system.properties("RelaySource")["FunctionName"] = {"Ref": "RelayOutboxFunction"}


def _disable_the_rollback_alarms(system: System) -> None:
    system.properties("BookFunctionDeploymentGroup")["AlarmConfiguration"]["Enabled"] = False


def _deploy_a_worker_gradually(system: System) -> None:
    system.resources["RelayOutboxFunctionDeploymentGroup"] = system.resources["BookFunctionDeploymentGroup"]


def _nest_a_function(system: System) -> None:
    system.nested["Database"]["Resources"]["Nested"] = {"Type": "AWS::Serverless::Function", "Properties": {}}


def _remove_the_target_groups_dependency(system: System) -> None:
    system.resources["DatabaseProxyTargets"]["DependsOn"] = "DatabaseWriter"


def _watch_the_wrong_queue(system: System) -> None:
    system.properties("Watching")["Parameters"]["RelayQueue"] = {"Fn::GetAtt": ["DeliverQueue", "QueueName"]}


def _omit_a_stack_parameter(system: System) -> None:
    del system.properties("Database")["Parameters"]["VpcCidr"]


def _remove_the_dependency_on_the_migration(system: System) -> None:
    del system.resources["CancelFunction"]["DependsOn"]


def _remove_the_sql_from_the_migration(system: System) -> None:
    del system.properties("Migration")["Sql"]


def _publish_for_code_only(system: System) -> None:
    del system.source["Resources"]["BookFunction"]["Properties"]["AutoPublishAliasAllProperties"]


def _publish_no_version_for_a_layer(system: System) -> None:
    del system.source["Resources"]["DomainLayer"]["Properties"]["PublishLambdaVersion"]


def _trace_without_the_sdk(system: System) -> None:
    system.libraries.clear()


def _add_a_folder_without_a_function(system: System) -> None:
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


def _let_book_read_the_webhook_keys(system: System) -> None:
    variables = system.properties("BookFunction")["Environment"]["Variables"]
    variables["WEBHOOK_KEYS_SECRET_ARN"] = {"Ref": "WebhookKeys"}


def _delete_the_webhook_keys_with_the_stack(system: System) -> None:
    system.resources["WebhookKeys"]["DeletionPolicy"] = "Delete"


def _put_a_secret_into_the_environment(system: System) -> None:
    variables = system.properties("BookFunction")["Environment"]["Variables"]
    variables["GREETING"] = "{{resolve:secretsmanager:marquee:SecretString:password}}"


def _put_the_database_into_the_environment(system: System) -> None:
    system.properties("BookFunction")["Environment"]["Variables"]["DATABASE_URL"] = {"Ref": "DatabasePeopleSecretArn"}


def _give_the_owners_login_to_a_function(system: System) -> None:
    variables = system.properties("MaintainFunction")["Environment"]["Variables"]
    variables["DATABASE_OWNER_SECRET_ARN"] = {"Fn::GetAtt": ["Database", "Outputs.OwnerSecret"]}


def _give_the_catalog_the_service_login(system: System) -> None:
    catalog, book = (system.properties(f"{name}Function")["Environment"]["Variables"] for name in ("Catalog", "Book"))
    catalog["DATABASE_SERVICE_SECRET_ARN"] = book["DATABASE_SERVICE_SECRET_ARN"]


def _let_the_catalogs_role_read_a_login(system: System) -> None:
    system.properties("CatalogFunctionRole")["Policies"] += system.properties("BookFunctionRole")["Policies"]


def _schedule_without_a_login(system: System) -> None:
    del system.properties("MaintainFunction")["Environment"]["Variables"]["DATABASE_SERVICE_SECRET_ARN"]


def _take_tokens_in_the_catalog(system: System) -> None:
    system.body["paths"]["/events"]["get"]["security"] = [{"Tokens": []}]


def _let_a_policy_read_the_service_login(system: System) -> None:
    statement = system.properties("FormerLoginPolicy")["PolicyDocument"]["Statement"][0]
    statement["Resource"] = {"Ref": "ServiceSecret"}


def _skip_the_certificate_check(system: System) -> None:
    system.source["Parameters"]["DatabaseTls"]["Default"] = "require"


def _set_the_wrong_certificate_authority(system: System) -> None:
    system.properties("MigrateFunction")["Environment"]["Variables"]["DATABASE_CA"] = "amazon"


def _open_the_database(system: System) -> None:
    system.properties("DatabaseWriter")["PubliclyAccessible"] = True


def _add_a_route_to_the_internet(system: System) -> None:
    system.properties("OutwardRoute")["RouteTableId"] = {"Ref": "Routes"}


def _remove_the_proxys_egress(system: System) -> None:
    del system.resources["ProxyToEndpoints"]


def _require_a_token_for_stripe(system: System) -> None:
    system.body["paths"]["/webhooks/stripe"]["post"]["security"] = [{"Tokens": []}]


def _require_a_token_to_unsubscribe(system: System) -> None:
    system.body["paths"]["/unsubscribe/{token}"]["post"]["security"] = [{"Tokens": []}]


def _remove_the_alarm_actions(system: System) -> None:
    del system.properties("BookingLatencyAlarm")["AlarmActions"]


def _add_an_unexplained_alarm(system: System) -> None:
    system.resources["SurpriseAlarm"] = system.resources["BookingLatencyAlarm"]


def _add_too_many_resources(system: System) -> None:
    logs = system.resources["BookingLogs"]
    system.translated["Resources"].update({f"Copy{number}": logs for number in range(420)})


def _add_too_many_lines(system: System) -> None:
    system.lines = 2_501


def _add_a_long_description(system: System) -> None:
    system.properties("BookFunction")["Description"] = "book " * 200_000


def _add_too_many_alarm_queries(system: System) -> None:
    system.properties("WorkersThrottledAlarm")["Metrics"] += system.properties("StaffThrottledAlarm")["Metrics"]


def _remove_a_limiter_alarm_query(system: System) -> None:
    del system.properties("RateLimiterFailedAlarm")["Metrics"][1]


def _use_one_alarm_query_of_many(system: System) -> None:
    system.properties("WorkersThrottledAlarm")["Metrics"][0]["Expression"] = "relayoutbox"


def _remove_an_error_alarm(system: System) -> None:
    del system.resources["InsightsErrorsAlarm"]


def _remove_the_log_retention(system: System) -> None:
    del system.properties("BookingLogs")["RetentionInDays"]


def _create_the_database_before_its_log_group(system: System) -> None:
    del system.resources["DatabaseWriter"]["DependsOn"]


def _log_elsewhere(system: System) -> None:
    del system.properties("BookFunction")["LoggingConfig"]["LogGroup"]


def _sample(system: System, **members: str) -> dict[str, Any]:
    samples = system.samples.values()
    return next(each for each in samples if all(each.get(name) == value for name, value in members.items()))


def _remove_a_sample(system: System) -> None:
    _sample(system, resource="/waitlist/{entry_id}/accept").clear()


def _remove_a_schedules_sample(system: System) -> None:
    _sample(system, job="clean_up")["job"] = "tidy"


def _keep_an_old_sample(system: System) -> None:
    _sample(system, httpMethod="POST", resource="/bookings")["resource"] = "/reservations"


def _send_an_unknown_member(system: System) -> None:
    _sample(system, httpMethod="POST", resource="/bookings")["body"] = '{"event": "yoga"}'


def _add_an_unexplained_parameter(system: System) -> None:
    system.source["Parameters"]["Surprise"] = {"Type": "String"}


def _show_a_missing_resource(system: System) -> None:
    body = system.properties("Dashboard")["DashboardBody"]
    body["Fn::Sub"] = body["Fn::Sub"].replace("RelayQueue", "LostQueue")


BREAKS: tuple[tuple[Rule, Break, str], ...] = (
    (http_rules.every_route_has_a_handler, _route_to_a_missing_function, "POST /bookings"),
    (http_rules.every_route_is_documented, _add_route, "GET /surprise"),
    (http_rules.every_route_is_declared_by_its_function, _route_to_another_function, "POST /holds of functions/book"),
    (
        http_rules.every_route_is_declared_by_its_function,
        _declare_a_route_outside_the_table,
        "GET /holds of functions/book",
    ),
    (http_rules.routes_invoke_the_alias_by_one_role, _route_to_the_newest_code, "instead of its alias"),
    (http_rules.routes_invoke_the_alias_by_one_role, _route_by_another_role, "does not invoke by ApiRole"),
    (http_rules.routes_invoke_the_alias_by_one_role, _let_the_api_migrate, "invoke MigrateFunction"),
    (http_rules.routes_invoke_the_alias_by_one_role, _let_the_api_invoke_any_version, "more than aliases"),
    (http_rules.routes_invoke_the_alias_by_one_role, _add_an_invoke_permission, "Surprise"),
    (http_rules.schedules_invoke_the_alias_by_one_role, _let_schedules_invoke_book, "may invoke BookFunction"),
    (
        http_rules.schedules_invoke_the_alias_by_one_role,
        _omit_a_scheduled_function,
        "may not invoke RelayOutboxFunction",
    ),
    (http_rules.only_catalog_scores_and_health_are_public, _make_a_route_public, "GET /bookings asks for no token"),
    (
        http_rules.only_catalog_scores_and_health_are_public,
        _require_a_token_for_the_catalog,
        "GET /events asks for a token",
    ),
    (http_rules.only_catalog_scores_and_health_are_public, _make_rating_settings_public, "GET /ratings/settings"),
    (http_rules.only_catalog_scores_and_health_are_public, _require_a_token_for_stripe, "POST /webhooks/stripe asks"),
    (
        http_rules.only_catalog_scores_and_health_are_public,
        _require_a_token_to_unsubscribe,
        "POST /unsubscribe/{token} asks for a token",
    ),
    (http_rules.only_catalog_scores_and_health_are_public, _remove_the_authorizer, "POST /holds"),
    (http_rules.functions_time_out_before_the_gateway, _set_a_long_timeout, "BookFunction"),
    (http_rules.tokens_are_verified_by_our_authorizer, _verify_by_the_newest_code, "alias"),
    (http_rules.gateway_requires_no_more_than_the_handler, _require_a_customer, "POST /bookings"),
    (
        http_rules.gateway_requires_no_more_than_the_handler,
        _refuse_a_nullable_member,
        "is refused as null",
    ),
    (http_rules.gateway_requires_no_more_than_the_handler, _check_a_list_of_types, "a list of types"),
    (http_rules.gateway_requires_no_more_than_the_handler, _refuse_more_than_the_handler, "checked by maximum"),
    (http_rules.gateway_refusals_are_problem_documents, _omit_the_status, "DEFAULT_5XX is no problem document"),
    (http_rules.gateway_refusals_are_problem_documents, _refuse_without_a_problem_document, "THROTTLED"),
    (http_rules.gateway_refusals_are_problem_documents, _omit_the_vary_header, "ACCESS_DENIED does not say"),
    (http_rules.stage_is_throttled_logged_and_traced, _throttle_nothing, "/* is not throttled"),
    (http_rules.stage_is_throttled_logged_and_traced, _remove_the_access_log, "access log"),
    (http_rules.only_watched_routes_have_metrics, _measure_every_route, "GET /events is measured"),
    (http_rules.cache_keys_hold_every_parameter, _cache_by_the_path_alone, "GET /organizations"),
    (http_rules.cache_keys_hold_every_parameter, _cache_a_private_route, "not public"),
    (work_rules.every_queue_has_dead_letters, _remove_the_redrive_policy, "MessagesQueue"),
    (work_rules.every_queue_has_dead_letters, _share_a_dead_letter_queue, "RelayQueue"),
    (work_rules.every_queue_is_watched, _remove_the_dead_letter_alarm, "RelayDeadLetters"),
    (work_rules.every_queue_is_watched, _remove_the_age_alarm, "MessagesQueue"),
    (work_rules.visibility_timeout_is_six_function_timeouts, _lengthen_the_function_timeout, "MessagesQueue"),
    (work_rules.queue_sources_report_failures_and_limit_concurrency, _repeat_whole_batches, "MessagesSource"),
    (work_rules.queue_sources_report_failures_and_limit_concurrency, _remove_the_concurrency_limit, "RelaySource"),
    (work_rules.only_functions_that_send_to_themselves_may_recurse, _forbid_recursion, "RelayOutboxFunction"),
    (work_rules.every_schedule_has_dead_letters, _schedule_without_dead_letters, "RelayOutboxSchedule"),
    (work_rules.every_schedule_has_dead_letters, _schedule_without_a_job, "CleanUpSchedule"),
    (work_rules.schedules_have_generated_names, _name_a_schedule, "CleanUpSchedule"),
    (work_rules.failed_runs_of_schedules_are_parked, _remove_the_failure_destination, "MaintainFunction"),
    (work_rules.schedules_and_queues_call_the_alias, _call_the_newest_code, "RelaySource"),
    (work_rules.customer_functions_deploy_gradually_with_alarms, _disable_the_rollback_alarms, "BookFunction"),
    (
        work_rules.customer_functions_deploy_gradually_with_alarms,
        _deploy_a_worker_gradually,
        "RelayOutboxFunctionDeploymentGroup",
    ),
    (work_rules.nested_stacks_wait_for_no_function, _nest_a_function, "Nested cannot be"),
    (work_rules.nested_stacks_wait_for_no_function, _remove_the_target_groups_dependency, "target group"),
    (work_rules.nested_stacks_receive_their_named_parameters, _watch_the_wrong_queue, "something else as RelayQueue"),
    (work_rules.nested_stacks_receive_their_named_parameters, _omit_a_stack_parameter, "VpcCidr"),
    (work_rules.migrations_run_before_functions_change, _remove_the_dependency_on_the_migration, "CancelFunction"),
    (work_rules.migrations_run_before_functions_change, _remove_the_sql_from_the_migration, "SqlLayer"),
    (work_rules.every_change_publishes_a_version, _publish_for_code_only, "BookFunction"),
    (work_rules.every_change_publishes_a_version, _publish_no_version_for_a_layer, "DomainLayer"),
    (work_rules.tracing_libraries_are_pinned_in_the_layer, _trace_without_the_sdk, "wrapt"),
    (work_rules.folders_and_functions_correspond, _add_a_folder_without_a_function, "functions/forgotten"),
    (safety_rules.no_policy_holds_a_wildcard, _grant_everything, "RelayOutboxFunctionRole"),
    (safety_rules.no_policy_holds_a_wildcard, _grant_everywhere, "SendMessagesFunctionRole"),
    (safety_rules.no_policy_holds_a_wildcard, _take_a_broad_policy, "AWSLambdaSQSQueueExecutionRole"),
    (safety_rules.every_function_has_its_own_role, _share_a_role, "shares the role"),
    (safety_rules.only_three_functions_read_the_keys_of_webhooks, _let_book_read_the_webhook_keys, "BookFunction"),
    (safety_rules.only_three_functions_read_the_keys_of_webhooks, _delete_the_webhook_keys_with_the_stack, "vanish"),
    (safety_rules.no_environment_variable_holds_a_secret, _put_a_secret_into_the_environment, "GREETING"),
    (safety_rules.no_environment_variable_holds_a_secret, _put_the_database_into_the_environment, "DATABASE_URL"),
    (safety_rules.only_migrate_knows_the_owner, _give_the_owners_login_to_a_function, "MaintainFunction"),
    (
        safety_rules.functions_hold_only_the_logins_of_their_callers,
        _give_the_catalog_the_service_login,
        "CatalogFunction",
    ),
    (safety_rules.functions_hold_only_the_logins_of_their_callers, _let_the_catalogs_role_read_a_login, "the role has"),
    (safety_rules.functions_hold_only_the_logins_of_their_callers, _schedule_without_a_login, "MaintainFunction"),
    (
        safety_rules.functions_hold_only_the_logins_of_their_callers,
        _take_tokens_in_the_catalog,
        "lacks the login People",
    ),
    (
        safety_rules.functions_hold_only_the_logins_of_their_callers,
        _let_a_policy_read_the_service_login,
        "FormerLoginPolicy lends",
    ),
    (safety_rules.database_certificate_is_verified, _skip_the_certificate_check, "does not verify"),
    (safety_rules.database_certificate_is_verified, _set_the_wrong_certificate_authority, "MigrateFunction"),
    (safety_rules.own_database_is_private, _open_the_database, "DatabaseWriter"),
    (safety_rules.own_database_is_private, _add_a_route_to_the_internet, "OutwardRoute leads"),
    (safety_rules.proxy_reaches_its_secrets, _remove_the_proxys_egress, "the proxy may reach"),
    (
        operation_rules.every_alarm_notifies_and_is_documented,
        _remove_the_alarm_actions,
        "BookingLatencyAlarm has no AlarmActions",
    ),
    (
        operation_rules.every_alarm_notifies_and_is_documented,
        _add_an_unexplained_alarm,
        "SurpriseAlarm is not explained",
    ),
    (operation_rules.stacks_stay_below_the_size_limits, _add_too_many_resources, "420 are allowed"),
    (operation_rules.stacks_stay_below_the_size_limits, _add_too_many_lines, "2501 lines"),
    (operation_rules.stacks_stay_below_the_size_limits, _add_a_long_description, "more than a megabyte"),
    (operation_rules.no_alarm_exceeds_the_query_limit, _add_too_many_alarm_queries, "WorkersThrottledAlarm"),
    (operation_rules.every_function_is_watched, _remove_an_error_alarm, "InsightsFunction"),
    (operation_rules.every_function_is_watched, _use_one_alarm_query_of_many, "SendMessagesFunction is throttled"),
    (operation_rules.limiter_is_watched_where_it_limits, _remove_a_limiter_alarm_query, "book is limited"),
    (operation_rules.every_function_logs_to_a_group_with_retention, _remove_the_log_retention, "BookingLogs"),
    (
        operation_rules.every_function_logs_to_a_group_with_retention,
        _create_the_database_before_its_log_group,
        "postgresql",
    ),
    (operation_rules.every_function_logs_to_a_group_with_retention, _log_elsewhere, "BookFunction"),
    (operation_rules.every_trigger_has_a_sample, _remove_a_sample, "/waitlist/{entry_id}/accept"),
    (operation_rules.every_trigger_has_a_sample, _remove_a_schedules_sample, "CleanUpSchedule"),
    (operation_rules.every_sample_is_of_a_trigger, _keep_an_old_sample, "is of no route"),
    (operation_rules.every_sample_fits_its_operation, _send_an_unknown_member, "'event' was unexpected"),
    (operation_rules.every_parameter_is_explained, _add_an_unexplained_parameter, "Surprise"),
    (operation_rules.dashboard_shows_existing_resources, _show_a_missing_resource, "LostQueue"),
)
