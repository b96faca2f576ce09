#!/bin/sh
# Run `ansible-test sanity` on a copy of what git tracks, in the place where ansible-test wants a collection.
# Usage: sanity.sh PYTHON [ARGUMENTS OF ansible-test sanity]
#
# ansible-test makes a virtual environment per kind of test and downloads a script to put pip there. ensurepip does the same
# from Python's own library, so a machine that reaches PyPI alone can run all of it.
set -eu
[ -c /dev/null ] || { echo "/dev/null is a file on this machine, and pep8 would read it as its settings: make it a device again" >&2; exit 1; }
python=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
home=$PWD/build/sanity
copy=$home/ansible_collections/prs/recovery
rm -rf "$copy"
mkdir -p "$copy" "$home/ansible_collections" "$home/home/.ansible/test/cache"
for collection in ansible community microsoft; do
    ln -sfn "$PWD/build/collections/ansible_collections/$collection" "$home/ansible_collections/$collection"
done
git ls-files -z --cached --others --exclude-standard -- . ':!tests' ':!molecule' |
    xargs -0 sh -c 'for file; do [ -e "$file" ] && printf "%s\0" "$file"; done' sh |
    tar --create --null --files-from=- | tar --extract --directory="$copy"
version=$("$python" - <<'PYTHON'
import re
from importlib.util import find_spec
from pathlib import Path

source = Path(find_spec("ansible_test").submodule_search_locations[0], "_internal", "python_requirements.py").read_text()
print(re.search(r"'?pip'?\s*[=:]\s*'([\d.]+)'", source).group(1).replace(".", "_"))
PYTHON
)
printf 'import ensurepip\n\nensurepip.bootstrap(default_pip=True)\n' > "$home/home/.ansible/test/cache/get_pip_$version.py"
mkdir -p "$copy/tests" && cp tests/config.yml "$copy/tests/"
git init -q "$copy"        # ansible-test asks git which files there are
git -C "$copy" add --all
cd "$copy"
bin=$(dirname "$python")
# pslint brings its analyzer from the PowerShell Gallery, which a machine that reaches PyPI alone cannot ask; what it would
# say of the collection's PowerShell is looked for by tests of its own.
HOME=$home/home ANSIBLE_CONFIG=/dev/null PATH=$bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin exec "$bin/ansible-test" sanity \
    --skip-test pslint --color no --requirements --python "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')" "$@"
