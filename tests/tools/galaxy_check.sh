#!/bin/sh
# What Galaxy would say of this collection: its importer, pinned, over the archive that would be uploaded. Fails where it
# finds an error or a warning of ours. The importer stops its ansible-lint after three minutes; on a busy machine that is
# too few, which this says as what it is.
# Usage: galaxy_check.sh PYTHON
set -eu
place=build/galaxy
version=0.4.44
if [ ! -e "$place/venv/.ready-$version" ]; then
    rm -rf "$place/venv"
    "$1" -m venv "$place/venv"
    "$place/venv/bin/python" -m pip install --quiet "galaxy-importer==$version"
    touch "$place/venv/.ready-$version"
fi
PATH="$PWD/$place/venv/bin:$PATH"
export PATH ANSIBLE_COLLECTIONS_PATH="$PWD/build/collections"
rm -rf "$place/source" "$place"/*.tar.gz
mkdir -p "$place/source"
# Of a clone only what git has: what galaxy.yml leaves out is left out by ansible-galaxy.
git ls-files -z | xargs -0 cp --parents --target-directory "$place/source"
ansible-galaxy collection build --output-path "$place" "$place/source"
python -m galaxy_importer.main "$place"/*.tar.gz >"$place/log.txt" 2>&1 || { cat "$place/log.txt"; exit 1; }
grep -v '^Loading ' "$place/log.txt"
if grep -E '^(ERROR|WARNING|CRITICAL)' "$place/log.txt"; then exit 1; fi
