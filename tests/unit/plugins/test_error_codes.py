"""Every error has a code, and every code is documented and used."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = ROOT / "plugins"
DOCUMENTED = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)
FILES = sorted(PLUGINS.rglob("*.py"))
ERRORS = {"RecoveryError", "ConnectionFailed"}
"""What is raised with a code of its own; SqlError and WindowsFault find theirs by the number, `reworded` keeps it."""


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def calls(path: Path) -> Iterator[ast.Call]:
    for node in nodes(path):
        name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
        if name in ERRORS:
            yield node


def codes(call: ast.Call) -> list[str]:
    """The words that stand in `code=`, however they are chosen between."""
    values = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    return [
        node.value
        for value in values
        for node in ast.walk(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_every_code_is_documented():
    used = {(code, f"{path.name}:{call.lineno}") for path in FILES for call in calls(path) for code in codes(call)}
    assert [(code, where) for code, where in sorted(used) if code not in DOCUMENTED] == []


def test_every_documented_code_is_used():
    """A constant somewhere in the plugins: some codes are found in tables, by the number of an error."""
    constants = {
        node.value
        for path in FILES
        for node in nodes(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert [code for code in DOCUMENTED if code not in constants] == []


def test_the_table_is_sorted_and_names_each_code_once():
    assert sorted(set(DOCUMENTED)) == DOCUMENTED


def test_no_error_goes_without_a_code():
    """There is no default, which nobody could build upon."""
    with pytest.raises(TypeError, match="code"):
        RecoveryError("What happened", advice="What to do")  # type: ignore[call-arg]
    assert [f"{path.name}:{call.lineno}" for path in FILES for call in calls(path) if not _has_code(call)] == []


def _has_code(call: ast.Call) -> bool:
    """ConnectionFailed is an error of SQL Server, and has sql_unreachable where nothing better is known."""
    return getattr(call.func, "id", "") != "RecoveryError" or any(keyword.arg == "code" for keyword in call.keywords)


@pytest.mark.parametrize("path", sorted((PLUGINS / "modules").glob("*.py")), ids=lambda path: path.stem)
def test_every_module_documents_the_code(path: Path):
    returned = re.search(r'^RETURN = r"""\n(.*?)"""', path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert "\nerror_code:" in f"\n{returned.group(1)}"
