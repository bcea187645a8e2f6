"""The pins: exact, with hashes, the same in tests as in the functions, and from whatever index the reader uses."""

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
    """A set that is written by hand, or whose pins are missing, has no file of both kinds."""
    assert {path.stem for path in ROOT.glob("requirements/*.in")} == {
        path.stem for path in ROOT.glob("requirements/*.txt")
    }
    assert not list(ROOT.glob("functions/*/requirements.txt"))


@pytest.mark.parametrize("name", PINNED)
def test_every_package_is_pinned_with_hashes_and_no_index_is_named(name):
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


def test_the_tests_run_what_the_functions_run():
    run = {pin for name in ("runtime", "stripe", "numbers") for pin in pins(f"requirements/{name}.txt")}

    assert run <= set(pins("requirements/dev.txt"))


def test_the_tests_run_what_make_up_runs():
    """Both go into one environment: another version of a package would take the first one's place."""
    assert set(pins("requirements/local.txt")) <= set(pins("requirements/dev.txt"))


def test_pictures_change_no_package_of_the_tests():
    """They go into the same environment: another version of a package would take the first one's place."""
    of_tests = {pin.split("==")[0] for pin in pins("requirements/dev.txt")}
    shared = {pin for pin in pins("requirements/plots.txt") if pin.split("==")[0] in of_tests}

    assert shared
    assert shared <= set(pins("requirements/dev.txt"))


def test_the_layer_holds_all_of_the_runtime():
    assert pins(LAYER) == pins("requirements/runtime.txt")


def test_the_layer_of_stripe_holds_all_that_stripe_needs_in_the_same_versions():
    """pip refuses a package that needs one without a hash beside it, so the layers share some."""
    both = {*pins(LAYER), *pins(STRIPE_LAYER)}

    assert pins(STRIPE_LAYER) == pins("requirements/stripe.txt")
    assert len({pin.split("==")[0] for pin in both}) == len(both)


def test_the_layer_of_numbers_holds_what_no_other_one_does():
    assert pins(NUMBERS_LAYER) == pins("requirements/numbers.txt")
    assert not {*pins(LAYER), *pins(STRIPE_LAYER)} & set(pins(NUMBERS_LAYER))
