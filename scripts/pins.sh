#!/usr/bin/env bash
# Write requirements/*.txt and the functions' layer from requirements/*.in. Pins that still fit stay; UPGRADE=1 renews all.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v uv >/dev/null || {
    echo "uv is needed to make pins that hold for every system and Python: pip install uv" >&2
    exit 1
}

pin() {
    uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --no-emit-index-url \
        ${UPGRADE:+--upgrade} "${@:2}" --output-file "requirements/$1.txt" "requirements/$1.in" >/dev/null
}

pin dev
pin runtime --constraint requirements/dev.txt # so that what is tested is what runs
pin stripe --constraint requirements/dev.txt
pin numbers --constraint requirements/dev.txt
pin local --constraint requirements/dev.txt
pin plots --constraint requirements/dev.txt # into the same environment
pin installer
pin aws
pin checkov
{
    echo "# The third-party layer of the functions: all of requirements/runtime.txt, so that no version is left to the runtime."
    cat requirements/runtime.txt
} >layers/dependencies/requirements.txt
{
    echo "# Stripe's SDK with what the other layer does not hold: requirements/stripe.txt less requirements/runtime.txt."
    grep --invert-match --line-regexp --fixed-strings --file requirements/runtime.txt requirements/stripe.txt
} >layers/stripe/requirements.txt
{
    echo "# Arithmetic over arrays, for the functions that rate: requirements/numbers.txt, which shares nothing with the other layers."
    cat requirements/numbers.txt
} >layers/numbers/requirements.txt
