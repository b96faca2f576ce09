#!/bin/sh
# What Galaxy would say of this collection: its importer, pinned, over the archive that would be uploaded. Fails where it
# finds an error or a warning of ours. The importer stops its ansible-lint after three minutes, which on a busy machine is
# too few: here it has half an hour. Galaxy's has the dependencies, which it fetches; here they lie beside the importer.
# Usage: galaxy_check.sh PYTHON
set -eu
place=build/galaxy
version=0.4.44
if [ ! -e "$place/venv/.ready-$version" ]; then
    rm -rf "$place/venv"
    "$1" -m venv "$place/venv"
    "$place/venv/bin/python" -m pip install --quiet "galaxy-importer==$version"
    importer=$(echo "$place"/venv/lib/python3*/site-packages/galaxy_importer/loaders/collection.py)
    grep -q 'communicate(timeout=180)' "$importer"
    sed -i 's/communicate(timeout=180)/communicate(timeout=1800)/' "$importer"
    touch "$place/venv/.ready-$version"
fi
beside=$(echo "$place"/venv/lib/python3*/site-packages)/ansible_collections
mkdir -p "$beside"
for name in ansible community microsoft awx; do
    ln -sfn "$PWD/build/collections/ansible_collections/$name" "$beside/$name"
done
PATH="$PWD/$place/venv/bin:$PATH"
export PATH
rm -rf "$place/source" "$place"/*.tar.gz
mkdir -p "$place/source"
# Of a clone only what git has: what galaxy.yml leaves out is left out by ansible-galaxy.
git ls-files -z | xargs -0 cp --parents --target-directory "$place/source"
ansible-galaxy collection build --output-path "$place" "$place/source"
# It leaves its result where it runs.
(cd "$place" && python -m galaxy_importer.main ./*.tar.gz) >"$place/log.txt" 2>&1 || { cat "$place/log.txt"; exit 1; }
grep -v '^Loading ' "$place/log.txt"
if grep -E '^(ERROR|WARNING|CRITICAL)' "$place/log.txt"; then exit 1; fi
