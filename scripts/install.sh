#!/usr/bin/env bash
# Put pinned requirements into a virtual environment, made if need be; what is in it already is left as it is. Every file
# that is installed must have one of the hashes that its requirement names: --require-hashes refuses any other.
#
#   scripts/install.sh FOLDER REQUIREMENTS…
set -euo pipefail

folder=$1
shift
requirements=("$@")
python=${PYTHON:-python3}

say() { printf '%s\n' "$*" >&2; }

# What an earlier shell was set up for must not leak into this environment.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX

if ! command -v "$python" >/dev/null; then
    say "Python 3.11 or newer is needed, and $python is not there. Install it, or name another: PYTHON=/path/to/python3 make …"
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "Python 3.11 or newer is needed; $python is $("$python" -V 2>&1). Name another: PYTHON=/path/to/python3 make …"
    exit 1
fi

# Which Python it was made with, and where: another one, or another place, is reason to make it anew. The note is away
# while packages are installed, so that an environment of which only half is there is not taken for a whole one.
made="$folder/.made"
wanted="$("$python" -c 'import sys; print(sys.version)' | tr -d '\n') $PWD"
holds() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }
stamp() { printf '%s/.installed-%s' "$folder" "$(basename "$1" .txt)"; }
missing() {
    for file in "${requirements[@]}"; do
        holds "$made" "$wanted" && holds "$(stamp "$file")" "$(cksum <"$file")" || printf '%s\n' "$file"
    done
}
installed() { [ -z "$(missing)" ]; }
if installed; then exit 0; fi

# One at a time: `make up` and `make test` may both find that there is nothing yet.
lock="$folder.installing"
until (set -o noclobber && echo $$ >"$lock") 2>/dev/null; do
    if [ ! -w . ]; then
        say "Nothing can be written to $PWD: put the project in a folder of your own."
        exit 1
    fi
    other=$(cat "$lock" 2>/dev/null || true)
    if [ -n "$other" ] && ! kill -0 "$other" 2>/dev/null; then rm -f "$lock"; else sleep 1; fi
done
trap 'rm -f "$lock"' EXIT
if installed; then exit 0; fi

began=$SECONDS
options=()
while read -r file; do
    options+=(--requirement "$file")
    say "Installing $file into $folder …"
done < <(missing)
failed() {
    if $whole; then printf '%s' "$wanted" >"$made"; fi # what was there is there still
    say "Installing failed (see above). Usual reasons: no network or a proxy in the way; a full disk; no compiler for a"
    say "package that has no wheel for this machine (install gcc and the Python headers). Then run the same command again."
    say "If a hash does not match, the index gave another file than the one that was pinned: do not install it. Find out why."
    exit 1
}
environment() {
    # Not only where there is no environment: one that uv made has no pip.
    if ! "$folder/bin/python" -m pip --version >/dev/null 2>&1 && ! "$python" -m venv "$folder" >/dev/null 2>&1; then
        say "Python cannot make virtual environments here. On Debian and Ubuntu: apt-get install python3-venv"
        exit 1
    fi
}
pip() { "$folder/bin/python" -m pip --disable-pip-version-check "$@"; }
with_uv() {
    local uv=uv
    if command -v uv >/dev/null; then
        $whole || uv venv --quiet --python "$python" "$folder"
    else
        # pip fetches uv, which does the rest in a quarter of the time; not where pip is told of an index of its own.
        environment
        if pip config list | grep '\.index-url=' >/dev/null; then return 1; fi
        pip install --quiet --no-compile --require-hashes --retries 1 --requirement requirements/installer.txt || return 1
        uv="$folder/bin/uv"
    fi
    # By the certificates that the system trusts, as pip does: a company's own are among them.
    UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true} "$uv" pip install --quiet --require-hashes --python "$folder/bin/python" "${options[@]}" && return 0
    say "uv could not do it (see above); trying pip, which has settings of its own."
    return 1
}
with_pip() {
    environment
    # Python compiles what it imports, when it does: that is quicker than compiling everything first.
    pip install --quiet --no-compile --require-hashes "${options[@]}"
}
holds "$made" "$wanted" && whole=true || whole=false
if $whole; then rm "$made"; else rm -rf "$folder"; fi
with_uv || with_pip || failed

# So that python -m marquee.… works from anywhere with this environment.
site=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n%s\n' "$PWD" "$PWD/layers/domain" >"$site/marquee.pth"
for file in "${requirements[@]}"; do cksum <"$file" >"$(stamp "$file")"; done
printf '%s' "$wanted" >"$made"
say "Installed in $((SECONDS - began)) s."
