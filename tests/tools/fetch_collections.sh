#!/bin/sh
# Bring the collections that prs.recovery depends on to build/collections, from PyPI's `ansible` package: a machine that
# reaches PyPI needs no Galaxy. Then link this checkout beside them, so that it is used as an installed collection.
# Usage: fetch_collections.sh PYTHON
set -eu
python=$1
home=build/collections/ansible_collections
mkdir -p "$home/prs"
# `ansible-galaxy collection install` within the clone puts a copy here, which hides what is worked on.
if [ -d "$home/prs/recovery" ] && [ ! -L "$home/prs/recovery" ]; then
    echo "$home/prs/recovery is an installed copy: it gives way to a link to this clone"
    rm -rf "$home/prs/recovery"
fi
ln -sfn ../../../.. "$home/prs/recovery"
[ -e "$home/.complete" ] && exit 0
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
"$python" -m pip download --quiet --no-deps --dest "$wheels" ansible==12.3.0
"$python" - "$wheels" build/collections <<'PYTHON'
import pathlib
import sys
import zipfile

wheels, home = map(pathlib.Path, sys.argv[1:])
wanted = tuple(f"ansible_collections/{name}/" for name in ("ansible/windows", "community/windows", "microsoft/iis", "awx/awx"))
with zipfile.ZipFile(next(wheels.glob("ansible-*"))) as wheel:
    wheel.extractall(home, [name for name in wheel.namelist() if name.startswith(wanted)])
PYTHON
touch "$home/.complete"
