#!/usr/bin/env bash
# Build the deployment package with `sam build`, from files whose hashes were compared with the pins.
#
#   scripts/build.sh PYTHON ARCHITECTURE [cached]      for example: scripts/build.sh 3.13 arm64
#
# With `cached` nothing is built when nothing has changed since the last build.
#
# `sam build` alone checks the hashes of the files that fit this machine. For a package that Lambda needs in another
# build it then asks by name and version only, and pip takes the file that the index gives. So this script downloads all
# files first, for both systems, with --require-hashes, and gives sam's pip this folder and no index.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$1
architecture=$2
python="python$version"
command -v "$python" >/dev/null || {
    echo "Python $version is needed to build for it, and $python is not on the path. Install it, or build for another: make build RUNTIME=3.12" >&2
    exit 1
}

case $architecture in
    arm64) machine=aarch64 ;;
    x86_64) machine=x86_64 ;;
    *) echo "Lambda has no architecture $architecture: use arm64 or x86_64." >&2 && exit 1 ;;
esac
# The C library of Lambda's images: 2.26 up to Python 3.11, 2.34 since 3.12.
platforms=(manylinux2014 manylinux_2_17)
if [ "${version#3.}" -ge 12 ]; then platforms+=(manylinux_2_28 manylinux_2_34); fi
if [ "$machine" = x86_64 ]; then platforms=(manylinux1 manylinux2010 "${platforms[@]}"); fi

inputs=$(find template.yaml samconfig.toml stacks functions layers sql scripts/build.sh scripts/trim_layer.py requirements/aws.txt \
    -type f ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 cksum | cksum)
stamp=.aws-sam/built
wanted="$("$python" -V) $architecture $inputs"
if [ "${3:-}" = cached ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    echo "Nothing has changed since the last build."
    exit 0
fi
rm -f "$stamp"

wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
download() {
    "$python" -m pip --disable-pip-version-check download --quiet --require-hashes --only-binary :all: --no-deps \
        --exists-action i --dest "$wheels" "$@" && return
    echo "A package has no file with a pinned hash that fits Python $version of Lambda on $architecture (see above)." >&2
    echo "Python 3.12 and newer have an image that all of them fit: make build RUNTIME=3.13" >&2
    exit 1
}
targets=()
for platform in "${platforms[@]}"; do targets+=(--platform "${platform}_$machine"); done
for requirements in layers/*/requirements.txt; do
    download --requirement "$requirements"
    download --requirement "$requirements" --implementation cp --python-version "$version" \
        --abi "cp${version/./}" --abi abi3 --abi none "${targets[@]}"
done

SAM_CLI_TELEMETRY=0 PIP_NO_INDEX=1 PIP_FIND_LINKS="$wheels" PIP_CONFIG_FILE=/dev/null .venv-aws/bin/sam build \
    --parameter-overrides PythonRuntime="python$version" Architecture="$architecture"
"$python" -m scripts.trim_layer .aws-sam/build/DependenciesLayer
printf '%s' "$wanted" >"$stamp"
