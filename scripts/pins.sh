#!/usr/bin/env bash
# Write requirements/*.txt and the layers' requirements from requirements/*.in, with the hashes of every file of each
# package, so that one set serves every system and Python. Pins that still fit stay; UPGRADE=1 renews all.
set -euo pipefail
cd "$(dirname "$0")/.."

PATH="$PWD/.venv/bin:$PATH"
command -v uv >/dev/null || {
    echo "uv is needed to pin for every system and Python. Run: make install, or pip install uv" >&2
    exit 1
}

pin() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-index-url --no-emit-find-links ${UPGRADE:+--upgrade} "${@:2}" \
        --output-file "requirements/$1.txt" "requirements/$1.in" >/dev/null
}

pin dev
pin runtime --constraint requirements/dev.txt # so that the tests run the versions of the functions
pin stripe --constraint requirements/dev.txt
pin numbers --constraint requirements/dev.txt
pin local --constraint requirements/dev.txt
pin plots --constraint requirements/dev.txt # into the same environment
pin installer
pin aws
pin checkov
pin emulator
{
    echo "# The third-party layer of the functions: all of requirements/runtime.txt, so that no version is left to the runtime."
    cat requirements/runtime.txt
} >layers/dependencies/requirements.txt
{
    # All of it, although the other layer has some: pip refuses a package that needs one without a hash beside it.
    echo "# Stripe's SDK and all that it needs: requirements/stripe.txt."
    cat requirements/stripe.txt
} >layers/stripe/requirements.txt
{
    echo "# Arithmetic over arrays, for the functions that rate: requirements/numbers.txt, which shares nothing with the other layers."
    cat requirements/numbers.txt
} >layers/numbers/requirements.txt
