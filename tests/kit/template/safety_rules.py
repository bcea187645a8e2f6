"""Check permissions, secrets and the database's network."""

import json
import re
from collections.abc import Iterator
from typing import Any

from scripts.templates import mentions
from tests.kit.template.http_rules import SIGNED
from tests.kit.template.system import System

LOGINS = ("Public", "People", "Service")
QUEUE_SOURCE = "AWS::Lambda::EventSourceMapping"

MANAGED_POLICIES = {
    "AWSLambdaBasicExecutionRole": "a function writes its log; log streams cannot be named ahead",
    "AWSLambdaVPCAccessExecutionRole": "network interfaces have no name before their creation",
    "AWSXrayWriteOnlyAccess": "X-Ray has no resources to name",
    "AWSCodeDeployRoleForLambda": "created by SAM for CodeDeploy, which shifts the aliases' traffic",
    "AmazonAPIGatewayPushToCloudWatchLogs": "one role for all APIs of the account",
    "AmazonRDSEnhancedMonitoringRole": "RDS writes its figures to a log group of its own",
}
WILDCARDS = {
    "StorageEndpoint": "CloudFormation uses a new object name for each response, and each export has its own",
    "ExportsPolicy": "refuses everybody who uses no TLS",
    "MaintainFunctionRole": "each export is a new object",
    "ProfileFunctionRole": "each export is a new object",
}
SECRET_NAMES = re.compile(
    r"PASSWORD|PASSWD|SECRET|(?<!ALLOW_)PRIVATE|CREDENTIAL|API_KEY|ACCESS_KEY|DATABASE_URL|CONNECTION"
)
SECRET_VALUES = re.compile(r"\{\{resolve:|://[^/@\s]*:[^/@\s]*@|-----BEGIN|AKIA[0-9A-Z]{12}")


def no_policy_holds_a_wildcard(system: System) -> Iterator[str]:
    """Require one ARN per statement, without `*` in actions or resources and without inverted elements."""
    for name, resource in system.resources.items():
        for statement in _statements(resource.get("Properties", {})):
            if {"NotAction", "NotResource", "NotPrincipal"} & statement.keys():
                yield f"{name} uses an inverted policy element"
            granted = json.dumps([statement.get("Action"), statement.get("Resource")])
            if "*" in granted and name not in WILDCARDS:
                yield f"{name} grants {granted}"
            if "*" in json.dumps(statement.get("Principal")) and name not in WILDCARDS:
                yield f"{name} grants to every principal"
        for policy in resource.get("Properties", {}).get("ManagedPolicyArns") or []:
            text = policy if isinstance(policy, str) else policy["Fn::Sub"]
            if text.rsplit("/", 1)[1] not in MANAGED_POLICIES:
                yield f"{name} takes {text}"


def every_function_has_its_own_role(system: System) -> Iterator[str]:
    """Require a separate role for each function, so that none gains another's permissions."""
    owners: dict[str, str] = {}
    for name in system.functions:
        role = next(mentions(system.properties(name)["Role"]), "")
        if role not in system.of_type("AWS::IAM::Role"):
            yield f"{name} has no role in this template"
        elif role in owners:
            yield f"{name} shares the role of {owners[role]}"
        owners[role] = name


def no_environment_variable_holds_a_secret(system: System) -> Iterator[str]:
    """Require that the environment names secrets by ARN and contains no secret and no database URL with a password."""
    hidden = {name for name, each in system.source["Parameters"].items() if each.get("NoEcho")}
    for name in system.functions:
        variables = system.properties(name).get("Environment", {}).get("Variables", {})
        for variable, value in variables.items():
            if SECRET_NAMES.search(variable.removesuffix("_SECRET_ARN")):
                yield f"{name}: {variable} sounds like a secret"
            if SECRET_VALUES.search(json.dumps(value)) or hidden & set(mentions(value)):
                yield f"{name}: {variable} holds a secret"


def only_migrate_knows_the_owner(system: System) -> Iterator[str]:
    """Require that only MigrateFunction can use the owner's login and read the SQL that it runs."""
    for name in system.functions.keys() - {"MigrateFunction"}:
        role = next(mentions(system.properties(name)["Role"]))
        known = set(mentions([system.properties(name), system.properties(role)]))
        text = json.dumps([system.properties(name), system.properties(role)])
        if "DatabaseOwnerSecretArn" in known or "Outputs.OwnerSecret" in text:
            yield f"{name} can reach the owner's login"
        if any(each.startswith("SqlLayer") for each in known):
            yield f"{name} carries the SQL"


def only_three_functions_read_the_keys_of_webhooks(system: System) -> Iterator[str]:
    """Require that only the functions that create, use and reseal signing secrets can read their keys."""
    for name in system.functions:
        role = next(mentions(system.properties(name)["Role"]))
        variables = system.properties(name).get("Environment", {}).get("Variables", {})
        if "WEBHOOK_KEYS" in variables:
            yield f"{name} has the keys in its environment"
        granted = "WebhookKeys" in set(mentions([system.properties(name), system.properties(role)]))
        if granted != (name in {"WebhookEndpointsFunction", "DeliverWebhooksFunction", "MaintainFunction"}):
            yield f"{name} {'can' if granted else 'cannot'} read the keys of webhooks"
    keys = system.resources["WebhookKeys"]
    if {keys.get("DeletionPolicy"), keys.get("UpdateReplacePolicy")} != {"Retain"}:
        yield "the keys of webhooks vanish with the stack"


