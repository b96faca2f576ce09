#!/bin/sh
# pyodbc 5.5.0 asks the server four questions at the first connection of each process, and again for each other connection
# string, before the program has asked anything.
#
# Seen: SQLGetTypeInfo for SQL_VARCHAR, SQL_WVARCHAR, SQL_VARBINARY and SQL_TYPE_TIMESTAMP, whose answers are kept for that
# connection string as long as the process lives. With a driver for SQL Server each of them is a round trip
# (sp_datatype_info_100), so a program that runs in short processes, as a module of Ansible does, pays four for each of them:
# with 40 ms between client and server 0.16 s, whatever it wants there.
# Expected: none, as the sizes are wanted only where long parameters are bound.
# Needs apt-get and dpkg of Debian 12 (libsqliteodbc 0.9998-3+b1, which needs libsqlite3-0).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
(cd "$folder" && apt-get download --quiet libsqliteodbc=0.9998-3+b1 && dpkg -x libsqliteodbc_*.deb driver)
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyodbc==5.5.0
cat > "$folder/odbcinst.ini" <<INI
[ODBC]
Trace=yes
TraceFile=$folder/trace.log
[SQLite]
Driver=$(find "$folder/driver" -name libsqlite3odbc.so)
INI
cat > "$folder/connect.py" <<'PYTHON'
import re
import sys
from pathlib import Path

import pyodbc

folder = Path(sys.argv[1])
asked = []
for database in ("one", "one", "two"):
    pyodbc.connect(f"Driver={{SQLite}};Database={folder / database}", autocommit=True).close()
    trace = (folder / "trace.log").read_text(errors="replace")
    asked.append(len(re.findall(r"SQLGetTypeInfo\w*\.c\]\[\d+\]\s*\n\s*Entry", trace)))
print("questions after each of three connections, the third one to another database:", asked)
assert asked == [4, 4, 8], "changed"
PYTHON
for process in first second; do
    rm -f "$folder/trace.log"
    echo "$process process"
    ODBCSYSINI="$folder" "$folder/venv/bin/python" "$folder/connect.py" "$folder"
done
