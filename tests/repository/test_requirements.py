"""Requirements are pinned exactly, with hashes and without an index. Tests and functions share the versions."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
PINNED = sorted(
    str(path.relative_to(ROOT)) for path in [*ROOT.glob("requirements/*.txt"), *ROOT.glob("layers/*/requirements.txt")]
)
LAYER = "layers/dependencies/requirements.txt"
STRIPE_LAYER = "layers/stripe/requirements.txt"
NUMBERS_LAYER = "layers/numbers/requirements.txt"
INSTALLERS = ("Makefile", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "scripts").glob("*.sh"))))
_PIN = re.compile(r"[a-z0-9.-]+==[0-9][0-9a-z.]*( ; .+)?")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
_INSTALL = re.compile(r"\bpip\b.*\b(install|download|sync)\b")


def lines(name: str) -> list[str]:
    return [line for line in (ROOT / name).read_text().splitlines() if not line.startswith("#")]


def pins(name: str) -> list[str]:
    return [line.removesuffix(" \\") for line in lines(name) if not line.startswith(" ")]


def test_every_set_of_requirements_is_pinned():
    """Each set has an input file and a generated file of pins."""
    assert {path.stem for path in ROOT.glob("requirements/*.in")} == {
        path.stem for path in ROOT.glob("requirements/*.txt")
    }
    assert not list(ROOT.glob("functions/*/requirements.txt"))


@pytest.mark.parametrize("name", PINNED)
def test_every_package_is_pinned_and_no_index_is_named(name):
    assert [line for line in lines(name) if not _HASH.fullmatch(line) and not _PIN.fullmatch(line[:-2])] == []


@pytest.mark.parametrize("name", PINNED)
def test_every_pin_is_followed_by_a_hash(name):
    followed = [*lines(name), "end"]

    assert [
        line
        for line, after in pairwise(followed)
        if line.endswith(" \\") != after.startswith("    --hash=") or (not line.startswith(" ") and line[-2:] != " \\")
    ] == []


def test_every_installation_requires_hashes():
    """A command over two lines counts as one."""
    commands = {
        (name, " ".join(line.split()))
        for name in INSTALLERS
        for line in (ROOT / name).read_text().replace("\\\n", " ").splitlines()
        if _INSTALL.search(line) and not line.lstrip().startswith(("#", "echo", "say"))
    }

    assert len(commands) >= 3
    assert [command for command in sorted(commands) if "--require-hashes" not in command[1]] == []


def test_tests_use_the_packages_of_the_functions():
    run = {pin for name in ("runtime", "stripe", "numbers") for pin in pins(f"requirements/{name}.txt")}

    assert run <= set(pins("requirements/dev.txt"))


def test_tests_use_the_packages_of_the_local_stack():
    """Both are installed into one environment, where a second version of a package would replace the first."""
    assert set(pins("requirements/local.txt")) <= set(pins("requirements/dev.txt"))


def test_plot_requirements_change_no_package_of_the_tests():
    """Both are installed into one environment, where a second version of a package would replace the first."""
    of_tests = {pin.split("==")[0] for pin in pins("requirements/dev.txt")}
    shared = {pin for pin in pins("requirements/plots.txt") if pin.split("==")[0] in of_tests}

    assert shared
    assert shared <= set(pins("requirements/dev.txt"))


def test_dependency_layer_has_the_runtime_requirements():
    assert pins(LAYER) == pins("requirements/runtime.txt")


def test_stripe_layer_has_its_requirements_in_the_same_versions():
    """pip needs a hash for every dependency of a package, so the layers share some packages."""
    both = {*pins(LAYER), *pins(STRIPE_LAYER)}

    assert pins(STRIPE_LAYER) == pins("requirements/stripe.txt")
    assert len({pin.split("==")[0] for pin in both}) == len(both)


def test_numbers_layer_has_its_requirements_and_shares_none():
    assert pins(NUMBERS_LAYER) == pins("requirements/numbers.txt")
    assert not {*pins(LAYER), *pins(STRIPE_LAYER)} & set(pins(NUMBERS_LAYER))
