"""template.yaml keeps the rules of tests/kit/template, and each rule detects a violation."""

import json
import re
import tomllib

import pytest

from tests.kit.template import http_rules, operation_rules, safety_rules, work_rules
from tests.kit.template.breaks import BREAKS, Break
from tests.kit.template.system import ROOT, Rule, System, load

pytestmark = pytest.mark.usefixtures("sockets_off")

RULES = (*http_rules.RULES, *work_rules.RULES, *safety_rules.RULES, *operation_rules.RULES)


@pytest.fixture
def system() -> System:
    return load()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_template_keeps_the_rule(system: System, rule: Rule) -> None:
    assert sorted(rule(system)) == []


@pytest.mark.parametrize(("rule", "broken", "complaint"), BREAKS, ids=lambda part: getattr(part, "__name__", None))
def test_rule_reports_a_violation(system: System, rule: Rule, broken: Break, complaint: str) -> None:
    before = set(rule(system))
    broken(system)

    complaints = set(rule(system)) - before

    assert any(complaint in each for each in complaints), complaints


def test_every_rule_has_a_test_that_violates_it() -> None:
    assert {rule for rule, _, _ in BREAKS} == set(RULES)


def test_change_of_the_domain_layer_publishes_every_function(system: System) -> None:
    first = set(system.of_type("AWS::Lambda::Version"))
    system.source["Resources"]["DomainLayer"]["Properties"]["ContentUri"] = "layers/domain-changed"

    system.translate()

    assert first.isdisjoint(system.of_type("AWS::Lambda::Version"))


def test_change_of_the_sql_layer_publishes_migrate_only(system: System) -> None:
    first, migration = set(system.of_type("AWS::Lambda::Version")), system.properties("Migration")
    system.source["Resources"]["SqlLayer"]["Properties"]["ContentUri"] = "sql-changed"

    system.translate()

    gone = first - set(system.of_type("AWS::Lambda::Version"))
    assert [name for name in gone if not name.startswith("MigrateFunctionVersion")] == []
    assert len(gone) == 1
    assert system.properties("Migration") != migration


def test_new_function_with_a_route_adds_at_most_six_resources(system: System) -> None:
    before, source = len(system.translated["Resources"]), system.source["Resources"]
    for name in ("ProfileFunction", "ProfileErrorsAlarm"):
        text = json.dumps(source[name]).replace("Profile", "Venues")
        source[name.replace("Profile", "Venues")] = json.loads(text)
    paths = source["Api"]["Properties"]["DefinitionBody"]["paths"]
    paths["/venues"] = json.loads(json.dumps(paths["/profile"]).replace("Profile", "Venues"))
    role = source["ApiRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
    role["Resource"].append({"Ref": "VenuesFunction.Alias"})

    system.translate()

    assert "VenuesFunctionDeploymentGroup" in system.resources
    assert len(system.translated["Resources"]) - before <= 6


def test_settings_of_every_environment_allow_nested_stacks() -> None:
    for environment, commands in tomllib.loads((ROOT / "samconfig.toml").read_text()).items():
        if environment == "version":
            continue
        assert "CAPABILITY_AUTO_EXPAND" in commands["deploy"]["parameters"]["capabilities"], environment
        assert commands["global"]["parameters"]["language_extensions"] is True, environment


def test_deploy_settings_use_existing_parameters_and_name_no_account() -> None:
    text = (ROOT / "samconfig.toml").read_text()
    parameters = load().source["Parameters"]

    for environment, commands in tomllib.loads(text).items():
        if environment == "version":
            continue
        for name, value in (each.split("=", 1) for each in commands["deploy"]["parameters"]["parameter_overrides"]):
            assert name in parameters, f"{environment}: {name}"
            allowed = [str(each) for each in parameters[name].get("AllowedValues", [value])]
            assert value in allowed, f"{environment}: {name}={value}"
            assert re.search(parameters[name].get("AllowedPattern", ""), value), f"{environment}: {name}={value}"
    assert not re.search(r"\b\d{12}\b", text)
