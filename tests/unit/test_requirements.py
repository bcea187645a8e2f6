"""The pins: exact, the same in tests as in the functions, and from whatever index the reader uses."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINNED = [
    f"requirements/{name}.txt"
    for name in ("dev", "local", "runtime", "stripe", "numbers", "plots", "installer", "aws", "checkov")
]
LAYER = "layers/dependencies/requirements.txt"
STRIPE_LAYER = "layers/stripe/requirements.txt"
NUMBERS_LAYER = "layers/numbers/requirements.txt"
_PIN = re.compile(r"[a-z0-9.-]+==[0-9][0-9a-z.]*( ; .+)?")


def pins(name: str) -> list[str]:
    return [line for line in (ROOT / name).read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("name", [*PINNED, LAYER, STRIPE_LAYER, NUMBERS_LAYER])
def test_every_package_is_pinned_and_no_index_is_named(name):
    assert [line for line in pins(name) if not _PIN.fullmatch(line)] == []


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


def test_the_layer_of_stripe_holds_what_the_other_one_does_not():
    both = [*pins(LAYER), *pins(STRIPE_LAYER)]

    assert set(pins("requirements/stripe.txt")) <= set(both)
    assert len({pin.split("==")[0] for pin in both}) == len(both)


def test_the_layer_of_numbers_holds_what_no_other_one_does():
    assert pins(NUMBERS_LAYER) == pins("requirements/numbers.txt")
    assert not {*pins(LAYER), *pins(STRIPE_LAYER)} & set(pins(NUMBERS_LAYER))
