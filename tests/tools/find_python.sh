#!/bin/sh
# Print the first Python of the given versions (3.14, 3.13, ...) that really runs and can make virtual environments.
# Names on PATH may be shims of pyenv, which run only what is selected; the real ones lie below its root.
# Usage: find_python.sh VERSION...
for version in "$@"; do
    for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python"$version"; do
        if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$python"
            exit
        fi
    done
done
exit 1
