"""The emulator gets the real template without the three features that it lacks."""

import copy

import pytest

from local import documents
from scripts.deploy_check import ROOT, adapted

pytestmark = pytest.mark.usefixtures("sockets_off")


def test_adapted_template_differs_only_in_the_listed_parts() -> None:
    built = documents.read(ROOT / "template.yaml")
    before = copy.deepcopy(built)

    resources = adapted(built)["Resources"]

    gone = before["Resources"].keys() - resources.keys()
    assert gone == {"ApiFaultsCriticalAlarm", "AuthorizeErrorsAlarm"}
    for name, resource in resources.items():
        expected = before["Resources"][name]
        expected.get("Properties", {}).pop("DeploymentPreference", None)
        if name == "MigrateFunction":
            expected["Properties"]["Environment"]["Variables"]["SQL_FOLDER"] = str(ROOT / "sql")
        assert resource == expected