def functions_hold_only_the_logins_of_their_callers(system: System) -> Iterator[str]:
    """Require that each function reads only the login secrets of the callers of its routes and triggers.

    A public route needs the public login. A route with tokens needs the logins for people and for the service, because
    a token may name service_role. A schedule, a queue and a signed request need the service's login. Migrate sets all
    of them.
    """
    triggers = [*system.of_type("AWS::Scheduler::Schedule").values(), *system.of_type(QUEUE_SOURCE).values()]
    for name in system.functions:
        needed: set[str] = set(LOGINS) if name == "MigrateFunction" else set()
        for route in (each for each in system.routes if each.function == name):
            needed |= {"Public"} if route.public else {"People", "Service"}
            needed |= {"Service"} if (route.method, route.path) in SIGNED else set()
        if any(f"{name}Aliaslive" in mentions(each["Properties"]) for each in triggers):
            needed.add("Service")
        variables = system.properties(name).get("Environment", {}).get("Variables", {})
        role = system.properties(next(mentions(system.properties(name)["Role"])))
        for login in LOGINS:
            secrets = {f"{login}Secret", f"Database{login}SecretArn"}
            named = secrets & set(mentions(variables.get(f"DATABASE_{login.upper()}_SECRET_ARN")))
            said = {"the environment": named, "the role": secrets & set(mentions(role))}
            for where, found in said.items():
                if login in needed and found != secrets:
                    yield f"{name}: {where} lacks the login {login}"
                elif login not in needed and found:
                    yield f"{name}: {where} has the login {login}, which none of its routes and triggers needs"
    every = {secret for login in LOGINS for secret in (f"{login}Secret", f"Database{login}SecretArn")}
    for name, resource in system.of_type("AWS::IAM::ManagedPolicy").items():
        if every & set(mentions(resource)):
            yield f"{name} lends logins beside the roles of the functions"


def database_certificate_is_verified(system: System) -> Iterator[str]:
    """Require that TLS verifies the server by default, and always for the database of the stack."""
    if system.source["Parameters"]["DatabaseTls"]["Default"] != "verify-full":
        yield "DatabaseTls does not verify by default"
    if system.source["Rules"].get("OwnDatabaseIsVerified") is None:
        yield "our own database can be reached without certificate verification"
    for name in system.functions:
        variables = system.properties(name).get("Environment", {}).get("Variables", {})
        existing = {"Fn::If": ["MakeDatabase", "rds", {"Ref": "DatabaseCa"}]}
        ours = existing if name == "MigrateFunction" else {"Fn::If": ["MakeProxy", "amazon", existing]}
        if variables.get("DATABASE_TLS") != {"Ref": "DatabaseTls"}:
            yield f"{name} does not follow DatabaseTls"
        if variables.get("DATABASE_CA") != ours:
            yield f"{name} trusts other certificates than those of its server"


def own_database_is_private(system: System) -> Iterator[str]:
    """Require that our database is encrypted, private, reached with TLS through the proxy, and kept on deletion."""
    cluster, proxy = system.resources["DatabaseCluster"], system.properties("DatabaseProxy")
    if not cluster["Properties"].get("StorageEncrypted"):
        yield "the database is not encrypted"
    if cluster["Properties"].get("MasterUserPassword") or not cluster["Properties"].get("ManageMasterUserPassword"):
        yield "the template contains the owner's password"
    if {cluster.get("DeletionPolicy"), cluster.get("UpdateReplacePolicy")} != {"Snapshot"}:
        yield "the database can vanish with the stack"
    if not proxy.get("RequireTLS"):
        yield "the proxy takes connections without TLS"
    for name, instance in system.of_type("AWS::RDS::DBInstance").items():
        if instance["Properties"].get("PubliclyAccessible") is not False:
            yield f"{name} can be reached from the internet"
    for kind in ("AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::EIP"):
        for name in system.of_type(kind):
            if not name.startswith("WayOut"):
                yield f"{name} opens a way to the internet"
    for name, route in system.of_type("AWS::EC2::Route").items():
        if set(mentions(route["Properties"]["RouteTableId"])) & {"Routes"}:
            yield f"{name} leads from the database's subnets to the internet"
    if set(mentions(system.properties("DatabaseSubnets")["SubnetIds"])) != {"FirstSubnet", "SecondSubnet"}:
        yield "the database is not in its own subnets"


def proxy_reaches_its_secrets(system: System) -> Iterator[str]:
    """Require that the proxy can read the logins from Secrets Manager, through the endpoint where there is one."""
    doors = {
        (each["FromPort"], next(mentions(each["DestinationSecurityGroupId"])))
        for each in [
            *system.properties("ProxySecurityGroup")["SecurityGroupEgress"],
            *(each["Properties"] for each in system.of_type("AWS::EC2::SecurityGroupEgress").values()),
        ]
        if each.get("GroupId", {"Ref": "ProxySecurityGroup"}) == {"Ref": "ProxySecurityGroup"}
    }
    if doors != {(5432, "DatabaseSecurityGroup"), (443, "EndpointsSecurityGroup")}:
        yield f"the proxy may reach {sorted(doors)}"


def _statements(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all policy statements in a resource's properties, except trust policies, which name services."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "AssumeRolePolicyDocument":
                continue
            if key == "Statement" and isinstance(inner, list):
                yield from (each for each in inner if "Effect" in each)
            else:
                yield from _statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _statements(inner)


RULES = (
    no_policy_holds_a_wildcard,
    every_function_has_its_own_role,
    no_environment_variable_holds_a_secret,
    only_migrate_knows_the_owner,
    only_three_functions_read_the_keys_of_webhooks,
    functions_hold_only_the_logins_of_their_callers,
    database_certificate_is_verified,
    own_database_is_private,
    proxy_reaches_its_secrets,
)
