"""The software bills of materials are valid, complete and reproducible, and contain only allowed licences."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts import sbom

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=sorted(sbom.BILLS))
def written(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Return the name and the text of a bill."""
    return request.param, sbom.bill(request.param, sbom.pins(sbom.BILLS[request.param]))


def test_bill_is_valid_against_the_schema(written):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written[1]) is None
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(written[1].replace("SHA-256", "SHA-0")) is not None


def test_bill_has_every_pinned_package_with_its_hashes_and_licence(written):
    name, text = written
    requirements = "".join((ROOT / file).read_text() for file in sbom.BILLS[name])
    components = json.loads(text)["components"]
    hashes = {entry["content"] for each in components for entry in each["externalReferences"][0]["hashes"]}

    assert {(each["name"], each["version"]) for each in components} == set(
        re.findall(r"^([a-z0-9.-]+)==(\S+)", requirements, re.MULTILINE)
    )
    assert hashes == set(re.findall(r"--hash=sha256:([0-9a-f]{64})", requirements))
    assert all(sbom.is_allowed(each["licenses"][0]["expression"]) for each in components)


def test_bills_list_every_layer_with_requirements():
    deployed = {str(path.relative_to(ROOT)) for path in ROOT.glob("layers/*/requirements.txt")}

    assert set(sbom.BILLS["deployed"]) == deployed


def test_bill_is_reproducible_unless_it_is_dated(written):
    name, text = written
    packages = sbom.pins(sbom.BILLS[name])

    assert sbom.bill(name, packages) == text
    assert "timestamp" not in text
    assert "timestamp" in json.loads(sbom.bill(name, packages, dated=True))["metadata"]


def test_serial_number_changes_with_a_hash(written):
    name, text = written
    first, *rest = sbom.pins(sbom.BILLS[name])

    changed = sbom.bill(name, [replace(first, hashes=("0" * 64,)), *rest])

    assert json.loads(changed)["serialNumber"] != json.loads(text)["serialNumber"]


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("Apache-2.0 AND GPL-3.0-only", False),
        ("AGPL-3.0-only", False),
        ("MIT AND (GPL-2.0-only OR BSD-3-Clause)", True),
        ("LGPL-3.0-only WITH Classpath-exception-2.0", False),
    ],
)
def test_licence_is_allowed_by_an_alternative_of_each_part(expression, allowed):
    assert sbom.is_allowed(expression) == allowed


def test_package_with_a_licence_outside_the_list_is_refused(monkeypatch):
    packages = [pin for pin in sbom.pins(sbom.BILLS["deployed"]) if pin.name == "certifi"]
    monkeypatch.setattr(sbom, "ALLOWED", sbom.ALLOWED - {"MPL-2.0"})

    with pytest.raises(sbom.LicenceRefused, match=r"certifi .* is licensed MPL-2\.0"):
        sbom.bill("deployed", packages)


def test_package_without_a_known_licence_is_refused(monkeypatch):
    monkeypatch.setattr(sbom, "_SPELLINGS", {})

    with pytest.raises(sbom.LicenceRefused, match="stripe states no licence"):
        sbom.licence("stripe")
