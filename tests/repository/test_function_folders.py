"""The folders of functions: short doorways, and names that mean one module wherever they are imported."""

import re
import sys
from collections import Counter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("sockets_off")

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
FILES = sorted(FUNCTIONS.glob("*/*.py"))
BESIDE = [file for file in FILES if file.name != "app.py"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_doorway_is_short(file):
    assert len(file.read_text().splitlines()) <= 60


def test_every_module_beside_an_app_has_a_name_of_its_own():
    """In Lambda a function's folder comes first on the path: a module called `calendar` would be everybody's."""
    names = Counter(file.stem for file in BESIDE)
    others = {*sys.stdlib_module_names, *packages_distributions(), "marquee"}

    assert [name for name, times in names.items() if times > 1] == []
    assert sorted(names.keys() & others) == []


def test_every_module_beside_an_app_is_used():
    unused = [
        file
        for file in BESIDE
        if not any(re.search(rf"^(import|from) {file.stem}\b", text) for text in _texts(file.parent))
    ]

    assert unused == []


def _texts(folder):
    return [line for file in folder.glob("*.py") for line in file.read_text().splitlines()]
