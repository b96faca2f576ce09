#!/bin/sh
# sqlglot 30.30.0, dialect tsql: administrative statements are either refused though valid, or not looked at.
#
# Seen: BACKUP DATABASE, RESTORE HEADERONLY and DBCC raise ParseError, while ALTER DATABASE and ALTER LOGIN become an
# opaque Command, whose text is kept as it is: a misspelt option passes like a right one. SELECT is parsed.
# Expected by who checks scripts with it: all are parsed, or all are told as not understood.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sqlglot==30.30.0
"$folder/venv/bin/python" - <<'PYTHON'
import logging

import sqlglot
from sqlglot import exp

logging.disable(logging.CRITICAL)
RAISES = [
    "BACKUP DATABASE [PRS] TO DISK = N'D:\\prs.bak' WITH COPY_ONLY, CHECKSUM",
    "RESTORE HEADERONLY FROM DISK = N'D:\\prs.bak'",
    "DBCC CHECKDB (N'PRS') WITH NO_INFOMSGS",
]
OPAQUE = [
    "ALTER DATABASE [PRS] SET PARTNER OFF",
    "ALTER DATABASE [PRS] SET PARTNR OF",
    "ALTER LOGIN [prs] WITH CHECK_POLICY = OFF",
    "ALTER LOGIN [prs] WITH CHEK_POLICY = OFF",
]
for text in RAISES:
    try:
        sqlglot.parse_one(text, dialect="tsql")
    except sqlglot.errors.ParseError:
        print(f"ParseError: {text}")
    else:
        raise SystemExit(f"parsed now: {text}")
for text in OPAQUE:
    tree = sqlglot.parse_one(text, dialect="tsql")
    assert isinstance(tree, exp.Command), f"parsed now: {text}"
    print(f"Command:    {text}")
assert isinstance(sqlglot.parse_one("SELECT TOP (1) name FROM sys.databases", dialect="tsql"), exp.Select)
print("Select:     SELECT TOP (1) name FROM sys.databases")
PYTHON
