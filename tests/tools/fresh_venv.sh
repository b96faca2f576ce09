#!/bin/sh
# Remove a virtual environment that the given Python did not make: of another version, or one that does not run any more.
# Fails in one sentence where that Python is too old.
# Usage: fresh_venv.sh VENV PYTHON
set -eu
venv=$1 python=$2
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || {
    echo "$python does not run. Name a Python of 3.11 or later: make PYTHON=python3.12" >&2
    exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "$python is Python $version, and 3.11 or later is needed. Name another: make PYTHON=python3.12" >&2
    exit 1
}
[ -e "$venv/pyvenv.cfg" ] || exit 0
made=$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo gone)
if [ "$made" != "$version" ]; then
    echo "$venv is of Python $made: it is made anew with $version"
    rm -rf "$venv"
fi
