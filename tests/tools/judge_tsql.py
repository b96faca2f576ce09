#!/usr/bin/env python3
"""Give every T-SQL text that a lab recorded to Microsoft's own parser (ScriptDom) and print what it rejects.

    judge_tsql.py [--json] RECORD...      RECORD: a lab's record, JSON lines with kind "sql" and the text

The parser is a .NET library: `tests/tools/fetch_scriptdom.sh` brings it and its runtime to build/scriptdom. Both exist
for Linux on x86-64 only; elsewhere this says so and judges nothing.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["Judge", "available", "recorded_statements"]

HOME = Path(__file__).resolve().parents[2] / "build" / "scriptdom"


def available() -> str | None:
    """None when the parser can run here, else the reason why it cannot."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return f"Microsoft's T-SQL parser runs on Linux x86-64 only, this is {platform.system()} {platform.machine()}"
    if not (HOME / "ScriptDom.dll").exists():
        return f"{HOME} is missing: run tests/tools/fetch_scriptdom.sh"
    return None


NEWER = (
    (re.compile(r"(?i)(\bCREATE CERTIFICATE\b[^;]*?\bFROM) BINARY = 0x[0-9A-F]+"), r"\1 FILE = 'x'"),
    # SQL Server 2019: docs/t-sql/statements/alter-database-transact-sql-set-options.md
    (
        re.compile(r"(?i)(\bALTER DATABASE\b[^;]*?\bSET) ACCELERATED_DATABASE_RECOVERY = (ON|OFF)\b"),
        r"\1 AUTO_CLOSE \2",
    ),
)
"""What Microsoft documents (this one for SQL Server 2012 and later) and this ScriptDom does not know yet -> a form that
it does. The rest is judged.
"""


WRITING = {
    "Alter",
    "Backup",
    "BulkInsert",
    "Bulk",
    "Checkpoint",
    "Create",
    "Dbcc",
    "Delete",
    "Deny",
    "Drop",
    "Grant",
    "Insert",
    "Into",
    "Kill",
    "Merge",
    "Reconfigure",
    "Revoke",
    "Shutdown",
    "Truncate",
    "Update",
    "UpdateText",
    "WriteText",
}
"""Words (as ScriptDom calls its tokens) that stand in no question."""

ASKING = {"xp_dirtree", "xp_fileexist", "xp_fixeddrives", "xp_subdirs", "sp_datatype_info", "sp_datatype_info_100"}
"""Procedures that only tell something."""


@functools.cache
def _script_dom() -> tuple[Any, Any]:
    """Microsoft's parser and its reader of texts. A process can load .NET once."""
    os.environ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1"  # no ICU needed
    import pythonnet
    from clr_loader import get_coreclr

    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "runtime.json"
        config.write_text(
            json.dumps(
                {
                    "runtimeOptions": {
                        "tfm": "netcoreapp3.1",
                        "framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"},
                    }
                }
            )
        )
        pythonnet.set_runtime(get_coreclr(runtime_config=str(config), dotnet_root=str(HOME / "dotnet")))
        import clr

        clr.AddReference(str(HOME / "ScriptDom.dll"))
    from Microsoft.SqlServer.TransactSql import ScriptDom
    from System.IO import StringReader

    return ScriptDom, StringReader


class Judge:
    """Microsoft's parser for the grammar of SQL Server 2019 (the newest that this ScriptDom has)."""

    def __init__(self) -> None:
        reason = available()
        if reason:
            raise RuntimeError(reason)
        ScriptDom, StringReader = _script_dom()
        self._dom = ScriptDom
        self._reader = StringReader
        self._parser = ScriptDom.TSql150Parser(True)  # True: quoted identifiers, as the drivers set them

    def errors(self, text: str) -> list[str]:
        """What the parser has against one batch; an empty list when it accepts it."""
        for pattern, known in NEWER:
            text = pattern.sub(known, text)
        _tree, errors = self._parser.Parse(self._reader(text), None)
        return [f"{error.Number} in line {error.Line}: {error.Message}" for error in errors]

    def statements(self, text: str) -> list[str]:
        """The kinds of the statements in one batch, such as ['BackupDatabaseStatement']; errors raise ValueError."""
        tree, errors = self._parser.Parse(self._reader(text), None)
        if errors.Count:
            raise ValueError(errors[0].Message)
        return [type(statement).__name__ for batch in tree.Batches for statement in batch.Statements]

    def writes(self, text: str) -> bool:
        """Whether a batch does anything but ask, however deep in it; also True for what cannot be told: other
        procedures, dynamic SQL, broken texts.
        """
        tree, errors = self._parser.Parse(self._reader(text), None)
        if errors.Count:
            return True
        tokens = [(str(token.TokenType), (token.Text or "").strip("[]").lower()) for token in tree.ScriptTokenStream]
        tokens = [token for token in tokens if token[0] not in ("WhiteSpace", "SingleLineComment", "MultilineComment")]
        kinds = {kind for kind, _word in tokens}
        restores = any(
            kind == "Restore" and word in ("database", "log", "tran", "transaction")
            for (kind, _), (_, word) in itertools.pairwise(tokens)
        )
        runs = [
            self._procedure(tokens[place + 1 :])
            for place, (kind, _word) in enumerate(tokens)
            if kind in ("Exec", "Execute")
        ]
        return bool(kinds & WRITING) or restores or any(name not in ASKING for name in runs)

    @staticmethod
    def _procedure(tokens: list[tuple[str, str]]) -> str:
        """The last part of the name of what EXECUTE runs; tokens: what follows the word. '' where it is no name."""
        if len(tokens) > 1 and tokens[0][0] == "Variable" and tokens[1][0] == "EqualsSign":
            tokens = tokens[2:]
        name, dotted = "", False
        for kind, word in tokens:
            if kind not in ("Identifier", "QuotedIdentifier", "Dot"):
                break
            if kind != "Dot" and name and not dotted:
                break
            dotted = kind == "Dot"
            name = name if dotted else word
        return name


def recorded_statements(paths: Iterable[Path]) -> list[str]:
    """Every different T-SQL text in the given records, in the order of their first appearance."""
    seen: dict[str, None] = {}
    for path in paths:
        for line in filter(
            None, path.read_text(encoding="utf-8").split("\n")
        ):  # not splitlines, which also cuts at U+2028
            entry: dict[str, Any] = json.loads(line)
            if entry.get("kind") == "sql":
                seen.setdefault(entry["text"])
    return list(seen)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true", help="answer as one JSON object")
    arguments.add_argument("record", nargs="+", type=Path)
    options = arguments.parse_args()
    reason = available()
    if reason:
        print(json.dumps({"skipped": reason}) if options.json else f"skipped: {reason}")
        return 0
    texts = recorded_statements(options.record)
    judge = Judge()
    rejected = [{"text": text, "errors": errors} for text in texts if (errors := judge.errors(text))]
    if options.json:
        print(json.dumps({"statements": len(texts), "rejected": rejected}))
    else:
        for item in rejected:
            print(f"REJECTED {item['errors'][0]}\n    {item['text']}")
        print(f"{len(texts)} different T-SQL texts judged, {len(rejected)} rejected")
    return 1 if rejected or not texts else 0


if __name__ == "__main__":
    sys.exit(main())
