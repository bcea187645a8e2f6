"""Writes the software bills of materials (CycloneDX 1.6, JSON) and checks the licences in them.

    python -m scripts.sbom              write .sbom/deployed.json and .sbom/local.json
    python -m scripts.sbom --dated      add the time and a random serial number

`deployed` lists the packages of the layers, `local` those that `make up` installs. Names, versions and hashes come from
the pinned requirements, licences from the installed packages. Without --dated two runs write the same bytes, so the
files are not committed: the pins they are made from are.
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from boolean import AND, OR
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from license_expression import ExpressionError, get_spdx_licensing
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".sbom"
BILLS: dict[str, Sequence[str]] = {
    "deployed": [f"layers/{layer}/requirements.txt" for layer in ("dependencies", "stripe", "numbers")],
    "local": ["requirements/local.txt"],
}

ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "LGPL-2.1-or-later",  # python-stdnum, used unchanged
        "LGPL-3.0-only",  # psycopg, used unchanged
        "MIT",
        "MIT-0",
        "MPL-2.0",  # certifi, used unchanged
        "PSF-2.0",
        "Zlib",
    }
)
"""Licences that ask nothing of code that uses the package unchanged. docs/reference/dependencies.md has the reasons."""

_SPELLINGS = {
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: MIT License": "MIT",
    # The first version with this name is 2.1. python-stdnum states that version in its files.
    "License :: OSI Approved :: GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
}
_PIN = re.compile(r"(?P<name>[a-z0-9.-]+)==(?P<version>[^ ]+)(?: ; (?P<marker>.+?))? \\")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class LicenceRefused(Exception):
    """A package has no licence of the allow-list."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A package of the requirements, with the hashes of its files."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]


def main() -> int:
    """Write both bills. Returns 1 if a licence is refused."""
    parser = argparse.ArgumentParser(description="Write the software bills of materials.")
    parser.add_argument("--dated", action="store_true", help="add the time and a random serial number")
    arguments = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for name, files in BILLS.items():
        try:
            text = bill(name, pins(files), dated=arguments.dated)
        except LicenceRefused as error:
            print(error, file=sys.stderr)
            return 1
        (FOLDER / f"{name}.json").write_text(text)
        print(f"{len(json.loads(text)['components']):4} packages in {FOLDER.name}/{name}.json")
    return 0


def pins(files: Iterable[str]) -> list[Pin]:
    """Return the packages of requirements files, each once."""
    found: dict[tuple[str, str], Pin] = {}
    for file in files:
        for block in re.split(r"\n(?=[a-z0-9])", (ROOT / file).read_text()):
            match = _PIN.match(block)
            if match is not None:
                pin = Pin(match["name"], match["version"], match["marker"], tuple(_HASH.findall(block)))
                found[pin.name, pin.version] = pin
    return [found[key] for key in sorted(found)]


def bill(name: str, packages: Sequence[Pin], *, dated: bool = False) -> str:
    """Return a bill of materials as JSON that is valid by its schema. Raises LicenceRefused."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    root = Component(
        name=f"{project['name']}-{name}",
        version=project["version"],
        type=ComponentType.APPLICATION,
        bom_ref=f"{project['name']}-{name}",
        licenses=[LicenseExpression(project["license"])],
    )
    document = Bom(components=[_component(pin) for pin in packages])
    document.metadata.component = root
    document.register_dependency(root, document.components)
    made: dict[str, Any] = json.loads(JsonV1Dot6(document).output_as_string())
    del made["serialNumber"], made["metadata"]["timestamp"]
    content = json.dumps(made, sort_keys=True)
    if dated:
        made["metadata"]["timestamp"] = datetime.now(UTC).isoformat()
    made["serialNumber"] = f"urn:uuid:{uuid4() if dated else uuid5(NAMESPACE_URL, content)}"
    text = json.dumps(made, indent=2, sort_keys=True) + "\n"
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem is not None:
        raise ValueError(f"The bill {name} is not valid CycloneDX: {problem}")
    return text


def licence(name: str) -> str:
    """Return a package's licence as an SPDX expression. Raises LicenceRefused when it names none that is known."""
    try:
        about = metadata(name)
    except PackageNotFoundError as error:
        raise LicenceRefused(f"{name} is not installed, so its licence is not known. Run make install.") from error
    stated = [about["License-Expression"], about["License"]]
    classifiers = [_SPELLINGS.get(text) for text in about.get_all("Classifier") or [] if text.startswith("License")]
    for candidate in [*stated, " OR ".join(filter(None, classifiers))]:
        expression = _SPELLINGS.get(candidate or "", candidate)
        if expression and "\n" not in expression and _is_spdx(expression):
            return expression
    raise LicenceRefused(f"{name} states no licence that is known here: {stated}. Look it up and add its spelling.")


def is_allowed(expression: str) -> bool:
    """Return whether the allow-list has an alternative of each part of an SPDX expression."""
    return _allows(_spdx().parse(expression, validate=True))


@lru_cache(maxsize=1)
def _spdx() -> Any:
    """Return the list of licences, which takes most of a second to read."""
    return get_spdx_licensing()


def _allows(node: Any) -> bool:
    if isinstance(node, AND):
        return all(_allows(part) for part in node.args)
    if isinstance(node, OR):
        return any(_allows(part) for part in node.args)
    return str(node) in ALLOWED


def _is_spdx(expression: str) -> bool:
    try:
        _spdx().parse(expression, validate=True)
    except ExpressionError:
        return False
    return True


def _component(pin: Pin) -> Component:
    expression = licence(pin.name)
    if not is_allowed(expression):
        raise LicenceRefused(
            f"{pin.name} {pin.version} is licensed {expression}, and ALLOWED in scripts/sbom.py does not have it. "
            "Use another package, or read the licence and add it with a reason."
        )
    address = PackageURL("pypi", name=pin.name, version=pin.version)
    return Component(
        name=pin.name,
        version=pin.version,
        bom_ref=str(address),
        purl=address,
        licenses=[LicenseExpression(expression)],
        # One package is several files, and each machine gets one of them.
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(str(address)),
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=value) for value in pin.hashes],
            )
        ],
        properties=[Property(name="marquee:marker", value=pin.marker)] if pin.marker else [],
    )


if __name__ == "__main__":
    raise SystemExit(main())
